//! `ostree remote show-url`.

use std::io::Write;

use anyhow::Result;
use osier_store::Repo;

use crate::context::Cx;
use crate::error::usage;
use crate::table::{RepoCommand, Usage};

/// Print the URL of a remote
#[derive(clap::Args)]
#[command(after_help = "ostree remote show-url --repo=repo origin")]
pub struct Args {
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
        writeln!(cx.out, "{}", super::remotes(cx, repo)?.get(name)?.url()?)?;
        Ok(())
    }
}
