//! Paths inside a commit.

use anyhow::{Result, bail};
use osier_object::{Commit, ContentId, DirmetaId, DirtreeId};
use osier_store::ReadObjects;

/// What a path inside a commit leads to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Node {
    /// A directory: its listing and its metadata.
    Dir(DirtreeId, DirmetaId),
    /// A file or symbolic link.
    File(ContentId),
}

/// A path that a commit does not have, up to the part that is missing.
#[derive(Debug, thiserror::Error)]
#[error("No such file or directory: {0}")]
pub struct NotFound(String);

/// The commit's root directory.
#[must_use]
pub fn root(commit: &Commit) -> Node {
    Node::Dir(commit.root_dirtree, commit.root_dirmeta)
}

/// Follows `path` (absolute or not; both mean from the root) without following
/// symbolic links.
///
/// # Errors
/// `No such file or directory: /PATH` up to the part that is missing (an empty path
/// is not the root either), or `Not a directory`.
pub fn lookup(repo: &dyn ReadObjects, root: Node, path: &str) -> Result<Node> {
    if path.is_empty() {
        return Err(NotFound("/".to_owned()).into());
    }
    let mut here = root;
    let mut done = String::new();
    for name in path.split('/').filter(|name| !name.is_empty()) {
        let Node::Dir(tree, _) = here else {
            bail!("Not a directory")
        };
        done.push('/');
        done.push_str(name);
        here = match child(repo, &tree, name)? {
            Some(node) => node,
            None => return Err(NotFound(done).into()),
        };
    }
    Ok(here)
}

/// The entry called `name` of a directory.
///
/// # Errors
/// When the directory's object cannot be read.
pub fn child(repo: &dyn ReadObjects, dir: &DirtreeId, name: &str) -> Result<Option<Node>> {
    let tree = repo.load_dirtree(dir)?;
    if let Some((_, id)) = tree.files.iter().find(|(n, _)| &**n == name) {
        return Ok(Some(Node::File(*id)));
    }
    Ok(tree
        .dirs
        .iter()
        .find(|(n, _, _)| &**n == name)
        .map(|(_, tree, meta)| Node::Dir(*tree, *meta)))
}

/// The absolute form of a path given by a user, without a slash at the end.
#[must_use]
pub fn absolute(path: &str) -> String {
    let joined = path
        .split('/')
        .filter(|name| !name.is_empty())
        .collect::<Vec<_>>()
        .join("/");
    format!("/{joined}")
}

#[cfg(test)]
mod tests {
    use super::absolute;

    #[test]
    fn paths_are_made_absolute() {
        for (path, expected) in [
            ("", "/"),
            ("/", "/"),
            ("a", "/a"),
            ("/a/b/", "/a/b"),
            ("a//b", "/a/b"),
        ] {
            assert_eq!(absolute(path), expected);
        }
    }
}
