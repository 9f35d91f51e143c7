//! `ostree remote refs`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, bail};
use osier_object::Summary;
use osier_pull::{PullOptions, fetch_remote_summary};
use osier_store::Repo;

use crate::commands::pull::from_environment;
use crate::context::Cx;
use crate::error::usage;
use crate::table::{RepoCommand, Usage};

/// List the refs that a remote has
#[derive(clap::Args)]
#[command(after_help = "ostree remote refs --repo=repo origin")]
pub struct Args {
    /// Print each ref's commit too
    #[arg(short, long)]
    revision: bool,
    /// Keep summaries in this folder, in place of the repository's own
    #[arg(long, value_name = "DIR")]
    cache_dir: Option<PathBuf>,
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
            bail!("Remote refs not available; server has no summary file");
        };
        let mut refs = Summary::decode(&summary.bytes)?.refs;
        refs.sort_by(|a, b| a.name.cmp(&b.name));
        for found in refs {
            write!(cx.out, "{name}:{}", found.name)?;
            if self.revision {
                write!(cx.out, "\t{}", found.commit)?;
            }
            writeln!(cx.out)?;
        }
        Ok(())
    }
}
