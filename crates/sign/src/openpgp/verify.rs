//! Verifying detached signatures.

use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureType};
use pgp::types::{KeyDetails, VerifyingKey};

use super::certificate::{Certificate, parse_signature};
use super::keyring::hex;
use super::packets::tag;
use super::validity::{
    Validity, algorithm_name, created, made, signature_expiry, unknown_critical,
};
use super::{Error, Keyring, MAX_SIGNATURES, UserName, armor, packets};

/// What a signature is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Made over these bytes by a key that counts.
    Good,
    /// The keyring has no such key.
    MissingKey,
    /// The key, or the primary key, was revoked.
    RevokedKey,
    /// The signature was valid for a time that is over.
    ExpiredSignature,
    /// The key, or the primary key, was valid for a time that is over.
    ExpiredKey,
    /// Not made over these bytes by the key that it names.
    Bad,
    /// The signature may fit, but its algorithm is broken, the key was not made for signing, or was made later.
    Refused,
}

/// One signature, and what was found out about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// What it is worth.
    pub verdict: Verdict,
    /// Fingerprint of the signing key; its key ID if the signature says no more. Upper case.
    pub fingerprint: String,
    /// Fingerprint of the primary key, if the key is known.
    pub primary: Option<String>,
    /// When the signature says it was made, in seconds since 1970.
    pub created: u64,
    /// When the signature expires.
    pub expires: Option<u64>,
    /// Name of the key's algorithm.
    pub algorithm: &'static str,
    /// Who made it, if the key is known.
    pub user: Option<UserName>,
    /// When the signing key expires.
    pub key_expires: Option<u64>,
    /// When the primary key expires.
    pub primary_expires: Option<u64>,
}

impl Report {
    /// Whether the signature proves anything.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.verdict == Verdict::Good
    }
}

/// Checks detached signatures over `data`, each for itself, at the time `now` (seconds since 1970). Each of `signatures`
/// holds one or several signature packets, binary or armored; there is a report for each packet.
///
/// # Errors
/// [`Error::NoData`] where something is no signature, or there is none; too many of them.
pub fn verify(
    keys: &Keyring,
    data: &[u8],
    signatures: &[&[u8]],
    now: u64,
) -> Result<Vec<Report>, Error> {
    let mut reports = Vec::new();
    for bytes in signatures {
        let before = reports.len();
        let binary = armor::binary(bytes).map_err(unless_large)?;
        for packet in packets::split(&binary).map_err(unless_large)? {
            match packet.tag {
                tag::SIGNATURE if reports.len() >= MAX_SIGNATURES => return Err(Error::TooMany),
                tag::SIGNATURE => reports.push(match parse_signature(packet.body) {
                    Some(signature) => check(keys, data, &signature, now),
                    None => unreadable(),
                }),
                _ => return Err(Error::NoData),
            }
        }
        if reports.len() == before {
            return Err(Error::NoData);
        }
    }
    match reports.is_empty() {
        true => Err(Error::NoData),
        false => Ok(reports),
    }
}

/// What is damaged is no signature, as GnuPG puts it.
fn unless_large(error: Error) -> Error {
    match error {
        Error::TooLarge => error,
        _ => Error::NoData,
    }
}

fn unreadable() -> Report {
    Report {
        verdict: Verdict::Bad,
        fingerprint: "0".repeat(16),
        primary: None,
        created: 0,
        expires: None,
        algorithm: "[unknown name]",
        user: None,
        key_expires: None,
        primary_expires: None,
    }
}

fn check(keys: &Keyring, data: &[u8], signature: &Signature, now: u64) -> Report {
    let issuer = issuer(signature);
    let algorithm = signature.config().map(|config| config.pub_alg);
    let mut report = Report {
        verdict: Verdict::MissingKey,
        fingerprint: issuer.clone(),
        created: made(signature),
        expires: signature_expiry(signature),
        algorithm: algorithm.map_or("[unknown name]", algorithm_name),
        ..unreadable()
    };
    for certificate in keys.certificates() {
        let Some(found) = check_with(keys, certificate, data, signature, &report, now) else {
            continue;
        };
        if report.verdict == Verdict::MissingKey || found.is_valid() {
            report = found;
        }
        if report.is_valid() {
            break;
        }
    }
    report
}

/// The fingerprint that a signature says made it, else the key ID.
fn issuer(signature: &Signature) -> String {
    let fingerprint = signature
        .issuer_fingerprint()
        .first()
        .map(|fingerprint| hex(fingerprint.as_bytes()));
    let id = || signature.issuer_key_id().first().map(|id| hex(id.as_ref()));
    fingerprint.or_else(id).unwrap_or_else(|| "0".repeat(16))
}

/// Judges by one certificate, if one of its keys is meant.
fn check_with(
    keys: &Keyring,
    certificate: &Certificate,
    data: &[u8],
    signature: &Signature,
    unknown: &Report,
    now: u64,
) -> Option<Report> {
    let is_meant = |key: &dyn KeyDetails| {
        hex(key.fingerprint().as_bytes()) == unknown.fingerprint
            || hex(key.legacy_key_id().as_ref()) == unknown.fingerprint
    };
    let primary = &certificate.key;
    if created(primary) > now {
        // For GnuPG it is not there yet.
        return None;
    }
    let of_primary = is_meant(primary);
    let has_subkey = || {
        certificate
            .components
            .iter()
            .any(|component| component.subkey().is_some_and(|subkey| is_meant(&subkey)))
    };
    if !of_primary && !has_subkey() {
        return None;
    }
    let validity = Validity::of(certificate, keys.certificates(), now);
    let mut report = Report {
        primary: Some(hex(primary.fingerprint().as_bytes())),
        user: validity.users.first().map(|user| UserName::parse(&user.id)),
        primary_expires: validity.expires,
        ..unknown.clone()
    };
    let expired = |time: Option<u64>| time.is_some_and(|time| time <= now);
    let (bytes_fit, usable, revoked, key_expired, key_created);
    if of_primary {
        report.fingerprint = hex(primary.fingerprint().as_bytes());
        report.key_expires = validity.expires;
        bytes_fit = fits(signature, primary, data);
        usable = validity.usable && validity.signs;
        revoked = validity.revoked;
        key_expired = expired(validity.expires);
        key_created = created(primary);
    } else {
        let subkey = validity
            .subkeys
            .iter()
            .find(|subkey| is_meant(&subkey.key))?;
        report.fingerprint = hex(subkey.key.fingerprint().as_bytes());
        report.key_expires = subkey.expires;
        bytes_fit = fits(signature, &subkey.key, data);
        usable = validity.usable && subkey.bound && subkey.signs;
        revoked = validity.revoked || subkey.revoked;
        key_expired = expired(validity.expires) || expired(subkey.expires);
        key_created = created(&subkey.key);
    }
    let refused = !usable
        || signature.hash_alg() == Some(HashAlgorithm::Md5)
        || unknown_critical(signature)
        || made(signature) < key_created;
    report.verdict = if !bytes_fit {
        Verdict::Bad
    } else if refused {
        Verdict::Refused
    } else if expired(report.expires) {
        Verdict::ExpiredSignature
    } else if key_expired {
        Verdict::ExpiredKey
    } else if revoked {
        Verdict::RevokedKey
    } else {
        Verdict::Good
    };
    Some(report)
}

/// Whether the signature is one over data, by this key, over these bytes.
fn fits(signature: &Signature, key: &impl VerifyingKey, data: &[u8]) -> bool {
    matches!(
        signature.typ(),
        Some(SignatureType::Binary | SignatureType::Text)
    ) && signature.verify(key, data).is_ok()
}
