//! From what is wanted to an opened file or a few bytes. Blocking: for threads that may wait for a disk.
//!
//! Files of a repository that is no archive are served in the form an archive has them. Their names stay the same, and the names
//! are all that clients check, so that nobody can tell the difference but by the time it takes.

use crate::conditions::{Version, whole_seconds};
use crate::config;
use crate::wanted::Wanted;
use osier_keyfile::KeyFile;
use osier_object::refs::validate_ref_name;
use osier_object::{CommitId, ContentId, ObjectType, hash};
use osier_store::archive_form::write_archive_form;
use osier_store::{ReadObjects, RefKey, Repo, RepoMode, WHOLE_FILE_MAX};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Files up to this size are read at once, with the call that opens them.
const SMALL: u64 = 64 * 1024;

/// More than a configuration or a ref ever has.
const LIMIT: u64 = 1024 * 1024;

/// An alias that leads to an alias, and so on, ends somewhere.
const MOST_ALIASES: usize = 8;

/// What an answer is made of.
pub(crate) struct Found {
    pub(crate) version: Version,
    pub(crate) size: u64,
    pub(crate) content: Content,
}

/// The bytes, or where they come from.
pub(crate) enum Content {
    Bytes(Vec<u8>),
    File(File),
    /// An object that is too large to be made before it is sent; how large it will be is not known.
    Made(ContentId),
}

/// Why there is nothing to answer with.
#[derive(Debug)]
pub(crate) enum NotFound {
    /// It does not exist, as far as a client can tell.
    Missing,
    /// It does, and this process may not read it.
    Forbidden,
    /// Reading failed.
    Failed(io::Error),
}

impl From<Errno> for NotFound {
    fn from(e: Errno) -> NotFound {
        match e {
            Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::XDEV | Errno::NAMETOOLONG => {
                NotFound::Missing
            }
            Errno::ACCESS | Errno::PERM => NotFound::Forbidden,
            e => NotFound::Failed(e.into()),
        }
    }
}

impl From<io::Error> for NotFound {
    fn from(e: io::Error) -> NotFound {
        match e.raw_os_error().map(Errno::from_raw_os_error) {
            Some(errno) => errno.into(),
            None => NotFound::Failed(e),
        }
    }
}

/// Looks up what a request wants.
pub(crate) fn find(repo: &Repo, wanted: &Wanted) -> Result<Found, NotFound> {
    match wanted {
        Wanted::Object(name) if is_made(repo, wanted) => {
            made(repo, &ContentId(name.checksum)).map_err(of_store)
        }
        Wanted::Config => served_config(repo),
        Wanted::Summary => whole_file(repo.dir(), "summary"),
        Wanted::SummarySignature => whole_file(repo.dir(), "summary.sig"),
        Wanted::Ref(key) => served_ref(repo, key),
        // The folder may lie elsewhere; the repository was opened with it.
        Wanted::Object(name) => whole_file(repo.objects_dir(), &name.loose_path(true)),
        Wanted::Delta(path) => whole_file(repo.dir(), path),
    }
}

/// Whether it takes work to answer.
pub(crate) fn is_made(repo: &Repo, wanted: &Wanted) -> bool {
    matches!(wanted, Wanted::Object(name) if name.ty == ObjectType::File)
        && !repo.mode().is_archive()
}

fn made(repo: &Repo, id: &ContentId) -> Result<Found, osier_store::Error> {
    // What only the parent repository has is not served, as an archive would not.
    let path = id.object_name().loose_path(false);
    let own = rustix::fs::statat(repo.objects_dir(), &path, AtFlags::SYMLINK_NOFOLLOW);
    if own.is_err() {
        return Err(osier_store::Error::MissingObject(id.object_name()));
    }
    let (_, size) = repo.content_header(id, false)?;
    let content = match size <= WHOLE_FILE_MAX {
        true => {
            let mut bytes = Vec::new();
            write_archive_form(repo, id, &mut bytes)?;
            Content::Bytes(bytes)
        }
        false => Content::Made(*id),
    };
    let size = match &content {
        Content::Bytes(bytes) => bytes.len() as u64,
        _ => 0,
    };
    Ok(Found {
        version: Version {
            // The same program makes the same bytes of it.
            etag: format!(
                "\"{}-{}-{}\"",
                &id.to_hex()[..32],
                repo.config().zlib_level,
                env!("CARGO_PKG_VERSION")
            ),
            modified: whole_seconds(0),
        },
        size,
        content,
    })
}

fn of_store(e: osier_store::Error) -> NotFound {
    match e {
        osier_store::Error::MissingObject(_) => NotFound::Missing,
        osier_store::Error::Io { source, .. } => source.into(),
        e => NotFound::Failed(io::Error::other(e.to_string())),
    }
}

fn whole_file(dir: BorrowedFd<'_>, path: &str) -> Result<Found, NotFound> {
    let (file, stat) = open_regular(dir, path)?;
    let size = u64::try_from(stat.st_size).unwrap_or(0);
    let content = match size <= SMALL {
        true => Content::Bytes(read_exactly(file, size)?),
        false => Content::File(file),
    };
    Ok(Found {
        version: Version {
            etag: format!(
                "\"{:x}-{:x}-{:x}{:08x}\"",
                stat.st_ino, size, stat.st_mtime, stat.st_mtime_nsec
            ),
            modified: whole_seconds(stat.st_mtime),
        },
        size,
        content,
    })
}

/// The file as long as it was a moment ago: its length is in the answer's head.
fn read_exactly(mut file: File, size: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Read anew each time: `summary --update` may have changed it since the repository was opened.
fn served_config(repo: &Repo) -> Result<Found, NotFound> {
    let (file, stat) = open_regular(repo.dir(), "config")?;
    let mut bytes = Vec::new();
    file.take(LIMIT).read_to_end(&mut bytes)?;
    let keys = KeyFile::parse(&bytes).map_err(io::Error::other)?;
    let mode = keys
        .string("core", "mode")
        .unwrap_or_else(|_| "bare".into());
    if mode.parse::<RepoMode>().ok() != Some(repo.mode()) {
        return Err(NotFound::Failed(io::Error::other("its mode has changed")));
    }
    Ok(generated(config::shown(&keys), stat.st_mtime))
}

/// A ref's file holds a checksum, or it is none: what a link in its place leads to is nobody's business.
fn served_ref(repo: &Repo, key: &RefKey) -> Result<Found, NotFound> {
    let mut key = key.clone();
    for _ in 0..MOST_ALIASES {
        let path = key.path();
        match open_regular(repo.dir(), &path) {
            Ok((file, stat)) => {
                let mut text = String::new();
                file.take(LIMIT).read_to_string(&mut text)?;
                let id: CommitId = text.trim_end().parse().map_err(|_| NotFound::Missing)?;
                return Ok(generated(format!("{id}\n").into_bytes(), stat.st_mtime));
            }
            Err(NotFound::Missing) => match alias(repo, &key)? {
                Some(target) => key = RefKey::Local(target),
                None => return Err(NotFound::Missing),
            },
            Err(e) => return Err(e),
        }
    }
    Err(NotFound::Missing)
}

/// The local ref that an alias stands for.
fn alias(repo: &Repo, key: &RefKey) -> Result<Option<String>, NotFound> {
    let RefKey::Local(name) = key else {
        return Ok(None);
    };
    let path = key.path();
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", &path));
    let folder = open_beneath(repo.dir(), folder, OFlags::DIRECTORY)?;
    let link = match rustix::fs::readlinkat(&folder, file, Vec::new()) {
        Ok(link) => link,
        Err(Errno::INVAL) => return Ok(None),
        Err(e) => return Err(e.into()),
    };
    // Written as `../` for each folder below `heads`, then the name.
    let Ok(link) = link.to_str() else {
        return Ok(None);
    };
    let target = link.strip_prefix(&"../".repeat(name.matches('/').count()));
    Ok(target
        .filter(|t| validate_ref_name(t).is_ok())
        .map(str::to_owned))
}

fn generated(bytes: Vec<u8>, modified: i64) -> Found {
    let digest = hash(&bytes).to_hex();
    Found {
        version: Version {
            etag: format!("\"{}\"", &digest[..32]),
            modified: whole_seconds(modified),
        },
        size: bytes.len() as u64,
        content: Content::Bytes(bytes),
    }
}

fn open_regular(dir: BorrowedFd<'_>, path: &str) -> Result<(File, Stat), NotFound> {
    // Not blocking, lest a pipe in the file's place wait for a writer.
    let fd = open_beneath(dir, path, OFlags::NONBLOCK)?;
    let stat = rustix::fs::fstat(&fd)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok((File::from(fd), stat)),
        _ => Err(NotFound::Missing),
    }
}

/// Opens what lies below a folder, through no link at all.
fn open_beneath(dir: BorrowedFd<'_>, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
    let flags = flags | OFlags::RDONLY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    match rustix::fs::openat2(dir, path, flags, Mode::empty(), resolve) {
        // An old kernel, or a sandbox that does not know the call.
        Err(Errno::NOSYS | Errno::PERM) => open_in_steps(dir, path, flags),
        other => other,
    }
}

/// The same, folder by folder.
fn open_in_steps(dir: BorrowedFd<'_>, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
    let step = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut here: Option<OwnedFd> = None;
    let (folders, file) = path.rsplit_once('/').unwrap_or(("", path));
    for part in folders.split('/').filter(|part| !part.is_empty()) {
        if part == ".." {
            return Err(Errno::XDEV);
        }
        let from = here.as_ref().map_or(dir, AsFd::as_fd);
        here = Some(rustix::fs::openat(from, part, step, Mode::empty())?);
    }
    if file == ".." {
        return Err(Errno::XDEV);
    }
    let from = here.as_ref().map_or(dir, AsFd::as_fd);
    rustix::fs::openat(from, file, flags | OFlags::NOFOLLOW, Mode::empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn both_ways_of_opening_stay_below() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("secret"), "s").unwrap();
        let top = dir.path().join("top");
        std::fs::create_dir_all(top.join("a/b")).unwrap();
        std::fs::write(top.join("a/b/file"), "x").unwrap();
        symlink("../../secret", top.join("a/link")).unwrap();
        symlink("b", top.join("a/inside")).unwrap();
        symlink("/", top.join("root")).unwrap();
        let fd = File::open(&top).unwrap();
        for open in [open_beneath, open_in_steps] {
            let read = |path: &str| open(fd.as_fd(), path, OFlags::RDONLY);
            assert!(read("a/b/file").is_ok());
            for path in [
                "a/link",
                "a/inside/file",
                "root/etc/passwd",
                "../secret",
                "a/../../secret",
                "..",
            ] {
                assert!(read(path).is_err(), "{path}");
            }
        }
    }
}
