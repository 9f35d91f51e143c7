//! Upgrading a deployment: to the newest commit of its origin, or to another branch.
//!
//! How commits get into the repository is the caller's business, see [`Fetch`].

use osier_keyfile::KeyFile;
use osier_object::refs::{Refspec, parse_refspec};
use osier_object::{Commit, CommitId, commit::key};
use osier_store::{ReadObjects, RefKey, Repo, TransactionOptions};

use crate::cleanup::Cleanup;
use crate::deploy::NewDeployment;
use crate::deployment::Deployment;
use crate::error::{Error, Result};
use crate::origin::{self, ORIGIN};
use crate::retention::Retention;
use crate::sysroot::LockedSysroot;

/// What [`Fetch`] is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchRequest<'a> {
    /// The remote's name.
    pub remote: &'a str,
    /// The branch, which is to point at what was fetched.
    pub branch: &'a str,
    /// This commit instead of the branch's newest.
    pub commit: Option<CommitId>,
    /// Refuse commits older than this one.
    pub not_older_than: Option<CommitId>,
}

/// Brings commits of a remote into the sysroot's repository.
pub trait Fetch {
    /// Fetches one branch.
    ///
    /// # Errors
    /// Whatever stops it; the upgrade then stops too.
    fn fetch(
        &mut self,
        repo: &Repo,
        request: &FetchRequest<'_>,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>>;
}

/// What to upgrade, and how far to go.
#[derive(Clone, Debug)]
pub struct UpgradeRequest {
    /// The stateroot; the running one if `None`.
    pub stateroot: Option<String>,
    /// Accept a commit older than the deployed one.
    pub allow_downgrade: bool,
    /// This commit instead of the branch's newest.
    pub override_commit: Option<CommitId>,
    /// Fetch first.
    pub fetch: bool,
    /// Deploy what the branch points at.
    pub deploy: bool,
}

/// What came of an upgrade.
#[derive(Clone, Debug)]
pub enum UpgradeOutcome {
    /// The deployed commit is the newest.
    NoUpdate,
    /// There is a newer commit, which was not to be deployed.
    Available(CommitId),
    /// The new deployment.
    Deployed(Box<Deployment>),
}

/// Where an upgrade starts: the deployment it takes over and a copy of its origin.
struct Start {
    stateroot: String,
    merge: Deployment,
    origin: KeyFile,
}

impl LockedSysroot {
    /// Upgrades along the origin of the deployment it takes over.
    ///
    /// # Errors
    /// No such deployment, one without a usable origin, or what fetching and deploying say.
    pub fn upgrade(
        &mut self,
        request: &UpgradeRequest,
        fetch: &mut dyn Fetch,
    ) -> Result<UpgradeOutcome> {
        let start = self.upgrade_start(request.stateroot.as_deref())?;
        if let Some(text) = origin::unconfigured_state(&start.origin) {
            return Err(Error::invalid(format!("origin unconfigured-state: {text}")));
        }
        let mut origin = start.origin.clone();
        if let Some(commit) = &request.override_commit {
            origin.set_string(ORIGIN, "override-commit", &commit.to_string())?;
        }
        let mut refspec = origin_refspec(&origin)?;
        let mut target = self.follow(&refspec, request, &start.merge, fetch)?;
        if let Some(name) = self.replacement(&target)? {
            refspec.name = name;
            origin.set_string(ORIGIN, "refspec", &refspec_text(&refspec))?;
            target = self.follow(&refspec, request, &start.merge, fetch)?;
        }
        if target == start.merge.id.commit {
            return Ok(UpgradeOutcome::NoUpdate);
        }
        if !request.deploy {
            return Ok(UpgradeOutcome::Available(target));
        }
        let deployment = self.deploy_upgrade(&start, target, origin)?;
        Ok(UpgradeOutcome::Deployed(Box::new(deployment)))
    }

    /// Moves to another branch or remote and returns the old refspec, whose ref is deleted:
    /// `REMOTE:` keeps the branch, a bare branch the remote.
    ///
    /// # Errors
    /// As [`LockedSysroot::upgrade`], and a refspec that is the old one.
    pub fn switch(
        &mut self,
        stateroot: Option<&str>,
        target: &str,
        fetch: &mut dyn Fetch,
    ) -> Result<SwitchOutcome> {
        let start = self.upgrade_start(stateroot)?;
        let old = origin_refspec(&start.origin)?;
        let new = match target.strip_suffix(':') {
            Some(remote) => Refspec {
                remote: Some(remote.to_owned()),
                name: old.name.clone(),
            },
            None => {
                let mut new = parse(target)?;
                new.remote = new.remote.or_else(|| old.remote.clone());
                new
            }
        };
        if new == old {
            return Err(Error::invalid(format!(
                "Old and new refs are equal: {}",
                refspec_text(&new)
            )));
        }
        let request = UpgradeRequest {
            stateroot: Some(start.stateroot.clone()),
            allow_downgrade: true,
            override_commit: None,
            fetch: true,
            deploy: true,
        };
        let mut refspec = new;
        let mut target = self.follow(&refspec, &request, &start.merge, fetch)?;
        if let Some(name) = self.replacement(&target)? {
            refspec.name = name;
            target = self.follow(&refspec, &request, &start.merge, fetch)?;
        }
        let origin = origin::from_refspec(&refspec_text(&refspec))?;
        let deployment = self.deploy_upgrade(&start, target, origin)?;
        self.delete_ref(&old)?;
        Ok(SwitchOutcome {
            deployment,
            deleted: old,
        })
    }

    fn upgrade_start(&self, stateroot: Option<&str>) -> Result<Start> {
        let stateroot = self.stateroot_or_booted(stateroot)?;
        let Some(merge) = self.merge_deployment(&stateroot).cloned() else {
            return Err(Error::invalid(format!(
                "No previous deployment for OS '{stateroot}'"
            )));
        };
        let Some(mut origin) = merge.origin.clone() else {
            return Err(Error::invalid(format!(
                "No origin known for deployment {}",
                merge.id
            )));
        };
        origin::remove_transient_state(&mut origin);
        Ok(Start {
            stateroot,
            merge,
            origin,
        })
    }

    /// The commit a refspec leads to, after fetching it.
    fn follow(
        &self,
        refspec: &Refspec,
        request: &UpgradeRequest,
        merge: &Deployment,
        fetch: &mut dyn Fetch,
    ) -> Result<CommitId> {
        match &refspec.remote {
            Some(remote) if request.fetch => {
                let wanted = FetchRequest {
                    remote,
                    branch: &refspec.name,
                    commit: request.override_commit,
                    not_older_than: (!request.allow_downgrade).then_some(merge.id.commit),
                };
                fetch.fetch(&self.repo, &wanted).map_err(Error::Fetch)?;
            }
            _ => {}
        }
        if let Some(commit) = request.override_commit {
            self.set_tracking_ref(refspec, commit)?;
        }
        let target = self.repo.resolve_rev(&refspec_text(refspec))?;
        if !request.allow_downgrade {
            self.check_age(&target, &merge.id.commit)?;
        }
        Ok(target)
    }

    fn set_tracking_ref(&self, refspec: &Refspec, commit: CommitId) -> Result<()> {
        let transaction = self.repo.begin(&TransactionOptions::default())?;
        transaction.set_ref(RefKey::from_refspec(&refspec_text(refspec))?, Some(commit));
        transaction.commit()?;
        Ok(())
    }

    fn delete_ref(&self, refspec: &Refspec) -> Result<()> {
        let transaction = self.repo.begin(&TransactionOptions::default())?;
        transaction.set_ref(RefKey::from_refspec(&refspec_text(refspec))?, None);
        transaction.commit()?;
        Ok(())
    }

    /// The branch that replaces a branch which has ended.
    fn replacement(&self, commit: &CommitId) -> Result<Option<String>> {
        let commit = self.repo.load_commit(commit)?;
        Ok(commit
            .metadata
            .get_str(key::ENDOFLIFE_REBASE)
            .map(str::to_owned))
    }

    /// An attacker who serves an old commit with known holes must not get it deployed.
    fn check_age(&self, target: &CommitId, current: &CommitId) -> Result<()> {
        let new = self.repo.load_commit(target)?;
        let old = match self.repo.load_commit(current) {
            Err(error) if error.missing_object().is_some() => return Ok(()),
            other => other?,
        };
        if new.timestamp >= old.timestamp {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "Upgrade target revision '{target}' with timestamp '{}' is chronologically older than current revision '{current}' with timestamp '{}'; use --allow-downgrade to permit",
            utc(&new),
            utc(&old),
        )))
    }

    fn deploy_upgrade(
        &mut self,
        start: &Start,
        target: CommitId,
        origin: KeyFile,
    ) -> Result<Deployment> {
        self.initial_cleanup()?;
        let deployment = self.deploy_tree(&NewDeployment {
            stateroot: &start.stateroot,
            commit: target,
            origin: Some(origin),
            merge: Some(&start.merge),
            kargs: None,
        })?;
        let list = self.list_with(deployment.clone(), Some(&start.merge), Retention::default());
        self.write_deployments(list, Cleanup::Full)?;
        Ok(deployment)
    }
}

/// What came of a switch.
#[derive(Clone, Debug)]
pub struct SwitchOutcome {
    /// The new deployment.
    pub deployment: Deployment,
    /// The refspec that was left and whose ref was deleted.
    pub deleted: Refspec,
}

fn origin_refspec(origin: &KeyFile) -> Result<Refspec> {
    let text = origin::refspec(origin).ok_or_else(|| {
        Error::invalid("No origin/refspec in current deployment origin; cannot upgrade via ostree")
    })?;
    parse(&text)
}

fn parse(text: &str) -> Result<Refspec> {
    parse_refspec(text).map_err(|error| Error::invalid(error.to_string()))
}

fn refspec_text(refspec: &Refspec) -> String {
    match &refspec.remote {
        Some(remote) => format!("{remote}:{}", refspec.name),
        None => refspec.name.clone(),
    }
}

/// As C's `%c` in UTC.
fn utc(commit: &Commit) -> String {
    i64::try_from(commit.timestamp)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map_or_else(
            || format!("@{}", commit.timestamp),
            |time| time.strftime("%a %b %e %H:%M:%S %Y").to_string(),
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use osier_object::{Checksum, DirmetaId, DirtreeId};

    #[test]
    fn times_are_shown_as_c_shows_them() {
        let zero = Checksum([0; 32]);
        let at = |time| utc(&Commit::new(DirtreeId(zero), DirmetaId(zero), time));
        assert_eq!(at(1_600_000_100), "Sun Sep 13 12:28:20 2020");
        assert_eq!(at(1_599_000_000), "Tue Sep  1 22:40:00 2020");
        assert_eq!(at(u64::MAX), "@18446744073709551615");
    }
}
