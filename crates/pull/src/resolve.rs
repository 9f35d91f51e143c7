//! From what was asked for to commits: mirrors, summary, refs.

use crate::error::SummaryProblem;
use crate::fetch::{BaseUrl, Fetcher, Mirrors, parse_mirrorlist};
use crate::progress::PulledRef;
use crate::remote::Remote;
use crate::summary::{self, Cache, Kept, SummaryFiles};
use crate::verify::Signatures;
use crate::{Error, PullOptions, Target};
use osier_keyfile::{KeyFile, Optional};
use osier_object::refs::is_checksum;
use osier_object::summary::key;
use osier_object::{Checksum, CommitId, Summary, SummaryRef};
use osier_store::static_deltas::DeltaName;
use osier_store::{RefKey, Repo};
use std::collections::HashMap;

/// A commit to pull, and the ref it is pulled as.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Goal {
    pub name: Option<RefName>,
    pub commit: CommitId,
    /// The size of the commit object, if the summary tells it.
    pub size: Option<u64>,
    /// What the ref is here now.
    pub local: Option<CommitId>,
    /// Where a delta may start: that, or what the ref of the remote is where a mirror is made beside it.
    pub from: Option<CommitId>,
}

impl Goal {
    /// What a progress sink hears of it.
    pub fn told(&self) -> PulledRef {
        PulledRef {
            name: self.name.as_ref().map(|name| name.name.clone()),
            collection: self.name.as_ref().and_then(|name| name.collection.clone()),
            commit: self.commit,
            old: self.local,
        }
    }
}

/// A ref as its server has it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct RefName {
    /// The collection it belongs to, where the summary tells that.
    pub collection: Option<String>,
    pub name: String,
}

/// What there is to pull.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    pub goals: Vec<Goal>,
    /// The server keeps a record of deleted commits, so an absent one must be in it.
    pub tombstones: bool,
    /// The server has an index for each commit that deltas lead to.
    pub indexed_deltas: bool,
    /// The deltas that the summary lists.
    pub listed_deltas: Vec<(DeltaName, Checksum)>,
    /// The summary as served, when all of it is mirrored.
    pub mirrored: Option<SummaryFiles>,
}

/// The mirrors that a configured URL (maybe `mirrorlist=URL`) stands for.
pub(crate) async fn mirrors(fetcher: &Fetcher, url: &str) -> Result<Mirrors, Error> {
    let Some(list) = url.strip_prefix("mirrorlist=") else {
        return Ok(Mirrors::one(BaseUrl::parse(url)?));
    };
    let at = Mirrors::one(BaseUrl::parse(list)?);
    let mut text = Vec::new();
    fetcher
        .fetch(&crate::fetch::Want::small(&at, ""), &mut text)
        .await?;
    let text = String::from_utf8(text).map_err(|_| Error::MirrorlistText(list.to_owned()))?;
    let mut bases = parse_mirrorlist(&text);
    // Those before the first that answers are dead; those after it are trusted to be alike.
    while !bases.is_empty() {
        let first = Mirrors::one(bases[0].clone());
        match fetcher.get(&first, "config").await {
            Ok(Some(_)) => break,
            Ok(None) => {}
            Err(error) => tracing::debug!(%error, "mirror does not answer"),
        }
        bases.remove(0);
    }
    Mirrors::several(bases).ok_or_else(|| Error::NoMirrors(list.to_owned()))
}

/// The base URLs of a remote (or of the URL given in its place), and the summary if that led to them.
pub(crate) async fn base(
    fetcher: &Fetcher,
    remote: &Remote,
    url: Option<&str>,
) -> Result<(Mirrors, Option<Kept>), Error> {
    if let Some(metalink) = remote.string("metalink")? {
        let (base, summary) = crate::metalink::fetch(fetcher, &metalink).await?;
        return Ok((base, Some(summary)));
    }
    let url = url.map_or_else(|| remote.url(), |url| Ok(url.to_owned()))?;
    Ok((mirrors(fetcher, &url).await?, None))
}

/// Finds the commits that are asked for.
pub(crate) struct Resolver<'a> {
    pub fetcher: &'a Fetcher,
    pub base: &'a Mirrors,
    /// The repository at `base`, if that is a folder of this machine.
    pub local: Option<&'a Repo>,
    pub options: &'a PullOptions,
    pub branches: &'a [String],
    pub remote_name: &'a str,
    pub signatures: &'a Signatures,
    pub cache: Option<&'a Cache>,
    /// Deltas may be used.
    pub deltas: bool,
    /// The summary, where it was found by other means.
    pub summary: Option<Kept>,
}

impl Resolver<'_> {
    /// Whether the summary must be signed.
    pub fn signed_summary(&self) -> bool {
        self.signatures.check_summary(None, None).is_err()
    }

    pub async fn resolve(&self) -> Result<Resolved, Error> {
        let mut targets = self.options.targets.clone();
        if targets.is_empty() {
            targets = self
                .branches
                .iter()
                .map(|b| Target::parse(b))
                .collect::<Result<_, _>>()?;
        }
        let targets = each_once(targets);
        let everything = self.options.mirror && targets.is_empty();
        if targets.is_empty() && !everything {
            return Err(Error::NoBranches(self.remote_name.to_owned()));
        }
        let mut resolved = Resolved::default();
        let explicit = !everything
            && targets
                .iter()
                .all(|t| !matches!(t, Target::Ref { commit: None, .. }));
        if explicit && self.deltas && self.local.is_none() && !self.signed_summary() {
            // An index leads to deltas without a summary.
            if let Some(config) = self.fetcher.get(self.base, "config").await? {
                resolved.indexed_deltas = KeyFile::parse(&config)
                    .and_then(|config| config.boolean("core", "indexed-deltas"))
                    .unwrap_or(false);
            }
        }
        let summary_for_deltas = self.deltas && !resolved.indexed_deltas;
        if explicit && !summary_for_deltas {
            // Commits named by checksum prove themselves; no summary is needed to find them.
            resolved
                .goals
                .extend(targets.into_iter().filter_map(explicit_goal));
            return Ok(resolved);
        }
        let files = match &self.summary {
            Some(summary) => {
                let summary = summary.clone();
                summary::with_signature(self.fetcher, self.base, summary, self.signatures).await?
            }
            None => {
                let refuse = self.options.refuse_invalid_cache;
                summary::fetch(self.fetcher, self.base, self.cache, self.signatures, refuse).await?
            }
        };
        let url = self.base.bases()[0].join("summary");
        let summary = match &files.summary {
            Some(kept) => Some(summary::decode(&kept.bytes, &url)?),
            None => None,
        };
        if let Some(summary) = &summary
            && summary.metadata.contains_key(key::MODE)
            && summary.metadata.contains_key(key::TOMBSTONE_COMMITS)
        {
            resolved.tombstones = match self.local {
                Some(local) => local.config().tombstone_commits,
                None => {
                    let (tombstones, indexed) = check_server(self.fetcher, self.base).await?;
                    resolved.indexed_deltas |= indexed;
                    tombstones
                }
            };
        }
        if let Some(summary) = &summary {
            resolved.indexed_deltas |= summary.metadata.get_bool(key::INDEXED_DELTAS) == Some(true);
            if self.deltas || self.options.require_static_deltas {
                resolved.listed_deltas = osier_delta::format::index::decode(
                    &summary.metadata.encode(),
                )
                .map_err(|cause| {
                    Error::Summary(SummaryProblem::Content {
                        url: url.clone(),
                        cause: cause.to_string(),
                    })
                })?;
            }
        }
        if let Some(local) = self.local {
            resolved.indexed_deltas |= local.config().indexed_deltas()?;
        }
        if self.options.require_static_deltas
            && !resolved.indexed_deltas
            && resolved.listed_deltas.is_empty()
        {
            return Err(Error::StaticDeltas(
                "Fetch configured to require static deltas, but no summary deltas or delta index found".to_owned(),
            ));
        }
        if everything {
            let summary = summary.ok_or(Error::MirrorWithoutSummary)?;
            resolved.goals = all_of(&summary, &url)?;
            resolved.mirrored = Some(files);
            return Ok(resolved);
        }
        if let (true, true, Some(summary)) = (
            self.options.mirror,
            self.options.targets.is_empty(),
            &summary,
        ) {
            // A mirror is of all there is; `branches` only tell what that is where no summary does. (The C tool copies no
            // summary then.)
            resolved.goals = all_of(summary, &url)?;
            return Ok(resolved);
        }
        for target in targets {
            let goal = match target {
                Target::Ref { name, commit: None } => self.named(name, summary.as_ref()).await?,
                other => match explicit_goal(other) {
                    Some(goal) => goal,
                    None => continue,
                },
            };
            resolved.goals.push(goal);
        }
        Ok(resolved)
    }

    /// The commit that a ref names: in the summary, if there is one, else in its own file.
    async fn named(&self, name: String, summary: Option<&Summary>) -> Result<Goal, Error> {
        if let Some(summary) = summary {
            let found = summary.find(&name).ok_or(Error::NotInSummary(name))?;
            return Ok(goal_of(found, summary.metadata.get_str(key::COLLECTION_ID)));
        }
        let commit = match self.local {
            Some(local) => {
                let found = local.read_ref(&RefKey::Local(name.clone()))?;
                found.ok_or_else(|| osier_store::Error::RefNotFound(name.clone()))?
            }
            None => fetch_ref(self.fetcher, self.base, &name).await?,
        };
        // What collection it is of, only a summary tells.
        Ok(Goal {
            name: Some(RefName {
                collection: None,
                name,
            }),
            commit,
            size: None,
            local: None,
            from: None,
        })
    }
}

/// Each ref and each commit once. A ref that is asked for at different commits is meant at the last.
fn each_once(targets: Vec<Target>) -> Vec<Target> {
    let mut once: Vec<Target> = Vec::with_capacity(targets.len());
    let mut places: HashMap<String, usize> = HashMap::new();
    for target in targets {
        let key = match &target {
            // No ref has such a name.
            Target::Commit(commit) => commit.to_string(),
            Target::Ref { name, .. } => name.clone(),
        };
        match places.get(&key) {
            Some(place) => once[*place] = target,
            None => {
                places.insert(key, once.len());
                once.push(target);
            }
        }
    }
    once
}

fn explicit_goal(target: Target) -> Option<Goal> {
    match target {
        Target::Commit(commit) => Some(Goal {
            name: None,
            commit,
            size: None,
            local: None,
            from: None,
        }),
        Target::Ref {
            name,
            commit: Some(commit),
        } => Some(Goal {
            name: Some(RefName {
                collection: None,
                name,
            }),
            commit,
            size: None,
            local: None,
            from: None,
        }),
        Target::Ref { commit: None, .. } => None,
    }
}

fn goal_of(found: &SummaryRef, collection: Option<&str>) -> Goal {
    Goal {
        name: Some(RefName {
            collection: collection.map(str::to_owned),
            name: found.name.clone(),
        }),
        commit: found.commit,
        size: Some(found.commit_size),
        local: None,
        from: None,
    }
}

fn all_of(summary: &Summary, url: &str) -> Result<Vec<Goal>, Error> {
    let own = summary.metadata.get_str(key::COLLECTION_ID);
    let mut goals: Vec<Goal> = summary.refs.iter().map(|r| goal_of(r, own)).collect();
    let map = summary.collection_map().map_err(|cause| {
        Error::Summary(SummaryProblem::Content {
            url: url.to_owned(),
            cause: cause.to_string(),
        })
    })?;
    for (collection, refs) in &map {
        goals.extend(refs.iter().map(|r| goal_of(r, Some(collection))));
    }
    Ok(goals)
}

async fn fetch_ref(fetcher: &Fetcher, base: &Mirrors, name: &str) -> Result<CommitId, Error> {
    let path = format!("refs/heads/{name}");
    let mut body = Vec::new();
    fetcher
        .fetch(&crate::fetch::Want::small(base, &path), &mut body)
        .await?;
    let text = String::from_utf8_lossy(&body);
    let text = text.trim_end();
    match text.parse() {
        Ok(commit) if is_checksum(text) => Ok(commit),
        _ => {
            // The start of it on one line, as the C tool shows it.
            const SHOWN: usize = 64;
            let end = (0..=SHOWN.min(text.len()))
                .rev()
                .find(|at| text.is_char_boundary(*at));
            let text = text[..end.unwrap_or(0)].replace('\n', " ");
            Err(Error::RefContent {
                collection: None,
                name: name.to_owned(),
                text,
            })
        }
    }
}

/// Reads the server's `config`: it must be an archive. Whether it keeps tombstones, and has indexes of deltas.
async fn check_server(fetcher: &Fetcher, base: &Mirrors) -> Result<(bool, bool), Error> {
    let mut body = Vec::new();
    fetcher
        .fetch(&crate::fetch::Want::small(base, "config"), &mut body)
        .await?;
    let url = base.bases()[0].join("config");
    let bad = |cause| Error::ServerConfig {
        url: url.clone(),
        cause: Box::new(cause),
    };
    let config = KeyFile::parse(&body).map_err(bad)?;
    let mode = config
        .string("core", "mode")
        .optional()
        .map_err(bad)?
        .unwrap_or_else(|| "bare".to_owned());
    if mode != "archive" && mode != "archive-z2" {
        return Err(Error::ServerMode(mode));
    }
    let tombstones = config
        .boolean("core", "tombstone-commits")
        .optional()
        .map_err(bad)?
        .unwrap_or(false);
    let indexed = config.boolean("core", "indexed-deltas").unwrap_or(false);
    Ok((tombstones, indexed))
}
