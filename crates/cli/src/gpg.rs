//! OpenPGP keys and verdicts: where keyrings are found, and how what was found of signatures is printed.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use osier_gv::Dict;
use osier_object::commit::key::GPGSIGS;
use osier_pull::Outcome;
use osier_pull::remote::keyrings_in;
use osier_sign::openpgp::{self, Keyring, Report};
use osier_store::{Repo, signatures};

use crate::clock;
use crate::output::Output;
use crate::render::date;

/// Where the system keeps the keyrings that all remotes trust.
const TRUSTED_DIR: &str = "/usr/share/ostree/trusted.gpg.d/";

/// The folder of the keyrings that all remotes trust: `$OSTREE_GPG_HOME`, else the system's.
#[must_use]
pub fn trusted_dir() -> PathBuf {
    std::env::var_os("OSTREE_GPG_HOME")
        .filter(|dir| !dir.is_empty())
        .map_or_else(|| TRUSTED_DIR.into(), PathBuf::from)
}

/// The keys by which signatures are shown where no remote is named: those of the repository, of the system, and of
/// `--gpg-homedir`.
///
/// # Errors
/// A folder or keyring cannot be read; `homedir` must be there.
pub fn known_keys(repo: &Repo, homedir: Option<&Path>) -> Result<Keyring> {
    let mut keys = keyrings_in(repo.path())?;
    keys.merge(keyrings_in(&trusted_dir())?);
    if let Some(dir) = homedir {
        std::fs::read_dir(dir).with_context(|| format!("opendir({})", dir.display()))?;
        keys.merge(keyrings_in(dir)?);
    }
    Ok(keys)
}

/// What the GPG signatures in a dictionary are worth; none if it has none.
///
/// # Errors
/// One of them is none at all.
pub fn reports(keys: &Keyring, data: &[u8], metadata: &Dict) -> Result<Option<Vec<Report>>> {
    if !metadata.contains_key(GPGSIGS) {
        return Ok(None);
    }
    let signatures = signatures::get(metadata, GPGSIGS);
    let reports = openpgp::verify(keys, data, &signatures, clock::now()?)
        .context("GPG: Unable to complete signature verification: GPGME")?;
    Ok(Some(reports))
}

/// Prints `Found N signatures:` and what each is worth. `of` says of what, if not of a commit.
///
/// # Errors
/// When writing fails.
pub fn print(out: &mut dyn Write, reports: &[Report], of: &str) -> Result<()> {
    let text = openpgp::describe_all(reports, "Found", of, clock::now()?, &date::local);
    out.write_all(text.as_bytes())?;
    Ok(())
}

/// Tells somebody at a terminal whose signatures a pull accepted.
///
/// # Errors
/// When writing fails.
pub fn print_verified(out: &mut Output, outcome: &Outcome) -> Result<()> {
    if out.is_terminal() {
        for text in outcome
            .verified
            .iter()
            .filter_map(|(_, found)| found.gpg.as_ref())
        {
            write!(out, "\n\n{text}")?;
        }
    }
    Ok(())
}
