//! `ostree admin --print-current-dir`.

use std::io::Write;
use std::os::unix::ffi::OsStrExt;

use anyhow::{Result, bail};

use super::open;
use crate::context::Cx;
use crate::error::usage;
use crate::table::{PlainCommand, Usage};

/// Commands for managing a host system booted with ostree
#[derive(clap::Args)]
pub struct Args {
    /// Print the path of the deployment that boots next
    #[arg(long)]
    print_current_dir: bool,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "--print-current-dir";
}

impl PlainCommand for Args {
    fn run(self, cx: &mut Cx) -> Result<()> {
        if !self.print_current_dir {
            return Err(usage("No \"admin\" subcommand specified"));
        }
        let sysroot = open::load(cx)?;
        let Some(first) = sysroot.deployments().first() else {
            bail!("Unable to find a deployment in sysroot");
        };
        let path = sysroot.path().join(first.id.path());
        cx.out.write_all(path.as_os_str().as_bytes())?;
        cx.out.write_all(b"\n")?;
        Ok(())
    }
}
