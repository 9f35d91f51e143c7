//! `ostree remote refs`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, bail};
use osier_object::Summary;
use osier_store::Repo;

use crate::context::Cx;
use crate::json::refs::{self, Ref};
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
    /// Print JSON, always with commits
    #[arg(long)]
    json: bool,
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "NAME";
}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        let (name, summary) = super::remote_summary(cx, repo, &self.args, self.cache_dir)?;
        let Some(summary) = summary else {
            bail!("Remote refs not available; server has no summary file");
        };
        let mut refs = Summary::decode(&summary.bytes)?.refs;
        refs.sort_by(|a, b| a.name.cmp(&b.name));
        if self.json {
            let refs = refs
                .iter()
                .map(|found| Ref::new(Some(&name), &found.name, &found.commit));
            return Ok(refs::print(&mut cx.out, refs)?);
        }
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
