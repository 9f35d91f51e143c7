//! `ostree remote list`.

use std::io::Write;

use anyhow::Result;
use osier_store::Repo;

use crate::context::Cx;
use crate::table::{RepoCommand, Usage};

/// List the remotes
#[derive(clap::Args)]
#[command(after_help = "ostree remote list --repo=repo --show-urls")]
pub struct Args {
    /// Print each remote's URL too
    #[arg(short = 'u', long)]
    show_urls: bool,
    #[arg(value_name = "ARGS", hide = true)]
    rest: Vec<String>,
}

impl Usage for Args {}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        let remotes = super::remotes(cx, repo)?;
        let names = remotes.names();
        let width = names.iter().map(|name| name.len()).max().unwrap_or(0);
        for name in names {
            if self.show_urls {
                writeln!(cx.out, "{name:width$}  {}", remotes.get(name)?.url()?)?;
            } else {
                writeln!(cx.out, "{name}")?;
            }
        }
        Ok(())
    }
}
