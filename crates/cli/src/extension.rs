//! `ostree foo` runs `ostree-foo` from `PATH`, if there is one.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Replaces this process by `ostree-NAME`, which gets the whole command line
/// (its own name included, as the C tool has it). Returns only on failure;
/// `None` means there is no such program.
pub fn exec(name: &str, args: &[OsString]) -> Option<io::Error> {
    if name.contains('/') {
        return None;
    }
    let error = Command::new(format!("ostree-{name}")).args(args).exec();
    match error.kind() {
        io::ErrorKind::NotFound => None,
        _ => Some(error),
    }
}
