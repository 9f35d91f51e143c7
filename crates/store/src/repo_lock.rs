//! The repository lock, `.lock`: shared for adding, exclusive for deleting. And one of our own for moving refs.

use crate::error::{Error, IoContext, Result};
use crate::repo::Repo;
use osier_sys::lock::{LockFile, LockKind};
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// A held lock; dropping it releases it.
#[derive(Debug)]
pub struct RepoLock {
    _file: Option<LockFile>,
}

/// Held while a ref is looked at and moved; dropping it releases it.
#[derive(Debug)]
pub(crate) struct RefsLock {
    _dir: Option<OwnedFd>,
}

impl Repo {
    /// Takes the lock that adding objects needs. Any number of holders.
    ///
    /// # Errors
    /// [`Error::Locked`] when somebody deletes objects for longer than `core.lock-timeout-secs`.
    pub fn lock_shared(&self) -> Result<RepoLock> {
        self.lock(LockKind::Shared)
    }

    /// Takes the lock that deleting objects needs. A single holder.
    ///
    /// # Errors
    /// [`Error::Locked`] when somebody else works in the repository for longer than `core.lock-timeout-secs`.
    pub fn lock_exclusive(&self) -> Result<RepoLock> {
        self.lock(LockKind::Exclusive)
    }

    fn lock(&self, kind: LockKind) -> Result<RepoLock> {
        if !self.config().locking || !self.is_writable() {
            return Ok(RepoLock { _file: None });
        }
        let file = LockFile::open_at(self.dir(), ".lock", 0o660)
            .at(|| format!("opening {}/.lock", self.path().display()))?;
        let name = match kind {
            LockKind::Shared => "shared",
            LockKind::Exclusive => "exclusive",
        };
        self.wait_for(name, || {
            file.try_lock(kind)
                .at(|| format!("locking {}/.lock", self.path().display()))
        })?;
        Ok(RepoLock { _file: Some(file) })
    }

    /// Waits until no other of our programs is between looking at a ref and moving it. The reference tool knows no such
    /// lock: two of its commits to one branch at the same moment lose one of them.
    pub(crate) fn lock_refs(&self) -> Result<RefsLock> {
        if !self.config().locking {
            return Ok(RefsLock { _dir: None });
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rustix::fs::openat(self.dir(), "refs", flags, Mode::empty())
            .at(|| "opendir(refs)".into())?;
        let mut able = true;
        self.wait_for("exclusive", || {
            match rustix::fs::flock(&dir, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => Ok(true),
                Err(Errno::WOULDBLOCK | Errno::INTR) => Ok(false),
                // A file system without such locks on folders.
                Err(Errno::BADF | Errno::OPNOTSUPP | Errno::NOSYS | Errno::NOLCK) => {
                    able = false;
                    Ok(true)
                }
                Err(e) => Err(e).at(|| "locking refs".into()),
            }
        })?;
        Ok(RefsLock {
            _dir: able.then_some(dir),
        })
    }

    /// Tries until it works or `core.lock-timeout-secs` are over.
    fn wait_for(
        &self,
        kind: &'static str,
        mut attempt: impl FnMut() -> Result<bool>,
    ) -> Result<()> {
        let timeout = u64::try_from(self.config().lock_timeout_secs)
            .ok()
            .map(Duration::from_secs);
        let start = Instant::now();
        // Short waits: among many writers the lock is free for moments only, and whoever looks rarely never finds it so.
        let mut pause = Duration::from_millis(1);
        while !attempt()? {
            if timeout.is_some_and(|t| start.elapsed() >= t) {
                return Err(Error::Locked {
                    kind,
                    source: Errno::AGAIN.into(),
                });
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        }
        Ok(())
    }
}
