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
    unpack(repo, &mut snapshot)?;
    Ok(snapshot)
}

/// Puts what each `filez` below `root` unpacks to in place of its bytes; damaged ones are all alike.
pub fn unpack(root: &Path, snapshot: &mut Snapshot) -> Result<()> {
    for (path, entry) in &mut snapshot.entries {
        if path
            .extension()
            .is_some_and(|extension| extension == "filez")
        {
            let full = root.join(path);
            let bytes = fs::read(&full).with_context(|| format!("reading {}", full.display()))?;
            entry.kind = match inflate_filez(&bytes) {
                Ok(plain) => Kind::File(plain.len() as u64, sha256(&plain)),
                Err(_) => Kind::File(u64::MAX, "damaged".to_owned()),
            };
        }
    }
    Ok(())
}

/// A summary file's content without the second at which it was written.
pub fn undated_summary(path: &Path) -> Result<Kind> {
    const KEY: &[u8] = b"ostree.summary.last-modified\0";
    let mut bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    if let Some(at) = bytes.windows(KEY.len()).position(|window| window == KEY) {
        // The value is a `t`, at the next multiple of 8.
        let start = (at + KEY.len()).next_multiple_of(8);
        if let Some(time) = bytes.get_mut(start..start + 8) {
            time.fill(0);
        }
    }
    Ok(Kind::File(bytes.len() as u64, sha256(&bytes)))
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
