//! `ostree admin deploy`.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use osier_keyfile::KeyFile;
use osier_sysroot::{DeployRequest, KargsChange, Retention};

use super::open;
use crate::context::Cx;
use crate::error::refuse;
use crate::table::{PlainCommand, Usage};

/// Checkout revision REFSPEC as the new default deployment
#[derive(clap::Args)]
#[command(
    after_help = "ostree admin deploy --os=debian --karg=root=LABEL=root debian/stable/amd64"
)]
pub struct Args {
    /// Use a different operating system root than the current one
    #[arg(long, value_name = "OSNAME")]
    os: Option<String>,
    /// Target the provided stateroot
    #[arg(long, value_name = "STATEROOT")]
    stateroot: Option<String>,
    /// Specify origin file
    #[arg(long, value_name = "FILENAME")]
    origin_file: Option<PathBuf>,
    /// Don't prune the repo when done
    #[arg(long)]
    no_prune: bool,
    /// Do not apply configuration (/etc and kernel arguments) from booted deployment
    #[arg(long)]
    no_merge: bool,
    /// Do not delete previous deployments
    #[arg(long)]
    retain: bool,
    /// Complete deployment at OS shutdown
    #[arg(long)]
    stage: bool,
    /// Prevent automatic deployment finalization on shutdown
    #[arg(long)]
    lock_finalization: bool,
    /// Do not delete pending deployments
    #[arg(long)]
    retain_pending: bool,
    /// Do not delete rollback deployments
    #[arg(long)]
    retain_rollback: bool,
    /// Append rather than prepend new deployment
    #[arg(long)]
    not_as_default: bool,
    /// Import current /proc/cmdline
    #[arg(long)]
    karg_proc_cmdline: bool,
    /// Set kernel argument, like root=/dev/sda1; this overrides any earlier argument with the same name
    #[arg(long, value_name = "NAME=VALUE")]
    karg: Vec<String>,
    /// Append kernel argument; useful with e.g. console= that can be used multiple times
    #[arg(long, value_name = "NAME=VALUE")]
    karg_append: Vec<String>,
    /// Do not import kernel arguments
    #[arg(long)]
    karg_none: bool,
    /// Delete kernel argument if exists, can be used multiple times
    #[arg(long, value_name = "NAME=VALUE")]
    karg_delete: Vec<String>,
    /// Overlay initramfs file
    #[arg(long, value_name = "FILE")]
    overlay_initrd: Vec<PathBuf>,
    #[arg(value_name = "REFSPEC", hide = true)]
    refspec: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "REFSPEC";
}

impl PlainCommand for Args {
    fn run(self, cx: &mut Cx) -> Result<()> {
        let refspec = open::first(&self.refspec, "REF/REV must be specified")?.to_owned();
        let stage = self.stage || self.lock_finalization;
        if stage && (self.retain_pending || self.retain_rollback) {
            bail!("--stage cannot currently be combined with --retain arguments");
        }
        if stage && self.not_as_default {
            bail!("--stage cannot currently be combined with --not-as-default");
        }
        refuse(!self.overlay_initrd.is_empty(), "--overlay-initrd")?;
        let origin = self.origin_file.as_deref().map(read_origin).transpose()?;
        let request = DeployRequest {
            refspec,
            stateroot: self.stateroot.or(self.os),
            origin,
            no_merge: self.no_merge,
            no_prune: self.no_prune,
            kargs: KargsChange {
                none: self.karg_none,
                proc_cmdline: proc_cmdline(self.karg_proc_cmdline)?,
                replace: self.karg,
                append: self.karg_append,
                delete: self.karg_delete,
            },
            retention: Retention {
                all: self.retain,
                pending: self.retain_pending,
                rollback: self.retain_rollback,
                not_as_default: self.not_as_default,
            },
        };
        let mut sysroot = open::lock(cx)?;
        if stage {
            open::check_can_stage(&sysroot)?;
        }
        sysroot.deploy(&request)?;
        Ok(())
    }
}

fn read_origin(path: &std::path::Path) -> Result<KeyFile> {
    let reading = || format!("reading {}", path.display());
    let bytes = std::fs::read(path).with_context(reading)?;
    KeyFile::parse(&bytes).with_context(reading)
}

/// The running kernel's arguments, if they are wanted.
pub fn proc_cmdline(wanted: bool) -> Result<Option<String>> {
    const PATH: &str = "/proc/cmdline";
    if !wanted {
        return Ok(None);
    }
    std::fs::read_to_string(PATH)
        .map(Some)
        .with_context(|| format!("reading {PATH}"))
}
