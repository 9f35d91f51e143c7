//! `ostree remote summary`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, bail};
use osier_object::Summary;
use osier_store::Repo;

use crate::commands::summary::{list_keys, print_key};
use crate::context::Cx;
use crate::json;
use crate::render;
use crate::table::{RepoCommand, Usage};

/// Print the summary of a remote
#[derive(clap::Args)]
#[command(after_help = "ostree remote summary --repo=repo origin")]
pub struct Args {
    /// List the keys of the summary's metadata
    #[arg(long)]
    list_metadata_keys: bool,
    /// Print one value of the summary's metadata
    #[arg(long, value_name = "KEY")]
    print_metadata_key: Option<String>,
    /// Keep summaries in this folder, in place of the repository's own
    #[arg(long, value_name = "DIR")]
    cache_dir: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print the summary as a GVariant, integers byte-swapped
    #[arg(long)]
    raw: bool,
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "NAME";
}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        json::alone(self.json, &[("--raw", self.raw)])?;
        let (_, summary) = super::remote_summary(cx, repo, &self.args, self.cache_dir)?;
        let Some(summary) = summary else {
            bail!("Remote server has no summary file");
        };
        let decoded = Summary::decode(&summary.bytes)?;
        if self.list_metadata_keys {
            list_keys(&mut cx.out, &decoded.metadata, self.json)
        } else if let Some(key) = &self.print_metadata_key {
            print_key(&mut cx.out, &decoded.metadata, key, self.json)
        } else if self.raw {
            render::summary::raw(&mut cx.out, &summary.bytes)
        } else if self.json {
            json::summary::print(&mut cx.out, &decoded, summary.signature.is_some())
        } else {
            render::summary::view(&mut cx.out, &decoded)?;
            match &summary.verified.gpg {
                Some(text) => Ok(write!(cx.out, "\n{text}")?),
                None => Ok(()),
            }
        }
    }
}
