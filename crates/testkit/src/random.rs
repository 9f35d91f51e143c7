//! Seeded pseudo-random bytes and trees: the same seed gives the same tree on every machine.

use crate::tree::Tree;
use anyhow::{Context, Result};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// SplitMix64: small, fast, and good enough to make files that do not compress.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator that starts at `seed`.
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which must not be 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next_u64() % bound
    }

    /// Fills `buffer` with bytes that do not compress.
    pub fn fill(&mut self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            let bytes = self.next_u64().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }

    /// Text of about `length` bytes, which compresses as configuration files and scripts do.
    pub fn text(&mut self, length: usize) -> String {
        const WORDS: [&str; 16] = [
            "unit", "mount", "service", "enabled", "path", "/usr/lib", "target", "requires",
            "after", "before", "true", "user", "group", "exec", "socket", "\n",
        ];
        let mut text = String::with_capacity(length + 16);
        while text.len() < length {
            text.push_str(WORDS[self.below(16) as usize]);
            text.push(' ');
        }
        text.truncate(length);
        text
    }
}

/// Writes a file of `size` bytes whose content depends on `seed` only, in constant memory. Three of four 64 KiB blocks
/// are random, every fourth is zeros, so that it compresses a little and a hole in it would be seen.
pub fn write_file(path: &Path, size: u64, seed: u64) -> Result<()> {
    let file = File::create(path).with_context(|| format!("creating {}", path.display()))?;
    let mut out = BufWriter::new(file);
    let mut random = Random::new(seed);
    let (mut left, mut index) = (size, 0u64);
    let mut block = vec![0; 64 * 1024];
    while left > 0 {
        let length = usize::try_from(left.min(block.len() as u64)).expect("a block fits in memory");
        if index % 4 == 3 {
            block.fill(0);
        } else {
            random.fill(&mut block[..length]);
        }
        out.write_all(&block[..length])
            .with_context(|| format!("writing {}", path.display()))?;
        left -= length as u64;
        index += 1;
    }
    out.flush()
        .with_context(|| format!("writing {}", path.display()))
}

/// How large a random tree gets.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Regular files and symbolic links.
    pub files: u32,
    /// Directories below the top.
    pub dirs: u32,
    /// No file is larger than this many bytes; most are far smaller.
    pub max_size: u64,
}

/// Makes a tree at `root`: nested directories, text and random files, symbolic links, a few executables.
pub fn tree(root: &Path, seed: u64, shape: Shape) -> Result<Tree> {
    let tree = Tree::create(root)?;
    let mut random = Random::new(seed);
    let mut dirs = vec![String::new()];
    for index in 0..shape.dirs {
        let parent = &dirs[random.below(dirs.len() as u64) as usize];
        let path = format!("{parent}d{index:x}");
        tree.dir(&path, if random.below(8) == 0 { 0o700 } else { 0o755 })?;
        dirs.push(format!("{path}/"));
    }
    for index in 0..shape.files {
        let path = format!(
            "{}f{index:x}",
            dirs[random.below(dirs.len() as u64) as usize]
        );
        match random.below(10) {
            0 => {
                tree.symlink(&path, &format!("target-{}", random.below(50)))?;
            }
            1 => {
                tree.file(&path, "")?;
            }
            kind => {
                // Squaring a fraction makes small files common and large ones rare, as in real trees.
                let fraction = random.below(1 << 16) as f64 / 65536.0;
                let size = (fraction.powi(4) * shape.max_size as f64) as usize;
                if kind < 7 {
                    tree.file(&path, random.text(size))?;
                } else {
                    let mut content = vec![0; size];
                    random.fill(&mut content);
                    tree.file(&path, content)?;
                }
                if random.below(6) == 0 {
                    tree.mode(&path, 0o755)?;
                }
            }
        }
    }
    Ok(tree)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Snapshot;

    const SHAPE: Shape = Shape {
        files: 120,
        dirs: 20,
        max_size: 8192,
    };

    #[test]
    fn the_same_seed_gives_the_same_tree() {
        let dir = tempfile::tempdir().unwrap();
        let snapshot = |name: &str, seed| {
            let path = dir.path().join(name);
            tree(&path, seed, SHAPE).unwrap();
            Snapshot::of(&path).unwrap()
        };
        let (one, two, other) = (snapshot("one", 7), snapshot("two", 7), snapshot("other", 8));
        assert_eq!(one.differences(&two), [""; 0]);
        assert!(!one.differences(&other).is_empty());
        assert_eq!(one.len(), 1 + 120 + 20);
    }

    #[test]
    fn a_large_file_has_the_asked_size_and_zero_blocks() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("large");
        write_file(&path, 300_001, 1).unwrap();
        let content = std::fs::read(&path).unwrap();
        assert_eq!(content.len(), 300_001);
        assert!(content[3 * 65536..4 * 65536].iter().all(|&byte| byte == 0));
        assert!(content[..65536].iter().any(|&byte| byte != 0));
    }
}
