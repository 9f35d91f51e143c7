//! `ostree static-delta apply-offline`.

use std::path::Path;

use anyhow::{Result, bail};
use osier_delta::apply::{ApplyOptions, apply_offline};
use osier_sign::api::{Error, Kind};
use osier_store::Repo;
use osier_store::parallel::Cancel;

use crate::context::Cx;
use crate::signing::{TrustArgs, dummy_enabled};
use crate::table::{RepoCommand, Usage};

/// Apply a delta that lies in a folder
///
/// The commit it starts from must be in the repository. No ref is changed. Where keys are given, one of them must have
/// signed the delta.
#[derive(clap::Args)]
#[command(after_help = "ostree static-delta apply-offline --repo=repo /media/usb/update.delta")]
pub struct Args {
    #[command(flatten)]
    trust: TrustArgs,
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "PATH [KEY-ID...]";
}

impl RepoCommand for Args {
    fn run(self, _: &mut Cx, repo: &Repo) -> Result<()> {
        let Some((path, keys)) = self.args.split_first() else {
            bail!("PATH must be specified");
        };
        let kind = self.trust.kind()?;
        let trusted = match keys.is_empty() && !self.trust.names_keys() {
            true => None,
            false => Some(self.trust.trusted(keys)?),
        };
        if trusted.is_some() && kind == Kind::Dummy && !dummy_enabled() {
            return Err(Error::DummyOff.into());
        }
        apply_offline(
            repo,
            Path::new(path),
            &ApplyOptions { trusted },
            &Cancel::default(),
        )?;
        Ok(())
    }
}
