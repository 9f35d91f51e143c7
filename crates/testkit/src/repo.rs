//! Comparing repositories: every object's bytes, mode, owner and attributes, the refs, the config.

use crate::snapshot::{Kind, Snapshot, sha256};
use anyhow::{Context, Result};
use flate2::read::DeflateDecoder;
use std::fs;
use std::io::Read;
use std::path::Path;

/// Every difference between two repositories that a reader could notice. Left out is what says nothing about the
/// content: `tmp/`, the lock file, times, and how hard `filez` payloads were compressed.
pub fn differences(first: &Path, second: &Path) -> Result<Vec<String>> {
    Ok(snapshot(first)?.differences(&snapshot(second)?))
}

/// The comparable content of a repository: `objects/`, `refs/`, `state/`, `config`, `summary`, `deltas/`.
pub fn snapshot(repo: &Path) -> Result<Snapshot> {
    let mut snapshot = Snapshot::filtered(repo, |path| {
        let top = path
            .components()
            .next()
            .map(|part| part.as_os_str().to_owned());
        !top.is_some_and(|top| {
            top == "tmp" || top == ".lock" || top == "uncompressed-objects-cache"
        })
    })?;
    for (path, entry) in &mut snapshot.entries {
        if path
            .extension()
            .is_some_and(|extension| extension == "filez")
        {
            let full = repo.join(path);
            let bytes = fs::read(&full).with_context(|| format!("reading {}", full.display()))?;
            let plain =
                inflate_filez(&bytes).with_context(|| format!("reading {}", full.display()))?;
            entry.kind = Kind::File(plain.len() as u64, sha256(&plain));
        }
    }
    Ok(snapshot)
}

/// The framing of a `filez` object followed by its payload, uncompressed.
fn inflate_filez(bytes: &[u8]) -> Result<Vec<u8>> {
    let length: [u8; 4] = bytes
        .get(..4)
        .context("shorter than its framing")?
        .try_into()?;
    let header_end = 8 + u32::from_be_bytes(length) as usize;
    let mut plain = bytes
        .get(..header_end)
        .context("shorter than its header")?
        .to_vec();
    let payload = &bytes[header_end..];
    if !payload.is_empty() {
        DeflateDecoder::new(payload)
            .read_to_end(&mut plain)
            .context("inflating")?;
    }
    Ok(plain)
}

/// The names of all objects, as `XX/REST.type`, sorted.
pub fn object_names(repo: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let objects = repo.join("objects");
    for prefix in
        fs::read_dir(&objects).with_context(|| format!("reading {}", objects.display()))?
    {
        let prefix = prefix?;
        for object in fs::read_dir(prefix.path())? {
            names.push(format!(
                "{}/{}",
                prefix.file_name().to_string_lossy(),
                object?.file_name().to_string_lossy()
            ));
        }
    }
    names.sort();
    Ok(names)
}

/// The path of the first object with the given extension, in byte order of its name.
pub fn first_object(repo: &Path, extension: &str) -> Result<std::path::PathBuf> {
    let names = object_names(repo)?;
    let name = names
        .iter()
        .find(|name| name.ends_with(&format!(".{extension}")))
        .with_context(|| format!("{} has no .{extension} object", repo.display()))?;
    Ok(repo.join("objects").join(name))
}
