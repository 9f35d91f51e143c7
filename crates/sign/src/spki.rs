//! The type `spki`: keys in the forms of PKCS#8 and SubjectPublicKeyInfo. The signature is that of OpenSSL with the
//! key's default digest: SHA-256 for RSA (PKCS#1 v1.5) and for all curves of ECDSA (DER), none for EdDSA.

use crate::api::Error;
use crate::ed25519;
use p256::ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
use p256::pkcs8::EncodePublicKey;
use pkcs8::{DecodePrivateKey, PrivateKeyInfo};
use rsa::pkcs1v15;
use rsa::sha2::{Digest, Sha256};
use rsa::signature::{SignatureEncoding, Verifier};
use spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};

const KIND: &str = "spki";
/// The largest modulus that is tried, in bits: as OpenSSL has it.
const MAX_RSA: usize = 16384;
/// The size of a number of P-521, in bytes.
const P521_SIZE: usize = 66;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const ED448: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.113");

pub(crate) enum Secret {
    Rsa(Box<rsa::RsaPrivateKey>),
    P256(p256::SecretKey),
    P384(p384::SecretKey),
    P521(p521::SecretKey),
    Ed25519(ed25519_dalek::SigningKey),
    Ed448(Box<ed448_goldilocks::SigningKey>),
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

enum Public {
    Rsa(rsa::RsaPublicKey),
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    P521(p521::ecdsa::VerifyingKey),
    Ed25519(Vec<u8>),
    Ed448(ed448_goldilocks::VerifyingKey),
}

fn bad(what: &'static str) -> impl Fn(&dyn std::fmt::Display) -> Error {
    move |cause| Error::Key {
        kind: KIND,
        what,
        cause: cause.to_string(),
    }
}

/// The algorithm, for EC the curve.
fn algorithm(of: &spki::AlgorithmIdentifierRef<'_>) -> Result<ObjectIdentifier, String> {
    if of.oid != EC {
        return Ok(of.oid);
    }
    of.parameters_oid().map_err(|_| "no named curve".to_owned())
}

impl Secret {
    /// A PKCS#8 private key.
    pub fn from_der(der: &[u8]) -> Result<Secret, Error> {
        let bad = bad("secret");
        let info = PrivateKeyInfo::try_from(der).map_err(|e| bad(&e))?;
        // An EdDSA key is an octet string in the octet string.
        let inner = |size: u8| match info.private_key {
            [4, len, rest @ ..] if *len == size && rest.len() == usize::from(size) => Ok(rest),
            _ => Err(bad(&"malformed")),
        };
        Ok(match algorithm(&info.algorithm).map_err(|e| bad(&e))? {
            RSA => Secret::Rsa(Box::new(
                rsa::RsaPrivateKey::from_pkcs8_der(der).map_err(|e| bad(&e))?,
            )),
            P256 => Secret::P256(p256::SecretKey::from_pkcs8_der(der).map_err(|e| bad(&e))?),
            P384 => Secret::P384(p384::SecretKey::from_pkcs8_der(der).map_err(|e| bad(&e))?),
            P521 => Secret::P521(p521::SecretKey::from_pkcs8_der(der).map_err(|e| bad(&e))?),
            ED25519 => {
                let seed = inner(32)?.try_into().map_err(|_| bad(&"malformed"))?;
                Secret::Ed25519(ed25519_dalek::SigningKey::from_bytes(seed))
            }
            ED448 => Secret::Ed448(Box::new(
                ed448_goldilocks::SigningKey::try_from(inner(57)?).map_err(|e| bad(&e))?,
            )),
            other => return Err(bad(&format_args!("algorithm {other} is not supported"))),
        })
    }

    pub fn sign(&self, data: &[u8]) -> Result<Vec<u8>, Error> {
        let failed = |cause: &dyn std::fmt::Display| Error::Sign {
            kind: KIND,
            cause: cause.to_string(),
        };
        let digest = Sha256::digest(data);
        Ok(match self {
            Secret::Rsa(key) => {
                use rsa::signature::RandomizedSigner;
                let key = pkcs1v15::SigningKey::<Sha256>::new((**key).clone());
                // Blinded by random numbers: the time it takes tells nothing of the key.
                let signature = key.try_sign_with_rng(&mut rsa::rand_core::OsRng, data);
                signature.map_err(|e| failed(&e))?.to_vec()
            }
            Secret::P256(key) => {
                let signature: p256::ecdsa::Signature = p256::ecdsa::SigningKey::from(key)
                    .sign_prehash(&digest)
                    .map_err(|e| failed(&e))?;
                signature.to_der().as_bytes().to_vec()
            }
            Secret::P384(key) => {
                let signature: p384::ecdsa::Signature = p384::ecdsa::SigningKey::from(key)
                    .sign_prehash(&digest)
                    .map_err(|e| failed(&e))?;
                signature.to_der().as_bytes().to_vec()
            }
            Secret::P521(key) => {
                let signature: p521::ecdsa::Signature =
                    p521::ecdsa::SigningKey::from_bytes(&key.to_bytes())
                        .and_then(|key| key.sign_prehash(&widened(&digest)))
                        .map_err(|e| failed(&e))?;
                signature.to_der().as_bytes().to_vec()
            }
            Secret::Ed25519(key) => ed25519_dalek::Signer::sign(key, data).to_bytes().to_vec(),
            Secret::Ed448(key) => key.sign_raw(data).to_bytes().to_vec(),
        })
    }

    /// The public key, as SubjectPublicKeyInfo.
    pub fn public_der(&self) -> Result<Vec<u8>, Error> {
        let bad = bad("secret");
        // What stands before a key of EdDSA never varies but for its length and algorithm.
        let edwards = |oid: u8, key: &[u8]| {
            let len = key.len() as u8;
            let mut der = vec![
                0x30,
                len + 10,
                0x30,
                5,
                6,
                3,
                0x2b,
                0x65,
                oid,
                3,
                len + 1,
                0,
            ];
            der.extend_from_slice(key);
            der
        };
        let document = match self {
            Secret::Rsa(key) => key.to_public_key().to_public_key_der(),
            Secret::P256(key) => key.public_key().to_public_key_der(),
            Secret::P384(key) => key.public_key().to_public_key_der(),
            Secret::P521(key) => key.public_key().to_public_key_der(),
            Secret::Ed25519(key) => return Ok(edwards(0x70, key.verifying_key().as_bytes())),
            Secret::Ed448(key) => return Ok(edwards(0x71, &key.verifying_key().to_bytes()[..])),
        };
        Ok(document.map_err(|e| bad(&e))?.as_bytes().to_vec())
    }
}

impl Public {
    fn from_der(der: &[u8]) -> Result<Public, Error> {
        let bad = bad("public");
        let info = SubjectPublicKeyInfoRef::try_from(der).map_err(|e| bad(&e))?;
        let key = info
            .subject_public_key
            .as_bytes()
            .ok_or_else(|| bad(&"malformed"))?;
        Ok(match algorithm(&info.algorithm).map_err(|e| bad(&e))? {
            RSA => {
                let numbers = rsa::pkcs1::RsaPublicKey::try_from(key).map_err(|e| bad(&e))?;
                let number = |n: rsa::pkcs1::UintRef<'_>| rsa::BigUint::from_bytes_be(n.as_bytes());
                let (n, e) = (number(numbers.modulus), number(numbers.public_exponent));
                Public::Rsa(
                    rsa::RsaPublicKey::new_with_max_size(n, e, MAX_RSA).map_err(|e| bad(&e))?,
                )
            }
            P256 => {
                Public::P256(p256::ecdsa::VerifyingKey::from_sec1_bytes(key).map_err(|e| bad(&e))?)
            }
            P384 => {
                Public::P384(p384::ecdsa::VerifyingKey::from_sec1_bytes(key).map_err(|e| bad(&e))?)
            }
            P521 => {
                Public::P521(p521::ecdsa::VerifyingKey::from_sec1_bytes(key).map_err(|e| bad(&e))?)
            }
            ED25519 => Public::Ed25519(ed25519::public(key)?.to_vec()),
            ED448 => {
                let point = <&[u8; 57]>::try_from(key).map_err(|_| bad(&"malformed"))?;
                let point = *point;
                Public::Ed448(
                    ed448_goldilocks::VerifyingKey::from_bytes(&point).map_err(|e| bad(&e))?,
                )
            }
            other => return Err(bad(&format_args!("algorithm {other} is not supported"))),
        })
    }

    fn verify(&self, data: &[u8], signature: &[u8]) -> bool {
        let digest = Sha256::digest(data);
        match self {
            Public::Rsa(key) => pkcs1v15::Signature::try_from(signature).is_ok_and(|signature| {
                pkcs1v15::VerifyingKey::<Sha256>::new(key.clone())
                    .verify(data, &signature)
                    .is_ok()
            }),
            Public::P256(key) => p256::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify_prehash(&digest, &signature).is_ok()),
            Public::P384(key) => p384::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify_prehash(&digest, &signature).is_ok()),
            Public::P521(key) => p521::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify_prehash(&widened(&digest), &signature).is_ok()),
            Public::Ed25519(key) => ed25519::verify(key, data, signature),
            Public::Ed448(key) => ed448_goldilocks::Signature::try_from(signature)
                .is_ok_and(|signature| key.verify_raw(&signature, data).is_ok()),
        }
    }
}

/// The same number, in the width of P-521: the library refuses digests of less than half of it.
fn widened(digest: &[u8]) -> [u8; P521_SIZE] {
    let mut wide = [0; P521_SIZE];
    wide[P521_SIZE - digest.len()..].copy_from_slice(digest);
    wide
}

/// A public key, checked; its bytes are kept.
pub(crate) fn public(der: &[u8]) -> Result<Vec<u8>, Error> {
    Public::from_der(der).map(|_| der.to_vec())
}

/// Whether a signature is that of a key. Whatever cannot be judged is not.
pub(crate) fn verify(key: &[u8], data: &[u8], signature: &[u8]) -> bool {
    Public::from_der(key).is_ok_and(|key| key.verify(data, signature))
}

/// The contents of all PEM blocks of a file; each must have the label.
pub(crate) fn blocks(bytes: &[u8], label: &str) -> Result<Vec<Vec<u8>>, Error> {
    let bad = bad("PEM");
    let text = std::str::from_utf8(bytes).map_err(|e| bad(&e))?;
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("-----BEGIN ") {
        let block = &rest[start..];
        let end = block.find("-----END ").ok_or_else(|| bad(&"no end"))?;
        let end = block[end..].find('\n').map_or(block.len(), |n| end + n + 1);
        let (name, der) =
            pkcs8::der::pem::decode_vec(&block.as_bytes()[..end]).map_err(|e| bad(&e))?;
        if name != label {
            return Err(Error::Label(name.to_owned()));
        }
        found.push(der);
        rest = &block[end..];
    }
    Ok(found)
}
