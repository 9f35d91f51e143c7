//! Finding repositories that have wanted refs, among the configured remotes, on mounted media and in the local network, and
//! pulling from them.
//!
//! What is wanted are refs of collections. Each finder names remotes that may have some; their summaries tell. For each ref
//! the newest commit that anybody has counts, and who has none of the newest is left out.

mod advertise;
mod announcement;
pub mod bloom;
mod config;
pub mod lan;
mod mount;
mod pull;

/// The UDP port of multicast DNS.
pub const MDNS_PORT: u16 = mdns_sd::MDNS_PORT;

pub use advertise::{Advertise, Advertiser};
pub use announcement::{Announcement, NoCollectionRefs, SERVICE, TxtError};
pub use pull::{Pulled, pull_found};

use crate::remote::{Remote, RemoteError, Remotes};
use crate::{Cancel, Error, PullOptions, fetch_remote_summary};
use lan::Browse;
use osier_gv::Value;
use osier_object::summary::key;
use osier_object::{CommitId, Summary, SummaryRef};
use osier_store::Repo;
use std::collections::{BTreeMap, BTreeSet};

/// A ref of a collection: it means the same in every repository.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct CollectionRef {
    /// The collection's id.
    pub collection: String,
    /// The ref's name.
    pub name: String,
}

impl std::fmt::Display for CollectionRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "({}, {})", self.collection, self.name)
    }
}

/// Where to look.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Finder {
    /// The configured remotes that name a collection.
    Config,
    /// Media that are mounted where people plug them in.
    Mount,
    /// What the local network announces.
    Lan,
}

impl Finder {
    /// The name that the C tool prints.
    #[must_use]
    pub fn type_name(self) -> &'static str {
        match self {
            Finder::Config => "OstreeRepoFinderConfig",
            Finder::Mount => "OstreeRepoFinderMount",
            Finder::Lan => "OstreeRepoFinderAvahi",
        }
    }

    /// What is nearer has a lower number, and is pulled from first.
    #[must_use]
    pub fn priority(self) -> u32 {
        match self {
            Finder::Mount => 50,
            Finder::Lan => 60,
            Finder::Config => 100,
        }
    }
}

/// A remote that has some of the wanted refs.
#[derive(Clone, Debug)]
pub struct Found {
    /// Who found it.
    pub finder: Finder,
    /// How to pull from it. Its name is that of a configured remote, whose keys verify what it has.
    pub remote: Remote,
    /// Where it is.
    pub url: String,
    /// When its summary was made, in seconds since 1970.
    pub summary_time: Option<u64>,
    /// For each wanted ref, in the order they were asked for, its newest commit, if that is here.
    pub refs: Vec<(CollectionRef, Option<CommitId>)>,
}

impl Found {
    /// The name of the keyring that verifies what it has.
    #[must_use]
    pub fn keyring(&self) -> String {
        format!("{}.trustedkeys.gpg", self.remote.name())
    }

    /// How many of the wanted refs it has.
    fn has(&self) -> usize {
        self.refs
            .iter()
            .filter(|(_, commit)| commit.is_some())
            .count()
    }
}

/// A remote to be asked.
struct Candidate {
    finder: Finder,
    remote: Remote,
    url: String,
}

/// A repository that was found elsewhere, once for each configured remote of these collections: the remote's keys verify
/// what it has.
fn elsewhere<'a>(
    finder: Finder,
    remotes: &Remotes,
    collections: impl Iterator<Item = &'a str>,
    url: &str,
) -> Result<Vec<Candidate>, RemoteError> {
    let mut all = Vec::new();
    for collection in collections.collect::<BTreeSet<_>>() {
        for remote in of_collection(remotes, collection)? {
            all.push(Candidate {
                finder,
                remote: remote.elsewhere(url)?,
                url: url.to_owned(),
            });
        }
    }
    Ok(all)
}

/// What a candidate has: commits and their times.
type Offered = BTreeMap<CollectionRef, (CommitId, u64)>;

/// Looks for remotes that have the wanted refs, the nearest first. A remote that cannot be asked is passed over. Blocks.
///
/// # Errors
/// The configuration of a remote is wrong, or the local network cannot be listened to.
pub fn find(
    repo: &Repo,
    remotes: &Remotes,
    wanted: &[CollectionRef],
    finders: &[Finder],
    options: &PullOptions,
    cancel: &Cancel,
) -> Result<Vec<Found>, Error> {
    let mut candidates = Vec::new();
    for finder in finders {
        candidates.extend(match finder {
            Finder::Config => config::candidates(remotes)?,
            Finder::Mount => mount::candidates(repo, remotes, wanted, &mount::media())?,
            Finder::Lan => lan::candidates(remotes, wanted, &Browse::default(), cancel)?,
        });
    }
    let mut asked = Vec::new();
    for candidate in candidates {
        if cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        match ask(repo, &candidate, options) {
            Ok(Some((time, offered))) => asked.push((candidate, time, offered)),
            Ok(None) => tracing::debug!("{} has no summary", candidate.url),
            Err(cause) => tracing::debug!("passing over {}: {cause}", candidate.url),
        }
    }
    Ok(newest(wanted, asked))
}

/// Fetches the summary of a candidate. Its own words about its refs are not trusted: what is pulled is verified.
fn ask(
    repo: &Repo,
    candidate: &Candidate,
    options: &PullOptions,
) -> Result<Option<(Option<u64>, Offered)>, Error> {
    let options = pull::options_for(candidate.finder, options);
    let Some(found) = fetch_remote_summary(repo, &candidate.remote, &options)? else {
        return Ok(None);
    };
    let summary = crate::summary::decode(&found.bytes, &candidate.url)?;
    let time = match summary.metadata.get(key::LAST_MODIFIED) {
        Some(Value::U64(time)) => Some(u64::from_be(*time)),
        _ => None,
    };
    Ok(Some((time, offered(&summary))))
}

fn offered(summary: &Summary) -> Offered {
    let mut all = Offered::new();
    let mut take = |collection: &str, refs: &[SummaryRef]| {
        for found in refs {
            let time = match found.metadata.get(key::COMMIT_TIMESTAMP) {
                Some(Value::U64(time)) => u64::from_be(*time),
                _ => 0,
            };
            let name = CollectionRef {
                collection: collection.to_owned(),
                name: found.name.clone(),
            };
            all.insert(name, (found.commit, time));
        }
    };
    if let Some(own) = summary.metadata.get_str(key::COLLECTION_ID) {
        take(own, &summary.refs);
    }
    for (collection, refs) in summary.collection_map().unwrap_or_default() {
        take(&collection, &refs);
    }
    all
}

/// Keeps of each candidate the newest commits, and of the candidates those that have any.
fn newest(
    wanted: &[CollectionRef],
    mut asked: Vec<(Candidate, Option<u64>, Offered)>,
) -> Vec<Found> {
    // A remote's keys are those of its collection: for refs of others they prove nothing.
    for (candidate, _, offered) in &mut asked {
        let own = candidate.remote.collection_id().ok().flatten();
        offered.retain(|name, _| own.as_ref() == Some(&name.collection) && wanted.contains(name));
    }
    let mut best = BTreeMap::new();
    for (name, (commit, time)) in asked.iter().flat_map(|(_, _, offered)| offered) {
        let known = best.entry(name.clone()).or_insert((*commit, *time));
        if *time > known.1 {
            *known = (*commit, *time);
        }
    }
    let kept = |name: &CollectionRef, offered: &Offered| {
        let (commit, _) = offered.get(name)?;
        (best.get(name)?.0 == *commit).then_some(*commit)
    };
    let mut all: Vec<Found> = asked
        .into_iter()
        .map(|(candidate, summary_time, offered)| Found {
            finder: candidate.finder,
            remote: candidate.remote,
            url: candidate.url,
            summary_time,
            refs: wanted
                .iter()
                .map(|name| (name.clone(), kept(name, &offered)))
                .collect(),
        })
        .filter(|found| found.has() > 0)
        .collect();
    // As the C tool sorts them, the older and the fewer first.
    let key = |f: &Found| (f.finder.priority(), f.summary_time, f.has());
    all.sort_by(|a, b| (key(a), a.remote.name(), &a.url).cmp(&(key(b), b.remote.name(), &b.url)));
    all
}

/// The configured remotes that name this collection.
fn of_collection(remotes: &Remotes, collection: &str) -> Result<Vec<Remote>, RemoteError> {
    let mut all = Vec::new();
    for name in remotes.names() {
        let remote = remotes.get(name)?;
        if matches!(remote.collection_id(), Ok(Some(id)) if id == collection) {
            all.push(remote);
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use osier_keyfile::KeyFile;

    fn wanted(name: &str) -> CollectionRef {
        CollectionRef {
            collection: "org.example.Os".into(),
            name: name.into(),
        }
    }

    fn asked(
        finder: Finder,
        name: &str,
        refs: &[(&str, u8, u64)],
    ) -> (Candidate, Option<u64>, Offered) {
        let text =
            format!("[remote \"{name}\"]\nurl=http://{name}\ncollection-id=org.example.Os\n");
        let file = KeyFile::parse(text.as_bytes()).unwrap();
        let candidate = Candidate {
            finder,
            remote: Remote::new(name, vec![file], None),
            url: format!("http://{name}"),
        };
        let refs = refs.iter().map(|(name, commit, time)| {
            let commit = format!("{commit:02x}").repeat(32).parse().unwrap();
            (wanted(name), (commit, *time))
        });
        (candidate, Some(1), refs.collect())
    }

    #[test]
    fn the_newest_commit_counts_and_the_nearest_comes_first() {
        let all = vec![
            asked(Finder::Config, "far", &[("a", 2, 20), ("b", 3, 10)]),
            asked(Finder::Config, "old", &[("a", 1, 10), ("x", 9, 99)]),
            asked(Finder::Lan, "near", &[("a", 2, 20), ("b", 4, 9)]),
        ];
        let found = newest(&[wanted("b"), wanted("a"), wanted("none")], all);
        let shown: Vec<_> = found
            .iter()
            .map(|f| {
                let have = f.refs.iter().map(|(_, commit)| commit.is_some());
                (f.url.as_str(), have.collect::<Vec<_>>())
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("http://near", vec![false, true, false]),
                ("http://far", vec![true, true, false]),
            ]
        );
        assert_eq!(found[1].keyring(), "far.trustedkeys.gpg");
    }
}
