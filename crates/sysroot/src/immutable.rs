//! The immutable flag on deployment roots: a reminder that nothing belongs there.

use rustix::fs::IFlags;
use rustix::io::Errno;

use crate::dir::Dir;
use crate::error::{IoAction, Result};

/// Sets or clears the flag. Ordinary users may not, and some file systems have none: both are fine,
/// the flag protects from accidents only.
pub(crate) fn set(dir: &Dir, immutable: bool) -> Result<()> {
    let action = || format!("setting the immutable flag of {}", dir.path());
    let ignored = |error| {
        matches!(
            error,
            Errno::PERM
                | Errno::ACCESS
                | Errno::OPNOTSUPP
                | Errno::NOTTY
                | Errno::NOSYS
                | Errno::INVAL
        )
    };
    let flags = match rustix::fs::ioctl_getflags(dir) {
        Ok(flags) => flags,
        Err(error) if ignored(error) => return Ok(()),
        Err(error) => return Err(error).action(action),
    };
    if flags.contains(IFlags::IMMUTABLE) == immutable {
        return Ok(());
    }
    match rustix::fs::ioctl_setflags(dir, flags ^ IFlags::IMMUTABLE) {
        Err(error) if !ignored(error) => Err(error).action(action),
        _ => Ok(()),
    }
}
