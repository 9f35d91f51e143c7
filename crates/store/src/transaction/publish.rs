//! Publishing a transaction: objects first, durable before any ref names them.

use super::staging::{Staging, clean_tmp};
use super::{Stats, Transaction};
use crate::error::{IoContext, Result};
use rayon::prelude::*;
use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use std::collections::{BTreeMap, HashSet};
use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Mutex;
use std::sync::atomic::Ordering;

const DIR: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOFOLLOW);

impl Transaction<'_> {
    /// Publishes the staged objects, then the refs.
    ///
    /// A crash at any point leaves every ref naming a commit whose objects are complete: objects reach the disk before
    /// they are moved into place, and the folders they are in before a ref is written.
    ///
    /// # Errors
    /// On I/O failure; refs not yet written keep their value.
    pub fn commit(mut self) -> Result<Stats> {
        let repo = self.repo;
        if let Some(staging) = self.staging.take() {
            if self.fsync {
                rustix::fs::syncfs(repo.dir())
                    .at(|| format!("syncfs({})", repo.path().display()))?;
            }
            let replacing = self
                .replacing
                .take()
                .map(|paths| paths.into_inner().expect("no panic while locked"));
            let moved = Move {
                from: staging.dir(),
                to: repo.objects_dir(),
                replacing: replacing.as_ref(),
                sync: self.fsync,
            }
            .all();
            if let Err(e) = moved {
                self.staging = Some(staging);
                return Err(e);
            }
            staging.remove(repo)?;
        } else {
            // Objects are in place already. Those of an interrupted transaction join them, as its successor would have
            // had it.
            if let Some(idle) = Staging::take_idle(repo)? {
                Move {
                    from: idle.dir(),
                    to: repo.objects_dir(),
                    replacing: None,
                    sync: self.fsync,
                }
                .all()?;
                idle.remove(repo)?;
            }
            if self.fsync {
                rustix::fs::syncfs(repo.dir())
                    .at(|| format!("syncfs({})", repo.path().display()))?;
            }
        }
        clean_tmp(repo)?;
        let refs = std::mem::take(&mut *self.refs.lock().expect("no panic while locked"));
        let changed = !refs.is_empty();
        if changed {
            self.hold_refs()?;
        }
        for (key, value) in &refs {
            repo.write_ref(key, value.as_ref())?;
        }
        for id in self
            .completed
            .lock()
            .expect("no panic while locked")
            .drain(..)
        {
            let path = format!("state/{id}.commitpartial");
            match rustix::fs::unlinkat(repo.dir(), &path, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(e) => return Err(e).at(|| format!("unlinkat({path})")),
            }
        }
        for path in self
            .consumed
            .lock()
            .expect("no panic while locked")
            .drain(..)
        {
            remove_source(&path)?;
        }
        self.refs_lock = None;
        if changed && repo.config().auto_update_summary()? {
            crate::summary::auto_update(repo)?;
        }
        Ok(self.stats())
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        let Some(staging) = self.staging.take() else {
            return;
        };
        if self.out_of_space.load(Ordering::Relaxed) {
            // What it holds is what there was no room for.
            let _ = staging.remove(self.repo);
        } else {
            staging.leave(self.repo);
        }
    }
}

fn remove_source(path: &std::path::Path) -> Result<()> {
    let removed = match rustix::fs::unlink(path) {
        Err(Errno::ISDIR | Errno::PERM) => rustix::fs::rmdir(path),
        other => other,
    };
    match removed {
        // Something that was left out is still inside, or somebody was faster.
        Ok(()) | Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOENT) => Ok(()),
        Err(e) => Err(e).at(|| format!("unlinkat({})", path.display())),
    }
}

/// Moving what is staged into place. Objects that are there already stay, but for detached metadata and the paths in
/// `replacing`.
struct Move<'a> {
    from: BorrowedFd<'a>,
    to: BorrowedFd<'a>,
    replacing: Option<&'a HashSet<String>>,
    sync: bool,
}

impl Move<'_> {
    /// Moves commits last, when all that they need is there to stay: whoever looks at all commits (fsck, prune) must not
    /// find one without its tree after a crash.
    fn all(&self) -> Result<()> {
        let mut prefixes = Vec::new();
        for entry in
            rustix::fs::Dir::read_from(self.from).at(|| "reading the staging folder".into())?
        {
            let entry = entry.at(|| "reading the staging folder".into())?;
            match entry.file_name().to_str() {
                Ok(name) if name.len() == 2 && name != ".." => prefixes.push(name.to_owned()),
                _ => {}
            }
        }
        let commits = Mutex::new(BTreeMap::new());
        prefixes.par_iter().try_for_each(|prefix| -> Result<()> {
            let (now, later): (Vec<_>, Vec<_>) = self
                .staged(prefix)?
                .into_iter()
                .partition(|name| !name.to_bytes().ends_with(b".commit"));
            self.names(prefix, &now)?;
            if !later.is_empty() {
                let mut commits = commits.lock().expect("no panic while locked");
                commits.insert(prefix.as_str(), later);
            }
            Ok(())
        })?;
        if self.sync {
            sync_object_dirs(self.to)?;
        }
        let commits = commits.into_inner().expect("no panic while locked");
        for (prefix, names) in &commits {
            self.names(prefix, names)?;
            if self.sync {
                sync_dir(self.to, prefix)?;
            }
        }
        if self.sync && !commits.is_empty() {
            rustix::fs::fsync(self.to).at(|| "fsync(objects)".into())?;
        }
        Ok(())
    }

    /// The objects staged under a prefix. Names are collected first: entries that move while they are listed may be
    /// listed twice.
    fn staged(&self, prefix: &str) -> Result<Vec<CString>> {
        let source = match rustix::fs::openat(self.from, prefix, DIR, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOTDIR) => return Ok(Vec::new()),
            Err(e) => return Err(e).at(|| format!("opendir of staged {prefix}")),
        };
        let mut names = Vec::new();
        for entry in
            rustix::fs::Dir::read_from(&source).at(|| format!("reading staged {prefix}"))?
        {
            let entry = entry.at(|| format!("reading staged {prefix}"))?;
            // Temporary names start with a dot, as do the folder's own.
            if !entry.file_name().to_bytes().starts_with(b".") {
                names.push(entry.file_name().to_owned());
            }
        }
        Ok(names)
    }

    fn names(&self, prefix: &str, names: &[CString]) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        let source = rustix::fs::openat(self.from, prefix, DIR, Mode::empty())
            .at(|| format!("opendir of staged {prefix}"))?;
        match rustix::fs::mkdirat(self.to, prefix, Mode::from_raw_mode(0o777)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(e) => return Err(e).at(|| format!("mkdirat(objects/{prefix})")),
        }
        let target = rustix::fs::openat(self.to, prefix, DIR, Mode::empty())
            .at(|| format!("opendir(objects/{prefix})"))?;
        for name in names {
            let replace = name.to_bytes().ends_with(b".commitmeta")
                || self.replacing.is_some_and(|paths| {
                    paths.contains(&format!("{prefix}/{}", name.to_string_lossy()))
                });
            let moved = match replace {
                true => rustix::fs::renameat(&source, name, &target, name),
                false => {
                    rustix::fs::renameat_with(&source, name, &target, name, RenameFlags::NOREPLACE)
                }
            };
            match moved {
                Ok(()) => {}
                Err(Errno::EXIST) => {
                    rustix::fs::unlinkat(&source, name, AtFlags::empty())
                        .at(|| format!("unlinkat of staged {prefix}"))?;
                }
                Err(Errno::INVAL | Errno::NOSYS) if !replace => {
                    // No such flag on this file system: a link never replaces.
                    match rustix::fs::linkat(&source, name, &target, name, AtFlags::empty()) {
                        Ok(()) | Err(Errno::EXIST) => {}
                        Err(e) => return Err(e).at(|| format!("linkat(objects/{prefix})")),
                    }
                    rustix::fs::unlinkat(&source, name, AtFlags::empty())
                        .at(|| format!("unlinkat of staged {prefix}"))?;
                }
                Err(e) => {
                    return Err(e)
                        .at(|| format!("renameat(objects/{prefix}/{})", name.to_string_lossy()));
                }
            }
        }
        Ok(())
    }
}

fn sync_object_dirs(objects: BorrowedFd<'_>) -> Result<()> {
    for entry in rustix::fs::Dir::read_from(objects).at(|| "reading objects".into())? {
        let entry = entry.at(|| "reading objects".into())?;
        let name = entry.file_name();
        if name.to_bytes().len() != 2 || name == c".." {
            continue;
        }
        sync_dir(objects, &name.to_string_lossy())?;
    }
    rustix::fs::fsync(objects).at(|| "fsync(objects)".into())
}

fn sync_dir(objects: BorrowedFd<'_>, prefix: &str) -> Result<()> {
    let fd = match rustix::fs::openat(objects, prefix, DIR, Mode::empty()) {
        Ok(fd) => fd,
        Err(Errno::NOTDIR | Errno::NOENT) => return Ok(()),
        Err(e) => return Err(e).at(|| format!("opendir(objects/{prefix})")),
    };
    rustix::fs::fsync(fd.as_fd()).at(|| format!("fsync(objects/{prefix})"))
}
