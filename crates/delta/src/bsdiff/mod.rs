//! Patches that turn one file into another: the bsdiff method, its stream as static deltas hold it.
//!
//! A patch is no more than a sequence of steps, without header or compression: three numbers (8 bytes each, little-endian
//! magnitude, the top bit is the sign) `diff`, `extra`, `seek`; `diff` bytes to add to as many of the old file, `extra`
//! bytes to take as they are; then the place in the old file moves on by `seek`.

mod apply;
mod make;
mod triples;

pub use apply::{OldFile, PatchReader};
pub use make::diff;
pub(crate) use triples::{Triple, triples};

/// Bytes of a step's numbers.
const STEP: usize = 24;

/// Most bytes one step can name.
const MAX_LENGTH: i64 = i32::MAX as i64;

fn put_number(out: &mut Vec<u8>, n: i64) {
    let sign = if n < 0 { 1 << 63 } else { 0 };
    out.extend_from_slice(&(n.unsigned_abs() | sign).to_le_bytes());
}

fn number(raw: [u8; 8]) -> i64 {
    let n = u64::from_le_bytes(raw);
    let magnitude = (n & !(1 << 63)) as i64;
    if n >> 63 == 1 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests;
