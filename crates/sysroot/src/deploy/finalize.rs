//! The part of a deployment that takes over the user's state.

use crate::deployment::Deployment;
use crate::dir::{Beneath, Dir};
use crate::error::{Context, Result};
use crate::immutable;
use crate::notice::Notice;
use crate::sysroot::LockedSysroot;

/// systemd runs first-boot work when this is older than `/usr`.
const UPDATED_STAMP: &str = ".updated";
/// Says that `/var` has been labelled once.
const LABELED_STAMP: &str = ".ostree-selabeled";

impl LockedSysroot {
    pub(super) fn finalize(
        &self,
        deployment: &mut Deployment,
        root: &Dir,
        merge: Option<&Deployment>,
    ) -> Result<()> {
        if let Some(merge) = merge {
            self.merge_etc(root, merge).context("During /etc merge")?;
        }
        let stateroot = format!("ostree/deploy/{}", deployment.id.stateroot);
        let stateroot = self.root.open(Beneath::Sysroot, &stateroot)?;
        let var = stateroot.open_entry(b"var")?;
        if let Some(etc) = root.open_opt(Beneath::Tree, "etc")? {
            etc.remove_file(UPDATED_STAMP)?;
        }
        var.remove_file(UPDATED_STAMP)?;
        if !var.exists(LABELED_STAMP)? {
            self.options.notices.notice(&Notice::RelabelingVar);
            var.replace_file(LABELED_STAMP, b"", 0o644)?;
        }
        make_backing(&stateroot, root, &deployment.id.name())?;
        self.write_origin(deployment)?;
        if !self.options.mutable_deployments {
            immutable::set(root, true)?;
        }
        Ok(())
    }

    fn merge_etc(&self, root: &Dir, merge: &Deployment) -> Result<()> {
        let changes = self.etc_changes(merge)?;
        self.options.notices.notice(&Notice::CopyingEtc {
            modified: changes.modified.len(),
            removed: changes.removed.len(),
            added: changes.added.len(),
        });
        let user = self.deployment_dir(&merge.id)?.open(Beneath::Tree, "etc")?;
        changes.apply(
            &user.named("etc"),
            &root.open(Beneath::Sysroot, "etc")?.named("etc"),
        )
    }

    /// Writes `COMMIT.SERIAL.origin` beside the deployment; without an origin there is no such file.
    pub fn write_origin(&self, deployment: &Deployment) -> Result<()> {
        let parent = self
            .root
            .open(Beneath::Sysroot, &deployment.id.parent_path())?;
        let name = format!("{}.origin", deployment.id.name());
        match &deployment.origin {
            Some(origin) => parent.replace_file(&name, &origin.to_bytes(), 0o644),
            None => parent.remove_file(&name),
        }
    }
}

/// Room for a writable root, used when the tree asks for one at boot.
fn make_backing(stateroot: &Dir, root: &Dir, name: &str) -> Result<()> {
    let mode = root.stat()?.st_mode & 0o7777;
    let backing = stateroot.make_dir("backing", 0o700)?;
    let own = backing.make_new_dir(name, 0o700)?;
    let transient = own.make_new_dir("root-transient", 0o700)?;
    transient.make_new_dir("work", 0o700)?;
    transient.make_new_dir("upper", mode)?;
    Ok(())
}
