//! The Bloom filter in which a machine announces its refs to the local network.
//!
//! A few hundred bytes stand for any number of refs. What the filter denies is not there; what it affirms may be.
//! Each ref sets `k` bits. Bit number `i` is the hash with key `i`, modulo the number of bits; bits are counted from the
//! least significant one of the first byte.

use siphasher::sip::SipHasher24;

/// The number, in the encoding, of the hash function of collection refs: the only one there is.
const COLLECTION_REF: u8 = 1;

/// As many bytes as fit in one string of a TXT record, beside the key and the two numbers before them.
pub const MAX_BYTES: usize = 250;

/// Set bits per ref for which two bytes each are room enough.
const MAX_K: u8 = 11;

/// A set of collection refs that may affirm what is not in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BloomFilter {
    k: u8,
    bits: Vec<u8>,
}

impl BloomFilter {
    /// An empty filter that suits so many refs: two bytes for each, up to [`MAX_BYTES`] in all.
    #[must_use]
    pub fn for_refs(count: usize) -> BloomFilter {
        let bytes = count.saturating_mul(2).clamp(16, MAX_BYTES);
        // The best k is bits/refs · ln 2; past 1024 refs it is 1 anyway.
        let best = bytes * 8 * 693 / (count.clamp(1, 100_000) * 1000);
        let k = u8::try_from(best).unwrap_or(MAX_K).clamp(1, MAX_K);
        BloomFilter {
            k,
            bits: vec![0; bytes],
        }
    }

    /// Adds a ref of a collection.
    pub fn insert(&mut self, collection: &str, name: &str) {
        for i in 0..self.k {
            let (byte, mask) = self.place(ref_hash(i, collection, name));
            self.bits[byte] |= mask;
        }
    }

    /// Whether a ref may be in the set; false is certain.
    #[must_use]
    pub fn may_contain(&self, collection: &str, name: &str) -> bool {
        (0..self.k).all(|i| {
            let (byte, mask) = self.place(ref_hash(i, collection, name));
            self.bits[byte] & mask != 0
        })
    }

    fn place(&self, hash: u64) -> (usize, u8) {
        let bits = self.bits.len() as u64 * 8;
        let bit = hash % bits;
        // Below the length of a vector, so it fits.
        ((bit / 8) as usize, 1 << (bit % 8))
    }

    /// The GVariant `(yyay)`: `k`, the number of the hash function, the bits.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [&[self.k, COLLECTION_REF], &self.bits[..]].concat()
    }

    /// Reads a GVariant `(yyay)`; none if it has no bits, sets none, or uses another hash function.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<BloomFilter> {
        let [k, COLLECTION_REF, bits @ ..] = bytes else {
            return None;
        };
        if *k == 0 || bits.is_empty() {
            return None;
        }
        Some(BloomFilter {
            k: *k,
            bits: bits.to_vec(),
        })
    }
}

/// The hash of a ref: that of its collection's id and that of its name, mixed.
fn ref_hash(key: u8, collection: &str, name: &str) -> u64 {
    let hasher = SipHasher24::new_with_key(&[key; 16]);
    hasher.hash(collection.as_bytes()) ^ hasher.hash(name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }

    /// The vector that pins the hash, its keys, and the order of bits: plain strings in place of refs.
    #[test]
    fn bits_are_where_others_look_for_them() {
        let mut filter = BloomFilter {
            k: 8,
            bits: vec![0; 16],
        };
        for text in ["hello", "there"] {
            for i in 0..filter.k {
                let hash = SipHasher24::new_with_key(&[i; 16]).hash(text.as_bytes());
                let (byte, mask) = filter.place(hash);
                filter.bits[byte] |= mask;
            }
        }
        assert_eq!(hex(&filter.bits), "400002500018000a0948001010000000");
    }

    #[test]
    fn what_is_in_it_is_affirmed_and_most_else_denied() {
        for count in [1, 5, 125, 1000] {
            let mut filter = BloomFilter::for_refs(count);
            for i in 0..count {
                filter.insert("org.example.Os", &format!("os/{i}"));
            }
            assert!((0..count).all(|i| filter.may_contain("org.example.Os", &format!("os/{i}"))));
            let wrong = (0..1000)
                .filter(|i| filter.may_contain("org.example.Other", &format!("os/{i}")))
                .count();
            let bound = if count <= 125 { 20 } else { 600 };
            assert!(
                wrong < bound,
                "{count} refs: {wrong} of 1000 affirmed wrongly"
            );
            assert!(filter.to_bytes().len() <= MAX_BYTES + 2);
        }
    }

    #[test]
    fn bytes_go_both_ways() {
        let mut filter = BloomFilter::for_refs(3);
        filter.insert("org.example.Os", "os/main");
        let bytes = filter.to_bytes();
        assert_eq!(BloomFilter::from_bytes(&bytes), Some(filter));
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for bytes in [
            &b""[..],
            b"\x01",
            b"\x01\x01",
            b"\x00\x01\xff",
            b"\x05\x00\xff",
            b"\x05\x02\xff",
        ] {
            assert_eq!(BloomFilter::from_bytes(bytes), None, "{bytes:?}");
        }
        // The smallest and the greediest there are.
        for bytes in [&b"\x01\x01\x00"[..], b"\xff\x01\xff"] {
            let filter = BloomFilter::from_bytes(bytes).unwrap();
            assert_eq!(filter.may_contain("a.b", "c"), bytes[2] == 0xff);
        }
    }
}
