//! Entries of the commit metadata `ostree.sizes`, `aay`.
//!
//! An entry is the object's 32-byte checksum, two sizes as LEB128 and the object type's number
//! (missing in old entries, which are all files).

use osier_gv::Value;

use crate::{Checksum, Error, ObjectName, ObjectType};

/// Sizes of one object.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct SizeEntry {
    /// The object: a file, dirtree or dirmeta
    pub name: ObjectName,
    /// Bytes in an archive repository: of the `.filez`, or of the metadata object
    pub archived: u64,
    /// Bytes of the unpacked file (a symlink's target), or of the metadata object
    pub unpacked: u64,
}

impl SizeEntry {
    /// The entry's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(Checksum::LEN + 11);
        out.extend_from_slice(self.name.checksum.as_bytes());
        push_varint(&mut out, self.archived);
        push_varint(&mut out, self.unpacked);
        out.push(self.name.ty as u8);
        out
    }

    /// Reads an entry.
    ///
    /// # Errors
    /// [`Error::Content`] when it is too short, too long or names an unknown type.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let broken = || Error::content("malformed entry in ostree.sizes");
        let (checksum, rest) = bytes.split_at_checked(Checksum::LEN).ok_or_else(broken)?;
        let (archived, rest) = read_varint(rest).ok_or_else(broken)?;
        let (unpacked, rest) = read_varint(rest).ok_or_else(broken)?;
        let ty = match rest {
            [] => ObjectType::File,
            [id] => ObjectType::from_id(*id).ok_or_else(broken)?,
            _ => return Err(broken()),
        };
        Ok(SizeEntry {
            name: ObjectName::new(Checksum::from_bytes(checksum)?, ty),
            archived,
            unpacked,
        })
    }
}

/// The metadata value `aay` of all entries, sorted by checksum.
pub fn encode(entries: impl IntoIterator<Item = SizeEntry>) -> Value {
    let mut entries: Vec<SizeEntry> = entries.into_iter().collect();
    entries.sort_by_key(|entry| entry.name.checksum);
    Value::bytes_list(entries.iter().map(SizeEntry::encode))
}

/// Reads the metadata value.
///
/// # Errors
/// [`Error::Content`] for a value of another type or a malformed entry.
pub fn decode(value: &Value) -> Result<Vec<SizeEntry>, Error> {
    let wrong = || Error::content("ostree.sizes is not of type aay");
    let Value::Array(element, items) = value else {
        return Err(wrong());
    };
    if element.as_str() != "ay" {
        return Err(wrong());
    }
    items
        .iter()
        .map(|item| SizeEntry::decode(item.as_bytes().ok_or_else(wrong)?))
        .collect()
}

/// Appends `n` as unsigned LEB128: seven bits a byte, lowest first.
pub fn push_varint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// Reads an unsigned LEB128 of at most ten bytes and returns what follows it. Bits past the 64th
/// are an error.
pub fn read_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut n = 0u64;
    for (index, &byte) in bytes.iter().enumerate().take(10) {
        let bits = u64::from(byte & 0x7f);
        if index == 9 && bits > 1 {
            return None;
        }
        n |= bits << (7 * index);
        if byte & 0x80 == 0 {
            return Some((n, &bytes[index + 1..]));
        }
    }
    None
}
