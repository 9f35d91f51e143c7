//! One inode: what it needs, and how it is written.

use crate::directory::Extent;
use crate::tree::Kind;
use crate::{BLOCK, Error, SLOT};

/// Where an inode's content is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Whole blocks elsewhere, or nothing.
    Plain,
    /// The last part follows the inode.
    Inline,
    /// A table of chunks follows the inode: holes, as overlayfs finds the content by its name.
    Chunks { bits: u32, count: u32 },
}

/// An inode that has a place.
#[derive(Debug)]
pub(crate) struct Inode {
    /// The tree's node.
    pub(crate) node: u32,
    /// The inode of the directory it is in.
    pub(crate) parent: u32,
    /// For a directory: the inodes of its entries, which follow each other.
    pub(crate) first_child: u32,
    pub(crate) xattrs: Box<[u32]>,
    pub(crate) xattr_len: u32,
    pub(crate) links: u32,
    /// Where it begins.
    pub(crate) offset: u64,
    pub(crate) extent: Extent,
    pub(crate) layout: Layout,
    pub(crate) size: u64,
    /// The first of its blocks.
    pub(crate) block: u32,
}

/// Half the number of bits that a chunk may have beyond those of a block.
const CHUNK_BITS_MAX: u32 = 31;

impl Inode {
    pub(crate) fn number(&self) -> u64 {
        self.offset / SLOT
    }

    /// Bytes from its beginning to its attributes: 32 when all numbers fit the short form, else 64.
    pub(crate) fn core_len(&self, uid: u32, gid: u32) -> u64 {
        let short = uid <= u16::MAX.into()
            && gid <= u16::MAX.into()
            && self.links <= u16::MAX.into()
            && self.size <= u32::MAX.into();
        if short { 32 } else { 64 }
    }

    /// What follows the attributes.
    pub(crate) fn tail_len(&self) -> u64 {
        match self.layout {
            Layout::Chunks { count, .. } => u64::from(count) * 4,
            Layout::Inline | Layout::Plain => self.extent.tail.into(),
        }
    }

    /// Puts it at the first place from `free` on that suits it, and gives the end.
    ///
    /// What follows the inode must lie in one block. A directory is moved until its rest begins a block, a symbolic
    /// link until it begins a block itself: the kernel wants link and target in one.
    pub(crate) fn place(&mut self, free: u64, kind: &Kind, core_len: u64) -> u64 {
        self.offset = free.next_multiple_of(SLOT);
        let head = core_len + u64::from(self.xattr_len);
        let tail = self.tail_len();
        let block_of = |at: u64| at / BLOCK;
        match kind {
            Kind::Symlink(_) if head + tail > BLOCK => {
                // Too much for one block: the target gets one of its own. (The C library cannot write this.)
                self.layout = Layout::Plain;
                self.extent = Extent { blocks: 1, tail: 0 };
                return self.offset + head;
            }
            Kind::Symlink(_)
                if block_of(self.offset) != block_of(self.offset + head + tail - 1) =>
            {
                self.offset = self.offset.next_multiple_of(BLOCK);
            }
            Kind::Directory(_) if tail > 0 => {
                let start = self.offset + head;
                if block_of(start) != block_of(start + tail - 1) {
                    let missing = start.next_multiple_of(BLOCK) - start;
                    self.offset += missing.next_multiple_of(SLOT);
                }
            }
            _ => {}
        }
        self.offset + head + tail
    }

    /// Its fixed part. `order` is its place in the sequence of inodes.
    pub(crate) fn write_core(
        &self,
        order: u32,
        mode: u32,
        (uid, gid): (u32, u32),
        out: &mut Vec<u8>,
    ) {
        let long = self.core_len(uid, gid) == 64;
        let layout: u16 = match self.layout {
            Layout::Plain => 0,
            Layout::Inline => 2,
            Layout::Chunks { .. } => 4,
        };
        let xattr_units = if self.xattr_len == 0 {
            0
        } else {
            self.xattr_len / 4 - 2
        };
        let place = match self.layout {
            Layout::Chunks { bits, .. } => bits - BLOCK.trailing_zeros(),
            _ if self.extent.blocks > 0 => self.block,
            _ => 0,
        };
        let mut half = |value: u32| out.extend_from_slice(&(value as u16).to_le_bytes());
        half(u32::from(layout << 1) | u32::from(long));
        half(xattr_units);
        half(mode);
        half(if long { 0 } else { self.links });
        let mut word = |value: u32| out.extend_from_slice(&value.to_le_bytes());
        word(self.size as u32);
        word(if long { (self.size >> 32) as u32 } else { 0 });
        word(place);
        word(order);
        if long {
            word(uid);
            word(gid);
            word(0); // time, nanoseconds
            word(0);
            word(0);
            word(self.links);
            (0..4).for_each(|_| word(0));
        } else {
            word(uid | gid << 16);
            word(0);
        }
    }
}

/// The fewest chunks that cover a file, of no more bits than needed.
pub(crate) fn chunks(size: u64) -> Result<Layout, Error> {
    let block_bits = BLOCK.trailing_zeros();
    let bits =
        (u64::BITS - (size - 1).leading_zeros()).clamp(block_bits, block_bits + CHUNK_BITS_MAX);
    let count = size.div_ceil(1 << bits);
    Ok(Layout::Chunks {
        bits,
        count: u32::try_from(count).map_err(|_| Error::TooLarge)?,
    })
}
