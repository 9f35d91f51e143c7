//! `ostree static-delta list`.

use anyhow::Result;
use osier_store::Repo;

use crate::context::Cx;
use crate::table::{RepoCommand, Usage};

/// List the deltas of the repository
#[derive(clap::Args)]
#[command(after_help = "ostree static-delta list --repo=repo")]
pub struct Args {
    #[arg(value_name = "ARGS", hide = true)]
    rest: Vec<String>,
}

impl Usage for Args {}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        super::list_lines(
            &mut cx.out,
            &repo.static_deltas_in_disk_order()?,
            "(No static deltas)",
        )?;
        Ok(())
    }
}
