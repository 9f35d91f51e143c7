//! The running system keeps `/sysroot` and perhaps `/boot` mounted read-only. Whoever changes the sysroot gets them
//! writable, in a mount namespace of his own.

use std::path::Path;

use rustix::fs::StatVfsMountFlags as Is;
use rustix::mount::MountFlags;

use crate::booted;
use crate::dir::Dir;
use crate::error::{Context, IoAction, Result};
use crate::options::Options;

const MOUNTS: [&str; 2] = ["/sysroot", "/boot"];

/// Makes the mounts of the running system writable for this process, if `path` is the running system. Handles that
/// were opened before stay as they were.
pub(crate) fn ensure(path: &Path, options: &Options) -> Result<()> {
    if !rustix::process::geteuid().is_root()
        || !booted::is_running_system(&Dir::open_path(path)?, options)?
    {
        return Ok(());
    }
    let is_read_only =
        |path: &str| rustix::fs::statvfs(path).is_ok_and(|stat| stat.f_flag.contains(Is::RDONLY));
    if !MOUNTS.into_iter().any(is_read_only) {
        return Ok(());
    }
    osier_sys::namespace::unshare_mounts()
        .action(|| "unshare(CLONE_NEWNS)".to_owned())
        .context("Setting up a mount namespace")?;
    for path in MOUNTS.into_iter().filter(|path| is_read_only(path)) {
        // First the mount alone; only if the file system itself is read-only, that.
        remount(path, MountFlags::BIND | kept_flags(path)?)?;
        if is_read_only(path) {
            remount(path, MountFlags::empty())?;
        }
    }
    Ok(())
}

fn remount(path: &str, flags: MountFlags) -> Result<()> {
    rustix::mount::mount_remount(path, flags, c"").action(|| format!("remounting {path} writable"))
}

/// What a remount would drop if it were not repeated.
fn kept_flags(path: &str) -> Result<MountFlags> {
    let stat = rustix::fs::statvfs(path).action(|| format!("statvfs({path})"))?;
    let pairs = [
        (Is::NOSUID, MountFlags::NOSUID),
        (Is::NODEV, MountFlags::NODEV),
        (Is::NOEXEC, MountFlags::NOEXEC),
        (Is::NOATIME, MountFlags::NOATIME),
        (Is::NODIRATIME, MountFlags::NODIRATIME),
        (Is::RELATIME, MountFlags::RELATIME),
    ];
    Ok(pairs
        .into_iter()
        .filter(|(is, _)| stat.f_flag.contains(*is))
        .fold(MountFlags::empty(), |flags, (_, flag)| flags | flag))
}
