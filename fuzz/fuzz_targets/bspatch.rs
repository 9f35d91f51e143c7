//! Patches: a length of the old file, a length of the new one, then the old file and the patch. No panic; what comes
//! out is what a plain reading of the format makes of the bytes. And what `diff` makes leads back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use osier_delta::bsdiff::{PatchReader, diff};
use std::io::Read;

fuzz_target!(|data: &[u8]| {
    let [old_len, low, high, rest @ ..] = data else {
        return;
    };
    let (old, patch) = rest.split_at(usize::from(*old_len).min(rest.len()));
    let size = u64::from(u16::from_le_bytes([*low, *high]));
    let mut new = Vec::new();
    let done = PatchReader::new(old, patch, size).read_to_end(&mut new);
    match expected(old, patch, size as usize) {
        Some(whole) => {
            done.unwrap();
            assert_eq!(new, whole);
        }
        None => assert!(done.is_err()),
    }
    // In other pieces it is the same.
    let mut reader = PatchReader::new(old, patch, size);
    let mut piece = [0; 7];
    let mut pieces = Vec::new();
    while let Ok(n @ 1..) = reader.read(&mut piece) {
        pieces.extend_from_slice(&piece[..n]);
    }
    assert!(new.starts_with(&pieces) || pieces.starts_with(&new));
    if let Some(made) = diff(old, patch) {
        let mut again = Vec::new();
        PatchReader::new(old, &made[..], patch.len() as u64)
            .read_to_end(&mut again)
            .unwrap();
        assert_eq!(again, patch);
    }
});

fn number(patch: &mut &[u8]) -> Option<i128> {
    let (raw, rest) = patch.split_first_chunk::<8>()?;
    *patch = rest;
    let n = u64::from_le_bytes(*raw);
    let magnitude = i128::from(n & (u64::MAX >> 1));
    Some(if n >> 63 == 1 { -magnitude } else { magnitude })
}

fn expected(old: &[u8], mut patch: &[u8], size: usize) -> Option<Vec<u8>> {
    let mut new = Vec::new();
    let mut at = 0i128;
    while new.len() < size {
        let (add, extra) = (number(&mut patch)?, number(&mut patch)?);
        let seek = number(&mut patch)?;
        let left = (size - new.len()) as i128;
        if add < 0 || extra < 0 || add + extra > left {
            return None;
        }
        for _ in 0..add {
            let (byte, rest) = patch.split_first()?;
            patch = rest;
            let there = usize::try_from(at).ok().and_then(|at| old.get(at));
            new.push(byte.wrapping_add(there.copied().unwrap_or(0)));
            at += 1;
        }
        if add > 0 {
            i64::try_from(at).ok()?;
        }
        let (bytes, rest) = patch.split_at_checked(extra as usize)?;
        new.extend_from_slice(bytes);
        patch = rest;
        // Places are 64-bit numbers. One that is never used may be anywhere.
        at += seek;
        if new.len() < size {
            i64::try_from(at).ok()?;
        }
    }
    Some(new)
}
