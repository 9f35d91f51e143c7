//! `ostree admin switch`.

use std::io::Write;

use anyhow::Result;

use super::fetch::Remote;
use super::{open, reboot};
use crate::context::Cx;
use crate::error::refuse;
use crate::table::{PlainCommand, Usage};

/// Construct new tree from REFSPEC and deploy it
#[derive(clap::Args)]
#[command(after_help = "ostree admin switch debian/testing/amd64")]
pub struct Args {
    /// Reboot after switching trees
    #[arg(short, long)]
    reboot: bool,
    /// Stage new kernel in kexec
    #[arg(short, long)]
    kexec: bool,
    /// Use a different operating system root than the current one
    #[arg(long, value_name = "OSNAME")]
    os: Option<String>,
    #[arg(value_name = "REFSPEC", hide = true)]
    refspec: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "REFSPEC";
}

impl PlainCommand for Args {
    fn run(self, cx: &mut Cx) -> Result<()> {
        let refspec = open::first(&self.refspec, "REFSPEC must be specified")?;
        refuse(self.kexec, "--kexec")?;
        let mut sysroot = open::lock(cx)?;
        let outcome = sysroot.switch(self.os.as_deref(), refspec, &mut Remote)?;
        let old = outcome.deleted;
        // A local branch has no remote, which the C tool prints as its null pointer.
        let remote = old.remote.as_deref().unwrap_or("(null)");
        writeln!(cx.out, "Deleting ref '{remote}:{}'", old.name)?;
        if self.reboot {
            reboot::reboot_if_booted(&sysroot)?;
        }
        Ok(())
    }
}
