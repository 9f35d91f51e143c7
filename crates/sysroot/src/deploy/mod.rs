//! Making a deployment out of a commit.

mod finalize;
mod initialize;
mod kargs;
mod request;
mod var;

pub use kargs::KargsChange;
pub use request::DeployRequest;

use osier_keyfile::KeyFile;
use osier_object::CommitId;

use crate::deployment::{BootTries, Deployment};
use crate::error::{Context, Result};
use crate::kargs::KernelArgs;
use crate::sysroot::LockedSysroot;

/// A deployment to make.
#[derive(Clone, Debug)]
pub struct NewDeployment<'a> {
    /// The stateroot, which must be there.
    pub stateroot: &'a str,
    /// The commit to check out.
    pub commit: CommitId,
    /// Its origin file.
    pub origin: Option<KeyFile>,
    /// The deployment whose `/etc` and, without `kargs`, kernel arguments it takes over.
    pub merge: Option<&'a Deployment>,
    /// Kernel arguments instead of those of `merge`.
    pub kargs: Option<KernelArgs>,
}

impl LockedSysroot {
    /// Checks out a commit and makes it ready to boot. Nothing refers to it until it is part of a
    /// list that [`LockedSysroot::write_deployments`] writes.
    ///
    /// # Errors
    /// A tree without kernel, an `/etc` that cannot be merged, or anything that fails on the way.
    /// What was made stays until the next cleanup.
    pub fn deploy_tree(&self, new: &NewDeployment<'_>) -> Result<Deployment> {
        let deploy = || -> Result<Deployment> {
            let (mut deployment, root) = self.initialize(new).context("Initializing deployment")?;
            if let Some(options) = self.options_line(new) {
                deployment.entry.set("options", &options);
            }
            deployment.tries = BootTries::New(self.boot_tries()?);
            self.finalize(&mut deployment, &root, new.merge)
                .context("Finalizing deployment")?;
            Ok(deployment)
        };
        deploy().context("Deploying tree")
    }

    fn options_line(&self, new: &NewDeployment<'_>) -> Option<String> {
        match (&new.kargs, new.merge) {
            (Some(kargs), _) => Some(kargs.to_string()),
            (None, Some(merge)) => merge.entry.get("options").map(str::to_owned),
            (None, None) => None,
        }
    }
}
