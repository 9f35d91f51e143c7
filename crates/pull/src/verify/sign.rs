//! Signatures of commits and summaries by the sign API: ed25519, spki, dummy.

use super::{Demands, Trust};
use crate::error::{CommitProblem, SummaryProblem};
use crate::remote::{Remote, RemoteError, SignVerify};
use osier_gv::Dict;
use osier_sign::api::{Error, Kind, TrustedKeys};
use osier_sign::key_folders;
use osier_store::signatures;
use std::path::Path;

/// What is demanded of signatures by the sign API, and the keys that may have made them.
#[derive(Debug)]
pub(super) struct Sign {
    /// One of these must have signed each commit; none if that is not demanded.
    commit: Option<Vec<TrustedKeys>>,
    /// One of these must have signed the summary; none if that is not demanded.
    summary: Option<Vec<TrustedKeys>>,
    /// Whether `dummy` counts.
    dummy: bool,
}

impl Sign {
    /// Takes the demands over, and loads the keys if there are any.
    pub fn load(demands: &Demands, remote: &Remote, trust: &Trust) -> Result<Sign, RemoteError> {
        Ok(Sign {
            commit: load(&demands.sign, remote, trust)?,
            summary: load(&demands.sign_summary, remote, trust)?,
            dummy: trust.dummy,
        })
    }

    /// What is to be told of the signature of a commit, if one is demanded.
    pub fn check_commit(
        &self,
        bytes: &[u8],
        meta: Option<&Dict>,
    ) -> Result<Option<String>, CommitProblem> {
        let Some(trusted) = &self.commit else {
            return Ok(None);
        };
        let Some(meta) = meta else {
            return Err(CommitProblem::NoDetachedMetadata);
        };
        self.check(trusted, bytes, meta)
            .map(Some)
            .map_err(CommitProblem::SignInvalid)
    }

    /// What is to be told of the signature of a summary, if one is demanded.
    pub fn check_summary(
        &self,
        summary: Option<&[u8]>,
        signature: Option<&[u8]>,
    ) -> Result<Option<String>, SummaryProblem> {
        const KEY: &str = "sign-verify-summary";
        let Some(trusted) = &self.summary else {
            return Ok(None);
        };
        let (summary, signature) = match (summary, signature) {
            (_, None) => return Err(SummaryProblem::Unsigned("Signatures", KEY)),
            (None, Some(_)) => return Err(SummaryProblem::Missing("Signatures", KEY)),
            (Some(summary), Some(signature)) => (summary, signature),
        };
        // What is no dictionary holds no signatures.
        let meta = Dict::decode(signature).unwrap_or_default();
        self.check(trusted, summary, &meta)
            .map(Some)
            .map_err(SummaryProblem::SignInvalid)
    }

    /// One good signature by one key of one type is enough.
    fn check(&self, trusted: &[TrustedKeys], data: &[u8], meta: &Dict) -> Result<String, String> {
        let mut reasons = Vec::new();
        for keys in trusted {
            let key = keys.kind().metadata_key();
            if !meta.contains_key(key) {
                continue;
            }
            match self.verdict(keys, data, &signatures::get(meta, key)) {
                Ok(text) => return Ok(text),
                Err(reason) if reasons.contains(&reason) => {}
                Err(reason) => reasons.push(reason),
            }
        }
        match reasons.is_empty() {
            true => Err("No signatures found".to_owned()),
            false => Err(reasons.join("; ")),
        }
    }

    fn verdict(&self, keys: &TrustedKeys, data: &[u8], found: &[&[u8]]) -> Result<String, String> {
        if keys.kind() == Kind::Dummy && !self.dummy {
            return Err(Error::DummyOff.to_string());
        }
        keys.verify(data, found).map_err(|e| e.to_string())
    }
}

/// The keys that a demand allows; none if it demands nothing.
fn load(
    demand: &SignVerify,
    remote: &Remote,
    trust: &Trust,
) -> Result<Option<Vec<TrustedKeys>>, RemoteError> {
    Ok(match demand {
        SignVerify::Off => None,
        SignVerify::Any => Some(
            Kind::ALL
                .into_iter()
                .map(|kind| match configured(kind, remote, trust)? {
                    Some(keys) => Ok(keys),
                    None => system(kind, trust),
                })
                .collect::<Result<_, RemoteError>>()?,
        ),
        SignVerify::Types(names) => {
            let mut all = Vec::new();
            for name in names {
                let kind = Kind::from_name(name).map_err(RemoteError::SignKeys)?;
                let keys = configured(kind, remote, trust)?;
                all.push(keys.ok_or(RemoteError::NoSignKeys(kind.name()))?);
            }
            Some(all)
        }
    })
}

/// The keys that the remote names; none if it names none.
fn configured(
    kind: Kind,
    remote: &Remote,
    trust: &Trust,
) -> Result<Option<TrustedKeys>, RemoteError> {
    let name = kind.name();
    let mut keys = TrustedKeys::new(kind);
    let file = remote.string(&format!("verification-{name}-file"))?;
    let inline = remote.string(&format!("verification-{name}-key"))?;
    if file.is_none() && inline.is_none() {
        return Ok(None);
    }
    if let Some(path) = file {
        key_folders::read(Path::new(&path))
            .and_then(|bytes| keys.add_file(&bytes))
            .map_err(|cause| RemoteError::SignKeyFile {
                kind: name,
                path,
                cause,
            })?;
    }
    if let Some(text) = inline {
        keys.add(&text)
            .map_err(|cause| RemoteError::SignKey { kind: name, cause })?;
    }
    if kind != Kind::Dummy {
        // A key that this machine has revoked is not made good again by naming it.
        keys.load_revoked(&trust.sign_dirs)
            .map_err(RemoteError::SignKeys)?;
    }
    Ok(Some(keys))
}

/// The keys of that type that every remote trusts.
fn system(kind: Kind, trust: &Trust) -> Result<TrustedKeys, RemoteError> {
    let mut keys = TrustedKeys::new(kind);
    if kind != Kind::Dummy {
        keys.load_folders(&trust.sign_dirs)
            .map_err(RemoteError::SignKeys)?;
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use osier_gv::Value;
    use osier_keyfile::KeyFile;

    fn trust(dummy: bool) -> Trust {
        Trust {
            dummy,
            ..Trust::default()
        }
    }

    fn sign(config: &str, trust: &Trust) -> Result<Sign, RemoteError> {
        let text = format!("[remote \"r\"]\n{config}");
        let remote = Remote::new("r", vec![KeyFile::parse(text.as_bytes()).unwrap()], None);
        Sign::load(&Demands::of(&remote)?, &remote, trust)
    }

    fn signed(by: &[&str]) -> Dict {
        let mut dict = Dict::new();
        let all: Vec<Vec<u8>> = by.iter().map(|key| key.as_bytes().to_vec()).collect();
        dict.push("ostree.sign.dummy", Value::bytes_list(all));
        dict
    }

    #[test]
    fn what_is_not_demanded_is_not_looked_at() {
        let off = sign("", &trust(false)).unwrap();
        assert_eq!(off.check_commit(b"", None), Ok(None));
        assert_eq!(off.check_summary(None, None), Ok(None));
    }

    #[test]
    fn types_need_keys_and_must_be_known() {
        let error = |config: &str| sign(config, &trust(true)).unwrap_err().to_string();
        assert_eq!(
            error("sign-verify=dummy\n"),
            "No keys found for required signapi type dummy"
        );
        for unknown in ["bogus", "dummy,", ",", "True", "dummy;x"] {
            let config = format!("sign-verify={unknown}\nverification-dummy-key=k\n");
            assert_eq!(
                error(&config),
                "Requested signature type is not implemented",
                "{unknown}"
            );
        }
        assert!(
            error("sign-verify=true\nverification-dummy-file=/none\n")
                .starts_with("Failed loading 'dummy' keys from '/none")
        );
        assert!(
            error("sign-verify=ed25519\nverification-ed25519-file=/none\n")
                .starts_with("Failed loading 'ed25519' keys from '/none")
        );
        assert!(error("sign-verify=ed25519\nverification-ed25519-key=AAAA\n").contains("32 bytes"));
    }

    #[test]
    fn one_good_signature_suffices_wherever_it_stands() {
        for config in ["sign-verify=true", "sign-verify=dummy;dummy"] {
            let on = sign(
                &format!("{config}\nverification-dummy-key=good\n"),
                &trust(true),
            )
            .unwrap();
            for by in [&["good"][..], &["bad", "good"], &["good", "bad"]] {
                assert_eq!(
                    on.check_commit(b"", Some(&signed(by))).unwrap().as_deref(),
                    Some("dummy: Signature verified")
                );
            }
            assert_eq!(
                on.check_commit(b"", Some(&signed(&["bad"]))),
                Err(CommitProblem::SignInvalid(
                    "signature: dummy: incorrect signatures found: 1".into()
                ))
            );
            assert_eq!(
                on.check_commit(b"", Some(&Dict::new())),
                Err(CommitProblem::SignInvalid("No signatures found".into()))
            );
            assert_eq!(
                on.check_commit(b"", None),
                Err(CommitProblem::NoDetachedMetadata)
            );
            let mut odd = Dict::new();
            odd.push("ostree.sign.dummy", Value::str("good"));
            assert!(on.check_commit(b"", Some(&odd)).is_err());
            let many = vec!["good"; 1025];
            assert!(on.check_commit(b"", Some(&signed(&many))).is_err());
        }
    }

    #[test]
    fn dummy_counts_only_where_it_is_switched_on() {
        let off = sign(
            "sign-verify=dummy\nverification-dummy-key=good\n",
            &trust(false),
        )
        .unwrap();
        assert_eq!(
            off.check_commit(b"", Some(&signed(&["good"]))),
            Err(CommitProblem::SignInvalid(
                "dummy signature type is only for ostree testing".into()
            ))
        );
    }

    #[test]
    fn a_summary_must_be_there_and_signed() {
        let on = sign(
            "sign-verify-summary=dummy\nverification-dummy-key=good\n",
            &trust(true),
        )
        .unwrap();
        let good = signed(&["good"]).encode();
        let message = |summary, signature| {
            on.check_summary(summary, signature)
                .unwrap_err()
                .to_string()
        };
        assert!(on.check_summary(Some(b"s"), Some(&good)).is_ok());
        assert!(message(None, Some(&good)).contains("no summary found"));
        assert!(message(Some(b"s"), None).contains("no summary.sig found"));
        assert!(message(None, None).contains("no summary.sig found"));
        assert_eq!(message(Some(b"s"), Some(b"garbage")), "No signatures found");
        assert_eq!(on.check_commit(b"", None), Ok(None));
    }

    #[test]
    fn the_machine_trusts_and_revokes() {
        use osier_sign::api::SecretKey;
        // Of RFC 8032, section 7.1.
        let secret = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2DXWpgBgrEKt9VL/tPJZAc6DuFy89qmIyWvAhpo9wdRGg==";
        let public = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
        let signature = SecretKey::parse(Kind::Ed25519, secret)
            .and_then(|key| key.sign(b"data"))
            .unwrap();
        let mut meta = Dict::new();
        meta.push("ostree.sign.ed25519", Value::bytes_list([signature]));
        let dir = tempfile::tempdir().unwrap();
        let trust = Trust {
            sign_dirs: vec![dir.path().to_owned()],
            ..Trust::default()
        };
        let check = |config: &str| {
            sign(config, &trust)
                .unwrap()
                .check_commit(b"data", Some(&meta))
        };
        let named = format!("sign-verify=ed25519\nverification-ed25519-key={public}\n");
        let any = "sign-verify=true\n";
        assert!(check(&named).is_ok());
        assert!(check(any).is_err());
        std::fs::write(dir.path().join("trusted.ed25519"), public).unwrap();
        assert!(check(any).is_ok());
        std::fs::create_dir(dir.path().join("revoked.ed25519.d")).unwrap();
        std::fs::write(dir.path().join("revoked.ed25519.d/lost"), public).unwrap();
        assert!(check(any).is_err());
        assert!(check(&named).is_err());
        // What is revoked must be known for sure.
        std::fs::write(dir.path().join("revoked.ed25519.d/lost"), "?").unwrap();
        assert!(sign(any, &trust).is_err());
        assert!(sign(&named, &trust).is_err());
    }
}
