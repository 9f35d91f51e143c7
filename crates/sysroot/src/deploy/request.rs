//! The whole of `deploy REFSPEC`: from a refspec to a written list.

use osier_keyfile::KeyFile;

use super::{KargsChange, NewDeployment};
use crate::cleanup::Cleanup;
use crate::deployment::Deployment;
use crate::error::{Error, Result};
use crate::origin;
use crate::retention::Retention;
use crate::sysroot::LockedSysroot;

/// What to deploy and what to keep.
#[derive(Clone, Debug, Default)]
pub struct DeployRequest {
    /// Branch, remote branch or commit.
    pub refspec: String,
    /// Stateroot; the running one if `None`.
    pub stateroot: Option<String>,
    /// Origin file to use instead of one with the refspec.
    pub origin: Option<KeyFile>,
    /// Take over neither `/etc` nor kernel arguments.
    pub no_merge: bool,
    /// Leave unused objects in the repository.
    pub no_prune: bool,
    /// Kernel arguments.
    pub kargs: KargsChange,
    /// Which old deployments stay.
    pub retention: Retention,
}

impl LockedSysroot {
    /// Deploys a refspec and makes it, as asked, the default.
    ///
    /// # Errors
    /// A refspec that does not resolve, options that do not go together, or what
    /// [`LockedSysroot::deploy_tree`] and [`LockedSysroot::write_deployments`] say.
    pub fn deploy(&mut self, request: &DeployRequest) -> Result<Deployment> {
        request.kargs.check(request.no_merge)?;
        let stateroot = match (&request.stateroot, self.booted()) {
            (Some(name), _) => name.clone(),
            (None, Some(booted)) => booted.id.stateroot.clone(),
            (None, None) => {
                return Err(Error::invalid(
                    "Looking for booted deployment: Not currently booted into an OSTree system and no --os= argument given",
                ));
            }
        };
        let origin = match &request.origin {
            Some(origin) => origin.clone(),
            None => origin::from_refspec(&request.refspec)?,
        };
        let commit = self.repo.resolve_rev(&request.refspec)?;
        let merge = match request.no_merge {
            true => None,
            false => self.merge_deployment(&stateroot).cloned(),
        };
        self.initial_cleanup()?;
        let kargs = request.kargs.apply(merge.as_ref())?;
        let deployment = self.deploy_tree(&NewDeployment {
            stateroot: &stateroot,
            commit,
            origin: Some(origin),
            merge: merge.as_ref(),
            kargs,
        })?;
        let list = self.list_with(deployment.clone(), merge.as_ref(), request.retention);
        let cleanup = if request.no_prune {
            Cleanup::Prepare
        } else {
            Cleanup::Full
        };
        self.write_deployments(list, cleanup)?;
        Ok(deployment)
    }
}
