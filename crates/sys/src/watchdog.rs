//! Freezing a file system and thawing it again, whatever happens to us in between.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

use crate::freeze::{freeze, thaw};

/// Freezes the file system `fd` is on and thaws it at once. All that was written before is then in its final
/// place, with nothing left in a journal.
///
/// A second process watches: if this one is killed in between, or stays away longer than `limit`, it thaws.
/// Signals wait until the end.
///
/// # Errors
/// Where the file system cannot be frozen, or we may not; nothing has happened then.
pub fn freeze_and_thaw(fd: BorrowedFd<'_>, limit: Duration) -> io::Result<()> {
    let _blocked = BlockedSignals::new()?;
    let watchdog = Watchdog::start(fd, limit, false)?;
    let frozen = freeze(fd);
    if frozen.is_err() {
        watchdog.dismiss();
        return frozen;
    }
    match thaw(fd) {
        // Somebody else thawed it: fine.
        Err(error) if error.raw_os_error() != Some(libc::EINVAL) => {
            watchdog.abandon();
            Err(error)
        }
        _ => {
            watchdog.dismiss();
            Ok(())
        }
    }
}

/// Starts the watchdog, leaves it alone as if this process had died, and waits until it has acted, which it says on
/// standard error. For tests of the whole chain; nothing is frozen.
///
/// # Errors
/// When there can be no second process.
pub fn let_watchdog_act(fd: BorrowedFd<'_>, limit: Duration) -> io::Result<()> {
    let _blocked = BlockedSignals::new()?;
    Watchdog::start(fd, limit, true)?.abandon();
    Ok(())
}

struct Watchdog {
    child: libc::pid_t,
    /// One byte means "all is well"; closing without it means "thaw".
    pipe: OwnedFd,
}

impl Watchdog {
    fn start(fd: BorrowedFd<'_>, limit: Duration, announce: bool) -> io::Result<Watchdog> {
        let (reader, writer) = io::pipe()?;
        let limit = libc::c_int::try_from(limit.as_millis()).unwrap_or(libc::c_int::MAX);
        // SAFETY: the child runs only `watch`, which uses nothing but async-signal-safe calls on integers copied
        // before the fork, touches no lock and no heap, and never returns.
        match unsafe { libc::fork() } {
            -1 => Err(io::Error::last_os_error()),
            0 => watch(
                fd.as_raw_fd(),
                reader.as_raw_fd(),
                writer.as_raw_fd(),
                limit,
                announce,
            ),
            child => Ok(Watchdog {
                child,
                pipe: writer.into(),
            }),
        }
    }

    fn dismiss(self) {
        // A watchdog that is gone already has nothing to be told.
        let _ = rustix::io::write(&self.pipe, b"k");
        self.wait();
    }

    fn abandon(self) {
        self.wait();
    }

    fn wait(self) {
        drop(self.pipe);
        let mut status = 0;
        loop {
            // SAFETY: `child` is our own child, not waited for anywhere else, and `status` outlives the call.
            let r = unsafe { libc::waitpid(self.child, &mut status, 0) };
            if r >= 0 || io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
                return;
            }
        }
    }
}

/// The child: waits for the byte, thaws without it.
fn watch(target: RawFd, reader: RawFd, writer: RawFd, limit: libc::c_int, announce: bool) -> ! {
    // From linux/fs.h, see `freeze`.
    const FITHAW: libc::c_ulong = 0xC004_5878;
    let mut poll = libc::pollfd {
        fd: reader,
        events: libc::POLLIN,
        revents: 0,
    };
    let mut byte = 0u8;
    // SAFETY: close, poll, read, ioctl, write and _exit are async-signal-safe; the descriptors are the child's own copies,
    // `poll` and `byte` live on its stack longer than the calls, and FITHAW takes no argument.
    unsafe {
        libc::close(writer);
        let well = libc::poll(&mut poll, 1, limit) > 0
            && libc::read(reader, (&raw mut byte).cast(), 1) == 1;
        if !well {
            libc::ioctl(target, FITHAW as _, 0);
            if announce {
                const TEXT: &[u8] = b"fifreeze watchdog was run\n";
                libc::write(2, TEXT.as_ptr().cast(), TEXT.len());
            }
        }
        libc::_exit(0)
    }
}

/// All signals blocked in this thread until dropped. A child made meanwhile has them blocked for good, so that
/// Ctrl-C does not take the watchdog along.
struct BlockedSignals {
    old: libc::sigset_t,
}

impl BlockedSignals {
    fn new() -> io::Result<BlockedSignals> {
        // SAFETY: `sigset_t` is plain data for which zero bytes are valid; both sets outlive the calls.
        unsafe {
            let mut all: libc::sigset_t = std::mem::zeroed();
            let mut old: libc::sigset_t = std::mem::zeroed();
            libc::sigfillset(&mut all);
            match libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut old) {
                0 => Ok(BlockedSignals { old }),
                error => Err(io::Error::from_raw_os_error(error)),
            }
        }
    }
}

impl Drop for BlockedSignals {
    fn drop(&mut self) {
        // SAFETY: `old` was filled in by pthread_sigmask; a null pointer asks for no old value.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &self.old, std::ptr::null_mut());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    #[test]
    fn a_file_system_that_cannot_be_frozen_is_left_alone() {
        // The proc file system knows no freezing, for root as for anybody.
        let proc = std::fs::File::open("/proc").unwrap();
        let error = freeze_and_thaw(proc.as_fd(), Duration::from_secs(5)).unwrap_err();
        let known = [libc::EOPNOTSUPP, libc::EPERM, libc::ENOTTY];
        assert!(known.contains(&error.raw_os_error().unwrap()), "{error}");
    }

    #[test]
    fn the_watchdog_goes_when_dismissed_or_abandoned() {
        let proc = std::fs::File::open("/proc").unwrap();
        Watchdog::start(proc.as_fd(), Duration::from_secs(60), false)
            .unwrap()
            .dismiss();
        Watchdog::start(proc.as_fd(), Duration::from_secs(60), false)
            .unwrap()
            .abandon();
        Watchdog::start(proc.as_fd(), Duration::ZERO, false)
            .unwrap()
            .dismiss();
    }
}
