//! What the source offers and what of it is asked for.

use crate::error::{Error, IoContext, Result};
use crate::refs::ListRefs;
use crate::repo::Repo;
use crate::summary::read_summary;
use osier_object::refs::{is_checksum, validate_ref_name};
use osier_object::summary::key;
use osier_object::{CommitId, Summary};
use std::collections::{HashMap, HashSet};

/// A commit to take over.
pub(super) struct Target {
    /// The ref it is taken for; none for a commit given by its checksum.
    pub(super) name: Option<String>,
    pub(super) commit: CommitId,
}

/// The repository pulled from.
pub(super) struct Source<'a> {
    pub(super) repo: &'a Repo,
    /// The refs of its summary, which rule when there is one, however old it is.
    summary: Option<HashMap<String, CommitId>>,
    /// Whether it leaves tombstones for deleted commits.
    pub(super) tombstones: bool,
}

impl<'a> Source<'a> {
    pub(super) fn open(repo: &'a Repo) -> Result<Source<'a>> {
        let summary = match read_summary(repo)? {
            None => None,
            Some(bytes) => {
                Some(Summary::decode(&bytes).map_err(|_| Error::other("Not normal form"))?)
            }
        };
        let said = |key: &str| {
            summary
                .as_ref()
                .is_some_and(|s| s.metadata.contains_key(key))
        };
        let tombstones =
            said(key::MODE) && said(key::TOMBSTONE_COMMITS) && repo.config().tombstone_commits;
        Ok(Source {
            repo,
            summary: summary.map(|s| s.refs.into_iter().map(|r| (r.name, r.commit)).collect()),
            tombstones,
        })
    }

    /// The commits asked for, each name once; nothing asked for means all refs.
    pub(super) fn targets(&self, refs: &[String]) -> Result<Vec<Target>> {
        if refs.is_empty() {
            let all = self.repo.list_refs(ListRefs::default())?;
            for name in all.keys() {
                validate_ref_name(name).map_err(|e| Error::InvalidName(e.to_string()))?;
            }
            // Not looked up as a revision: a name like `a` could be the start of a checksum, too.
            return all
                .into_iter()
                .map(|(name, commit)| match &self.summary {
                    Some(_) => self.target(&name),
                    None => Ok(Target {
                        name: Some(name),
                        commit,
                    }),
                })
                .collect();
        }
        // Names first: nothing is looked up when one is not valid.
        for name in refs.iter().filter(|name| !is_checksum(name)) {
            validate_ref_name(name).map_err(|e| Error::InvalidName(e.to_string()))?;
        }
        let mut seen = HashSet::new();
        refs.iter()
            .filter(|name| seen.insert(name.as_str()))
            .map(|name| self.target(name))
            .collect()
    }

    fn target(&self, name: &str) -> Result<Target> {
        if is_checksum(name) {
            let commit = name
                .parse()
                .map_err(|_| Error::InvalidName(format!("Invalid rev {name}")))?;
            return Ok(Target { name: None, commit });
        }
        let commit = match &self.summary {
            Some(refs) => *refs.get(name).ok_or_else(|| {
                Error::other(format!("No such branch '{name}' in repository summary"))
            })?,
            None => self.repo.resolve_rev(name)?,
        };
        Ok(Target {
            name: Some(name.to_owned()),
            commit,
        })
    }
}

/// Owner of the folder objects lie in, and the file system it is on.
pub(super) fn owner_and_device(repo: &Repo) -> Result<(u32, u64)> {
    let st = rustix::fs::fstat(repo.objects_dir())
        .at(|| format!("fstat({}/objects)", repo.path().display()))?;
    Ok((st.st_uid, st.st_dev))
}
