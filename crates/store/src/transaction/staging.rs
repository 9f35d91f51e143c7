//! The folder objects wait in until the transaction is committed.

use crate::error::{Error, IoContext, Result};
use crate::replace_file::temp_name;
use crate::repo::Repo;
use osier_sys::lock::{LockFile, LockKind};
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A staging folder and the lock that says it is in use.
#[derive(Debug)]
pub(super) struct Staging {
    name: String,
    dir: OwnedFd,
    lock: LockFile,
}

const DIR: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOFOLLOW);

/// How often a new folder may be snatched away before it is locked.
const ATTEMPTS: u32 = 100;

impl Staging {
    /// Takes over an idle staging folder of this boot, or makes a new one.
    pub(super) fn acquire(repo: &Repo) -> Result<Staging> {
        for _ in 0..ATTEMPTS {
            if let Some(idle) = Staging::take_idle(repo)? {
                return Ok(idle);
            }
            if let Some(staging) = Staging::try_create(repo)? {
                return Ok(staging);
            }
        }
        Err(busy(repo))
    }

    /// Makes a new staging folder, whatever idle ones there are.
    pub(super) fn create(repo: &Repo) -> Result<Staging> {
        for _ in 0..ATTEMPTS {
            if let Some(staging) = Staging::try_create(repo)? {
                return Ok(staging);
            }
        }
        Err(busy(repo))
    }

    fn try_create(repo: &Repo) -> Result<Option<Staging>> {
        let name = temp_name(&format!("staging-{}", repo.boot_id()));
        let tmp = open_tmp(repo)?;
        // The folder first: one without a lock is taken over by the next, a lock without a folder by nobody.
        rustix::fs::mkdirat(&tmp, &name, Mode::from_raw_mode(0o775))
            .at(|| format!("mkdirat(tmp/{name})"))?;
        // Whoever was faster may have it.
        Staging::lock_existing(tmp.as_fd(), &name)
    }

    /// Takes over a staging folder that an interrupted transaction of this boot left.
    pub(super) fn take_idle(repo: &Repo) -> Result<Option<Staging>> {
        let prefix = format!("staging-{}-", repo.boot_id());
        let tmp = open_tmp(repo)?;
        for entry in rustix::fs::Dir::read_from(&tmp).at(|| "reading tmp".into())? {
            let entry = entry.at(|| "reading tmp".into())?;
            let Ok(name) = entry.file_name().to_str() else {
                continue;
            };
            if !name.starts_with(&prefix) || name.ends_with("-lock") {
                continue;
            }
            if let Some(staging) = Staging::lock_existing(tmp.as_fd(), name)? {
                staging.drop_commits(repo)?;
                return Ok(Some(staging));
            }
        }
        Ok(None)
    }

    /// Deletes the commits that an interrupted transaction staged, unless they are marked as partial. What they need
    /// may have been found in the repository then, and been pruned since: published, they would not be whole.
    fn drop_commits(&self, repo: &Repo) -> Result<()> {
        let listing = || format!("reading tmp/{}", self.name);
        for prefix in rustix::fs::Dir::read_from(&self.dir).at(listing)? {
            let prefix = prefix.at(listing)?;
            let prefix = prefix.file_name().to_string_lossy().into_owned();
            if prefix.len() != 2 || prefix == ".." {
                continue;
            }
            let Ok(dir) = rustix::fs::openat(&self.dir, &prefix, DIR, Mode::empty()) else {
                continue;
            };
            for entry in rustix::fs::Dir::read_from(&dir).at(listing)? {
                let entry = entry.at(listing)?;
                let name = entry.file_name().to_string_lossy();
                let Some((rest, "commit" | "commitmeta")) = name.rsplit_once('.') else {
                    continue;
                };
                let mark = format!("state/{prefix}{rest}.commitpartial");
                let marked = rustix::fs::statat(repo.dir(), &mark, AtFlags::SYMLINK_NOFOLLOW);
                if marked.is_err() {
                    rustix::fs::unlinkat(&dir, entry.file_name(), AtFlags::empty())
                        .at(|| format!("unlinkat(tmp/{}/{prefix}/{name})", self.name))?;
                }
            }
        }
        Ok(())
    }

    fn lock_existing(tmp: BorrowedFd<'_>, name: &str) -> Result<Option<Staging>> {
        let dir = match rustix::fs::openat(tmp, name, DIR, Mode::empty()) {
            Ok(dir) => dir,
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::ACCESS) => return Ok(None),
            Err(e) => return Err(e).at(|| format!("opendir(tmp/{name})")),
        };
        let lock = lock_of(tmp, name)?;
        let lock_name = format!("{name}-lock");
        if !lock
            .try_lock(LockKind::Exclusive)
            .at(|| format!("locking tmp/{lock_name}"))?
            || !lock
                .is_at(tmp, &lock_name)
                .at(|| format!("stat tmp/{lock_name}"))?
        {
            return Ok(None);
        }
        // Its owner may have finished and removed it between the two calls.
        let still_there = match (
            rustix::fs::statat(tmp, name, AtFlags::SYMLINK_NOFOLLOW),
            rustix::fs::fstat(&dir),
        ) {
            (Ok(a), Ok(b)) => (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino),
            _ => false,
        };
        if !still_there {
            let _ = rustix::fs::unlinkat(tmp, &lock_name, AtFlags::empty());
            return Ok(None);
        }
        Ok(Some(Staging {
            name: name.to_owned(),
            dir,
            lock,
        }))
    }

    /// The folder.
    pub(super) fn dir(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }

    /// Deletes the folder with whatever is left in it, then its lock.
    pub(super) fn remove(self, repo: &Repo) -> Result<()> {
        let Staging { name, dir, lock } = self;
        drop(dir);
        let tmp = open_tmp(repo)?;
        crate::remove_tree::remove_all(tmp.as_fd(), &name).at(|| format!("removing tmp/{name}"))?;
        let lock_name = format!("{name}-lock");
        match rustix::fs::unlinkat(&tmp, &lock_name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(e) => return Err(e).at(|| format!("unlinkat(tmp/{lock_name})")),
        }
        drop(lock);
        Ok(())
    }

    /// Leaves the folder for the next transaction, removing the lock file only.
    pub(super) fn leave(&self, repo: &Repo) {
        let _ = rustix::fs::unlinkat(
            repo.dir(),
            format!("tmp/{}-lock", self.name),
            AtFlags::empty(),
        );
    }
}

fn busy(repo: &Repo) -> Error {
    Error::Io {
        action: format!("locking a staging folder in {}/tmp", repo.path().display()),
        source: Errno::BUSY.into(),
    }
}

fn open_tmp(repo: &Repo) -> Result<OwnedFd> {
    rustix::fs::openat(repo.dir(), "tmp", DIR, Mode::empty()).at(|| "opendir(tmp)".into())
}

fn lock_of(tmp: BorrowedFd<'_>, name: &str) -> Result<LockFile> {
    LockFile::open_at(tmp, &format!("{name}-lock"), 0o600).at(|| format!("opening tmp/{name}-lock"))
}

/// Deletes what earlier runs left in `tmp`: staging folders of other boots at once, anything else once it is older
/// than `core.tmp-expiry-secs`. Entries dated in the future stay.
pub(super) fn clean_tmp(repo: &Repo) -> Result<()> {
    let tmp = open_tmp(repo)?;
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let own_prefix = format!("staging-{}-", repo.boot_id());
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::read_from(&tmp).at(|| "reading tmp".into())? {
        let entry = entry.at(|| "reading tmp".into())?;
        if let Ok(name) = entry.file_name().to_str()
            && !matches!(name, "." | ".." | "cache")
        {
            names.push(name.to_owned());
        }
    }
    for name in names {
        let Ok(st) = rustix::fs::statat(&tmp, &name, AtFlags::SYMLINK_NOFOLLOW) else {
            continue;
        };
        if name.starts_with("staging-") {
            if let Some(folder) = name.strip_suffix("-lock") {
                remove_lone_lock(tmp.as_fd(), &name, folder)?;
                continue;
            }
            if name.starts_with(&own_prefix) {
                continue;
            }
            let lock = lock_of(tmp.as_fd(), &name)?;
            if lock
                .try_lock(LockKind::Exclusive)
                .at(|| format!("locking tmp/{name}-lock"))?
            {
                crate::remove_tree::remove_all(tmp.as_fd(), &name)
                    .at(|| format!("removing tmp/{name}"))?;
                let _ = rustix::fs::unlinkat(&tmp, format!("{name}-lock"), AtFlags::empty());
            }
            continue;
        }
        let age = now.checked_sub(st.st_mtime as u64);
        if age.is_some_and(|age| age > repo.config().tmp_expiry_secs) {
            crate::remove_tree::remove_all(tmp.as_fd(), &name)
                .at(|| format!("removing tmp/{name}"))?;
        }
    }
    Ok(())
}

/// A transaction killed while it ended may have left the lock of a folder that is gone.
fn remove_lone_lock(tmp: BorrowedFd<'_>, name: &str, folder: &str) -> Result<()> {
    if rustix::fs::statat(tmp, folder, AtFlags::SYMLINK_NOFOLLOW).is_ok() {
        return Ok(());
    }
    let lock = lock_of(tmp, folder)?;
    if lock
        .try_lock(LockKind::Exclusive)
        .at(|| format!("locking tmp/{name}"))?
        && rustix::fs::statat(tmp, folder, AtFlags::SYMLINK_NOFOLLOW).is_err()
    {
        let _ = rustix::fs::unlinkat(tmp, name, AtFlags::empty());
    }
    Ok(())
}
