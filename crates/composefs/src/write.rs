//! Writing an image from its beginning to its end.

use crate::directory::{self, Entry};
use crate::inode::{Inode, Layout};
use crate::tree::Kind;
use crate::{BLOCK, Image};
use std::io::{self, Write};

/// "composefs image".
const MAGIC: u32 = 0xd078_629a;
/// "EROFS".
const EROFS_MAGIC: u32 = 0xe0f5_e1e2;
const SUPERBLOCK_AT: u64 = 1024;
/// Compatible features: the time of the build is every short inode's time; inodes have attribute filters.
const FEATURES: u32 = 0x2 | 0x4;
/// A chunk that is a hole.
const NO_BLOCK: u32 = u32::MAX;

/// Counts, so that the next thing can be put where it belongs.
struct Out<'a> {
    to: &'a mut dyn Write,
    at: u64,
}

impl Out<'_> {
    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.at += bytes.len() as u64;
        self.to.write_all(bytes)
    }

    fn zeros_to(&mut self, at: u64) -> io::Result<()> {
        const ZEROS: [u8; BLOCK as usize] = [0; BLOCK as usize];
        while self.at < at {
            let n = (at - self.at).min(BLOCK);
            self.bytes(&ZEROS[..n as usize])?;
        }
        Ok(())
    }
}

impl Image {
    /// Writes the image. Writes are small: give a buffered writer.
    ///
    /// # Errors
    /// The writer's.
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let mut out = Out { to, at: 0 };
        self.write_header(&mut out)?;
        let mut buf = Vec::new();
        for (order, inode) in self.inodes.iter().enumerate() {
            out.zeros_to(inode.offset)?;
            buf.clear();
            self.write_inode(order, inode, &mut buf);
            out.bytes(&buf)?;
        }
        if self.xattrs.shared_len() > 0 {
            out.zeros_to(self.shared_at)?;
        }
        for xattr in self.xattrs.shared() {
            out.bytes(xattr)?;
        }
        out.zeros_to(self.first_block * BLOCK)?;
        for (order, inode) in self.inodes.iter().enumerate() {
            let blocks = inode.extent.blocks as usize;
            match &self.tree.nodes[inode.node as usize].kind {
                Kind::Directory(_) if blocks > 0 => {
                    for block in self.directory(order, inode).iter().take(blocks) {
                        out.bytes(block)?;
                        out.zeros_to(out.at.next_multiple_of(BLOCK))?;
                    }
                }
                Kind::Symlink(target) if blocks > 0 => {
                    out.bytes(target)?;
                    out.zeros_to(out.at.next_multiple_of(BLOCK))?;
                }
                _ => {}
            }
        }
        debug_assert_eq!(out.at, self.len());
        Ok(())
    }

    fn write_header(&self, out: &mut Out<'_>) -> io::Result<()> {
        // Versions of EROFS and of composefs, and whether anything has an access control list.
        for word in [MAGIC, 1, self.xattrs.has_acl.into(), 0] {
            out.bytes(&word.to_le_bytes())?;
        }
        out.zeros_to(SUPERBLOCK_AT)?;
        for word in [EROFS_MAGIC, 0, FEATURES] {
            out.bytes(&word.to_le_bytes())?;
        }
        let root = self.inodes[0].number() as u16;
        out.bytes(&[BLOCK.trailing_zeros() as u8, 0])?;
        out.bytes(&root.to_le_bytes())?;
        out.bytes(&(self.inodes.len() as u64).to_le_bytes())?;
        // Time of the build, seconds and nanoseconds.
        out.bytes(&[0; 12])?;
        let xattr_block = (self.shared_at / BLOCK) as u32;
        for word in [self.block_count(), 0, xattr_block] {
            out.bytes(&word.to_le_bytes())?;
        }
        Ok(())
    }

    fn write_inode(&self, order: usize, inode: &Inode, buf: &mut Vec<u8>) {
        let node = &self.tree.nodes[inode.node as usize];
        let attributes = &node.attributes;
        let owner = (attributes.uid, attributes.gid);
        inode.write_core(order as u32, attributes.mode, owner, buf);
        let base = (self.shared_at % BLOCK / 4) as u32;
        self.xattrs.write_inode(&inode.xattrs, base, buf);
        match (inode.layout, &node.kind) {
            (Layout::Chunks { count, .. }, _) => {
                for _ in 0..count {
                    buf.extend_from_slice(&NO_BLOCK.to_le_bytes());
                }
            }
            (Layout::Inline, Kind::Symlink(target)) => buf.extend_from_slice(target),
            (Layout::Inline, Kind::Directory(_)) => {
                if let Some(tail) = self.directory(order, inode).last() {
                    buf.extend_from_slice(tail);
                }
            }
            _ => {}
        }
    }

    /// The blocks of a directory, the rest being the last of them.
    fn directory(&self, order: usize, inode: &Inode) -> Vec<Vec<u8>> {
        let Kind::Directory(dir) = self.tree.nodes[inode.node as usize].kind else {
            return Vec::new();
        };
        let count = self.tree.dirs[dir as usize].len();
        let first = inode.first_child as usize;
        let mut entries: Vec<Entry<'_>> = Vec::with_capacity(count + 2);
        for child in &self.inodes[first..first + count] {
            let node = &self.tree.nodes[child.node as usize];
            entries.push((child.number(), type_of(&node.kind), &node.name));
        }
        let this = &self.inodes[order];
        let parent = &self.inodes[inode.parent as usize];
        for (inode, name) in [(this, &b"."[..]), (parent, b"..")] {
            let at = entries.partition_point(|entry| entry.2 < name);
            entries.insert(at, (inode.number(), type_of(&Kind::Directory(0)), name));
        }
        directory::blocks(&entries)
    }
}

/// EROFS's number for a type of file.
fn type_of(kind: &Kind) -> u8 {
    match kind {
        Kind::File { .. } => 1,
        Kind::Directory(_) => 2,
        Kind::Whiteout => 3,
        Kind::Symlink(_) => 7,
    }
}
