//! Reading archives as a stream of entries: tar in all its dialects, cpio, and both compressed in the usual ways.
//!
//! The bytes may come from anybody. Nothing is allocated because a header claims it: names, targets and attributes have
//! limits, bodies are read by the caller piece by piece, and what is cut short or damaged is an error. What an entry
//! means (a path that leads out, an owner, a device) is for the caller to judge.
//!
//! Where tar's standards leave a choice, this crate reads what libarchive reads, as the field's archives were made for
//! that; `docs/formats/tar.md` of the repository lists each case.
//!
//! ```
//! use osier_archive::{Archive, Kind};
//!
//! let bytes = [0u8; 1024]; // the end mark alone: an empty archive
//! let mut archive = Archive::open(std::io::Cursor::new(bytes))?;
//! while let Some(entry) = archive.next_entry()? {
//!     if entry.kind == Kind::File {
//!         let size = std::io::copy(&mut archive.body(), &mut std::io::sink())?;
//!         assert_eq!(size, entry.size);
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod cpio;
mod entry;
mod error;
mod filter;
mod foreign;
mod input;
mod tar;

pub use entry::{Body, Entry, Kind};
pub use error::{Error, Result};

use input::Input;
use std::io::Read;

/// Longest path or link target that is taken, in bytes.
pub const MAX_NAME: u64 = 1024 * 1024;

/// Most bytes of extended attributes (names and values) that one entry may have.
pub const MAX_XATTRS: u64 = 8 * 1024 * 1024;

/// An archive being read from front to back.
pub struct Archive {
    input: Input,
    format: Format,
    body: entry::BodyState,
    compressed: bool,
}

enum Format {
    Tar(tar::Tar),
    Cpio(cpio::Cpio),
    /// Nothing at all: an archive without entries.
    Empty,
}

impl Archive {
    /// Finds out how the bytes are compressed and which format they have.
    ///
    /// # Errors
    /// [`Error::Format`] when it is none that is read here, an I/O error when reading fails or the compressed data is
    /// damaged at its beginning.
    pub fn open(reader: impl Read + Send + 'static) -> Result<Archive> {
        let (mut input, compressed) = filter::open(Box::new(reader))?;
        let head = input.peek(512)?;
        let format = if head.is_empty() {
            Format::Empty
        } else if tar::is_tar(head) {
            Format::Tar(tar::Tar::new())
        } else if let Some(dialect) = cpio::Dialect::of(head) {
            Format::Cpio(cpio::Cpio::new(dialect))
        } else if let Some(name) = foreign::name(head) {
            return Err(Error::Foreign(name));
        } else {
            return Err(Error::Format);
        };
        Ok(Archive {
            input,
            format,
            body: entry::BodyState::default(),
            compressed,
        })
    }

    /// The next entry, `None` after the last. What was not read of the one before is skipped.
    ///
    /// # Errors
    /// When the archive is damaged, cut short, or asks for more than is taken.
    pub fn next_entry(&mut self) -> Result<Option<Entry>> {
        self.body.skip_rest(&mut self.input)?;
        let next = match &mut self.format {
            Format::Empty => None,
            Format::Tar(tar) => tar.next(&mut self.input)?,
            Format::Cpio(cpio) => cpio.next(&mut self.input)?,
        };
        Ok(next.map(|(entry, body)| {
            self.body = body;
            entry
        }))
    }

    /// The content of the entry last returned: exactly [`Entry::size`] bytes, or an error.
    pub fn body(&mut self) -> Body<'_> {
        Body {
            input: &mut self.input,
            state: &mut self.body,
        }
    }

    /// Reads on to the end, at most `limit` bytes, so that a program that writes into a pipe is not cut off while it
    /// writes its padding. What comes is of no interest.
    ///
    /// # Errors
    /// When the archive is compressed and damaged or cut short: its checksum stands at the end.
    pub fn finish(&mut self, limit: u64) -> Result<()> {
        let rest = std::io::copy(&mut (&mut self.input).take(limit), &mut std::io::sink());
        match rest {
            Err(e) if self.compressed => Err(e.into()),
            _ => Ok(()),
        }
    }
}
