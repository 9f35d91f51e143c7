//! Changes to the list and to single deployments that need no new tree.

use osier_keyfile::KeyFile;

use crate::cleanup::Cleanup;
use crate::deployment::Deployment;
use crate::dir::Beneath;
use crate::error::{Error, Result};
use crate::init::touch_deploy;
use crate::kargs::KernelArgs;
use crate::origin;
use crate::sysroot::LockedSysroot;

impl LockedSysroot {
    /// Removes the deployment at `index` and returns it.
    ///
    /// # Errors
    /// The running one, or an index out of range.
    pub fn undeploy(&mut self, index: usize) -> Result<Deployment> {
        let removed = self.deployment(index)?.clone();
        if self.booted == Some(index) {
            return Err(Error::invalid(format!(
                "Cannot undeploy currently booted deployment {index}"
            )));
        }
        let mut list = self.deployments.clone();
        list.remove(index);
        self.write_deployments(list, Cleanup::Full)?;
        Ok(removed)
    }

    /// Makes the deployment at `index` the one that boots next.
    ///
    /// # Errors
    /// An index out of range.
    pub fn set_default(&mut self, index: usize) -> Result<()> {
        self.deployment(index)?;
        let mut list = self.deployments.clone();
        list[..=index].rotate_right(1);
        self.write_deployments(list, Cleanup::Full)
    }

    /// Pins or unpins the deployment at `index`; `false` if it was so already.
    ///
    /// # Errors
    /// A staged one, which does not exist as a whole yet, or an index out of range.
    pub fn set_pinned(&mut self, index: usize, pinned: bool) -> Result<bool> {
        let deployment = self.deployment(index)?;
        if deployment.staged {
            return Err(Error::invalid("Cannot pin staged deployment"));
        }
        if deployment.is_pinned() == pinned {
            return Ok(false);
        }
        let mut origin = deployment.origin.clone().unwrap_or_default();
        origin::set_pinned(&mut origin, pinned)?;
        self.set_origin(index, origin)?;
        Ok(true)
    }

    /// Replaces the origin of the deployment at `index`.
    ///
    /// # Errors
    /// An index out of range.
    pub fn set_origin(&mut self, index: usize, origin: KeyFile) -> Result<()> {
        let mut deployment = self.deployment(index)?.clone();
        deployment.origin = Some(origin);
        self.write_origin(&deployment)?;
        self.sysroot.deployments[index] = deployment;
        touch_deploy(&self.root)
    }

    /// Gives the deployment at `index` other kernel arguments; its entry is written anew.
    ///
    /// # Errors
    /// An index out of range.
    pub fn set_kargs(&mut self, index: usize, kargs: &KernelArgs) -> Result<()> {
        self.deployment(index)?;
        let mut list = self.deployments.clone();
        list[index].entry.set("options", &kargs.to_string());
        self.rewrite_deployments(list, Cleanup::Full)
    }

    /// Adds arguments whose key is missing to every boot entry, each file replaced in one step.
    ///
    /// # Errors
    /// Entries that cannot be read or written.
    pub fn append_kargs_in_place(&mut self, additions: &[String]) -> Result<()> {
        let path = format!("boot/loader.{}/entries", self.bootversion);
        let Some(dir) = self.root.open_opt(Beneath::Sysroot, &path)? else {
            return Ok(());
        };
        for (name, mut entry) in self.entry_files(&dir)? {
            let mut kargs = entry.kargs()?;
            for addition in additions {
                kargs.append_if_missing(addition)?;
            }
            entry.set("options", &kargs.to_string());
            dir.replace_file(&name, entry.to_text().as_bytes(), 0o644)?;
        }
        rustix::fs::fsync(&dir).map_err(|error| Error::Io {
            action: format!("fsync({path})"),
            source: error.into(),
        })?;
        self.sysroot.reload()
    }
}
