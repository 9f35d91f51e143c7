//! A folder in memory: the disks of the machines that build and test are slow and noisy.

use crate::{paths, process};
use anyhow::{Context, Result};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use std::ffi::CStr;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// Set for the process that has mounts of its own.
const OWN_MOUNTS: &str = "OSIER_BENCH_OWN_MOUNTS";
/// Half of the memory is a tmpfs's default and too little on small machines.
const OPTIONS: &CStr = c"mode=0700,size=80%";

/// Where the work is done; gone when dropped.
pub struct Place {
    // `Drop` unmounts first; the folder is removed after it, as fields are.
    folder: TempDir,
    mounted: bool,
}

/// As root, starts this program again where its mounts are seen by nobody else and end with it, however it ends.
/// Gives how that went; none when this process is to do the work.
pub fn in_own_mount_namespace() -> Result<Option<bool>> {
    if !rustix::process::geteuid().is_root()
        || std::env::var_os(OWN_MOUNTS).is_some()
        || paths::find_program("unshare").is_none()
    {
        return Ok(None);
    }
    let unshare = |command: &mut Command| {
        let mut all = Command::new("unshare");
        all.args(["--mount", "--propagation=private", "--"])
            .arg(command.get_program())
            .args(command.get_args());
        all
    };
    // Containers often forbid it.
    let allowed = unshare(&mut Command::new("true")).output()?.status;
    if !allowed.success() {
        return Ok(None);
    }
    let mut again = Command::new(std::env::current_exe()?);
    again.args(std::env::args_os().skip(1));
    let mut command = unshare(&mut again);
    let status = command
        .env(OWN_MOUNTS, "1")
        .status()
        .with_context(|| format!("starting {}", process::show(&command)))?;
    Ok(Some(status.success()))
}

impl Place {
    /// A new folder below `parent`; without one on a tmpfs of its own, or in `/dev/shm`, or where temporary files go.
    pub fn new(parent: Option<&Path>) -> Result<Place> {
        let folder = |dir: &Path| {
            tempfile::Builder::new()
                .prefix("osier-bench-")
                .tempdir_in(dir)
                .with_context(|| format!("making a folder in {}", dir.display()))
        };
        if let Some(parent) = parent {
            return Ok(Place {
                folder: folder(parent)?,
                mounted: false,
            });
        }
        if std::env::var_os(OWN_MOUNTS).is_some() {
            let target = folder(&std::env::temp_dir())?;
            mount(
                "osier-bench",
                target.path(),
                "tmpfs",
                MountFlags::empty(),
                OPTIONS,
            )
            .with_context(|| format!("mounting a tmpfs on {}", target.path().display()))?;
            return Ok(Place {
                folder: target,
                mounted: true,
            });
        }
        let shm = Path::new("/dev/shm");
        Ok(Place {
            folder: folder(shm).or_else(|_| folder(&std::env::temp_dir()))?,
            mounted: false,
        })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.mounted {
            // It goes with the namespace anyway.
            let _ = unmount(self.folder.path(), UnmountFlags::DETACH);
        }
    }
}
