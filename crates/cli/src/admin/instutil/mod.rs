//! `ostree admin instutil SUB`.

mod grub2_generate;
mod set_kargs;

use anyhow::Result;

use crate::context::Cx;
use crate::error::usage;
use crate::table::{Entry, Needs, PlainCommand, Usage, plain};

/// Sub-commands, in the order of the help.
pub const COMMANDS: &[Entry] = &[
    plain::<set_kargs::Args>("set-kargs", Needs::Sysroot),
    plain::<grub2_generate::Args>("grub2-generate", Needs::Sysroot),
];

/// Says that a sub-command is missing; here so that `--sysroot` may stand before it.
#[derive(clap::Args)]
pub struct NoCommand {}

impl Usage for NoCommand {}

impl PlainCommand for NoCommand {
    fn run(self, _: &mut Cx) -> Result<()> {
        Err(usage("No \"admin instutil\" subcommand specified"))
    }
}
