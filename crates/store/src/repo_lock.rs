//! The repository lock, `.lock`: shared for adding, exclusive for deleting.

use crate::error::{Error, IoContext, Result};
use crate::repo::Repo;
use osier_sys::lock::{LockFile, LockKind};
use std::time::{Duration, Instant};

/// A held lock; dropping it releases it.
#[derive(Debug)]
pub struct RepoLock {
    _file: Option<LockFile>,
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
        let timeout = u64::try_from(self.config().lock_timeout_secs)
            .ok()
            .map(Duration::from_secs);
        let start = Instant::now();
        // Short waits first: most holders are done in milliseconds.
        let mut pause = Duration::from_millis(5);
        loop {
            if file
                .try_lock(kind)
                .at(|| format!("locking {}/.lock", self.path().display()))?
            {
                return Ok(RepoLock { _file: Some(file) });
            }
            if timeout.is_some_and(|t| start.elapsed() >= t) {
                let kind = match kind {
                    LockKind::Shared => "shared",
                    LockKind::Exclusive => "exclusive",
                };
                return Err(Error::Locked {
                    kind,
                    source: rustix::io::Errno::AGAIN.into(),
                });
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(250));
        }
    }
}
