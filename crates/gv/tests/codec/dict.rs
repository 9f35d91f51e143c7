//! The ordered dictionary.

use osier_gv::{Dict, Value, glib_order};

fn dict(keys: &[&str]) -> Dict {
    keys.iter()
        .enumerate()
        .map(|(at, key)| ((*key).to_owned(), Value::U32(at as u32)))
        .collect()
}

fn glib_keys(keys: &[&str]) -> Vec<String> {
    dict(keys)
        .in_glib_order()
        .keys()
        .map(str::to_owned)
        .collect()
}

#[test]
fn keeps_order_and_duplicates() {
    let bytes = dict(&["b", "a", "b"]).encode();
    let read = Dict::decode(&bytes).unwrap();
    assert_eq!(read.keys().collect::<Vec<_>>(), ["b", "a", "b"]);
    assert_eq!(read.get_u32("b"), Some(0));
    assert_eq!(read.encode(), bytes);
}

#[test]
fn edits_in_place() {
    let mut d = Dict::decode(&dict(&["b", "a", "b"]).encode()).unwrap();
    d.insert("a", Value::str("x"));
    d.insert("c", Value::Bool(true));
    assert_eq!(d.keys().collect::<Vec<_>>(), ["b", "a", "b", "c"]);
    assert_eq!((d.get_str("a"), d.get_bool("c")), (Some("x"), Some(true)));
    assert_eq!(d.remove("b"), Some(Value::U32(0)));
    assert_eq!(d.keys().collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(d.remove("b"), None);
    let entries: Vec<_> = d.into_iter().collect();
    assert_eq!(entries[1], ("c".to_owned(), Value::Bool(true)));
}

#[test]
fn typed_look_ups_want_the_type() {
    let mut d = Dict::new();
    d.push("s", Value::str("x"));
    d.push("as", Value::strv(["x", "y"]));
    d.push("aay", Value::bytes_list([vec![1]]));
    d.push("d", dict(&["k"]).to_value());
    let d = Dict::decode(&d.encode()).unwrap();
    assert_eq!(d.get_u64("s"), None);
    assert_eq!(d.get_strv("as"), Some(vec!["x", "y"]));
    assert_eq!(d.get_strv("aay"), None);
    assert_eq!(d.get_bytes_list("aay"), Some(vec![&[1][..]]));
    assert_eq!(d.get_dict("d"), Some(dict(&["k"])));
    assert_eq!(d.get_dict("s"), None);
    assert_eq!(Dict::from_value(&d.to_value()).unwrap(), d);
}

/// Orders seen in commits and summaries that the C tool wrote.
#[test]
fn glib_order_of_real_dictionaries() {
    assert_eq!(
        glib_keys(&[
            "version",
            "ostree.ref-binding",
            "ostree.bootable",
            "ostree.linux"
        ]),
        [
            "ostree.linux",
            "version",
            "ostree.bootable",
            "ostree.ref-binding"
        ]
    );
    assert_eq!(
        glib_keys(&[
            "ostree.static-deltas",
            "ostree.summary.last-modified",
            "ostree.summary.mode",
            "ostree.summary.tombstone-commits",
            "ostree.summary.indexed-deltas",
        ]),
        [
            "ostree.summary.mode",
            "ostree.summary.last-modified",
            "ostree.summary.tombstone-commits",
            "ostree.static-deltas",
            "ostree.summary.indexed-deltas",
        ]
    );
}

#[test]
fn glib_order_keeps_the_last_value() {
    let d = dict(&["k", "l", "k"]).in_glib_order();
    assert_eq!(d.len(), 2);
    assert_eq!(d.get_u32("k"), Some(2));
}

/// Growing tables stay permutations.
#[test]
fn glib_order_is_a_permutation() {
    for count in 0..400usize {
        let keys: Vec<String> = (0..count).map(|n| format!("key{n}é")).collect();
        let mut order = glib_order::order(keys.iter().map(String::as_str));
        order.sort_unstable();
        assert_eq!(order, (0..count).collect::<Vec<_>>());
    }
}

/// Answers of the C tool for up to 262 keys.
#[test]
fn glib_order_as_the_c_tool() {
    let baseline = include_str!("../fixtures/glib_order_baseline.txt");
    let mut lines = baseline.lines().filter(|line| !line.starts_with('#'));
    let mut cases = 0;
    while let (Some(given), Some(stored)) = (lines.next(), lines.next()) {
        let keys: Vec<&str> = given.split(' ').collect();
        let stored: Vec<&str> = stored.split(' ').collect();
        assert_eq!(glib_keys(&keys), stored, "{} keys", keys.len());
        cases += 1;
    }
    assert!(cases > 90);
}
