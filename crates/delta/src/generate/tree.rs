//! What a commit's tree holds: its objects, and the names of its files.

use super::{Phase, Progress};
use crate::error::{Error, Result};
use osier_object::{CommitId, ContentId, DirtreeId, ObjectName};
use osier_store::parallel::Cancel;
use osier_store::{ReadObjects, Repo, traverse};
use std::collections::{BTreeMap, BTreeSet, HashSet};

#[derive(Debug, Default)]
pub(super) struct Tree {
    /// Listings and directories' metadata.
    pub(super) metadata: HashSet<ObjectName>,
    /// Files and symbolic links with the names they have anywhere, without folders.
    pub(super) files: BTreeMap<ContentId, BTreeSet<Box<str>>>,
}

impl Tree {
    pub(super) fn read(
        repo: &Repo,
        commit: &CommitId,
        progress: &dyn Progress,
        cancel: &Cancel,
    ) -> Result<Tree> {
        let node = traverse::load_node(repo, commit)?
            .ok_or_else(|| Error::Store(osier_store::Error::MissingObject(commit.object_name())))?;
        let mut tree = Tree::default();
        tree.metadata.insert(node.root_dirmeta.object_name());
        let mut todo: Vec<DirtreeId> = vec![node.root_dirtree];
        while let Some(id) = todo.pop() {
            cancel.check()?;
            // However many places it is in, a listing has the same names.
            if !tree.metadata.insert(id.object_name()) {
                continue;
            }
            let listing = repo.load_dirtree(&id)?;
            let entries = 32 * listing.files.len() + 64 * listing.dirs.len();
            progress.done(Phase::ReadingTrees, entries as u64);
            for (name, id) in listing.files {
                tree.files.entry(id).or_default().insert(name);
            }
            for (_, dir, meta) in listing.dirs {
                tree.metadata.insert(meta.object_name());
                todo.push(dir);
            }
        }
        Ok(tree)
    }
}
