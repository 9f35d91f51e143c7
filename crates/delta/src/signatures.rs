//! Signing superblocks, and judging their signatures.

use crate::error::{Error, Result};
use crate::format::signed;
use osier_gv::{Dict, Value};
use osier_sign::api::{SecretKey, TrustedKeys};

/// A superblock in an envelope with a signature of each key.
///
/// # Errors
/// A key cannot sign.
pub(crate) fn sign(keys: &[SecretKey], superblock: Vec<u8>) -> Result<Vec<u8>> {
    let mut all: Vec<(&str, Vec<Vec<u8>>)> = Vec::new();
    for key in keys {
        let signature = key.sign(&superblock).map_err(refused)?;
        let name = key.kind().metadata_key();
        match all.iter_mut().find(|(other, _)| *other == name) {
            Some((_, signatures)) => signatures.push(signature),
            None => all.push((name, vec![signature])),
        }
    }
    let mut signatures = Dict::new();
    for (name, made) in all {
        signatures.push(name, Value::bytes_list(made));
    }
    Ok(signed::seal(superblock, &signatures))
}

/// Judges the signatures of a superblock: one good one by one key is enough. Gives the line about it.
///
/// # Errors
/// There is no signature, or none that counts.
pub fn verify(plain: &[u8], signatures: Option<&Dict>, trusted: &[TrustedKeys]) -> Result<String> {
    let Some(signatures) = signatures.filter(|dict| signed::has_signatures(dict)) else {
        return Err(Error::refused("no signatures in static-delta"));
    };
    let mut reasons: Vec<String> = Vec::new();
    for keys in trusted {
        let key = keys.kind().metadata_key();
        let found = signatures.get_bytes_list(key).unwrap_or_default();
        match keys.verify(plain, &found) {
            Ok(line) => return Ok(line),
            Err(reason) => reasons.push(reason.to_string()),
        }
    }
    match reasons.is_empty() {
        true => Err(Error::refused("no key to check the delta's signature with")),
        false => Err(Error::refused(reasons.join("; "))),
    }
}

fn refused(error: osier_sign::api::Error) -> Error {
    Error::refused(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use osier_sign::api::Kind;

    fn trusted(kind: Kind, texts: &[&str]) -> TrustedKeys {
        let mut keys = TrustedKeys::new(kind);
        for text in texts {
            keys.add(text).unwrap();
        }
        keys
    }

    #[test]
    fn what_is_signed_is_what_is_in_the_envelope() {
        let key = |text: &str| SecretKey::parse(Kind::Dummy, text).unwrap();
        let bytes = sign(&[key("foo"), key("bar")], b"superblock".to_vec()).unwrap();
        let (plain, signatures) = signed::open(&bytes).unwrap();
        assert_eq!(plain, b"superblock");
        let judge = |keys: &[TrustedKeys]| verify(plain, signatures.as_ref(), keys);
        for texts in [&["foo"][..], &["bar"], &["baz", "foo"], &["foo", "baz"]] {
            assert_eq!(
                judge(&[trusted(Kind::Dummy, texts)]).unwrap(),
                "dummy: Signature verified"
            );
        }
        let message = |keys: &[TrustedKeys]| judge(keys).unwrap_err().to_string();
        assert_eq!(
            message(&[trusted(Kind::Dummy, &["baz"])]),
            "signature: dummy: incorrect signatures found: 2"
        );
        assert_eq!(message(&[]), "no key to check the delta's signature with");
        let none = verify(plain, None, &[trusted(Kind::Dummy, &["foo"])]);
        assert_eq!(
            none.unwrap_err().to_string(),
            "no signatures in static-delta"
        );
        let empty = verify(plain, Some(&Dict::new()), &[trusted(Kind::Dummy, &["foo"])]);
        assert_eq!(
            empty.unwrap_err().to_string(),
            "no signatures in static-delta"
        );
    }

    #[test]
    fn a_changed_superblock_is_refused() {
        // The seed of zeros and its public key.
        let secret = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA7aie8zrakLWKjqNAqbw1zZTIVdx3iQ6Y6wEihi1naKQ==";
        let secret = SecretKey::parse(Kind::Ed25519, secret).unwrap();
        let public = secret.public_text().unwrap();
        let bytes = sign(std::slice::from_ref(&secret), b"superblock".to_vec()).unwrap();
        let keys = [trusted(Kind::Ed25519, &[&public])];
        for changed in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[changed] ^= 1;
            let accepted = signed::open(&bytes)
                .is_ok_and(|(plain, found)| verify(plain, found.as_ref(), &keys).is_ok());
            assert!(!accepted, "byte {changed}");
        }
        let (plain, found) = signed::open(&bytes).unwrap();
        assert!(verify(plain, found.as_ref(), &keys).is_ok());
    }

    #[test]
    fn signatures_of_another_length_or_type_prove_nothing() {
        let secret = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA7aie8zrakLWKjqNAqbw1zZTIVdx3iQ6Y6wEihi1naKQ==";
        let secret = SecretKey::parse(Kind::Ed25519, secret).unwrap();
        let keys = [trusted(Kind::Ed25519, &[&secret.public_text().unwrap()])];
        let good = secret.sign(b"superblock").unwrap();
        let name = Kind::Ed25519.metadata_key();
        let with = |value: Value| {
            let mut found = Dict::new();
            found.push(name, value);
            verify(b"superblock", Some(&found), &keys)
        };
        assert!(with(Value::bytes_list(vec![good.clone()])).is_ok());
        for length in 0..good.len() {
            let short = Value::bytes_list(vec![good[..length].to_vec()]);
            assert!(with(short).is_err(), "{length}");
        }
        let mut long = good.clone();
        long.push(0);
        assert!(with(Value::bytes_list(vec![long])).is_err());
        assert!(with(Value::bytes_list(vec![])).is_err());
        assert!(with(Value::Bytes(good.clone())).is_err());
        assert!(with(Value::Bool(true)).is_err());
        // The signature of another type's key.
        let mut other = Dict::new();
        other.push(Kind::Dummy.metadata_key(), Value::bytes_list(vec![good]));
        assert!(verify(b"superblock", Some(&other), &keys).is_err());
    }
}
