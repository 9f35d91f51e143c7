//! Who signs what is made: the options of `commit` and `summary`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use osier_gv::Dict;
use osier_object::commit::key::GPGSIGS;
use osier_sign::gnupg::Gnupg;
use osier_store::signatures;
use osier_store::summary::SignSummary;

use crate::error::refuse;

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

/// Everybody who signs.
pub struct Signing {
    gnupg: Gnupg,
    gpg_keys: Vec<String>,
}

impl SigningArgs {
    /// Those who are to sign.
    ///
    /// # Errors
    /// A key cannot be used.
    pub fn signing(&self) -> Result<Signing> {
        refuse(!self.sign.is_empty(), "--sign")?;
        refuse(self.sign_type.is_some(), "--sign-type")?;
        let gnupg = Gnupg::new(self.gpg_homedir.as_deref());
        // Before the work, not after it.
        for key in &self.gpg_sign {
            gnupg.secret_key(key)?;
        }
        Ok(Signing {
            gnupg,
            gpg_keys: self.gpg_sign.clone(),
        })
    }
}

impl Signing {
    /// Whether nobody signs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.gpg_keys.is_empty()
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
