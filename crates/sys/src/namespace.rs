//! A mount namespace of one's own.

use std::io;

/// Gives the calling thread, and threads and processes it starts later, a private copy of all mounts: remounting
/// something there changes nothing for others.
///
/// # Errors
/// Without the right to (`EPERM`).
pub fn unshare_mounts() -> io::Result<()> {
    // SAFETY: CLONE_NEWNS detaches the mount table and the current directory of this thread; no memory, descriptor
    // or lock is involved, so nothing that other threads rely on changes.
    let r = unsafe { libc::unshare(libc::CLONE_NEWNS) };
    if r == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
