//! `ostree checksum`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::context::Cx;
use crate::local;
use crate::table::{PlainCommand, Usage};

/// Print the checksum a file or directory would have in a commit
#[derive(clap::Args)]
#[command(after_help = "ostree checksum rootfs/usr/bin/bash")]
pub struct Args {
    /// Leave extended attributes out
    #[arg(long)]
    ignore_xattrs: bool,
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "PATH";
}

impl PlainCommand for Args {
    fn run(self, cx: &mut Cx) -> Result<()> {
        let Some(path) = self.paths.first() else {
            bail!("A filename must be given")
        };
        writeln!(cx.out, "{}", local::checksum(path, !self.ignore_xattrs)?)?;
        Ok(())
    }
}
