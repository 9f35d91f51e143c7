//! What `status` shows of each deployment, as data.

use osier_object::commit::key;
use osier_store::ReadObjects;

use crate::deployment::{Deployment, Unlocked};
use crate::error::Result;
use crate::sysroot::Sysroot;

/// One deployment as shown to people and programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentStatus {
    /// Commit.
    pub checksum: String,
    /// Stateroot.
    pub stateroot: String,
    /// Where upgrades come from.
    pub refspec: Option<String>,
    /// Counter of deployments of one commit.
    pub serial: u32,
    /// Place in the list, 0 boots next.
    pub index: usize,
    /// It is running.
    pub booted: bool,
    /// It boots next, and another one of its stateroot is running.
    pub pending: bool,
    /// It is the one to go back to.
    pub rollback: bool,
    /// Finishing it on shutdown is held back.
    pub finalization_locked: bool,
    /// It is finished on shutdown.
    pub staged: bool,
    /// It is kept until unpinned.
    pub pinned: bool,
    /// Whether `/usr` is writable.
    pub unlocked: Unlocked,
    /// Commit metadata `version`.
    pub version: Option<String>,
    /// Commit metadata `ostree.source-title`.
    pub source_title: Option<String>,
    /// Whether there is an origin file.
    pub has_origin: bool,
}

impl Sysroot {
    /// The state of every deployment, in boot order.
    ///
    /// # Errors
    /// A commit that cannot be read; one that is gone is no error.
    pub fn status(&self) -> Result<Vec<DeploymentStatus>> {
        let (pending, rollback) = self.pending_and_rollback();
        self.deployments
            .iter()
            .enumerate()
            .map(|(index, deployment)| {
                let (version, source_title) = self.commit_texts(deployment)?;
                Ok(DeploymentStatus {
                    checksum: deployment.id.commit.to_string(),
                    stateroot: deployment.id.stateroot.clone(),
                    refspec: deployment.refspec(),
                    serial: deployment.id.serial,
                    index,
                    booted: self.booted == Some(index),
                    pending: pending == Some(index),
                    rollback: rollback == Some(index),
                    finalization_locked: false,
                    staged: deployment.staged,
                    pinned: deployment.is_pinned(),
                    unlocked: deployment.unlocked,
                    version,
                    source_title,
                    has_origin: deployment.origin.is_some(),
                })
            })
            .collect()
    }

    /// The first deployment of the running stateroot before, and the first after the running one.
    pub fn pending_and_rollback(&self) -> (Option<usize>, Option<usize>) {
        let Some((at, booted)) = self.booted.zip(self.booted()) else {
            return (None, None);
        };
        let is_ours = |index: &usize| self.deployments[*index].id.stateroot == booted.id.stateroot;
        (
            (0..at).find(is_ours),
            (at + 1..self.deployments.len()).find(is_ours),
        )
    }

    fn commit_texts(&self, deployment: &Deployment) -> Result<(Option<String>, Option<String>)> {
        match self.repo.load_commit(&deployment.id.commit) {
            Ok(commit) => {
                let text = |key| commit.metadata.get_str(key).map(str::to_owned);
                Ok((text(key::VERSION), text(key::SOURCE_TITLE)))
            }
            Err(error) if error.missing_object().is_some() => Ok((None, None)),
            Err(error) => Err(error.into()),
        }
    }
}
