//! The order in which GLib's hash table hands out string keys.
//!
//! OSTree builds some dictionaries through `GVariantDict`, whose order is that of the slots of a
//! `GHashTable`. The order reaches the serialised bytes and so the checksum: to write the same
//! commit, it has to be computed the same way.

/// Prime for each table size, from size 1 up.
const PRIMES: [u32; 31] = [
    1, 2, 3, 7, 13, 31, 61, 127, 251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521, 131071,
    262139, 524287, 1048573, 2097143, 4194301, 8388593, 16777213, 33554393, 67108859, 134217689,
    268435399, 536870909, 1073741789,
];

const MIN_SIZE: usize = 8;

/// Emission order of keys that are inserted one after another into an empty table.
///
/// Returns indices into `keys`; of equal keys only the first one's index appears.
///
/// ```
/// let keys = ["version", "ostree.ref-binding", "ostree.bootable", "ostree.linux"];
/// let order: Vec<_> = osier_gv::glib_order::order(keys).into_iter().map(|i| keys[i]).collect();
/// assert_eq!(order, ["ostree.linux", "version", "ostree.bootable", "ostree.ref-binding"]);
/// ```
pub fn order<'a>(keys: impl IntoIterator<Item = &'a str>) -> Vec<usize> {
    let mut table = Table::new();
    for (index, key) in keys.into_iter().enumerate() {
        table.insert(index, key);
    }
    table
        .slots
        .iter()
        .flatten()
        .map(|entry| entry.index)
        .collect()
}

/// GLib's string hash: h·33 + byte, bytes being signed, starting at 5381.
fn hash(key: &str) -> u32 {
    let hash = key.bytes().fold(5381u32, |h, byte| {
        // `as i8 as u32` sign-extends: the C code adds a signed char.
        h.wrapping_mul(33).wrapping_add(byte as i8 as u32)
    });
    // 0 and 1 mark empty and deleted slots.
    hash.max(2)
}

#[derive(Clone, Copy)]
struct Entry<'a> {
    index: usize,
    key: &'a str,
    hash: u32,
}

struct Table<'a> {
    slots: Vec<Option<Entry<'a>>>,
    used: usize,
}

impl<'a> Table<'a> {
    fn new() -> Self {
        Table {
            slots: vec![None; MIN_SIZE],
            used: 0,
        }
    }

    /// First slot to try in a table of `size` slots.
    fn home(hash: u32, size: usize) -> usize {
        let prime = PRIMES[(size.trailing_zeros() as usize).min(PRIMES.len() - 1)];
        (hash.wrapping_mul(11) % prime) as usize
    }

    /// Slots to try one after another: the distance grows by one at each step.
    fn probe(hash: u32, size: usize) -> impl Iterator<Item = usize> {
        let mut slot = Self::home(hash, size);
        let mut step = 0;
        std::iter::from_fn(move || {
            let this = slot;
            step += 1;
            slot = (slot + step) & (size - 1);
            Some(this)
        })
    }

    fn insert(&mut self, index: usize, key: &'a str) {
        let hash = hash(key);
        for slot in Self::probe(hash, self.slots.len()) {
            match &self.slots[slot] {
                Some(there) if there.hash == hash && there.key == key => return,
                Some(_) => {}
                None => {
                    self.slots[slot] = Some(Entry { index, key, hash });
                    break;
                }
            }
        }
        self.used += 1;
        if self.slots.len() <= self.used + self.used / 16 {
            self.grow();
        }
    }

    /// Rehashes in place, displacing entries that are not final yet.
    fn grow(&mut self) {
        let old = self.slots.len();
        let wanted = self.used + self.used / 3;
        let size = (1usize << (usize::BITS - wanted.leading_zeros())).max(MIN_SIZE);
        self.slots.resize(size.max(old), None);
        let mut done = vec![false; self.slots.len()];
        for start in 0..old {
            if done[start] {
                continue;
            }
            let mut carried = self.slots[start].take();
            while let Some(entry) = carried {
                let slot = Self::probe(entry.hash, size)
                    .find(|&slot| !done[slot])
                    .unwrap_or(start);
                done[slot] = true;
                carried = self.slots[slot].replace(entry);
            }
        }
        self.slots.truncate(size);
    }
}
