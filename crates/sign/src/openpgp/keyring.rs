//! Keyrings: the certificates of those whose signatures count.

use std::collections::HashMap;

use pgp::types::KeyDetails;

use super::certificate::Certificate;
use super::{Error, armor, packets};

/// A set of certificates, one for each primary key.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    certificates: Vec<Certificate>,
    /// Where the certificate of a primary key is.
    by_fingerprint: HashMap<Vec<u8>, usize>,
}

impl Keyring {
    /// A keyring without keys.
    #[must_use]
    pub fn new() -> Keyring {
        Keyring::default()
    }

    /// Reads a keyring, binary or armored; several may follow each other. Keys of kinds that are not known are passed over.
    ///
    /// # Errors
    /// [`Error::NoData`] for what is no OpenPGP data; also malformed or too large input.
    pub fn from_bytes(bytes: &[u8]) -> Result<Keyring, Error> {
        let mut keyring = Keyring::new();
        let binary = armor::binary(bytes)?;
        for certificate in Certificate::parse_all(&packets::split(&binary)?) {
            keyring.add(certificate);
        }
        Ok(keyring)
    }

    fn add(&mut self, certificate: Certificate) -> bool {
        let fingerprint = certificate.key.fingerprint().as_bytes().to_vec();
        match self.by_fingerprint.get(&fingerprint) {
            Some(&position) => {
                self.certificates[position].merge(certificate);
                false
            }
            None => {
                self.by_fingerprint
                    .insert(fingerprint, self.certificates.len());
                self.certificates.push(certificate);
                true
            }
        }
    }

    /// Takes over all keys of another, and what it knows more of keys already here (user IDs, expiry, revocations).
    /// Tells how many keys are new.
    pub fn merge(&mut self, other: Keyring) -> usize {
        let mut new = 0;
        for certificate in other.certificates {
            new += usize::from(self.add(certificate));
        }
        new
    }

    /// The keys that `wanted` names: a fingerprint, a key ID (16 or 8 digits), both also of subkeys, or a part of a user ID.
    #[must_use]
    pub fn select(&self, wanted: &str) -> Keyring {
        let mut selected = Keyring::new();
        for certificate in &self.certificates {
            if names(certificate, wanted) {
                selected.add(certificate.clone());
            }
        }
        selected
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.certificates.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.certificates.is_empty()
    }

    /// The keyring as a file that GnuPG reads too.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for certificate in &self.certificates {
            certificate.write(&mut bytes);
        }
        bytes
    }

    /// Whether `fingerprint` (hexadecimal, upper case) is that of a primary key or subkey named by `wanted`.
    #[must_use]
    pub fn is_key_of(&self, wanted: &str, fingerprint: &str) -> bool {
        self.certificates.iter().any(|certificate| {
            names(certificate, wanted) && fingerprints(certificate).any(|own| own == fingerprint)
        })
    }

    pub(super) fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }
}

/// The fingerprints of the primary key and of the subkeys.
fn fingerprints(certificate: &Certificate) -> impl Iterator<Item = String> {
    std::iter::once(hex(certificate.key.fingerprint().as_bytes())).chain(
        certificate
            .components
            .iter()
            .filter_map(|component| Some(hex(component.subkey()?.fingerprint().as_bytes()))),
    )
}

/// A key ID or fingerprint as people write it, in upper case; none if it is something else.
fn as_id(wanted: &str) -> Option<String> {
    let id = wanted.strip_suffix('!').unwrap_or(wanted);
    let id = id.strip_prefix("0x").unwrap_or(id);
    let is_id =
        matches!(id.len(), 8 | 16 | 32 | 40 | 64) && id.bytes().all(|b| b.is_ascii_hexdigit());
    is_id.then(|| id.to_ascii_uppercase())
}

/// Whether `wanted` is a key ID or fingerprint, and that of the key with this fingerprint (or key ID; upper case).
#[must_use]
pub fn is_fingerprint_of(wanted: &str, fingerprint: &str) -> bool {
    as_id(wanted).is_some_and(|id| fingerprint.ends_with(&id) || id.ends_with(fingerprint))
}

fn names(certificate: &Certificate, wanted: &str) -> bool {
    if let Some(id) = as_id(wanted) {
        return fingerprints(certificate).any(|own| own.ends_with(&id));
    }
    let users = certificate
        .components
        .iter()
        .filter(|component| component.tag == packets::tag::USER_ID);
    let wanted = wanted.to_lowercase();
    users
        .map(|user| String::from_utf8_lossy(&user.body).to_lowercase())
        .any(|user| match wanted.starts_with('<') {
            true => user.ends_with(&wanted),
            false => user.contains(&wanted),
        })
}

/// Upper-case hexadecimal digits, as fingerprints are written.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}
