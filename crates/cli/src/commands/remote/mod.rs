//! `ostree remote SUB`.

use crate::table::Entry;

/// Sub-commands, in the order of the help.
pub const COMMANDS: &[Entry] = &[];
