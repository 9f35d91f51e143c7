//! `ostree admin undeploy`.

use std::io::Write;

use anyhow::Result;

use super::open;
use crate::context::Cx;
use crate::table::{PlainCommand, Usage};

/// Delete deployment INDEX
#[derive(clap::Args)]
#[command(after_help = "ostree admin undeploy 1")]
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
        let removed = open::lock(cx)?.undeploy(index)?;
        writeln!(cx.out, "Deleted deployment {}", removed.id)?;
        Ok(())
    }
}
