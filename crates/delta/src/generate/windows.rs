//! A hash that rolls over bytes, and what is cut and sampled by it: places that content alone decides, so that an insertion
//! moves them along.

/// What each byte adds. Any fixed numbers will do; these are a well-known mixing of the byte's value.
const GEAR: [u64; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let mut x = (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        table[i] = x ^ (x >> 31);
        i += 1;
    }
    table
};

/// Bits of the hash that decide lie this far up, so that they depend on as many bytes.
const WINDOW: u32 = 24;

fn roll(hash: u64, byte: u8) -> u64 {
    (hash << 1).wrapping_add(GEAR[usize::from(byte)])
}

/// The rolling hash's part that depends on the last [`WINDOW`] bytes alone, mixed.
fn window(hash: u64) -> u64 {
    let low = hash & ((1 << WINDOW) - 1);
    low.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Hashes of the windows that content picks, one of 32 or so.
pub(super) fn samples(data: &[u8]) -> impl Iterator<Item = u64> + '_ {
    let mut hash = 0u64;
    let mut in_run = 0u32;
    let mut last = None;
    data.iter().enumerate().filter_map(move |(i, byte)| {
        hash = roll(hash, *byte);
        // Runs of one byte are in every file and say nothing.
        in_run = if last == Some(*byte) { in_run + 1 } else { 0 };
        last = Some(*byte);
        let value = window(hash);
        (i + 1 >= WINDOW as usize && in_run < 8 && value >> 59 == 0).then(|| {
            let from = i + 1 - WINDOW as usize;
            fold(&data[from..=i])
        })
    })
}

/// A hash of a whole window: the rolling one's low bits are too few to tell windows apart.
fn fold(window: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for word in window.chunks(8) {
        let mut bytes = [0; 8];
        bytes[..word.len()].copy_from_slice(word);
        hash = (hash ^ u64::from_le_bytes(bytes)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash ^= hash >> 29;
    }
    hash
}

/// Cuts a stream into chunks where its content says so.
#[derive(Debug)]
pub(super) struct Cutter {
    hash: u64,
    len: usize,
    least: usize,
    most: usize,
    mask: u64,
}

impl Cutter {
    /// Chunks of `average` bytes or so, a power of two; at least a quarter and at most four times that.
    pub(super) fn new(average: usize) -> Cutter {
        Cutter {
            hash: 0,
            len: 0,
            least: average / 4,
            most: average * 4,
            mask: (average as u64 - 1) << 32,
        }
    }

    /// How many of these bytes end the chunk; `None` if it goes on behind them.
    pub(super) fn cut(&mut self, data: &[u8]) -> Option<usize> {
        for (i, byte) in data.iter().enumerate() {
            self.hash = roll(self.hash, *byte);
            self.len += 1;
            let ends = self.len >= self.least && self.hash & self.mask == 0;
            if ends || self.len >= self.most {
                (self.hash, self.len) = (0, 0);
                return Some(i + 1);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn noise(seed: u64, len: usize) -> Vec<u8> {
        let mut x = seed;
        (0..len)
            .map(|_| {
                x = x
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                (x >> 56) as u8
            })
            .collect()
    }

    #[test]
    fn samples_survive_an_insertion_and_tell_files_apart() {
        let old = noise(1, 200_000);
        let mut new = old.clone();
        new.splice(1000..1000, *b"something");
        let (a, b): (HashSet<_>, HashSet<_>) = (samples(&old).collect(), samples(&new).collect());
        assert!(a.len() > 3000 && a.len() < 12_000, "{}", a.len());
        assert!(a.intersection(&b).count() + 30 > a.len());
        let other: HashSet<_> = samples(&noise(2, 200_000)).collect();
        assert_eq!(a.intersection(&other).count(), 0);
        assert!(samples(&[0; 100_000]).count() < 100);
    }

    #[test]
    fn chunks_survive_an_insertion() {
        let lengths = |data: &[u8]| {
            let mut cutter = Cutter::new(4096);
            let mut out = Vec::new();
            let (mut start, mut at) = (0, 0);
            while at < data.len() {
                // In pieces, as they come from a file.
                let piece = &data[at..data.len().min(at + 1000)];
                match cutter.cut(piece) {
                    Some(n) => {
                        at += n;
                        out.push(data[start..at].to_vec());
                        start = at;
                    }
                    None => at += piece.len(),
                }
            }
            out.push(data[start..].to_vec());
            out
        };
        let old = noise(3, 1_000_000);
        let mut new = old.clone();
        new.insert(500_000, 7);
        let (a, b) = (lengths(&old), lengths(&new));
        assert_eq!(a.concat(), old);
        assert!(a.len() > 120 && a.len() < 500, "{}", a.len());
        let known: HashSet<_> = a.iter().collect();
        assert!(b.iter().filter(|chunk| !known.contains(chunk)).count() <= 3);
    }
}
