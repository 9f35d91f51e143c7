//! What differs between two trees, each of a commit or a folder on disk.
//!
//! ```
//! # let dir = tempfile::tempdir().unwrap();
//! # let at = |name: &str| dir.path().join(name);
//! # use osier_store::{CreateOptions, Repo, RepoMode, parallel::Cancel};
//! # let create = |name: &str| Repo::create(&at(name), &CreateOptions { mode: RepoMode::Archive, collection_id: None }).unwrap();
//! # let repo = create("repo");
//! use osier_store::diff::{Side, diff};
//!
//! for name in ["a", "b"] {
//!     std::fs::create_dir(at(name)).unwrap();
//! }
//! std::fs::write(at("b").join("new"), "").unwrap();
//! let found = diff(&repo, &Side::Dir(at("a")), &Side::Dir(at("b")), &Default::default(), &Cancel::default()).unwrap();
//! assert_eq!(found.lines().collect::<Vec<_>>(), ["A    new"]);
//! ```

use crate::content::{WHOLE_FILE_MAX, disk_xattrs};
use crate::error::{Error, IoContext, Result};
use crate::mode::RepoMode;
use crate::parallel::{self, Cancel};
use crate::read::ReadObjects;
use crate::repo::Repo;
use crate::traverse::{self, Reached, TreeWalk};
use osier_object::{
    Checksum, CommitId, ContentId, Dirmeta, DirmetaId, DirtreeId, FileHeader, Xattrs,
};
use rayon::prelude::*;
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use sha2::{Digest, Sha256};
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;

/// One side of a comparison.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Side {
    /// A commit's tree.
    Commit(CommitId),
    /// A folder.
    Dir(PathBuf),
}

/// How folders are read.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct DiffOptions {
    /// Leave extended attributes out.
    pub no_xattrs: bool,
    /// Take files of the second side, if it is a folder, as owned by this user.
    pub owner_uid: Option<u32>,
    /// The same for the group.
    pub owner_gid: Option<u32>,
}

/// The differences. Paths in a commit start with a slash, those in a folder do not; each list is in the order of a walk
/// that takes files before directories, both by name.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Diff {
    /// On both sides but different; a directory only for its own owner, mode and attributes, or if it is a file on the
    /// other side. Paths are the first side's.
    pub modified: Vec<String>,
    /// Only on the first side; a directory stands for all in it.
    pub removed: Vec<String>,
    /// Only on the second side, with everything in it.
    pub added: Vec<String>,
}

impl Diff {
    /// Lines as the reference tool prints them: `M    /path`, then `D`, then `A`.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let lines = |letter: char, paths: &[String]| {
            paths
                .iter()
                .map(|path| format!("{letter}    {path}"))
                .collect::<Vec<_>>()
        };
        lines('M', &self.modified)
            .into_iter()
            .chain(lines('D', &self.removed))
            .chain(lines('A', &self.added))
    }

    fn append(&mut self, mut other: Diff) {
        self.modified.append(&mut other.modified);
        self.removed.append(&mut other.removed);
        self.added.append(&mut other.added);
    }
}

/// How much two commits have in common.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct DiffStats {
    /// Objects of the first commit, itself included.
    pub a_objects: u64,
    /// Objects of the second.
    pub b_objects: u64,
    /// Objects of both.
    pub common_objects: u64,
    /// Bytes of those as stored.
    pub common_bytes: u64,
}

/// Compares two trees.
///
/// # Errors
/// When one cannot be read as a whole.
pub fn diff(
    repo: &Repo,
    a: &Side,
    b: &Side,
    options: &DiffOptions,
    cancel: &Cancel,
) -> Result<Diff> {
    let walk = Walk {
        repo,
        options: *options,
        cancel,
    };
    let a = walk.root(a, None, None)?;
    let b = walk.root(b, options.owner_uid, options.owner_gid)?;
    parallel::run(|| walk.dirs(&a, &b))
}

/// Counts what two commits have in common.
pub fn stats(repo: &Repo, a: &CommitId, b: &CommitId, cancel: &Cancel) -> Result<DiffStats> {
    let reach = |id: &CommitId| {
        let node =
            traverse::load_node(repo, id)?.ok_or_else(|| Error::MissingObject(id.object_name()))?;
        let reached = Reached::new();
        TreeWalk::new(repo, &reached, cancel).commits(&[node])?;
        Ok::<_, Error>(reached)
    };
    let (a, b) = (reach(a)?, reach(b)?);
    let mut stats = DiffStats {
        a_objects: a.len() as u64,
        b_objects: b.len() as u64,
        ..Default::default()
    };
    for name in a.to_sorted() {
        if b.contains(&name) {
            stats.common_objects += 1;
            stats.common_bytes += repo.stored_size(&name)?;
        }
    }
    Ok(stats)
}

/// A directory of either side.
#[derive(Clone)]
enum Dir {
    Stored {
        path: String,
        tree: DirtreeId,
        meta: DirmetaId,
    },
    Disk {
        path: String,
        folder: Folder,
    },
}

/// An opened folder and whom its files count as owned by.
#[derive(Clone)]
struct Folder {
    fd: Arc<OwnedFd>,
    uid: Option<u32>,
    gid: Option<u32>,
}

enum Node {
    Stored(ContentId),
    Disk(Folder),
    Dir(Dir),
}

struct Entry {
    name: Box<str>,
    path: String,
    node: Node,
}

impl Entry {
    fn is_dir(&self) -> bool {
        matches!(self.node, Node::Dir(_))
    }
}

struct Walk<'a> {
    repo: &'a Repo,
    options: DiffOptions,
    cancel: &'a Cancel,
}

const DIR: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

impl Walk<'_> {
    fn root(&self, side: &Side, uid: Option<u32>, gid: Option<u32>) -> Result<Dir> {
        match side {
            Side::Commit(id) => {
                let commit = self.repo.load_commit(id)?;
                Ok(Dir::Stored {
                    path: String::new(),
                    tree: commit.root_dirtree,
                    meta: commit.root_dirmeta,
                })
            }
            Side::Dir(path) => {
                let fd = rustix::fs::open(path, DIR, Mode::empty()).map_err(|e| {
                    Error::other(format!(
                        "Error when getting information for file “{}”: {}",
                        path.display(),
                        errno_text(e)
                    ))
                })?;
                Ok(Dir::Disk {
                    path: String::new(),
                    folder: Folder {
                        fd: Arc::new(fd),
                        uid,
                        gid,
                    },
                })
            }
        }
    }

    /// The differences below two directories.
    fn dirs(&self, a: &Dir, b: &Dir) -> Result<Diff> {
        self.cancel.check()?;
        if let (Dir::Stored { tree: a, .. }, Dir::Stored { tree: b, .. }) = (a, b)
            && a == b
        {
            return Ok(Diff::default());
        }
        let (ours, theirs) = (self.list(a)?, self.list(b)?);
        // By name: a file on one side may be a directory on the other, which is listed elsewhere.
        let index: HashMap<&str, usize> = theirs
            .iter()
            .enumerate()
            .map(|(i, e)| (&*e.name, i))
            .collect();
        let parts: Vec<Diff> = ours
            .par_iter()
            .map(|entry| self.entry(entry, index.get(&*entry.name).map(|i| &theirs[*i])))
            .collect::<Result<_>>()?;
        let mut out = Diff::default();
        for part in parts {
            out.append(part);
        }
        let known: HashSet<&str> = ours.iter().map(|e| &*e.name).collect();
        for entry in theirs.iter().filter(|e| !known.contains(&*e.name)) {
            self.added(entry, &mut out.added)?;
        }
        Ok(out)
    }

    fn entry(&self, a: &Entry, b: Option<&Entry>) -> Result<Diff> {
        let mut out = Diff::default();
        let Some(b) = b else {
            out.removed.push(a.path.clone());
            return Ok(out);
        };
        match (&a.node, &b.node) {
            (Node::Dir(x), Node::Dir(y)) => {
                if self.meta(x)? != self.meta(y)? {
                    out.modified.push(a.path.clone());
                }
                out.append(self.dirs(x, y)?);
            }
            _ if a.is_dir() != b.is_dir() => out.modified.push(a.path.clone()),
            _ => {
                if self.content(a)? != self.content(b)? {
                    out.modified.push(a.path.clone());
                }
            }
        }
        Ok(out)
    }

    fn added(&self, entry: &Entry, out: &mut Vec<String>) -> Result<()> {
        out.push(entry.path.clone());
        if let Node::Dir(dir) = &entry.node {
            for child in self.list(dir)? {
                self.added(&child, out)?;
            }
        }
        Ok(())
    }

    /// Files by name, then directories by name.
    fn list(&self, dir: &Dir) -> Result<Vec<Entry>> {
        let mut out = match dir {
            Dir::Stored { path, tree, .. } => {
                let listing = self.repo.load_dirtree(tree)?;
                let files = listing.files.into_iter().map(|(name, id)| Entry {
                    path: format!("{path}/{name}"),
                    name,
                    node: Node::Stored(id),
                });
                let dirs = listing.dirs.into_iter().map(|(name, tree, meta)| {
                    let path = format!("{path}/{name}");
                    Entry {
                        path: path.clone(),
                        name,
                        node: Node::Dir(Dir::Stored { path, tree, meta }),
                    }
                });
                files.chain(dirs).collect()
            }
            Dir::Disk { path, folder } => self.list_disk(path, folder)?,
        };
        out.sort_by(|a: &Entry, b: &Entry| match a.is_dir().cmp(&b.is_dir()) {
            Ordering::Equal => a.name.cmp(&b.name),
            other => other,
        });
        Ok(out)
    }

    fn list_disk(&self, path: &str, folder: &Folder) -> Result<Vec<Entry>> {
        let fd = &folder.fd;
        let shown = || format!("reading {}", if path.is_empty() { "." } else { path });
        let mut out = Vec::new();
        for entry in rustix::fs::Dir::read_from(fd.as_fd()).at(shown)? {
            let entry = entry.at(shown)?;
            let name = match entry.file_name().to_str() {
                Ok("." | "..") => continue,
                Ok(name) => name,
                Err(_) => {
                    return Err(Error::other(format!(
                        "Invalid UTF-8 in filename {}",
                        entry.file_name().to_string_lossy()
                    )));
                }
            };
            let full = match path {
                "" => name.to_owned(),
                path => format!("{path}/{name}"),
            };
            let mut kind = entry.file_type();
            if kind == FileType::Unknown {
                let st = rustix::fs::statat(fd, name, AtFlags::SYMLINK_NOFOLLOW)
                    .at(|| format!("stat {full}"))?;
                kind = FileType::from_raw_mode(st.st_mode);
            }
            let node = match kind {
                FileType::Directory => {
                    let sub = rustix::fs::openat(fd, name, DIR | OFlags::NOFOLLOW, Mode::empty())
                        .at(|| format!("opendir({full})"))?;
                    Node::Dir(Dir::Disk {
                        path: full.clone(),
                        folder: Folder {
                            fd: Arc::new(sub),
                            ..folder.clone()
                        },
                    })
                }
                _ => Node::Disk(folder.clone()),
            };
            out.push(Entry {
                name: name.into(),
                path: full,
                node,
            });
        }
        Ok(out)
    }

    fn meta(&self, dir: &Dir) -> Result<DirmetaId> {
        let (path, folder) = match dir {
            Dir::Stored { meta, .. } => return Ok(*meta),
            Dir::Disk { path, folder } => (path, folder),
        };
        let fd = &folder.fd;
        let st = rustix::fs::fstat(fd).at(|| format!("fstat({path})"))?;
        Ok(Dirmeta {
            uid: folder.uid.unwrap_or(st.st_uid),
            gid: folder.gid.unwrap_or(st.st_gid),
            mode: st.st_mode,
            xattrs: self.xattrs(path, || osier_sys::xattr::read_fd(fd.as_fd()))?,
        }
        .id())
    }

    fn content(&self, entry: &Entry) -> Result<ContentId> {
        match &entry.node {
            Node::Stored(id) => Ok(*id),
            Node::Disk(folder) => self.hash_file(folder, &entry.name, &entry.path),
            Node::Dir(_) => Err(Error::other(format!("{} is a directory", entry.path))),
        }
    }

    fn xattrs(
        &self,
        path: &str,
        read: impl FnOnce() -> std::io::Result<Vec<osier_sys::xattr::Pair>>,
    ) -> Result<Xattrs> {
        // Where the repository keeps no attributes, those on disk are no difference.
        let ignored = self.options.no_xattrs || self.repo.mode() == RepoMode::BareUserOnly;
        match ignored {
            true => Ok(Xattrs::EMPTY),
            false => Ok(disk_xattrs(
                read().at(|| format!("reading extended attributes of {path}"))?,
            )),
        }
    }

    /// The id that a commit would give the file.
    fn hash_file(&self, folder: &Folder, name: &str, path: &str) -> Result<ContentId> {
        let dir = folder.fd.as_fd();
        let st = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)
            .at(|| format!("stat {path}"))?;
        let mut header = FileHeader {
            uid: folder.uid.unwrap_or(st.st_uid),
            gid: folder.gid.unwrap_or(st.st_gid),
            mode: st.st_mode,
            symlink_target: None,
            xattrs: Xattrs::EMPTY,
        };
        match FileType::from_raw_mode(st.st_mode) {
            FileType::RegularFile => {}
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(dir, name, Vec::new())
                    .at(|| format!("readlinkat({path})"))?;
                header.symlink_target = Some(target.into_string().map_err(|_| {
                    Error::other(format!("{path} has a link target that is not UTF-8"))
                })?);
                header.xattrs =
                    self.xattrs(path, || osier_sys::xattr::read_at(dir, name.as_bytes()))?;
                let hasher = Sha256::new_with_prefix(header.hash_framing());
                return Ok(ContentId(Checksum(hasher.finalize().into())));
            }
            _ => {
                return Err(Error::other(format!(
                    "Not a regular file or symlink: {path}"
                )));
            }
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let fd =
            rustix::fs::openat(dir, name, flags, Mode::empty()).at(|| format!("openat({path})"))?;
        header.xattrs = self.xattrs(path, || osier_sys::xattr::read_fd(fd.as_fd()))?;
        let mut hasher = Sha256::new_with_prefix(header.hash_framing());
        let mut file = File::from(fd);
        let mut buf = vec![0; (st.st_size as u64).clamp(4096, WHOLE_FILE_MAX / 16) as usize];
        loop {
            match file.read(&mut buf) {
                Ok(0) => break,
                Ok(n) => hasher.update(&buf[..n]),
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e).at(|| format!("reading {path}")),
            }
        }
        Ok(ContentId(Checksum(hasher.finalize().into())))
    }
}

/// The cause alone, as C programs print it.
fn errno_text(e: rustix::io::Errno) -> String {
    let text = std::io::Error::from(e).to_string();
    match text.split_once(" (os error") {
        Some((cause, _)) => cause.to_owned(),
        None => text,
    }
}
