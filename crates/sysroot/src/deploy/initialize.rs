//! The part of a deployment that needs nothing of the running system: tree, kernel, `/etc`, `/var`.

use osier_object::CommitId;
use osier_store::checkout::{self, CheckoutOptions, Existing, Linking};
use osier_store::parallel::{Cancel, NoProgress};
use rustix::fs::FileType;
use std::os::fd::AsFd;
use std::path::Path;

use super::NewDeployment;
use crate::bls::BootEntry;
use crate::deployment::{BootTries, Deployment, DeploymentId, Unlocked};
use crate::dir::{Beneath, Dir};
use crate::error::{Context, Error, Result};
use crate::kernel::Kernel;
use crate::sysroot::{LockedSysroot, Sysroot};

impl LockedSysroot {
    pub(super) fn initialize(&self, new: &NewDeployment<'_>) -> Result<(Deployment, Dir)> {
        let stateroot = self.stateroot_dir(new.stateroot)?;
        stateroot.make_dir("backing", 0o700)?;
        let parent = stateroot.make_dir("deploy", 0o755)?;
        let id = DeploymentId {
            stateroot: new.stateroot.to_owned(),
            commit: new.commit,
            serial: self.next_serial(new.stateroot, &new.commit)?,
        };
        self.check_out(&new.commit, None, &parent, &id.name(), Linking::Auto)
            .context("Checking out deployment tree")?;
        let root = self.deployment_dir(&id)?;
        // The tree's composefs image, `.ostree.cfs`, has its place here.
        let kernel = Kernel::find(&root, !self.options.test_no_dtb)?;
        self.prepare_etc(&root, &new.commit)
            .context("Preparing /etc")?;
        self.prepare_var(&root, &stateroot, new)
            .context("Preparing deployment /var")?;
        let deployment = Deployment {
            id,
            bootcsum: kernel.bootcsum,
            bootserial: 0,
            entry: BootEntry::new(),
            origin: new.origin.clone(),
            unlocked: Unlocked::None,
            staged: false,
            tries: BootTries::None,
        };
        Ok((deployment, root))
    }

    fn stateroot_dir(&self, name: &str) -> Result<Dir> {
        let path = format!("ostree/deploy/{name}");
        let missing = || Error::invalid(format!("No such stateroot: {name}"));
        if !crate::init::is_stateroot_name(name) {
            return Err(missing());
        }
        self.root
            .open_opt(Beneath::Sysroot, &path)?
            .ok_or_else(missing)
    }

    /// One more than the highest serial of this commit on disk.
    fn next_serial(&self, stateroot: &str, commit: &CommitId) -> Result<u32> {
        let on_disk = self.deployments_on_disk()?;
        let highest = on_disk
            .iter()
            .filter(|id| id.stateroot == stateroot && id.commit == *commit)
            .map(|id| id.serial)
            .max();
        match highest {
            None => Ok(0),
            Some(serial) => serial
                .checked_add(1)
                .ok_or_else(|| Error::invalid(format!("no serial left for commit {commit}"))),
        }
    }

    /// Makes `etc`, the user's copy of the defaults in `usr/etc`.
    fn prepare_etc(&self, root: &Dir, commit: &CommitId) -> Result<()> {
        let etc = dir_entry(root, "etc")?;
        let defaults = root.open_opt(Beneath::Sysroot, "usr/etc")?;
        let is_filled = |dir: &Option<Dir>| {
            dir.as_ref()
                .map_or(Ok(false), |dir| Ok::<_, Error>(!dir.is_empty()?))
        };
        match (is_filled(&etc)?, &defaults) {
            (true, Some(defaults)) if !defaults.is_empty()? => {
                Err(Error::invalid("Tree contains both /etc and /usr/etc"))
            }
            (true, _) => Err(Error::invalid("No such file or directory: /usr/etc")),
            (false, None) => Ok(()),
            (false, Some(_)) => {
                if etc.is_some() {
                    root.remove_tree(b"etc")?;
                }
                self.check_out(commit, Some("usr/etc"), root, "etc", Linking::Never)
            }
        }
    }
}

impl Sysroot {
    /// Checks out a commit, or a folder of it, as `name` in `parent`.
    pub(super) fn check_out(
        &self,
        commit: &CommitId,
        subpath: Option<&str>,
        parent: &Dir,
        name: &str,
        linking: Linking,
    ) -> Result<()> {
        self.check_out_with(
            commit,
            parent,
            name,
            CheckoutOptions {
                linking,
                passthrough_whiteouts: true,
                subpath: subpath.map(str::to_owned),
                ..CheckoutOptions::default()
            },
        )
    }

    /// Copies a folder of a commit into the folder `name` of `parent`, which is there.
    pub(super) fn copy_into(
        &self,
        commit: &CommitId,
        subpath: &str,
        parent: &Dir,
        name: &str,
    ) -> Result<()> {
        self.check_out_with(
            commit,
            parent,
            name,
            CheckoutOptions {
                linking: Linking::Never,
                existing: Existing::Union,
                passthrough_whiteouts: true,
                subpath: Some(subpath.to_owned()),
                ..CheckoutOptions::default()
            },
        )
    }

    fn check_out_with(
        &self,
        commit: &CommitId,
        parent: &Dir,
        name: &str,
        options: CheckoutOptions,
    ) -> Result<()> {
        checkout::checkout_commit(
            &self.repo,
            commit,
            parent.as_fd(),
            Path::new(name),
            &options,
            &NoProgress,
            &Cancel::default(),
        )?;
        Ok(())
    }
}

/// The real folder `name`, if it is one.
pub(super) fn dir_entry(parent: &Dir, name: &str) -> Result<Option<Dir>> {
    match parent.stat_entry(name.as_bytes())? {
        Some(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Directory => {
            parent.open_entry(name.as_bytes()).map(Some)
        }
        _ => Ok(None),
    }
}
