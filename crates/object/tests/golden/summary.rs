//! A summary with a static delta, own metadata and other collections:
//! `ostree summary -u -m "x.y=[(1,\"a\"),(2,\"b\")]"`.

use osier_gv::{Dict, Value, text};
use osier_object::summary::{encode_collection_map, key};
use osier_object::{Summary, SummaryRef};

const BYTES: &[u8] = include_bytes!("../fixtures/summary.bin");

#[test]
fn reads_and_comes_back() {
    let summary = Summary::decode(BYTES).unwrap();
    let names: Vec<&str> = summary.refs.iter().map(|r| &*r.name).collect();
    assert_eq!(names, ["a", "b/c", "ostree-metadata", "z"]);
    let a = summary.find("a").unwrap();
    assert_eq!(a.commit_size, 174);
    assert_eq!(a.metadata.get_str(key::COMMIT_VERSION), Some("1"));
    assert_eq!(
        summary.metadata.get_str(key::COLLECTION_ID),
        Some("org.own")
    );
    assert_eq!(
        text::print(summary.metadata.get("x.y").unwrap(), true),
        "[(1, 'a'), (2, 'b')]"
    );
    let deltas = summary.metadata.get_dict(key::STATIC_DELTAS).unwrap();
    assert_eq!(deltas.keys().collect::<Vec<_>>(), [a.commit.to_hex()]);
    assert_eq!(deltas.get_bytes(&a.commit.to_hex()).unwrap().len(), 32);
    assert_eq!(summary.encode(), BYTES);

    let map = summary.collection_map().unwrap();
    let names: Vec<(&str, Vec<&str>)> = map
        .iter()
        .map(|(id, refs)| (&**id, refs.iter().map(|r| &*r.name).collect()))
        .collect();
    assert_eq!(
        names,
        [
            ("org.aaa", vec!["b", "foo/b", "q"]),
            ("org.other", vec!["foo", "x/y"])
        ]
    );
    let stored = summary.metadata.get(key::COLLECTION_MAP).unwrap();
    assert_eq!(&encode_collection_map(&map).unwrap(), stored);
}

/// Built from its parts in the C tool's insertion order it has the same bytes.
#[test]
fn built_anew() {
    let read = Summary::decode(BYTES).unwrap();
    let mut metadata = Dict::new();
    for key in [
        "x.y",
        key::STATIC_DELTAS,
        key::LAST_MODIFIED,
        key::MODE,
        key::TOMBSTONE_COMMITS,
        key::INDEXED_DELTAS,
        key::COLLECTION_ID,
        key::COLLECTION_MAP,
    ] {
        metadata.push(key, read.metadata.get(key).unwrap().clone());
    }
    let refs = read.refs.iter().map(|r| {
        let mut metadata = Dict::new();
        let time = r.metadata.get_u64(key::COMMIT_TIMESTAMP).unwrap();
        metadata.push(key::COMMIT_TIMESTAMP, Value::U64(time));
        if let Some(version) = r.metadata.get_str(key::COMMIT_VERSION) {
            metadata.push(key::COMMIT_VERSION, Value::str(version));
        }
        SummaryRef {
            metadata: metadata.in_glib_order(),
            ..r.clone()
        }
    });
    let built = Summary {
        refs: refs.rev().collect(),
        metadata: metadata.in_glib_order(),
    };
    assert_eq!(built.encode(), BYTES);
}
