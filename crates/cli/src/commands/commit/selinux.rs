//! Which SELinux policy a commit's files are labelled by.

use anyhow::{Result, bail};
use osier_store::commit::{Root, Source};
use osier_store::selinux::{Epoch, Policy};
use osier_store::{ReadObjects, Repo};

use super::Args;

impl Args {
    /// The policy to label files by, if one was asked for and is in force.
    pub(super) fn selinux(&self, repo: &Repo) -> Result<Option<Policy>> {
        let m = &self.modify;
        let epoch = match &m.selinux_labeling_epoch {
            None => Epoch::Zero,
            Some(text) => match text.parse::<i32>() {
                Ok(0) => Epoch::Zero,
                Ok(1) => Epoch::One,
                Ok(other) => bail!("Unknown SELinux labeling epoch: {other}"),
                Err(_) => {
                    bail!("Cannot parse integer value “{text}” for --selinux-labeling-epoch")
                }
            },
        };
        let policy = match (&m.selinux_policy, m.selinux_policy_from_base) {
            (Some(_), true) => {
                bail!("Cannot specify both --selinux-policy and --selinux-policy-from-base")
            }
            (Some(path), false) => Policy::of_folder(path)?,
            (None, true) => self.policy_of_base(repo)?,
            (None, false) => None,
        };
        Ok(policy.map(|policy| policy.with_epoch(epoch)))
    }

    /// The policy in the tree that all others are laid over.
    fn policy_of_base(&self, repo: &Repo) -> Result<Option<Policy>> {
        let base = match &self.base {
            Some(base) => Source::Commit(repo.resolve_rev(base)?),
            // Before it is opened: there is nothing to look for in it.
            None if self.trees.first().is_some_and(|t| t.starts_with("tar=")) => {
                bail!("Cannot use --selinux-policy-from-base with tar")
            }
            None => match self.sources(repo)?.into_iter().next() {
                Some(source) => source,
                None => return Ok(None),
            },
        };
        Ok(match base {
            Source::Dir(path) => Policy::of_folder(&path)?,
            Source::Commit(id) => {
                let commit = repo.load_commit(&id)?;
                let root = Root {
                    dirtree: commit.root_dirtree,
                    dirmeta: commit.root_dirmeta,
                };
                Policy::of_tree(repo, root)?
            }
            Source::Archive { .. } => bail!("Cannot use --selinux-policy-from-base with tar"),
        })
    }
}
