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
        let merge = merge.and_then(|merge| {
            self.deployments
                .iter()
                .position(|other| other.is_same(merge))
        });
        list_with(&self.deployments, self.booted, merge, new, keep)
    }
}

/// `booted` and `merge` are places in `old`.
fn list_with(
    old: &[Deployment],
    booted: Option<usize>,
    merge: Option<usize>,
    new: Deployment,
    keep: Retention,
) -> Vec<Deployment> {
    let stateroot = new.id.stateroot.clone();
    // Where "before" turns into "after".
    let crossover = booted.or(merge);
    // Without one nobody can tell which are pending: any such wish keeps all.
    let all = keep.all || (crossover.is_none() && (keep.pending || keep.rollback));
    let mut new = Some(new);
    let mut list = Vec::new();
    if !keep.not_as_default {
        list.extend(new.take());
    }
    for (at, deployment) in old.iter().enumerate() {
        let is_before = crossover.is_none_or(|crossover| at < crossover);
        let wanted = all
            || deployment.is_pinned()
            || deployment.id.stateroot != stateroot
            || booted == Some(at)
            || merge == Some(at)
            || (keep.pending && is_before)
            || (keep.rollback && !is_before);
        if wanted {
            list.push(deployment.clone());
        }
        if crossover == Some(at) {
            list.extend(new.take());
        }
    }
    list.extend(new.take());
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bls::BootEntry;
    use crate::deployment::{BootTries, DeploymentId, Unlocked};
    use osier_object::{Checksum, CommitId};

    /// `name` is `STATEROOT:SERIAL`, with `!` for a pinned one.
    fn deployment(name: &str) -> Deployment {
        let (stateroot, serial) = name.trim_end_matches('!').split_once(':').unwrap();
        let mut origin = crate::origin::from_refspec("os/main").unwrap();
        crate::origin::set_pinned(&mut origin, name.ends_with('!')).unwrap();
        Deployment {
            id: DeploymentId {
                stateroot: stateroot.to_owned(),
                commit: CommitId(Checksum([7; 32])),
                serial: serial.parse().unwrap(),
            },
            bootcsum: "ab".repeat(32),
            bootserial: 0,
            entry: BootEntry::new(),
            origin: Some(origin),
            unlocked: Unlocked::None,
            staged: false,
            tries: BootTries::None,
        }
    }

    fn after(old: &str, booted: Option<usize>, merge: Option<usize>, keep: Retention) -> String {
        let old: Vec<Deployment> = old.split_whitespace().map(deployment).collect();
        let list = list_with(&old, booted, merge, deployment("a:9"), keep);
        let names: Vec<String> = list
            .iter()
            .map(|d| format!("{}:{}", d.id.stateroot, d.id.serial))
            .collect();
        names.join(" ")
    }

    const DEFAULT: Retention = Retention {
        all: false,
        pending: false,
        rollback: false,
        not_as_default: false,
    };

    #[test]
    fn by_default_the_new_the_running_and_the_merged_stay() {
        assert_eq!(after("", None, None, DEFAULT), "a:9");
        assert_eq!(after("a:1 a:2", None, Some(0), DEFAULT), "a:9 a:1");
        assert_eq!(after("a:1 a:2 a:3", Some(1), Some(1), DEFAULT), "a:9 a:2");
        // Without merging, an unbooted system keeps nothing of its own.
        assert_eq!(after("a:1 a:2", None, None, DEFAULT), "a:9");
    }

    #[test]
    fn others_and_pinned_ones_always_stay() {
        assert_eq!(
            after("a:1 b:1 a:2! a:3", None, Some(0), DEFAULT),
            "a:9 a:1 b:1 a:2"
        );
    }

    #[test]
    fn flags_of_the_command() {
        let old = "a:1 a:2 a:3";
        let pending = Retention {
            pending: true,
            ..DEFAULT
        };
        let rollback = Retention {
            rollback: true,
            ..DEFAULT
        };
        let all = Retention {
            all: true,
            ..DEFAULT
        };
        assert_eq!(after(old, Some(1), Some(1), pending), "a:9 a:1 a:2");
        assert_eq!(after(old, Some(1), Some(1), rollback), "a:9 a:2 a:3");
        assert_eq!(after(old, Some(1), Some(1), all), "a:9 a:1 a:2 a:3");
        assert_eq!(after(old, None, None, pending), "a:9 a:1 a:2 a:3");
        assert_eq!(after(old, None, Some(0), rollback), "a:9 a:1 a:2 a:3");
    }

    #[test]
    fn not_as_default_goes_after_the_running_one() {
        let keep = Retention {
            not_as_default: true,
            ..DEFAULT
        };
        let all = Retention { all: true, ..keep };
        assert_eq!(after("a:1 a:2", Some(0), Some(0), keep), "a:1 a:9");
        assert_eq!(
            after("a:1 a:2 a:3", Some(1), Some(1), all),
            "a:1 a:2 a:9 a:3"
        );
        assert_eq!(after("b:1 b:2", None, None, keep), "b:1 b:2 a:9");
    }
}
