//! Cutting files where their content says so, and finding the pieces two files share.
//!
//! A cut depends on the 64 bytes before it alone, so that most pieces survive an insertion. The C tool looks a piece up by
//! its length and a checksum of *the file's first so many bytes* rather than the piece's; so only pieces of a length for
//! which both files begin alike are ever found. Its deltas are made to the byte here, so that holds for us, too: what is
//! not found this way is left to bsdiff.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

const WINDOW: usize = 64;
const CHAR_OFFSET: u32 = 31;
const CUT_BITS: u32 = 8191;
const MAX_CHUNK: usize = 32 * 1024;

/// The rolling sum over the last [`WINDOW`] bytes.
struct Sum {
    low: u32,
    high: u32,
}

impl Sum {
    fn new() -> Sum {
        let n = WINDOW as u32;
        Sum {
            low: n * CHAR_OFFSET,
            high: n * (n - 1) * CHAR_OFFSET,
        }
    }

    fn roll(&mut self, old: u8, new: u8) {
        let (old, new) = (u32::from(old), u32::from(new));
        self.low = self.low.wrapping_add(new).wrapping_sub(old);
        self.high = self
            .high
            .wrapping_add(self.low)
            .wrapping_sub(WINDOW as u32 * (old + CHAR_OFFSET));
    }

    fn cuts(&self) -> bool {
        self.high & CUT_BITS == CUT_BITS
    }
}

/// Ends of the chunks that a file is cut into. Linear in its length.
fn chunk_ends(data: &[u8]) -> Vec<usize> {
    // Past its first bytes a chunk's cuts do not depend on where it began: they are those of one sum over all.
    let mut far = Vec::new();
    let mut sum = Sum::new();
    for (i, byte) in data.iter().enumerate() {
        let old = i.checked_sub(WINDOW).map_or(0, |j| data[j]);
        sum.roll(old, *byte);
        if sum.cuts() {
            far.push(i + 1);
        }
    }
    let mut far = far.into_iter().peekable();
    let mut ends = Vec::new();
    let mut start = 0;
    while start < data.len() {
        let near = near_cut(&data[start..]);
        let cut = match near {
            Some(length) => Some(start + length),
            None => {
                while far.next_if(|end| *end < start + WINDOW).is_some() {}
                far.peek().copied()
            }
        };
        match cut {
            Some(cut) => {
                start = cut.min(start + MAX_CHUNK);
                ends.push(start);
            }
            None => {
                // No cut to the end of the file.
                while start < data.len() {
                    start = data.len().min(start + MAX_CHUNK);
                    ends.push(start);
                }
            }
        }
    }
    ends
}

/// A cut before the window is full, when the sum still depends on where the chunk began.
fn near_cut(chunk: &[u8]) -> Option<usize> {
    let mut sum = Sum::new();
    chunk
        .iter()
        .take(WINDOW - 1)
        .enumerate()
        .find_map(|(i, byte)| {
            sum.roll(0, *byte);
            sum.cuts().then_some(i + 1)
        })
}

/// A piece of the new file that is in the old one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Match {
    pub(super) new: u64,
    pub(super) old: u64,
    pub(super) size: u64,
}

/// The pieces to copy, if at least half of all pieces are.
pub(super) fn matches(old: &[u8], new: &[u8]) -> Option<Vec<Match>> {
    let alike = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let hasher = RandomState::new();
    // Any hash will do: the bytes are compared. Of equal pieces the first counts.
    let mut known: HashMap<u64, Vec<(usize, usize)>> = HashMap::new();
    let mut start = 0;
    for end in chunk_ends(old) {
        let piece = &old[start..end];
        if piece.len() <= alike {
            let places = known.entry(hasher.hash_one(piece)).or_default();
            if !places.iter().any(|(s, e)| old[*s..*e] == *piece) {
                places.push((start, end));
            }
        }
        start = end;
    }
    let ends = chunk_ends(new);
    let total = ends.len();
    let mut found = Vec::new();
    start = 0;
    for end in ends {
        let piece = &new[start..end];
        let place = known
            .get(&hasher.hash_one(piece))
            .and_then(|places| places.iter().find(|(s, e)| old[*s..*e] == *piece));
        if let Some((from, _)) = place {
            found.push(Match {
                new: start as u64,
                old: *from as u64,
                size: (end - start) as u64,
            });
        }
        start = end;
    }
    (total > 0 && 100 * found.len() / total >= 50).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use osier_object::hash;

    /// The file of the specification.
    fn file() -> Vec<u8> {
        (0..1024)
            .flat_map(|i: u32| hash(i.to_string().as_bytes()).0)
            .collect()
    }

    fn lengths(data: &[u8]) -> Vec<usize> {
        let mut start = 0;
        chunk_ends(data)
            .into_iter()
            .map(|end| end - std::mem::replace(&mut start, end))
            .collect()
    }

    #[test]
    fn the_chunks_of_the_specification() {
        let old = file();
        let mut new = old.clone();
        new[20000] ^= 0xff;
        let expected = [6404, 7133, 2557, 9348, 5746, 398, 1182];
        assert_eq!(lengths(&old), expected);
        assert_eq!(lengths(&new), expected);
        let found = matches(&old, &new).unwrap();
        assert_eq!(found.len(), 6);
        assert!(found.iter().all(|m| m.new == m.old));
        // Nothing is found once the first byte differs.
        new[0] ^= 1;
        assert_eq!(matches(&old, &new), None);
    }

    #[test]
    fn chunks_end_at_a_cut_the_most_or_the_end() {
        assert!(lengths(&[]).is_empty());
        assert_eq!(lengths(&[0; 70000]), [32768, 32768, 4464]);
        // A cut far behind: as if each chunk were looked through by itself.
        let mut far = vec![0; 100_000];
        far.extend(file());
        let cut_naively = |data: &[u8]| {
            let mut out = Vec::new();
            let mut rest = data;
            while !rest.is_empty() {
                let mut sum = Sum::new();
                let cut = (0..rest.len()).find(|i| {
                    sum.roll(i.checked_sub(WINDOW).map_or(0, |j| rest[j]), rest[*i]);
                    sum.cuts()
                });
                match cut {
                    Some(i) => out.push((i + 1).min(MAX_CHUNK)),
                    None => {
                        out.extend(rest.chunks(MAX_CHUNK).map(<[u8]>::len));
                        break;
                    }
                }
                rest = &rest[out[out.len() - 1]..];
            }
            out
        };
        assert_eq!(lengths(&far), cut_naively(&far));
        assert_eq!(lengths(&file()), cut_naively(&file()));
    }
}
