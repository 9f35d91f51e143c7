//! `ostree admin kargs SUB`.

mod edit_in_place;

use crate::table::{Entry, Needs, plain};

/// Sub-commands, in the order of the help.
pub const COMMANDS: &[Entry] = &[plain::<edit_in_place::Args>("edit-in-place", Needs::Sysroot).hidden()];
