//! Where a delta is written: files without a name until all are there; then they appear together.

use crate::error::{Context, Error, Result};
use osier_store::Repo;
use osier_store::static_deltas::DeltaName;
use rustix::fs::{AtFlags, CWD, FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

const DIR: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

/// The files of one delta.
#[derive(Debug)]
pub(super) struct Output {
    /// Where they are written: the folder that is named in `--filename`, or the repository's `tmp`.
    dir: OwnedFd,
    shown: PathBuf,
    /// Name of the superblock where it does not go into the repository.
    filename: Option<OsString>,
    sync: bool,
}

impl Output {
    /// Into a repository, as one of its deltas.
    pub(super) fn in_repo(repo: &Repo) -> Result<Output> {
        repo.remove_stale_deltas()?;
        let dir = rustix::fs::openat(repo.dir(), "tmp", DIR, Mode::empty())
            .at(|| "opendir(tmp)".into())?;
        Ok(Output {
            dir,
            shown: "tmp".into(),
            filename: None,
            sync: repo.config().fsync,
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
            filename: Some(superblock.to_owned()),
            sync,
        })
    }

    /// A new file, without a name where the file system can do that: of a killed run nothing stays.
    pub(super) fn create(&self) -> Result<NewFile<'_>> {
        let at = || format!("creating a file in {}", self.shown.display());
        let private = Mode::from_raw_mode(0o600);
        let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
        let (fd, name) = match rustix::fs::openat(&self.dir, ".", flags, private) {
            Ok(fd) => (fd, None),
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => {
                let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
                loop {
                    let name = temporary_name();
                    match rustix::fs::openat(&self.dir, &name, flags, private) {
                        Ok(fd) => {
                            // Says that it is in use. Without locks nobody takes it for stale too early.
                            let lock = FlockOperation::NonBlockingLockExclusive;
                            let _ = rustix::fs::flock(&fd, lock);
                            break (fd, Some(name));
                        }
                        // Left by another run.
                        Err(Errno::EXIST) => {}
                        Err(e) => return Err(e).at(at),
                    }
                }
            }
            Err(e) => return Err(e).at(at),
        };
        Ok(NewFile {
            output: self,
            file: fd.into(),
            name,
        })
    }

    /// Publishes the parts that are files, each with its number, and the superblock: from here on there is a delta.
    pub(super) fn publish(
        &self,
        repo: &Repo,
        name: &DeltaName,
        parts: Vec<(usize, NewFile<'_>)>,
        superblock: &[u8],
    ) -> Result<()> {
        let last = self.create()?;
        (&last.file)
            .write_all(superblock)
            .at(|| format!("writing the superblock of {name}"))?;
        if let Some(filename) = &self.filename {
            for (number, part) in parts {
                part.publish(self.dir.as_fd(), OsStr::new(&number.to_string()))?;
            }
            last.publish(self.dir.as_fd(), filename)?;
            if self.sync {
                rustix::fs::fsync(&self.dir).at(|| format!("fsync of {}", self.shown.display()))?;
            }
            return Ok(());
        }
        let staging = repo.stage_delta()?;
        for (number, part) in parts {
            part.publish(staging.dir(), OsStr::new(&number.to_string()))?;
        }
        last.publish(staging.dir(), OsStr::new("superblock"))?;
        Ok(staging.publish(name)?)
    }
}

/// A name that nobody else in this process gives.
fn temporary_name() -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let n = COUNTER.fetch_add(1, Ordering::Relaxed);
    format!("delta-part-{:x}-{n:x}", std::process::id())
}

/// A file being written. It is gone again unless it is published.
#[derive(Debug)]
pub(super) struct NewFile<'o> {
    output: &'o Output,
    pub(super) file: File,
    /// Where it has had to have one from the start.
    name: Option<String>,
}

impl NewFile<'_> {
    /// Gives it its name in a folder of the same file system, in place of what had it.
    fn publish(mut self, dir: BorrowedFd<'_>, name: &OsStr) -> Result<()> {
        let finish = || -> rustix::io::Result<()> {
            rustix::fs::fchmod(&self.file, Mode::from_raw_mode(0o644))?;
            if self.output.sync {
                rustix::fs::fdatasync(&self.file)?;
            }
            if let Some(temporary) = &self.name {
                return rustix::fs::renameat(&self.output.dir, temporary, dir, name);
            }
            let own = format!("/proc/self/fd/{}", self.file.as_raw_fd());
            let link = |to: &OsStr| rustix::fs::linkat(CWD, &own, dir, to, AtFlags::SYMLINK_FOLLOW);
            match link(name) {
                // A link never replaces, a rename does.
                Err(Errno::EXIST) => {}
                other => return other,
            }
            let temporary = temporary_name();
            link(OsStr::new(&temporary))?;
            rustix::fs::renameat(dir, &temporary, dir, name).inspect_err(|_| {
                let _ = rustix::fs::unlinkat(dir, &temporary, AtFlags::empty());
            })
        };
        finish().at(|| format!("writing {} of a delta", name.display()))?;
        self.name = None;
        Ok(())
    }
}

impl Drop for NewFile<'_> {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            let _ = rustix::fs::unlinkat(&self.output.dir, name, AtFlags::empty());
        }
    }
}
