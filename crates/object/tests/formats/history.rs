//! Commits, sizes and summaries.

use osier_gv::{Dict, Value, text};
use osier_object::sizes::{SizeEntry, push_varint, read_varint};
use osier_object::summary::{self, encode_collection_map};
use osier_object::{
    Commit, DirmetaId, DirtreeId, Error, ObjectName, ObjectType, Summary, SummaryRef, hash, sizes,
    tombstone,
};

fn words(result: Result<impl std::fmt::Debug, Error>) -> String {
    result.unwrap_err().to_string()
}

fn commit() -> Commit {
    Commit::new(DirtreeId(hash(b"t")), DirmetaId(hash(b"m")), 1)
}

/// The commit's value with one member replaced.
fn with_member(index: usize, member: Value) -> Vec<u8> {
    let ty = "(a{sv}aya(say)sstayay)".parse().unwrap();
    let Value::Tuple(mut members) = Value::decode(&ty, &commit().encode()).unwrap() else {
        unreachable!("a commit is a tuple")
    };
    members[index] = member;
    Value::Tuple(members).encode()
}

/// In the C tool's words.
#[test]
fn commit_rules() {
    let short = || Value::Bytes(vec![1; 5]);
    let mut keyless = Dict::new();
    keyless.push("", Value::Byte(5));
    for (index, member, message) in [
        (0, keyless.to_value(), "Empty metadata key"),
        (
            1,
            short(),
            "Invalid commit parent: Invalid checksum of length 5 expected 32",
        ),
        (
            6,
            short(),
            "Invalid commit tree content checksum: Invalid checksum of length 5 expected 32",
        ),
        (
            7,
            short(),
            "Invalid commit tree metadata checksum: Invalid checksum of length 5 expected 32",
        ),
    ] {
        assert_eq!(words(Commit::decode(&with_member(index, member))), message);
    }
}

#[test]
fn related_objects_and_duplicates_stay() {
    let related = text::parse("@a(say) [('x', [0x07])]", None).unwrap();
    let bytes = with_member(2, related);
    let read = Commit::decode(&bytes).unwrap();
    assert_eq!(read.encode(), bytes);
    let mut twice = commit();
    twice.metadata.push("k", Value::Byte(1));
    twice.metadata.push("k", Value::Byte(2));
    let bytes = twice.encode();
    assert_eq!(Commit::decode(&bytes).unwrap().encode(), bytes);
}

#[test]
fn messages_end_at_nul() {
    let mut commit = commit();
    commit.subject = "a\0b".into();
    assert_eq!(Commit::decode(&commit.encode()).unwrap().subject, "a");
}

#[test]
fn varints() {
    for (n, bytes) in [
        (0, &[0][..]),
        (127, &[0x7f]),
        (128, &[0x80, 1]),
        (300, &[0xac, 2]),
        (
            u64::MAX,
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
        ),
    ] {
        let mut out = Vec::new();
        push_varint(&mut out, n);
        assert_eq!(out, bytes);
        out.push(9);
        assert_eq!(read_varint(&out), Some((n, &[9][..])));
    }
    assert_eq!(read_varint(&[]), None);
    assert_eq!(read_varint(&[0x80]), None);
    assert_eq!(read_varint(&[0xff; 10]), None);
    // a bit past the 64th
    assert_eq!(
        read_varint(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 2]),
        None
    );
}

#[test]
fn size_entries() {
    let entry = SizeEntry {
        name: ObjectName::new(hash(b"x"), ObjectType::Dirtree),
        archived: 300,
        unpacked: 5,
    };
    let bytes = entry.encode();
    assert_eq!(bytes[32..], [0xac, 2, 5, 2]);
    assert_eq!(SizeEntry::decode(&bytes), Ok(entry));
    // Old entries are files without a type.
    let old = SizeEntry::decode(&bytes[..35]).unwrap();
    assert_eq!(old.name.ty, ObjectType::File);
    for bad in [&bytes[..31], &bytes[..33], &[&bytes[..], &[0]].concat()] {
        assert!(SizeEntry::decode(bad).is_err());
    }
    let mut unknown = bytes;
    unknown[35] = 77;
    assert!(SizeEntry::decode(&unknown).is_err());
    assert!(sizes::decode(&Value::Byte(1)).is_err());
}

#[test]
fn tombstone_rules() {
    let mut dict = Dict::new();
    dict.push("commit", Value::str("x"));
    assert!(tombstone::decode(&dict.encode()).is_err());
    assert!(tombstone::decode(&Dict::new().encode()).is_err());
}

fn summary_ref(name: &str) -> SummaryRef {
    let mut metadata = Dict::new();
    let timestamp = Value::U64(1_700_000_000u64.swap_bytes());
    metadata.push(summary::key::COMMIT_TIMESTAMP, timestamp);
    SummaryRef {
        name: name.into(),
        commit_size: 213,
        commit: hash(name.as_bytes()).into(),
        metadata,
    }
}

#[test]
fn summaries_come_back_sorted() {
    let mut metadata = Dict::new();
    metadata.push(summary::key::MODE, Value::str("archive-z2"));
    let map = vec![
        ("org.b".to_owned(), vec![summary_ref("z"), summary_ref("y")]),
        ("org.a".to_owned(), vec![]),
    ];
    let value = encode_collection_map(&map).unwrap();
    assert_eq!(value.type_string(), "a{sa(s(taya{sv}))}");
    metadata.push(summary::key::COLLECTION_MAP, value);
    let summary = Summary {
        refs: vec![summary_ref("b"), summary_ref("a/c"), summary_ref("a")],
        metadata,
    };
    let bytes = summary.encode();
    // The whole has the documented type.
    let ty = "(a(s(taya{sv}))a{sv})".parse().unwrap();
    assert_eq!(Value::decode(&ty, &bytes).unwrap().encode(), bytes);
    let read = Summary::decode(&bytes).unwrap();
    let names: Vec<&str> = read.refs.iter().map(|r| &*r.name).collect();
    assert_eq!(names, ["a", "a/c", "b"]);
    assert_eq!(read.encode(), bytes);
    assert_eq!(read.find("a/c"), Some(&summary_ref("a/c")));
    assert_eq!(read.find("c"), None);
    let map = read.collection_map().unwrap();
    assert_eq!(map[0], ("org.a".to_owned(), vec![]));
    assert_eq!(map[1].1[0], summary_ref("y"));
    assert!(Summary::default().collection_map().unwrap().is_empty());
}

#[test]
fn empty_summary() {
    let bytes = Summary::default().encode();
    assert_eq!(bytes, [0]);
    assert_eq!(Summary::decode(&bytes).unwrap(), Summary::default());
}
