//! What an archive holds.

use crate::error::{Error, Result};
use crate::input::Input;
use std::io::{self, Read};

/// One entry of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path, as it is written there.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: Kind,
    /// Permission bits, within 07777.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Bytes of content. A hard link may have some: they are the new content of its target.
    pub size: u64,
    /// Extended attributes in the order of the archive; names may repeat.
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link with its target.
    Symlink(Vec<u8>),
    /// A further name of the file with this path.
    Hardlink(Vec<u8>),
    /// A device, pipe, socket, or something unknown.
    Other,
}

/// A stretch of a sparse file that has bytes in the archive.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) offset: u64,
    pub(crate) len: u64,
}

/// Where reading a body stands.
#[derive(Debug, Default)]
pub(crate) struct BodyState {
    format: &'static str,
    /// Bytes of the archive that belong to the entry and were not read.
    stored: u64,
    /// Bytes that fill up its last block.
    padding: u64,
    /// Where in the file the next byte is.
    position: u64,
    /// How long the file is.
    size: u64,
    /// Stretches that have bytes in the archive, last first; what lies between is zeros.
    chunks: Vec<Chunk>,
}

impl BodyState {
    /// `stored` bytes of the archive, followed by `padding`, which are a file's content.
    pub(crate) fn plain(format: &'static str, stored: u64, padding: u64) -> BodyState {
        BodyState::sparse(
            format,
            stored,
            padding,
            stored,
            vec![Chunk {
                offset: 0,
                len: stored,
            }],
        )
    }

    /// As [`BodyState::plain`], of a file with holes. `chunks` ascend and do not overlap.
    pub(crate) fn sparse(
        format: &'static str,
        stored: u64,
        padding: u64,
        size: u64,
        mut chunks: Vec<Chunk>,
    ) -> BodyState {
        chunks.reverse();
        BodyState {
            format,
            stored,
            padding,
            position: 0,
            size,
            chunks,
        }
    }

    /// Bytes of the archive that nobody may look at.
    pub(crate) fn ignored(format: &'static str, stored: u64, padding: u64) -> BodyState {
        BodyState {
            format,
            stored,
            padding,
            ..BodyState::default()
        }
    }

    /// How long the content is.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    fn truncated(&self) -> Error {
        Error::Truncated {
            format: self.format,
            what: "data",
        }
    }

    pub(crate) fn skip_rest(&mut self, input: &mut Input) -> Result<()> {
        let stored = std::mem::take(&mut self.stored);
        if input.skip(stored)? < stored {
            return Err(self.truncated());
        }
        let padding = std::mem::take(&mut self.padding);
        if input.skip(padding)? < padding {
            return Err(self.truncated());
        }
        *self = BodyState::default();
        Ok(())
    }
}

/// Reads an entry's content, holes as zeros.
pub struct Body<'a> {
    pub(crate) input: &'a mut Input,
    pub(crate) state: &'a mut BodyState,
}

impl Read for Body<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let state = &mut *self.state;
        let left = state.size - state.position;
        if left == 0 || out.is_empty() {
            return Ok(0);
        }
        while state
            .chunks
            .last()
            .is_some_and(|c| c.offset + c.len <= state.position)
        {
            state.chunks.pop();
        }
        // Bytes up to where the next stretch begins or ends.
        let (data, run) = match state.chunks.last() {
            Some(c) if c.offset <= state.position => (true, c.offset + c.len - state.position),
            Some(c) => (false, c.offset - state.position),
            None => (false, left),
        };
        let n = (out.len() as u64).min(run).min(left) as usize;
        if !data || state.stored == 0 {
            // A map may promise more than the archive holds; the rest is a hole then.
            out[..n].fill(0);
            state.position += n as u64;
            return Ok(n);
        }
        let n = (n as u64).min(state.stored) as usize;
        let got = self.input.read(&mut out[..n])?;
        if got == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                state.truncated().to_string(),
            ));
        }
        state.position += got as u64;
        state.stored -= got as u64;
        Ok(got)
    }
}
