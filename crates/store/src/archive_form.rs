//! Content objects as an archive stores and serves them, whatever the mode of the repository they lie in.

use crate::content::{Body, WHOLE_FILE_MAX, read_archive_header};
use crate::error::{Error, IoContext, Result};
use crate::read::{ReadObjects, invalid, open_object};
use crate::transaction::pack;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use osier_object::{Checksum, ContentId, FileHeader, ObjectType};
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::io::{self, BufReader, Read, Write};

const CHUNK: usize = 256 * 1024;

thread_local! {
    /// One buffer a thread for whole small files.
    static WHOLE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Writes the `.filez` of an object to `out`, and checks on the way that it is the object it is named as: of an archive the
/// stored bytes as they are, of other modes what a transaction of an archive with this repository's compression level would
/// write. Memory does not grow with the object.
///
/// # Errors
/// [`Error::MissingObject`]; [`Error::ChecksumMismatch`] or [`Error::Invalid`] for a damaged one, which is found out when most
/// of it has been written; an I/O error of either side.
pub fn write_archive_form<R: ReadObjects + ?Sized>(
    objects: &R,
    id: &ContentId,
    out: &mut dyn Write,
) -> Result<()> {
    let repo = objects.repo();
    let path = id.object_name().loose_path(true);
    if repo.mode().is_archive() {
        for dir in objects.object_dirs() {
            if let Some(fd) = open_object(dir, &path)? {
                return copy_stored(std::fs::File::from(fd), id, out);
            }
        }
        return match repo.parent() {
            Some(parent) => write_archive_form(parent, id, out),
            None => Err(Error::MissingObject(id.object_name())),
        };
    }
    let content = objects.open_content(id)?;
    let (header, size) = (content.header.clone(), content.size);
    let framing = header.archive_framing(size);
    let mut hasher = Sha256::new_with_prefix(header.hash_framing());
    let damaged = |e: io::Error| invalid(ObjectType::File, &id.0, e);
    let writing = || format!("writing object {id}");
    match &content.body {
        Body::None => out.write_all(&framing).at(writing)?,
        _ if size <= WHOLE_FILE_MAX => WHOLE.with_borrow_mut(|whole| {
            content.read_whole(whole).map_err(damaged)?;
            hasher.update(&whole[..]);
            pack::whole(repo.config().zlib_level, &framing, whole, |packed| {
                out.write_all(packed)
            })
            .at(writing)
        })?,
        _ => {
            out.write_all(&framing).at(writing)?;
            let mut deflate =
                DeflateEncoder::new(&mut *out, Compression::new(repo.config().zlib_level));
            let mut reader = content.into_reader();
            each_chunk(&mut reader, damaged, |chunk| {
                hasher.update(chunk);
                deflate.write_all(chunk).at(writing)
            })?;
            deflate.finish().at(writing)?;
        }
    }
    settle(id, hasher)
}

/// Copies a stored `.filez` while it is unpacked and hashed.
fn copy_stored(file: std::fs::File, id: &ContentId, out: &mut dyn Write) -> Result<()> {
    let damaged = |e: io::Error| invalid(ObjectType::File, &id.0, e);
    let stored = file
        .metadata()
        .at(|| format!("fstat of object {id}"))?
        .len();
    let mut tee = Tee {
        from: BufReader::with_capacity(CHUNK, file),
        to: out,
        failed: None,
    };
    let result = hash_stored(&mut tee, stored, id);
    if let Some(e) = tee.failed.take() {
        return Err(e).at(|| format!("writing object {id}"));
    }
    result?;
    // Bytes behind the end of the compressed data mean nothing, but they are stored.
    io::copy(&mut tee, &mut io::sink()).map_err(damaged)?;
    match tee.failed {
        Some(e) => Err(e).at(|| format!("writing object {id}")),
        None => Ok(()),
    }
}

fn hash_stored(tee: &mut Tee<'_>, stored: u64, id: &ContentId) -> Result<()> {
    let damaged = |e: io::Error| invalid(ObjectType::File, &id.0, e);
    let (header, size): (FileHeader, u64) = read_archive_header(tee, stored).map_err(damaged)?;
    let mut hasher = Sha256::new_with_prefix(header.hash_framing());
    if !header.is_symlink() {
        let mut left = size;
        each_chunk(&mut DeflateDecoder::new(tee), damaged, |chunk| {
            left = left
                .checked_sub(chunk.len() as u64)
                .ok_or_else(|| damaged(io::Error::other("more content than its header says")))?;
            hasher.update(chunk);
            Ok(())
        })?;
        if left > 0 {
            return Err(damaged(io::Error::other(
                "less content than its header says",
            )));
        }
    }
    settle(id, hasher)
}

fn settle(id: &ContentId, hasher: Sha256) -> Result<()> {
    let actual = Checksum(hasher.finalize().into());
    match actual == id.0 {
        true => Ok(()),
        false => Err(Error::ChecksumMismatch {
            name: id.object_name(),
            expected: id.0,
            actual,
        }),
    }
}

fn each_chunk(
    reader: &mut dyn Read,
    failed: impl Fn(io::Error) -> Error,
    mut each: impl FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        match reader.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(n) => each(&chunk[..n])?,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(failed(e)),
        }
    }
}

/// A reader that writes what it reads somewhere, too.
struct Tee<'a> {
    from: BufReader<std::fs::File>,
    to: &'a mut dyn Write,
    /// That writing failed, which is not the object's fault.
    failed: Option<io::Error>,
}

impl Read for Tee<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.from.read(buf)?;
        if let Err(e) = self.to.write_all(&buf[..n]) {
            self.failed = Some(e);
            return Err(io::ErrorKind::Other.into());
        }
        Ok(n)
    }
}
