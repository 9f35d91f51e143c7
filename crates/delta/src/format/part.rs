//! The payload of a part: `(a(uuu)aa(ayay)ayay)`, owners and modes, sets of attributes, a blob, operations.
//!
//! A payload may be large, its blob always is the most of it: everything else is taken into memory and checked, the blob
//! stays where it is and is read in pieces.

use crate::error::{Context, Error, Result};
use crate::spool::Bytes;
use osier_gv::frame::{self, ArrayWriter};
use osier_object::header::S_IFMT;
use osier_object::{FileHeader, MAX_METADATA_SIZE, Xattrs};
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
    owners: Vec<Owner>,
    xattrs: Vec<Xattrs>,
    blob: u64,
    blob_size: u64,
    ops: Vec<u8>,
}

const OWNER_SIZE: u64 = 12;

impl Part {
    /// Takes a payload apart.
    ///
    /// # Errors
    /// When it is not in normal form, or more than its blob is large.
    pub fn decode(bytes: Bytes) -> Result<Part> {
        let bad =
            |text: &str| Error::malformed(format!("Not normal form: delta part payload: {text}"));
        let size = bytes.len();
        // Three offsets stand at the end, the first member's last.
        let width: u64 = match size {
            0..=0xff => 1,
            0x100..=0xffff => 2,
            0x1_0000..=0xffff_ffff => 4,
            _ => 8,
        };
        let body = size
            .checked_sub(3 * width)
            .ok_or_else(|| bad("it is too short"))?;
        let narrower = match width {
            1 => false,
            2 => body + 3 <= 0xff,
            4 => body + 6 <= 0xffff,
            _ => body + 12 <= 0xffff_ffff,
        };
        if narrower {
            return Err(bad("its offsets are wider than needed"));
        }
        let reading = || "reading a delta part".to_owned();
        let table = bytes.read_range(body, 3 * width).at(reading)?;
        let end = |index: usize| {
            let mut raw = [0u8; 8];
            let width = width as usize;
            raw[..width].copy_from_slice(&table[index * width..][..width]);
            u64::from_le_bytes(raw)
        };
        let (owners_end, xattrs_end, blob_end) = (end(2), end(1), end(0));
        if owners_end > xattrs_end || xattrs_end > blob_end || blob_end > body {
            return Err(bad("its offsets are not ascending"));
        }
        let member = |from: u64, to: u64, what: &str| {
            if to - from > MAX_METADATA_SIZE {
                return Err(Error::malformed(format!(
                    "{what} of a delta part take {} bytes",
                    to - from
                )));
            }
            bytes.read_range(from, to - from).at(reading)
        };
        let owners = member(0, owners_end, "owners and modes")?;
        if !owners_end.is_multiple_of(OWNER_SIZE) {
            return Err(bad("its modes have no whole number"));
        }
        let owners = owners
            .chunks_exact(OWNER_SIZE as usize)
            .map(|raw| {
                let number = |at: usize| {
                    let mut n = [0u8; 4];
                    n.copy_from_slice(&raw[at..at + 4]);
                    u32::from_be_bytes(n)
                };
                Owner {
                    uid: number(0),
                    gid: number(4),
                    mode: number(8),
                }
            })
            .collect();
        let sets = member(owners_end, xattrs_end, "attributes")?;
        let xattrs = frame::array(&sets, 1)
            .map_err(|e| bad(&e.to_string()))?
            .map(|set| Xattrs::decode(set).map_err(|e| Error::malformed(e.to_string())))
            .collect::<Result<_>>()?;
        let ops = member(blob_end, body, "operations")?;
        Ok(Part {
            owners,
            xattrs,
            blob: xattrs_end,
            blob_size: blob_end - xattrs_end,
            ops,
            bytes,
        })
    }

    /// Number of different owners and modes.
    pub fn owners(&self) -> usize {
        self.owners.len()
    }

    /// Number of different sets of attributes.
    pub fn xattr_sets(&self) -> usize {
        self.xattrs.len()
    }

    /// Bytes of the blob.
    pub fn blob_size(&self) -> u64 {
        self.blob_size
    }

    /// The operations.
    pub fn ops(&self) -> &[u8] {
        &self.ops
    }

    /// The header of a file from its numbers in the dictionaries. A symbolic link's target is yet to be set.
    ///
    /// # Errors
    /// For numbers outside the dictionaries, and a mode that is neither a regular file's nor a symbolic link's.
    pub fn header(&self, owner: u64, xattrs: u64) -> Result<FileHeader> {
        fn get<'a, T>(from: &'a [T], index: u64, what: &str) -> Result<&'a T> {
            usize::try_from(index)
                .ok()
                .and_then(|i| from.get(i))
                .ok_or_else(|| {
                    Error::malformed(format!("Invalid {what} index {index} of {}", from.len()))
                })
        }
        let owner = get(&self.owners, owner, "mode")?;
        let header = FileHeader {
            uid: owner.uid,
            gid: owner.gid,
            mode: owner.mode,
            symlink_target: None,
            xattrs: get(&self.xattrs, xattrs, "xattr")?.clone(),
        };
        let known = osier_object::header::is_regular(owner.mode) || header.is_symlink();
        if !known || owner.mode & !(S_IFMT | 0o7777) != 0 {
            return Err(Error::malformed(format!("Invalid mode {}", owner.mode)));
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
        let width = match body {
            n if n + 3 <= 0xff => 1,
            n if n + 6 <= 0xffff => 2,
            n if n + 12 <= 0xffff_ffff => 4,
            _ => 8,
        };
        for end in ends {
            out.write_all(&end.to_le_bytes()[..width])?;
        }
        Ok(())
    }
}
