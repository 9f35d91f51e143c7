//! Comparing sysroots: deployments, boot files and entries, origins, the repository inside.

use crate::{repo, snapshot::Snapshot};
use anyhow::Result;
use std::path::{Path, PathBuf};

/// Every difference between two sysroots that a boot or a later command could notice. Left out are times, lock
/// files, and the composefs image that newer C tools write beside a deployment.
pub fn differences(first: &Path, second: &Path) -> Result<Vec<String>> {
    let (outer_a, outer_b) = (snapshot(first)?, snapshot(second)?);
    let mut lines = outer_a.differences(&outer_b);
    for line in repo::differences(&first.join("ostree/repo"), &second.join("ostree/repo"))? {
        lines.push(format!("ostree/repo/{line}"));
    }
    Ok(lines)
}

fn snapshot(sysroot: &Path) -> Result<Snapshot> {
    Snapshot::filtered(sysroot, |path| {
        path != Path::new("ostree/repo")
            && path != Path::new("ostree/lock")
            && path.file_name().is_none_or(|name| name != ".ostree.cfs")
    })
}

/// The boot entries in the order of their file names: `(file name, text)`.
pub fn boot_entries(sysroot: &Path) -> Result<Vec<(String, String)>> {
    let mut entries = Vec::new();
    let dir = sysroot.join("boot/loader/entries");
    if dir.is_dir() {
        for entry in std::fs::read_dir(&dir)? {
            let entry = entry?;
            entries.push((
                entry.file_name().to_string_lossy().into_owned(),
                std::fs::read_to_string(entry.path())?,
            ));
        }
    }
    entries.sort();
    Ok(entries)
}

/// The deployment directories of a stateroot, sorted by name.
pub fn deployments(sysroot: &Path, stateroot: &str) -> Result<Vec<PathBuf>> {
    let dir = sysroot.join("ostree/deploy").join(stateroot).join("deploy");
    let mut found = Vec::new();
    if dir.is_dir() {
        for entry in std::fs::read_dir(dir)? {
            let path = entry?.path();
            if path.is_dir() {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
