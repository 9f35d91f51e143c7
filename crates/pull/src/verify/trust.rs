//! What verification is told from outside: the demands of a remote, and where trusted keys are.

use crate::remote::{Remote, RemoteError, SignVerify};
use std::path::PathBuf;

/// The signatures that are demanded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Demands {
    /// A valid GPG signature of each commit.
    pub gpg: bool,
    /// A valid GPG signature of the summary.
    pub gpg_summary: bool,
    /// A valid signature of each commit by the sign API.
    pub sign: SignVerify,
    /// A valid signature of the summary by the sign API.
    pub sign_summary: SignVerify,
}

impl Demands {
    /// No signature at all.
    pub const NONE: Demands = Demands {
        gpg: false,
        gpg_summary: false,
        sign: SignVerify::Off,
        sign_summary: SignVerify::Off,
    };

    /// What a remote's configuration demands.
    ///
    /// # Errors
    /// A value is not one of its kind.
    pub fn of(remote: &Remote) -> Result<Demands, RemoteError> {
        Ok(Demands {
            gpg: remote.gpg_verify()?,
            gpg_summary: remote.gpg_verify_summary()?,
            sign: remote.sign_verify("sign-verify")?,
            sign_summary: remote.sign_verify("sign-verify-summary")?,
        })
    }
}

/// Where keys are that every remote trusts, and the time: what the environment says, told by the caller.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// The folder of the keyrings for remotes that have none of their own.
    pub gpg_home: Option<PathBuf>,
    /// The folders with `trusted.TYPE` and `trusted.TYPE.d` for remotes that name neither types nor keys, and with
    /// `revoked.TYPE` and `revoked.TYPE.d` for all.
    pub sign_dirs: Vec<PathBuf>,
    /// Whether signatures of the type `dummy`, which prove nothing, count.
    pub dummy: bool,
    /// Now, in seconds since the epoch: keys and signatures expire.
    pub now: u64,
    /// How to write a time for people; none writes UTC.
    pub date: Option<fn(u64) -> String>,
}
