//! `ostree sign`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, bail};
use osier_gv::Dict;
use osier_object::{CommitId, ObjectType};
use osier_sign::api::{Error, Kind, SecretKey, TrustedKeys};
use osier_store::{ReadObjects, Repo, signatures};

use crate::context::Cx;
use crate::error::usage;
use crate::signing;
use crate::table::{RepoCommand, Usage};

/// Sign a commit with plain keys, or verify its signatures
#[derive(clap::Args)]
#[command(after_help = "ostree sign --repo=repo --verify exampleos/x86_64/stable PUBLIC-KEY")]
pub struct Args {
    /// Delete the signatures of these keys
    #[arg(short, long)]
    delete: bool,
    /// Verify instead: one valid signature is enough
    #[arg(long)]
    verify: bool,
    /// Kind of signature: ed25519 (the default), spki, dummy
    #[arg(short, long, value_name = "NAME")]
    sign_type: Option<String>,
    /// File with the keys: secret ones to sign, public ones to verify
    #[arg(long, value_name = "NAME")]
    keys_file: Option<PathBuf>,
    /// Folder with trusted.NAME and revoked.NAME, or such folders, to verify with instead of the system's
    #[arg(long, value_name = "NAME")]
    keys_dir: Option<PathBuf>,
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "COMMIT KEY-ID...";
}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        let Some((rev, keys)) = self.args.split_first() else {
            return Err(usage("Need a COMMIT to sign or verify"));
        };
        if !self.verify && keys.is_empty() && (self.delete || self.keys_file.is_none()) {
            return Err(usage("Need at least one KEY-ID to sign with"));
        }
        let id: CommitId = repo.resolve_rev(rev)?;
        let kind = signing::kind(self.sign_type.as_deref())?;
        let bytes = repo.read_metadata(ObjectType::Commit, &id.0)?;
        if self.verify {
            let metadata = repo.load_commitmeta(&id)?.unwrap_or_default();
            let line = self.verified(kind, keys, &bytes, &metadata)?;
            writeln!(cx.out, "{line}")?;
            return Ok(());
        }
        if self.keys_dir.is_some() {
            bail!("--keys-dir names public keys: it goes with --verify only");
        }
        if self.delete {
            let deleted = delete(repo, &id, kind, keys, &bytes)?;
            writeln!(cx.out, "Signatures deleted: {deleted}")?;
            return Ok(());
        }
        let mut made = Vec::new();
        for key in signing::secret_keys(kind, keys, self.keys_file.as_slice())? {
            made.push(key.sign(&bytes)?);
        }
        signatures::edit_commit(repo, &id, |metadata| {
            signatures::append(metadata, kind.metadata_key(), made);
            Ok::<_, anyhow::Error>(())
        })
    }
}

impl Args {
    /// The line about the signature that is good.
    fn verified(
        &self,
        kind: Kind,
        keys: &[String],
        data: &[u8],
        metadata: &Dict,
    ) -> Result<String> {
        let found = signatures::get(metadata, kind.metadata_key());
        let judge = |trusted: &TrustedKeys| match kind == Kind::Dummy && !signing::dummy_enabled() {
            true => Err(Error::DummyOff),
            false => trusted.verify(data, &found),
        };
        for key in keys {
            let mut trusted = TrustedKeys::new(kind);
            trusted.add(key)?;
            if let Ok(line) = judge(&trusted) {
                return Ok(line);
            }
        }
        // The folders of the system do not matter where keys are named.
        if !keys.is_empty() && self.keys_file.is_none() && self.keys_dir.is_none() {
            bail!("No valid signatures found");
        }
        let mut trusted = TrustedKeys::new(kind);
        let (file, dir) = (self.keys_file.as_deref(), self.keys_dir.as_deref());
        signing::add_stored_keys(&mut trusted, file, dir)?;
        Ok(judge(&trusted)?)
    }
}

/// Takes away all signatures of `bytes` by `keys`, which may be public or secret.
fn delete(repo: &Repo, id: &CommitId, kind: Kind, keys: &[String], bytes: &[u8]) -> Result<usize> {
    let mut by = TrustedKeys::new(kind);
    for key in keys {
        // Whoever signed has the secret key at hand, everybody else the public one.
        match SecretKey::parse(kind, key).and_then(|secret| secret.public_text()) {
            Ok(public) => by.add(&public)?,
            Err(_) => by.add(key)?,
        }
    }
    signatures::edit_commit(repo, id, |metadata| {
        let all = signatures::get(metadata, kind.metadata_key());
        let before = all.len();
        let kept: Vec<Vec<u8>> = all
            .into_iter()
            .filter(|signature| by.verify(bytes, &[signature]).is_err())
            .map(<[u8]>::to_vec)
            .collect();
        let deleted = before - kept.len();
        signatures::set(metadata, kind.metadata_key(), kept);
        Ok(deleted)
    })
}
