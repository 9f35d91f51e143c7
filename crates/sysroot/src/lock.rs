//! The sysroot's lock: `ostree/lock`, one writer at a time, shared with the C tool.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use osier_sys::lock::{LockFile, LockKind};

use crate::dir::{Beneath, Dir};
use crate::error::{IoAction, Result};
use crate::notice::{Notice, Sink};

const DIR: &str = "ostree";
const FILE: &str = "lock";
const RETRY_EVERY: Duration = Duration::from_millis(100);
const REMIND_EVERY: Duration = Duration::from_secs(3);

/// Held while a sysroot is changed. The file is removed on release, as the C tool does.
#[derive(Debug)]
pub(crate) struct SysrootLock {
    dir: Dir,
    _file: LockFile,
}

impl SysrootLock {
    /// Waits until the lock is free, saying so at once and every three seconds.
    pub(crate) fn acquire(sysroot: &Dir, notices: &dyn Sink) -> Result<SysrootLock> {
        let dir = sysroot.open(Beneath::Sysroot, DIR)?;
        let mut reminded: Option<Instant> = None;
        loop {
            if let Some(file) = try_lock(&dir)? {
                return Ok(SysrootLock { dir, _file: file });
            }
            if reminded.is_none_or(|at| at.elapsed() >= REMIND_EVERY) {
                notices.notice(&Notice::WaitingForLock);
                reminded = Some(Instant::now());
            }
            std::thread::sleep(RETRY_EVERY);
        }
    }
}

fn try_lock(dir: &Dir) -> Result<Option<LockFile>> {
    let action = || format!("locking {}/{FILE}", dir.path());
    let file = LockFile::open_at(dir.as_fd(), FILE, 0o600).action(action)?;
    if !file.try_lock(LockKind::Exclusive).action(action)? {
        return Ok(None);
    }
    // The last holder removes the file: what we locked may no longer be what others open.
    let ours = rustix::fs::fstat(file.as_fd()).action(action)?;
    let current = dir.stat_entry(FILE.as_bytes())?;
    let same = current.is_some_and(|c| (c.st_dev, c.st_ino) == (ours.st_dev, ours.st_ino));
    Ok(same.then_some(file))
}

impl Drop for SysrootLock {
    fn drop(&mut self) {
        // Still locked here, so nobody else holds this file; failing leaves a file that is reused.
        let _ = self.dir.remove_file(FILE);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn excludes_and_goes_away() {
        let tmp = tempfile::tempdir().unwrap();
        std::fs::create_dir(tmp.path().join("ostree")).unwrap();
        let root = Dir::open_path(tmp.path()).unwrap();
        let first = SysrootLock::acquire(&root, &|_: &Notice| {}).unwrap();
        let (waiting, is_waiting) = channel();
        let waiting = Mutex::new(waiting);
        std::thread::scope(|scope| {
            let second = scope.spawn(|| {
                let lock = SysrootLock::acquire(&root, &move |notice: &Notice| {
                    let _ = waiting.lock().unwrap().send(notice.clone());
                });
                lock.unwrap();
            });
            assert_eq!(is_waiting.recv().unwrap(), Notice::WaitingForLock);
            drop(first);
            second.join().unwrap();
        });
        assert!(!tmp.path().join("ostree/lock").exists());
    }
}
