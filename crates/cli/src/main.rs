//! Entry point of the `ostree` binary; everything else is in the library.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    osier_cli::main(std::env::args_os().skip(1).collect())
}
