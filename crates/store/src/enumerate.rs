//! Listing what is stored, folder by folder on all threads.

use crate::error::{IoContext, Result};
use crate::parallel;
use crate::repo::Repo;
use osier_object::{CommitId, ObjectName, ObjectType};
use rayon::prelude::*;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The 256 folders below `objects/`.
pub(crate) fn prefixes() -> impl Iterator<Item = String> {
    (0..=255u8).map(|n| format!("{n:02x}"))
}

/// Opens one of the folders; `None` when it is not there.
pub(crate) fn open_prefix(objects: BorrowedFd<'_>, prefix: &str) -> Result<Option<OwnedFd>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    match rustix::fs::openat(objects, prefix, flags, Mode::empty()) {
        Ok(fd) => Ok(Some(fd)),
        Err(Errno::NOENT) => Ok(None),
        Err(e) => Err(e).at(|| format!("opendir(objects/{prefix})")),
    }
}

/// The objects in an opened folder, as the repository's mode stores them.
pub(crate) fn list_prefix(repo: &Repo, fd: &OwnedFd, prefix: &str) -> Result<Vec<ObjectName>> {
    let mut out = Vec::new();
    for entry in
        rustix::fs::Dir::read_from(fd.as_fd()).at(|| format!("reading objects/{prefix}"))?
    {
        let entry = entry.at(|| format!("reading objects/{prefix}"))?;
        let Ok(name) = entry.file_name().to_str() else {
            continue;
        };
        if let Some((object, archive)) = ObjectName::from_loose(prefix, name)
            && (object.ty.is_metadata() || archive == repo.mode().is_archive())
        {
            out.push(object);
        }
    }
    Ok(out)
}

impl Repo {
    /// Every commit stored here (the parent repository not included), sorted.
    pub fn list_commits(&self) -> Result<Vec<CommitId>> {
        let found: Vec<Vec<CommitId>> = parallel::run(|| {
            prefixes()
                .collect::<Vec<_>>()
                .par_iter()
                .map(|prefix| {
                    let Some(fd) = open_prefix(self.objects_dir(), prefix)? else {
                        return Ok(Vec::new());
                    };
                    Ok(list_prefix(self, &fd, prefix)?
                        .into_iter()
                        .filter(|name| name.ty == ObjectType::Commit)
                        .map(|name| CommitId(name.checksum))
                        .collect())
                })
                .collect::<Result<_>>()
        })?;
        let mut commits: Vec<CommitId> = found.into_iter().flatten().collect();
        commits.sort_unstable();
        Ok(commits)
    }
}
