//! The content of one object as its operations make it, read piece by piece.

use super::source::{Source, Sources};
use crate::bsdiff::{OldFile, PatchReader};
use crate::error::Result;
use crate::format::ops::{Op, OpReader};
use crate::format::part::Part;
use osier_object::{Checksum, ContentId, ObjectType};
use std::io::{self, Read};
use std::rc::Rc;

/// A range of the blob.
pub(super) struct BlobReader<'a> {
    part: &'a Part,
    at: u64,
    left: u64,
}

impl<'a> BlobReader<'a> {
    pub(super) fn new(part: &'a Part, offset: u64, size: u64) -> Self {
        BlobReader {
            part,
            at: offset,
            left: size,
        }
    }
}

impl Read for BlobReader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = (buf.len() as u64).min(self.left) as usize;
        self.part.read_blob(&mut buf[..n], self.at)?;
        self.at += n as u64;
        self.left -= n as u64;
        Ok(n)
    }
}

/// The checksum of a source in the blob.
pub(super) fn source_id(part: &Part, offset: u64) -> Result<ContentId> {
    part.check_range(offset, Checksum::LEN as u64)?;
    let mut raw = [0; Checksum::LEN];
    crate::error::Context::at(part.read_blob(&mut raw, offset), || {
        "reading a delta part".into()
    })?;
    Ok(ContentId(Checksum(raw)))
}

struct CopyReader {
    source: Rc<Source>,
    at: u64,
    left: u64,
}

impl Read for CopyReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = (buf.len() as u64).min(self.left) as usize;
        self.source.read_at(&mut buf[..n], self.at)?;
        self.at += n as u64;
        self.left -= n as u64;
        Ok(n)
    }
}

enum Piece<'a> {
    Blob(BlobReader<'a>),
    Copy(CopyReader),
    Patch(Box<PatchReader<Rc<Source>, io::BufReader<BlobReader<'a>>>>),
}

/// Runs the operations between `o` and `c` again, which were checked before, as a reader.
pub(super) struct ContentReader<'a, 'r> {
    part: &'a Part,
    sources: &'a Sources<'a, 'r>,
    ops: OpReader<'a>,
    source: Option<Rc<Source>>,
    size: u64,
    piece: Option<Piece<'a>>,
}

impl<'a, 'r> ContentReader<'a, 'r> {
    pub(super) fn new(
        part: &'a Part,
        sources: &'a Sources<'a, 'r>,
        ops: OpReader<'a>,
        source: Option<Rc<Source>>,
        size: u64,
    ) -> Self {
        ContentReader {
            part,
            sources,
            ops,
            source,
            size,
            piece: None,
        }
    }

    /// The next piece; `None` at the end.
    fn advance(&mut self) -> io::Result<Option<Piece<'a>>> {
        loop {
            let op = self
                .ops
                .next(Some(ObjectType::File))
                .map_err(io::Error::other)?;
            match (op, &self.source) {
                (None, _) => return Ok(None),
                (Some(Op::SetReadSource { offset }), _) => {
                    let id = source_id(self.part, offset).map_err(io::Error::other)?;
                    self.source = Some(self.sources.open(&id).map_err(io::Error::other)?);
                }
                (Some(Op::UnsetReadSource), _) => self.source = None,
                (Some(Op::Write { size, offset }), None) => {
                    return Ok(Some(Piece::Blob(BlobReader::new(self.part, offset, size))));
                }
                (Some(Op::Write { size, offset }), Some(source)) => {
                    return Ok(Some(Piece::Copy(CopyReader {
                        source: source.clone(),
                        at: offset,
                        left: size,
                    })));
                }
                (Some(Op::BsPatch { offset, size }), Some(source)) => {
                    let patch = BlobReader::new(self.part, offset, size);
                    let patch = io::BufReader::with_capacity(64 * 1024, patch);
                    return Ok(Some(Piece::Patch(Box::new(PatchReader::new(
                        source.clone(),
                        patch,
                        self.size,
                    )))));
                }
                (Some(op), _) => {
                    return Err(io::Error::other(format!("unexpected {}", op.name())));
                }
            }
        }
    }
}

impl Read for ContentReader<'_, '_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        loop {
            let n = match &mut self.piece {
                None => 0,
                Some(Piece::Blob(r)) => r.read(buf)?,
                Some(Piece::Copy(r)) => r.read(buf)?,
                Some(Piece::Patch(r)) => r.read(buf)?,
            };
            if n > 0 {
                return Ok(n);
            }
            self.piece = self.advance()?;
            if self.piece.is_none() {
                return Ok(0);
            }
        }
    }
}
