//! OpenPGP signatures as GnuPG makes them: keyrings, verdicts, and the text that says what was found.
//!
//! Verifying needs no `gpg`. What counts as valid is what GnuPG means by a good signature: made over these bytes by a key of
//! the keyring, and neither the signature nor the key, nor the primary key of a subkey, expired or revoked. How much
//! the key's owner is trusted plays no part: a keyring holds the keys that are trusted.
//!
//! ```
//! use osier_sign::openpgp::{self, Keyring};
//!
//! let keys = Keyring::from_bytes(b"")?;
//! // An empty keyring knows nobody, and what is no signature at all is an error.
//! assert!(openpgp::verify(&keys, b"data", &[b"no signature"], 1_700_000_000).is_err());
//! # Ok::<(), openpgp::Error>(())
//! ```

mod armor;
mod certificate;
mod describe;
mod keyring;
mod list;
mod packets;
mod user_id;
mod validity;
mod verify;
mod wkd;

pub use describe::{describe, describe_all};
pub use keyring::{Keyring, is_fingerprint_of};
pub use list::{KeyInfo, SubkeyInfo, UserInfo};
pub use user_id::UserName;
pub use verify::{Report, Verdict, verify};

/// Keyrings, and signatures of one commit, of more bytes are refused. Debian's whole keyring has half as many.
pub const MAX_BYTES: usize = 64 << 20;

/// More signatures on one thing are refused: each is hashed and checked.
pub const MAX_SIGNATURES: usize = 256;

/// Bytes that are no keyring or no signature.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// Not OpenPGP at all.
    #[error("No data")]
    NoData,
    /// Cut off, or not what its own lengths say.
    #[error("malformed OpenPGP data: {0}")]
    Malformed(String),
    /// Larger than [`MAX_BYTES`].
    #[error("OpenPGP data of more than {MAX_BYTES} bytes")]
    TooLarge,
    /// More than [`MAX_SIGNATURES`].
    #[error("more than {MAX_SIGNATURES} signatures")]
    TooMany,
}
