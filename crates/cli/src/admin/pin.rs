//! `ostree admin pin`.

use std::io::Write;

use anyhow::{Result, anyhow};
use osier_sysroot::Sysroot;

use super::open;
use crate::context::Cx;
use crate::table::{PlainCommand, Usage};

/// Change the "pinning" state of a deployment, INDEX can be >= 0 or one of booted, pending or rollback strings
#[derive(clap::Args)]
#[command(after_help = "ostree admin pin booted")]
pub struct Args {
    /// Unset pin
    #[arg(short, long)]
    unpin: bool,
    #[arg(value_name = "INDEX", hide = true)]
    which: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "INDEX";
}

impl PlainCommand for Args {
    fn run(self, cx: &mut Cx) -> Result<()> {
        open::first(&self.which, "INDEX must be specified")?;
        let mut sysroot = open::lock(cx)?;
        let state = if self.unpin { "unpinned" } else { "pinned" };
        for which in &self.which {
            let index = find(&sysroot, which)?;
            let how = match sysroot.set_pinned(index, !self.unpin)? {
                true => "now",
                false => "already",
            };
            writeln!(cx.out, "Deployment {index} is {how} {state}")?;
        }
        Ok(())
    }
}

fn find(sysroot: &Sysroot, which: &str) -> Result<usize> {
    let (pending, rollback) = sysroot.pending_and_rollback();
    let found = match which {
        "booted" => sysroot.booted_index(),
        "pending" => pending,
        "rollback" => rollback,
        number => return open::index(number),
    };
    found.ok_or_else(|| anyhow!("Deployment type not found: {which}"))
}
