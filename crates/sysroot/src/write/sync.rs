//! Making what was written survive a power cut, before and after the boot entries change.

use std::os::fd::AsFd;

use rustix::io::Errno;

use crate::dir::{Beneath, Dir};
use crate::error::{Context, Error, IoAction, Result};
use crate::sysroot::Sysroot;

/// How long a frozen `/boot` waits for us before the watchdog thaws it.
const FREEZE_LIMIT: std::time::Duration = std::time::Duration::from_secs(30);

/// Writes back the file system with deployments, then `/boot`.
pub(super) fn sync_all(sysroot: &Sysroot) -> Result<()> {
    let root = &sysroot.root;
    let fsync = sysroot.repo.config().fsync;
    if fsync {
        root.open(Beneath::Sysroot, "ostree/repo")?
            .sync_file_system()?;
    }
    sync_boot(sysroot)
}

/// Freezes and thaws `/boot`, which also empties its journal: boot loaders read the file system
/// without replaying it. Where freezing is not possible, an ordinary sync has to do.
pub(super) fn sync_boot(sysroot: &Sysroot) -> Result<()> {
    let boot = sysroot.root.open(Beneath::Sysroot, "boot")?;
    if sysroot.options.test_freeze {
        osier_sys::watchdog::let_watchdog_act(boot.as_fd(), FREEZE_LIMIT)
            .action(|| "starting the watchdog".to_owned())?;
        return Err(Error::invalid("aborting due to test-fifreeze"))
            .context("During fsfreeze-thaw");
    }
    match osier_sys::watchdog::freeze_and_thaw(boot.as_fd(), FREEZE_LIMIT) {
        Ok(()) => Ok(()),
        Err(error) => match Errno::from_io_error(&error) {
            Some(Errno::OPNOTSUPP | Errno::NOSYS | Errno::PERM | Errno::BUSY | Errno::NOTTY) => {
                boot.sync_file_system()
            }
            _ => Err::<(), std::io::Error>(error).action(|| "freezing boot".to_owned()),
        },
    }
}

/// Makes the renames in one folder durable.
pub(super) fn sync_dir(dir: &Dir) -> Result<()> {
    rustix::fs::fsync(dir).action(|| format!("fsync({})", dir.path()))
}
