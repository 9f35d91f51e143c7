//! Where signatures are kept: in a dictionary, as arrays of bytes under a key for each kind. That of a commit is its
//! detached metadata, that of the summary the file `summary.sig`.

use crate::read::ReadObjects;
use crate::repo::Repo;
use crate::transaction::TransactionOptions;
use osier_gv::{Dict, Value};
use osier_object::CommitId;

/// The signatures under `key`; none if it is not there or holds something else.
#[must_use]
pub fn get<'a>(signatures: &'a Dict, key: &str) -> Vec<&'a [u8]> {
    signatures.get_bytes_list(key).unwrap_or_default()
}

/// Puts more signatures behind those under `key`.
pub fn append(signatures: &mut Dict, key: &str, new: impl IntoIterator<Item = Vec<u8>>) {
    let mut all: Vec<Vec<u8>> = get(signatures, key)
        .into_iter()
        .map(<[u8]>::to_vec)
        .collect();
    all.extend(new);
    set(signatures, key, all);
}

/// Replaces the signatures under `key`; without any, the key goes.
pub fn set(signatures: &mut Dict, key: &str, all: Vec<Vec<u8>>) {
    match all.is_empty() {
        true => drop(signatures.remove(key)),
        false => signatures.insert(key, Value::bytes_list(all)),
    }
    // The order in which the C tool writes a dictionary that it has changed.
    *signatures = signatures.in_glib_order();
}

/// Changes the detached metadata of a stored commit. It is written even when it becomes empty.
///
/// # Errors
/// What `edit` says, damaged metadata, or failure to write.
pub fn edit_commit<T, E: From<crate::Error>>(
    repo: &Repo,
    id: &CommitId,
    edit: impl FnOnce(&mut Dict) -> std::result::Result<T, E>,
) -> std::result::Result<T, E> {
    repo.require_writable()?;
    let mut tx = repo.begin(&TransactionOptions::default())?;
    // Whoever signs at the same time must not lose a signature to this.
    tx.hold_refs()?;
    let mut metadata = repo.load_commitmeta(id)?.unwrap_or_default();
    let done = edit(&mut metadata)?;
    tx.write_commitmeta(id, &metadata)?;
    tx.commit()?;
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_added_and_taken_away() {
        let mut dict = Dict::new();
        dict.push("version", Value::str("1"));
        append(&mut dict, "k", [b"a".to_vec()]);
        append(&mut dict, "k", [b"b".to_vec(), b"a".to_vec()]);
        assert_eq!(get(&dict, "k"), [b"a", b"b", b"a"]);
        assert_eq!(dict.get_str("version"), Some("1"));
        set(&mut dict, "k", Vec::new());
        assert!(!dict.contains_key("k"));
        assert!(get(&dict, "version").is_empty());
    }
}
