//! fs-verity digests: SHA-256 over a tree of hashes of 4096-byte blocks, without salt.

use crate::BLOCK;
use sha2::{Digest as _, Sha256};
use std::io::{self, Read, Write};

/// An fs-verity digest.
pub type Digest = [u8; 32];

const BLOCK_SIZE: usize = BLOCK as usize;

/// Computes a file's fs-verity digest from its bytes as they come.
///
/// What is kept is one block a level of the hash tree: under 40 KiB, whatever the file's size.
#[derive(Clone, Debug, Default)]
pub struct Verity {
    size: u64,
    /// Bytes not yet hashed; the data's block that is being filled.
    pending: Vec<u8>,
    /// For each level from the data up: the digests that fill its block.
    levels: Vec<Vec<u8>>,
}

impl Verity {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The digest of a whole buffer.
    pub fn digest_of(bytes: &[u8]) -> Digest {
        let mut verity = Self::new();
        verity.update(bytes);
        verity.finish()
    }

    /// The digest of all that a reader gives; `buf` is the room to read in.
    ///
    /// # Errors
    /// The reader's.
    pub fn digest_of_reader(reader: &mut impl Read, buf: &mut [u8]) -> io::Result<Digest> {
        let mut verity = Self::new();
        loop {
            match reader.read(buf) {
                Ok(0) => return Ok(verity.finish()),
                Ok(n) => verity.update(&buf[..n]),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        self.size += bytes.len() as u64;
        // A full block is hashed only when more follows: a single block is the root itself.
        if !self.pending.is_empty() {
            let take = bytes.len().min(BLOCK_SIZE - self.pending.len());
            self.pending.extend_from_slice(&bytes[..take]);
            bytes = &bytes[take..];
            if bytes.is_empty() {
                return;
            }
            let digest = hash_block(&self.pending);
            self.pending.clear();
            self.push(0, &digest);
        }
        while bytes.len() > BLOCK_SIZE {
            let (block, rest) = bytes.split_at(BLOCK_SIZE);
            self.push(0, &hash_block(block));
            bytes = rest;
        }
        self.pending.extend_from_slice(bytes);
    }

    /// Adds the digest of a block of the level below; a full block is passed on only when more follows.
    fn push(&mut self, level: usize, digest: &Digest) {
        if level == self.levels.len() {
            self.levels.push(Vec::new());
        }
        if self.levels[level].len() == BLOCK_SIZE {
            let above = hash_block(&self.levels[level]);
            self.levels[level].clear();
            self.push(level + 1, &above);
        }
        self.levels[level].extend_from_slice(digest);
    }

    /// The digest.
    pub fn finish(mut self) -> Digest {
        let root = if self.size == 0 {
            [0; 32]
        } else {
            let mut digest = hash_block(&self.pending);
            let mut level = 0;
            while level < self.levels.len() {
                self.push(level, &digest);
                digest = hash_block(&self.levels[level]);
                level += 1;
            }
            digest
        };
        // struct fsverity_descriptor of the kernel's documentation, 256 bytes.
        let mut descriptor = [0u8; 256];
        descriptor[0] = 1; // version
        descriptor[1] = 1; // SHA-256
        descriptor[2] = BLOCK.trailing_zeros() as u8;
        descriptor[8..16].copy_from_slice(&self.size.to_le_bytes());
        descriptor[16..48].copy_from_slice(&root);
        Sha256::digest(descriptor).into()
    }
}

impl Write for Verity {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Hashes a block, filled up with zeros.
fn hash_block(bytes: &[u8]) -> Digest {
    const ZEROS: [u8; BLOCK_SIZE] = [0; BLOCK_SIZE];
    let mut hash = Sha256::new();
    hash.update(bytes);
    hash.update(&ZEROS[bytes.len()..]);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hex(digest: Digest) -> String {
        digest.iter().map(|b| format!("{b:02x}")).collect()
    }

    /// The pattern whose digests `fsverity digest` 1.6 gave.
    fn pattern(n: usize) -> Vec<u8> {
        (0..n).map(|i| (i % 251) as u8).collect()
    }

    #[test]
    fn digests_are_those_of_the_fsverity_tool() {
        for (size, digest) in [
            (
                0,
                "3d248ca542a24fc62d1c43b916eae5016878e2533c88238480b26128a1f1af95",
            ),
            (
                1,
                "b803429503d95915829b29fdbc8bbad142f3abfd11b1cadf5526582e685c0551",
            ),
            (
                4095,
                "5f4953aad672b0188023d6cd6fbce9d09508eb7dad165b6298ce0086bc1e72db",
            ),
            (
                4096,
                "13e9b8848ae484a36acb3f3cac0ceb2f7601e96633d15c92f9bd3dd44e492157",
            ),
            (
                4097,
                "b0d074abef4d544404facfab6ba242f6a8ccbde90f1325cd286f3c8aa8d0f8aa",
            ),
            (
                8192,
                "e48d50c56c4f0178a98a035cb91d66be328eeff78bbddaa35c5ec4cc0d8340c0",
            ),
            (
                524287,
                "9735c4bb231d3222d1e5e23a4004d8b59dd33395d7de390530e15c2572000b47",
            ),
            (
                524288,
                "d82861203d50ae9b60948504a704f35f5118bd229aeb1a22d6dae47b1767c4c4",
            ),
            (
                524289,
                "4dc6905041c9c4ee73e13b53f63f5d289c46da359b664a965ead7f8cc4d799d4",
            ),
            (
                1048581,
                "36b607180efb3a38c9db4425037b84d66c22c63adc4c028046f72f9f755f5778",
            ),
        ] {
            assert_eq!(hex(Verity::digest_of(&pattern(size))), digest, "{size}");
        }
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(size in 0usize..600_000, piece in 1usize..20_000) {
            let bytes = pattern(size);
            let mut verity = Verity::new();
            for part in bytes.chunks(piece) {
                verity.update(part);
            }
            prop_assert_eq!(verity.finish(), Verity::digest_of(&bytes));
        }
    }
}
