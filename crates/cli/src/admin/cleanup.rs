//! `ostree admin cleanup`.

use anyhow::Result;
use osier_sysroot::Cleanup;

use super::open;
use crate::context::Cx;
use crate::table::{PlainCommand, Usage};

/// Delete untagged deployments and repository objects
#[derive(clap::Args)]
#[command(after_help = "ostree admin cleanup")]
pub struct Args {
    #[arg(value_name = "ARGS", hide = true)]
    rest: Vec<String>,
}

impl Usage for Args {}

impl PlainCommand for Args {
    fn run(self, cx: &mut Cx) -> Result<()> {
        Ok(open::lock(cx)?.cleanup(Cleanup::Full)?)
    }
}
