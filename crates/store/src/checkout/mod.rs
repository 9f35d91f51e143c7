//! Writing a stored tree out as files: as hard links to the objects where the mode allows, else as copies.

mod cache;
mod dir;
mod file;
mod labelling;
mod place;

pub use labelling::Labelling;

pub(crate) use cache::entries as uncompressed_cache_entries;

use crate::error::{Error, IoContext, Result};
use crate::mode::RepoMode;
use crate::parallel::{Cancel, Progress};
use crate::read::ReadObjects;
use osier_object::{CommitId, ContentId, DirmetaId, DirtreeId};
use std::collections::BTreeSet;
use std::os::fd::BorrowedFd;
use std::path::Path;

/// What to do about files and folders that are there already.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub enum Existing {
    /// Anything in the way is an error.
    #[default]
    Fail,
    /// Folders merge, files are replaced.
    Union,
    /// Folders merge, files that are there stay.
    UnionAdd,
    /// Folders merge, files that are there must be the same.
    UnionIdentical,
}

/// Links or copies.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub enum Linking {
    /// Link where possible.
    #[default]
    Auto,
    /// Link or fail.
    Require,
    /// Always copy.
    Never,
}

/// How to check out.
#[derive(Clone, Debug, Default)]
pub struct CheckoutOptions {
    /// Leave owners and attributes, and drop set-id bits of files.
    pub user_mode: bool,
    /// What to do about existing files.
    pub existing: Existing,
    /// Links or copies.
    pub linking: Linking,
    /// Act on `.wh.NAME` and `.wh..wh..opq` instead of writing them.
    pub whiteouts: bool,
    /// Turn `.ostree-wh.NAME` into an overlayfs whiteout.
    pub passthrough_whiteouts: bool,
    /// Directory modes within 0775.
    pub bareuseronly_dirs: bool,
    /// Do not use the cache of unpacked files.
    pub disable_cache: bool,
    /// Sync every file.
    pub fsync: bool,
    /// Absolute paths to leave out; those of directories end with a slash.
    pub skip: BTreeSet<String>,
    /// Path inside the tree to check out instead of the root.
    pub subpath: Option<String>,
    /// Label files. Goes with [`Linking::Never`].
    pub selinux: Option<Labelling>,
}

/// What a checkout did.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct Outcome {
    /// Files and links placed.
    pub files: u64,
    /// How many of them are further names of an object.
    pub hardlinked: u64,
}

/// Checks out a commit's tree into `dest` below `parent`.
///
/// # Errors
/// When an object is missing, something is in the way, or I/O fails; what was written until then stays.
pub fn checkout_commit(
    objects: &dyn ReadObjects,
    commit: &CommitId,
    parent: BorrowedFd<'_>,
    dest: &Path,
    options: &CheckoutOptions,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Outcome> {
    let commit = objects.load_commit(commit)?;
    let found = match options.subpath.as_deref() {
        None => Found::Dir(commit.root_dirtree, commit.root_dirmeta),
        Some(path) => find(objects, commit.root_dirtree, commit.root_dirmeta, path)?,
    };
    let checkout = dir::Checkout::new(objects, options, progress, cancel)?;
    crate::parallel::run(|| match found {
        Found::Dir(tree, meta) => checkout.root(parent, dest, tree, meta),
        Found::File(name, id) => checkout.single(parent, dest, &name, id),
    })?;
    Ok(checkout.outcome())
}

/// Checks out a directory listing as the folder `dest` below `parent`.
///
/// # Errors
/// As [`checkout_commit`].
#[allow(clippy::too_many_arguments)]
pub fn checkout_tree(
    objects: &dyn ReadObjects,
    dirtree: DirtreeId,
    dirmeta: DirmetaId,
    parent: BorrowedFd<'_>,
    dest: &Path,
    options: &CheckoutOptions,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Outcome> {
    let checkout = dir::Checkout::new(objects, options, progress, cancel)?;
    crate::parallel::run(|| checkout.root(parent, dest, dirtree, dirmeta))?;
    Ok(checkout.outcome())
}

/// An entry of a stored tree.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Found {
    /// A directory.
    Dir(DirtreeId, DirmetaId),
    /// A file or symbolic link, with its name.
    File(String, ContentId),
}

/// Looks a path up below a stored directory. Symbolic links are not followed.
///
/// # Errors
/// An I/O error of the kind "not found" when there is nothing.
pub fn find(
    objects: &dyn ReadObjects,
    tree: DirtreeId,
    meta: DirmetaId,
    path: &str,
) -> Result<Found> {
    let missing = || Err(rustix::io::Errno::NOENT).at(|| format!("looking for {path} in the tree"));
    let (mut tree, mut meta) = (tree, meta);
    let mut parts = path
        .split('/')
        .filter(|p| !p.is_empty() && *p != ".")
        .peekable();
    while let Some(part) = parts.next() {
        if part == ".." {
            return Err(Error::other(format!(
                "Invalid path {path}: it leads upwards"
            )));
        }
        let listing = objects.load_dirtree(&tree)?;
        if let Some((_, t, m)) = listing.dirs.iter().find(|(name, ..)| &**name == part) {
            (tree, meta) = (*t, *m);
            continue;
        }
        return match listing.files.iter().find(|(name, _)| &**name == part) {
            Some((name, id)) if parts.peek().is_none() => Ok(Found::File(name.to_string(), *id)),
            _ => missing(),
        };
    }
    Ok(Found::Dir(tree, meta))
}

/// Whether a mode forces a checkout to leave owners alone.
pub(crate) fn forces_user_mode(mode: RepoMode) -> bool {
    mode == RepoMode::BareUserOnly
}
