//! A tree of very many small files: what a package manager's database, a Python or a Node installation look like.

use anyhow::Result;
use std::fs;
use std::path::Path;

/// Files in one folder.
const PER_FOLDER: u32 = 50;

/// Makes a tree of so many files of 100 bytes to 4 kB, all different, the same ones every time.
pub fn make(tree: &Path, number: u32) -> Result<()> {
    let mut content = Vec::new();
    for n in 0..number {
        let folder = tree.join(format!(
            "usr/lib/{:03}/{:02}",
            n / PER_FOLDER / 32,
            n / PER_FOLDER % 32
        ));
        if n % PER_FOLDER == 0 {
            fs::create_dir_all(&folder)?;
        }
        content.clear();
        // Words that compress as text does.
        let mut state = u64::from(n) + 1;
        let length = 100 + (n as usize * 7919) % 3900;
        while content.len() < length {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            content.extend_from_slice(format!("{:x} ", (state >> 33) % 4096).as_bytes());
        }
        content.truncate(length);
        fs::write(folder.join(format!("file-{n}")), &content)?;
    }
    Ok(())
}
