//! `ostree gpg-sign`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use osier_gv::Dict;
use osier_object::commit::key::GPGSIGS;
use osier_object::{CommitId, ObjectType};
use osier_sign::gnupg::Gnupg;
use osier_sign::openpgp::{self, Keyring};
use osier_store::{ReadObjects, Repo, signatures};

use crate::context::Cx;
use crate::error::usage;
use crate::table::{RepoCommand, Usage};
use crate::{clock, gpg};

/// Sign a commit with GPG keys
#[derive(clap::Args)]
#[command(after_help = "ostree gpg-sign --repo=repo exampleos/x86_64/stable 5D54A0B835BCD969")]
pub struct Args {
    /// Delete the signatures of these keys
    #[arg(short, long)]
    delete: bool,
    /// GnuPG home with the secret keys
    #[arg(long, value_name = "HOMEDIR")]
    gpg_homedir: Option<PathBuf>,
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "COMMIT KEY-ID...";
}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        let Some((rev, keys)) = self.args.split_first() else {
            return Err(usage("Need a COMMIT to sign"));
        };
        if keys.is_empty() {
            return Err(usage("Need at least one GPG KEY-ID to sign with"));
        }
        let id: CommitId = repo.resolve_rev(rev)?;
        let bytes = repo.read_metadata(ObjectType::Commit, &id.0)?;
        let known = gpg::known_keys(repo, self.gpg_homedir.as_deref())?;
        if self.delete {
            let deleted = delete(repo, &id, &known, keys)?;
            writeln!(cx.out, "Signatures deleted: {deleted}")?;
            return Ok(());
        }
        let gnupg = Gnupg::new(self.gpg_homedir.as_deref());
        // Whoever gpg has to ask for a passphrase takes their time: nothing is locked meanwhile.
        let present = repo.load_commitmeta(&id)?.unwrap_or_default();
        let mut made = Vec::new();
        for key in keys {
            gnupg.secret_key(key)?;
            if signers(&bytes, &present, &known)?
                .iter()
                .any(|signer| known.is_key_of(key, signer))
            {
                bail!("Commit is already signed with GPG key {key}");
            }
            made.push(
                gnupg
                    .sign(key, &bytes)
                    .context("Failure signing commit file")?,
            );
        }
        signatures::edit_commit(repo, &id, |metadata| {
            signatures::append(metadata, GPGSIGS, made);
            Ok::<_, anyhow::Error>(())
        })
    }
}

/// The fingerprints of the keys that signed.
fn signers(bytes: &[u8], metadata: &Dict, known: &Keyring) -> Result<Vec<String>> {
    let reports = gpg::reports(known, bytes, metadata)?.unwrap_or_default();
    Ok(reports
        .into_iter()
        .map(|report| report.fingerprint)
        .collect())
}

/// Takes away all signatures by `keys`.
fn delete(repo: &Repo, id: &CommitId, known: &Keyring, keys: &[String]) -> Result<usize> {
    let now = clock::now()?;
    let by_one_of = |signature: &[u8]| -> bool {
        // Who made it is written in it: that needs neither the data nor that it is valid.
        let reports = openpgp::verify(known, b"", &[signature], now).unwrap_or_default();
        !reports.is_empty()
            && reports.iter().all(|report| {
                keys.iter().any(|key| {
                    known.is_key_of(key, &report.fingerprint)
                        || openpgp::is_fingerprint_of(key, &report.fingerprint)
                })
            })
    };
    signatures::edit_commit(repo, id, |metadata| {
        let all = signatures::get(metadata, GPGSIGS);
        let before = all.len();
        let kept: Vec<Vec<u8>> = all
            .into_iter()
            .filter(|signature| !by_one_of(signature))
            .map(<[u8]>::to_vec)
            .collect();
        let deleted = before - kept.len();
        signatures::set(metadata, GPGSIGS, kept);
        Ok(deleted)
    })
}
