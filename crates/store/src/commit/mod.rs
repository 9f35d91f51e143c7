//! Making a commit: reading trees into one, then writing the commit object.

mod archive;
mod devino;
mod modifier;
pub mod sizes;
mod tree;
mod walk;

pub use archive::{ArchiveOptions, PathnameFilter};
pub use devino::DevinoCache;
pub use modifier::{Modifier, SkipList, StatOverrides};
pub use tree::MutableTree;

use crate::error::{Error, Result};
use crate::mode::RepoMode;
use crate::read::ReadObjects;
use crate::transaction::Transaction;
use osier_gv::Dict;
use osier_object::{Commit, CommitId, DirmetaId, DirtreeId, hash};
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

/// Where a tree to commit comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A folder on disk.
    Dir(PathBuf),
    /// A commit's tree, taken as it is or, with modifiers, rewritten.
    Commit(CommitId),
    /// An archive, compressed or not, read from where the file stands.
    Archive {
        /// Its bytes.
        file: Arc<File>,
        /// What messages call it; `-` is standard input.
        name: String,
        /// How its entries become a tree.
        options: ArchiveOptions,
    },
}

/// The root of a tree whose objects are written.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Root {
    /// Contents of the root directory.
    pub dirtree: DirtreeId,
    /// Its owner, mode and attributes.
    pub dirmeta: DirmetaId,
}

/// What goes into a commit object beside the tree.
#[derive(Clone, Debug, Default)]
pub struct CommitOptions {
    /// The commit before this one.
    pub parent: Option<CommitId>,
    /// One line.
    pub subject: String,
    /// Any text.
    pub body: String,
    /// Seconds since the epoch, UTC.
    pub timestamp: u64,
    /// Metadata in the order it is to be stored.
    pub metadata: Dict,
}

/// Reads the sources in order into one tree, later ones over earlier ones, and writes all its objects.
///
/// # Errors
/// When a source cannot be read as a whole (nothing is skipped), or a file stands where another source has a
/// directory.
pub fn build_tree(tx: &Transaction<'_>, sources: &[Source], modifier: &Modifier) -> Result<Root> {
    build_tree_on(tx, None, sources, modifier)
}

/// As [`build_tree`], starting from the tree of a commit, which the modifier leaves as it is.
///
/// # Errors
/// As [`build_tree`].
pub fn build_tree_on(
    tx: &Transaction<'_>,
    base: Option<&CommitId>,
    sources: &[Source],
    modifier: &Modifier,
) -> Result<Root> {
    if modifier.selinux.is_some() && tx.repo().mode() == RepoMode::BareUserOnly {
        // The label would count in the object's name and be lost from its file.
        return Err(Error::NotAllowed(
            "a bare-user-only repository cannot keep SELinux labels".into(),
        ));
    }
    let mut tree = MutableTree::new();
    if let Some(id) = base {
        tx.takes_tree_of(id)?;
        let commit = tx.load_commit(id)?;
        tree = MutableTree::of_stored(commit.root_dirtree, commit.root_dirmeta);
    }
    let alone = base.is_none() && sources.len() == 1;
    for source in sources {
        add_source(tx, &mut tree, source, modifier, alone)?;
    }
    modifier.check_all_matched()?;
    write_tree(tx, tree)
}

/// Reads one source over what `tree` has; one whose root is to be left out changes nothing. With `alone` there is no
/// other, and nothing need be kept to merge with.
fn add_source(
    tx: &Transaction<'_>,
    tree: &mut MutableTree,
    source: &Source,
    modifier: &Modifier,
    alone: bool,
) -> Result<()> {
    match source {
        Source::Dir(path) => {
            let new = crate::parallel::run(|| walk::read_dir(tx, path, modifier, alone))?;
            new.map_or(Ok(()), |new| tree.overlay(tx, new))
        }
        Source::Commit(id) => {
            tx.takes_tree_of(id)?;
            let commit = tx.load_commit(id)?;
            let stored = MutableTree::of_stored(commit.root_dirtree, commit.root_dirmeta);
            let new = match modifier.is_identity() {
                true => Some(stored),
                false => crate::parallel::run(|| walk::rewrite(tx, stored, modifier, alone))?,
            };
            new.map_or(Ok(()), |new| tree.overlay(tx, new))
        }
        Source::Archive {
            file,
            name,
            options,
        } => archive::add_archive(tx, tree, file.clone(), name, options, modifier),
    }
}

/// Writes the directory objects of a tree.
///
/// # Errors
/// When it has no root directory, or on I/O failure.
fn write_tree(tx: &Transaction<'_>, tree: MutableTree) -> Result<Root> {
    let dirmeta = tree
        .dirmeta()
        .ok_or_else(|| Error::other("Can't commit an empty tree"))?;
    let dirtree = crate::parallel::run(|| tree.write(tx))?;
    Ok(Root { dirtree, dirmeta })
}

/// Writes the commit object. No ref is set. It is marked as partial when a tree was taken from a commit that is.
pub fn write(tx: &Transaction<'_>, root: Root, options: &CommitOptions) -> Result<CommitId> {
    let mut commit = Commit::new(root.dirtree, root.dirmeta, options.timestamp);
    commit.parent = options.parent;
    commit.subject = options.subject.clone();
    commit.body = options.body.clone();
    commit.metadata = options.metadata.clone();
    if tx.is_from_partial() {
        let id = CommitId(hash(&commit.encode()));
        if !tx.has_object(&id.object_name())? {
            tx.mark_partial(&id)?;
        }
    }
    tx.write_commit(&commit)
}
