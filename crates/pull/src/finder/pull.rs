//! Pulling from remotes that were found.

use super::{CollectionRef, Finder, Found};
use crate::{Cancel, Error, Outcome, ProgressSink, PullOptions, Target, pull};
use osier_store::Repo;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a machine of the local network may be silent.
const PATIENCE: Duration = Duration::from_secs(5);

/// How to ask a remote that this finder found.
pub(super) fn options_for(finder: Finder, options: &PullOptions) -> PullOptions {
    match finder {
        Finder::Config => options.clone(),
        Finder::Mount => PullOptions {
            skip_cache: true,
            ..options.clone()
        },
        // The summaries kept for a remote are its own. Other machines go away without a word.
        Finder::Lan => PullOptions {
            skip_cache: true,
            network_retries: 0,
            low_speed_time: PATIENCE,
            ..options.clone()
        },
    }
}

/// What was pulled from remotes that were found.
#[derive(Debug, Default)]
pub struct Pulled {
    /// One for each remote and collection that was pulled from.
    pub outcomes: Vec<Outcome>,
    /// The refs that none of the remotes gave, and what went wrong with the last.
    pub failed: Vec<(CollectionRef, Error)>,
}

/// Pulls each ref from the first of the remotes that has it, from the next one where that fails, and says which could not
/// be pulled from any. Every commit needs a valid GPG signature by the keys of the remote whose name it gets, whatever
/// that remote's configuration says; objects are checked wherever they come from.
///
/// # Errors
/// [`Error::Cancelled`].
pub fn pull_found(
    repo: &Repo,
    found: &[Found],
    options: &PullOptions,
    progress: &mut dyn ProgressSink,
    cancel: &Cancel,
) -> Result<Pulled, Error> {
    let mut pulled = Vec::new();
    let mut outcomes = Vec::new();
    let mut failed = BTreeMap::new();
    for remote in found {
        let mut by_collection: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for (name, commit) in &remote.refs {
            if let Some(commit) = commit.filter(|_| !pulled.contains(name)) {
                let group = by_collection.entry(&name.collection).or_default();
                group.push((name, commit));
            }
        }
        for (collection, refs) in by_collection {
            let options = PullOptions {
                targets: refs
                    .iter()
                    .map(|(name, commit)| target(name, *commit))
                    .collect(),
                ref_remote: (!options.mirror).then(|| remote.remote.name().to_owned()),
                collection: Some(collection.to_owned()),
                untrusted: true,
                ..options_for(remote.finder, options)
            };
            let strict = remote.remote.verified()?;
            match pull(repo, &strict, &options, progress, cancel) {
                Ok(outcome) => {
                    pulled.extend(refs.into_iter().map(|(name, _)| name.clone()));
                    outcomes.push(outcome);
                }
                Err(Error::Cancelled) => return Err(Error::Cancelled),
                Err(cause) => {
                    let cause = std::sync::Arc::new(cause);
                    for (name, _) in refs {
                        failed.insert(name.clone(), std::sync::Arc::clone(&cause));
                    }
                }
            }
        }
    }
    failed.retain(|name, _| !pulled.contains(name));
    let failed = failed
        .into_iter()
        .map(|(name, cause)| (name, Error::Found(cause)))
        .collect();
    Ok(Pulled { outcomes, failed })
}

fn target(name: &CollectionRef, commit: osier_object::CommitId) -> Target {
    Target::Ref {
        name: name.name.clone(),
        commit: Some(commit),
    }
}
