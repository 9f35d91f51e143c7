//! The operations of a part. They make the part's objects one after another, in the order of its header.

use super::varint;
use crate::error::{Error, Result};
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

/// Reads operations from bytes.
#[derive(Clone, Debug)]
pub struct OpReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> OpReader<'a> {
    /// Starts at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        OpReader { bytes, at: 0 }
    }

    /// Where the next operation starts.
    pub fn position(&self) -> usize {
        self.at
    }

    /// The next operation; `None` at the end. `object` is the type of the object it is about to make or making, on
    /// which the operands of `S` depend; `None` when all are made.
    ///
    /// # Errors
    /// An unknown code, operands that end early, an `S` without an object left.
    pub fn next(&mut self, object: Option<ObjectType>) -> Result<Option<Op>> {
        let start = self.at;
        let Some(&code) = self.bytes.get(start) else {
            return Ok(None);
        };
        self.at += 1;
        let op = match code {
            b'S' => match object {
                None => {
                    return Err(Error::malformed(
                        "opcode open-splice-and-close: more objects than the part announces",
                    ));
                }
                Some(ObjectType::File) => Op::SpliceFile {
                    mode: self.number()?,
                    xattrs: self.number()?,
                    size: self.number()?,
                    offset: self.number()?,
                },
                Some(_) => Op::SpliceMetadata {
                    size: self.number()?,
                    offset: self.number()?,
                },
            },
            b'o' => Op::Open {
                mode: self.number()?,
                xattrs: self.number()?,
                size: self.number()?,
            },
            b'w' => Op::Write {
                size: self.number()?,
                offset: self.number()?,
            },
            b'r' => Op::SetReadSource {
                offset: self.number()?,
            },
            b'R' => Op::UnsetReadSource,
            b'c' => Op::Close,
            b'B' => Op::BsPatch {
                offset: self.number()?,
                size: self.number()?,
            },
            _ => {
                return Err(Error::malformed(format!(
                    "Unknown opcode {code} at offset {start}"
                )));
            }
        };
        Ok(Some(op))
    }

    fn number(&mut self) -> Result<u64> {
        varint::read(self.bytes, &mut self.at)
            .ok_or_else(|| Error::malformed("Unexpected EOF reading varint"))
    }
}
