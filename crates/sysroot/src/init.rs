//! Making a new sysroot and stateroots in it.

use std::path::Path;

use osier_store::{CreateOptions, Repo, RepoMode};

use crate::dir::{Beneath, Dir};
use crate::error::{Error, IoAction, Result};
use crate::sysroot::LockedSysroot;

/// Folders of a root file system, made by [`Epoch::Classic`] only.
const TOP_DIRS: [(&str, u32); 7] = [
    ("dev", 0o755),
    ("home", 0o755),
    ("proc", 0o755),
    ("run", 0o755),
    ("sys", 0o755),
    ("root", 0o700),
    ("tmp", 0o1777),
];

/// Which layout [`init_fs`] makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Epoch {
    /// With the top-level folders of a root file system.
    #[default]
    Classic,
    /// Only what OSTree needs.
    Modern,
    /// As [`Epoch::Modern`], and only root may look into `ostree`.
    Private,
}

impl Epoch {
    /// The epoch of a number from the command line; numbers from the future are [`Epoch::Modern`].
    ///
    /// # Errors
    /// A negative number.
    pub fn from_number(number: i32) -> Result<Epoch> {
        match number {
            0 => Ok(Epoch::Classic),
            2 => Ok(Epoch::Private),
            n if n < 0 => Err(Error::invalid(format!("Invalid epoch: {n}"))),
            _ => Ok(Epoch::Modern),
        }
    }
}

/// Makes a sysroot in the existing folder `path`, with a repository of `mode` (`Bare` for systems
/// that boot; an ordinary user's must be `BareUserOnly` or hold only his own files).
///
/// # Errors
/// A folder that cannot be made.
pub fn init_fs(path: &Path, epoch: Epoch, mode: RepoMode) -> Result<()> {
    let root = Dir::open_path(path)?;
    if epoch == Epoch::Classic {
        for (name, mode) in TOP_DIRS {
            if !root.exists(name)? {
                root.make_new_dir(name, mode)?;
            }
        }
    }
    for (name, mode) in [
        ("boot", 0o755),
        (
            "ostree",
            if epoch == Epoch::Private {
                0o700
            } else {
                0o755
            },
        ),
    ] {
        root.make_dir(name, mode)?;
    }
    let ostree = root.open(Beneath::Sysroot, "ostree")?;
    ostree.make_dir("repo", 0o755)?;
    ostree.make_dir("deploy", 0o755)?;
    Repo::create(
        &path.join("ostree/repo"),
        &CreateOptions {
            mode,
            collection_id: None,
        },
    )?;
    Ok(())
}

/// A single path component.
pub(crate) fn is_stateroot_name(name: &str) -> bool {
    !name.is_empty() && !matches!(name, "." | "..") && !name.contains(['/', '\0', '\n', ' '])
}

impl LockedSysroot {
    /// Makes the stateroot `name`, with an empty `var`; returns its path relative to the sysroot.
    ///
    /// # Errors
    /// One of that name that is there already.
    pub fn init_stateroot(&self, name: &str) -> Result<String> {
        if !is_stateroot_name(name) {
            return Err(Error::invalid(format!("Invalid stateroot name '{name}'")));
        }
        let deploy = self.root.open(Beneath::Sysroot, "ostree/deploy")?;
        let path = format!("ostree/deploy/{name}");
        rustix::fs::mkdirat(&deploy, name, rustix::fs::Mode::from_raw_mode(0o755))
            .action(|| format!("Creating {path}"))?;
        let stateroot = deploy.open_entry(name.as_bytes())?;
        stateroot.make_dir("var", 0o755)?;
        touch_deploy(&self.root)?;
        Ok(path)
    }
}

/// Programs that watch a sysroot look at the time of `ostree/deploy`: every change bumps it.
pub(crate) fn touch_deploy(root: &Dir) -> Result<()> {
    use rustix::fs::{Timespec, Timestamps, UTIME_NOW};
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: UTIME_NOW,
    };
    let times = Timestamps {
        last_access: now,
        last_modification: now,
    };
    let deploy = root.open(Beneath::Sysroot, "ostree/deploy")?;
    rustix::fs::futimens(&deploy, &times).action(|| "futimens(ostree/deploy)".to_owned())
}
