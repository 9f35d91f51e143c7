//! `ostree admin status`.

use std::io::Write;

use anyhow::{Result, bail};
use osier_sysroot::{DeploymentStatus, Sysroot, Unlocked};

use super::{open, signatures, status_json};
use crate::context::Cx;
use crate::output::Output;
use crate::table::{PlainCommand, Usage};

/// List deployments
#[derive(clap::Args)]
#[command(after_help = "ostree admin status --json")]
pub struct Args {
    /// Print the commit verification status
    #[arg(short = 'V', long)]
    verify: bool,
    /// Emit JSON
    #[arg(short = 'J', long)]
    json: bool,
    /// Skip signatures in output
    #[arg(short = 'S', long)]
    skip_signatures: bool,
    /// Output "default" if booted into the default deployment, otherwise "not-default"
    #[arg(short = 'D', long)]
    is_default: bool,
    #[arg(value_name = "ARGS", hide = true)]
    rest: Vec<String>,
}

impl Usage for Args {}

impl PlainCommand for Args {
    fn run(self, cx: &mut Cx) -> Result<()> {
        let sysroot = open::load(cx)?;
        if self.is_default {
            return is_default(&sysroot, cx);
        }
        let list = sysroot.status()?;
        if self.json {
            cx.out.write_all(status_json::render(&list).as_bytes())?;
            return Ok(());
        }
        if list.is_empty() {
            writeln!(cx.out, "No deployments.")?;
        }
        let color = cx.out.is_terminal() && std::env::var_os("NO_COLOR").is_none();
        for deployment in &list {
            write_one(&mut cx.out, deployment, color)?;
            if self.verify {
                signatures::verify(&mut cx.out, sysroot.repo(), deployment)?;
            } else if !self.skip_signatures {
                signatures::write(&mut cx.out, sysroot.repo(), deployment)?;
            }
        }
        Ok(())
    }
}

fn is_default(sysroot: &Sysroot, cx: &mut Cx) -> Result<()> {
    if sysroot.deployments().is_empty() {
        bail!("Not in a booted OSTree system");
    }
    let text = match sysroot.booted_index() {
        Some(0) => "default",
        _ => "not-default",
    };
    writeln!(cx.out, "{text}")?;
    Ok(())
}

fn write_one(out: &mut Output, status: &DeploymentStatus, color: bool) -> Result<()> {
    let mark = if status.booted { '*' } else { ' ' };
    let flag = match status {
        s if s.finalization_locked => " (finalization locked)",
        s if s.staged => " (staged)",
        s if s.pending => " (pending)",
        s if s.rollback => " (rollback)",
        _ => "",
    };
    let DeploymentStatus {
        stateroot,
        checksum,
        serial,
        ..
    } = status;
    writeln!(out, "{mark} {stateroot} {checksum}.{serial}{flag}")?;
    if let Some(version) = &status.version {
        writeln!(out, "    Version: {version}")?;
    }
    if status.unlocked != Unlocked::None {
        let (on, off) = if color {
            ("\x1b[31m\x1b[1m", "\x1b[22m\x1b[0m")
        } else {
            ("", "")
        };
        write!(out.raw(), "    {on}")?;
        write!(out, "Unlocked: {}", status.unlocked.as_str())?;
        writeln!(out.raw(), "{off}")?;
    }
    if status.pinned {
        writeln!(out, "    Pinned: yes")?;
    }
    match (&status.refspec, status.has_origin) {
        (Some(refspec), _) => writeln!(out, "    origin refspec: {refspec}")?,
        (None, true) => writeln!(out, "    origin: <unknown origin type>")?,
        (None, false) => writeln!(out, "    origin: none")?,
    }
    if let Some(title) = status.source_title.as_ref().filter(|_| status.has_origin) {
        writeln!(out, "    `- {title}")?;
    }
    Ok(())
}
