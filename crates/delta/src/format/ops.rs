//! The operations of a part. They make the part's objects one after another, in the order of its header.

use super::varint;
use crate::error::{Context, Error, Result};
use crate::spool::Bytes;
use osier_object::ObjectType;

/// One operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Op {
    /// `S` of metadata: the next object is these bytes of the blob.
    SpliceMetadata {
        /// Bytes of the object.
        size: u64,
        /// Where they start in the blob.
        offset: u64,
    },
    /// `S` of a file: its content, or the target of a symbolic link, is in the blob.
    SpliceFile {
        /// Number of its owner and mode.
        mode: u64,
        /// Number of its attributes.
        xattrs: u64,
        /// Bytes of content.
        size: u64,
        /// Where they start in the blob.
        offset: u64,
    },
    /// `o`: begins the next object, a regular file.
    Open {
        /// Number of its owner and mode.
        mode: u64,
        /// Number of its attributes.
        xattrs: u64,
        /// Bytes of content it will have.
        size: u64,
    },
    /// `w`: appends bytes of the read source, or of the blob when there is none.
    Write {
        /// How many bytes.
        size: u64,
        /// Where they start.
        offset: u64,
    },
    /// `r`: the read source is the file object whose checksum is here in the blob.
    SetReadSource {
        /// Where the 32 bytes start.
        offset: u64,
    },
    /// `R`: no read source from here on.
    UnsetReadSource,
    /// `c`: the object is finished. Unsets the read source, too.
    Close,
    /// `B`: the object is the read source changed by a patch in the blob.
    BsPatch {
        /// Where the patch starts.
        offset: u64,
        /// Its bytes.
        size: u64,
    },
}

impl Op {
    /// The name in messages.
    pub fn name(&self) -> &'static str {
        match self {
            Op::SpliceMetadata { .. } | Op::SpliceFile { .. } => "open-splice-and-close",
            Op::Open { .. } => "open",
            Op::Write { .. } => "write",
            Op::SetReadSource { .. } => "set-read-source",
            Op::UnsetReadSource => "unset-read-source",
            Op::Close => "close",
            Op::BsPatch { .. } => "bspatch",
        }
    }

    /// Appends its bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let (code, numbers): (u8, &[u64]) = match self {
            Op::SpliceMetadata { size, offset } => (b'S', &[*size, *offset]),
            Op::SpliceFile {
                mode,
                xattrs,
                size,
                offset,
            } => (b'S', &[*mode, *xattrs, *size, *offset]),
            Op::Open { mode, xattrs, size } => (b'o', &[*mode, *xattrs, *size]),
            Op::Write { size, offset } => (b'w', &[*size, *offset]),
            Op::SetReadSource { offset } => (b'r', &[*offset]),
            Op::UnsetReadSource => (b'R', &[]),
            Op::Close => (b'c', &[]),
            Op::BsPatch { offset, size } => (b'B', &[*offset, *size]),
        };
        out.push(code);
        for n in numbers {
            varint::push(out, *n);
        }
    }
}

/// Longest operation: a code and four numbers.
const LONGEST: usize = 1 + 4 * varint::MAX_LEN;

/// Bytes read at a time from operations that are not in memory.
const WINDOW: u64 = 64 * 1024;

/// Reads operations. Those that lie in a file are read bit by bit.
#[derive(Clone, Debug)]
pub struct OpReader<'a> {
    bytes: Held<'a>,
    /// Where the first operation starts in what they are read from.
    start: u64,
    /// Where the next operation starts, and where all end; both from the first one on.
    at: u64,
    end: u64,
}

#[derive(Clone, Debug)]
enum Held<'a> {
    Memory(&'a [u8]),
    /// A file, some bytes of it, and where the first of these is.
    File(&'a Bytes, Vec<u8>, u64),
}

impl<'a> OpReader<'a> {
    /// Starts at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        OpReader {
            bytes: Held::Memory(bytes),
            start: 0,
            at: 0,
            end: bytes.len() as u64,
        }
    }

    /// Those in a range of other bytes.
    pub(crate) fn within(bytes: &'a Bytes, start: u64, end: u64) -> Self {
        let held = match bytes {
            Bytes::Memory(bytes) => Held::Memory(bytes),
            file @ Bytes::File(..) => Held::File(file, Vec::new(), 0),
        };
        OpReader {
            bytes: held,
            start,
            at: 0,
            end: end.saturating_sub(start),
        }
    }

    /// Where the next operation starts.
    pub fn position(&self) -> u64 {
        self.at
    }

    /// The bytes from the next operation on, at least all of it.
    fn ahead(&mut self) -> Result<&[u8]> {
        let (at, end) = (self.start + self.at, self.start + self.end);
        match &mut self.bytes {
            Held::Memory(bytes) => Ok(bytes.get(at as usize..end as usize).unwrap_or_default()),
            Held::File(file, window, first) => {
                let wanted = end.min(at.saturating_add(LONGEST as u64));
                if at < *first || wanted > *first + window.len() as u64 {
                    window.resize(WINDOW.min(end - at) as usize, 0);
                    file.read_exact_at(window, at)
                        .at(|| "reading a delta part".into())?;
                    *first = at;
                }
                Ok(&window[(at - *first) as usize..])
            }
        }
    }

    /// The next operation; `None` at the end. `object` is the type of the object it is about to make or making, on
    /// which the operands of `S` depend; `None` when all are made.
    ///
    /// # Errors
    /// An unknown code, operands that end early, an `S` without an object left.
    pub fn next(&mut self, object: Option<ObjectType>) -> Result<Option<Op>> {
        let at = self.at;
        let bytes = self.ahead()?;
        let Some((&code, operands)) = bytes.split_first() else {
            return Ok(None);
        };
        let mut used = 0;
        let mut number = || {
            varint::read(operands, &mut used)
                .ok_or_else(|| Error::malformed("Unexpected EOF reading varint"))
        };
        let op = match code {
            b'S' => match object {
                None => {
                    return Err(Error::malformed(
                        "opcode open-splice-and-close: more objects than the part announces",
                    ));
                }
                Some(ObjectType::File) => Op::SpliceFile {
                    mode: number()?,
                    xattrs: number()?,
                    size: number()?,
                    offset: number()?,
                },
                Some(_) => Op::SpliceMetadata {
                    size: number()?,
                    offset: number()?,
                },
            },
            b'o' => Op::Open {
                mode: number()?,
                xattrs: number()?,
                size: number()?,
            },
            b'w' => Op::Write {
                size: number()?,
                offset: number()?,
            },
            b'r' => Op::SetReadSource { offset: number()? },
            b'R' => Op::UnsetReadSource,
            b'c' => Op::Close,
            b'B' => Op::BsPatch {
                offset: number()?,
                size: number()?,
            },
            _ => {
                return Err(Error::malformed(format!(
                    "Unknown opcode {code} at offset {at}"
                )));
            }
        };
        self.at += 1 + used as u64;
        Ok(Some(op))
    }
}
