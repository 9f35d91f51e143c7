//! `/var`: shared by all deployments of a stateroot, filled from a tree once.

use rustix::fs::{Gid, Uid};

use super::NewDeployment;
use super::initialize::dir_entry;
use crate::dir::{Beneath, Dir};
use crate::error::{Context, IoAction, Result};
use crate::sysroot::LockedSysroot;

const TEMPORARY: &str = ".var.tmp";

impl LockedSysroot {
    /// Fills the stateroot's `var` from the tree's, if it is still entirely empty.
    pub(super) fn prepare_var(
        &self,
        root: &Dir,
        stateroot: &Dir,
        new: &NewDeployment<'_>,
    ) -> Result<()> {
        let var = stateroot.open_entry(b"var").context("Opening stateroot")?;
        if dir_entry(root, "var")?.is_none() || !var.is_empty()? {
            return Ok(());
        }
        let has_tmpfiles = root
            .stat_path(Beneath::Tree, "usr/lib/tmpfiles.d")?
            .is_some();
        // Filled beside and renamed over: a half-filled var would count as filled for ever. The
        // running system has var mounted, which would stay behind.
        let is_running = self
            .booted()
            .is_some_and(|booted| booted.id.stateroot == new.stateroot);
        let name = if is_running { "var" } else { TEMPORARY };
        if !is_running {
            stateroot.remove_tree(TEMPORARY.as_bytes())?;
        }
        self.check_out_var(stateroot, name, new)?;
        let filled = stateroot.open_entry(name.as_bytes())?;
        if !has_tmpfiles {
            make_default_dirs(&filled)?;
        }
        if is_running {
            return Ok(());
        }
        copy_owner_and_mode(&var, &filled)?;
        stateroot.rename(TEMPORARY, "var")
    }

    fn check_out_var(&self, stateroot: &Dir, name: &str, new: &NewDeployment<'_>) -> Result<()> {
        stateroot.make_dir(name, 0o755)?;
        self.copy_into(&new.commit, "var", stateroot, name)
    }
}

/// What programs expect when nothing makes it at boot.
fn make_default_dirs(var: &Dir) -> Result<()> {
    for (name, mode) in [("tmp", 0o1777), ("lib", 0o755), ("log", 0o755)] {
        if !var.exists(name)? {
            var.make_new_dir(name, mode)?;
        }
    }
    for (name, target) in [("run", "../run"), ("lock", "../run/lock")] {
        if !var.exists(name)? {
            var.make_link(target, name)?;
        }
    }
    Ok(())
}

/// The stateroot's folder keeps what it had.
fn copy_owner_and_mode(from: &Dir, to: &Dir) -> Result<()> {
    let stat = from.stat()?;
    let (uid, gid) = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
    rustix::fs::fchown(to, Some(uid), Some(gid)).action(|| format!("fchown({})", to.path()))?;
    to.chmod(stat.st_mode & 0o7777)
}
