//! `ostree static-delta verify`.

use std::io::Write;

use anyhow::{Result, bail};
use osier_store::Repo;

use super::delta_argument;
use crate::context::Cx;
use crate::table::{RepoCommand, Usage};

/// Check the signatures of a delta (not supported yet: always fails)
#[derive(clap::Args)]
#[command(after_help = "ostree static-delta verify --repo=repo FROM-TO KEY-ID")]
pub struct Args {
    /// Kind of signature (default: ed25519)
    #[arg(long, value_name = "NAME")]
    sign_type: Option<String>,
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "STATIC-DELTA-FILE [KEY-ID...]";
}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, _: &Repo) -> Result<()> {
        delta_argument(&self.args)?;
        // What a C tool says that was built without this kind of signature. We have none yet.
        writeln!(cx.out, "Sign-type not supported")?;
        bail!("Requested signature type is not implemented")
    }
}
