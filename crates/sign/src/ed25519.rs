//! The type `ed25519`: a signature is 64 bytes, a public key 32, a secret key its seed and its public key, 64.

use crate::api::Error;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

const KIND: &str = "ed25519";

#[derive(Debug)]
pub(crate) struct Secret(SigningKey);

impl Secret {
    /// Seed and public key; they must belong together, since signing with a foreign public key gives the secret away.
    pub fn from_bytes(bytes: &[u8]) -> Result<Secret, Error> {
        let pair: &[u8; 64] = sized(bytes, "secret")?;
        SigningKey::from_keypair_bytes(pair)
            .map(Secret)
            .map_err(|_| Error::Key {
                kind: KIND,
                what: "secret",
                cause: "its public key is another key's".to_owned(),
            })
    }

    pub fn sign(&self, data: &[u8]) -> Vec<u8> {
        self.0.sign(data).to_bytes().to_vec()
    }

    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }
}

fn sized<'a, const N: usize>(bytes: &'a [u8], what: &'static str) -> Result<&'a [u8; N], Error> {
    bytes.try_into().map_err(|_| Error::Length {
        kind: KIND,
        what,
        expected: N,
        got: bytes.len(),
    })
}

/// A public key. Half of all numbers are no point of the curve: they are keys to which nothing was ever signed, as the C
/// tool has it.
pub(crate) fn public(bytes: &[u8]) -> Result<[u8; 32], Error> {
    sized(bytes, "public").copied()
}

/// Strictly: no key of small order, no signature in a second form.
pub(crate) fn verify(key: &[u8], data: &[u8], signature: &[u8]) -> bool {
    let Ok(key) = <&[u8; 32]>::try_from(key) else {
        return false;
    };
    match (
        VerifyingKey::from_bytes(key),
        Signature::from_slice(signature),
    ) {
        (Ok(key), Ok(signature)) => key.verify_strict(data, &signature).is_ok(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_a_key_and_none_takes_any_signature() {
        let mut points = 0;
        for n in 0..=255 {
            let key = public(&[n; 32]).unwrap();
            points += usize::from(VerifyingKey::from_bytes(&key).is_ok());
            // Of a key of small order, this signature would be good for many messages.
            let mut small = [0; 64];
            small[0] = 1;
            assert!(!verify(&key, b"data", &small));
        }
        assert!((1..256).contains(&points), "{points}");
        assert!(public(&[0; 31]).is_err());
    }
}
