//! Files that are alike in content, whatever they are called: of the windows that content picks, a few stand for a file.

use super::windows;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How many windows stand for a file.
const KEPT: usize = 16;
/// So many must be shared: one may be a licence or a common table.
const SHARED: usize = 3;
/// A window that is in more files than this tells nothing.
const COMMON: usize = 64;

/// The windows that stand for a content: those with the smallest hashes.
pub(super) fn of(data: &[u8]) -> Vec<u64> {
    let mut kept = BTreeSet::new();
    for sample in windows::samples(data) {
        if kept.len() < KEPT {
            kept.insert(sample);
        } else if kept.last().is_some_and(|last| sample < *last) && kept.insert(sample) {
            kept.pop_last();
        }
    }
    kept.into_iter().collect()
}

/// Finds the old sketches that share most with a new one.
pub(super) struct Sketches(HashMap<u64, Vec<u32>>);

impl Sketches {
    pub(super) fn new<'s>(old: impl Iterator<Item = &'s [u64]>) -> Sketches {
        let mut map: HashMap<u64, Vec<u32>> = HashMap::new();
        for (i, sketch) in old.enumerate() {
            for sample in sketch {
                map.entry(*sample).or_default().push(i as u32);
            }
        }
        Sketches(map)
    }

    /// The best, the best first.
    pub(super) fn find(&self, sketch: &[u64], most: usize) -> Vec<usize> {
        let mut shared: BTreeMap<u32, usize> = BTreeMap::new();
        for sample in sketch {
            for i in self
                .0
                .get(sample)
                .filter(|l| l.len() <= COMMON)
                .into_iter()
                .flatten()
            {
                *shared.entry(*i).or_default() += 1;
            }
        }
        let mut found: Vec<_> = shared
            .into_iter()
            .filter(|(_, n)| *n >= SHARED)
            .map(|(i, n)| (usize::MAX - n, i as usize))
            .collect();
        found.sort_unstable();
        found.into_iter().take(most).map(|(_, i)| i).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(seed: usize, n: usize) -> String {
        (0..n)
            .map(|i| format!("{} ", (i + seed) * 7919 % 100_003))
            .collect()
    }

    #[test]
    fn alike_by_content() {
        let old: Vec<Vec<u64>> = [words(0, 2000), words(50_000, 2000), String::new()]
            .iter()
            .map(|text| of(text.as_bytes()))
            .collect();
        let sketches = Sketches::new(old.iter().map(Vec::as_slice));
        let changed = words(50_000, 2000).replace(" 12", " x");
        assert_eq!(sketches.find(&of(changed.as_bytes()), 3), [1]);
        assert!(
            sketches
                .find(&of(words(90_000, 2000).as_bytes()), 3)
                .is_empty()
        );
    }
}
