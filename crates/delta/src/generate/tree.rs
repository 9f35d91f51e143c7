//! What a commit's tree holds: its objects, and the paths of its files.

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
    /// Files and symbolic links with the paths they have. A folder that is in several places counts once.
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
        let mut todo: Vec<(DirtreeId, String)> = vec![(node.root_dirtree, String::new())];
        while let Some((id, path)) = todo.pop() {
            cancel.check()?;
            // However many places it is in, a listing has the same files.
            if !tree.metadata.insert(id.object_name()) {
                continue;
            }
            let listing = repo.load_dirtree(&id)?;
            let entries = 32 * listing.files.len() + 64 * listing.dirs.len();
            progress.done(Phase::ReadingTrees, entries as u64);
            for (name, id) in listing.files {
                let path = format!("{path}/{name}").into();
                tree.files.entry(id).or_default().insert(path);
            }
            for (name, dir, meta) in listing.dirs {
                tree.metadata.insert(meta.object_name());
                todo.push((dir, format!("{path}/{name}")));
            }
        }
        Ok(tree)
    }
}
