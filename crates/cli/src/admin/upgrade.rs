//! `ostree admin upgrade`.

use std::io::Write;

use anyhow::{Result, anyhow, bail};
use osier_sysroot::{UpgradeOutcome, UpgradeRequest};

use super::fetch::Remote;
use super::{open, reboot};
use crate::context::Cx;
use crate::error::refuse;
use crate::table::{PlainCommand, Usage};

/// Construct new tree from current origin and deploy it, if it changed
#[derive(clap::Args)]
#[command(after_help = "ostree admin upgrade --reboot")]
pub struct Args {
    /// Use a different operating system root than the current one
    #[arg(long, value_name = "OSNAME")]
    os: Option<String>,
    /// Reboot after a successful upgrade
    #[arg(short, long)]
    reboot: bool,
    /// Stage new kernel in kexec
    #[arg(short, long)]
    kexec: bool,
    /// Permit deployment of chronologically older trees
    #[arg(long)]
    allow_downgrade: bool,
    /// Deploy CHECKSUM instead of the latest tree
    #[arg(long, value_name = "CHECKSUM")]
    override_commit: Option<String>,
    /// Do not create a deployment, just download
    #[arg(long)]
    pull_only: bool,
    /// Do not pull, only deploy
    #[arg(long)]
    deploy_only: bool,
    /// Enable staging (finalization at reboot time)
    #[arg(long)]
    stage: bool,
    #[arg(value_name = "ARGS", hide = true)]
    rest: Vec<String>,
}

impl Usage for Args {}

impl PlainCommand for Args {
    fn run(self, cx: &mut Cx) -> Result<()> {
        if self.pull_only && self.deploy_only {
            bail!("Cannot simultaneously specify --pull-only and --deploy-only");
        }
        if self.pull_only && (self.reboot || self.kexec) {
            bail!("Cannot simultaneously specify --pull-only and --reboot or --kexec");
        }
        refuse(self.kexec, "--kexec")?;
        let override_commit = match &self.override_commit {
            Some(text) => Some(text.parse().map_err(|_| anyhow!("Invalid rev {text}"))?),
            None => None,
        };
        let mut sysroot = open::lock(cx)?;
        if self.stage {
            open::check_can_stage(&sysroot)?;
        }
        let request = UpgradeRequest {
            stateroot: self.os,
            allow_downgrade: self.allow_downgrade,
            override_commit,
            fetch: !self.deploy_only,
            deploy: !self.pull_only,
        };
        match sysroot.upgrade(&request, &mut Remote)? {
            UpgradeOutcome::NoUpdate => writeln!(cx.out, "No update available.")?,
            UpgradeOutcome::Available(_) => {}
            UpgradeOutcome::Deployed(_) if self.reboot => reboot::reboot_if_booted(&sysroot)?,
            UpgradeOutcome::Deployed(_) => {}
        }
        Ok(())
    }
}
