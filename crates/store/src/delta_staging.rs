//! The folder a new delta waits in until it is whole.
//!
//! It lies in `tmp/` and takes its place among the deltas as a whole, by one rename: whoever reads sees the delta that
//! was there, if any, or the new one, never half of it nor parts of both. A run that is killed leaves it in `tmp/`, where
//! the next one that makes a delta or prunes finds that nobody holds it.

use crate::error::{IoContext, Result};
use crate::remove_tree::remove_all;
use crate::replace_file::temp_name;
use crate::repo::Repo;
use crate::static_deltas::DeltaName;
use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What the folders' names begin with. The C tool, too, removes what has grown old in `tmp/`.
const PREFIX: &str = "delta-";
/// Makes a delta one: the last to appear.
const SUPERBLOCK: &std::ffi::CStr = c"superblock";

const DIR: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOFOLLOW);

/// A folder for the files of one delta; gone again unless it is published.
#[derive(Debug)]
pub struct DeltaStaging<'r> {
    repo: &'r Repo,
    tmp: OwnedFd,
    name: String,
    /// Locked for as long as it is open.
    dir: OwnedFd,
}

impl Repo {
    /// A folder for a new delta.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn stage_delta(&self) -> Result<DeltaStaging<'_>> {
        let tmp = open_tmp(self)?;
        loop {
            let name = temp_name("delta");
            let at = || format!("mkdirat(tmp/{name})");
            rustix::fs::mkdirat(&tmp, &name, Mode::from_raw_mode(0o777)).at(at)?;
            let dir = match rustix::fs::openat(&tmp, &name, DIR, Mode::empty()) {
                // Whoever removes what killed runs left was faster than the lock.
                Err(Errno::NOENT) => continue,
                other => other.at(at)?,
            };
            // Where there are no locks nothing is removed before it has grown old.
            let locked = rustix::fs::flock(&dir, FlockOperation::NonBlockingLockExclusive);
            let there = rustix::fs::statat(&tmp, &name, AtFlags::SYMLINK_NOFOLLOW).is_ok();
            if locked != Err(Errno::WOULDBLOCK) && there {
                return Ok(DeltaStaging {
                    repo: self,
                    tmp,
                    name,
                    dir,
                });
            }
        }
    }

    /// Removes what runs that were killed left of their deltas.
    ///
    /// # Errors
    /// When something of it cannot be removed.
    pub fn remove_stale_deltas(&self) -> Result<()> {
        let tmp = open_tmp(self)?;
        for entry in rustix::fs::Dir::read_from(&tmp).at(|| "reading tmp".into())? {
            let entry = entry.at(|| "reading tmp".into())?;
            let name = entry.file_name();
            if !name.to_bytes().starts_with(PREFIX.as_bytes()) {
                continue;
            }
            let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
            // Somebody else may be removing it.
            let Ok(held) = rustix::fs::openat(&tmp, name, flags, Mode::empty()) else {
                continue;
            };
            if rustix::fs::flock(&held, FlockOperation::NonBlockingLockExclusive).is_ok() {
                remove_all(tmp.as_fd(), name)
                    .at(|| format!("removing tmp/{}", name.to_string_lossy()))?;
            }
        }
        Ok(())
    }
}

impl DeltaStaging<'_> {
    /// Where the delta's files are to be put.
    #[must_use]
    pub fn dir(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }

    /// Gives the folder its place, instead of what is there.
    ///
    /// # Errors
    /// When that fails. What was there is there still then.
    pub fn publish(self, name: &DeltaName) -> Result<()> {
        let path = name.path();
        let sync = self.repo.config().fsync;
        if sync {
            rustix::fs::fsync(&self.dir).at(|| format!("fsync of tmp/{}", self.name))?;
        }
        let parent = path.rsplit_once('/').map_or("deltas", |(parent, _)| parent);
        for dir in ["deltas", parent] {
            match rustix::fs::mkdirat(self.repo.dir(), dir, Mode::from_raw_mode(0o777)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(e) => return Err(e).at(|| format!("mkdirat({dir})")),
            }
        }
        let at = || format!("renameat({path})");
        let repo = self.repo.dir();
        // An empty folder is replaced by this.
        match rustix::fs::renameat(&self.tmp, &self.name, repo, &path) {
            Ok(()) => {}
            Err(Errno::EXIST | Errno::NOTEMPTY | Errno::NOTDIR) => {
                // The old one is in `tmp` then, and goes with this.
                let swap = RenameFlags::EXCHANGE;
                match rustix::fs::renameat_with(&self.tmp, &self.name, repo, &path, swap) {
                    Ok(()) => {}
                    Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                        self.publish_in_place(&path)?;
                    }
                    Err(e) => return Err(e).at(at),
                }
            }
            Err(e) => return Err(e).at(at),
        }
        if sync {
            let dir = rustix::fs::openat(repo, parent, DIR, Mode::empty());
            dir.and_then(rustix::fs::fsync)
                .at(|| format!("fsync of {parent}"))?;
        }
        Ok(())
    }

    /// File by file, where folders cannot change places: parts, the superblock, then what the old one had more. A reader
    /// in between finds parts that do not fit its superblock, and says so.
    fn publish_in_place(&self, path: &str) -> Result<()> {
        let at = || format!("renameat({path})");
        let target = rustix::fs::openat(self.repo.dir(), path, DIR, Mode::empty()).at(at)?;
        let mut files = names(&self.dir).at(at)?;
        files.sort_by_key(|file| file.as_c_str() == SUPERBLOCK);
        for file in &files {
            rustix::fs::renameat(&self.dir, file, &target, file).at(at)?;
        }
        for old in names(&target).at(at)? {
            if !files.contains(&old) {
                remove_all(target.as_fd(), old.as_c_str())
                    .at(|| format!("removing {path}/{}", old.to_string_lossy()))?;
            }
        }
        if self.repo.config().fsync {
            rustix::fs::fsync(&target).at(|| format!("fsync of {path}"))?;
        }
        Ok(())
    }
}

impl Drop for DeltaStaging<'_> {
    fn drop(&mut self) {
        // The next run removes what cannot be removed now.
        let _ = remove_all(self.tmp.as_fd(), self.name.as_str());
    }
}

fn names(dir: &OwnedFd) -> rustix::io::Result<Vec<CString>> {
    let mut out = Vec::new();
    for entry in rustix::fs::Dir::read_from(dir)? {
        let entry = entry?;
        if entry.file_name() != c"." && entry.file_name() != c".." {
            out.push(entry.file_name().to_owned());
        }
    }
    Ok(out)
}

fn open_tmp(repo: &Repo) -> Result<OwnedFd> {
    rustix::fs::openat(repo.dir(), "tmp", DIR, Mode::empty()).at(|| "opendir(tmp)".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mode::RepoMode;
    use crate::repo::CreateOptions;
    use osier_object::{CommitId, hash};
    use std::fs;
    use std::path::Path;

    fn repo(dir: &Path) -> Repo {
        let options = CreateOptions {
            mode: RepoMode::Archive,
            collection_id: None,
        };
        Repo::create(&dir.join("repo"), &options).unwrap()
    }

    fn fill(staging: &DeltaStaging<'_>, files: &[&str]) {
        for file in files {
            let flags = OFlags::CREATE | OFlags::WRONLY;
            rustix::fs::openat(staging.dir(), *file, flags, Mode::from_raw_mode(0o644)).unwrap();
        }
    }

    fn listed(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_delta_appears_whole_and_takes_the_place_of_an_old_one() {
        let dir = tempfile::tempdir().unwrap();
        let repo = repo(dir.path());
        let name = DeltaName {
            from: None,
            to: CommitId(hash(b"to")),
        };
        let path = repo.path().join(name.path());
        for files in [
            ["0", "1", "2", "superblock"].as_slice(),
            &["0", "superblock"],
        ] {
            let staging = repo.stage_delta().unwrap();
            fill(&staging, files);
            staging.publish(&name).unwrap();
            assert_eq!(listed(&path), files);
            assert!(
                listed(&repo.path().join("tmp"))
                    .iter()
                    .all(|n| n == "cache")
            );
        }
        // Where folders cannot be exchanged.
        fs::write(path.join("7"), "stale").unwrap();
        let staging = repo.stage_delta().unwrap();
        fill(&staging, &["0", "1", "superblock"]);
        staging.publish_in_place(&name.path()).unwrap();
        assert_eq!(listed(&path), ["0", "1", "superblock"]);
    }

    #[test]
    fn what_a_killed_run_left_goes_and_what_is_in_use_stays() {
        let dir = tempfile::tempdir().unwrap();
        let repo = repo(dir.path());
        let tmp = repo.path().join("tmp");
        fs::create_dir(tmp.join("delta-killed")).unwrap();
        fs::write(tmp.join("delta-killed/0"), "").unwrap();
        fs::write(tmp.join("delta-part-1-0"), "").unwrap();
        let used = repo.stage_delta().unwrap();
        repo.remove_stale_deltas().unwrap();
        assert!(!tmp.join("delta-killed").exists());
        assert!(!tmp.join("delta-part-1-0").exists());
        assert!(tmp.join(&used.name).exists());
        drop(used);
        assert!(listed(&tmp).iter().all(|n| !n.starts_with("delta-")));
    }

    #[test]
    fn not_published_is_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let repo = repo(dir.path());
        let staging = repo.stage_delta().unwrap();
        fill(&staging, &["0", "superblock"]);
        drop(staging);
        assert!(repo.list_static_deltas().unwrap().is_empty());
        assert!(!repo.path().join("deltas").exists());
    }
}
