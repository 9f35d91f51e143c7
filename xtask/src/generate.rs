//! Files in `share/` that follow from the definition of the command line: shells' completions and man pages.

use crate::{paths, process};
use anyhow::Result;
use std::process::Command;

/// Options of `cargo xtask generate`.
#[derive(clap::Args)]
pub struct Args {
    /// Write nothing; fail when a file is not what would be written
    #[arg(long)]
    check: bool,
}

/// Writes the files, or compares them.
pub fn run(args: &Args) -> Result<bool> {
    let faults = if args.check {
        faults()?
    } else {
        process::run(&mut generator(false))?;
        Vec::new()
    };
    for fault in &faults {
        println!("{fault}");
    }
    Ok(faults.is_empty())
}

/// What differs.
pub fn faults() -> Result<Vec<String>> {
    let output = generator(true).output()?;
    if output.status.success() {
        return Ok(Vec::new());
    }
    let text = [output.stdout, output.stderr].concat();
    Ok(String::from_utf8_lossy(&text)
        .lines()
        .map(str::to_owned)
        .collect())
}

fn generator(check: bool) -> Command {
    let mut cargo = paths::cargo();
    cargo.args([
        "run",
        "--quiet",
        "--locked",
        "--package",
        "osier-cli",
        "--example",
        "share",
        "--",
    ]);
    if check {
        cargo.arg("--check");
    }
    cargo.arg("share");
    cargo
}
