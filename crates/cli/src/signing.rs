//! Who signs what is made: the options of `commit` and `summary`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use osier_gv::Dict;
use osier_object::commit::key::GPGSIGS;
use osier_sign::api::{Error, Kind, SecretKey, TrustedKeys};
use osier_sign::gnupg::Gnupg;
use osier_sign::key_folders;
use osier_store::signatures;
use osier_store::summary::SignSummary;

/// The keys to sign with.
#[derive(clap::Args)]
pub struct SigningArgs {
    /// Sign with this GPG key (repeatable)
    #[arg(long, value_name = "KEY-ID")]
    gpg_sign: Vec<String>,
    /// GnuPG home with the secret keys
    #[arg(long, value_name = "HOMEDIR")]
    gpg_homedir: Option<PathBuf>,
    /// Sign with this secret key (repeatable)
    #[arg(long, value_name = "KEY-ID")]
    sign: Vec<String>,
    /// Kind of signature (default: ed25519)
    #[arg(long, value_name = "NAME")]
    sign_type: Option<String>,
}

/// The keys of which one must have signed a delta.
#[derive(clap::Args)]
pub struct TrustArgs {
    /// Kind of signature: ed25519 (the default), spki, dummy
    #[arg(long, value_name = "NAME")]
    sign_type: Option<String>,
    /// File with the public keys
    #[arg(long, value_name = "NAME")]
    keys_file: Option<PathBuf>,
    /// Folder with trusted.NAME and revoked.NAME, or such folders, to use instead of the system's
    #[arg(long, value_name = "NAME")]
    keys_dir: Option<PathBuf>,
}

impl TrustArgs {
    /// The type of the signatures.
    ///
    /// # Errors
    /// No type has that name.
    pub fn kind(&self) -> Result<Kind, Error> {
        kind(self.sign_type.as_deref())
    }

    /// Whether options name keys.
    #[must_use]
    pub fn names_keys(&self) -> bool {
        self.keys_file.is_some() || self.keys_dir.is_some()
    }

    /// `keys` and those that the options name; those of the system if there are none of them.
    ///
    /// # Errors
    /// One of them is no key, or a file cannot be read.
    pub fn trusted(&self, keys: &[String]) -> Result<TrustedKeys> {
        let kind = self.kind()?;
        let mut trusted = TrustedKeys::new(kind);
        for key in keys {
            trusted.add(key)?;
        }
        if keys.is_empty() || self.names_keys() {
            let (file, dir) = (self.keys_file.as_deref(), self.keys_dir.as_deref());
            add_stored_keys(&mut trusted, file, dir)?;
        }
        Ok(trusted)
    }
}

/// Trusts the keys of a file, which then alone counts; else those that a folder trusts and does not revoke; else those of the
/// system's folders.
///
/// # Errors
/// A file cannot be read, or has no key of that type. `dummy` keys are in no files.
pub fn add_stored_keys(
    trusted: &mut TrustedKeys,
    file: Option<&Path>,
    dir: Option<&Path>,
) -> Result<(), Error> {
    match (file, dir) {
        _ if trusted.kind() == Kind::Dummy => Err(Error::NoDummyFiles),
        (Some(file), _) => trusted.add_file(&key_folders::read(file)?),
        (None, Some(dir)) => trusted.load_folders(&[dir.to_owned()]),
        (None, None) => trusted.load_folders(&key_dirs()),
    }
}

/// Everybody who signs.
pub struct Signing {
    gnupg: Gnupg,
    gpg_keys: Vec<String>,
    kind: Kind,
    keys: Vec<SecretKey>,
}

impl SigningArgs {
    /// Those who are to sign, and the secret keys in `key_files`.
    ///
    /// # Errors
    /// A key cannot be used.
    pub fn signing(&self, key_files: &[PathBuf]) -> Result<Signing> {
        // A type that is not used may be any.
        let (kind, keys) = match self.sign.is_empty() && key_files.is_empty() {
            true => (Kind::Ed25519, Vec::new()),
            false => {
                let kind = kind(self.sign_type.as_deref())?;
                (kind, secret_keys(kind, &self.sign, key_files)?)
            }
        };
        let gnupg = Gnupg::new(self.gpg_homedir.as_deref());
        // Before the work, not after it.
        for key in &self.gpg_sign {
            gnupg.secret_key(key)?;
        }
        Ok(Signing {
            gnupg,
            gpg_keys: self.gpg_sign.clone(),
            kind,
            keys,
        })
    }
}

/// Where the system keeps keys of the sign API.
#[must_use]
pub fn key_dirs() -> Vec<PathBuf> {
    vec!["/etc/ostree".into(), "/usr/share/ostree".into()]
}

/// Whether signatures of the type `dummy` are made and count: for tests of what is around them.
#[must_use]
pub fn dummy_enabled() -> bool {
    std::env::var_os("OSTREE_DUMMY_SIGN_ENABLED").is_some_and(|value| value == "1")
}

/// The type that `--sign-type` names.
///
/// # Errors
/// No type has that name.
pub fn kind(name: Option<&str>) -> Result<Kind, Error> {
    name.map_or(Ok(Kind::Ed25519), Kind::from_name)
}

/// The secret keys of the command line and of files.
///
/// # Errors
/// One of them is no key of that type, or a file cannot be read.
pub fn secret_keys(kind: Kind, keys: &[String], files: &[PathBuf]) -> Result<Vec<SecretKey>> {
    if kind == Kind::Dummy && !dummy_enabled() {
        return Err(Error::DummyOff.into());
    }
    let mut all = Vec::new();
    for key in keys {
        all.push(SecretKey::parse(kind, key)?);
    }
    for file in files {
        let found = key_folders::read(file).and_then(|bytes| SecretKey::from_file(kind, &bytes));
        all.extend(found.with_context(|| {
            format!(
                "Failed loading '{}' keys from '{}'",
                kind.name(),
                file.display()
            )
        })?);
    }
    Ok(all)
}

impl Signing {
    /// Whether nobody signs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.gpg_keys.is_empty() && self.keys.is_empty()
    }

    /// Adds everybody's signature of `data` to a dictionary of signatures. `what` it is, is said when that fails.
    ///
    /// # Errors
    /// Somebody cannot sign.
    pub fn add_to(&self, signatures: &mut Dict, data: &[u8], what: &str) -> Result<()> {
        let mut made = Vec::new();
        for key in &self.gpg_keys {
            let signature = self.gnupg.sign(key, data);
            made.push(signature.with_context(|| format!("Failure signing {what}"))?);
        }
        if !made.is_empty() {
            signatures::append(signatures, GPGSIGS, made);
        }
        let mut made = Vec::new();
        for key in &self.keys {
            made.push(key.sign(data)?);
        }
        if !made.is_empty() {
            signatures::append(signatures, self.kind.metadata_key(), made);
        }
        Ok(())
    }

    fn signed(&self, data: &[u8], what: &str) -> osier_store::Result<Option<Dict>> {
        if self.is_empty() {
            return Ok(None);
        }
        let mut signatures = Dict::new();
        self.add_to(&mut signatures, data, what)
            .map_err(|e| osier_store::Error::Other(format!("{e:#}")))?;
        Ok(Some(signatures))
    }
}

impl SignSummary for Signing {
    fn commit(&self, bytes: &[u8]) -> osier_store::Result<Option<Dict>> {
        self.signed(bytes, "commit file")
    }

    fn summary(&self, bytes: &[u8]) -> osier_store::Result<Option<Dict>> {
        self.signed(bytes, "summary file")
    }
}
