//! `ostree admin instutil SUB`.

mod set_kargs;

use crate::table::{Entry, Needs, plain};

/// Sub-commands, in the order of the help.
pub const COMMANDS: &[Entry] = &[plain::<set_kargs::Args>("set-kargs", Needs::Sysroot)];
