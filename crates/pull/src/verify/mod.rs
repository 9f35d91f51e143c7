//! What a commit and a summary must prove before they are accepted: signatures, bindings, age.
//!
//! # The order of checks
//! A **summary**, before anything in it is looked at: is it there where a signature is demanded, then GPG, then the sign
//! API. A **commit**, before it is stored: its checksum and form (by whoever got it), GPG, the sign API; then bindings and
//! age. Every demand must be met by itself, and by what was received in this very pull: no check stands in for another.

mod age;
mod bindings;
mod gpg;
mod sign;
mod trust;

pub(crate) use age::check_age;
pub(crate) use bindings::check_bindings;
pub use trust::{Demands, Trust};

use crate::Error;
use crate::error::CommitProblem;
use crate::remote::{Remote, RemoteError, SignVerify};
use osier_gv::Dict;
use osier_object::CommitId;
use osier_store::Repo;

/// The signatures that a remote demands, and the keys that may have made them.
#[derive(Debug)]
pub struct Signatures {
    gpg: gpg::Gpg,
    sign: sign::Sign,
    /// What must have signed static deltas; none if they need not be signed.
    deltas: Option<sign::Sign>,
    accepted: std::sync::Mutex<Vec<(CommitId, Verified)>>,
}

/// What was found to be signed well, for people to read.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Verified {
    /// The block about GPG signatures, as `show` prints it; none where they were not demanded.
    pub gpg: Option<String>,
    /// The line about the signature of the sign API that was accepted; none where it was not demanded.
    pub sign: Option<String>,
}

impl Signatures {
    /// What `remote`, a remote of `repo`, demands by its configuration.
    ///
    /// # Errors
    /// A value of the configuration is not one, or a demanded key cannot be loaded.
    pub fn of(repo: &Repo, remote: &Remote, trust: &Trust) -> Result<Signatures, RemoteError> {
        Signatures::demanding(&Demands::of(remote)?, repo, remote, trust)
    }

    /// As [`Signatures::of`], with other demands than the remote's own.
    ///
    /// # Errors
    /// A demanded key cannot be loaded.
    pub fn demanding(
        demands: &Demands,
        repo: &Repo,
        remote: &Remote,
        trust: &Trust,
    ) -> Result<Signatures, RemoteError> {
        Ok(Signatures {
            gpg: gpg::Gpg::load(demands, repo, remote, trust)?,
            sign: sign::Sign::load(demands, remote, trust)?,
            deltas: match repo.config().sign_verify_deltas() {
                Ok(false) => None,
                // As commits would be by its configuration, by the keys of the remote or else of the system.
                Ok(true) => {
                    let sign = match remote.sign_verify("sign-verify")? {
                        SignVerify::Off => SignVerify::Any,
                        demand => demand,
                    };
                    let demands = Demands {
                        sign,
                        ..Demands::NONE
                    };
                    Some(sign::Sign::load(&demands, remote, trust)?)
                }
                Err(cause) => return Err(RemoteError::Repo(cause)),
            },
            accepted: std::sync::Mutex::default(),
        })
    }

    /// Checks a commit, whose object is `bytes`, against its detached metadata.
    ///
    /// # Errors
    /// A demanded signature is missing, or none of them is valid.
    pub fn check_commit(
        &self,
        commit: &CommitId,
        bytes: &[u8],
        meta: Option<&Dict>,
    ) -> Result<Verified, Error> {
        let refused = |problem| Error::Commit {
            commit: *commit,
            problem,
        };
        let verified = Verified {
            gpg: self.gpg.check_commit(bytes, meta).map_err(refused)?,
            sign: self.sign.check_commit(bytes, meta).map_err(refused)?,
        };
        if verified != Verified::default()
            && let Ok(mut accepted) = self.accepted.lock()
        {
            accepted.push((*commit, verified.clone()));
        }
        Ok(verified)
    }

    /// Checks the signatures around the superblock of a static delta, where `core.sign-verify-deltas` demands one.
    ///
    /// # Errors
    /// Why none of them counts.
    pub fn check_delta(&self, superblock: &[u8], signatures: Option<&Dict>) -> Result<(), String> {
        let Some(sign) = &self.deltas else {
            return Ok(());
        };
        let none = Dict::new();
        sign.check_commit(superblock, Some(signatures.unwrap_or(&none)))
            .map(drop)
            .map_err(|problem| match problem {
                CommitProblem::SignInvalid(text) => text,
                problem => problem.to_string(),
            })
    }

    /// The commits whose signatures were checked and accepted so far.
    #[must_use]
    pub fn accepted(&self) -> Vec<(CommitId, Verified)> {
        self.accepted
            .lock()
            .map(|accepted| accepted.clone())
            .unwrap_or_default()
    }

    /// Checks a summary, given the bytes of `summary` and `summary.sig` as far as the remote has them.
    ///
    /// # Errors
    /// A signature is demanded and there is no summary, no signature, or no valid one.
    pub fn check_summary(
        &self,
        summary: Option<&[u8]>,
        signature: Option<&[u8]>,
    ) -> Result<Verified, Error> {
        Ok(Verified {
            gpg: self
                .gpg
                .check_summary(summary, signature)
                .map_err(Error::Summary)?,
            sign: self
                .sign
                .check_summary(summary, signature)
                .map_err(Error::Summary)?,
        })
    }
}

#[cfg(test)]
mod testing {
    use crate::Error;
    use osier_object::{Checksum, Commit, CommitId, DirmetaId, DirtreeId};

    pub fn commit(time: u64) -> (CommitId, Commit) {
        let commit = Commit::new(
            DirtreeId(Checksum([0; 32])),
            DirmetaId(Checksum([0; 32])),
            time,
        );
        (commit.id(), commit)
    }

    pub fn message<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
        result.unwrap_err().to_string()
    }
}
