//! Files stay short enough to be read at one go.

use super::sources;
use anyhow::Result;
use std::fs;
use std::path::{Path, PathBuf};

/// Past this a file needs a reason; it is reported.
const LONG: usize = 800;
/// Past this no reason holds.
const TOO_LONG: usize = 1200;

/// Files that are too long.
pub fn faults(root: &Path) -> Result<Vec<String>> {
    let too_long = sized(root)?
        .into_iter()
        .filter(|(_, lines)| *lines > TOO_LONG);
    Ok(too_long
        .map(|(path, lines)| format!("{}: {lines} lines, at most {TOO_LONG}", path.display()))
        .collect())
}

/// Files that are long, longest first.
pub fn long_files(root: &Path) -> Result<Vec<String>> {
    let mut long: Vec<(PathBuf, usize)> = sized(root)?
        .into_iter()
        .filter(|(_, lines)| *lines > LONG)
        .collect();
    long.sort_by_key(|(_, lines)| std::cmp::Reverse(*lines));
    Ok(long
        .into_iter()
        .map(|(path, lines)| format!("{}: {lines} lines", path.display()))
        .collect())
}

fn sized(root: &Path) -> Result<Vec<(PathBuf, usize)>> {
    sources(root)?
        .into_iter()
        .map(|path| {
            let lines = fs::read_to_string(root.join(&path))?.lines().count();
            Ok((path, lines))
        })
        .collect()
}
