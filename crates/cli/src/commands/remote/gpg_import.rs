//! `ostree remote gpg-import`.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use osier_sign::gnupg::Gnupg;
use osier_sign::openpgp::{Keyring, MAX_BYTES};
use osier_store::Repo;

use crate::context::Cx;
use crate::error::usage;
use crate::table::{RepoCommand, Usage};

/// Import GPG keys for a remote
#[derive(clap::Args)]
#[command(after_help = "ostree remote gpg-import --repo=repo --keyring=example.asc origin")]
pub struct Args {
    /// Import from this file (repeatable)
    #[arg(short = 'k', long, value_name = "FILE")]
    keyring: Vec<PathBuf>,
    /// Import from standard input
    #[arg(long)]
    stdin: bool,
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "NAME [KEY-ID...]";
}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        let Some((name, keys)) = self.args.split_first() else {
            return Err(usage("NAME must be specified"));
        };
        if !self.keyring.is_empty() && self.stdin {
            return Err(usage("--keyring and --stdin are mutually exclusive"));
        }
        let remote = super::remotes(cx, repo)?
            .get(name)
            .map_err(|e| anyhow::anyhow!("GPG: {e}"))?;
        let found = if self.stdin {
            read(std::io::stdin().lock())?
        } else if self.keyring.is_empty() {
            let exported = Gnupg::new(None).export(keys).context("GPG")?;
            parse(&exported)?
        } else {
            let mut found = Keyring::new();
            for path in &self.keyring {
                found.merge(read_file(path)?);
            }
            found
        };
        let chosen = choose(found, keys)?;
        let imported = remote.import_keys(repo, chosen)?;
        print(&mut cx.out, imported, name)
    }
}

/// Says how many keys are new.
pub(super) fn print(out: &mut dyn Write, imported: usize, remote: &str) -> Result<()> {
    let plural = if imported == 1 { "" } else { "s" };
    writeln!(
        out,
        "Imported {imported} GPG key{plural} to remote \"{remote}\""
    )?;
    Ok(())
}

/// The keys of a file.
///
/// # Errors
/// It cannot be read, or holds no keys.
pub(super) fn read_file(path: &Path) -> Result<Keyring> {
    let path = std::path::absolute(path)?;
    let file = std::fs::File::open(&path)
        .with_context(|| format!("Error opening file {}", path.display()))?;
    read(file).with_context(|| format!("reading {}", path.display()))
}

fn read(input: impl Read) -> Result<Keyring> {
    let mut bytes = Vec::new();
    input.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Result<Keyring> {
    let keys = Keyring::from_bytes(bytes).context("GPG: Unable to export keys: GPGME")?;
    if keys.is_empty() {
        bail!("GPG: Unable to export keys: GPGME: No data");
    }
    Ok(keys)
}

/// Of `found`, the keys that are named; all of them if none is.
fn choose(found: Keyring, names: &[String]) -> Result<Keyring> {
    if names.is_empty() {
        return Ok(found);
    }
    let mut chosen = Keyring::new();
    for name in names {
        let selected = found.select(name);
        match selected.len() {
            0 => bail!("GPG: Unable to find key \"{name}\": GPGME: End of file"),
            1 => chosen.merge(selected),
            _ => bail!("GPG: Unable to find key \"{name}\": GPGME: Ambiguous name"),
        };
    }
    Ok(chosen)
}
