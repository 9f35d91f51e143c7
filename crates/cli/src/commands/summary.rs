//! `ostree summary`.

use std::io::Write;

use anyhow::{Context, Result, bail};
use osier_gv::{Dict, text};
use osier_object::Summary;
use osier_store::Repo;
use osier_store::summary::{self, SummaryOptions};

use crate::context::Cx;
use crate::json;
use crate::render;
use crate::signing::SigningArgs;
use crate::table::{RepoCommand, Usage};
use crate::{clock, gpg};

/// Write or print the summary, which lists all refs for clients
#[derive(clap::Args)]
#[command(after_help = "ostree summary --repo=repo --update")]
pub struct Args {
    /// Write the summary anew
    #[arg(short, long)]
    update: bool,
    /// Print the summary
    #[arg(short = 'v', long)]
    view: bool,
    /// Print the summary as a GVariant, integers byte-swapped
    #[arg(long)]
    raw: bool,
    /// List the keys of the summary's metadata
    #[arg(long)]
    list_metadata_keys: bool,
    /// Print one value of the summary's metadata
    #[arg(long, value_name = "KEY")]
    print_metadata_key: Option<String>,
    #[command(flatten)]
    signing: SigningArgs,
    /// Metadata to add: a value in GVariant text format
    #[arg(short = 'm', long, value_name = "KEY=VALUE")]
    add_metadata: Vec<String>,
    /// Print JSON (of the whole summary, if nothing else is asked for)
    #[arg(long)]
    json: bool,
    #[arg(value_name = "ARGS", hide = true)]
    rest: Vec<String>,
}

impl Usage for Args {
    const SHORT_VERBOSE: bool = false;
}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        json::alone(self.json, &[("--update", self.update), ("--raw", self.raw)])?;
        if self.update {
            let options = SummaryOptions {
                metadata: self.metadata()?,
                now: clock::now()?,
                commit_time: clock::commit_time()?,
            };
            let signing = self.signing.signing(&[])?;
            return Ok(summary::update(repo, &options, Some(&signing))?);
        }
        let keys = self.list_metadata_keys || self.print_metadata_key.is_some();
        // Asking for a form is asking to see it.
        let view = self.view || (self.json && !keys);
        if !(view || self.raw || keys) {
            bail!("No option specified; use -u to update summary");
        }
        let Some(bytes) = summary::read_summary(repo)? else {
            bail!("openat(summary): No such file or directory");
        };
        if self.raw {
            return render::summary::raw(&mut cx.out, &bytes);
        }
        let decoded = Summary::decode(&bytes).context("reading the summary")?;
        if view && self.json {
            let signed = summary::read_summary_signatures(repo)?.is_some();
            return json::summary::print(&mut cx.out, &decoded, signed);
        }
        if self.view {
            render::summary::view(&mut cx.out, &decoded)?;
            return signatures(cx, repo, &bytes);
        }
        if self.list_metadata_keys {
            list_keys(&mut cx.out, &decoded.metadata, self.json)?;
        }
        match &self.print_metadata_key {
            Some(key) if !self.list_metadata_keys => {
                print_key(&mut cx.out, &decoded.metadata, key, self.json)
            }
            _ => Ok(()),
        }
    }
}

impl Args {
    fn metadata(&self) -> Result<Dict> {
        let mut dict = Dict::new();
        for pair in &self.add_metadata {
            let Some((key, value)) = pair.split_once('=') else {
                bail!("Missing '=' in KEY=VALUE metadata '{pair}'");
            };
            let value = text::parse(value, None)
                .with_context(|| format!("Error parsing variant ‘{value}’"))?;
            dict.insert(key, value);
        }
        Ok(dict)
    }
}

fn signatures(cx: &mut Cx, repo: &Repo, bytes: &[u8]) -> Result<()> {
    let Some(signatures) = summary::read_summary_signatures(repo)? else {
        writeln!(cx.out, "Summary is unsigned")?;
        return Ok(());
    };
    let keys = gpg::known_keys(repo, None)?;
    if let Some(reports) = gpg::reports(&keys, bytes, &signatures)? {
        writeln!(cx.out)?;
        gpg::print(&mut cx.out, &reports, " on the summary")?;
    }
    Ok(())
}

/// `--list-metadata-keys` in either form.
pub(super) fn list_keys(out: &mut (dyn Write + Send), metadata: &Dict, json: bool) -> Result<()> {
    match json {
        true => json::show::print_keys(out, metadata)?,
        false => render::summary::list_keys(out, metadata)?,
    }
    Ok(())
}

/// `--print-metadata-key` in either form.
pub(super) fn print_key(
    out: &mut (dyn Write + Send),
    metadata: &Dict,
    key: &str,
    json: bool,
) -> Result<()> {
    match metadata.get(key).filter(|_| json) {
        Some(value) => Ok(json::show::print_key(out, key, value)?),
        None => render::summary::print_key(out, metadata, key),
    }
}
