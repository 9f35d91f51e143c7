//! Payload links: files that differ in owner, mode or attributes only share their blocks, where the file system can.
//!
//! `objects/XX/REST.payload-link`, named by the SHA-256 of the bytes alone, is a symbolic link to the first object with
//! those bytes. A later one takes its blocks from there.

use super::Transaction;
use super::new_file::NewFile;
use crate::error::{IoContext, Result};
use crate::mode::RepoMode;
use osier_object::{Checksum, ObjectName, ObjectType};
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use sha2::{Digest, Sha256};
use std::io::{self, Write};
use std::os::fd::BorrowedFd;

/// What is known of a new file's bytes when they are written.
#[derive(Debug)]
pub(super) struct Payload {
    checksum: Checksum,
    /// Blocks of an older object were taken.
    pub(super) shared: bool,
}

/// Passes bytes on and hashes them, where that is wanted.
pub(super) struct Hashing<W> {
    inner: W,
    hasher: Option<Sha256>,
}

impl<W: Write> Hashing<W> {
    pub(super) fn new(inner: W, wanted: bool) -> Self {
        Hashing {
            inner,
            hasher: wanted.then(Sha256::new),
        }
    }

    pub(super) fn checksum(self) -> Option<Checksum> {
        self.hasher
            .map(|hasher| Checksum::from(<[u8; 32]>::from(hasher.finalize())))
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&bytes[..written]);
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl Transaction<'_> {
    /// Whether bytes of this length get a payload link. Only what is new here does; objects of other repositories
    /// come as they are. The reference tool makes none in bare-user-only repositories.
    pub(super) fn links_payload(&self, size: u64, is_new: bool) -> bool {
        let threshold = self.repo.config().payload_link_threshold;
        is_new
            && matches!(self.repo.mode(), RepoMode::Bare | RepoMode::BareUser)
            && threshold.is_some_and(|threshold| size >= threshold)
            && self.clones()
    }

    /// Whether the file system shares blocks: asked once.
    fn clones(&self) -> bool {
        *self.clones.get_or_init(|| {
            let (Ok(from), Ok(to)) = (self.new_file("a probe"), self.new_file("a probe")) else {
                return false;
            };
            let path = format!(
                "/proc/self/fd/{}",
                std::os::fd::AsRawFd::as_raw_fd(&from.file)
            );
            let Ok(from) = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            else {
                return false;
            };
            rustix::fs::ioctl_ficlone(&to.file, from).is_ok()
        })
    }

    /// Gives a written file the blocks of an older one with the same bytes, if there is one.
    pub(super) fn share_payload(&self, tmp: &NewFile<'_>, checksum: Checksum) -> Result<Payload> {
        let path = link_path(checksum);
        for dir in crate::read::ReadObjects::object_dirs(self) {
            let target = match rustix::fs::readlinkat(dir, &path, Vec::new()) {
                Ok(target) => target,
                Err(Errno::NOENT | Errno::INVAL) => continue,
                Err(e) => return Err(e).at(|| format!("readlinkat of object {path}")),
            };
            match open_target(dir, target.to_bytes()) {
                Some(file) => {
                    // A link to an object that was damaged since must not damage ours.
                    if hash(&file).is_ok_and(|found| found == checksum)
                        && rustix::fs::ioctl_ficlone(&tmp.file, &file).is_ok()
                    {
                        return Ok(Payload {
                            checksum,
                            shared: true,
                        });
                    }
                }
                // What it led to was pruned.
                None => match rustix::fs::unlinkat(dir, &path, AtFlags::empty()) {
                    Ok(()) | Err(Errno::NOENT) => {}
                    Err(e) => return Err(e).at(|| format!("unlinkat of object {path}")),
                },
            }
        }
        Ok(Payload {
            checksum,
            shared: false,
        })
    }

    /// Makes the first object with its bytes known by them.
    pub(super) fn link_payload(&self, payload: &Payload, object: &str) -> Result<()> {
        if payload.shared {
            return Ok(());
        }
        let path = link_path(payload.checksum);
        self.make_prefix(&path)?;
        match rustix::fs::symlinkat(format!("../{object}"), self.target_dir(), &path) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(e) => Err(e).at(|| format!("symlinkat of object {path}")),
        }
    }
}

fn hash(mut file: &std::fs::File) -> io::Result<Checksum> {
    let mut hashing = Hashing::new(io::sink(), true);
    io::copy(&mut file, &mut hashing)?;
    hashing
        .checksum()
        .ok_or_else(|| io::ErrorKind::Other.into())
}

fn link_path(checksum: Checksum) -> String {
    ObjectName {
        checksum,
        ty: ObjectType::PayloadLink,
    }
    .loose_path(false)
}

/// The object that a link names: `../XX/REST.file` and nothing else, so that a link cannot lead out.
fn open_target(objects: BorrowedFd<'_>, target: &[u8]) -> Option<std::fs::File> {
    let path = std::str::from_utf8(target).ok()?.strip_prefix("../")?;
    let (prefix, rest) = path.split_once('/')?;
    let stem = rest.strip_suffix(".file")?;
    format!("{prefix}{stem}").parse::<Checksum>().ok()?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(objects, path, flags, Mode::empty()).ok()?;
    Some(fd.into())
}
