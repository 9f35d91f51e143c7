//! The files of a delta: a superblock, and parts beside it.

use crate::error::{Context, Error, Result};
use crate::format::compression::DECODER_MEMORY;
use osier_object::Checksum;
use rustix::fs::{FileType, Mode, OFlags};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{Read, Seek};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// Largest superblock read from a disk: it may hold its parts, and is kept in memory.
const MAX_SUPERBLOCK: u64 = 10 * DECODER_MEMORY;

const DIR: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

/// Opens the files of one delta.
#[derive(Debug)]
pub struct DeltaFiles {
    dir: OwnedFd,
    superblock: PathBuf,
    shown: PathBuf,
}

impl DeltaFiles {
    /// A delta on disk: its folder, or its superblock.
    ///
    /// # Errors
    /// When there is nothing.
    pub fn open(path: &Path) -> Result<DeltaFiles> {
        let at = || format!("openat({})", path.display());
        let stat = rustix::fs::stat(path).at(at)?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            let dir = rustix::fs::open(path, DIR, Mode::empty()).at(at)?;
            return Ok(DeltaFiles {
                dir,
                superblock: "superblock".into(),
                shown: path.to_owned(),
            });
        }
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let name = path
            .file_name()
            .ok_or_else(|| Error::refused(format!("{} is no delta", path.display())))?;
        Ok(DeltaFiles {
            dir: rustix::fs::open(parent, DIR, Mode::empty()).at(at)?,
            superblock: name.into(),
            shown: parent.to_owned(),
        })
    }

    /// A delta of a repository, by its folder.
    ///
    /// # Errors
    /// When it is not there.
    pub fn open_at(repo: BorrowedFd<'_>, path: &str) -> Result<DeltaFiles> {
        let dir = rustix::fs::openat(repo, path, DIR | OFlags::NOFOLLOW, Mode::empty())
            .at(|| format!("openat({path}/superblock)"))?;
        Ok(DeltaFiles {
            dir,
            superblock: "superblock".into(),
            shown: path.into(),
        })
    }

    fn file(&self, name: &Path) -> Result<File> {
        let shown = || self.shown.join(name);
        let at = || format!("openat({})", shown().display());
        // Not blocking, lest a pipe wait for a writer.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let fd = rustix::fs::openat(self.dir.as_fd(), name, flags, Mode::empty()).at(at)?;
        let stat = rustix::fs::fstat(&fd).at(at)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Error::refused(format!("{} is no file", shown().display())));
        }
        Ok(fd.into())
    }

    /// The bytes of the superblock, signed or not.
    ///
    /// # Errors
    /// When it cannot be read, or is larger than any may be.
    pub fn superblock(&self) -> Result<Vec<u8>> {
        let shown = || self.shown.join(&self.superblock);
        let mut bytes = Vec::new();
        self.file(&self.superblock)?
            .take(MAX_SUPERBLOCK + 1)
            .read_to_end(&mut bytes)
            .at(|| format!("reading {}", shown().display()))?;
        if bytes.len() as u64 > MAX_SUPERBLOCK {
            return Err(Error::refused(format!(
                "{} is larger than {MAX_SUPERBLOCK} bytes",
                shown().display()
            )));
        }
        Ok(bytes)
    }

    /// A part file.
    ///
    /// # Errors
    /// When it is not there.
    pub fn part(&self, index: usize) -> Result<File> {
        self.file(Path::new(&index.to_string()))
    }
}

/// The SHA-256 of a file from its start; it is at its start again then.
pub(crate) fn hash_file(file: &mut File) -> Result<Checksum> {
    let reading = || "reading a delta part".to_owned();
    let mut hasher = Sha256::new();
    let mut buf = vec![0; 256 * 1024];
    loop {
        match file.read(&mut buf) {
            Ok(0) => break,
            Ok(n) => hasher.update(&buf[..n]),
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e).at(reading),
        }
    }
    file.rewind().at(reading)?;
    Ok(Checksum(hasher.finalize().into()))
}
