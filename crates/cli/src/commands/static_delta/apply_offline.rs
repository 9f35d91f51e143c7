//! `ostree static-delta apply-offline`.

use std::path::Path;

use anyhow::{Result, bail};
use osier_delta::apply::{ApplyOptions, apply_offline};
use osier_store::Repo;
use osier_store::parallel::Cancel;

use crate::context::Cx;
use crate::error::refuse;
use crate::table::{RepoCommand, Usage};

/// Apply a delta that lies in a folder
///
/// The commit it starts from must be in the repository. No ref is changed.
#[derive(clap::Args)]
#[command(after_help = "ostree static-delta apply-offline --repo=repo /media/usb/update.delta")]
pub struct Args {
    /// Kind of signature (default: ed25519)
    #[arg(long, value_name = "NAME")]
    sign_type: Option<String>,
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "PATH [KEY-ID...]";
}

impl RepoCommand for Args {
    fn run(self, _: &mut Cx, repo: &Repo) -> Result<()> {
        refuse(self.sign_type.is_some(), "--sign-type")?;
        let Some((path, keys)) = self.args.split_first() else {
            bail!("PATH must be specified");
        };
        let options = ApplyOptions {
            with_keys: !keys.is_empty(),
        };
        apply_offline(repo, Path::new(path), &options, &Cancel::default())?;
        Ok(())
    }
}
