//! Deleting what no kept commit needs: a plan first, then its application.
//!
//! ```
//! # let dir = tempfile::tempdir().unwrap();
//! # let at = |name: &str| dir.path().join(name);
//! # use osier_store::{CreateOptions, Repo, RepoMode, parallel::Cancel};
//! # let create = |name: &str| Repo::create(&at(name), &CreateOptions { mode: RepoMode::Archive, collection_id: None }).unwrap();
//! use osier_store::prune::{self, PruneOptions};
//!
//! let repo = create("repo");
//! let options = PruneOptions { refs_only: true, depth: Some(0), ..Default::default() };
//! let plan = prune::plan(&repo, &options, &Cancel::default()).unwrap();
//! assert!(plan.objects().is_empty());
//! assert_eq!(plan.apply(&Cancel::default()).unwrap().deleted, 0);
//! ```

use crate::config_edit::set_flag;
use crate::enumerate::{list_prefix, open_prefix, prefixes};
use crate::error::{Error, IoContext, Result};
use crate::parallel::{self, Cancel};
use crate::read::ReadObjects;
use crate::refs::{ListRefs, RefKey};
use crate::repo::Repo;
use crate::repo_lock::RepoLock;
use crate::static_deltas::DeltaName;
use crate::traverse::{self, CommitNode, Depth, Reached};
use osier_object::{CommitId, ObjectName, ObjectType};
use rayon::prelude::*;
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::Write;

/// Key of the group `core`: deleted commits leave tombstones.
pub(crate) const TOMBSTONES: &str = "tombstone-commits";

/// Which commits a prune keeps, and what it looks at.
#[derive(Clone, Debug, Default)]
pub struct PruneOptions {
    /// Keep only what refs lead to; otherwise every stored commit is kept, and only what none of them needs goes.
    pub refs_only: bool,
    /// Parents kept behind each ref; `None` for all. Without `refs_only` it has no effect.
    pub depth: Depth,
    /// Look at commit objects only.
    pub commit_only: bool,
    /// Keep each ref's tip and, behind it, parents as long as they are not older than this (UTC seconds since 1970);
    /// `depth` is ignored then. Implies `refs_only`.
    pub keep_younger_than: Option<u64>,
    /// Parents kept behind these refs, by refspec, in place of the two rules above. Implies `refs_only`.
    pub branch_depth: BTreeMap<String, Depth>,
    /// Apply the rules to each ref, as the three others do, even if none of them is used. Implies `refs_only`.
    pub per_branch: bool,
    /// Apply the rules to these refs (refspecs) alone and keep everything behind all others. Implies `refs_only`.
    pub only_branches: Vec<String>,
    /// Commits kept with their trees beside those of the refs: what deployments stand on.
    pub extra_roots: Vec<CommitId>,
}

/// What a prune found or did.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct PruneOutcome {
    /// Objects looked at: all, or with `commit_only` the commits.
    pub total: u64,
    /// Objects that are (or, of a plan, would be) deleted.
    pub deleted: u64,
    /// Bytes of their files.
    pub freed: u64,
    /// Deltas whose target is not kept.
    pub deltas_deleted: u64,
}

/// What a prune would delete. Made under the exclusive lock, which it holds until it is applied or dropped.
#[derive(Debug)]
pub struct PrunePlan<'r> {
    repo: &'r Repo,
    _lock: RepoLock,
    total: u64,
    freed: u64,
    doomed: Vec<ObjectName>,
    deltas: Vec<DeltaName>,
    summaries: Vec<String>,
}

/// Plans and deletes.
///
/// # Errors
/// When the repository is locked, or a commit that is kept and not partial lacks a directory listing: then nothing is
/// deleted, since what that listing needs is not known.
pub fn prune(repo: &Repo, options: &PruneOptions, cancel: &Cancel) -> Result<PruneOutcome> {
    plan(repo, options, cancel)?.apply(cancel)
}

/// Finds out what a prune would delete and deletes nothing.
///
/// # Errors
/// As [`prune`].
pub fn plan<'r>(repo: &'r Repo, options: &PruneOptions, cancel: &Cancel) -> Result<PrunePlan<'r>> {
    let lock = repo.lock_exclusive()?;
    let kept = kept_commits(repo, options, cancel)?;
    let reached = match options.commit_only {
        true => {
            let reached = Reached::new();
            for commit in &kept {
                reached.insert(commit.id.object_name());
            }
            reached
        }
        false => traverse::reachable(repo, &kept, cancel)?,
    };
    let (total, found) = unreached(repo, options, &reached, cancel)?;
    let mut doomed = Vec::with_capacity(found.len());
    let mut freed = 0;
    for (name, size) in found {
        doomed.push(name);
        freed += size;
    }
    let deltas = orphaned_deltas(repo, &reached)?;
    let summaries = orphaned_summaries(repo)?;
    Ok(PrunePlan {
        repo,
        _lock: lock,
        total,
        freed,
        doomed,
        deltas,
        summaries,
    })
}

impl PrunePlan<'_> {
    /// The numbers, as [`PrunePlan::apply`] would give them.
    pub fn outcome(&self) -> PruneOutcome {
        PruneOutcome {
            total: self.total,
            deleted: self.doomed.len() as u64,
            freed: self.freed,
            deltas_deleted: self.deltas.len() as u64,
        }
    }

    /// The objects that would be deleted, commits first.
    pub fn objects(&self) -> &[ObjectName] {
        &self.doomed
    }

    /// The deltas that would be deleted.
    pub fn deltas(&self) -> &[DeltaName] {
        &self.deltas
    }

    /// Deletes. Commits go before the trees they need, so that an interruption leaves no commit without its objects.
    pub fn apply(self, cancel: &Cancel) -> Result<PruneOutcome> {
        let repo = self.repo;
        if !self.doomed.is_empty() {
            repo.require_writable()?;
        }
        let commits = self
            .doomed
            .partition_point(|name| name.ty == ObjectType::Commit);
        let (commits, others) = self.doomed.split_at(commits);
        // Deleting a commit may have switched tombstones on since the repository was opened.
        let config = crate::config_edit::current(repo)?;
        for name in commits {
            cancel.check()?;
            delete_commit_object(repo, &CommitId(name.checksum), config.tombstone_commits)?;
        }
        if !commits.is_empty() && config.fsync {
            // No tree may be gone on disk while its commit is still there.
            rustix::fs::syncfs(repo.dir()).at(|| format!("syncfs({})", repo.path().display()))?;
        }
        parallel::run(|| {
            others.par_iter().try_for_each(|name| {
                cancel.check()?;
                unlink_object(repo, name).map(drop)
            })
        })?;
        for name in &self.deltas {
            repo.delete_static_delta(name)?;
        }
        repo.remove_stale_deltas()?;
        for name in &self.summaries {
            unlink(repo, &format!("tmp/cache/summaries/{name}"))?;
        }
        Ok(self.outcome())
    }
}

/// Deletes a commit on purpose: its object and detached metadata, leaving a tombstone, and switches tombstones on in
/// the configuration. The trees go with the next prune.
///
/// # Errors
/// When a ref names the commit, or it is not stored.
pub fn delete_commit(repo: &Repo, id: &CommitId) -> Result<()> {
    repo.require_writable()?;
    let _lock = repo.lock_exclusive()?;
    for (key, target) in repo.list_ref_keys(ListRefs::default())? {
        if target == *id {
            return Err(Error::other(format!(
                "Commit '{id}' is referenced by '{}'",
                key.display()
            )));
        }
    }
    for ((collection, name), target) in repo.list_collection_refs(true)? {
        if target == *id {
            return Err(Error::other(format!(
                "Commit '{id}' is referenced by '({collection}, {name})'"
            )));
        }
    }
    let object = id.object_name();
    if !crate::read::exists(repo.objects_dir(), &object.loose_path(false))? {
        return Err(Error::Io {
            action: format!(
                "Deleting object {object}: unlinkat({})",
                object.loose_path(false)
            ),
            source: Errno::NOENT.into(),
        });
    }
    set_flag(repo, TOMBSTONES)?;
    delete_commit_object(repo, id, true)
}

/// Deletes the deltas that lead to a commit, and gives how many there were.
pub fn delete_deltas_to(repo: &Repo, id: &CommitId) -> Result<u64> {
    let _lock = repo.lock_exclusive()?;
    let mut n = 0;
    for name in repo.list_static_deltas()? {
        if name.to == *id {
            repo.delete_static_delta(&name)?;
            n += 1;
        }
    }
    Ok(n)
}

fn kept_commits(repo: &Repo, options: &PruneOptions, cancel: &Cancel) -> Result<Vec<CommitNode>> {
    let per_branch = options.per_branch
        || options.keep_younger_than.is_some()
        || !options.branch_depth.is_empty()
        || !options.only_branches.is_empty();
    let mut roots: Vec<(CommitId, Depth)> = Vec::new();
    if per_branch || options.refs_only {
        roots.extend(options.extra_roots.iter().map(|id| (*id, Some(0))));
        // Refs of other collections count too: their commits must not be lost.
        for id in repo.list_collection_refs(true)?.into_values() {
            roots.push((id, options.depth));
        }
        let refs = repo.list_ref_keys(ListRefs::default())?;
        check_branches(&refs, options)?;
        for (key, id) in &refs {
            roots.extend(branch_roots(repo, key, id, options, per_branch)?);
        }
    } else {
        roots.extend(repo.list_commits()?.into_iter().map(|id| (id, Some(0))));
        roots.extend(options.extra_roots.iter().map(|id| (*id, Some(0))));
    }
    traverse::history(repo, roots, cancel)
}

fn check_branches(refs: &BTreeMap<RefKey, CommitId>, options: &PruneOptions) -> Result<()> {
    let known: HashSet<String> = refs.keys().map(RefKey::display).collect();
    match options.only_branches.iter().find(|b| !known.contains(*b)) {
        Some(missing) => Err(Error::RefNotFound(missing.clone())),
        None => Ok(()),
    }
}

fn branch_roots(
    repo: &Repo,
    key: &RefKey,
    id: &CommitId,
    options: &PruneOptions,
    per_branch: bool,
) -> Result<Vec<(CommitId, Depth)>> {
    if !per_branch {
        return Ok(vec![(*id, options.depth)]);
    }
    let name = key.display();
    if let Some(depth) = options.branch_depth.get(&name) {
        return Ok(vec![(*id, *depth)]);
    }
    let only = &options.only_branches;
    if !only.is_empty() && !only.contains(&name) {
        return Ok(vec![(*id, None)]);
    }
    let Some(oldest) = options.keep_younger_than else {
        return Ok(vec![(*id, options.depth)]);
    };
    let mut roots = vec![(*id, Some(0))];
    let mut seen = BTreeSet::from([*id]);
    // A tip that is too old itself keeps none of its parents.
    let mut next = traverse::load_node(repo, id)?
        .filter(|node| node.timestamp >= oldest)
        .and_then(|node| node.parent);
    while let Some(parent) = next.take() {
        let Some(node) = traverse::load_node(repo, &parent)? else {
            break;
        };
        if node.timestamp >= oldest && seen.insert(parent) {
            roots.push((parent, Some(0)));
            next = node.parent;
        }
    }
    Ok(roots)
}

/// Number of objects looked at, and those not reached with the bytes their files take, commits first.
fn unreached(
    repo: &Repo,
    options: &PruneOptions,
    reached: &Reached,
    cancel: &Cancel,
) -> Result<(u64, Vec<(ObjectName, u64)>)> {
    let looked_at = |name: &ObjectName| match name.ty {
        ObjectType::Commit => true,
        ObjectType::File | ObjectType::Dirtree | ObjectType::Dirmeta | ObjectType::PayloadLink => {
            !options.commit_only
        }
        _ => false,
    };
    let folders: Vec<(u64, Vec<(ObjectName, u64)>)> = parallel::run(|| {
        prefixes()
            .collect::<Vec<_>>()
            .par_iter()
            .map(|prefix| {
                cancel.check()?;
                let Some(fd) = open_prefix(repo.objects_dir(), prefix)? else {
                    return Ok((0, Vec::new()));
                };
                let mut total = 0;
                let mut found = Vec::new();
                for name in list_prefix(repo, &fd, prefix)? {
                    if !looked_at(&name) {
                        continue;
                    }
                    total += 1;
                    let kept = match name.ty {
                        ObjectType::PayloadLink => keeps_payload_link(repo, &name, reached)?,
                        _ => reached.contains(&name),
                    };
                    if kept {
                        continue;
                    }
                    let path = name.loose_path(repo.mode().is_archive());
                    let st = rustix::fs::statat(&fd, &path[3..], AtFlags::SYMLINK_NOFOLLOW)
                        .at(|| format!("stat objects/{path}"))?;
                    found.push((name, st.st_size as u64));
                }
                Ok((total, found))
            })
            .collect::<Result<_>>()
    })?;
    let total = folders.iter().map(|(n, _)| n).sum();
    let mut found: Vec<_> = folders.into_iter().flat_map(|(_, found)| found).collect();
    found.sort_by_key(|(name, _)| (name.ty != ObjectType::Commit, *name));
    Ok((total, found))
}

/// A payload link stays while the file it names does, if that is large enough for links to be made at all.
fn keeps_payload_link(repo: &Repo, name: &ObjectName, reached: &Reached) -> Result<bool> {
    let Some(threshold) = repo.config().payload_link_threshold else {
        return Ok(false);
    };
    let path = name.loose_path(repo.mode().is_archive());
    let target = match rustix::fs::readlinkat(repo.objects_dir(), &path, Vec::new()) {
        Ok(target) => target.to_string_lossy().into_owned(),
        Err(Errno::INVAL) => return Ok(false),
        Err(e) => return Err(e).at(|| format!("readlinkat(objects/{path})")),
    };
    let file = target
        .strip_prefix("../")
        .and_then(|rest| rest.split_once('/'))
        .and_then(|(prefix, rest)| ObjectName::from_loose(prefix, rest));
    let Some((file, _)) =
        file.filter(|(file, _)| file.ty == ObjectType::File && reached.contains(file))
    else {
        return Ok(false);
    };
    match repo.stored_size(&file) {
        Ok(size) => Ok(size >= threshold),
        Err(Error::MissingObject(_)) => Ok(false),
        Err(e) => Err(e),
    }
}

fn orphaned_deltas(repo: &Repo, reached: &Reached) -> Result<Vec<DeltaName>> {
    let mut out = Vec::new();
    for name in repo.list_static_deltas()? {
        // A delta may serve a commit of the parent repository.
        let kept = reached.contains(&name.to.object_name())
            || repo
                .parent()
                .map_or(Ok(false), |p| p.has_object(&name.to.object_name()))?;
        if !kept {
            out.push(name);
        }
    }
    Ok(out)
}

/// Cached summaries of remotes that are no longer configured.
fn orphaned_summaries(repo: &Repo) -> Result<Vec<String>> {
    const PATH: &str = "tmp/cache/summaries";
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let fd = match rustix::fs::openat(repo.dir(), PATH, flags, Mode::empty()) {
        Ok(fd) => fd,
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(Vec::new()),
        Err(e) => return Err(e).at(|| format!("opendir({PATH})")),
    };
    let mut remotes = HashSet::new();
    let mut next = Some(repo);
    while let Some(repo) = next {
        for group in repo.config().keyfile.groups() {
            let name = group
                .strip_prefix("remote \"")
                .and_then(|rest| rest.strip_suffix('"'));
            remotes.extend(name.map(str::to_owned));
        }
        next = repo.parent();
    }
    let mut out = Vec::new();
    for entry in rustix::fs::Dir::read_from(&fd).at(|| format!("reading {PATH}"))? {
        let entry = entry.at(|| format!("reading {PATH}"))?;
        let Ok(name) = entry.file_name().to_str() else {
            continue;
        };
        let remote = name.strip_suffix(".sig").unwrap_or(name);
        if !matches!(name, "." | "..") && !remotes.contains(remote) {
            out.push(name.to_owned());
        }
    }
    Ok(out)
}

fn delete_commit_object(repo: &Repo, id: &CommitId, tombstone: bool) -> Result<()> {
    if tombstone {
        write_tombstone(repo, id)?;
    }
    unlink_object(repo, &ObjectName::new(id.0, ObjectType::Commitmeta))?;
    unlink_object(repo, &id.object_name())?;
    unlink(repo, &format!("state/{id}.commitpartial"))?;
    Ok(())
}

/// Writes a tombstone outside a transaction: deleting holds the exclusive lock, which shuts transactions out.
pub(crate) fn write_tombstone(repo: &Repo, id: &CommitId) -> Result<()> {
    let path = ObjectName::new(id.0, ObjectType::TombstoneCommit).loose_path(false);
    let prefix = &path[..2];
    match rustix::fs::mkdirat(repo.objects_dir(), prefix, Mode::from_raw_mode(0o777)) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(e) => return Err(e).at(|| format!("mkdirat(objects/{prefix})")),
    }
    crate::replace_file::replace(
        repo.objects_dir(),
        &path,
        &osier_object::tombstone::encode(id),
        0o644,
        repo.config().fsync,
    )
    .at(|| format!("writing object {path}"))
}

/// Deletes an object's file; `false` when there was none.
pub(crate) fn unlink_object(repo: &Repo, name: &ObjectName) -> Result<bool> {
    let path = name.loose_path(repo.mode().is_archive());
    match rustix::fs::unlinkat(repo.objects_dir(), &path, AtFlags::empty()) {
        Ok(()) => Ok(true),
        Err(Errno::NOENT) => Ok(false),
        Err(e) => Err(e).at(|| format!("Deleting object {name}: unlinkat({path})")),
    }
}

fn unlink(repo: &Repo, path: &str) -> Result<()> {
    match rustix::fs::unlinkat(repo.dir(), path, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(e) => Err(e).at(|| format!("unlinkat({path})")),
    }
}

/// Marks a commit as lacking objects because a check found them missing or damaged.
pub(crate) fn mark_partial_by_fsck(repo: &Repo, id: &CommitId) -> Result<()> {
    let path = format!("state/{id}.commitpartial");
    match rustix::fs::mkdirat(repo.dir(), "state", Mode::from_raw_mode(0o775)) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(e) => return Err(e).at(|| "mkdirat(state)".into()),
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(repo.dir(), &path, flags, Mode::from_raw_mode(0o644))
        .at(|| format!("creating {path}"))?;
    std::fs::File::from(fd)
        .write_all(b"f")
        .at(|| format!("writing {path}"))
}
