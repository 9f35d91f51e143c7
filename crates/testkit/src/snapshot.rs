//! Everything a file system says about a tree, to compare two trees and name each difference.

use crate::xattr;
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// What kind of thing an entry is, with what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Dir,
    /// A regular file: its size and the SHA-256 of its bytes in hex.
    File(u64, String),
    /// A symbolic link and its target.
    Symlink(PathBuf),
    /// A fifo, socket or device, with its device number.
    Special(u64),
}

/// One entry of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Kind and content.
    pub kind: Kind,
    /// Permission bits with setuid, setgid, sticky; 0 for symbolic links.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Modification time, whole seconds since 1970 UTC.
    pub mtime: i64,
    /// Device and inode: equal for hard links of one file.
    pub inode: (u64, u64),
    /// Extended attributes.
    pub xattrs: BTreeMap<String, Vec<u8>>,
}

/// The entries of a tree by path relative to its top, which itself is the empty path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The entries.
    pub entries: BTreeMap<PathBuf, Entry>,
}

impl Snapshot {
    /// Reads the tree at `root`.
    pub fn of(root: &Path) -> Result<Self> {
        Self::filtered(root, |_| true)
    }

    /// Reads the tree at `root`, leaving out each relative path that `keep` refuses, with all below it.
    pub fn filtered(root: &Path, keep: impl Fn(&Path) -> bool) -> Result<Self> {
        let mut snapshot = Snapshot::default();
        let mut pending = vec![PathBuf::new()];
        while let Some(path) = pending.pop() {
            let full = root.join(&path);
            let entry = read_entry(&full)?;
            if entry.kind == Kind::Dir {
                for child in
                    fs::read_dir(&full).with_context(|| format!("reading {}", full.display()))?
                {
                    let child = path.join(child?.file_name());
                    if keep(&child) {
                        pending.push(child);
                    }
                }
            }
            snapshot.entries.insert(path, entry);
        }
        Ok(snapshot)
    }

    /// The number of entries, the top included.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing was read.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Each difference as a line `path: what: ours != theirs`; inodes and times are not compared.
    pub fn differences(&self, other: &Snapshot) -> Vec<String> {
        let mut lines = Vec::new();
        for (path, a) in &self.entries {
            match other.entries.get(path) {
                None => lines.push(format!("{}: only in the first", path.display())),
                Some(b) => compare(path, a, b, &mut lines),
            }
        }
        for path in other
            .entries
            .keys()
            .filter(|path| !self.entries.contains_key(*path))
        {
            lines.push(format!("{}: only in the second", path.display()));
        }
        lines
    }

    /// Forgets the owners, for a tree that was written by an ordinary user or in user mode.
    pub fn without_owners(mut self) -> Self {
        for entry in self.entries.values_mut() {
            (entry.uid, entry.gid) = (0, 0);
        }
        self
    }

    /// Forgets the extended attributes.
    pub fn without_xattrs(mut self) -> Self {
        for entry in self.entries.values_mut() {
            entry.xattrs.clear();
        }
        self
    }

    /// Applies `change` to each entry's permission bits.
    pub fn map_modes(mut self, change: impl Fn(&Entry) -> u32) -> Self {
        for entry in self.entries.values_mut() {
            entry.mode = change(entry);
        }
        self
    }
}

fn compare(path: &Path, a: &Entry, b: &Entry, lines: &mut Vec<String>) {
    let path = path.display();
    if a.kind != b.kind {
        lines.push(format!("{path}: content: {:?} != {:?}", a.kind, b.kind));
    }
    if a.mode != b.mode {
        lines.push(format!("{path}: mode: {:04o} != {:04o}", a.mode, b.mode));
    }
    if (a.uid, a.gid) != (b.uid, b.gid) {
        lines.push(format!(
            "{path}: owner: {}:{} != {}:{}",
            a.uid, a.gid, b.uid, b.gid
        ));
    }
    if a.xattrs != b.xattrs {
        lines.push(format!("{path}: xattrs: {:?} != {:?}", a.xattrs, b.xattrs));
    }
}

fn read_entry(path: &Path) -> Result<Entry> {
    let meta = path
        .symlink_metadata()
        .with_context(|| format!("looking at {}", path.display()))?;
    let file_type = meta.file_type();
    let kind = if file_type.is_dir() {
        Kind::Dir
    } else if file_type.is_symlink() {
        Kind::Symlink(
            fs::read_link(path).with_context(|| format!("reading link {}", path.display()))?,
        )
    } else if file_type.is_char_device()
        || file_type.is_block_device()
        || file_type.is_fifo()
        || file_type.is_socket()
    {
        Kind::Special(meta.rdev())
    } else {
        Kind::File(meta.len(), sha256_file(path)?)
    };
    Ok(Entry {
        mode: if file_type.is_symlink() {
            0
        } else {
            meta.mode() & 0o7777
        },
        kind,
        uid: meta.uid(),
        gid: meta.gid(),
        mtime: meta.mtime(),
        inode: (meta.dev(), meta.ino()),
        xattrs: xattr::list(path)?,
    })
}

/// The SHA-256 of a file's bytes in hex.
pub fn sha256_file(path: &Path) -> Result<String> {
    let mut file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
    let mut hash = HashWriter(Sha256::new());
    std::io::copy(&mut file, &mut hash).with_context(|| format!("reading {}", path.display()))?;
    Ok(hex(&hash.0.finalize()))
}

/// The SHA-256 of `bytes` in hex.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

struct HashWriter(Sha256);

impl std::io::Write for HashWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
