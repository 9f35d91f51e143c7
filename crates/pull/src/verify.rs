//! What a commit must prove before it is accepted: signatures, bindings, age.

use crate::Error;
use crate::error::{CommitProblem, SummaryProblem};
use crate::remote::{Remote, RemoteError, SignVerify};
use osier_gv::Dict;
use osier_object::commit::key;
use osier_object::{Commit, CommitId};

/// The signatures that a remote demands.
#[derive(Clone, Debug)]
pub(crate) struct Signatures {
    gpg: bool,
    gpg_summary: bool,
    sign: SignVerify,
    sign_summary: SignVerify,
}

impl Signatures {
    pub fn of(remote: &Remote) -> Result<Signatures, RemoteError> {
        Ok(Signatures {
            gpg: remote.gpg_verify()?,
            gpg_summary: remote.gpg_verify_summary()?,
            sign: remote.sign_verify("sign-verify")?,
            sign_summary: remote.sign_verify("sign-verify-summary")?,
        })
    }

    /// Checks a commit against its detached metadata. What this build cannot verify, it refuses.
    pub fn check_commit(&self, commit: &CommitId, meta: Option<&Dict>) -> Result<(), Error> {
        let fail = |problem| {
            Err(Error::Commit {
                commit: *commit,
                problem,
            })
        };
        let has = |wanted: &dyn Fn(&str) -> bool| {
            meta.is_some_and(|m| m.iter().any(|(key, _)| wanted(key)))
        };
        if self.gpg {
            return match has(&|key| key == key::GPGSIGS) {
                true => fail(CommitProblem::GpgUnsupported),
                false => fail(CommitProblem::NoGpgSignatures),
            };
        }
        if self.sign != SignVerify::Off {
            return match has(&|key| key.starts_with("ostree.sign.")) {
                true => fail(CommitProblem::SignUnsupported),
                false => fail(CommitProblem::NoSignatures),
            };
        }
        Ok(())
    }

    /// Checks what was found of a summary and its signature.
    pub fn check_summary(&self, summary: bool, signature: bool) -> Result<(), Error> {
        let demands = [
            (self.gpg_summary, "GPG", "gpg-verify-summary"),
            (
                self.sign_summary != SignVerify::Off,
                "Signatures",
                "sign-verify-summary",
            ),
        ];
        for (demanded, kind, key) in demands {
            let problem = match (demanded, summary, signature) {
                (false, _, _) => continue,
                (true, false, _) => SummaryProblem::Missing(kind, key),
                (true, true, false) => SummaryProblem::Unsigned(kind, key),
                (true, true, true) => SummaryProblem::Unsupported(kind, key),
            };
            return Err(Error::Summary(problem));
        }
        Ok(())
    }
}

/// Checks that a commit was made for the ref, and the collection, that it is pulled as.
pub(crate) fn check_bindings(
    id: &CommitId,
    commit: &Commit,
    ref_name: &str,
    collection: Option<&str>,
) -> Result<(), Error> {
    let fail = |problem| {
        Err(Error::Commit {
            commit: *id,
            problem,
        })
    };
    let metadata = &commit.metadata;
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

/// Refuses a commit older than `old`. The same age is fine.
pub(crate) fn check_age(new: (&CommitId, &Commit), old: (&CommitId, &Commit)) -> Result<(), Error> {
    let (new_time, old_time) = (new.1.timestamp, old.1.timestamp);
    if new_time >= old_time {
        return Ok(());
    }
    Err(Error::Downgrade {
        new: *new.0,
        new_time,
        old: *old.0,
        old_time,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use osier_gv::Value;
    use osier_object::{Checksum, DirmetaId, DirtreeId};

    fn signatures() -> Signatures {
        Signatures {
            gpg: false,
            gpg_summary: false,
            sign: SignVerify::Off,
            sign_summary: SignVerify::Off,
        }
    }

    fn commit(time: u64) -> (CommitId, Commit) {
        let commit = Commit::new(
            DirtreeId(Checksum([0; 32])),
            DirmetaId(Checksum([0; 32])),
            time,
        );
        (commit.id(), commit)
    }

    fn message(result: Result<(), Error>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn a_demanded_signature_is_never_waived() {
        let (id, _) = commit(0);
        let mut signed = Dict::new();
        signed.push(key::GPGSIGS, Value::Byte(0));
        signed.push("ostree.sign.ed25519", Value::Byte(0));
        assert!(signatures().check_commit(&id, None).is_ok());
        let gpg = Signatures {
            gpg: true,
            ..signatures()
        };
        assert_eq!(
            message(gpg.check_commit(&id, None)),
            format!(
                "Commit {id}: GPG verification enabled, but no signatures found (use gpg-verify=false in remote config to disable)"
            )
        );
        assert!(
            message(gpg.check_commit(&id, Some(&signed))).contains("not supported in this build")
        );
        let sign = Signatures {
            sign: SignVerify::Any,
            ..signatures()
        };
        assert!(
            message(sign.check_commit(&id, Some(&Dict::new()))).ends_with("No signatures found")
        );
        assert!(
            message(sign.check_commit(&id, Some(&signed))).contains("not supported in this build")
        );
        for both in [
            Signatures {
                gpg_summary: true,
                ..signatures()
            },
            Signatures {
                sign_summary: SignVerify::Any,
                ..signatures()
            },
        ] {
            assert!(message(both.check_summary(false, false)).contains("no summary found"));
            assert!(message(both.check_summary(true, false)).contains("no summary.sig found"));
            assert!(
                message(both.check_summary(true, true)).contains("not supported in this build")
            );
        }
    }

    #[test]
    fn bindings() {
        let (id, mut made) = commit(0);
        assert!(check_bindings(&id, &made, "main", None).is_ok());
        assert!(
            message(check_bindings(&id, &made, "main", Some("a.b")))
                .ends_with("ref binding information, found none")
        );
        let ty = osier_gv::Type::parse("s").unwrap();
        made.metadata.push(
            key::REF_BINDING,
            Value::Array(ty, vec![Value::Str("a".into()), Value::Str("main".into())]),
        );
        assert!(check_bindings(&id, &made, "main", None).is_ok());
        assert_eq!(
            message(check_bindings(&id, &made, "other", None)),
            format!(
                "Commit {id}: Commit has no requested ref ‘other’ in ref binding metadata (‘a’, ‘main’)"
            )
        );
        assert!(check_bindings(&id, &made, "main", Some("a.b")).is_err());
        made.metadata
            .push(key::COLLECTION_BINDING, Value::Str("a.b".into()));
        assert!(check_bindings(&id, &made, "main", Some("a.b")).is_ok());
        assert_eq!(
            message(check_bindings(&id, &made, "main", Some("a.c"))),
            format!(
                "Commit {id}: Commit has collection ID ‘a.b’ in collection binding metadata, while the remote it came from has collection ID ‘a.c’"
            )
        );
    }

    #[test]
    fn age() {
        let (old, new) = (commit(1_700_000_000), commit(1_699_999_700));
        assert!(check_age((&old.0, &old.1), (&new.0, &new.1)).is_ok());
        assert!(check_age((&old.0, &old.1), (&old.0, &old.1)).is_ok());
        assert_eq!(
            message(check_age((&new.0, &new.1), (&old.0, &old.1))),
            format!(
                "Upgrade target revision '{}' with timestamp 'Tue Nov 14 22:08:20 2023' is chronologically older than current revision '{}' with timestamp 'Tue Nov 14 22:13:20 2023'; use --allow-downgrade to permit",
                new.0, old.0
            )
        );
    }
}
