//! The rules of the tree that no compiler checks: which crate may use which, where `unsafe` may stand, how long a file
//! may get, under which licences the dependencies come; and whether generated files are up to date.

mod file_size;
mod layers;
mod licences;
mod unsafe_code;

use crate::{paths, process};
use anyhow::{Context, Result};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Options of `cargo xtask check`.
#[derive(clap::Args)]
pub struct Args {}

/// Runs every check and prints what each found; false when one found a fault.
pub fn run(_: &Args) -> Result<bool> {
    let mut good = true;
    for (name, faults) in all()? {
        println!(
            "{name}: {}",
            if faults.is_empty() { "ok" } else { "FAILED" }
        );
        for fault in &faults {
            println!("  {fault}");
        }
        good &= faults.is_empty();
    }
    for note in file_size::long_files(paths::root())? {
        println!("note: {note}");
    }
    Ok(good)
}

/// Each check by name with the faults it found.
pub fn all() -> Result<Vec<(&'static str, Vec<String>)>> {
    let metadata = metadata()?;
    Ok(vec![
        ("layers", layers::faults(&metadata)?),
        ("unsafe code", unsafe_code::faults(paths::root())?),
        ("file sizes", file_size::faults(paths::root())?),
        (
            "licences",
            licences::faults(&metadata, &paths::root().join("deny.toml"))?,
        ),
        ("generated files", crate::generate::faults()?),
    ])
}

fn metadata() -> Result<Value> {
    let mut cargo = paths::cargo();
    cargo.args([
        "metadata",
        "--format-version=1",
        "--locked",
        "--all-features",
    ]);
    serde_json::from_str(&process::output(&mut cargo)?).context("reading cargo metadata")
}

/// Every Rust source file of the project, relative to `root`.
fn sources(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut pending: Vec<PathBuf> = ["crates", "xtask", "conformance", "benches", "fuzz"]
        .iter()
        .map(|dir| root.join(dir))
        .collect();
    while let Some(dir) = pending.pop() {
        let Ok(entries) = std::fs::read_dir(&dir) else {
            continue;
        };
        for entry in entries {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                if path
                    .file_name()
                    .is_some_and(|name| name != "target" && name != "corpus")
                {
                    pending.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path.strip_prefix(root)?.to_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}
