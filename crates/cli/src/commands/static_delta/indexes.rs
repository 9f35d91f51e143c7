//! `ostree static-delta indexes`.

use anyhow::Result;
use osier_store::Repo;

use crate::context::Cx;
use crate::json;
use crate::table::{RepoCommand, Usage};

/// List the commits that have an index of deltas
#[derive(clap::Args)]
#[command(after_help = "ostree static-delta indexes --repo=repo")]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[arg(value_name = "ARGS", hide = true)]
    rest: Vec<String>,
}

impl Usage for Args {}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        if self.json {
            return Ok(json::static_delta::print_indexes(
                &mut cx.out,
                &repo.indexed_commits()?,
            )?);
        }
        super::list_lines(
            &mut cx.out,
            &repo.indexed_commits()?,
            "(No static deltas indexes)",
        )?;
        Ok(())
    }
}
