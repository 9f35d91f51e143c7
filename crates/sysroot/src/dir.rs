//! Directory handles: every path below the sysroot is opened from one, never from a path string.
//!
//! Lookups of several components use `openat2`: [`Beneath::Sysroot`] for the sysroot's own folders
//! (links may lead around inside, not out), [`Beneath::Tree`] for a deployed tree (an absolute link
//! means the tree's own root). Nothing that a tree or a user's `/etc` contains can lead elsewhere.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawMode, ResolveFlags, Stat};
use rustix::io::Errno;

use crate::error::{IoAction, Result};

/// Where links on the way may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beneath {
    /// Relative links that stay below the handle; everything else is an error.
    Sysroot,
    /// As if the handle were `/`.
    Tree,
}

impl Beneath {
    fn flags(self) -> ResolveFlags {
        let flags = match self {
            Beneath::Sysroot => ResolveFlags::BENEATH,
            Beneath::Tree => ResolveFlags::IN_ROOT,
        };
        flags | ResolveFlags::NO_MAGICLINKS
    }
}

/// An open directory.
#[derive(Debug)]
pub(crate) struct Dir {
    fd: OwnedFd,
    /// For messages only.
    path: String,
}

/// One entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: Vec<u8>,
    pub(crate) file_type: FileType,
}

impl Entry {
    /// The name, if it is UTF-8.
    pub(crate) fn utf8(&self) -> Option<&str> {
        std::str::from_utf8(&self.name).ok()
    }
}

pub(crate) fn lossy(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

const OPEN_DIR: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

/// Turns "no such entry" into `None`.
pub(crate) fn optional<T>(result: rustix::io::Result<T>) -> rustix::io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Dir {
    pub(crate) fn open_path(path: &std::path::Path) -> Result<Dir> {
        let shown = path.display().to_string();
        let fd = rustix::fs::open(path, OPEN_DIR, Mode::empty())
            .action(|| format!("opendir({shown})"))?;
        Ok(Dir { fd, path: shown })
    }

    fn join(&self, path: &[u8]) -> String {
        match self.path.as_str() {
            "" | "." => lossy(path),
            base => format!("{base}/{}", lossy(path)),
        }
    }

    /// Names this directory in messages.
    pub(crate) fn named(mut self, path: &str) -> Dir {
        path.clone_into(&mut self.path);
        self
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn try_clone(&self) -> Result<Dir> {
        let fd = self
            .fd
            .try_clone()
            .action(|| format!("dup({})", self.path))?;
        Ok(Dir {
            fd,
            path: self.path.clone(),
        })
    }

    pub(crate) fn open(&self, beneath: Beneath, path: &str) -> Result<Dir> {
        let fd = rustix::fs::openat2(&self.fd, path, OPEN_DIR, Mode::empty(), beneath.flags())
            .action(|| format!("opendir({})", self.join(path.as_bytes())))?;
        Ok(Dir {
            fd,
            path: self.join(path.as_bytes()),
        })
    }

    /// As [`Dir::open`], by a path that need not be UTF-8.
    pub(crate) fn open_at(&self, beneath: Beneath, path: &std::path::Path) -> Result<Dir> {
        use std::os::unix::ffi::OsStrExt;
        let fd = rustix::fs::openat2(&self.fd, path, OPEN_DIR, Mode::empty(), beneath.flags())
            .action(|| format!("opendir({})", path.display()))?;
        Ok(Dir {
            fd,
            path: self.join(path.as_os_str().as_bytes()),
        })
    }

    pub(crate) fn open_opt(&self, beneath: Beneath, path: &str) -> Result<Option<Dir>> {
        let fd = rustix::fs::openat2(&self.fd, path, OPEN_DIR, Mode::empty(), beneath.flags());
        match fd {
            Ok(fd) => Ok(Some(Dir {
                fd,
                path: self.join(path.as_bytes()),
            })),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(error) => Err(error).action(|| format!("opendir({})", self.join(path.as_bytes()))),
        }
    }

    /// The directory entry `name`; a link is an error.
    pub(crate) fn open_entry(&self, name: &[u8]) -> Result<Dir> {
        let fd = rustix::fs::openat(&self.fd, name, OPEN_DIR | OFlags::NOFOLLOW, Mode::empty())
            .action(|| format!("opendir({})", self.join(name)))?;
        Ok(Dir {
            fd,
            path: self.join(name),
        })
    }

    pub(crate) fn stat(&self) -> Result<Stat> {
        rustix::fs::fstat(&self.fd).action(|| format!("fstat({})", self.path))
    }

    /// What the entry `name` is, links not followed.
    pub(crate) fn stat_entry(&self, name: &[u8]) -> Result<Option<Stat>> {
        optional(rustix::fs::statat(
            &self.fd,
            name,
            AtFlags::SYMLINK_NOFOLLOW,
        ))
        .action(|| format!("fstatat({})", self.join(name)))
    }

    pub(crate) fn exists(&self, name: &str) -> Result<bool> {
        Ok(self.stat_entry(name.as_bytes())?.is_some())
    }

    /// Whether `path` leads to anything, links followed inside.
    pub(crate) fn stat_path(&self, beneath: Beneath, path: &str) -> Result<Option<Stat>> {
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let fd = rustix::fs::openat2(&self.fd, path, flags, Mode::empty(), beneath.flags());
        match fd {
            Ok(fd) => {
                Ok(Some(rustix::fs::fstat(fd).action(|| {
                    format!("fstat({})", self.join(path.as_bytes()))
                })?))
            }
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(error) => Err(error).action(|| format!("open({})", self.join(path.as_bytes()))),
        }
    }

    /// Entries without `.` and `..`, in the order the kernel gives them.
    pub(crate) fn entries(&self) -> Result<Vec<Entry>> {
        let action = || format!("readdir({})", self.path);
        let mut entries = Vec::new();
        // A fresh open file, so that no other reader of this handle moves the position.
        let mut dir = rustix::fs::Dir::read_from(&self.fd).action(action)?;
        while let Some(entry) = dir.read() {
            let entry = entry.action(action)?;
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b"..") {
                continue;
            }
            let file_type = match entry.file_type() {
                FileType::Unknown => match self.stat_entry(name)? {
                    Some(stat) => FileType::from_raw_mode(stat.st_mode),
                    None => continue,
                },
                known => known,
            };
            entries.push(Entry {
                name: name.to_vec(),
                file_type,
            });
        }
        Ok(entries)
    }

    /// As [`Dir::entries`], sorted by name.
    pub(crate) fn sorted_entries(&self) -> Result<Vec<Entry>> {
        let mut entries = self.entries()?;
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    pub(crate) fn is_empty(&self) -> Result<bool> {
        Ok(self.entries()?.is_empty())
    }

    /// Opens the file at `path` for reading; `None` if there is none.
    pub(crate) fn open_file(&self, beneath: Beneath, path: &str) -> Result<Option<File>> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let fd = optional(rustix::fs::openat2(
            &self.fd,
            path,
            flags,
            Mode::empty(),
            beneath.flags(),
        ));
        let fd = fd.action(|| format!("open({})", self.join(path.as_bytes())))?;
        Ok(fd.map(File::from))
    }

    /// Opens the regular file `name` for reading; a link is an error.
    pub(crate) fn open_file_entry(&self, name: &[u8]) -> Result<File> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let fd = rustix::fs::openat(&self.fd, name, flags, Mode::empty())
            .action(|| format!("open({})", self.join(name)))?;
        Ok(File::from(fd))
    }

    /// The file's content, refused above `limit` bytes.
    pub(crate) fn read(&self, beneath: Beneath, path: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        let Some(file) = self.open_file(beneath, path)? else {
            return Ok(None);
        };
        let action = || format!("read({})", self.join(path.as_bytes()));
        let mut bytes = Vec::new();
        file.take(limit + 1)
            .read_to_end(&mut bytes)
            .action(action)?;
        if bytes.len() as u64 > limit {
            return Err(io::Error::other(format!("larger than {limit} bytes"))).action(action);
        }
        Ok(Some(bytes))
    }

    /// As [`Dir::read`], as text.
    pub(crate) fn read_text(
        &self,
        beneath: Beneath,
        path: &str,
        limit: u64,
    ) -> Result<Option<String>> {
        let Some(bytes) = self.read(beneath, path, limit)? else {
            return Ok(None);
        };
        String::from_utf8(bytes)
            .map(Some)
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "not UTF-8"))
            .action(|| format!("read({})", self.join(path.as_bytes())))
    }

    /// The target of the link `name`; `None` if there is nothing of that name.
    pub(crate) fn read_link(&self, name: &[u8]) -> Result<Option<Vec<u8>>> {
        let target = optional(rustix::fs::readlinkat(&self.fd, name, Vec::new()))
            .action(|| format!("readlinkat({})", self.join(name)))?;
        Ok(target.map(|target| target.into_bytes()))
    }

    /// Makes the directory `name` and opens it; one that is there is opened as it is.
    pub(crate) fn make_dir(&self, name: &str, mode: RawMode) -> Result<Dir> {
        match rustix::fs::mkdirat(&self.fd, name, Mode::from_raw_mode(mode)) {
            Ok(()) | Err(Errno::EXIST) => self.open_entry(name.as_bytes()),
            Err(error) => Err(error).action(|| format!("mkdirat({})", self.join(name.as_bytes()))),
        }
    }

    /// Makes the directory `name` with exactly this mode, whatever the umask; it must not be there.
    pub(crate) fn make_new_dir(&self, name: &str, mode: RawMode) -> Result<Dir> {
        rustix::fs::mkdirat(&self.fd, name, Mode::from_raw_mode(mode))
            .action(|| format!("mkdirat({})", self.join(name.as_bytes())))?;
        let dir = self.open_entry(name.as_bytes())?;
        dir.chmod(mode)?;
        Ok(dir)
    }

    /// The same directory as a `File`, for calls that want one.
    pub(crate) fn as_file(&self) -> Result<File> {
        Ok(File::from(self.try_clone()?.fd))
    }

    pub(crate) fn chmod(&self, mode: RawMode) -> Result<()> {
        rustix::fs::fchmod(&self.fd, Mode::from_raw_mode(mode))
            .action(|| format!("fchmod({})", self.path))
    }

    /// Writes a file beside `name`, syncs it and renames it over `name`.
    pub(crate) fn replace_file(&self, name: &str, bytes: &[u8], mode: RawMode) -> Result<()> {
        let temporary = format!(".{name}.tmp");
        self.remove_file(&temporary)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let action = || format!("writing {}", self.join(name.as_bytes()));
        let fd = rustix::fs::openat(&self.fd, &temporary, flags, Mode::from_raw_mode(mode))
            .action(action)?;
        let mut file = File::from(fd);
        file.write_all(bytes).action(action)?;
        rustix::fs::fchmod(&file, Mode::from_raw_mode(mode)).action(action)?;
        rustix::fs::fdatasync(&file).action(action)?;
        self.rename(&temporary, name)
    }

    /// Makes a link beside `name` and renames it over `name`: at any time `name` is the old link or
    /// the new one.
    pub(crate) fn replace_link(&self, target: &str, name: &str) -> Result<()> {
        let temporary = format!("{name}.tmp");
        self.remove_file(&temporary)?;
        self.make_link(target, &temporary)?;
        self.rename(&temporary, name)
    }

    pub(crate) fn make_link(&self, target: &str, name: &str) -> Result<()> {
        rustix::fs::symlinkat(target, &self.fd, name)
            .action(|| format!("symlinkat({})", self.join(name.as_bytes())))
    }

    pub(crate) fn rename(&self, from: &str, to: &str) -> Result<()> {
        rustix::fs::renameat(&self.fd, from, &self.fd, to)
            .action(|| format!("renameat({})", self.join(to.as_bytes())))
    }

    /// Removes the file or link `name`; it may be missing.
    pub(crate) fn remove_file(&self, name: &str) -> Result<()> {
        optional(rustix::fs::unlinkat(&self.fd, name, AtFlags::empty()))
            .action(|| format!("unlinkat({})", self.join(name.as_bytes())))?;
        Ok(())
    }

    /// Removes whatever `name` is, with all below it; it may be missing. Links are removed, never
    /// followed. `false` if there was nothing.
    pub(crate) fn remove_tree(&self, name: &[u8]) -> Result<bool> {
        let action = || format!("unlinkat({})", self.join(name));
        let Some(stat) = self.stat_entry(name)? else {
            return Ok(false);
        };
        if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
            optional(rustix::fs::unlinkat(&self.fd, name, AtFlags::empty())).action(action)?;
            return Ok(true);
        }
        let dir = match self.open_entry(name) {
            Err(error) if error.errno() == Some(Errno::ACCESS) => {
                // An ordinary user's own directory without r or x: give them back, then try again.
                rustix::fs::chmodat(&self.fd, name, Mode::RWXU, AtFlags::empty()).action(action)?;
                self.open_entry(name)?
            }
            other => other?,
        };
        let mut writable = stat.st_mode & 0o300 == 0o300;
        for entry in dir.entries()? {
            if !writable {
                dir.chmod(0o700)?;
                writable = true;
            }
            dir.remove_tree(&entry.name)?;
        }
        optional(rustix::fs::unlinkat(&self.fd, name, AtFlags::REMOVEDIR)).action(action)?;
        Ok(true)
    }

    /// Writes back the whole file system this directory is on.
    pub(crate) fn sync_file_system(&self) -> Result<()> {
        rustix::fs::syncfs(&self.fd).action(|| format!("syncfs({})", self.path))
    }
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
