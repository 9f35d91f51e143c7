//! Which object needs which, in numbers: a million objects with ten million names between them fit in 200 MB.

use crate::error::{Error, Result};
use crate::parallel::{self, Cancel};
use crate::read::ReadObjects;
use crate::repo::Repo;
use crate::traverse::{self, CommitNode, Depth};
use osier_object::{CommitId, Dirtree, DirtreeId, ObjectName, ObjectType};
use rayon::prelude::*;
use std::collections::HashMap;

/// Listings decoded at a time, which bounds what is in memory beside the numbers.
const BATCH: usize = 1024;

#[derive(Default)]
pub(super) struct Graph {
    /// The number of each object.
    numbers: HashMap<ObjectName, u32>,
    /// Where in `needs` an object's list is: start and length.
    spans: Vec<(u32, u32)>,
    needs: Vec<u32>,
    commits: HashMap<CommitId, Option<CommitNode>>,
    /// Listings whose contents are not known yet.
    pending: Vec<(u32, DirtreeId)>,
}

impl Graph {
    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    pub(super) fn number(&self, name: &ObjectName) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = (&ObjectName, u32)> {
        self.numbers.iter().map(|(name, number)| (name, *number))
    }

    /// The number of an object, and whether it is new.
    fn intern(&mut self, name: ObjectName) -> Result<(u32, bool)> {
        let next = u32::try_from(self.spans.len()).map_err(|_| too_many())?;
        let number = *self.numbers.entry(name).or_insert(next);
        if number == next {
            self.spans.push((0, 0));
        }
        Ok((number, number == next))
    }

    fn intern_tree(&mut self, id: DirtreeId) -> Result<u32> {
        let (number, new) = self.intern(id.object_name())?;
        if new {
            self.pending.push((number, id));
        }
        Ok(number)
    }

    fn set_needs(&mut self, number: u32, mut needs: Vec<u32>) -> Result<()> {
        needs.sort_unstable();
        needs.dedup();
        let start = u32::try_from(self.needs.len()).map_err(|_| too_many())?;
        let len = u32::try_from(needs.len()).map_err(|_| too_many())?;
        self.spans[number as usize] = (start, len);
        self.needs.extend(needs);
        Ok(())
    }

    /// The commits of a history, newest first. One that is not stored ends it, and is its last.
    pub(super) fn history(
        &mut self,
        repo: &Repo,
        tip: &CommitId,
        depth: Depth,
    ) -> Result<Vec<u32>> {
        let mut history = Vec::new();
        let mut next = Some((*tip, depth));
        while let Some((id, depth)) = next.take() {
            let node = match self.commits.get(&id) {
                Some(node) => *node,
                None => self.load_commit(repo, &id)?,
            };
            // A parent that is not stored is not missing: histories are cut on purpose.
            if node.is_none() && !history.is_empty() {
                break;
            }
            history.push(self.intern(id.object_name())?.0);
            next = match (node.and_then(|node| node.parent), depth) {
                (None, _) | (_, Some(0)) => None,
                (Some(parent), depth) => Some((parent, depth.map(|n| n - 1))),
            };
        }
        Ok(history)
    }

    fn load_commit(&mut self, repo: &Repo, id: &CommitId) -> Result<Option<CommitNode>> {
        let node = traverse::load_node(repo, id)?;
        if let Some(node) = &node {
            let (number, _) = self.intern(id.object_name())?;
            let tree = self.intern_tree(node.root_dirtree)?;
            let (meta, _) = self.intern(node.root_dirmeta.object_name())?;
            self.set_needs(number, vec![tree, meta])?;
        }
        self.commits.insert(*id, node);
        Ok(node)
    }

    /// Whether a commit could be loaded: it needs something then.
    pub(super) fn is_commit_stored(&self, number: u32) -> bool {
        self.spans[number as usize].1 > 0
    }

    /// Reads all listings that the commits need, each once.
    pub(super) fn load_trees(&mut self, repo: &Repo, cancel: &Cancel) -> Result<()> {
        while !self.pending.is_empty() {
            cancel.check()?;
            let rest = self.pending.len().saturating_sub(BATCH);
            let batch = self.pending.split_off(rest);
            let load = |(number, id): &(u32, DirtreeId)| match repo.load_dirtree(id) {
                Ok(tree) => Ok(Some((*number, tree))),
                Err(Error::MissingObject(_)) => Ok(None),
                Err(e) => Err(e),
            };
            let loaded: Vec<Option<(u32, Dirtree)>> =
                parallel::run(|| batch.par_iter().map(load).collect::<Result<_>>())?;
            for (number, tree) in loaded.into_iter().flatten() {
                let mut needs = Vec::with_capacity(tree.files.len() + 2 * tree.dirs.len());
                for (_, id) in &tree.files {
                    needs.push(self.intern(id.object_name())?.0);
                }
                for (_, tree, meta) in &tree.dirs {
                    needs.push(self.intern_tree(*tree)?);
                    needs.push(self.intern(meta.object_name())?.0);
                }
                self.set_needs(number, needs)?;
            }
        }
        Ok(())
    }

    pub(super) fn walk(&self) -> Walk<'_> {
        Walk {
            graph: self,
            round: 0,
            seen: vec![0; self.len()],
            stack: Vec::new(),
        }
    }
}

fn too_many() -> Error {
    Error::other("the repository has more objects than can be measured")
}

/// Repeated walks over one graph.
pub(super) struct Walk<'a> {
    graph: &'a Graph,
    /// Number of the walk; objects seen in it carry it.
    round: u32,
    seen: Vec<u32>,
    stack: Vec<u32>,
}

impl Walk<'_> {
    /// Visits each object once that the commits need, themselves included.
    pub(super) fn from(&mut self, commits: &[u32], mut visit: impl FnMut(u32)) {
        self.round += 1;
        self.stack.extend(commits);
        while let Some(object) = self.stack.pop() {
            let seen = &mut self.seen[object as usize];
            if *seen == self.round {
                continue;
            }
            *seen = self.round;
            visit(object);
            let (start, len) = self.graph.spans[object as usize];
            let needs = &self.graph.needs[start as usize..][..len as usize];
            self.stack.extend(needs);
        }
    }
}

/// The types that count.
pub(super) fn counts(ty: ObjectType) -> bool {
    matches!(
        ty,
        ObjectType::Commit | ObjectType::Dirtree | ObjectType::Dirmeta | ObjectType::File
    )
}
