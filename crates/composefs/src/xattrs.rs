//! The extended attributes of all inodes: which are shared, and how they are written.

use crate::Error;
use crate::tree::shown;
use std::collections::HashMap;
use xxhash_rust::xxh32::xxh32;

/// Bytes of an inode's attribute header.
const HEADER: usize = 12;

/// Seed of EROFS's attribute filter.
const FILTER_SEED: u32 = 0x25BB_E08F;

/// Name prefixes that are written as one byte; what has none of them is number 0, with its whole name.
const PREFIXES: [(u8, &[u8]); 5] = [
    (1, b"user."),
    (2, b"system.posix_acl_access"),
    (3, b"system.posix_acl_default"),
    (4, b"trusted."),
    (6, b"security."),
];

/// Name and value.
type Pair = (Vec<u8>, Vec<u8>);

/// Every name with value once.
#[derive(Debug, Default)]
pub(crate) struct XattrTable {
    ids: HashMap<Pair, u32>,
    uses: Vec<u32>,
    sealed: Vec<Xattr>,
    /// Those that several inodes have, in the order in which they are written.
    shared: Vec<u32>,
    pub(crate) has_acl: bool,
}

#[derive(Debug)]
struct Xattr {
    bytes: Vec<u8>,
    /// What it adds to the filter.
    filter: u32,
    /// Its place among the shared ones, in units of 4 bytes.
    shared_at: Option<u32>,
}

impl XattrTable {
    /// Notes the attributes of one inode, which are sorted by name, and gives their numbers.
    pub(crate) fn add(&mut self, owner: &[u8], xattrs: Vec<Pair>) -> Result<Box<[u32]>, Error> {
        let mut ids = Vec::with_capacity(xattrs.len());
        for (name, value) in xattrs {
            let (prefix, suffix) = split(&name);
            if suffix.len() > u8::MAX.into() || value.len() > u16::MAX.into() {
                return Err(Error::XattrsTooLarge(shown(owner)));
            }
            self.has_acl |= matches!(prefix, 2 | 3);
            let next = self.uses.len() as u32;
            let id = *self.ids.entry((name, value)).or_insert(next);
            if id == next {
                self.uses.push(0);
            }
            self.uses[id as usize] += 1;
            ids.push(id);
        }
        Ok(ids.into())
    }

    /// Decides what is shared. After this nothing can be added.
    pub(crate) fn seal(&mut self) -> Result<(), Error> {
        let mut all: Vec<(Pair, u32)> = self.ids.drain().collect();
        // Shared ones are written from the last name to the first; of one name, the longest value first.
        fn key(((name, value), _): &(Pair, u32)) -> (&[u8], usize, &[u8]) {
            (name, value.len(), value)
        }
        all.sort_unstable_by(|a, b| key(b).cmp(&key(a)));
        let mut at = 0u32;
        let mut sealed: Vec<Option<Xattr>> = self.uses.iter().map(|_| None).collect();
        for ((name, value), id) in all {
            let (prefix, suffix) = split(&name);
            let bit = xxh32(suffix, FILTER_SEED.wrapping_add(prefix.into())) % 32;
            let bytes = entry(prefix, suffix, &value);
            let shared_at = (self.uses[id as usize] > 1).then_some(at);
            if shared_at.is_some() {
                at = u32::try_from(bytes.len() / 4)
                    .ok()
                    .and_then(|words| at.checked_add(words))
                    .ok_or(Error::TooLarge)?;
                self.shared.push(id);
            }
            sealed[id as usize] = Some(Xattr {
                bytes,
                filter: 1 << bit,
                shared_at,
            });
        }
        self.sealed = sealed.into_iter().flatten().collect();
        Ok(())
    }

    /// Bytes of all shared attributes.
    pub(crate) fn shared_len(&self) -> u64 {
        self.shared
            .iter()
            .map(|id| self.sealed[*id as usize].bytes.len() as u64)
            .sum()
    }

    /// All shared attributes.
    pub(crate) fn shared(&self) -> impl Iterator<Item = &[u8]> {
        self.shared
            .iter()
            .map(|id| &self.sealed[*id as usize].bytes[..])
    }

    /// Bytes of one inode's attributes, 0 for none.
    pub(crate) fn inode_len(&self, owner: &[u8], ids: &[u32]) -> Result<u32, Error> {
        if ids.is_empty() {
            return Ok(0);
        }
        let (mut shared, mut len) = (0usize, HEADER);
        for id in ids {
            let xattr = &self.sealed[*id as usize];
            if xattr.shared_at.is_some() {
                shared += 1;
                len += 4;
            } else {
                len += xattr.bytes.len();
            }
        }
        // Both are counted in few bits: a byte, and 16 bits of 4-byte units.
        if shared > u8::MAX.into() || len / 4 - 2 > u16::MAX.into() {
            return Err(Error::XattrsTooLarge(shown(owner)));
        }
        Ok(len as u32)
    }

    /// One inode's attributes: header, numbers of the shared ones, which lie `base` units into the area's block,
    /// then the others.
    pub(crate) fn write_inode(&self, ids: &[u32], base: u32, out: &mut Vec<u8>) {
        if ids.is_empty() {
            return;
        }
        let own = || ids.iter().map(|id| &self.sealed[*id as usize]);
        let shared: Vec<u32> = own().filter_map(|xattr| xattr.shared_at).collect();
        // A bit that is set says that no attribute has that hash.
        let filter = !own().fold(0, |filter, xattr| filter | xattr.filter);
        out.extend_from_slice(&filter.to_le_bytes());
        out.push(shared.len() as u8);
        out.extend_from_slice(&[0; 7]);
        for at in &shared {
            out.extend_from_slice(&(base + at).to_le_bytes());
        }
        for xattr in own().filter(|xattr| xattr.shared_at.is_none()) {
            out.extend_from_slice(&xattr.bytes);
        }
    }
}

fn split(name: &[u8]) -> (u8, &[u8]) {
    PREFIXES
        .iter()
        .find_map(|(number, prefix)| Some((*number, name.strip_prefix(*prefix)?)))
        .unwrap_or((0, name))
}

/// Lengths, name, value, filled up to 4 bytes.
fn entry(prefix: u8, suffix: &[u8], value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(8 + suffix.len() + value.len());
    bytes.push(suffix.len() as u8);
    bytes.push(prefix);
    bytes.extend_from_slice(&(value.len() as u16).to_le_bytes());
    bytes.extend_from_slice(suffix);
    bytes.extend_from_slice(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}
