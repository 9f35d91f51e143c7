//! What had arrived of a large file when a pull ended early, kept for the next one.
//!
//! Each is a file `tmp/osier-part-NAME`: a block that says of which version of the served file it is, then its bytes. It
//! is locked while a pull writes it. The pull that finishes the file deletes it, and so does every pull that succeeds;
//! others go as anything old in `tmp` does, by either tool.

use crate::fetch::{Chunk, Head, Resume, Validators};
use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

/// What its files' names begin with.
const PREFIX: &str = "osier-part-";

/// A file shorter than this is not worth keeping.
pub(super) const MIN: u64 = 4 << 20;

/// As many may lie about; the oldest go first.
const MOST: usize = 32;

/// Bytes of the block in front.
const BLOCK: u64 = 1024;

/// The block's first line.
const MAGIC: &str = "osier part of a file, 1";

/// How much is read back at a time.
const CHUNK: u64 = 256 << 10;

/// The folder such files lie in.
#[derive(Clone, Debug)]
pub(crate) struct Keep {
    tmp: Arc<OwnedFd>,
}

/// One of them, and the right to use it.
#[derive(Debug)]
pub(super) struct Kept {
    tmp: Arc<OwnedFd>,
    name: String,
    file: File,
    head: Head,
    size: u64,
}

impl Keep {
    /// The `tmp` folder of a repository; none if it cannot be opened.
    pub fn in_repo(repo: BorrowedFd<'_>) -> Option<Keep> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let tmp = rustix::fs::openat(repo, "tmp", flags, Mode::empty()).ok()?;
        let keep = Keep { tmp: Arc::new(tmp) };
        keep.remove_all_but(MOST);
        Some(keep)
    }

    /// Takes what an earlier pull left of a file.
    pub(super) fn take(&self, key: &str) -> Option<Kept> {
        let name = format!("{PREFIX}{key}");
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let mut file = self.open(&name, flags)?;
        let (head, size) = read_block(&mut file)?;
        Some(Kept {
            tmp: Arc::clone(&self.tmp),
            name,
            file,
            head,
            size,
        })
    }

    /// Starts to keep a file; none if another pull does, or it is not worth it.
    pub(super) fn begin(&self, key: &str, head: &Head) -> Option<Kept> {
        // Nothing could be done with it later.
        if head.length.is_none_or(|length| length < MIN) || Resume::new(1, head).is_none() {
            return None;
        }
        let name = format!("{PREFIX}{key}");
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mut file = self.open(&name, flags | OFlags::NONBLOCK)?;
        let written = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(&block(head)?));
        let kept = Kept {
            tmp: Arc::clone(&self.tmp),
            name,
            file,
            head: head.clone(),
            size: 0,
        };
        match written {
            Ok(()) => Some(kept),
            Err(_) => {
                kept.discard();
                None
            }
        }
    }

    fn open(&self, name: &str, flags: OFlags) -> Option<File> {
        let file = File::from(
            rustix::fs::openat(&self.tmp, name, flags, Mode::from_raw_mode(0o600)).ok()?,
        );
        let lock = rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive);
        let is_file = file.metadata().is_ok_and(|meta| meta.is_file());
        (lock.is_ok() && is_file).then_some(file)
    }

    /// Nothing is needed any more.
    pub fn remove_all(&self) {
        self.remove_all_but(0);
    }

    fn remove_all_but(&self, number: usize) {
        let mut found = Vec::new();
        let Ok(entries) = rustix::fs::Dir::read_from(&*self.tmp) else {
            return;
        };
        for entry in entries.flatten() {
            if let Ok(name) = entry.file_name().to_str()
                && name.starts_with(PREFIX)
                && let Ok(stat) = rustix::fs::statat(&self.tmp, name, AtFlags::SYMLINK_NOFOLLOW)
            {
                found.push((stat.st_mtime, name.to_owned()));
            }
        }
        found.sort();
        let surplus = found.len().saturating_sub(number);
        for (_, name) in found.drain(..surplus) {
            let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
            // One that is locked is in use.
            if let Some(_locked) = self.open(&name, flags) {
                let _ = rustix::fs::unlinkat(&self.tmp, &name, AtFlags::empty());
            }
        }
    }
}

impl Kept {
    /// Where to go on.
    pub fn resume(&self) -> Option<Resume> {
        Resume::new(self.size, &self.head)
    }

    /// What the server said of the file.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Adds bytes.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// The bytes from a position on, at most so many as are good to pass on; none at the end. Leaves the file ready to
    /// be added to once the end was seen.
    pub fn read(&mut self, at: u64) -> io::Result<Option<Chunk>> {
        if at >= self.size {
            self.file.seek(SeekFrom::Start(BLOCK + self.size))?;
            return Ok(None);
        }
        let mut bytes = vec![0; CHUNK.min(self.size - at) as usize];
        self.file.seek(SeekFrom::Start(BLOCK + at))?;
        self.file.read_exact(&mut bytes)?;
        Ok(Some(bytes.into()))
    }

    /// Deletes it.
    pub fn discard(self) {
        self.unlink();
    }

    /// The file itself, now without a name, at the first of its bytes.
    pub fn into_file(mut self) -> io::Result<File> {
        self.unlink();
        self.file.seek(SeekFrom::Start(BLOCK))?;
        Ok(self.file)
    }

    fn unlink(&self) {
        let _ = rustix::fs::unlinkat(self.tmp.as_fd(), &self.name, AtFlags::empty());
    }
}

fn block(head: &Head) -> io::Result<Vec<u8>> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let mut block = format!(
        "{MAGIC}\n{}\n{}\n{}\n",
        head.length.unwrap_or(0),
        text(&head.validators.etag),
        text(&head.validators.modified)
    )
    .into_bytes();
    if block.len() as u64 > BLOCK {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    block.resize(BLOCK as usize, 0);
    Ok(block)
}

/// None for anything but what [`block`] wrote.
fn read_block(file: &mut File) -> Option<(Head, u64)> {
    let size = file.metadata().ok()?.len().checked_sub(BLOCK)?;
    let mut block = vec![0; BLOCK as usize];
    file.rewind().ok()?;
    file.read_exact(&mut block).ok()?;
    let text = std::str::from_utf8(&block).ok()?;
    let mut lines = text.split('\n');
    let value = |line: Option<&str>| Some(line?.to_owned()).filter(|text| !text.is_empty());
    if lines.next() != Some(MAGIC) {
        return None;
    }
    let length = lines.next()?.parse().ok()?;
    let validators = Validators {
        etag: value(lines.next()),
        modified: value(lines.next()),
    };
    let head = Head {
        length: Some(length),
        validators,
    };
    Some((head, size))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(length: u64) -> Head {
        Head {
            length: Some(length),
            validators: Validators {
                etag: Some("\"x\"".to_owned()),
                modified: None,
            },
        }
    }

    fn keep() -> (tempfile::TempDir, Keep) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("tmp")).unwrap();
        let repo = File::open(dir.path()).unwrap();
        let keep = Keep::in_repo(repo.as_fd()).unwrap();
        (dir, keep)
    }

    #[test]
    fn what_is_left_is_found_again() {
        let (dir, keep) = keep();
        assert!(keep.begin("small", &head(MIN - 1)).is_none());
        let mut kept = keep.begin("a", &head(MIN)).unwrap();
        kept.append(b"hello").unwrap();
        // It is in use.
        assert!(keep.take("a").is_none());
        assert!(keep.begin("a", &head(MIN)).is_none());
        keep.remove_all();
        drop(kept);
        let mut kept = keep.take("a").unwrap();
        assert_eq!(kept.resume().unwrap().from, 5);
        assert_eq!(kept.read(0).unwrap().unwrap(), &b"hello"[..]);
        assert_eq!(kept.read(5).unwrap(), None);
        kept.append(b" world").unwrap();
        assert_eq!(kept.read(4).unwrap().unwrap(), &b"o world"[..]);
        let mut all = String::new();
        kept.into_file().unwrap().read_to_string(&mut all).unwrap();
        assert_eq!(all, "hello world");
        let left = || std::fs::read_dir(dir.path().join("tmp")).unwrap().count();
        assert_eq!(left(), 0);
        keep.begin("b", &head(MIN)).unwrap().discard();
        assert_eq!(left(), 0);
    }

    #[test]
    fn what_is_not_ours_is_left_alone_or_refused() {
        let (dir, keep) = keep();
        let tmp = dir.path().join("tmp");
        std::fs::write(tmp.join("osier-part-a"), "something else").unwrap();
        std::fs::write(tmp.join("osier-part-b"), vec![0; 4096]).unwrap();
        std::fs::write(tmp.join("other"), "").unwrap();
        assert!(keep.take("a").is_none());
        assert!(keep.take("b").is_none());
        keep.remove_all();
        let left: Vec<_> = std::fs::read_dir(&tmp)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, ["other"]);
    }
}
