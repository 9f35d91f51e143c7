//! Checking one object.

use crate::content::{Body, WHOLE_FILE_MAX};
use crate::error::{Error, Result};
use crate::read::{ReadObjects, invalid};
use osier_object::{Checksum, ContentId, ObjectName, ObjectType, hash};
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::io::{self, Read};

thread_local! {
    /// One buffer a thread for whole small files, and one to stream large ones through.
    static BUFFERS: RefCell<(Vec<u8>, Vec<u8>)> = const { RefCell::new((Vec::new(), Vec::new())) };
}

const CHUNK: usize = 256 * 1024;

/// Reads an object and checks that it hashes to its name and has the structure of its type. Gives the bytes read.
///
/// # Errors
/// [`Error::MissingObject`] when it is not stored; [`Error::ChecksumMismatch`]; [`Error::Invalid`]; an I/O error.
pub fn verify_object<R: ReadObjects + ?Sized>(objects: &R, name: &ObjectName) -> Result<u64> {
    match name.ty {
        ObjectType::File => verify_content(objects, &ContentId(name.checksum)),
        ObjectType::Commit | ObjectType::Dirtree | ObjectType::Dirmeta => {
            let bytes = objects.read_metadata(name.ty, &name.checksum)?;
            let actual = hash(&bytes);
            mismatch(name, actual)?;
            osier_object::validate::structure(name.ty, &bytes)
                .map_err(|e| invalid(name.ty, &name.checksum, e))?;
            Ok(bytes.len() as u64)
        }
        // Named by another object, so there is nothing to compare with.
        _ => Ok(0),
    }
}

fn mismatch(name: &ObjectName, actual: Checksum) -> Result<()> {
    match actual == name.checksum {
        true => Ok(()),
        false => Err(Error::ChecksumMismatch {
            name: *name,
            expected: name.checksum,
            actual,
        }),
    }
}

fn verify_content<R: ReadObjects + ?Sized>(objects: &R, id: &ContentId) -> Result<u64> {
    let name = id.object_name();
    let content = objects.open_content(id)?;
    let mut hasher = Sha256::new_with_prefix(content.header.hash_framing());
    let size = content.size;
    let unreadable = |e: io::Error| invalid(ObjectType::File, &id.0, e);
    match content.body {
        Body::None => {}
        _ if size <= WHOLE_FILE_MAX => BUFFERS.with_borrow_mut(|(whole, _)| {
            content.read_whole(whole).map_err(unreadable)?;
            hasher.update(&whole[..]);
            Ok(())
        })?,
        _ => BUFFERS.with_borrow_mut(|(_, chunk)| {
            chunk.resize(CHUNK, 0);
            let mut reader = content.into_reader();
            loop {
                match reader.read(chunk) {
                    Ok(0) => return Ok(()),
                    Ok(n) => hasher.update(&chunk[..n]),
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                    Err(e) => return Err(unreadable(e)),
                }
            }
        })?,
    }
    mismatch(&name, Checksum(hasher.finalize().into()))?;
    Ok(size)
}

/// Puts the check and its object in front of an error, in the words of the reference tool.
pub(super) fn within(error: Error, name: &ObjectName) -> Error {
    match name.ty {
        ObjectType::File => error.within(format!("fsck content object {}", name.checksum)),
        _ => error.within(format!("fsck {name}")),
    }
}
