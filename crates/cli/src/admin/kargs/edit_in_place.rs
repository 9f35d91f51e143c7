//! `ostree admin kargs edit-in-place`.

use anyhow::Result;

use crate::admin::open;
use crate::context::Cx;
use crate::table::{PlainCommand, Usage};

/// Set new kernel command line arguments in place (applies to all deployments by default)
#[derive(clap::Args)]
#[command(after_help = "ostree admin kargs edit-in-place --append-if-missing=rw")]
pub struct Args {
    /// Append kernel arguments if they do not exist
    #[arg(long, value_name = "NAME=VALUE")]
    append_if_missing: Vec<String>,
    #[arg(value_name = "ARGS", hide = true)]
    rest: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "ARGS";
}

impl PlainCommand for Args {
    fn run(self, cx: &mut Cx) -> Result<()> {
        Ok(open::lock(cx)?.append_kargs_in_place(&self.append_if_missing)?)
    }
}
