//! Refs: names for commits, one small file each under `refs/`.
//!
//! `refs/heads/REF` are the repository's own, `refs/remotes/REMOTE/REF` what a remote last had,
//! `refs/mirrors/COLLECTION/REF` those of another collection. A file holds 64 hex digits and a line feed; a symbolic
//! link in `heads` is an alias.

use crate::error::{Error, IoContext, Result};
use crate::replace_file;
use crate::repo::Repo;
use osier_object::CommitId;
use osier_object::refs::{Refspec, parse_refspec, validate_ref_name};
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd};

/// Where a ref's file lives.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub enum RefKey {
    /// `refs/heads/NAME`.
    Local(String),
    /// `refs/remotes/REMOTE/NAME`.
    Remote(String, String),
    /// `refs/mirrors/COLLECTION/NAME`.
    Mirror(String, String),
}

impl RefKey {
    /// The key a refspec (`[REMOTE:]NAME`) names.
    ///
    /// # Errors
    /// When it is no valid refspec.
    pub fn from_refspec(refspec: &str) -> Result<RefKey> {
        let Refspec { remote, name } =
            parse_refspec(refspec).map_err(|e| Error::InvalidName(e.to_string()))?;
        Ok(match remote {
            Some(remote) => RefKey::Remote(remote, name),
            None => RefKey::Local(name),
        })
    }

    /// Path of its file below the repository.
    pub fn path(&self) -> String {
        match self {
            RefKey::Local(name) => format!("refs/heads/{name}"),
            RefKey::Remote(remote, name) => format!("refs/remotes/{remote}/{name}"),
            RefKey::Mirror(collection, name) => format!("refs/mirrors/{collection}/{name}"),
        }
    }

    /// As shown to people: `NAME` or `REMOTE:NAME`.
    pub fn display(&self) -> String {
        match self {
            RefKey::Local(name) | RefKey::Mirror(_, name) => name.clone(),
            RefKey::Remote(remote, name) => format!("{remote}:{name}"),
        }
    }
}

/// Which refs to list.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct ListRefs {
    /// Leave out `refs/remotes`.
    pub exclude_remotes: bool,
    /// Only aliases.
    pub aliases_only: bool,
}

const DIR: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

impl Repo {
    /// The commit that a ref's file names, not looking anywhere else.
    ///
    /// # Errors
    /// When the file holds something that is no commit checksum.
    pub fn read_ref(&self, key: &RefKey) -> Result<Option<CommitId>> {
        read_ref_at(self.dir(), &key.path())
            .map_err(|e| e.within(format!("reading ref {}", key.display())))
    }

    /// All local and remote refs, as refspec and commit, sorted; the key shows where each lives.
    pub fn list_ref_keys(&self, options: ListRefs) -> Result<BTreeMap<RefKey, CommitId>> {
        // A folder that is gone must not pass for one without refs: a prune would delete what they lead to.
        require_dir(self.dir(), "refs/heads")?;
        if !options.exclude_remotes {
            require_dir(self.dir(), "refs/remotes")?;
        }
        let mut out = BTreeMap::new();
        let want = |alias: bool| !options.aliases_only || alias;
        walk(self.dir(), "refs/heads", "", &mut |name, alias, id| {
            if want(alias) {
                out.insert(RefKey::Local(name.to_owned()), id);
            }
        })?;
        if !options.exclude_remotes {
            for remote in subdirs(self.dir(), "refs/remotes")? {
                walk(
                    self.dir(),
                    &format!("refs/remotes/{remote}"),
                    "",
                    &mut |name, alias, id| {
                        if want(alias) {
                            out.insert(RefKey::Remote(remote.clone(), name.to_owned()), id);
                        }
                    },
                )?;
            }
        }
        Ok(out)
    }

    /// As [`Repo::list_ref_keys`], keyed by refspec text.
    pub fn list_refs(&self, options: ListRefs) -> Result<BTreeMap<String, CommitId>> {
        Ok(self
            .list_ref_keys(options)?
            .into_iter()
            .map(|(k, v)| (k.display(), v))
            .collect())
    }

    /// Refs with the collection they belong to: the repository's own (when it has a collection), mirrors, and those
    /// of remotes that are configured with a collection.
    pub fn list_collection_refs(
        &self,
        mirrors_only: bool,
    ) -> Result<BTreeMap<(String, String), CommitId>> {
        let mut out = BTreeMap::new();
        if !mirrors_only {
            let k = &self.config().keyfile;
            for remote in subdirs(self.dir(), "refs/remotes")? {
                let group = format!("remote \"{remote}\"");
                if let Ok(collection) = k.string(&group, "collection-id") {
                    walk(
                        self.dir(),
                        &format!("refs/remotes/{remote}"),
                        "",
                        &mut |name, _, id| {
                            out.insert((collection.clone(), name.to_owned()), id);
                        },
                    )?;
                }
            }
        }
        for collection in subdirs(self.dir(), "refs/mirrors")? {
            walk(
                self.dir(),
                &format!("refs/mirrors/{collection}"),
                "",
                &mut |name, _, id| {
                    out.insert((collection.clone(), name.to_owned()), id);
                },
            )?;
        }
        if let (false, Some(own)) = (mirrors_only, &self.config().collection_id) {
            walk(self.dir(), "refs/heads", "", &mut |name, _, id| {
                out.insert((own.clone(), name.to_owned()), id);
            })?;
        }
        Ok(out)
    }

    /// The alias targets in `refs/heads`: alias name and the ref it stands for.
    pub fn list_aliases(&self) -> Result<BTreeMap<String, String>> {
        let mut out = BTreeMap::new();
        for (key, _) in self.list_ref_keys(ListRefs {
            exclude_remotes: true,
            aliases_only: true,
        })? {
            let RefKey::Local(name) = key else { continue };
            if let Some(target) = self.alias_target(&name)? {
                out.insert(name, target);
            }
        }
        Ok(out)
    }

    fn alias_target(&self, name: &str) -> Result<Option<String>> {
        let path = format!("refs/heads/{name}");
        match rustix::fs::readlinkat(self.dir(), &path, Vec::new()) {
            Ok(link) => {
                let link = link.to_string_lossy();
                Ok(Some(link.trim_start_matches("../").to_owned()))
            }
            Err(Errno::INVAL | Errno::NOENT) => Ok(None),
            Err(e) => Err(e).at(|| format!("readlinkat({path})")),
        }
    }

    /// Makes `alias` stand for the local ref `target`, which must exist.
    ///
    /// # Errors
    /// On invalid names, a target that is not there, or I/O failure.
    pub fn set_alias(&self, alias: &str, target: &str) -> Result<()> {
        for name in [alias, target] {
            validate_ref_name(name).map_err(|e| Error::InvalidName(e.to_string()))?;
        }
        if self.read_ref(&RefKey::Local(target.to_owned()))?.is_none() {
            return Err(Error::other(format!(
                "Cannot create alias to non-existent ref: {target}"
            )));
        }
        let path = format!("refs/heads/{alias}");
        ensure_parents(self.dir(), &path)?;
        let link = format!("{}{target}", "../".repeat(alias.matches('/').count()));
        let (parent, _) = path.rsplit_once('/').unwrap_or((".", ""));
        let tmp = format!("{parent}/{}", replace_file::temp_name(".tmp"));
        rustix::fs::symlinkat(&link, self.dir(), &tmp).at(|| format!("symlinkat({path})"))?;
        rustix::fs::renameat(self.dir(), &tmp, self.dir(), &path)
            .inspect_err(|_| {
                let _ = rustix::fs::unlinkat(self.dir(), &tmp, AtFlags::empty());
            })
            .at(|| format!("writing ref {alias}"))?;
        self.touch()
    }

    /// Writes (or with `None` deletes) a ref at once. Everything else goes through a transaction.
    pub(crate) fn write_ref(&self, key: &RefKey, value: Option<&CommitId>) -> Result<()> {
        let path = key.path();
        match value {
            Some(id) => {
                ensure_parents(self.dir(), &path).map_err(|e| conflict(self.dir(), e, key))?;
                let text = format!("{id}\n");
                let sync = self.config().fsync;
                let put = || replace_file::replace(self.dir(), &path, text.as_bytes(), 0o644, sync);
                match put() {
                    // An empty folder may stand where the file should: left behind by deleted refs.
                    Err(e) if e.raw_os_error() == Some(Errno::ISDIR.raw_os_error()) => {
                        remove_empty_dirs(self.dir(), &path)
                            .map_err(|e| conflict(self.dir(), e, key))?;
                        put().at(|| format!("writing ref {}", key.display()))?;
                    }
                    other => other.at(|| format!("writing ref {}", key.display()))?,
                }
            }
            None => {
                if let RefKey::Local(name) = key {
                    let aliases = self.list_aliases()?;
                    if let Some((alias, _)) = aliases.iter().find(|(_, target)| *target == name) {
                        return Err(Error::other(format!(
                            "Ref '{name}' has an active alias: '{alias}'"
                        )));
                    }
                }
                match rustix::fs::unlinkat(self.dir(), &path, AtFlags::empty()) {
                    Ok(()) | Err(Errno::NOENT) => {}
                    Err(e) => return Err(e).at(|| format!("unlinkat({path})")),
                }
            }
        }
        self.touch()
    }

    /// Marks the repository as changed, for programs that watch its modification time.
    pub(crate) fn touch(&self) -> Result<()> {
        use rustix::fs::{Timespec, Timestamps, UTIME_NOW};
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_NOW,
        };
        rustix::fs::futimens(
            self.dir(),
            &Timestamps {
                last_access: now,
                last_modification: now,
            },
        )
        .at(|| format!("updating the time of {}", self.path().display()))
    }
}

fn conflict(dir: BorrowedFd<'_>, e: Error, key: &RefKey) -> Error {
    let in_the_way = |code: i32| {
        [Errno::NOTDIR, Errno::NOTEMPTY, Errno::EXIST]
            .iter()
            .any(|e| e.raw_os_error() == code)
    };
    match &e {
        Error::Io { source, .. } if source.raw_os_error().is_some_and(in_the_way) => {
            // Name the first ref below, or, when it is a ref that stands above, that one's end.
            let mut below = Vec::new();
            let _ = walk(dir, &key.path(), "", &mut |name, _, _| {
                below.push(name.to_owned())
            });
            below.sort();
            let what = below
                .into_iter()
                .next()
                .unwrap_or_else(|| "another ref".into());
            Error::other(format!(
                "Conflict: {what} exists under {} when attempting write",
                key.display()
            ))
        }
        _ => e,
    }
}

fn read_ref_at(dir: BorrowedFd<'_>, path: &str) -> Result<Option<CommitId>> {
    let fd = match rustix::fs::openat(
        dir,
        path,
        OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK,
        Mode::empty(),
    ) {
        Ok(fd) => fd,
        // A ref that stands where a folder should be is an error, early: the new one could not be written either.
        Err(Errno::NOENT) => return Ok(None),
        Err(e) => return Err(e).at(|| format!("openat({path})")),
    };
    let mut text = Vec::new();
    match std::fs::File::from(fd).take(4096).read_to_end(&mut text) {
        Ok(_) => {}
        Err(e) if e.raw_os_error() == Some(Errno::ISDIR.raw_os_error()) => return Ok(None),
        Err(e) => return Err(e).at(|| format!("reading {path}")),
    }
    let text = String::from_utf8_lossy(&text);
    let text = text.trim_end();
    match text.parse::<CommitId>() {
        Ok(id) => Ok(Some(id)),
        Err(_) => Err(Error::other(format!("Invalid rev {text}"))),
    }
}

/// Calls `each` with name, whether it is an alias, and commit of every ref below `path`.
fn walk(
    dir: BorrowedFd<'_>,
    path: &str,
    prefix: &str,
    each: &mut dyn FnMut(&str, bool, CommitId),
) -> Result<()> {
    let fd = match rustix::fs::openat(dir, path, DIR | OFlags::NOFOLLOW, Mode::empty()) {
        Ok(fd) => fd,
        Err(Errno::NOENT) => return Ok(()),
        Err(e) => return Err(e).at(|| format!("opendir({path})")),
    };
    for entry in rustix::fs::Dir::read_from(&fd).at(|| format!("reading {path}"))? {
        let entry = entry.at(|| format!("reading {path}"))?;
        let Ok(name) = entry.file_name().to_str() else {
            continue;
        };
        if name == "." || name == ".." {
            continue;
        }
        let full = if prefix.is_empty() {
            name.to_owned()
        } else {
            format!("{prefix}/{name}")
        };
        let mut kind = entry.file_type();
        if kind == FileType::Unknown {
            let st = rustix::fs::statat(&fd, name, AtFlags::SYMLINK_NOFOLLOW)
                .at(|| format!("stat {path}/{name}"))?;
            kind = FileType::from_raw_mode(st.st_mode);
        }
        match kind {
            FileType::Directory => walk(dir, &format!("{path}/{name}"), &full, each)?,
            FileType::RegularFile | FileType::Symlink if validate_ref_name(&full).is_ok() => {
                if let Some(id) = read_ref_at(fd.as_fd(), name)
                    .map_err(|e| e.within(format!("reading ref {full}")))?
                {
                    each(&full, kind == FileType::Symlink, id);
                }
            }
            // Other files (a mirror script's, say) are none of ours.
            _ => {}
        }
    }
    Ok(())
}

fn require_dir(dir: BorrowedFd<'_>, path: &str) -> Result<()> {
    rustix::fs::openat(dir, path, DIR | OFlags::NOFOLLOW, Mode::empty())
        .at(|| format!("Listing refs: opendir({path})"))?;
    Ok(())
}

fn subdirs(dir: BorrowedFd<'_>, path: &str) -> Result<Vec<String>> {
    let fd = match rustix::fs::openat(dir, path, DIR | OFlags::NOFOLLOW, Mode::empty()) {
        Ok(fd) => fd,
        Err(Errno::NOENT) => return Ok(Vec::new()),
        Err(e) => return Err(e).at(|| format!("opendir({path})")),
    };
    let mut out = Vec::new();
    for entry in rustix::fs::Dir::read_from(&fd).at(|| format!("reading {path}"))? {
        let entry = entry.at(|| format!("reading {path}"))?;
        let Ok(name) = entry.file_name().to_str() else {
            continue;
        };
        if name == "." || name == ".." {
            continue;
        }
        let st = rustix::fs::statat(&fd, name, AtFlags::SYMLINK_NOFOLLOW)
            .at(|| format!("stat {path}/{name}"))?;
        if FileType::from_raw_mode(st.st_mode) == FileType::Directory {
            out.push(name.to_owned());
        }
    }
    out.sort();
    Ok(out)
}

fn ensure_parents(dir: BorrowedFd<'_>, path: &str) -> Result<()> {
    for (i, _) in path.match_indices('/') {
        let parent = &path[..i];
        match rustix::fs::mkdirat(dir, parent, Mode::from_raw_mode(0o777)) {
            Ok(()) => {}
            Err(Errno::EXIST) => {
                let st = rustix::fs::statat(dir, parent, AtFlags::SYMLINK_NOFOLLOW)
                    .at(|| format!("stat {parent}"))?;
                if FileType::from_raw_mode(st.st_mode) != FileType::Directory {
                    return Err(Errno::NOTDIR).at(|| format!("mkdirat({parent})"));
                }
            }
            Err(e) => return Err(e).at(|| format!("mkdirat({parent})")),
        }
    }
    Ok(())
}

fn remove_empty_dirs(dir: BorrowedFd<'_>, path: &str) -> Result<()> {
    for child in subdirs(dir, path)? {
        remove_empty_dirs(dir, &format!("{path}/{child}"))?;
    }
    rustix::fs::unlinkat(dir, path, AtFlags::REMOVEDIR).at(|| format!("rmdir({path})"))
}
