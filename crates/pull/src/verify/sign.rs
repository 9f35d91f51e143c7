//! Signatures of commits and summaries by the sign API: ed25519, spki, dummy.

use super::{Demands, Trust};
use crate::error::{CommitProblem, SummaryProblem};
use crate::remote::{Remote, RemoteError, SignVerify};
use osier_gv::Dict;

/// What is demanded of signatures by the sign API.
#[derive(Debug)]
pub(super) struct Sign {
    commit: SignVerify,
    summary: SignVerify,
}

impl Sign {
    /// Takes the demands over, and loads the keys if there are any.
    pub fn load(demands: &Demands, _remote: &Remote, _trust: &Trust) -> Result<Sign, RemoteError> {
        Ok(Sign {
            commit: demands.sign.clone(),
            summary: demands.sign_summary.clone(),
        })
    }

    /// What is to be told of the signature of a commit, if one is demanded.
    pub fn check_commit(
        &self,
        _bytes: &[u8],
        meta: Option<&Dict>,
    ) -> Result<Option<String>, CommitProblem> {
        if self.commit == SignVerify::Off {
            return Ok(None);
        }
        let signed = meta.is_some_and(|m| m.keys().any(|k| k.starts_with("ostree.sign.")));
        Err(match signed {
            true => CommitProblem::SignUnsupported,
            false => CommitProblem::NoSignatures,
        })
    }

    /// What is to be told of the signature of a summary, if one is demanded.
    pub fn check_summary(
        &self,
        summary: Option<&[u8]>,
        signature: Option<&[u8]>,
    ) -> Result<Option<String>, SummaryProblem> {
        const KEY: &str = "sign-verify-summary";
        if self.summary == SignVerify::Off {
            return Ok(None);
        }
        Err(match (summary, signature) {
            (None, _) => SummaryProblem::Missing("Signatures", KEY),
            (Some(_), None) => SummaryProblem::Unsigned("Signatures", KEY),
            (Some(_), Some(_)) => SummaryProblem::Unsupported("Signatures", KEY),
        })
    }
}
