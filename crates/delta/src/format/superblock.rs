//! The superblock: what a delta leads to, its parts, and what must be fetched as single objects.
//!
//! Type `(a{sv}tayay(a{sv}aya(say)sstayay)aya(uayttay)a(yaytt))`: metadata, time (big-endian, UTC seconds), FROM (empty
//! or 32 bytes), TO, the commit object TO as it is, deltas that must be applied before (64 bytes each), parts, fallbacks.

use super::BYTES;
use crate::error::{Error, Result};
use osier_gv::frame::{self, ArrayWriter, Member, TupleWriter};
use osier_gv::{Dict, Type, check_normal_form};
use osier_object::{Checksum, Commit, CommitId, ObjectName, ObjectType, hash};
use osier_store::static_deltas::DeltaName;
use std::fmt;
use std::ops::Range;

/// Largest superblock that is fetched from elsewhere, and largest one without parts inside.
pub const MAX_SIZE: u64 = 128 * 1024 * 1024;

/// Metadata key, `y`: `l` or `B`, the order of the numbers of parts and fallbacks.
pub const ENDIANNESS: &str = "ostree.endianness";

/// Bytes of an object in a part's list: type, checksum.
const RECORD: usize = 33;

/// An order of bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Endianness {
    /// Least significant first
    Little,
    /// Most significant first
    Big,
}

impl Endianness {
    /// This machine's.
    pub const HOST: Endianness = match cfg!(target_endian = "little") {
        true => Endianness::Little,
        false => Endianness::Big,
    };

    /// The other one.
    #[must_use]
    pub fn swapped(self) -> Endianness {
        match self {
            Endianness::Little => Endianness::Big,
            Endianness::Big => Endianness::Little,
        }
    }

    /// The letter that stands for it.
    pub fn letter(self) -> u8 {
        match self {
            Endianness::Little => b'l',
            Endianness::Big => b'B',
        }
    }

    fn u32(self, bytes: &[u8]) -> u32 {
        let raw = bytes.try_into().unwrap_or_default();
        match self {
            Endianness::Little => u32::from_le_bytes(raw),
            Endianness::Big => u32::from_be_bytes(raw),
        }
    }

    fn u64(self, bytes: &[u8]) -> u64 {
        let raw = bytes.try_into().unwrap_or_default();
        match self {
            Endianness::Little => u64::from_le_bytes(raw),
            Endianness::Big => u64::from_be_bytes(raw),
        }
    }

    fn put_u32(self, n: u32) -> [u8; 4] {
        match self {
            Endianness::Little => n.to_le_bytes(),
            Endianness::Big => n.to_be_bytes(),
        }
    }

    fn put_u64(self, n: u64) -> [u8; 8] {
        match self {
            Endianness::Little => n.to_le_bytes(),
            Endianness::Big => n.to_be_bytes(),
        }
    }
}

/// How the order of a superblock's numbers is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ByteOrder {
    /// The superblock says so.
    Stated(Endianness),
    /// It does not (those of 2016 and before), and its sizes make sense only this way.
    Guessed(Endianness),
    /// It does not, and its sizes make sense in this machine's order, in which they are read.
    Unknown,
}

impl ByteOrder {
    /// The order to read in.
    pub fn endianness(self) -> Endianness {
        match self {
            ByteOrder::Stated(e) | ByteOrder::Guessed(e) => e,
            ByteOrder::Unknown => Endianness::HOST,
        }
    }
}

impl fmt::Display for ByteOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |e: &Endianness| match e {
            Endianness::Little => "little",
            Endianness::Big => "big",
        };
        match self {
            ByteOrder::Stated(e) => f.write_str(name(e)),
            ByteOrder::Guessed(e) => write!(f, "{} (heuristic)", name(e)),
            ByteOrder::Unknown => f.write_str("invalid"),
        }
    }
}

/// What the superblock says of a part.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PartHeader {
    /// Version of its format; 0 is the only one there is.
    pub version: u32,
    /// SHA-256 of the part file.
    pub checksum: Checksum,
    /// Bytes of the part file.
    pub size: u64,
    /// Bytes of the objects it makes, unpacked.
    pub unpacked: u64,
    /// The objects, in the order its operations make them.
    pub objects: Vec<ObjectName>,
}

/// An object that the delta leaves out, to be fetched by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fallback {
    /// The object.
    pub name: ObjectName,
    /// Bytes of its file in the repository that made the delta.
    pub stored: u64,
    /// Bytes of its content.
    pub unpacked: u64,
}

/// A decoded superblock.
#[derive(Clone, Debug)]
pub struct Superblock {
    bytes: Vec<u8>,
    metadata: Range<usize>,
    commit: Range<usize>,
    /// UTC seconds of its making.
    pub timestamp: u64,
    /// Which delta it is.
    pub name: DeltaName,
    /// Number of deltas it says must be applied before. Nothing writes any.
    pub prerequisites: usize,
    /// In which order its numbers were.
    pub order: ByteOrder,
    /// The parts.
    pub parts: Vec<PartHeader>,
    /// What is not in the parts.
    pub fallbacks: Vec<Fallback>,
}

impl Superblock {
    /// Reads a plain superblock (see [`super::signed::open`] for the other kind).
    ///
    /// # Errors
    /// When it is not in normal form, a checksum or type is none, or the commit is not the one it leads to.
    pub fn decode(bytes: Vec<u8>) -> Result<Superblock> {
        let b = BYTES;
        let v = Member::VARIANT;
        let [
            metadata,
            time,
            from,
            to,
            commit,
            prerequisites,
            parts,
            fallbacks,
        ] = frame::tuple(&bytes, [v, Member::U64, b, b, v, b, v, v]).map_err(bad)?;
        check_normal_form(&Type::parse("a{sv}").map_err(bad)?, metadata).map_err(bad)?;
        let name = DeltaName {
            from: match from {
                [] => None,
                from => Some(CommitId(checksum(from)?)),
            },
            to: CommitId(checksum(to)?),
        };
        Commit::decode(commit).map_err(|e| Error::malformed(format!("delta superblock: {e}")))?;
        let actual = hash(commit);
        if actual != name.to.0 {
            return Err(Error::malformed(format!(
                "Corrupted commit object; checksum expected='{}' actual='{actual}'",
                name.to
            )));
        }
        if !prerequisites.len().is_multiple_of(64) {
            return Err(Error::malformed(format!(
                "delta superblock: {} bytes of prerequisites are no whole number",
                prerequisites.len()
            )));
        }
        let raw_parts = raw_parts(parts)?;
        let raw_fallbacks = frame::array(fallbacks, 8)
            .map_err(bad)?
            .map(|f| frame::tuple(f, [Member::BYTE, b, Member::U64, Member::U64]).map_err(bad))
            .collect::<Result<Vec<_>>>()?;
        let order = byte_order(metadata, &raw_parts)?;
        let e = order.endianness();
        let parts = raw_parts
            .iter()
            .map(|part| part.decode(e))
            .collect::<Result<_>>()?;
        let fallbacks = raw_fallbacks
            .into_iter()
            .map(|[ty, sum, stored, unpacked]| {
                Ok(Fallback {
                    name: object_name(ty[0], sum)?,
                    stored: e.u64(stored),
                    unpacked: e.u64(unpacked),
                })
            })
            .collect::<Result<_>>()?;
        let within = |slice: &[u8]| {
            let start = slice.as_ptr() as usize - bytes.as_ptr() as usize;
            start..start + slice.len()
        };
        Ok(Superblock {
            metadata: within(metadata),
            commit: within(commit),
            timestamp: Endianness::Big.u64(time),
            name,
            prerequisites: prerequisites.len() / 64,
            order,
            parts,
            fallbacks,
            bytes,
        })
    }

    /// The bytes of the commit object it leads to. They hash to its name.
    pub fn commit(&self) -> &[u8] {
        &self.bytes[self.commit.clone()]
    }

    /// The metadata entry of that name: its bytes and type.
    fn metadata(&self, key: &str) -> Option<(&[u8], &str)> {
        metadata_entry(&self.bytes[self.metadata.clone()], key)
    }

    /// The part file of that number, if it is inside the superblock.
    ///
    /// # Errors
    /// When what is in its place has another type.
    pub fn inline_part(&self, index: usize) -> Result<Option<&[u8]>> {
        let key = format!("{}/{index}", self.name.path());
        match self.metadata(&key) {
            None => Ok(None),
            Some((bytes, "(yay)")) => Ok(Some(bytes)),
            Some((_, ty)) => Err(Error::malformed(format!(
                "delta part {key} in the superblock has type '{ty}'"
            ))),
        }
    }

    /// The detached metadata of the commit it leads to, `a{sv}`.
    ///
    /// # Errors
    /// When what is in its place has another type.
    pub fn commitmeta(&self) -> Result<Option<&[u8]>> {
        match self.metadata(&commitmeta_key(&self.name)) {
            None => Ok(None),
            Some((bytes, "a{sv}")) => Ok(Some(bytes)),
            Some((_, ty)) => Err(Error::malformed(format!(
                "detached metadata in the superblock has type '{ty}'"
            ))),
        }
    }
}

/// Metadata key of the detached metadata of the commit a delta leads to.
pub fn commitmeta_key(name: &DeltaName) -> String {
    format!("{}/commitmeta", name.path())
}

/// What a superblock is made from.
#[derive(Debug)]
pub struct NewSuperblock<'a> {
    /// All metadata, with the order of bytes.
    pub metadata: &'a Dict,
    /// UTC seconds.
    pub timestamp: u64,
    /// Which delta it is.
    pub name: DeltaName,
    /// The commit object.
    pub commit: &'a [u8],
    /// Order to write numbers in.
    pub endianness: Endianness,
    /// Parts
    pub parts: &'a [PartHeader],
    /// Fallbacks
    pub fallbacks: &'a [Fallback],
}

impl NewSuperblock<'_> {
    /// The file's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let e = self.endianness;
        let mut parts = ArrayWriter::new(8);
        for part in self.parts {
            let mut objects = Vec::with_capacity(part.objects.len() * RECORD);
            for name in &part.objects {
                objects.push(name.ty as u8);
                objects.extend_from_slice(name.checksum.as_bytes());
            }
            let mut out = TupleWriter::new();
            out.fixed(4, &e.put_u32(part.version))
                .variable(1, part.checksum.as_bytes())
                .fixed(8, &e.put_u64(part.size))
                .fixed(8, &e.put_u64(part.unpacked))
                .variable(1, &objects);
            parts.push(&out.finish());
        }
        let mut fallbacks = ArrayWriter::new(8);
        for fallback in self.fallbacks {
            let mut out = TupleWriter::new();
            out.fixed(1, &[fallback.name.ty as u8])
                .variable(1, fallback.name.checksum.as_bytes())
                .fixed(8, &e.put_u64(fallback.stored))
                .fixed(8, &e.put_u64(fallback.unpacked));
            fallbacks.push(&out.finish());
        }
        let from = self.name.from.as_ref();
        let mut out = TupleWriter::new();
        out.variable(8, &self.metadata.encode())
            .fixed(8, &self.timestamp.to_be_bytes())
            .variable(1, from.map_or(&[][..], |id| id.0.as_bytes()))
            .variable(1, self.name.to.0.as_bytes())
            .variable(8, self.commit)
            .variable(1, &[])
            .variable(8, &parts.finish())
            .variable(8, &fallbacks.finish());
        out.finish()
    }
}

/// A part's header before the order of its numbers is known.
struct RawPart<'a> {
    version: &'a [u8],
    checksum: &'a [u8],
    size: &'a [u8],
    unpacked: &'a [u8],
    objects: &'a [u8],
}

fn raw_parts(bytes: &[u8]) -> Result<Vec<RawPart<'_>>> {
    let members = [Member::U32, BYTES, Member::U64, Member::U64, BYTES];
    frame::array(bytes, 8)
        .map_err(bad)?
        .map(|part| {
            let [version, checksum, size, unpacked, objects] =
                frame::tuple(part, members).map_err(bad)?;
            Ok(RawPart {
                version,
                checksum,
                size,
                unpacked,
                objects,
            })
        })
        .collect()
}

impl RawPart<'_> {
    fn decode(&self, e: Endianness) -> Result<PartHeader> {
        if !self.objects.len().is_multiple_of(RECORD) {
            return Err(Error::malformed(format!(
                "Invalid checksum array length {}",
                self.objects.len()
            )));
        }
        Ok(PartHeader {
            version: e.u32(self.version),
            checksum: checksum(self.checksum)?,
            size: e.u64(self.size),
            unpacked: e.u64(self.unpacked),
            objects: self
                .objects
                .chunks_exact(RECORD)
                .map(|record| object_name(record[0], &record[1..]))
                .collect::<Result<_>>()?,
        })
    }
}

fn byte_order(metadata: &[u8], parts: &[RawPart<'_>]) -> Result<ByteOrder> {
    match metadata_entry(metadata, ENDIANNESS) {
        Some((b"l", "y")) => return Ok(ByteOrder::Stated(Endianness::Little)),
        Some((b"B", "y")) => return Ok(ByteOrder::Stated(Endianness::Big)),
        Some((_, "y")) => return Ok(ByteOrder::Unknown),
        Some((_, ty)) => {
            return Err(Error::malformed(format!(
                "{ENDIANNESS} of the superblock has type '{ty}'"
            )));
        }
        None => {}
    }
    let host = Endianness::HOST;
    let (mut total, mut objects) = (0u64, 0u64);
    let mut odd = false;
    for part in parts {
        let (size, unpacked) = (host.u64(part.size), host.u64(part.unpacked));
        // Packing never makes a part much larger.
        odd |= size as f64 / unpacked as f64 > 1.2;
        total = total.saturating_add(unpacked);
        objects += (part.objects.len() / RECORD) as u64;
    }
    // Objects of 4 GiB on average are none that anybody has.
    odd |= objects > 0 && total / objects > u64::from(u32::MAX);
    Ok(match odd {
        true => ByteOrder::Guessed(host.swapped()),
        false => ByteOrder::Unknown,
    })
}

/// The first entry of that key in an `a{sv}` in normal form.
fn metadata_entry<'a>(dict: &'a [u8], wanted: &str) -> Option<(&'a [u8], &'a str)> {
    for entry in frame::array(dict, 8).ok()? {
        let [key, value] = frame::tuple(entry, [BYTES, Member::VARIANT]).ok()?;
        if frame::str(key).ok()? == wanted {
            return frame::variant(value).ok();
        }
    }
    None
}

fn object_name(ty: u8, sum: &[u8]) -> Result<ObjectName> {
    let ty = match ty {
        1..=4 => ObjectType::from_id(ty),
        _ => None,
    }
    .ok_or_else(|| Error::malformed(format!("Invalid object type '{ty}'")))?;
    Ok(ObjectName {
        checksum: checksum(sum)?,
        ty,
    })
}

fn checksum(bytes: &[u8]) -> Result<Checksum> {
    Checksum::from_bytes(bytes).map_err(|e| Error::malformed(e.to_string()))
}

fn bad(e: osier_gv::Error) -> Error {
    Error::malformed(format!("Not normal form: delta superblock: {e}"))
}
