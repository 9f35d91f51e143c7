//! The composefs image of a commit: its whole tree in one file that names the objects' files.
//!
//! Mounted over `objects/` of a repository whose objects are files with the content as such, the image is the
//! checked-out tree. It is the same for the same commit in every mode: the digest of what an archive holds can be
//! signed before anybody has unpacked it.

use crate::commit::Root;
use crate::content::{Content, WHOLE_FILE_MAX};
use crate::error::{Error, IoContext, Result};
use crate::parallel::{self, Cancel, Progress};
use crate::read::ReadObjects;
use crate::replace_file::temp_name;
use osier_composefs::{Attributes, Digest, DirId, Image, Tree, Verity};
use osier_object::{Checksum, ContentId, Dirmeta, DirmetaId, DirtreeId, FileHeader, Xattrs};
use rayon::prelude::*;
use rustix::fs::{AtFlags, Mode, OFlags};
use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

/// Directories that an image always has, as a system is mounted onto them.
const ALWAYS: [&str; 5] = ["usr", "etc", "boot", "var", "sysroot"];

/// Bytes of a large file that are in memory at a time.
const CHUNK: usize = 256 * 1024;

/// Whether the image vouches for the content of files.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Digests {
    /// It names them only: no content is read.
    Omit,
    /// It holds each file's fs-verity digest, which takes reading them all, once each.
    Compute,
}

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Lays out the image of a tree.
///
/// Memory grows with the number of files, not with their size.
///
/// # Errors
/// When an object cannot be read, or the tree cannot be an image (a name is too long for a file system).
pub fn image(
    objects: &(impl ReadObjects + ?Sized),
    root: Root,
    digests: Digests,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Image> {
    let walked = walk(objects, root, cancel)?;
    let Walked { mut tree, files } = walked;
    let mut ids: Vec<ContentId> = files.iter().map(|(_, _, id)| *id).collect();
    ids.sort_unstable();
    ids.dedup();
    progress.total(ids.len() as u64);
    let known: HashMap<ContentId, Known> = parallel::run(|| {
        ids.into_par_iter()
            .map(|id| {
                cancel.check()?;
                let known = know(objects, id, digests)?;
                progress.object_done(known.size);
                Ok((id, known))
            })
            .collect::<Result<_>>()
    })?;
    for (dir, name, id) in files {
        let Some(known) = known.get(&id) else {
            continue; // Every id of the list was asked for.
        };
        let header = &known.header;
        let attributes = attributes(header.mode, header.uid, header.gid, &header.xattrs);
        match &header.symlink_target {
            Some(target) => tree.symlink(dir, name.as_bytes(), attributes, target.as_bytes()),
            None => tree.file(
                dir,
                name.as_bytes(),
                attributes,
                known.size,
                payload(&id.0).as_bytes(),
                known.digest,
            ),
        }
        .map_err(unfit)?;
    }
    Image::new(tree).map_err(unfit)
}

/// Writes an image as the file `path`, replacing one that is there, with mode 0644.
///
/// # Errors
/// When it cannot be written. Nothing half-written is left under that name.
pub fn write(dir: BorrowedFd<'_>, path: &Path, image: &Image, fsync: bool) -> Result<()> {
    let shown = path.display();
    let temp = path
        .parent()
        .unwrap_or(Path::new(""))
        .join(temp_name(".composefs"));
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(dir, &temp, flags, Mode::from_raw_mode(0o600))
        .at(|| format!("openat({shown})"))?;
    let write = || -> Result<()> {
        let file = File::from(fd);
        let mut out = BufWriter::with_capacity(CHUNK, &file);
        image
            .write(&mut out)
            .and_then(|()| out.flush())
            .at(|| format!("writing {shown}"))?;
        drop(out);
        rustix::fs::fchmod(file.as_fd(), Mode::from_raw_mode(0o644))
            .at(|| format!("fchmod({shown})"))?;
        if fsync {
            rustix::fs::fdatasync(&file).at(|| format!("fdatasync({shown})"))?;
        }
        rustix::fs::renameat(dir, &temp, dir, path)
            .at(|| format!("renameat({}, {shown})", temp.display()))
    };
    write().inspect_err(|_| {
        // What could not be renamed must not stay behind.
        let _ = rustix::fs::unlinkat(dir, &temp, AtFlags::empty());
    })
}

struct Walked {
    tree: Tree,
    files: Vec<(DirId, Box<str>, ContentId)>,
}

/// Reads all directories. Not recursive: a tree may be nested as deep as it likes.
fn walk(objects: &(impl ReadObjects + ?Sized), root: Root, cancel: &Cancel) -> Result<Walked> {
    let mut metas: HashMap<DirmetaId, Dirmeta> = HashMap::new();
    let mut dir_attributes = |id: DirmetaId| -> Result<Attributes> {
        let meta = match metas.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(objects.load_dirmeta(&id)?),
        };
        Ok(attributes(meta.mode, meta.uid, meta.gid, &meta.xattrs))
    };
    let mut tree = Tree::new(dir_attributes(root.dirmeta)?);
    let mut files = Vec::new();
    let mut open: Vec<(DirId, DirtreeId)> = vec![(Tree::ROOT, root.dirtree)];
    while let Some((dir, listing)) = open.pop() {
        cancel.check()?;
        let listing = objects.load_dirtree(&listing)?;
        if dir == Tree::ROOT {
            for name in ALWAYS {
                let has = |n: &str| n == name;
                if !listing.files.iter().any(|(n, _)| has(n))
                    && !listing.dirs.iter().any(|(n, _, _)| has(n))
                {
                    tree.directory(dir, name.as_bytes(), Attributes::directory(0o755))
                        .map_err(unfit)?;
                }
            }
        }
        files.extend(listing.files.into_iter().map(|(name, id)| (dir, name, id)));
        for (name, sub, meta) in listing.dirs {
            let id = tree
                .directory(dir, name.as_bytes(), dir_attributes(meta)?)
                .map_err(unfit)?;
            open.push((id, sub));
        }
    }
    Ok(Walked { tree, files })
}

/// What an image says of a file.
struct Known {
    header: FileHeader,
    size: u64,
    digest: Option<Digest>,
}

fn know(objects: &(impl ReadObjects + ?Sized), id: ContentId, digests: Digests) -> Result<Known> {
    let content = objects.open_content(&id)?;
    let header = content.header.clone();
    let size = content.size;
    let wanted = digests == Digests::Compute && header.symlink_target.is_none() && size > 0;
    let digest = match wanted {
        true => Some(verity(content).at(|| format!("reading object {id}.file"))?),
        false => None,
    };
    Ok(Known {
        header,
        size,
        digest,
    })
}

fn verity(content: Content) -> std::io::Result<Digest> {
    BUFFER.with_borrow_mut(|buf| {
        if content.size <= WHOLE_FILE_MAX {
            content.read_whole(buf)?;
            return Ok(Verity::digest_of(buf));
        }
        buf.resize(buf.len().max(CHUNK), 0);
        let mut reader = content.into_reader();
        let mut verity = Verity::new();
        loop {
            match reader.read(&mut buf[..CHUNK]) {
                Ok(0) => return Ok(verity.finish()),
                Ok(n) => verity.update(&buf[..n]),
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    })
}

fn attributes(mode: u32, uid: u32, gid: u32, xattrs: &Xattrs) -> Attributes {
    Attributes {
        mode,
        uid,
        gid,
        xattrs: xattrs
            .iter()
            .map(|(name, value)| (name.to_vec(), value.to_vec()))
            .collect(),
    }
}

/// Where the content lies below `objects/`: always with the suffix of a repository that has it as such.
fn payload(checksum: &Checksum) -> String {
    checksum.with_hex(|hex| format!("/{}/{}.file", &hex[..2], &hex[2..]))
}

fn unfit(cause: osier_composefs::Error) -> Error {
    Error::other(format!("Creating composefs image: {cause}"))
}
