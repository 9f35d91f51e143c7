//! Which file of the old tree a new file is likely made from.
//!
//! This is the one place that decides it. It sees names and sizes only, so that it stays cheap on whole systems; what it
//! proposes is tried and may turn out useless. A better proposal (by content: shingles of chunks; by names with versions
//! in them; by several sources for one file) is another function of this shape; nothing else needs to change, as the
//! format lets an object copy from any file of the old tree.

use osier_object::ContentId;
use std::collections::HashMap;

/// What is known of a regular file.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) id: ContentId,
    pub(super) size: u64,
    /// The names it has in the tree, without folders.
    pub(super) names: Vec<Box<str>>,
}

/// For each new file the old one to start from, if any.
///
/// The smallest, at least 0.7 and at most 1.3 times as large, that shares a name; otherwise one that shares a name up to
/// the first dot. Files that are packed in a way that hides likeness have none.
pub(super) fn sources(new: &[Candidate], old: &[Candidate]) -> Vec<Option<ContentId>> {
    let whole = Names::new(old, |name| Some(name));
    let stems = Names::new(old, stem);
    new.iter()
        .map(|file| {
            if !is_eligible(file) {
                return None;
            }
            whole
                .find(file, |name| Some(name))
                .or_else(|| stems.find(file, stem))
        })
        .collect()
}

fn is_eligible(file: &Candidate) -> bool {
    let packed = |name: &str| [".xz", ".bz2"].iter().any(|end| name.ends_with(end));
    file.size > 0 && !file.names.iter().any(|name| packed(name))
}

/// The name up to its first dot; hidden files and names without a dot have none.
pub(super) fn stem(name: &str) -> Option<&str> {
    match name.find('.') {
        None | Some(0) => None,
        Some(at) => Some(&name[..at]),
    }
}

type Key = for<'n> fn(&'n str) -> Option<&'n str>;

/// Old files by name, each list sorted by size.
struct Names<'a>(HashMap<&'a str, Vec<(u64, ContentId)>>);

impl<'a> Names<'a> {
    fn new(files: &'a [Candidate], key: Key) -> Names<'a> {
        let mut map: HashMap<&str, Vec<(u64, ContentId)>> = HashMap::new();
        for file in files.iter().filter(|f| is_eligible(f)) {
            for name in file.names.iter().filter_map(|name| key(name)) {
                map.entry(name).or_default().push((file.size, file.id));
            }
        }
        for list in map.values_mut() {
            list.sort_unstable();
        }
        Names(map)
    }

    fn find(&self, file: &Candidate, key: Key) -> Option<ContentId> {
        let least = (file.size as f64 * 0.7) as u64;
        let most = (file.size as f64 * 1.3) as u64;
        file.names
            .iter()
            .filter_map(|name| self.0.get(key(name)?))
            .filter_map(|list| list.get(list.partition_point(|(size, _)| *size < least)))
            .filter(|(size, _)| *size <= most)
            .min()
            .map(|(_, id)| *id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use osier_object::hash;

    fn file(size: u64, names: &[&str]) -> Candidate {
        Candidate {
            id: ContentId(hash(format!("{size}{names:?}").as_bytes())),
            size,
            names: names.iter().map(|n| (*n).into()).collect(),
        }
    }

    #[test]
    fn by_name_then_by_stem_within_sizes() {
        let old = [
            file(69, &["a"]),
            file(130, &["a"]),
            file(131, &["a"]),
            file(100, &["lib.so.1"]),
            file(90, &["lib.so.2"]),
            file(100, &["x.xz"]),
            file(100, &[".hidden"]),
            file(0, &["empty"]),
        ];
        let find = |size, names: &[&str]| {
            let found = sources(&[file(size, names)], &old)[0];
            found.map(|id| old.iter().position(|o| o.id == id).unwrap())
        };
        assert_eq!(find(100, &["a"]), Some(1));
        assert_eq!(find(99, &["a"]), Some(0));
        assert_eq!(find(50, &["a"]), None);
        assert_eq!(find(100, &["b", "a"]), Some(1));
        assert_eq!(find(100, &["lib.so.1"]), Some(3));
        assert_eq!(find(100, &["lib.so.3"]), Some(4));
        assert_eq!(find(100, &["lib"]), None);
        assert_eq!(find(100, &["x.xz"]), None);
        assert_eq!(find(100, &["x.gz"]), None);
        assert_eq!(find(100, &[".other"]), None);
        assert_eq!(find(0, &["empty"]), None);
    }
}
