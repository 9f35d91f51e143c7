//! Going on in the background, as a daemon does.

use std::io;

/// Which of the two processes this is, after [`split`].
#[derive(Debug, PartialEq, Eq)]
pub enum Side {
    /// The one that was started: it should report and exit, without running destructors of what the other now owns.
    Front,
    /// The new one, in a session of its own, without a terminal.
    Back,
}

/// Makes a second process that goes on with everything this one has open.
///
/// # Errors
/// When the kernel makes no process, when `/proc` is missing, or when this process already has several threads: the new
/// one would have only the calling thread, with whatever locks the others held.
pub fn split() -> io::Result<Side> {
    if std::fs::read_dir("/proc/self/task")?.count() > 1 {
        return Err(io::Error::other(
            "going to the background after threads were started",
        ));
    }
    // SAFETY: there is one thread (checked above, and nobody else could start another meanwhile), so the child's copy of
    // memory is consistent and no lock is held by a thread it lacks.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            // Cannot fail: a new process leads no process group.
            let _ = rustix::process::setsid();
            Ok(Side::Back)
        }
        _ => Ok(Side::Front),
    }
}
