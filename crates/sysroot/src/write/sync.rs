//! Making what was written survive a power cut, before and after the boot entries change.

use std::os::fd::AsFd;

use rustix::io::Errno;

use crate::dir::{Beneath, Dir};
use crate::error::{IoAction, Result};

/// How long a frozen `/boot` waits for us before the watchdog thaws it.
const FREEZE_LIMIT: std::time::Duration = std::time::Duration::from_secs(30);

/// Writes back the file system with deployments, then `/boot`.
pub(super) fn sync_all(root: &Dir, fsync: bool) -> Result<()> {
    if fsync {
        root.open(Beneath::Sysroot, "ostree/repo")?
            .sync_file_system()?;
    }
    sync_boot(root)
}

/// Freezes and thaws `/boot`, which also empties its journal: boot loaders read the file system
/// without replaying it. Where freezing is not possible, an ordinary sync has to do.
pub(super) fn sync_boot(root: &Dir) -> Result<()> {
    let boot = root.open(Beneath::Sysroot, "boot")?;
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
