//! `ostree static-delta list`.

use anyhow::Result;
use osier_store::Repo;

use crate::context::Cx;
use crate::json;
use crate::table::{RepoCommand, Usage};

/// List the deltas of the repository
#[derive(clap::Args)]
#[command(after_help = "ostree static-delta list --repo=repo")]
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
            return Ok(json::static_delta::print_list(
                &mut cx.out,
                &repo.static_delta_digests()?,
            )?);
        }
        super::list_lines(
            &mut cx.out,
            &repo.static_deltas_in_disk_order()?,
            "(No static deltas)",
        )?;
        Ok(())
    }
}
