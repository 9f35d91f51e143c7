//! How the entries of a directory are laid out in blocks.

use crate::BLOCK;

/// Bytes of an entry beside its name.
const ENTRY: usize = 12;

/// An inode's number, the type of what it is, and its name.
pub(crate) type Entry<'a> = (u64, u8, &'a [u8]);

/// The parts of a directory: whole blocks, and a rest small enough to follow the inode.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) blocks: u32,
    pub(crate) tail: u32,
}

impl Extent {
    pub(crate) fn size(self) -> u64 {
        u64::from(self.blocks) * BLOCK + u64::from(self.tail)
    }
}

/// Splits entries, known by the lengths of their names, into blocks: the end of each.
fn ends(names: impl Iterator<Item = usize>) -> (Vec<usize>, Extent) {
    let mut ends = Vec::new();
    let mut used = 0;
    let mut count = 0;
    for length in names {
        if used + ENTRY + length > BLOCK as usize {
            ends.push(count);
            used = 0;
        }
        used += ENTRY + length;
        count += 1;
    }
    ends.push(count);
    // A rest of more than half a block gets a block of its own.
    let tail = if used > BLOCK as usize / 2 { 0 } else { used };
    let extent = Extent {
        blocks: (ends.len() - usize::from(tail > 0)) as u32,
        tail: tail as u32,
    };
    (ends, extent)
}

pub(crate) fn extent(names: impl Iterator<Item = usize>) -> Extent {
    ends(names).1
}

/// The bytes of each block, the last one perhaps being the rest; none is filled up.
pub(crate) fn blocks(entries: &[Entry<'_>]) -> Vec<Vec<u8>> {
    let (ends, _) = ends(entries.iter().map(|(_, _, name)| name.len()));
    let mut start = 0;
    ends.into_iter()
        .map(|end| block(&entries[std::mem::replace(&mut start, end)..end]))
        .collect()
}

fn block(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut name_at = entries.len() * ENTRY;
    let mut bytes = Vec::with_capacity(BLOCK as usize);
    for (inode, kind, name) in entries {
        bytes.extend_from_slice(&inode.to_le_bytes());
        bytes.extend_from_slice(&(name_at as u16).to_le_bytes());
        bytes.extend_from_slice(&[*kind, 0]);
        name_at += name.len();
    }
    for (_, _, name) in entries {
        bytes.extend_from_slice(name);
    }
    bytes
}
