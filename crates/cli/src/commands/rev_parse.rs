//! `ostree rev-parse`.

use std::io::Write;

use anyhow::{Result, bail};
use osier_store::Repo;

use crate::context::Cx;
use crate::error::usage;
use crate::json::rev_parse::{self, Rev};
use crate::table::{RepoCommand, Usage};

/// Print the commit a revision stands for
#[derive(clap::Args)]
#[command(after_help = "ostree rev-parse --repo=repo exampleos/x86_64/stable^")]
pub struct Args {
    /// Print the only commit of the repository; fail if it has none or several
    #[arg(short = 'S', long)]
    single: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[arg(value_name = "REV")]
    revs: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "REV";
}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        if self.single {
            if !self.revs.is_empty() {
                return Err(usage("Cannot specify arguments with --single"));
            }
            match repo.commits_with_prefix("")?.as_slice() {
                [only] if self.json => rev_parse::print(&mut cx.out, [Rev::new(None, only)])?,
                [only] => writeln!(cx.out, "{only}")?,
                [] => bail!("No commit objects found"),
                _ => bail!("Multiple commit objects found"),
            }
            return Ok(());
        }
        if self.revs.is_empty() {
            return Err(usage("REV must be specified"));
        }
        if self.json {
            let rev = |rev: &String| Ok(Rev::new(Some(rev), &repo.resolve_rev(rev)?));
            let revs: Vec<Rev> = self.revs.iter().map(rev).collect::<Result<_>>()?;
            return Ok(rev_parse::print(&mut cx.out, revs)?);
        }
        for rev in &self.revs {
            writeln!(cx.out, "{}", repo.resolve_rev(rev)?)?;
        }
        Ok(())
    }
}
