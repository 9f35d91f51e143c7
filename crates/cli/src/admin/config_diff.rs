//! `ostree admin config-diff`.

use std::io::Write;
use std::os::unix::ffi::OsStrExt;

use anyhow::{Result, anyhow};

use super::open;
use crate::context::Cx;
use crate::table::{PlainCommand, Usage};

/// Diff current /etc configuration versus default
#[derive(clap::Args)]
#[command(after_help = "ostree admin config-diff")]
pub struct Args {
    /// Use a different operating system root than the current one
    #[arg(long, value_name = "OSNAME")]
    os: Option<String>,
    #[arg(value_name = "ARGS", hide = true)]
    rest: Vec<String>,
}

impl Usage for Args {}

impl PlainCommand for Args {
    fn run(self, cx: &mut Cx) -> Result<()> {
        let sysroot = open::load(cx)?;
        let stateroot = self
            .os
            .or_else(|| sysroot.booted().map(|booted| booted.id.stateroot.clone()))
            .ok_or_else(|| {
                anyhow!("Not currently booted into an OSTree system and no --os= argument given")
            })?;
        let deployment = sysroot
            .merge_deployment(&stateroot)
            .ok_or_else(|| anyhow!("No deployment for OS '{stateroot}'"))?;
        let changes = sysroot.etc_changes(deployment)?;
        let groups = [
            ("M", changes.modified),
            ("D", changes.removed),
            ("A", changes.added),
        ];
        for (letter, paths) in groups {
            for path in paths {
                write!(cx.out, "{letter}    ")?;
                cx.out.write_all(path.as_os_str().as_bytes())?;
                writeln!(cx.out)?;
            }
        }
        Ok(())
    }
}
