//! Replacing a small file as a whole, so that readers see the old or the new text.

use rustix::fs::{Mode, OFlags};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes `bytes` beside `path` (relative to `dir`), syncs when asked, and renames over it.
pub(crate) fn replace(
    dir: BorrowedFd<'_>,
    path: &str,
    bytes: &[u8],
    mode: u32,
    sync: bool,
) -> io::Result<()> {
    let (parent, _) = path.rsplit_once('/').unwrap_or((".", path));
    let tmp = format!("{parent}/{}", temp_name(".tmp"));
    let fd = rustix::fs::openat(
        dir,
        &tmp,
        OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC,
        Mode::from_raw_mode(0o600),
    )?;
    let write = || -> io::Result<()> {
        let mut file = std::fs::File::from(fd);
        file.write_all(bytes)?;
        rustix::fs::fchmod(file.as_fd(), Mode::from_raw_mode(mode))?;
        if sync {
            rustix::fs::fdatasync(&file)?;
        }
        Ok(rustix::fs::renameat(dir, &tmp, dir, path)?)
    };
    write().inspect_err(|_| {
        let _ = rustix::fs::unlinkat(dir, &tmp, rustix::fs::AtFlags::empty());
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
