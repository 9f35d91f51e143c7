//! Reading a folder, or an existing commit, into a tree.
//!
//! Directories and their files are spread over all threads; each file is read once, and hashed and written from the
//! same buffer.

use super::modifier::{Attributes, Modifier};
use super::tree::MutableTree;
use crate::content::disk_xattrs;
use crate::error::{Error, IoContext, Result};
use crate::mode::RepoMode;
use crate::read::ReadObjects;
use crate::transaction::{Transaction, is_storable_kind};
use osier_object::{ContentId, DirmetaId, FileHeader, Xattrs};
use rayon::prelude::*;
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{self, Seek};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

const DIR: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

/// Reads the folder `path` with everything below it and writes its content objects.
///
/// With `alone`, nothing will be put over or under this tree: each listing is written as soon as its directory has been
/// read, and no more than the open directories' names are in memory.
pub(super) fn read_dir(
    tx: &Transaction<'_>,
    path: &Path,
    modifier: &Modifier,
    alone: bool,
) -> Result<Option<MutableTree>> {
    let dir =
        rustix::fs::open(path, DIR, Mode::empty()).at(|| format!("opendir({})", path.display()))?;
    let walk = Walk {
        tx,
        modifier,
        root: path,
        canonical: forced_canonical(tx, modifier),
        alone,
    };
    walk.dir(dir.as_fd(), "")
}

/// A repository without owners takes only what it can keep.
fn forced_canonical(tx: &Transaction<'_>, modifier: &Modifier) -> bool {
    !modifier.canonical_permissions && tx.repo().mode() == RepoMode::BareUserOnly
}

struct Walk<'a> {
    tx: &'a Transaction<'a>,
    modifier: &'a Modifier,
    root: &'a Path,
    canonical: bool,
    alone: bool,
}

enum Entry {
    File(Box<str>, ContentId),
    Dir(Box<str>, MutableTree),
    Skipped,
}

impl Walk<'_> {
    fn display(&self, path: &str) -> String {
        format!("{}{path}", self.root.display())
    }

    /// `path` is "" for the root, else starts with a slash. `None` when the modifier leaves it out.
    fn dir(&self, dir: BorrowedFd<'_>, path: &str) -> Result<Option<MutableTree>> {
        let st = rustix::fs::fstat(dir).at(|| format!("fstat({})", self.display(path)))?;
        let xattrs = match self.reads_xattrs() {
            true => disk_xattrs(
                osier_sys::xattr::read_fd(dir)
                    .at(|| format!("reading extended attributes of {}", self.display(path)))?,
            ),
            false => Xattrs::default(),
        };
        let mut a = Attributes {
            uid: st.st_uid,
            gid: st.st_gid,
            mode: st.st_mode,
            xattrs,
        };
        if !self.decide(if path.is_empty() { "/" } else { path }, &mut a)? {
            return Ok(None);
        }
        let dirmeta = write_dirmeta(self.tx, a)?;
        let mut names: Vec<(CString, FileType)> = Vec::new();
        for entry in
            rustix::fs::Dir::read_from(dir).at(|| format!("reading {}", self.display(path)))?
        {
            let entry = entry.at(|| format!("reading {}", self.display(path)))?;
            let name = entry.file_name();
            if name != c"." && name != c".." {
                names.push((name.to_owned(), entry.file_type()));
            }
        }
        let entries = names
            .into_par_iter()
            .with_max_len(16)
            .map(|(name, kind)| self.entry(dir, path, &name, kind))
            .collect::<Result<Vec<_>>>()?;
        let (mut files, mut dirs) = (Vec::new(), Vec::new());
        for entry in entries {
            match entry {
                Entry::File(name, id) => files.push((name, id)),
                Entry::Dir(name, tree) => dirs.push((name, tree)),
                Entry::Skipped => {}
            }
        }
        MutableTree::of_entries(dirmeta, files, dirs)
            .written_if(self.alone, self.tx)
            .map(Some)
    }

    fn entry(
        &self,
        dir: BorrowedFd<'_>,
        parent: &str,
        name: &CStr,
        kind: FileType,
    ) -> Result<Entry> {
        let text = name.to_str().map_err(|_| {
            Error::other(format!(
                "Invalid UTF-8 in filename: {}/{}",
                self.display(parent),
                name.to_string_lossy()
            ))
        })?;
        let path = format!("{parent}/{text}");
        let kind = match kind {
            FileType::Unknown => {
                let st = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)
                    .at(|| format!("stat({})", self.display(&path)))?;
                FileType::from_raw_mode(st.st_mode)
            }
            known => known,
        };
        let entry = match kind {
            FileType::Directory => {
                let sub = rustix::fs::openat(dir, name, DIR | OFlags::NOFOLLOW, Mode::empty())
                    .at(|| format!("opendir({})", self.display(&path)))?;
                match self.dir(sub.as_fd(), &path)? {
                    Some(tree) => Entry::Dir(text.into(), tree),
                    None => Entry::Skipped,
                }
            }
            FileType::RegularFile => self
                .file(dir, name, &path)?
                .map_or(Entry::Skipped, |id| Entry::File(text.into(), id)),
            FileType::Symlink => self
                .link(dir, name, &path)?
                .map_or(Entry::Skipped, |id| Entry::File(text.into(), id)),
            _ => {
                return Err(Error::other(format!(
                    "Not a regular file or symlink: {text}"
                )));
            }
        };
        if self.modifier.consume && !matches!(entry, Entry::Skipped) {
            self.tx
                .remove_once_published(PathBuf::from(self.display(&path)));
        }
        Ok(entry)
    }

    fn file(&self, dir: BorrowedFd<'_>, name: &CStr, path: &str) -> Result<Option<ContentId>> {
        if let Some(devino) = &self.modifier.devino {
            let st = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)
                .at(|| format!("stat({})", self.display(path)))?;
            if let Some(id) = devino.get(st.st_dev, st.st_ino) {
                return self.known_file(id, path);
            }
        }
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let fd: OwnedFd = rustix::fs::openat(dir, name, flags, Mode::empty())
            .at(|| format!("openat({})", self.display(path)))?;
        let st = rustix::fs::fstat(&fd).at(|| format!("fstat({})", self.display(path)))?;
        if FileType::from_raw_mode(st.st_mode) != FileType::RegularFile {
            return Err(Error::other(format!(
                "Not a regular file or symlink: {}",
                name.to_string_lossy()
            )));
        }
        let xattrs = match self.reads_xattrs() {
            true => disk_xattrs(
                osier_sys::xattr::read_fd(fd.as_fd())
                    .at(|| format!("reading extended attributes of {}", self.display(path)))?,
            ),
            false => Xattrs::default(),
        };
        let mut a = Attributes {
            uid: st.st_uid,
            gid: st.st_gid,
            mode: st.st_mode,
            xattrs,
        };
        let found = self.modifier.consume.then(|| a.clone());
        if !self.decide(path, &mut a)? {
            return Ok(None);
        }
        let mut file = File::from(fd);
        // Without reading attributes nobody knows whether the file has some; where none count it does not matter.
        let known = self.reads_xattrs() || self.tx.repo().config().disable_xattrs;
        let unmodified = known && found.as_ref() == Some(&a);
        let header = FileHeader {
            uid: a.uid,
            gid: a.gid,
            mode: a.mode,
            symlink_target: None,
            xattrs: a.xattrs,
        };
        if self.modifier.consume && self.tx.can_adopt(unmodified) {
            let adopted = self.tx.adopt_file(dir, name, &header, &mut file);
            if let Some(id) =
                adopted.map_err(|e| e.within(format!("Adopting {}", self.display(path))))?
            {
                return Ok(Some(id));
            }
            file.rewind()
                .at(|| format!("reading {}", self.display(path)))?;
        }
        self.tx
            .write_content_file(&header, st.st_size as u64, &mut file)
            .map(Some)
            .map_err(|e| e.within(format!("Writing content object of {}", self.display(path))))
    }

    fn link(&self, dir: BorrowedFd<'_>, name: &CStr, path: &str) -> Result<Option<ContentId>> {
        let st = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)
            .at(|| format!("stat({})", self.display(path)))?;
        if let Some(id) = self
            .modifier
            .devino
            .as_ref()
            .and_then(|d| d.get(st.st_dev, st.st_ino))
        {
            return self.known_file(id, path);
        }
        let target = rustix::fs::readlinkat(dir, name, Vec::new())
            .at(|| format!("readlinkat({})", self.display(path)))?;
        let target = target.into_string().map_err(|_| {
            Error::other(format!(
                "Invalid UTF-8 in symbolic link target: {}",
                self.display(path)
            ))
        })?;
        let xattrs = match self.reads_xattrs() {
            true => disk_xattrs(
                osier_sys::xattr::read_at(dir, name.to_bytes())
                    .at(|| format!("reading extended attributes of {}", self.display(path)))?,
            ),
            false => Xattrs::default(),
        };
        let mut a = Attributes {
            uid: st.st_uid,
            gid: st.st_gid,
            mode: st.st_mode,
            xattrs,
        };
        if !self.decide(path, &mut a)? {
            return Ok(None);
        }
        let header = FileHeader {
            uid: a.uid,
            gid: a.gid,
            mode: a.mode,
            symlink_target: Some(target),
            xattrs: a.xattrs,
        };
        self.tx
            .write_content(None, &header, 0, &mut io::empty())
            .map(Some)
            .map_err(|e| e.within(format!("Writing content object of {}", self.display(path))))
    }

    /// A file that is a further name of an object.
    fn known_file(&self, id: ContentId, path: &str) -> Result<Option<ContentId>> {
        if self.modifier.devino_canonical {
            self.tx.count_devino_hit();
            return Ok((!self.modifier.skip.matches(path)).then_some(id));
        }
        // The object was there when the cache was made, and stays as long as this transaction.
        if self.modifier.is_identity() && !self.canonical {
            self.tx.count_devino_hit();
            return Ok(Some(id));
        }
        let content = self.tx.open_content(&id)?;
        rewrite_content(self.tx, self.modifier, self.canonical, content, id, path)
    }

    fn reads_xattrs(&self) -> bool {
        !self.modifier.drops_xattrs() && !self.canonical && !self.tx.repo().config().disable_xattrs
    }

    fn decide(&self, path: &str, a: &mut Attributes) -> Result<bool> {
        decide(self.modifier, self.canonical, path, a)
    }
}

fn decide(modifier: &Modifier, canonical: bool, path: &str, a: &mut Attributes) -> Result<bool> {
    if !modifier.apply(path, a) {
        return Ok(false);
    }
    if canonical {
        Modifier {
            canonical_permissions: true,
            ..Default::default()
        }
        .apply(path, a);
    }
    modifier.label(path, a)?;
    Ok(true)
}

/// Reads a stored tree again with the modifier applied.
pub(super) fn rewrite(
    tx: &Transaction<'_>,
    tree: MutableTree,
    modifier: &Modifier,
    alone: bool,
) -> Result<Option<MutableTree>> {
    let canonical = forced_canonical(tx, modifier);
    rewrite_dir(tx, tree, modifier, (canonical, alone), "")
}

fn rewrite_dir(
    tx: &Transaction<'_>,
    mut tree: MutableTree,
    modifier: &Modifier,
    (canonical, alone): (bool, bool),
    path: &str,
) -> Result<Option<MutableTree>> {
    tree.load(tx)?;
    let (dirmeta, files, dirs) = tree.into_parts();
    let meta =
        tx.load_dirmeta(&dirmeta.ok_or_else(|| Error::other("directory has no owner and mode"))?)?;
    let mut a = Attributes {
        uid: meta.uid,
        gid: meta.gid,
        mode: meta.mode,
        xattrs: meta.xattrs,
    };
    if !decide(
        modifier,
        canonical,
        if path.is_empty() { "/" } else { path },
        &mut a,
    )? {
        return Ok(None);
    }
    let dirmeta = write_dirmeta(tx, a)?;
    let files = files
        .into_iter()
        .collect::<Vec<_>>()
        .into_par_iter()
        .map(|(name, id)| {
            let content = tx.open_content(&id)?;
            let new = rewrite_content(
                tx,
                modifier,
                canonical,
                content,
                id,
                &format!("{path}/{name}"),
            )?;
            Ok(new.map(|id| (name, id)))
        })
        .collect::<Result<Vec<_>>>()?;
    let dirs = dirs
        .into_iter()
        .collect::<Vec<_>>()
        .into_par_iter()
        .map(|(name, dir)| {
            let new = rewrite_dir(
                tx,
                dir,
                modifier,
                (canonical, alone),
                &format!("{path}/{name}"),
            )?;
            Ok(new.map(|dir| (name, dir)))
        })
        .collect::<Result<Vec<_>>>()?;
    MutableTree::of_entries(
        dirmeta,
        files.into_iter().flatten().collect(),
        dirs.into_iter().flatten().collect(),
    )
    .written_if(alone, tx)
    .map(Some)
}

/// Decides a stored file anew; written again only when something about it changes.
fn rewrite_content(
    tx: &Transaction<'_>,
    modifier: &Modifier,
    canonical: bool,
    content: crate::Content,
    id: ContentId,
    path: &str,
) -> Result<Option<ContentId>> {
    let h = &content.header;
    debug_assert!(is_storable_kind(h.mode));
    let before = Attributes {
        uid: h.uid,
        gid: h.gid,
        mode: h.mode,
        xattrs: h.xattrs.clone(),
    };
    let mut a = before.clone();
    if !decide(modifier, canonical, path, &mut a)? {
        return Ok(None);
    }
    if a == before {
        tx.count_content(1);
        return Ok(Some(id));
    }
    let header = FileHeader {
        uid: a.uid,
        gid: a.gid,
        mode: a.mode,
        symlink_target: h.symlink_target.clone(),
        xattrs: a.xattrs,
    };
    let size = content.size;
    tx.write_content(None, &header, size, &mut content.into_reader())
        .map(Some)
        .map_err(|e| e.within(format!("Writing content object of {path}")))
}

fn write_dirmeta(tx: &Transaction<'_>, a: Attributes) -> Result<DirmetaId> {
    tx.write_dirmeta(&a.into_dirmeta())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CreateOptions, Repo};

    #[test]
    fn of_a_tree_alone_only_the_checksum_stays_in_memory() {
        let dir = tempfile::tempdir().unwrap();
        let tree = dir.path().join("tree");
        std::fs::create_dir_all(tree.join("sub/deep")).unwrap();
        std::fs::write(tree.join("sub/deep/file"), "content").unwrap();
        std::fs::write(tree.join("top"), "more").unwrap();
        let options = CreateOptions {
            mode: RepoMode::BareUserOnly,
            collection_id: None,
        };
        let repo = Repo::create(&dir.path().join("repo"), &options).unwrap();
        let tx = repo.begin(&Default::default()).unwrap();
        let read = |alone| read_dir(&tx, &tree, &Modifier::default(), alone);
        let [alone, merged] = [true, false].map(|alone| read(alone).unwrap().unwrap());
        assert!(alone.files().is_empty());
        assert_eq!(merged.files().len(), 1);
        assert_eq!(alone.write(&tx).unwrap(), merged.write(&tx).unwrap());
    }
}
