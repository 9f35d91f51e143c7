//! Bindings: the refs and the collection that a commit says it was made for.

use crate::error::{Error, Result};
use osier_object::commit::key::{COLLECTION_BINDING, REF_BINDING};
use osier_object::{Commit, CommitId};

/// Checks that `commit` may be found under the ref `name` (no ref for a parent or a commit asked for by checksum) of
/// `collection`.
///
/// A commit without bindings passes, unless a collection is expected: then both must be there.
///
/// # Errors
/// [`Error::Other`] in the words of the reference tool.
pub fn verify(
    id: &CommitId,
    commit: &Commit,
    collection: Option<&str>,
    name: Option<&str>,
) -> Result<()> {
    check(commit, collection, name).map_err(|text| Error::other(format!("Commit {id}: {text}")))
}

/// The refs that a commit is bound to; `None` when it has no such binding.
pub fn refs(commit: &Commit) -> Option<Vec<&str>> {
    commit.metadata.get_strv(REF_BINDING)
}

fn check(commit: &Commit, collection: Option<&str>, name: Option<&str>) -> Result<(), String> {
    match (name, refs(commit)) {
        (Some(name), Some(bound)) if !bound.contains(&name) => {
            let bound: Vec<String> = bound.iter().map(|b| format!("‘{b}’")).collect();
            return Err(format!(
                "Commit has no requested ref ‘{name}’ in ref binding metadata ({})",
                bound.join(", ")
            ));
        }
        (Some(_), None) if collection.is_some() => {
            return Err(
                "Expected commit metadata to have ref binding information, found none".into(),
            );
        }
        _ => {}
    }
    let Some(collection) = collection else {
        return Ok(());
    };
    match commit.metadata.get_str(COLLECTION_BINDING) {
        None => Err(
            "Expected commit metadata to have collection ID binding information, found none".into(),
        ),
        Some(bound) if bound != collection => Err(format!(
            "Commit has collection ID ‘{bound}’ in collection binding metadata, while the remote it came from has collection ID ‘{collection}’"
        )),
        Some(_) => Ok(()),
    }
}
