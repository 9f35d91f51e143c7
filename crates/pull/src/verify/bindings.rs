//! Whether a commit was made for the ref, and the collection, that it is pulled as.

use crate::Error;
use crate::error::CommitProblem;
use osier_object::commit::key;
use osier_object::{Commit, CommitId};

/// Checks that a commit was made for the ref, and the collection, that it is pulled as. One that is pulled for itself, or as
/// somebody's parent, has no ref to answer for.
pub(crate) fn check_bindings(
    id: &CommitId,
    commit: &Commit,
    ref_name: Option<&str>,
    collection: Option<&str>,
) -> Result<(), Error> {
    let fail = |problem| {
        Err(Error::Commit {
            commit: *id,
            problem,
        })
    };
    let metadata = &commit.metadata;
    if let Some(ref_name) = ref_name {
        match (
            metadata.contains_key(key::REF_BINDING),
            metadata.get_strv(key::REF_BINDING),
        ) {
            (true, None) => return fail(CommitProblem::MetadataType(key::REF_BINDING)),
            (true, Some(bound)) if !bound.contains(&ref_name) => {
                let bound = bound.into_iter().map(str::to_owned).collect();
                return fail(CommitProblem::RefBinding {
                    wanted: ref_name.to_owned(),
                    bound,
                });
            }
            (false, _) if collection.is_some() => return fail(CommitProblem::NoRefBinding),
            _ => {}
        }
    }
    let Some(wanted) = collection else {
        return Ok(());
    };
    match (
        metadata.contains_key(key::COLLECTION_BINDING),
        metadata.get_str(key::COLLECTION_BINDING),
    ) {
        (false, _) => fail(CommitProblem::NoCollectionBinding),
        (true, None) => fail(CommitProblem::MetadataType(key::COLLECTION_BINDING)),
        (true, Some(bound)) if bound == wanted => Ok(()),
        (true, Some(bound)) => fail(CommitProblem::CollectionBinding {
            wanted: wanted.to_owned(),
            bound: bound.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{commit, message};
    use super::*;
    use osier_gv::Value;

    #[test]
    fn bindings() {
        let (id, mut made) = commit(0);
        assert!(check_bindings(&id, &made, Some("main"), None).is_ok());
        assert!(
            message(check_bindings(&id, &made, Some("main"), Some("a.b")))
                .ends_with("ref binding information, found none")
        );
        let ty = osier_gv::Type::parse("s").unwrap();
        made.metadata.push(
            key::REF_BINDING,
            Value::Array(ty, vec![Value::Str("a".into()), Value::Str("main".into())]),
        );
        assert!(check_bindings(&id, &made, Some("main"), None).is_ok());
        assert_eq!(
            message(check_bindings(&id, &made, Some("other"), None)),
            format!(
                "Commit {id}: Commit has no requested ref ‘other’ in ref binding metadata (‘a’, ‘main’)"
            )
        );
        assert!(check_bindings(&id, &made, Some("main"), Some("a.b")).is_err());
        made.metadata
            .push(key::COLLECTION_BINDING, Value::Str("a.b".into()));
        assert!(check_bindings(&id, &made, Some("main"), Some("a.b")).is_ok());
        assert_eq!(
            message(check_bindings(&id, &made, Some("main"), Some("a.c"))),
            format!(
                "Commit {id}: Commit has collection ID ‘a.b’ in collection binding metadata, while the remote it came from has collection ID ‘a.c’"
            )
        );
    }
}
