//! Removing what no deployment needs any more.

use std::collections::{BTreeMap, BTreeSet};

use osier_object::CommitId;
use osier_store::parallel::Cancel;
use osier_store::prune::{self, PruneOptions};
use osier_store::{ListRefs, RefKey, TransactionOptions};
use rustix::fs::FileType;

use crate::booted::RootInode;
use crate::deployment::DeploymentId;
use crate::dir::{Beneath, Dir};
use crate::error::{Context, Error, Result};
use crate::immutable;
use crate::kernel::is_checksum;
use crate::sysroot::{LockedSysroot, Sysroot};

/// How much to clean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cleanup {
    /// Nothing.
    None,
    /// Old boot entries, bootlinks, deployments, kernels; the deployments' refs are rewritten.
    Prepare,
    /// Also objects that no ref and no deployment needs.
    #[default]
    Full,
}

/// Overlay initrds live beside the kernels.
const OVERLAYS: &str = "initramfs-overlays";

impl LockedSysroot {
    /// Removes boot entries, bootlinks, deployments, kernels and, if asked, objects that are not
    /// part of the loaded list.
    ///
    /// # Errors
    /// A folder among the deployments that is none: nothing foreign is ever deleted.
    pub fn cleanup(&self, cleanup: Cleanup) -> Result<()> {
        if cleanup == Cleanup::None {
            return Ok(());
        }
        self.remove_old_boot_versions()?;
        self.remove_old_deployments()
            .context("Cleaning deployments")?;
        self.remove_old_kernels()?;
        self.write_refs()?;
        if cleanup == Cleanup::Full {
            self.prune_repo()?;
        }
        Ok(())
    }

    /// The cleanup before a deployment is made: what an earlier, failed one left behind.
    pub(crate) fn initial_cleanup(&self) -> Result<()> {
        self.cleanup(Cleanup::Prepare)
            .context("Performing initial cleanup")
    }

    fn remove_old_boot_versions(&self) -> Result<()> {
        let (n, m) = (self.bootversion, 1 - self.bootversion);
        if let Some(boot) = self.root.open_opt(Beneath::Sysroot, "boot")? {
            boot.remove_tree(format!("loader.{m}").as_bytes())?;
        }
        let ostree = self.root.open(Beneath::Sysroot, "ostree")?;
        let old = [
            format!("boot.{m}"),
            format!("boot.{m}.0"),
            format!("boot.{m}.1"),
            format!("boot.{n}.{}", 1 - self.subbootversion),
        ];
        for name in old {
            ostree.remove_tree(name.as_bytes())?;
        }
        Ok(())
    }

    fn remove_old_deployments(&self) -> Result<()> {
        let wanted: BTreeSet<String> = self.deployments.iter().map(|d| d.id.path()).collect();
        let running = RootInode::of(&Dir::open_path("/".as_ref())?.stat()?);
        for id in self.deployments_on_disk()? {
            if !wanted.contains(&id.path()) {
                self.remove_deployment(&id, running)?;
            }
        }
        Ok(())
    }

    /// State first, then the root: as long as the root is there the next cleanup finds the rest.
    fn remove_deployment(&self, id: &DeploymentId, running: RootInode) -> Result<()> {
        let parent = self.root.open(Beneath::Sysroot, &id.parent_path())?;
        let name = id.name();
        let root = parent.open_entry(name.as_bytes())?;
        if RootInode::of(&root.stat()?) == running {
            return Ok(());
        }
        let backing = format!("ostree/deploy/{}/backing", id.stateroot);
        if let Some(backing) = self.root.open_opt(Beneath::Sysroot, &backing)? {
            backing.remove_tree(name.as_bytes())?;
        }
        parent.remove_file(&format!("{name}.origin"))?;
        immutable::set(&root, false)?;
        parent.remove_tree(name.as_bytes())?;
        Ok(())
    }

    fn remove_old_kernels(&self) -> Result<()> {
        let Some(kernels) = self.root.open_opt(Beneath::Sysroot, "boot/ostree")? else {
            return Ok(());
        };
        let wanted: BTreeSet<&str> = self
            .deployments
            .iter()
            .map(|d| d.bootcsum.as_str())
            .collect();
        for entry in kernels.entries()? {
            let sum = entry
                .utf8()
                .and_then(|name| name.rsplit_once('-'))
                .map(|(_, sum)| sum);
            if entry.file_type == FileType::Directory
                && sum.is_some_and(|sum| is_checksum(sum) && !wanted.contains(sum))
            {
                kernels.remove_tree(&entry.name)?;
            }
        }
        self.remove_old_overlays(&kernels)
    }

    fn remove_old_overlays(&self, kernels: &Dir) -> Result<()> {
        let Some(overlays) = kernels.open_opt(Beneath::Sysroot, OVERLAYS)? else {
            return Ok(());
        };
        let wanted: BTreeSet<&str> = self
            .deployments
            .iter()
            .flat_map(|d| d.entry.overlay_initrds())
            .filter_map(|path| path.rsplit('/').next())
            .collect();
        for entry in overlays.entries()? {
            if let Some(name) = entry.utf8()
                && name.ends_with(".img")
                && !wanted.contains(name)
            {
                overlays.remove_file(name)?;
            }
        }
        Ok(())
    }

    /// `ostree/N/n/INDEX` for each deployment, so that plain repository tools keep its commit; such
    /// refs of other boot versions go.
    fn write_refs(&self) -> Result<()> {
        let prefix = format!("ostree/{}/{}/", self.bootversion, self.subbootversion);
        let wanted: BTreeMap<String, CommitId> = self
            .deployments
            .iter()
            .enumerate()
            .map(|(index, deployment)| (format!("{prefix}{index}"), deployment.id.commit))
            .collect();
        let present: BTreeMap<String, CommitId> = self
            .repo
            .list_ref_keys(ListRefs {
                exclude_remotes: true,
                ..ListRefs::default()
            })?
            .into_iter()
            .filter_map(|(key, commit)| match key {
                RefKey::Local(name) if is_deployment_ref(&name) => Some((name, commit)),
                _ => None,
            })
            .collect();
        if wanted == present {
            return Ok(());
        }
        // New refs before old ones go: at no time is a deployment's commit without one.
        let set = wanted
            .iter()
            .filter(|(name, commit)| present.get(*name) != Some(commit))
            .map(|(name, commit)| (name.clone(), Some(*commit)))
            .collect();
        let removed = present
            .keys()
            .filter(|name| !wanted.contains_key(*name))
            .map(|name| (name.clone(), None))
            .collect();
        self.change_refs(set)?;
        self.change_refs(removed)
    }

    /// Deletes objects that neither a ref nor a deployment needs.
    fn prune_repo(&self) -> Result<()> {
        let options = PruneOptions {
            refs_only: true,
            depth: Some(0),
            extra_roots: self.deployments.iter().map(|d| d.id.commit).collect(),
            ..PruneOptions::default()
        };
        prune::prune(&self.repo, &options, &Cancel::default())?;
        Ok(())
    }

    fn change_refs(&self, changes: Vec<(String, Option<CommitId>)>) -> Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        let transaction = self.repo.begin(&TransactionOptions::default())?;
        for (name, commit) in changes {
            transaction.set_ref(RefKey::Local(name), commit);
        }
        if self.options.test_fail_before_commit {
            return Err(Error::invalid("OSTREE_REPO_TEST_ERROR_PRE_COMMIT"));
        }
        transaction.commit()?;
        Ok(())
    }
}

impl Sysroot {
    /// Every deployment that has a folder, listed or not.
    pub(crate) fn deployments_on_disk(&self) -> Result<Vec<DeploymentId>> {
        let mut ids = Vec::new();
        let top = self.root.open(Beneath::Sysroot, "ostree/deploy")?;
        for stateroot in top.sorted_entries()? {
            let Some(name) = stateroot.utf8() else {
                continue;
            };
            if stateroot.file_type != FileType::Directory {
                continue;
            }
            let path = format!("{name}/deploy");
            let Some(dir) = top.open_opt(Beneath::Sysroot, &path)? else {
                continue;
            };
            for entry in dir.sorted_entries()? {
                if entry.file_type == FileType::Directory {
                    ids.push(DeploymentId::from_name(
                        name,
                        &crate::dir::lossy(&entry.name),
                    )?);
                }
            }
        }
        Ok(ids)
    }
}

/// `ostree/[01]/[01]/NUMBER`.
fn is_deployment_ref(name: &str) -> bool {
    let parts: Vec<&str> = name.split('/').collect();
    matches!(parts.as_slice(), ["ostree", "0" | "1", "0" | "1", index]
        if !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refs_of_deployments() {
        assert!(is_deployment_ref("ostree/0/1/12"));
        for other in [
            "ostree/2/0/0",
            "ostree/0/0",
            "ostree/0/0/x",
            "ostree/0/0/0/1",
            "os/0/0/0",
        ] {
            assert!(!is_deployment_ref(other), "{other}");
        }
    }
}
