//! Which deployment runs: the marker that the boot programs leave in `/run`.

use osier_gv::{Dict, Value};
use rustix::fs::Stat;

use crate::dir::{Beneath, Dir};
use crate::error::{Error, Result};
use crate::options::Options;

/// File below the run folder. `a{sv}`, or empty when an old boot program wrote it.
const MARKER: &str = "ostree-booted";
const MARKER_LIMIT: u64 = 1024 * 1024;

/// Device and inode of the running deployment's root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RootInode {
    dev: u64,
    ino: u64,
}

impl RootInode {
    pub(crate) fn of(stat: &Stat) -> RootInode {
        RootInode {
            dev: stat.st_dev,
            ino: stat.st_ino,
        }
    }
}

/// Whether `sysroot` is the running system's and was booted from a deployment.
pub(crate) fn is_running_system(sysroot: &Dir, options: &Options) -> Result<bool> {
    Ok(find(sysroot, options)?.is_some())
}

/// The running deployment's root, if `sysroot` is the running system's and was booted from one.
pub(crate) fn find(sysroot: &Dir, options: &Options) -> Result<Option<RootInode>> {
    let root = Dir::open_path("/".as_ref())?;
    let inode = RootInode::of(&root.stat()?);
    if RootInode::of(&sysroot.stat()?) != inode {
        return Ok(None);
    }
    let Ok(run) = Dir::open_path(&options.run_dir) else {
        return Ok(None);
    };
    let Some(bytes) = run.read(Beneath::Sysroot, MARKER, MARKER_LIMIT)? else {
        return Ok(None);
    };
    // With a writable or composed root, `/` is an overlay: the marker names the plain folder.
    Ok(Some(backing_inode(&bytes)?.unwrap_or(inode)))
}

fn backing_inode(marker: &[u8]) -> Result<Option<RootInode>> {
    if marker.is_empty() {
        return Ok(None);
    }
    let dict = Dict::decode(marker)
        .map_err(|error| Error::invalid(format!("parsing /run/{MARKER}: {error}")))?;
    match dict.get("backing-root-device-inode") {
        Some(Value::Tuple(pair)) => match pair.as_slice() {
            [Value::U64(dev), Value::U64(ino)] => Ok(Some(RootInode {
                dev: *dev,
                ino: *ino,
            })),
            _ => Ok(None),
        },
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers() {
        assert_eq!(backing_inode(b"").unwrap(), None);
        let mut dict = Dict::new();
        dict.push(
            "backing-root-device-inode",
            Value::Tuple(vec![Value::U64(7), Value::U64(9)]),
        );
        dict.push("sysroot-ro", Value::Bool(true));
        assert_eq!(
            backing_inode(&dict.encode()).unwrap(),
            Some(RootInode { dev: 7, ino: 9 })
        );
        assert!(backing_inode(b"garbage").is_err());
    }
}
