//! Where a delta is written: files appear whole, the superblock last.

use crate::error::{Context, Error, Result};
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

const DIR: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

/// The folder of one delta.
#[derive(Debug)]
pub(super) struct Output {
    dir: OwnedFd,
    shown: PathBuf,
    superblock: OsString,
    sync: bool,
}

impl Output {
    /// In a repository, under the delta's own path.
    pub(super) fn in_repo(repo: BorrowedFd<'_>, path: &str, sync: bool) -> Result<Output> {
        let mut made = String::new();
        for name in path.split('/') {
            made = if made.is_empty() {
                name.into()
            } else {
                format!("{made}/{name}")
            };
            match rustix::fs::mkdirat(repo, &made, Mode::from_raw_mode(0o777)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(e) => return Err(e).at(|| format!("mkdirat({made})")),
            }
        }
        let dir = rustix::fs::openat(repo, path, DIR | OFlags::NOFOLLOW, Mode::empty())
            .at(|| format!("opendir({path})"))?;
        Ok(Output {
            dir,
            shown: path.into(),
            superblock: "superblock".into(),
            sync,
        })
    }

    /// As a file anywhere, with its parts beside it.
    pub(super) fn as_file(path: &Path, sync: bool) -> Result<Output> {
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let superblock = path
            .file_name()
            .ok_or_else(|| Error::refused(format!("{} names no file", path.display())))?;
        let dir = rustix::fs::open(parent, DIR, Mode::empty())
            .at(|| format!("opendir({})", parent.display()))?;
        Ok(Output {
            dir,
            shown: parent.to_owned(),
            superblock: superblock.to_owned(),
            sync,
        })
    }

    /// A new file that has no final name yet.
    pub(super) fn create(&self) -> Result<NewFile<'_>> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        loop {
            let n = COUNTER.fetch_add(1, Ordering::Relaxed);
            let name = format!(".tmp-{:x}-{n:x}", std::process::id());
            match rustix::fs::openat(&self.dir, &name, flags, Mode::from_raw_mode(0o600)) {
                Ok(fd) => {
                    return Ok(NewFile {
                        output: self,
                        file: fd.into(),
                        name: Some(name),
                    });
                }
                // Left by another run.
                Err(Errno::EXIST) => {}
                Err(e) => {
                    return Err(e).at(|| format!("creating a file in {}", self.shown.display()));
                }
            }
        }
    }

    /// Publishes the superblock: from here on there is a delta.
    pub(super) fn publish_superblock(&self, bytes: &[u8]) -> Result<()> {
        let new = self.create()?;
        std::io::Write::write_all(&mut &new.file, bytes)
            .at(|| format!("writing {}", self.shown.join(&self.superblock).display()))?;
        new.publish(&self.superblock)?;
        if self.sync {
            rustix::fs::fsync(&self.dir).at(|| format!("fsync of {}", self.shown.display()))?;
        }
        Ok(())
    }
}

/// A file being written. It is gone again unless it is published.
#[derive(Debug)]
pub(super) struct NewFile<'o> {
    output: &'o Output,
    pub(super) file: File,
    name: Option<String>,
}

impl NewFile<'_> {
    /// Gives it its name, in place of what had it.
    pub(super) fn publish(mut self, name: &OsStr) -> Result<()> {
        let Some(temporary) = self.name.take() else {
            return Ok(());
        };
        let shown = || self.output.shown.join(name);
        let dir = self.output.dir.as_fd();
        let finish = || -> rustix::io::Result<()> {
            rustix::fs::fchmod(&self.file, Mode::from_raw_mode(0o644))?;
            if self.output.sync {
                rustix::fs::fdatasync(&self.file)?;
            }
            rustix::fs::renameat(dir, &temporary, dir, name)
        };
        finish()
            .inspect_err(|_| {
                let _ = rustix::fs::unlinkat(dir, &temporary, AtFlags::empty());
            })
            .at(|| format!("renameat({})", shown().display()))
    }
}

impl Drop for NewFile<'_> {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            let _ = rustix::fs::unlinkat(&self.output.dir, name, AtFlags::empty());
        }
    }
}
