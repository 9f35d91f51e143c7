//! `ostree admin set-default`.

use anyhow::Result;

use super::open;
use crate::context::Cx;
use crate::table::{PlainCommand, Usage};

/// Make deployment INDEX the default
#[derive(clap::Args)]
#[command(after_help = "ostree admin set-default 1")]
pub struct Args {
    #[arg(value_name = "INDEX", hide = true)]
    index: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "INDEX";
}

impl PlainCommand for Args {
    fn run(self, cx: &mut Cx) -> Result<()> {
        let index = open::index(open::first(&self.index, "INDEX must be specified")?)?;
        Ok(open::lock(cx)?.set_default(index)?)
    }
}
