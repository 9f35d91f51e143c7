//! `ostree pull-local`.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use osier_delta::local::{LocalDeltas, require_deltas, take_deltas};
use osier_gv::Dict;
use osier_object::CommitId;
use osier_pull::remote::Remote;
use osier_pull::verify::{Demands, Signatures};
use osier_store::local_pull::{self, LocalPullOptions, LocalPullOutcome};
use osier_store::parallel::Cancel;
use osier_store::size_text::si;
use osier_store::{Repo, summary};

use crate::commands::prune::depth_of;
use crate::commands::pull::trust;
use crate::commands::remote::remotes;
use crate::context::Cx;
use crate::error::usage;
use crate::json;
use crate::progress::Bar;
use crate::table::{RepoCommand, Usage};
use crate::value;

/// Copy commits from a repository on this machine
#[derive(clap::Args)]
#[command(after_help = "ostree pull-local --repo=repo /srv/build/repo exampleos/x86_64/stable")]
pub struct Args {
    /// Copy the commit objects only
    #[arg(long)]
    commit_metadata_only: bool,
    /// Write the refs as those of this remote
    #[arg(long, value_name = "REMOTE")]
    remote: Option<String>,
    /// Do not sync to disk
    #[arg(long)]
    disable_fsync: bool,
    /// Sync each file by itself
    #[arg(long)]
    per_object_fsync: bool,
    /// Check the checksums of what is copied
    #[arg(long)]
    untrusted: bool,
    /// Refuse files with mode bits outside 0775
    #[arg(long)]
    bareuseronly_files: bool,
    /// Fail unless there are static deltas
    #[arg(long)]
    require_static_deltas: bool,
    /// Use no static deltas
    #[arg(long)]
    disable_static_deltas: bool,
    /// Verify the GPG signatures of commits (needs --remote)
    #[arg(long)]
    gpg_verify: bool,
    /// Verify the GPG signature of the summary (needs --remote)
    #[arg(long)]
    gpg_verify_summary: bool,
    /// Do not check that commits were made for the refs that lead to them
    #[arg(long)]
    disable_verify_bindings: bool,
    /// Parents to copy (default: 0; -1 for all)
    #[arg(long, value_name = "DEPTH", value_parser = value::int)]
    depth: Option<i32>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "SRC_REPO [REFS...]";
}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        let Some((source, refs)) = self.args.split_first() else {
            return Err(usage("DESTINATION must be specified"));
        };
        if (self.gpg_verify || self.gpg_verify_summary) && self.remote.is_none() {
            bail!("Must specify remote name to enable gpg verification");
        }
        if self.require_static_deltas && self.disable_static_deltas {
            bail!("--require-static-deltas and --disable-static-deltas exclude each other");
        }
        let source = Repo::open(&absolute(source)?)?;
        let signatures = self.signatures(cx, repo)?;
        if let Some(signatures) = &signatures {
            signatures.check_summary(
                summary::read_summary(&source)?.as_deref(),
                summary::read_summary_signatures(&source)?
                    .map(|signatures| signatures.encode())
                    .as_deref(),
            )?;
        }
        let verify = |id: &CommitId, bytes: &[u8], metadata: Option<&[u8]>| {
            let failed = |e: String| osier_store::Error::Other(e);
            // Without bytes it is an empty dictionary.
            let metadata = match metadata.filter(|bytes| !bytes.is_empty()) {
                Some(bytes) => Some(Dict::decode(bytes).map_err(|e| failed(e.to_string()))?),
                None => None,
            };
            match &signatures {
                Some(signatures) => signatures
                    .check_commit(id, bytes, metadata.as_ref())
                    .map(drop)
                    .map_err(|e| failed(e.to_string())),
                None => Ok(()),
            }
        };
        if self.require_static_deltas {
            require_deltas(repo, &source)?;
        }
        // Commits alone are no business of deltas.
        let deltas = match self.require_static_deltas && !self.commit_metadata_only {
            true => {
                let targets = local_pull::resolve(&source, refs)?;
                let judge = self.judge_of_deltas(cx, repo)?;
                take_deltas(
                    repo,
                    &source,
                    &targets,
                    self.remote.as_deref(),
                    &|superblock, signatures| judge.check_delta(superblock, signatures),
                    &Cancel::default(),
                )?
            }
            false => LocalDeltas::default(),
        };
        let options = LocalPullOptions {
            refs,
            remote: self.remote.as_deref(),
            depth: depth_of(self.depth.unwrap_or(0)),
            untrusted: self.untrusted,
            bareuseronly_files: self.bareuseronly_files,
            commit_metadata_only: self.commit_metadata_only,
            disable_verify_bindings: self.disable_verify_bindings,
            fsync: if self.disable_fsync {
                Some(false)
            } else {
                None
            },
            per_object_fsync: self.per_object_fsync.then_some(true),
            verify_commit: signatures.is_some().then_some(&verify),
        };
        let bar = Bar::new("Importing objects");
        let outcome = local_pull::pull_local(repo, &source, &options, &bar, &Cancel::default())?;
        bar.finish();
        if self.json {
            json::pull_local::print(&mut cx.out, &outcome)?;
            return Ok(());
        }
        if self.require_static_deltas {
            writeln!(cx.out, "{}", delta_line(&deltas, &outcome))?;
        } else {
            writeln!(cx.out, "{}", line(&outcome))?;
        }
        Ok(())
    }
}

impl Args {
    /// The signatures that the remote's keys must have made, if they are to be verified. Only the command line demands
    /// that here, not the remote's configuration.
    fn signatures(&self, cx: &Cx, repo: &Repo) -> Result<Option<Signatures>> {
        let Some(name) = &self.remote else {
            return Ok(None);
        };
        if !self.gpg_verify && !self.gpg_verify_summary {
            return Ok(None);
        }
        let remote = remotes(cx, repo)?.get(name)?;
        let demands = Demands {
            gpg: self.gpg_verify,
            gpg_summary: self.gpg_verify_summary,
            ..Demands::NONE
        };
        let signatures = Signatures::demanding(&demands, repo, &remote, &trust()?)?;
        Ok(Some(signatures))
    }

    /// What judges deltas where `core.sign-verify-deltas` is set: the keys of the remote, if that is configured, else of the
    /// system.
    fn judge_of_deltas(&self, cx: &Cx, repo: &Repo) -> Result<Signatures> {
        let remotes = remotes(cx, repo)?;
        let remote = match &self.remote {
            Some(name) if remotes.names().contains(&name.as_str()) => remotes.get(name)?,
            _ => Remote::unconfigured(),
        };
        let none = Demands::NONE;
        Ok(Signatures::demanding(&none, repo, &remote, &trust()?)?)
    }
}

/// The closing line of the C tool, which fetches then. What is counted as loose: indexes, superblocks, objects that are
/// in no part; a commit is in its superblock.
fn delta_line(deltas: &LocalDeltas, outcome: &LocalPullOutcome) -> String {
    let metadata = outcome.metadata.saturating_sub(deltas.deltas);
    let mut text = if deltas.deltas > 0 {
        let loose = deltas.files + metadata + outcome.content;
        format!("{} delta parts, {loose} loose fetched", deltas.parts)
    } else {
        let (metadata, content) = (deltas.files + metadata, outcome.content);
        format!("{metadata} metadata, {content} content objects fetched")
    };
    if deltas.bytes > 0 {
        text.push_str(&format!(
            "; {} transferred in 0 seconds",
            bytes(deltas.bytes)
        ));
    }
    let written = si(outcome.content_bytes_written);
    text.push_str(&format!("; {written} content written"));
    text
}

fn bytes(n: u64) -> String {
    match n {
        n if n < 1024 => format!("{n} B"),
        n => format!("{} KiB", n / 1024),
    }
}

fn absolute(path: &str) -> Result<PathBuf> {
    std::path::absolute(Path::new(path)).with_context(|| format!("opening repo: {path}"))
}

/// The closing line of the C tool.
fn line(outcome: &LocalPullOutcome) -> String {
    let LocalPullOutcome {
        metadata, content, ..
    } = outcome;
    let mut text = format!("{metadata} metadata, {content} content objects imported");
    if outcome.commitmeta_bytes > 0 {
        let bytes = bytes(outcome.commitmeta_bytes);
        text.push_str(&format!("; {bytes} transferred in 0 seconds"));
    }
    text.push_str(&format!(
        "; {} content written",
        si(outcome.content_bytes_written)
    ));
    text
}
