//! What a certificate is worth at a point in time: what it says of itself, as far as its own signatures prove it.

use pgp::crypto::hash::HashAlgorithm;
use pgp::crypto::public_key::PublicKeyAlgorithm;
use pgp::packet::{PublicKey, PublicSubkey, Signature, SignatureType, SubpacketData};
use pgp::types::{KeyDetails, PublicParams, Tag, VerifyingKey};
use rsa::traits::PublicKeyParts;

use super::certificate::{Certificate, Component};
use super::packets::tag;

/// Shorter RSA and DSA keys are refused: they can be, and have been, broken.
const MIN_BITS: usize = 1024;

/// A certificate, looked at.
#[derive(Debug)]
pub(super) struct Validity {
    /// Whether the key has a signature of its own that holds, and was made before now.
    pub usable: bool,
    pub revoked: bool,
    /// Seconds since 1970.
    pub expires: Option<u64>,
    pub signs: bool,
    /// The main one first.
    pub users: Vec<UserState>,
    pub subkeys: Vec<SubkeyState>,
}

/// A user ID, looked at.
#[derive(Debug)]
pub(super) struct UserState {
    pub id: Vec<u8>,
    pub valid: bool,
    pub revoked: bool,
}

/// A subkey, looked at.
#[derive(Debug)]
pub(super) struct SubkeyState {
    pub key: PublicSubkey,
    /// Whether the primary key says that it is its own.
    pub bound: bool,
    pub revoked: bool,
    /// Seconds since 1970.
    pub expires: Option<u64>,
    /// Whether it may sign, and says itself that it belongs to the primary key.
    pub signs: bool,
}

impl Validity {
    /// Looks at a certificate at `now`. `revokers` are the keys that might revoke it because it says that they may.
    pub fn of(certificate: &Certificate, revokers: &[Certificate], now: u64) -> Validity {
        let key = &certificate.key;
        let direct = certificate.direct_signatures();
        let own: Vec<&Signature> = direct
            .iter()
            .filter(|signature| {
                signature.typ() == Some(SignatureType::Key)
                    && holds(signature, now)
                    && signature.verify_key(key).is_ok()
            })
            .collect();
        let revoked = direct.iter().any(|signature| {
            signature.typ() == Some(SignatureType::KeyRevocation)
                && (signature.verify_key(key).is_ok()
                    || revoked_by_another(key, signature, &own, revokers))
        });
        let mut users: Vec<(UserState, Option<Signature>)> = certificate
            .components
            .iter()
            .filter(|component| component.tag == tag::USER_ID)
            .map(|component| user(key, component, now))
            .collect();
        let newest = newest(own.iter().copied());
        let said: Vec<&Signature> = users.iter().filter_map(|(_, said)| said.as_ref()).collect();
        let usable = (newest.is_some() || !said.is_empty())
            && created(key) <= now
            && strong(key.public_params());
        let lifetime = newest.and_then(lifetime).or_else(|| {
            said.iter()
                .filter(|signature| signature.key_expiration_time().is_some())
                .max_by_key(|signature| made(signature))
                .and_then(|signature| lifetime(signature))
        });
        let flags = newest.and_then(may_sign).or_else(|| {
            said.iter()
                .max_by_key(|s| made(s))
                .and_then(|s| may_sign(s))
        });
        let signs = flags.unwrap_or(true);
        let expires = expiry(key, lifetime);
        let over = |time: Option<u64>| time.is_some_and(|time| time <= now);
        let mut subkeys: Vec<SubkeyState> = certificate
            .components
            .iter()
            .filter_map(|component| subkey(key, component, now))
            .collect();
        // When the primary key's time is over, that of its subkeys is.
        for subkey in subkeys.iter_mut().filter(|_| over(expires)) {
            if !over(subkey.expires) {
                subkey.expires = expires;
            }
        }
        main_user_first(&mut users);
        let mut users: Vec<UserState> = users.into_iter().map(|(state, _)| state).collect();
        for user in &mut users {
            user.revoked |= revoked;
        }
        Validity {
            usable,
            revoked,
            expires,
            signs,
            users,
            subkeys,
        }
    }
}

/// Whether a key that this one names as its revoker has revoked it.
fn revoked_by_another(
    key: &PublicKey,
    revocation: &Signature,
    own: &[&Signature],
    revokers: &[Certificate],
) -> bool {
    let named = |fingerprint: &[u8]| {
        own.iter().any(|signature| {
            subpackets(signature).any(|data| {
                matches!(data, SubpacketData::RevocationKey(r) if r.fingerprint.as_slice() == fingerprint)
            })
        })
    };
    revokers.iter().any(|revoker| {
        named(revoker.key.fingerprint().as_bytes())
            && revocation.verify_key_third_party(key, &revoker.key).is_ok()
    })
}

/// A user ID, and the newest signature by which the key takes it for its own.
fn user(key: &PublicKey, component: &Component, now: u64) -> (UserState, Option<Signature>) {
    let id = pgp::packet::UserId::try_from_reader(
        pgp::packet::PacketHeader::new_fixed(Tag::UserId, component.body.len() as u32),
        component.body.as_slice(),
    );
    let newest = id.ok().and_then(|id| {
        component
            .signatures()
            .into_iter()
            .filter(|signature| {
                signature.is_certification()
                    && holds(signature, now)
                    && signature
                        .verify_certification(key, Tag::UserId, &id)
                        .is_ok()
            })
            .max_by_key(made)
    });
    let revoked = newest
        .as_ref()
        .is_some_and(|signature| signature.typ() == Some(SignatureType::CertRevocation));
    let state = UserState {
        id: component.body.clone(),
        valid: newest.is_some(),
        revoked,
    };
    (state, newest.filter(|_| !revoked))
}

fn subkey(key: &PublicKey, component: &Component, now: u64) -> Option<SubkeyState> {
    let subkey = component.subkey()?;
    let signatures = component.signatures();
    let proven = |signature: &Signature, wanted: SignatureType| {
        signature.typ() == Some(wanted)
            && holds(signature, now)
            && issued_by(signature, key)
            && signature.verify_subkey_binding(key, &subkey).is_ok()
    };
    let revoked = signatures
        .iter()
        .any(|signature| proven(signature, SignatureType::SubkeyRevocation));
    let binding = newest(
        signatures
            .iter()
            .filter(|signature| proven(signature, SignatureType::SubkeyBinding)),
    );
    let signs = binding.is_some_and(|binding| {
        may_sign(binding).unwrap_or(true)
            && binding.embedded_signature().is_some_and(|back| {
                holds(back, now) && back.verify_primary_key_binding(&subkey, key).is_ok()
            })
    });
    Some(SubkeyState {
        bound: binding.is_some() && created(&subkey) <= now && strong(subkey.public_params()),
        revoked,
        expires: expiry(&subkey, binding.and_then(lifetime)),
        signs,
        key: subkey,
    })
}

/// Moves the user ID that the key is known by to the front: the newest that says it is the main one, else the newest.
fn main_user_first(users: &mut Vec<(UserState, Option<Signature>)>) {
    let main = users
        .iter()
        .enumerate()
        .filter_map(|(position, (_, said))| Some((position, said.as_ref()?)))
        .max_by_key(|(position, said)| {
            (said.is_primary(), made(said), std::cmp::Reverse(*position))
        })
        .map(|(position, _)| position);
    if let Some(position) = main {
        let user = users.remove(position);
        users.insert(0, user);
    }
}

/// Whether a signature may be looked at at all: not expired, and not made with MD5.
pub(super) fn holds(signature: &Signature, now: u64) -> bool {
    signature.hash_alg() != Some(HashAlgorithm::Md5)
        && !unknown_critical(signature)
        && signature_expiry(signature).is_none_or(|expiry| expiry > now)
}

/// Whether the signature says that what it means depends on something unknown here.
pub(super) fn unknown_critical(signature: &Signature) -> bool {
    signature.config().is_none_or(|config| {
        config.hashed_subpackets().any(|subpacket| {
            subpacket.is_critical
                && matches!(
                    subpacket.data,
                    SubpacketData::Other(..)
                        | SubpacketData::Experimental(..)
                        | SubpacketData::Notation(_)
                )
        })
    })
}

/// When a signature stops being valid.
pub(super) fn signature_expiry(signature: &Signature) -> Option<u64> {
    let lifetime = signature.signature_expiration_time()?.as_secs();
    (lifetime != 0).then(|| made(signature) + u64::from(lifetime))
}

/// When a signature was made; 0 if it does not say.
pub(super) fn made(signature: &Signature) -> u64 {
    signature
        .created()
        .map_or(0, |time| u64::from(time.as_secs()))
}

/// When a key was made.
pub(super) fn created(key: &impl KeyDetails) -> u64 {
    u64::from(key.created_at().as_secs())
}

fn newest<'a>(signatures: impl Iterator<Item = &'a Signature>) -> Option<&'a Signature> {
    signatures.max_by_key(|signature| made(signature))
}

fn issued_by(signature: &Signature, key: &impl VerifyingKey) -> bool {
    let ids = signature.issuer_key_id();
    let fingerprints = signature.issuer_fingerprint();
    (ids.is_empty() && fingerprints.is_empty())
        || ids.iter().any(|id| **id == key.legacy_key_id())
        || fingerprints
            .iter()
            .any(|fingerprint| **fingerprint == key.fingerprint())
}

fn lifetime(signature: &Signature) -> Option<u32> {
    Some(signature.key_expiration_time()?.as_secs())
}

fn expiry(key: &impl KeyDetails, lifetime: Option<u32>) -> Option<u64> {
    let old = key
        .legacy_v3_expiration_days()
        .map(|days| u64::from(days) * 86_400);
    let lifetime = lifetime
        .map(u64::from)
        .or(old)
        .filter(|lifetime| *lifetime != 0)?;
    Some(created(key) + lifetime)
}

fn subpackets(signature: &Signature) -> impl Iterator<Item = &SubpacketData> {
    signature
        .config()
        .into_iter()
        .flat_map(|config| config.hashed_subpackets().map(|subpacket| &subpacket.data))
}

/// What the key flags say of signing, if there are any.
fn may_sign(signature: &Signature) -> Option<bool> {
    subpackets(signature).find_map(|data| match data {
        SubpacketData::KeyFlags(flags) => Some(flags.sign()),
        _ => None,
    })
}

fn strong(params: &PublicParams) -> bool {
    match params {
        PublicParams::RSA(params) => params.key.n().bits() >= MIN_BITS,
        PublicParams::DSA(params) => params.key.components().p().bits() >= MIN_BITS,
        _ => true,
    }
}

/// The name the C tool's library has for an algorithm.
pub(super) fn algorithm_name(algorithm: PublicKeyAlgorithm) -> &'static str {
    match algorithm {
        PublicKeyAlgorithm::RSA => "RSA",
        PublicKeyAlgorithm::RSAEncrypt => "RSA-E",
        PublicKeyAlgorithm::RSASign => "RSA-S",
        PublicKeyAlgorithm::DSA => "DSA",
        PublicKeyAlgorithm::ECDSA => "ECDSA",
        PublicKeyAlgorithm::EdDSALegacy => "EdDSA",
        PublicKeyAlgorithm::Ed25519 => "Ed25519",
        PublicKeyAlgorithm::Ed448 => "Ed448",
        _ => "[unknown name]",
    }
}
