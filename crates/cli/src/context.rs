//! What a command gets besides its own arguments.

use std::path::PathBuf;

use crate::output::Output;

/// The general options and the way out.
pub struct Cx {
    /// `--repo=PATH`, if given.
    pub repo: Option<PathBuf>,
    /// `--sysroot=PATH`, if given.
    pub sysroot: Option<PathBuf>,
    /// `--verbose`.
    pub verbose: bool,
    /// Standard output: buffered, flushed by the dispatcher.
    pub out: Output,
}
