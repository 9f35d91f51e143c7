//! Writes what is generated from the one definition of the command line: completions of shells, and man pages.
//!
//! `cargo xtask generate` runs it for the folder `share/`, `cargo xtask check` with `--check`.
#![forbid(unsafe_code)]

mod completions;
mod definition;
mod manual;

use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.as_slice() {
        [folder] => write(Path::new(folder)),
        [check, folder] if check == "--check" => compare(Path::new(folder)),
        _ => bail!("usage: share [--check] FOLDER"),
    }
}

/// Every generated file by its path below the folder.
fn files() -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut files = BTreeMap::new();
    completions::add(&mut files);
    manual::add(&mut files)?;
    Ok(files)
}

/// Written by hand, beside the generated ones.
const BY_HAND: [&str; 1] = ["man/man1/rofiles-fuse.1"];

fn write(folder: &Path) -> Result<()> {
    let files = files()?;
    for old in present(folder)? {
        if !files.contains_key(&old) {
            fs::remove_file(folder.join(old))?;
        }
    }
    for (path, bytes) in files {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, bytes).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

/// Fails when a file is not what would be written.
fn compare(folder: &Path) -> Result<()> {
    let files = files()?;
    let mut stale: Vec<PathBuf> = present(folder)?
        .into_iter()
        .filter(|path| !files.contains_key(path))
        .collect();
    for (path, bytes) in &files {
        if fs::read(folder.join(path)).ok().as_ref() != Some(bytes) {
            stale.push(path.clone());
        }
    }
    for path in &stale {
        println!("{}", path.display());
    }
    if stale.is_empty() {
        return Ok(());
    }
    bail!(
        "{} files differ from the command line's definition: run `cargo xtask generate`",
        stale.len()
    )
}

/// The files that are there, but for those written by hand.
fn present(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for sub in ["completions", "man/man1"] {
        let Ok(entries) = fs::read_dir(folder.join(sub)) else {
            continue;
        };
        for entry in entries {
            let path = Path::new(sub).join(entry?.file_name());
            if !BY_HAND.iter().any(|kept| path == Path::new(kept)) {
                found.push(path);
            }
        }
    }
    Ok(found)
}
