//! The cache of unpacked files of an archive repository, which user checkouts are linked to.

use crate::content::Content;
use crate::error::{IoContext, Result};
use crate::repo::Repo;
use osier_object::ContentId;
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use std::os::fd::{AsFd, OwnedFd};

const DIR: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);
const NAME: &str = "uncompressed-objects-cache";

/// The cache's folder, made when it is not there.
#[derive(Debug)]
pub(super) struct UncompressedCache {
    dir: OwnedFd,
}

impl UncompressedCache {
    /// `None` where the repository has none and cannot get one.
    pub(super) fn open(repo: &Repo) -> Result<Option<UncompressedCache>> {
        if !repo.config().enable_uncompressed_cache || !repo.is_writable() {
            return Ok(None);
        }
        match rustix::fs::mkdirat(repo.dir(), NAME, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(e) => return Err(e).at(|| format!("mkdirat({NAME})")),
        }
        let dir = rustix::fs::openat(repo.dir(), NAME, DIR, Mode::empty())
            .at(|| format!("opendir({NAME})"))?;
        Ok(Some(UncompressedCache { dir }))
    }

    pub(super) fn dir(&self) -> std::os::fd::BorrowedFd<'_> {
        self.dir.as_fd()
    }

    /// Path of a file in the cache.
    pub(super) fn path(id: &ContentId) -> String {
        osier_object::ObjectName {
            checksum: id.0,
            ty: osier_object::ObjectType::File,
        }
        .loose_path(false)
    }

    pub(super) fn has(&self, path: &str) -> Result<bool> {
        crate::read::exists(self.dir(), path)
    }

    /// Unpacks a file into the cache.
    pub(super) fn add(&self, path: &str, content: Content) -> Result<()> {
        match rustix::fs::mkdirat(&self.dir, &path[..2], Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(e) => return Err(e).at(|| format!("mkdirat({NAME}/{})", &path[..2])),
        }
        let tmp = format!("{}/{}", &path[..2], crate::replace_file::temp_name(".tmp"));
        // As a plain copy has it: whoever makes the checkout must be able to read it.
        let mode = (content.header.mode & 0o1777) | 0o400;
        super::place::write_new(self.dir(), tmp.as_str(), content, mode, None, false)?;
        rustix::fs::renameat(&self.dir, &tmp, &self.dir, path)
            .at(|| format!("renameat({NAME}/{path})"))
    }
}

/// Device, inode and checksum of every cached file.
pub(crate) fn entries(repo: &Repo) -> Result<Vec<((u64, u64), ContentId)>> {
    let mut out = Vec::new();
    let cache = match rustix::fs::openat(repo.dir(), NAME, DIR, Mode::empty()) {
        Ok(fd) => fd,
        Err(Errno::NOENT) => return Ok(out),
        Err(e) => return Err(e).at(|| format!("opendir({NAME})")),
    };
    for n in 0..256u32 {
        let prefix = format!("{n:02x}");
        let Ok(dir) = rustix::fs::openat(&cache, &prefix, DIR, Mode::empty()) else {
            continue;
        };
        for entry in rustix::fs::Dir::read_from(&dir).at(|| format!("reading {NAME}/{prefix}"))? {
            let entry = entry.at(|| format!("reading {NAME}/{prefix}"))?;
            let Ok(name) = entry.file_name().to_str() else {
                continue;
            };
            let Some((object, _)) = osier_object::ObjectName::from_loose(&prefix, name) else {
                continue;
            };
            let st = rustix::fs::statat(&dir, name, AtFlags::SYMLINK_NOFOLLOW)
                .at(|| format!("stat {NAME}/{prefix}/{name}"))?;
            out.push(((st.st_dev, st.st_ino), ContentId(object.checksum)));
        }
    }
    Ok(out)
}
