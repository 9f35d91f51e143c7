//! Laying a tree out as an image.

use crate::directory::{self, Extent};
use crate::inode::{self, Inode, Layout};
use crate::tree::{Kind, Tree};
use crate::xattrs::XattrTable;
use crate::{BLOCK, Digest, Error, SLOT, Verity};

/// Where the first inode may begin: after the header and the superblock.
const FIRST_INODE: u64 = 1024 + 128;

/// An image whose every byte is settled, ready to be written.
#[derive(Debug)]
pub struct Image {
    pub(crate) tree: Tree,
    pub(crate) xattrs: XattrTable,
    /// Level by level, each directory's entries together and sorted.
    pub(crate) inodes: Vec<Inode>,
    /// Where the shared attributes begin.
    pub(crate) shared_at: u64,
    /// Number of the first block of directories.
    pub(crate) first_block: u64,
    blocks: u64,
}

impl Image {
    /// Lays out the image of a tree.
    ///
    /// # Errors
    /// A tree that the format cannot hold.
    pub fn new(mut tree: Tree) -> Result<Self, Error> {
        tree.hide_contents()?;
        tree.sort()?;
        let mut xattrs = XattrTable::default();
        let mut inodes = breadth_first(&mut tree, &mut xattrs)?;
        xattrs.seal()?;

        let mut end = FIRST_INODE;
        for inode in &mut inodes {
            let node = &tree.nodes[inode.node as usize];
            inode.xattr_len = xattrs.inode_len(&node.name, &inode.xattrs)?;
            let core_len = inode.core_len(node.attributes.uid, node.attributes.gid);
            end = inode.place(end, &node.kind, core_len);
        }
        let shared_at = end.next_multiple_of(SLOT);
        let first_block = (shared_at + xattrs.shared_len()).div_ceil(BLOCK);
        let mut blocks = first_block;
        for inode in &mut inodes {
            if inode.extent.blocks > 0 {
                inode.block = u32::try_from(blocks).map_err(|_| Error::TooLarge)?;
                blocks += u64::from(inode.extent.blocks);
            }
        }
        // Whoever has the last block's number has room for all others.
        u32::try_from(blocks).map_err(|_| Error::TooLarge)?;
        Ok(Self {
            tree,
            xattrs,
            inodes,
            shared_at,
            first_block,
            blocks,
        })
    }

    /// Its size in bytes: a multiple of 4096.
    #[allow(clippy::len_without_is_empty, reason = "no image is empty")]
    pub fn len(&self) -> u64 {
        self.blocks * BLOCK
    }

    /// Its fs-verity digest, without writing it anywhere.
    pub fn digest(&self) -> Digest {
        let mut verity = Verity::new();
        match self.write(&mut verity) {
            Ok(()) => verity.finish(),
            // A Verity accepts every byte.
            Err(e) => unreachable!("writing to memory: {e}"),
        }
    }

    pub(crate) fn block_count(&self) -> u32 {
        self.blocks as u32
    }
}

/// Numbers the inodes level by level.
fn breadth_first(tree: &mut Tree, xattrs: &mut XattrTable) -> Result<Vec<Inode>, Error> {
    let mut inodes: Vec<Inode> = Vec::with_capacity(tree.nodes.len());
    inodes.push(inode(tree, 0, 0, xattrs)?);
    let mut next = 0;
    while next < inodes.len() {
        let Kind::Directory(dir) = tree.nodes[inodes[next].node as usize].kind else {
            next += 1;
            continue;
        };
        inodes[next].first_child = inodes.len() as u32;
        for node in tree.dirs[dir as usize].clone() {
            if matches!(tree.nodes[node as usize].kind, Kind::Directory(_)) {
                inodes[next].links += 1;
            }
            let child = inode(tree, node, next as u32, xattrs)?;
            inodes.push(child);
        }
        next += 1;
    }
    Ok(inodes)
}

fn inode(
    tree: &mut Tree,
    index: u32,
    parent: u32,
    xattrs: &mut XattrTable,
) -> Result<Inode, Error> {
    let own = tree.take_xattrs(index);
    let node = &tree.nodes[index as usize];
    let xattrs = xattrs.add(&node.name, own)?;
    let (layout, extent, size) = match &node.kind {
        Kind::Whiteout | Kind::File { size: 0 } => (Layout::Plain, Extent::default(), 0),
        Kind::File { size } => (inode::chunks(*size)?, Extent::default(), *size),
        Kind::Symlink(target) => {
            let tail = target.len() as u32;
            let extent = Extent { blocks: 0, tail };
            (Layout::Inline, extent, tail.into())
        }
        Kind::Directory(dir) => {
            let names = tree.dirs[*dir as usize]
                .iter()
                .map(|child| &*tree.nodes[*child as usize].name);
            let extent = directory::extent(with_dots(names).map(<[u8]>::len));
            let layout = if extent.tail > 0 {
                Layout::Inline
            } else {
                Layout::Plain
            };
            (layout, extent, extent.size())
        }
    };
    Ok(Inode {
        node: index,
        parent,
        first_child: 0,
        xattrs,
        xattr_len: 0,
        links: if matches!(node.kind, Kind::Directory(_)) {
            2
        } else {
            1
        },
        offset: 0,
        extent,
        layout,
        size,
        block: 0,
    })
}

/// `.` and `..` at their places among sorted names.
fn with_dots<'a>(names: impl Iterator<Item = &'a [u8]>) -> impl Iterator<Item = &'a [u8]> {
    let mut names = names.peekable();
    let mut dots = [&b"."[..], b".."].into_iter().peekable();
    std::iter::from_fn(move || match (names.peek(), dots.peek()) {
        (Some(name), Some(dot)) if name < dot => names.next(),
        (_, Some(_)) => dots.next(),
        _ => names.next(),
    })
}
