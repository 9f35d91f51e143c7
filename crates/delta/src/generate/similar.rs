//! Which files of the old tree a new file is likely made from, by names and sizes.
//!
//! What is proposed is tried and may turn out useless. Numbers in names count as equal, so that a library's next version
//! or a kernel's next folder of modules is found.

use osier_object::ContentId;
use std::collections::{BTreeMap, HashMap};

/// Of files with the same name, so many of the nearest size are looked at.
const NEAREST: usize = 16;
/// A source may be so many times as large or as small.
const SIZES: u64 = 8;

/// What is known of a regular file.
#[derive(Clone, Debug)]
pub(super) struct Candidate<'a> {
    pub(super) id: ContentId,
    pub(super) size: u64,
    pub(super) paths: Vec<&'a str>,
}

/// Old files by what their names say.
pub(super) struct Names<'a> {
    old: &'a [Candidate<'a>],
    /// Whole paths, then the last folder and the name, then names: each with numbers alike.
    maps: [HashMap<String, Vec<u32>>; 3],
}

impl<'a> Names<'a> {
    pub(super) fn new(old: &'a [Candidate<'a>]) -> Names<'a> {
        let mut maps: [HashMap<String, Vec<u32>>; 3] = Default::default();
        for (i, file) in old.iter().enumerate().filter(|(_, f)| f.size > 0) {
            for path in &file.paths {
                for (map, key) in maps.iter_mut().zip(keys(path)) {
                    let list = map.entry(key).or_default();
                    if list.last() != Some(&(i as u32)) {
                        list.push(i as u32);
                    }
                }
            }
        }
        for list in maps.iter_mut().flat_map(HashMap::values_mut) {
            list.sort_by_key(|i| (old[*i as usize].size, old[*i as usize].id));
        }
        Names { old, maps }
    }

    /// The best sources for a file, the best first.
    pub(super) fn find(&self, new: &Candidate<'_>, most: usize) -> Vec<usize> {
        // The smaller the better.
        let mut found: BTreeMap<usize, (usize, usize, u64)> = BTreeMap::new();
        for path in &new.paths {
            for (rank, (map, key)) in self.maps.iter().zip(keys(path)).enumerate() {
                let list = map.get(&key).map_or(&[][..], Vec::as_slice);
                for i in self.nearest(list, new.size) {
                    let old = &self.old[i];
                    let apart = old.paths.iter().map(|p| apart(p, path)).min();
                    let worth = (
                        rank,
                        apart.unwrap_or(usize::MAX),
                        old.size.abs_diff(new.size),
                    );
                    let best = found.entry(i).or_insert(worth);
                    *best = worth.min(*best);
                }
            }
        }
        let mut found: Vec<_> = found.into_iter().map(|(i, worth)| (worth, i)).collect();
        found.sort_by_key(|(worth, i)| (*worth, self.old[*i].id));
        found.into_iter().take(most).map(|(_, i)| i).collect()
    }

    /// Those of a list sorted by size that are nearest to one, as far as they may be sources.
    fn nearest<'l>(&'l self, list: &'l [u32], size: u64) -> impl Iterator<Item = usize> + 'l {
        let at = list.partition_point(|i| self.old[*i as usize].size < size);
        let from = at.saturating_sub(NEAREST / 2);
        list[from..list.len().min(at + NEAREST / 2)]
            .iter()
            .map(|i| *i as usize)
            .filter(move |i| {
                let old = self.old[*i].size;
                old <= size.saturating_mul(SIZES) && size <= old.saturating_mul(SIZES)
            })
    }
}

/// The path, the last two of its names, the last: with numbers alike.
fn keys(path: &str) -> [String; 3] {
    let whole = without_numbers(path);
    let mut cuts = whole.rmatch_indices('/').map(|(at, _)| at + 1);
    let name = cuts.next().unwrap_or(0);
    let folder = cuts.next().unwrap_or(0);
    let (name, folder) = (whole[name..].to_owned(), whole[folder..].to_owned());
    [whole, folder, name]
}

/// A digit for each number.
fn without_numbers(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for c in path.chars() {
        match c.is_ascii_digit() {
            true if out.ends_with('0') => {}
            true => out.push('0'),
            false => out.push(c),
        }
    }
    out
}

/// How many characters are left when what two paths begin and end with is taken off.
fn apart(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let begin = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[begin..], &b[begin..]);
    let end = a.iter().rev().zip(b.iter().rev());
    let end = end.take_while(|(a, b)| a == b).count();
    a.len() + b.len() - 2 * end
}

/// What kind of file a path names: files of a kind go next to each other, as they compress well together.
pub(super) fn kind(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    if name.contains(".so.") {
        return "so";
    }
    match name.rsplit_once('.') {
        Some((stem, end)) if !stem.is_empty() && end.len() <= 8 => end,
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use osier_object::hash;

    fn file<'a>(size: u64, paths: &[&'a str]) -> Candidate<'a> {
        Candidate {
            id: ContentId(hash(format!("{size}{paths:?}").as_bytes())),
            size,
            paths: paths.to_vec(),
        }
    }

    #[test]
    fn the_nearest_name_is_found_whatever_its_numbers() {
        let old = [
            file(100, &["/lib/modules/6.1.0-50/fs/fuse.ko"]),
            file(100, &["/lib/modules/5.9.0-50/net/fuse.ko"]),
            file(90, &["/lib/libz.so.1.2"]),
            file(100, &["/lib/libz.so.2.0"]),
            file(1000, &["/a/index.html"]),
            file(100, &["/b/index.html", "/c/index.html"]),
            file(0, &["/empty"]),
            file(100, &["/tiny"]),
        ];
        let names = Names::new(&old);
        let find = |size, paths: &[&str]| names.find(&file(size, paths), 1).first().copied();
        assert_eq!(find(99, &["/lib/modules/6.1.0-56/fs/fuse.ko"]), Some(0));
        assert_eq!(find(99, &["/lib/modules/7/net/fuse.ko"]), Some(1));
        assert_eq!(find(95, &["/lib/libz.so.1.3"]), Some(2));
        assert_eq!(find(100, &["/lib/libx.so.1.3"]), None);
        assert_eq!(find(100, &["/new/c/index.html"]), Some(5));
        assert_eq!(find(900, &["/d/index.html"]), Some(4));
        assert_eq!(find(1, &["/empty"]), None);
        assert_eq!(find(10_000, &["/tiny"]), None);
        assert_eq!(names.find(&file(100, &["/fuse.ko"]), 9).len(), 2);
    }

    #[test]
    fn kinds() {
        assert_eq!(kind("/lib/libz.so.1.2"), "so");
        assert_eq!(kind("/lib/fuse.ko"), "ko");
        assert_eq!(kind("/usr/bin/ls"), "");
        assert_eq!(kind("/etc/.hidden"), "");
    }
}
