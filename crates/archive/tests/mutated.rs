//! Damaged archives of every kind end in an error or in fewer entries: never in a panic, a hang, or much memory.

use osier_archive::Archive;
use std::io::{Cursor, Read};

/// The next of a sequence that looks random and is always the same.
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

fn read(bytes: Vec<u8>) {
    let Ok(mut archive) = Archive::open(Cursor::new(bytes)) else {
        return;
    };
    let mut left = 1 << 20;
    while let Ok(Some(_)) = archive.next_entry() {
        let read = std::io::copy(&mut archive.body().take(left), &mut std::io::sink());
        left -= read.unwrap_or_default();
        if left == 0 {
            return;
        }
    }
    let _ = archive.finish(left);
}

#[test]
fn seeds_with_changed_bytes() {
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds/archive");
    let mut state = 0x5eed_0f05_1e12_3456;
    let mut kinds = 0;
    for seed in std::fs::read_dir(seeds).unwrap() {
        let seed = std::fs::read(seed.unwrap().path()).unwrap();
        kinds += 1;
        for _ in 0..400 {
            let mut bytes = seed.clone();
            for _ in 0..1 + next(&mut state) % 4 {
                let at = next(&mut state) as usize % bytes.len();
                bytes[at] = match next(&mut state) % 4 {
                    0 => 0xff,
                    1 => b'0' + (next(&mut state) % 10) as u8,
                    _ => next(&mut state) as u8,
                };
            }
            // A header whose checksum is right again gets further.
            if seed.len() % 512 == 0 {
                let block = next(&mut state) as usize % (bytes.len() / 512) * 512;
                let header = &mut bytes[block..block + 512];
                header[148..156].fill(b' ');
                let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
                header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            }
            if next(&mut state).is_multiple_of(8) {
                let len = next(&mut state) as usize % bytes.len();
                bytes.truncate(len);
            }
            read(bytes);
        }
    }
    assert!(kinds >= 20, "the seeds are there");
}
