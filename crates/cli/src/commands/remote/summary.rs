//! `ostree remote summary`.

use std::path::PathBuf;

use anyhow::{Result, bail};
use osier_object::Summary;
use osier_pull::{PullOptions, fetch_remote_summary};
use osier_store::Repo;

use crate::commands::pull::from_environment;
use crate::context::Cx;
use crate::error::usage;
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
        let Some(name) = self.args.first() else {
            return Err(usage("NAME must be specified"));
        };
        let remote = super::remotes(cx, repo)?.get(name)?;
        let options = PullOptions {
            cache_dir: self.cache_dir,
            ..from_environment()?
        };
        let Some(summary) = fetch_remote_summary(repo, &remote, &options)? else {
            bail!("Remote server has no summary file");
        };
        if self.raw {
            return render::summary::raw(&mut cx.out, &summary.bytes);
        }
        let decoded = Summary::decode(&summary.bytes)?;
        if self.list_metadata_keys {
            Ok(render::summary::list_keys(&mut cx.out, &decoded.metadata)?)
        } else if let Some(key) = &self.print_metadata_key {
            render::summary::print_key(&mut cx.out, &decoded.metadata, key)
        } else {
            render::summary::view(&mut cx.out, &decoded)
        }
    }
}
