//! Which old deployments stay when a new one comes.

use crate::deployment::Deployment;
use crate::sysroot::Sysroot;

/// What to keep besides the new deployment, the running one and the one merged from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Everything.
    pub all: bool,
    /// Deployments before the running one.
    pub pending: bool,
    /// Deployments after the running one.
    pub rollback: bool,
    /// Put the new deployment after the running one instead of first.
    pub not_as_default: bool,
}

impl Sysroot {
    /// The list after `new` has come, with `merge` the deployment it took its state from.
    pub fn list_with(
        &self,
        new: Deployment,
        merge: Option<&Deployment>,
        keep: Retention,
    ) -> Vec<Deployment> {
        let stateroot = new.id.stateroot.clone();
        let merge = merge.and_then(|merge| self.position(merge));
        // Where "before" turns into "after": the running deployment, or what was merged from.
        let crossover = match self.booted {
            Some(booted) => Some(booted),
            None => merge,
        };
        // Without one nobody can tell which are pending: any such wish keeps all.
        let all = keep.all || (crossover.is_none() && (keep.pending || keep.rollback));
        let mut list = Vec::new();
        let mut new = Some(new);
        if !keep.not_as_default {
            list.extend(new.take());
        }
        for (at, old) in self.deployments.iter().enumerate() {
            let is_before = crossover.is_none_or(|crossover| at < crossover);
            let wanted = all
                || old.is_pinned()
                || old.id.stateroot != stateroot
                || self.booted == Some(at)
                || merge == Some(at)
                || (keep.pending && is_before)
                || (keep.rollback && !is_before);
            if wanted {
                list.push(old.clone());
            }
            if crossover == Some(at) {
                list.extend(new.take());
            }
        }
        list.extend(new.take());
        list
    }

    pub(crate) fn position(&self, deployment: &Deployment) -> Option<usize> {
        self.deployments
            .iter()
            .position(|other| other.is_same(deployment))
    }
}
