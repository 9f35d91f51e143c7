//! `ostree static-delta delete`.

use anyhow::{Result, bail};
use osier_store::Repo;
use osier_store::static_deltas::DeltaName;

use super::delta_argument;
use crate::context::Cx;
use crate::table::{RepoCommand, Usage};

/// Delete a delta
#[derive(clap::Args)]
#[command(after_help = "ostree static-delta delete --repo=repo FROM-TO")]
pub struct Args {
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "DELTA";
}

impl RepoCommand for Args {
    fn run(self, _: &mut Cx, repo: &Repo) -> Result<()> {
        let name: DeltaName = delta_argument(&self.args)?.parse()?;
        if !repo.list_static_deltas()?.contains(&name) {
            bail!("Can't find delta {name}");
        }
        Ok(repo.delete_static_delta(&name)?)
    }
}
