//! GPG signatures of commits and summaries.

use super::{Demands, Trust};
use crate::error::{CommitProblem, SummaryProblem};
use crate::remote::{Remote, RemoteError};
use osier_gv::Dict;
use osier_object::commit::key;
use osier_sign::openpgp::{self, Keyring, describe, describe_all};
use osier_store::{Repo, signatures};

/// What is demanded of GPG signatures, and the keys that may have made them.
#[derive(Debug)]
pub(super) struct Gpg {
    commit: bool,
    summary: bool,
    keys: Keyring,
    now: u64,
    date: fn(u64) -> String,
}

/// Why signatures prove nothing.
#[derive(Debug, PartialEq)]
enum Refused {
    /// There are none.
    Unsigned,
    /// What is wrong with each.
    Invalid(String),
}

impl Gpg {
    /// Takes the demands over, and loads the keyrings if there are any.
    pub fn load(
        demands: &Demands,
        repo: &Repo,
        remote: &Remote,
        trust: &Trust,
    ) -> Result<Gpg, RemoteError> {
        let keys = match demands.gpg || demands.gpg_summary {
            true => remote.keyring(repo, trust.gpg_home.as_deref())?,
            false => Keyring::new(),
        };
        Ok(Gpg {
            commit: demands.gpg,
            summary: demands.gpg_summary,
            keys,
            now: trust.now,
            date: trust.date.unwrap_or(crate::http_date::format_ctime),
        })
    }

    /// What is to be told of the signatures of a commit, if any are demanded.
    pub fn check_commit(
        &self,
        bytes: &[u8],
        meta: Option<&Dict>,
    ) -> Result<Option<String>, CommitProblem> {
        if !self.commit {
            return Ok(None);
        }
        self.check(bytes, meta).map(Some).map_err(|why| match why {
            Refused::Unsigned => CommitProblem::NoGpgSignatures,
            Refused::Invalid(text) => CommitProblem::GpgInvalid(text),
        })
    }

    /// What is to be told of the signatures of a summary, if any are demanded.
    pub fn check_summary(
        &self,
        summary: Option<&[u8]>,
        signature: Option<&[u8]>,
    ) -> Result<Option<String>, SummaryProblem> {
        const KEY: &str = "gpg-verify-summary";
        if !self.summary {
            return Ok(None);
        }
        let (summary, signature) = match (summary, signature) {
            (None, _) => return Err(SummaryProblem::Missing("GPG", KEY)),
            (Some(_), None) => return Err(SummaryProblem::Unsigned("GPG", KEY)),
            (Some(summary), Some(signature)) => (summary, signature),
        };
        // What is no dictionary holds no signatures.
        let meta = Dict::decode(signature).ok();
        self.check(summary, meta.as_ref())
            .map(Some)
            .map_err(|why| match why {
                Refused::Unsigned => SummaryProblem::NoGpgSignatures,
                Refused::Invalid(text) => SummaryProblem::GpgInvalid(text),
            })
    }

    /// One valid signature is enough.
    fn check(&self, bytes: &[u8], meta: Option<&Dict>) -> Result<String, Refused> {
        let Some(meta) = meta.filter(|meta| meta.contains_key(key::GPGSIGS)) else {
            return Err(Refused::Unsigned);
        };
        let found = signatures::get(meta, key::GPGSIGS);
        let reports = openpgp::verify(&self.keys, bytes, &found, self.now).map_err(|cause| {
            let text = format!("GPG: Unable to complete signature verification: GPGME: {cause}");
            Refused::Invalid(text)
        })?;
        if reports.iter().any(openpgp::Report::is_valid) {
            let heading = "GPG: Verification enabled, found";
            return Ok(describe_all(&reports, heading, "", self.now, &self.date));
        }
        // The last first, as the C tool has it.
        let texts: Vec<String> = reports
            .iter()
            .rev()
            .map(|report| describe(report, "", self.now, &self.date))
            .collect();
        Err(Refused::Invalid(texts.join("\n")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use osier_gv::Value;

    fn gpg(commit: bool, summary: bool) -> Gpg {
        Gpg {
            commit,
            summary,
            keys: Keyring::new(),
            now: 0,
            date: |seconds| seconds.to_string(),
        }
    }

    #[test]
    fn a_demanded_signature_is_never_waived() {
        let off = gpg(false, false);
        assert_eq!(off.check_commit(b"", None), Ok(None));
        assert_eq!(off.check_summary(None, None), Ok(None));
        let on = gpg(true, true);
        assert_eq!(
            on.check_commit(b"", None).unwrap_err().to_string(),
            "GPG verification enabled, but no signatures found (use gpg-verify=false in remote config to disable)"
        );
        let mut signed = Dict::new();
        signed.push(key::GPGSIGS, Value::Byte(0));
        assert_eq!(
            on.check_commit(b"", Some(&signed)).unwrap_err().to_string(),
            "GPG: Unable to complete signature verification: GPGME: No data"
        );
        let summary = |summary, signature| {
            on.check_summary(summary, signature)
                .unwrap_err()
                .to_string()
        };
        assert!(summary(None, None).contains("no summary found"));
        assert!(summary(Some(b"s"), None).contains("no summary.sig found"));
        assert!(summary(Some(b"s"), Some(b"x")).contains("no signatures found"));
        assert!(summary(Some(b"s"), Some(&signed.encode())).ends_with("No data"));
    }
}
