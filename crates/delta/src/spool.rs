//! Bytes that are read at random: in memory while they are few, in a file without a name when they are many.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Past this many bytes a file is used.
const MEMORY_MAX: usize = 4 * 1024 * 1024;

/// What is collected before it is written to the file.
const BUFFER: usize = 256 * 1024;

/// Collects bytes.
#[derive(Debug)]
pub struct Spool {
    memory: Vec<u8>,
    file: Option<File>,
    len: u64,
    limit: u64,
    dir: PathBuf,
}

impl Spool {
    /// Takes at most `limit` bytes; a file, if needed, is made in `dir`.
    pub fn new(dir: &Path, limit: u64) -> Spool {
        Spool {
            memory: Vec::new(),
            file: None,
            len: 0,
            limit,
            dir: dir.to_owned(),
        }
    }

    /// Bytes so far.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Ends the writing.
    pub fn finish(mut self) -> io::Result<Bytes> {
        if self.file.is_some() {
            self.spill()?;
        }
        Ok(match self.file {
            Some(file) => Bytes::File(file, self.len),
            None => Bytes::Memory(self.memory),
        })
    }

    fn spill(&mut self) -> io::Result<()> {
        if self.file.is_none() {
            self.file = Some(tempfile::tempfile_in(&self.dir)?);
        }
        if let Some(file) = &mut self.file {
            file.write_all(&self.memory)?;
        }
        self.memory.clear();
        self.memory.shrink_to(2 * BUFFER);
        Ok(())
    }
}

impl Write for Spool {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.len += buf.len() as u64;
        if self.len > self.limit {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("more than the {} bytes it may have", self.limit),
            ));
        }
        if buf.len() >= BUFFER
            && let Some(file) = &mut self.file
        {
            // What is large enough needs no buffer.
            file.write_all(&self.memory)?;
            file.write_all(buf)?;
            self.memory.clear();
            return Ok(buf.len());
        }
        self.memory.extend_from_slice(buf);
        // Once there is a file, memory is its buffer.
        let room = if self.file.is_some() {
            BUFFER
        } else {
            MEMORY_MAX
        };
        if self.memory.len() > room {
            self.spill()?;
        }
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Bytes of known length.
#[derive(Debug)]
pub enum Bytes {
    /// In memory.
    Memory(Vec<u8>),
    /// The first so many bytes of a file.
    File(File, u64),
}

impl Bytes {
    /// How many.
    pub fn len(&self) -> u64 {
        match self {
            Bytes::Memory(bytes) => bytes.len() as u64,
            Bytes::File(_, len) => *len,
        }
    }

    /// Fills `buf` from `offset` on.
    ///
    /// # Errors
    /// When there are fewer bytes.
    pub fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        match self {
            Bytes::Memory(bytes) => {
                let from = usize::try_from(offset).ok();
                let there = from
                    .and_then(|from| bytes.get(from..)?.get(..buf.len()))
                    .ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
                buf.copy_from_slice(there);
                Ok(())
            }
            Bytes::File(file, _) => file.read_exact_at(buf, offset),
        }
    }

    /// The bytes of a range as a vector; the caller has bounded its length.
    pub fn read_range(&self, offset: u64, size: u64) -> io::Result<Vec<u8>> {
        if offset.checked_add(size).is_none_or(|end| end > self.len()) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut out = vec![0; usize::try_from(size).map_err(io::Error::other)?];
        self.read_exact_at(&mut out, offset)?;
        Ok(out)
    }
}
