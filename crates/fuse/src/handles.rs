//! What is open: files and listings, by the number the kernel was given.

use crate::nodes::lock;
use rustix::fs::{RawDir, SeekFrom};
use rustix::io::{Errno, Result};
use std::collections::HashMap;
use std::ffi::{CStr, OsStr};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Open things of one kind.
#[derive(Debug)]
pub struct Handles<T> {
    open: RwLock<Inner<T>>,
}

#[derive(Debug)]
struct Inner<T> {
    by_number: HashMap<u64, Arc<T>>,
    next: u64,
}

impl<T> Default for Handles<T> {
    fn default() -> Self {
        let inner = Inner {
            by_number: HashMap::new(),
            next: 1,
        };
        Handles {
            open: RwLock::new(inner),
        }
    }
}

impl<T> Handles<T> {
    /// Keeps it and gives its number.
    pub fn insert(&self, thing: T) -> u64 {
        let mut inner = self.open.write().unwrap_or_else(PoisonError::into_inner);
        let number = inner.next;
        inner.next += 1;
        inner.by_number.insert(number, Arc::new(thing));
        number
    }

    /// The one with this number.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn get(&self, number: u64) -> Result<Arc<T>> {
        let inner = self.open.read().unwrap_or_else(PoisonError::into_inner);
        inner.by_number.get(&number).cloned().ok_or(Errno::BADF)
    }

    /// Lets go of it.
    pub fn remove(&self, number: u64) {
        let gone = self
            .open
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .by_number
            .remove(&number);
        // Closed only now, when nobody waits for the table.
        drop(gone);
    }
}

/// One entry of a listing.
#[derive(Clone, Copy, Debug)]
pub struct Listed<'a> {
    /// Its name.
    pub name: &'a OsStr,
    /// Its kind, as far as the file system says.
    pub kind: rustix::fs::FileType,
    /// Where to go on after it.
    pub next: u64,
}

/// A directory being listed. The positions are the file system's own, so that what is removed or made meanwhile is
/// neither repeated nor skipped more than there.
#[derive(Debug)]
pub struct Listing(Mutex<OwnedFd>);

impl Listing {
    /// A listing of a directory opened for reading.
    pub fn new(dir: OwnedFd) -> Listing {
        Listing(Mutex::new(dir))
    }

    /// Gives the entries from position `from` on to `each`, until it says that it has enough.
    ///
    /// # Errors
    /// What the file system says.
    pub fn read(&self, from: u64, mut each: impl FnMut(Listed<'_>) -> bool) -> Result<()> {
        let dir = lock(&self.0);
        rustix::fs::seek(&*dir, SeekFrom::Start(from))?;
        let mut buffer = [MaybeUninit::uninit(); 16 * 1024];
        let mut entries = RawDir::new(&*dir, &mut buffer);
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name: &CStr = entry.file_name();
            let listed = Listed {
                name: OsStr::from_bytes(name.to_bytes()),
                kind: entry.file_type(),
                next: entry.next_entry_cookie(),
            };
            if each(listed) {
                break;
            }
        }
        Ok(())
    }

    /// The directory's handle, for a sync.
    pub fn with<T>(&self, act: impl FnOnce(&OwnedFd) -> T) -> T {
        act(&lock(&self.0))
    }
}
