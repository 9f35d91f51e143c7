//! `ostree remote delete`.

use std::path::PathBuf;

use anyhow::Result;
use osier_pull::remote::RemoteError;

use super::Edit;
use crate::context::Cx;
use crate::error::usage;
use crate::table::{PlainCommand, Usage};

/// Delete a remote
#[derive(clap::Args)]
#[command(after_help = "ostree remote delete --repo=repo origin")]
pub struct Args {
    /// Do nothing if there is no such remote
    #[arg(long)]
    if_exists: bool,
    /// Sysroot whose remote it is, in place of --repo
    #[arg(long, value_name = "PATH")]
    sysroot: Option<PathBuf>,
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "NAME";
}

impl PlainCommand for Args {
    fn run(self, cx: &mut Cx) -> Result<()> {
        let Edit { repo, remotes, .. } = Edit::open(cx, self.sysroot.as_deref())?;
        let Some(name) = self.args.first() else {
            return Err(usage("NAME must be specified"));
        };
        match remotes.delete(&repo, name) {
            Err(RemoteError::NotFound(_)) if self.if_exists => Ok(()),
            done => Ok(done?),
        }
    }
}
