//! The three-way merge of `/etc`: defaults of the old tree, the user's current files, defaults of
//! the new tree.
//!
//! `diff` makes the plan from old defaults and user's files; `Changes::apply` carries it out on
//! a fresh copy of the new defaults, which nothing refers to yet. Both walk by directory handles: a
//! link in a user's `/etc` is data, never a way. Source: docs/formats/sysroot.md.

mod apply;
mod copy;
mod diff;

pub(crate) use diff::diff;

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What the user did to `/etc`, as paths relative to it, in the order they were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Other type, content, link target, owner, group or mode than the default's.
    pub modified: Vec<PathBuf>,
    /// Gone; only the top of a removed folder.
    pub removed: Vec<PathBuf>,
    /// New; a folder and each thing in it.
    pub added: Vec<PathBuf>,
}

/// The folder a path is in and its last component; the path is relative and not empty.
fn split(path: &Path) -> (&Path, &[u8]) {
    let name = path.file_name().unwrap_or_default().as_bytes();
    (path.parent().unwrap_or(Path::new("")), name)
}

#[cfg(test)]
mod tests;
