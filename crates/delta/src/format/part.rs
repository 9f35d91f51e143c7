//! The payload of a part: `(a(uuu)aa(ayay)ayay)`, owners and modes, sets of attributes, a blob, operations.
//!
//! A payload may be large: it stays where it is, and all of it is read in pieces, so that no claim costs memory.

use super::ops::OpReader;
use crate::error::{Context, Error, Result};
use crate::spool::Bytes;
use osier_gv::frame::ArrayWriter;
use osier_object::header::S_IFMT;
use osier_object::{FileHeader, Xattrs};
use std::io;

/// Owner and mode, of which many files have the same: `(uuu)`, big-endian.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Owner {
    /// Owner
    pub uid: u32,
    /// Group
    pub gid: u32,
    /// Type and permissions
    pub mode: u32,
}

/// An unpacked part.
#[derive(Debug)]
pub struct Part {
    bytes: Bytes,
    owners: u64,
    xattrs: Sets,
    blob: u64,
    blob_size: u64,
    ops_end: u64,
}

const OWNER_SIZE: u64 = 12;

/// Most bytes that the attributes of one file may take here. What file systems keep is far from it.
const MAX_XATTRS: u64 = 16 * 1024 * 1024;

/// Offsets checked at a time.
const OFFSETS: u64 = 8 * 1024;

/// Where the sets of attributes lie: `aa(ayay)`.
#[derive(Clone, Copy, Debug)]
struct Sets {
    from: u64,
    /// Bytes of the sets themselves; offsets follow.
    body: u64,
    width: u64,
    count: u64,
}

impl Sets {
    /// Checks all offsets.
    fn decode(bytes: &Bytes, from: u64, to: u64) -> Result<Sets> {
        let size = to - from;
        if size == 0 {
            return Ok(Sets {
                from,
                body: 0,
                width: 1,
                count: 0,
            });
        }
        let width = offset_width(size);
        let body = offset(bytes, to - width.min(size), width)?;
        let count = match size.checked_sub(body) {
            Some(offsets) if offsets > 0 && offsets.is_multiple_of(width) => offsets / width,
            _ => return Err(bad("offsets do not fit the attributes")),
        };
        if count > 0 && writing_width(body, count) != width {
            return Err(bad("the attributes' offsets are wider than needed"));
        }
        let sets = Sets {
            from,
            body,
            width,
            count,
        };
        let mut last = 0;
        let mut index = 0;
        while index < count {
            let n = OFFSETS.min(count - index);
            let table = bytes
                .read_range(from + body + index * width, n * width)
                .at(reading)?;
            for raw in table.chunks_exact(width as usize) {
                let end = little(raw);
                if end < last || end > body {
                    return Err(bad("the attributes' offsets are not ascending"));
                }
                last = end;
            }
            index += n;
        }
        Ok(sets)
    }

    fn get(&self, bytes: &Bytes, index: u64) -> Result<Xattrs> {
        let end_of = |index: u64| {
            offset(
                bytes,
                self.from + self.body + index * self.width,
                self.width,
            )
        };
        let start = match index.checked_sub(1) {
            Some(before) => end_of(before)?,
            None => 0,
        };
        let size = end_of(index)?.saturating_sub(start);
        if size > MAX_XATTRS {
            return Err(Error::malformed(format!(
                "attributes in a delta part take {size} bytes"
            )));
        }
        let set = bytes.read_range(self.from + start, size).at(reading)?;
        Xattrs::decode(&set).map_err(|e| Error::malformed(e.to_string()))
    }
}

impl Part {
    /// Takes a payload apart.
    ///
    /// # Errors
    /// When its frame is not in normal form.
    pub fn decode(bytes: Bytes) -> Result<Part> {
        let size = bytes.len();
        // Three offsets stand at the end, the first member's last.
        let width = offset_width(size);
        let body = size
            .checked_sub(3 * width)
            .ok_or_else(|| bad("it is too short"))?;
        if writing_width(body, 3) != width {
            return Err(bad("its offsets are wider than needed"));
        }
        let end = |index: u64| offset(&bytes, body + index * width, width);
        let (owners_end, xattrs_end, blob_end) = (end(2)?, end(1)?, end(0)?);
        if owners_end > xattrs_end || xattrs_end > blob_end || blob_end > body {
            return Err(bad("its offsets are not ascending"));
        }
        if !owners_end.is_multiple_of(OWNER_SIZE) {
            return Err(bad("its modes have no whole number"));
        }
        Ok(Part {
            owners: owners_end / OWNER_SIZE,
            xattrs: Sets::decode(&bytes, owners_end, xattrs_end)?,
            blob: xattrs_end,
            blob_size: blob_end - xattrs_end,
            ops_end: body,
            bytes,
        })
    }

    /// Number of different owners and modes.
    pub fn owners(&self) -> u64 {
        self.owners
    }

    /// Number of different sets of attributes.
    pub fn xattr_sets(&self) -> u64 {
        self.xattrs.count
    }

    /// Bytes of the blob.
    pub fn blob_size(&self) -> u64 {
        self.blob_size
    }

    /// Bytes of the operations.
    pub fn ops_size(&self) -> u64 {
        self.ops_end - self.blob - self.blob_size
    }

    /// The operations.
    pub fn ops(&self) -> OpReader<'_> {
        OpReader::within(&self.bytes, self.blob + self.blob_size, self.ops_end)
    }

    /// Some of the operations: those from one position to another.
    pub(crate) fn ops_between(&self, from: u64, to: u64) -> OpReader<'_> {
        let start = self.blob + self.blob_size;
        OpReader::within(&self.bytes, start + from, start + to)
    }

    /// The header of a file from its numbers in the dictionaries. A symbolic link's target is yet to be set.
    ///
    /// # Errors
    /// For numbers outside the dictionaries, attributes that are none, and a mode that is neither a regular file's nor a
    /// symbolic link's.
    pub fn header(&self, owner: u64, xattrs: u64) -> Result<FileHeader> {
        let within = |index: u64, count: u64, what: &str| match index < count {
            true => Ok(index),
            false => Err(Error::malformed(format!(
                "Invalid {what} index {index} of {count}"
            ))),
        };
        let at = within(owner, self.owners, "mode")? * OWNER_SIZE;
        let raw = self.bytes.read_range(at, OWNER_SIZE).at(reading)?;
        let number = |at: usize| {
            let mut n = [0u8; 4];
            n.copy_from_slice(&raw[at..at + 4]);
            u32::from_be_bytes(n)
        };
        let (uid, gid, mode) = (number(0), number(4), number(8));
        let xattrs = within(xattrs, self.xattrs.count, "xattr")?;
        let header = FileHeader {
            uid,
            gid,
            mode,
            symlink_target: None,
            xattrs: self.xattrs.get(&self.bytes, xattrs)?,
        };
        let known = osier_object::header::is_regular(mode) || header.is_symlink();
        if !known || mode & !(S_IFMT | 0o7777) != 0 {
            return Err(Error::malformed(format!("Invalid mode {mode}")));
        }
        Ok(header)
    }

    /// Checks that a range is in the blob.
    ///
    /// # Errors
    /// `Invalid offset/length`.
    pub fn check_range(&self, offset: u64, size: u64) -> Result<()> {
        match offset.checked_add(size) {
            Some(end) if end <= self.blob_size => Ok(()),
            _ => Err(Error::malformed(format!(
                "Invalid offset/length {offset}/{size}"
            ))),
        }
    }

    /// Fills `buf` with bytes of the blob.
    pub fn read_blob(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        match offset.checked_add(buf.len() as u64) {
            Some(end) if end <= self.blob_size => self.bytes.read_exact_at(buf, self.blob + offset),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

fn reading() -> String {
    "reading a delta part".to_owned()
}

fn bad(text: &str) -> Error {
    Error::malformed(format!("Not normal form: delta part payload: {text}"))
}

/// Bytes of an offset in a container that takes `size` bytes.
fn offset_width(size: u64) -> u64 {
    match size {
        0..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xffff_ffff => 4,
        _ => 8,
    }
}

/// Bytes of an offset as it is written behind `body` bytes with `count` of them.
fn writing_width(body: u64, count: u64) -> u64 {
    match body {
        n if n.saturating_add(count) <= 0xff => 1,
        n if n.saturating_add(2 * count) <= 0xffff => 2,
        n if n.saturating_add(4 * count) <= 0xffff_ffff => 4,
        _ => 8,
    }
}

fn offset(bytes: &Bytes, at: u64, width: u64) -> Result<u64> {
    Ok(little(&bytes.read_range(at, width).at(reading)?))
}

fn little(raw: &[u8]) -> u64 {
    let mut n = [0u8; 8];
    n[..raw.len()].copy_from_slice(raw);
    u64::from_le_bytes(n)
}

/// What a payload is made of, for its writer.
#[derive(Debug, Default)]
pub struct Dictionaries {
    owners: Vec<Owner>,
    xattrs: Vec<Xattrs>,
    owner_numbers: std::collections::HashMap<Owner, u64>,
    xattr_numbers: std::collections::HashMap<Xattrs, u64>,
    xattr_bytes: u64,
}

impl Dictionaries {
    /// The numbers of a file's owner and mode and of its attributes.
    pub fn numbers(&mut self, header: &FileHeader) -> (u64, u64) {
        let owner = Owner {
            uid: header.uid,
            gid: header.gid,
            mode: header.mode,
        };
        let owners = &mut self.owners;
        let owner = *self.owner_numbers.entry(owner).or_insert_with(|| {
            owners.push(owner);
            owners.len() as u64 - 1
        });
        if let Some(n) = self.xattr_numbers.get(&header.xattrs) {
            return (owner, *n);
        }
        let n = self.xattrs.len() as u64;
        self.xattr_bytes += header.xattrs.encode().len() as u64;
        self.xattrs.push(header.xattrs.clone());
        self.xattr_numbers.insert(header.xattrs.clone(), n);
        (owner, n)
    }

    /// Bytes they take, but for framing.
    pub fn size(&self) -> u64 {
        self.owners.len() as u64 * OWNER_SIZE + self.xattr_bytes
    }

    /// Writes a payload: these dictionaries, the blob, the operations.
    ///
    /// # Errors
    /// When reading the blob or writing fails.
    pub fn write_payload(
        &self,
        blob: &Bytes,
        ops: &[u8],
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        let mut owners = Vec::new();
        for owner in &self.owners {
            for n in [owner.uid, owner.gid, owner.mode] {
                owners.extend_from_slice(&n.to_be_bytes());
            }
        }
        let mut sets = ArrayWriter::new(1);
        for set in &self.xattrs {
            sets.push(&set.encode());
        }
        let sets = sets.finish();
        out.write_all(&owners)?;
        out.write_all(&sets)?;
        let mut buf = vec![0u8; 256 * 1024];
        let mut at = 0;
        while at < blob.len() {
            let n = buf.len().min((blob.len() - at) as usize);
            blob.read_exact_at(&mut buf[..n], at)?;
            out.write_all(&buf[..n])?;
            at += n as u64;
        }
        out.write_all(ops)?;
        let ends = [
            owners.len() as u64 + sets.len() as u64 + blob.len(),
            (owners.len() + sets.len()) as u64,
            owners.len() as u64,
        ];
        let body = ends[0] + ops.len() as u64;
        let width = writing_width(body, 3);
        for end in ends {
            out.write_all(&end.to_le_bytes()[..width as usize])?;
        }
        Ok(())
    }
}
