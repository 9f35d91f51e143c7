//! The keys of a keyring, as listed.

use pgp::types::KeyDetails;

use super::keyring::hex;
use super::user_id::printable;
use super::validity::{Validity, created};
use super::{Keyring, UserName, wkd};

/// A primary key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyInfo {
    /// Fingerprint, upper case.
    pub fingerprint: String,
    /// When it was made, in seconds since 1970.
    pub created: u64,
    /// When it expires.
    pub expires: Option<u64>,
    /// Whether it was revoked.
    pub revoked: bool,
    /// Whether it vouches for itself as it must.
    pub valid: bool,
    /// Whose it is, the main name first.
    pub users: Vec<UserInfo>,
    /// Its subkeys.
    pub subkeys: Vec<SubkeyInfo>,
}

/// A user ID.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserInfo {
    /// The whole text.
    pub id: String,
    /// Whether it was revoked, or its key was.
    pub revoked: bool,
    /// Whether the key says that it is its own.
    pub valid: bool,
    /// Addresses of Web Key Directories that may have newer forms of the key: advanced, direct.
    pub update_urls: Option<(String, String)>,
}

/// A subkey.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubkeyInfo {
    /// Fingerprint, upper case.
    pub fingerprint: String,
    /// When it was made, in seconds since 1970.
    pub created: u64,
    /// When it expires.
    pub expires: Option<u64>,
    /// Whether it was revoked, or its primary key was.
    pub revoked: bool,
    /// Whether the primary key says that it is its own.
    pub valid: bool,
}

impl Keyring {
    /// What is known of each key at the time `now` (seconds since 1970).
    #[must_use]
    pub fn list(&self, now: u64) -> Vec<KeyInfo> {
        self.certificates()
            .iter()
            .map(|certificate| {
                let validity = Validity::of(certificate, self.certificates(), now);
                let users = validity.users.iter().map(|user| UserInfo {
                    id: printable(&user.id),
                    revoked: user.revoked,
                    valid: user.valid,
                    update_urls: wkd::urls(&UserName::parse(&user.id).email),
                });
                let subkeys = validity.subkeys.iter().map(|subkey| SubkeyInfo {
                    fingerprint: hex(subkey.key.fingerprint().as_bytes()),
                    created: created(&subkey.key),
                    expires: subkey.expires,
                    revoked: subkey.revoked || validity.revoked,
                    valid: subkey.bound,
                });
                KeyInfo {
                    fingerprint: hex(certificate.key.fingerprint().as_bytes()),
                    created: created(&certificate.key),
                    expires: validity.expires,
                    revoked: validity.revoked,
                    valid: validity.usable,
                    users: users.collect(),
                    subkeys: subkeys.collect(),
                }
            })
            .collect()
    }
}
