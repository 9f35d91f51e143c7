//! The static deltas a repository serves: their names, digests and index files. Making and applying them is another
//! crate's work.
//!
//! A delta is a folder `deltas/AB/REST` (from nothing) or `deltas/AB/REST-TO` holding `superblock` and parts, where
//! `ABREST` and `TO` are checksums in modified base64. `delta-indexes/AB/REST.index` lists the deltas to one commit.

use crate::config_edit::set_flag;
use crate::error::{Error, IoContext, Result};
use crate::replace_file;
use crate::repo::{Repo, read_small};
use osier_gv::{Dict, Value};
use osier_object::summary::key::STATIC_DELTAS;
use osier_object::{Checksum, CommitId, hash};
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Which commit a delta leads to, and from which. As text `FROM-TO` or `TO`, in hexadecimal.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct DeltaName {
    /// The commit that must be there; `None` for a delta from nothing.
    pub from: Option<CommitId>,
    /// The commit that is there afterwards.
    pub to: CommitId,
}

impl DeltaName {
    /// Folder of the delta below the repository.
    pub fn path(&self) -> String {
        let to = self.to.modified_base64();
        match &self.from {
            None => format!("deltas/{}/{}", &to[..2], &to[2..]),
            Some(from) => {
                let from = from.modified_base64();
                format!("deltas/{}/{}-{to}", &from[..2], &from[2..])
            }
        }
    }

    fn from_path(prefix: &str, rest: &str) -> Option<DeltaName> {
        let id = |text: &str| Checksum::from_modified_base64(text).map(CommitId);
        match rest.split_at_checked(41)? {
            (first, "") => Some(DeltaName {
                from: None,
                to: id(&format!("{prefix}{first}"))?,
            }),
            (first, second) => Some(DeltaName {
                from: Some(id(&format!("{prefix}{first}"))?),
                to: id(second.strip_prefix('-')?)?,
            }),
        }
    }
}

impl fmt::Display for DeltaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.from {
            Some(from) => write!(f, "{from}-{}", self.to),
            None => self.to.fmt(f),
        }
    }
}

impl std::str::FromStr for DeltaName {
    type Err = Error;
    fn from_str(text: &str) -> Result<DeltaName> {
        let id = |text: &str| {
            text.parse::<CommitId>()
                .map_err(|e| Error::InvalidName(e.to_string()))
        };
        Ok(match text.split_once('-') {
            Some((from, to)) => DeltaName {
                from: Some(id(from)?),
                to: id(to)?,
            },
            None => DeltaName {
                from: None,
                to: id(text)?,
            },
        })
    }
}

/// Path of the file listing the deltas to a commit.
pub fn index_path(to: &CommitId) -> String {
    let to = to.modified_base64();
    format!("delta-indexes/{}/{}.index", &to[..2], &to[2..])
}

/// The file listing the deltas to a commit, each with the digest of its superblock.
pub fn index_bytes(deltas: &[(DeltaName, Checksum)]) -> Vec<u8> {
    // Here the reference tool's order differs from run to run.
    let mut deltas = deltas.to_vec();
    deltas.sort();
    let mut dict = Dict::new();
    dict.insert(STATIC_DELTAS, digest_dict(&deltas).to_value());
    dict.encode()
}

const DIR: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOFOLLOW);

fn open_dir(dir: BorrowedFd<'_>, path: &str) -> Result<Option<OwnedFd>> {
    match rustix::fs::openat(dir, path, DIR, Mode::empty()) {
        Ok(fd) => Ok(Some(fd)),
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(e) => Err(e).at(|| format!("opendir({path})")),
    }
}

/// The entries of a folder, in the order the file system has them.
fn names(fd: &OwnedFd, path: &str) -> Result<Vec<String>> {
    let mut out = Vec::new();
    for entry in rustix::fs::Dir::read_from(fd).at(|| format!("reading {path}"))? {
        let entry = entry.at(|| format!("reading {path}"))?;
        match entry.file_name().to_str() {
            Ok("." | "..") | Err(_) => {}
            Ok(name) => out.push(name.to_owned()),
        }
    }
    Ok(out)
}

impl Repo {
    /// The deltas that have a superblock, sorted.
    pub fn list_static_deltas(&self) -> Result<Vec<DeltaName>> {
        let mut out = self.static_deltas_in_disk_order()?;
        out.sort();
        Ok(out)
    }

    /// As [`Repo::list_static_deltas`], in the order of the file system, in which the reference tool prints them.
    pub fn static_deltas_in_disk_order(&self) -> Result<Vec<DeltaName>> {
        let mut out = Vec::new();
        let Some(deltas) = open_dir(self.dir(), "deltas")? else {
            return Ok(out);
        };
        for prefix in names(&deltas, "deltas")? {
            let path = format!("deltas/{prefix}");
            let Some(dir) = open_dir(deltas.as_fd(), &prefix)? else {
                continue;
            };
            for rest in names(&dir, &path)? {
                let superblock = format!("{rest}/superblock");
                let there = rustix::fs::statat(&dir, &superblock, AtFlags::SYMLINK_NOFOLLOW)
                    .is_ok_and(|st| FileType::from_raw_mode(st.st_mode) == FileType::RegularFile);
                if there {
                    out.extend(DeltaName::from_path(&prefix, &rest));
                }
            }
        }
        Ok(out)
    }

    /// Deletes a delta with its parts. The folder it was in stays.
    pub fn delete_static_delta(&self, name: &DeltaName) -> Result<()> {
        let path = name.path();
        crate::remove_tree::remove_all(self.dir(), &path).at(|| format!("removing {path}"))
    }

    /// The SHA-256 of each delta's superblock, as listed in summaries and index files. In the order of the file system:
    /// where two names collide in GLib's table, the reference tool's output depends on it.
    pub fn static_delta_digests(&self) -> Result<Vec<(DeltaName, Checksum)>> {
        let mut out = Vec::new();
        for name in self.static_deltas_in_disk_order()? {
            let path = format!("{}/superblock", name.path());
            match read_small(self.dir(), &path) {
                Ok(bytes) => {
                    out.push((name, hash(&bytes)));
                }
                // Deleted meanwhile.
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                Err(e) => return Err(e).at(|| format!("reading {path}")),
            }
        }
        Ok(out)
    }

    /// Writes an index file for every commit that deltas lead to and removes those of other commits. With `only`, the
    /// one of that commit alone.
    pub fn reindex_static_deltas(&self, only: Option<&CommitId>) -> Result<()> {
        let digests = self.static_delta_digests()?;
        let mut by_target: BTreeMap<CommitId, Vec<(DeltaName, Checksum)>> = BTreeMap::new();
        for (name, digest) in digests {
            by_target.entry(name.to).or_default().push((name, digest));
        }
        let mut wanted = BTreeSet::new();
        for (to, deltas) in &by_target {
            wanted.insert(*to);
            if only.is_some_and(|only| only != to) {
                continue;
            }
            let path = index_path(to);
            for dir in [
                "delta-indexes",
                path.rsplit_once('/').map_or("", |(d, _)| d),
            ] {
                match rustix::fs::mkdirat(self.dir(), dir, Mode::from_raw_mode(0o777)) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(e) => return Err(e).at(|| format!("mkdirat({dir})")),
                }
            }
            let bytes = index_bytes(deltas);
            if read_small(self.dir(), &path).is_ok_and(|there| there == bytes) {
                continue;
            }
            replace_file::replace(self.dir(), &path, &bytes, 0o644, self.config().fsync)
                .at(|| format!("writing {path}"))?;
        }
        for to in self.indexed_commits()? {
            if !wanted.contains(&to) && only.is_none_or(|only| *only == to) {
                let path = index_path(&to);
                match rustix::fs::unlinkat(self.dir(), &path, AtFlags::empty()) {
                    Ok(()) | Err(Errno::NOENT) => {}
                    Err(e) => return Err(e).at(|| format!("unlinkat({path})")),
                }
            }
        }
        // Clients then need no summary to find deltas.
        set_flag(self, "indexed-deltas")
    }

    /// The commits that have an index file, in the order of the file system.
    pub fn indexed_commits(&self) -> Result<Vec<CommitId>> {
        let mut out = Vec::new();
        let Some(indexes) = open_dir(self.dir(), "delta-indexes")? else {
            return Ok(out);
        };
        for prefix in names(&indexes, "delta-indexes")? {
            let Some(dir) = open_dir(indexes.as_fd(), &prefix)? else {
                continue;
            };
            for name in names(&dir, &format!("delta-indexes/{prefix}"))? {
                let Some(rest) = name.strip_suffix(".index") else {
                    continue;
                };
                out.extend(
                    Checksum::from_modified_base64(&format!("{prefix}{rest}")).map(CommitId),
                );
            }
        }
        Ok(out)
    }
}

/// `a{sv}` from delta names to digests (`ay`), in the order GLib's table gives them.
pub(crate) fn digest_dict(deltas: &[(DeltaName, Checksum)]) -> Dict {
    deltas
        .iter()
        .map(|(name, digest)| (name.to_string(), Value::Bytes(digest.0.to_vec())))
        .collect::<Dict>()
        .in_glib_order()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_names_agree() {
        let (a, b) = (CommitId(hash(b"a")), CommitId(hash(b"b")));
        for name in [
            DeltaName { from: None, to: a },
            DeltaName {
                from: Some(a),
                to: b,
            },
        ] {
            let path = name.path();
            let (prefix, rest) = path["deltas/".len()..].split_once('/').unwrap();
            assert_eq!(DeltaName::from_path(prefix, rest), Some(name));
            assert_eq!(name.to_string().parse::<DeltaName>().unwrap(), name);
        }
        assert_eq!(DeltaName::from_path("ab", "short"), None);
        assert_eq!(DeltaName::from_path("ab", "ééééééééééééééééééééé"), None);
        assert!("x".parse::<DeltaName>().is_err());
    }
}
