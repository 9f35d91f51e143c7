//! The types of signatures that OSTree calls its sign API, behind one interface: secret keys make signatures, trusted
//! keys judge them.
//!
//! ```
//! use osier_sign::api::{Kind, SecretKey, TrustedKeys};
//!
//! let secret = SecretKey::parse(Kind::Dummy, "not secret at all")?;
//! let signature = secret.sign(b"data")?;
//! let mut trusted = TrustedKeys::new(Kind::Dummy);
//! trusted.add("not secret at all")?;
//! assert_eq!(trusted.verify(b"data", &[&signature])?, "dummy: Signature verified");
//! # Ok::<(), osier_sign::api::Error>(())
//! ```

use crate::{ed25519, spki};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// More signatures of a type are not judged: a stranger's file must not keep anybody busy.
const MAX_SIGNATURES: usize = 1024;

/// A type of signatures.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// Pure Ed25519 with keys as plain numbers.
    Ed25519,
    /// Any of the usual algorithms, with keys as PKCS#8 and SubjectPublicKeyInfo describe them.
    Spki,
    /// The signature is the key: for tests of what is around it.
    Dummy,
}

impl Kind {
    /// All types, in the order in which they are tried.
    pub const ALL: [Kind; 3] = [Kind::Ed25519, Kind::Spki, Kind::Dummy];

    /// The type of that name.
    ///
    /// # Errors
    /// [`Error::UnknownKind`].
    pub fn from_name(name: &str) -> Result<Kind, Error> {
        Kind::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or(Error::UnknownKind)
    }

    /// Its name, in options and configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Ed25519 => "ed25519",
            Kind::Spki => "spki",
            Kind::Dummy => "dummy",
        }
    }

    /// The key under which its signatures are kept.
    #[must_use]
    pub fn metadata_key(self) -> &'static str {
        match self {
            Kind::Ed25519 => "ostree.sign.ed25519",
            Kind::Spki => "ostree.sign.spki",
            Kind::Dummy => "ostree.sign.dummy",
        }
    }
}

/// Why there is no signature, or none that counts. The words are those of the C tool.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No type of signatures has that name.
    #[error("Requested signature type is not implemented")]
    UnknownKind,
    /// `dummy` must be switched on.
    #[error("dummy signature type is only for ostree testing")]
    DummyOff,
    /// `dummy` keys are in no files.
    #[error("not implemented")]
    NoDummyFiles,
    /// A key is not written in base64.
    #[error("Invalid base64 blob format")]
    Base64,
    /// A key has another length than keys of its type.
    #[error(
        "Invalid {kind} {what} key: Ill-formed input: expected {expected} bytes, got {got} bytes"
    )]
    Length {
        /// The type.
        kind: &'static str,
        /// `public` or `secret`.
        what: &'static str,
        /// The length it must have.
        expected: usize,
        /// The length it has.
        got: usize,
    },
    /// A key is not one of its type, or of an algorithm that is not supported.
    #[error("Invalid {kind} {what} key: {cause}")]
    Key {
        /// The type.
        kind: &'static str,
        /// `public` or `secret`.
        what: &'static str,
        /// What is wrong.
        cause: String,
    },
    /// A PEM block of another kind.
    #[error("Unexpected label \"{0}\"")]
    Label(String),
    /// A file with keys cannot be read.
    #[error("{path}: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// More than any commit, summary or delta has.
    #[error("{0}: more than {MAX_SIGNATURES} signatures")]
    TooMany(&'static str),
    /// There is no key to judge with.
    #[error("signature: {0}: no keys loaded")]
    NoKeys(&'static str),
    /// There is nothing to judge.
    #[error("{}", no_signatures(.0))]
    NoSignatures(Kind),
    /// No signature is that of a trusted key.
    #[error("{0}")]
    Refused(String),
    /// A signature could not be made.
    #[error("{kind}: signing: {cause}")]
    Sign {
        /// The type.
        kind: &'static str,
        /// What went wrong.
        cause: String,
    },
}

fn no_signatures(kind: &Kind) -> String {
    match kind {
        Kind::Dummy => "signature: dummy: commit have no signatures of my type".to_owned(),
        kind => format!("{}: no signatures found", kind.name()),
    }
}

/// A key that makes signatures.
#[derive(Debug)]
pub struct SecretKey(Secret);

#[derive(Debug)]
enum Secret {
    Dummy(Vec<u8>),
    Ed25519(ed25519::Secret),
    Spki(spki::Secret),
}

impl SecretKey {
    /// A key as the command line gives it: base64 (`dummy`: any text).
    ///
    /// # Errors
    /// It is no key of that type.
    pub fn parse(kind: Kind, text: &str) -> Result<SecretKey, Error> {
        Ok(SecretKey(match kind {
            Kind::Dummy => Secret::Dummy(text.as_bytes().to_vec()),
            Kind::Ed25519 => Secret::Ed25519(ed25519::Secret::from_bytes(&decode(text)?)?),
            Kind::Spki => Secret::Spki(spki::Secret::from_der(&decode(text)?)?),
        }))
    }

    /// The keys of a file: a line each in base64, or, for `spki`, PEM blocks.
    ///
    /// # Errors
    /// One of them is no key of that type, or there is none.
    pub fn from_file(kind: Kind, bytes: &[u8]) -> Result<Vec<SecretKey>, Error> {
        let keys = match kind {
            Kind::Dummy => return Err(Error::NoDummyFiles),
            Kind::Ed25519 => lines(bytes)?
                .into_iter()
                .map(|line| SecretKey::parse(kind, line))
                .collect::<Result<Vec<_>, _>>()?,
            Kind::Spki => spki::blocks(bytes, "PRIVATE KEY")?
                .iter()
                .map(|der| Ok(SecretKey(Secret::Spki(spki::Secret::from_der(der)?))))
                .collect::<Result<Vec<_>, Error>>()?,
        };
        match keys.is_empty() {
            true => Err(Error::NoKeys(kind.name())),
            false => Ok(keys),
        }
    }

    /// Its type.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match &self.0 {
            Secret::Dummy(_) => Kind::Dummy,
            Secret::Ed25519(_) => Kind::Ed25519,
            Secret::Spki(_) => Kind::Spki,
        }
    }

    /// Signs `data`.
    ///
    /// # Errors
    /// The key cannot.
    pub fn sign(&self, data: &[u8]) -> Result<Vec<u8>, Error> {
        match &self.0 {
            Secret::Dummy(key) => Ok(key.clone()),
            Secret::Ed25519(key) => Ok(key.sign(data)),
            Secret::Spki(key) => key.sign(data),
        }
    }

    /// The public key that judges its signatures, as [`TrustedKeys::add`] takes it.
    ///
    /// # Errors
    /// It cannot be written down.
    pub fn public_text(&self) -> Result<String, Error> {
        match &self.0 {
            Secret::Dummy(key) => Ok(String::from_utf8_lossy(key).into_owned()),
            Secret::Ed25519(key) => Ok(STANDARD.encode(key.public())),
            Secret::Spki(key) => Ok(STANDARD.encode(key.public_der()?)),
        }
    }
}

/// The keys whose signatures count, and those whose signatures do so no longer.
#[derive(Clone, Debug)]
pub struct TrustedKeys {
    kind: Kind,
    /// As bytes, in their order: of `dummy` the text, of `ed25519` the point, of `spki` the DER.
    trusted: Vec<Vec<u8>>,
    revoked: BTreeSet<Vec<u8>>,
}

impl TrustedKeys {
    /// None yet.
    #[must_use]
    pub fn new(kind: Kind) -> TrustedKeys {
        TrustedKeys {
            kind,
            trusted: Vec::new(),
            revoked: BTreeSet::new(),
        }
    }

    /// Their type.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether there is no trusted key, revoked or not.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.trusted.is_empty()
    }

    /// Trusts a key as configurations and command lines give it: base64 (`dummy`: any text).
    ///
    /// # Errors
    /// It is no key of that type.
    pub fn add(&mut self, text: &str) -> Result<(), Error> {
        let key = self.parse(text)?;
        self.trusted.push(key);
        Ok(())
    }

    /// Trusts the keys of a file: a line each in base64, or, for `spki`, PEM blocks. Those that are no keys are passed over
    /// if there is a good one.
    ///
    /// # Errors
    /// None of them is a key of that type.
    pub fn add_file(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let before = self.trusted.len();
        let mut first = None;
        for key in self.parse_file(bytes)? {
            match key {
                Ok(key) => self.trusted.push(key),
                Err(error) => first = first.or(Some(error)),
            }
        }
        match (self.trusted.len() > before, first) {
            (true, _) => Ok(()),
            (false, Some(error)) => Err(error),
            (false, None) => Err(Error::NoKeys(self.kind.name())),
        }
    }

    /// Never again accepts the keys of a file, whoever trusts them.
    ///
    /// # Errors
    /// One of them is no key: passing over it might leave a key trusted that is revoked.
    pub fn revoke_file(&mut self, bytes: &[u8]) -> Result<(), Error> {
        for key in self.parse_file(bytes)? {
            self.revoked.insert(key?);
        }
        Ok(())
    }

    fn parse(&self, text: &str) -> Result<Vec<u8>, Error> {
        match self.kind {
            Kind::Dummy => Ok(text.as_bytes().to_vec()),
            Kind::Ed25519 => ed25519::public(&decode(text)?).map(|key| key.to_vec()),
            Kind::Spki => spki::public(&decode(text)?),
        }
    }

    fn parse_file(&self, bytes: &[u8]) -> Result<Vec<Result<Vec<u8>, Error>>, Error> {
        Ok(match self.kind {
            Kind::Dummy => return Err(Error::NoDummyFiles),
            Kind::Ed25519 => lines(bytes)?
                .into_iter()
                .map(|line| self.parse(line))
                .collect(),
            Kind::Spki => spki::blocks(bytes, "PUBLIC KEY")?
                .iter()
                .map(|der| spki::public(der))
                .collect(),
        })
    }

    /// Judges signatures of `data`: one good one of a trusted key suffices, wherever it stands. Gives the line to print.
    ///
    /// # Errors
    /// There are no keys or no signatures, none of the signatures is that of a trusted key, or there are more than 1024.
    pub fn verify(&self, data: &[u8], signatures: &[&[u8]]) -> Result<String, Error> {
        let name = self.kind.name();
        if signatures.len() > MAX_SIGNATURES {
            return Err(Error::TooMany(name));
        }
        if self.is_empty() {
            return Err(Error::NoKeys(name));
        }
        if signatures.is_empty() {
            return Err(Error::NoSignatures(self.kind));
        }
        let live = || {
            self.trusted
                .iter()
                .filter(|key| !self.revoked.contains(*key))
        };
        if self.kind == Kind::Dummy {
            return match signatures.iter().any(|s| live().any(|key| key == s)) {
                true => Ok("dummy: Signature verified".to_owned()),
                false => Err(Error::Refused(format!(
                    "signature: dummy: incorrect signatures found: {}",
                    signatures.len()
                ))),
            };
        }
        for signature in signatures.iter().rev() {
            for key in live() {
                let good = match self.kind {
                    Kind::Ed25519 => ed25519::verify(key, data, signature),
                    _ => spki::verify(key, data, signature),
                };
                if good {
                    let key = hex(key);
                    return Ok(format!(
                        "{name}: Signature verified successfully with key '{key}'"
                    ));
                }
            }
        }
        const SHOWN: usize = 3;
        let tried: Vec<String> = live().map(|key| format!("key '{}'", hex(key))).collect();
        Err(Error::Refused(match tried.len() {
            0 => format!("{name}: Signature couldn't be verified: every trusted key is revoked"),
            1..=SHOWN => format!(
                "{name}: Signature couldn't be verified with: {}",
                tried.join("; ")
            ),
            n => format!("{name}: Signature couldn't be verified; tried {n} keys"),
        }))
    }
}

fn decode(text: &str) -> Result<Vec<u8>, Error> {
    match text.trim_ascii() {
        "" => Err(Error::Base64),
        text => STANDARD.decode(text).map_err(|_| Error::Base64),
    }
}

fn lines(bytes: &[u8]) -> Result<Vec<&str>, Error> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::Base64)?;
    Ok(text.lines().collect())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
