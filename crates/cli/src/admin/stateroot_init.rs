//! `ostree admin stateroot-init`, also called `os-init`.

use std::io::Write;

use anyhow::Result;

use super::open;
use crate::context::Cx;
use crate::table::{PlainCommand, Usage};

/// Initialize empty state for given operating system
#[derive(clap::Args)]
#[command(after_help = "ostree admin stateroot-init debian")]
pub struct Args {
    #[arg(value_name = "STATEROOT", hide = true)]
    name: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "STATEROOT";
}

impl PlainCommand for Args {
    fn run(self, cx: &mut Cx) -> Result<()> {
        let name = open::first(&self.name, "STATEROOT must be specified")?;
        let path = open::lock(cx)?.init_stateroot(name)?;
        writeln!(cx.out, "{path} initialized as OSTree stateroot")?;
        Ok(())
    }
}
