//! What is pushed: refs, the commits they lead to, and all that those need.

use crate::error::{Error, Result};
use crate::options::PushOptions;
use osier_object::{CommitId, ContentId, ObjectName, ObjectType};
use osier_store::parallel::Cancel;
use osier_store::traverse::{CommitNode, TreeWalk, history};
use osier_store::{ListRefs, ReadObjects, RefKey, Repo};
use std::collections::{BTreeMap, HashMap, HashSet};

/// What is to be at the destination.
pub(crate) struct Selection {
    /// Whether all local refs were asked for.
    pub(crate) all_refs: bool,
    pub(crate) refs: BTreeMap<String, CommitId>,
    /// Parents before those that follow them.
    pub(crate) commits: Vec<CommitNode>,
    /// Listings and metadata of directories.
    pub(crate) trees: Vec<ObjectName>,
    pub(crate) contents: Vec<ContentId>,
}

/// Finds out what a push is of.
pub(crate) fn select(repo: &Repo, options: &PushOptions, cancel: &Cancel) -> Result<Selection> {
    let refs = refs(repo, &options.refs)?;
    let mut commits = history(repo, refs.values().map(|id| (*id, options.depth)), cancel)?;
    let tips: HashSet<CommitId> = refs.values().copied().collect();
    for tip in &tips {
        if !commits.iter().any(|commit| commit.id == *tip) {
            return Err(osier_store::Error::MissingObject(tip.object_name()).into());
        }
    }
    let mut whole = Vec::with_capacity(commits.len());
    for commit in commits.drain(..) {
        match repo.commit_state(&commit.id)?.partial {
            false => whole.push(commit),
            true if tips.contains(&commit.id) => return Err(Error::Partial(commit.id)),
            // A parent that cannot be brought whole is not brought.
            true => {}
        }
    }
    let reached = osier_store::traverse::Reached::new();
    TreeWalk::new(repo, &reached, cancel).commits(&whole)?;
    let (mut trees, mut contents) = (Vec::new(), Vec::new());
    for name in reached.into_sorted() {
        match name.ty {
            ObjectType::File => contents.push(ContentId(name.checksum)),
            ObjectType::Commit => {}
            _ => trees.push(name),
        }
    }
    Ok(Selection {
        all_refs: options.refs.is_empty(),
        refs,
        commits: parents_first(whole),
        trees,
        contents,
    })
}

fn refs(repo: &Repo, names: &[String]) -> Result<BTreeMap<String, CommitId>> {
    let mut found = BTreeMap::new();
    if names.is_empty() {
        let local = ListRefs {
            exclude_remotes: true,
            aliases_only: false,
        };
        for (key, id) in repo.list_ref_keys(local)? {
            if let RefKey::Local(name) = key {
                found.insert(name, id);
            }
        }
        if found.is_empty() {
            return Err(Error::Other(format!(
                "Nothing to push: {} has no local refs",
                repo.path().display()
            )));
        }
        return Ok(found);
    }
    for name in names {
        let key = match RefKey::from_refspec(name)? {
            key @ RefKey::Local(_) => key,
            _ => {
                return Err(Error::Other(format!(
                    "Cannot push {name}: only local refs can be pushed"
                )));
            }
        };
        let id = repo
            .read_ref(&key)?
            .ok_or_else(|| osier_store::Error::RefNotFound(name.clone()))?;
        found.insert(name.clone(), id);
    }
    Ok(found)
}

fn parents_first(commits: Vec<CommitNode>) -> Vec<CommitNode> {
    let nodes: HashMap<CommitId, CommitNode> = commits.iter().map(|c| (c.id, *c)).collect();
    let mut done = HashSet::new();
    let mut out = Vec::with_capacity(commits.len());
    for commit in commits {
        // From a commit up to one that is done, then back down.
        let mut line = Vec::new();
        let mut next = Some(commit.id);
        while let Some(node) = next.and_then(|id| nodes.get(&id)) {
            if !done.insert(node.id) {
                break;
            }
            line.push(*node);
            next = node.parent;
        }
        out.extend(line.into_iter().rev());
    }
    out
}

/// Whether a commit leads to an older one, as far as its history is here.
pub(crate) fn leads_to<R: ReadObjects + ?Sized>(
    repo: &R,
    from: &CommitId,
    older: &CommitId,
    cancel: &Cancel,
) -> Result<bool> {
    let line = history(repo, [(*from, None)], cancel)?;
    // The older one need not be here itself, to be known as a parent.
    Ok(line
        .iter()
        .any(|commit| commit.id == *older || commit.parent == Some(*older)))
}
