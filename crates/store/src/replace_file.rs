//! Replacing a small file as a whole, so that readers see the old or the new text.

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes `bytes` to a file without a name, syncs when asked, and puts it in place of `path` (relative to `dir`).
pub(crate) fn replace(
    dir: BorrowedFd<'_>,
    path: &str,
    bytes: &[u8],
    mode: u32,
    sync: bool,
) -> io::Result<()> {
    let (parent, _) = path.rsplit_once('/').unwrap_or((".", path));
    let tmp = format!("{parent}/{}", temp_name(".tmp"));
    let unnamed = OFlags::WRONLY | OFlags::TMPFILE | OFlags::CLOEXEC;
    let named = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let private = Mode::from_raw_mode(0o600);
    let (fd, has_name) = match rustix::fs::openat(dir, parent, unnamed, private) {
        Ok(fd) => (fd, false),
        // Not every file system has files without a name.
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => {
            (rustix::fs::openat(dir, &tmp, named, private)?, true)
        }
        Err(e) => return Err(e.into()),
    };
    let write = || -> io::Result<()> {
        let mut file = std::fs::File::from(fd);
        file.write_all(bytes)?;
        rustix::fs::fchmod(file.as_fd(), Mode::from_raw_mode(mode))?;
        if sync {
            rustix::fs::fdatasync(&file)?;
        }
        if !has_name {
            let own = format!("/proc/self/fd/{}", file.as_raw_fd());
            let link = |to: &str| {
                rustix::fs::linkat(rustix::fs::CWD, &own, dir, to, AtFlags::SYMLINK_FOLLOW)
            };
            match link(path) {
                Ok(()) => return Ok(()),
                // A link never replaces, a rename does.
                Err(Errno::EXIST) => link(&tmp)?,
                Err(e) => return Err(e.into()),
            }
        }
        Ok(rustix::fs::renameat(dir, &tmp, dir, path)?)
    };
    write().inspect_err(|_| {
        let _ = rustix::fs::unlinkat(dir, &tmp, AtFlags::empty());
    })
}

/// A file name nobody else uses at the same time.
pub(crate) fn temp_name(prefix: &str) -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let clock = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    format!(
        "{prefix}-{:x}-{:x}-{:x}",
        std::process::id(),
        clock.as_nanos() as u64,
        COUNTER.fetch_add(1, Ordering::Relaxed)
    )
}
