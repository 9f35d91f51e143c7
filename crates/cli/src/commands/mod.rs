//! One file per command.

pub mod remote;
