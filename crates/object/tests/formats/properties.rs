//! Decoders take any bytes without panic, and give back what they accept.

use osier_gv::{Dict, Value};
use osier_object::{
    Commit, CommitId, ContentId, Dirmeta, DirmetaId, Dirtree, DirtreeId, Error, FileHeader,
    ObjectType, Summary, SummaryRef, Xattrs, hash, sizes::SizeEntry, tombstone, validate,
};
use proptest::prelude::*;

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..100)
}

fn name() -> impl Strategy<Value = String> {
    "[^/\0]{1,12}".prop_filter("dots", |name| name != "." && name != "..")
}

fn xattrs() -> impl Strategy<Value = Xattrs> {
    let value = proptest::collection::vec(any::<u8>(), 0..10);
    proptest::collection::btree_map("[a-z.]{1,8}", value, 0..5).prop_map(|map| {
        Xattrs::from_pairs(map.into_iter().map(|(n, v)| (n.into_bytes(), v)).collect())
    })
}

fn header() -> impl Strategy<Value = FileHeader> {
    let target = proptest::option::of("[^\0]{0,20}");
    (any::<u32>(), any::<u32>(), 0u32..0o10000, target, xattrs()).prop_map(
        |(uid, gid, mode, target, xattrs)| {
            let mut header = match target {
                Some(target) => FileHeader::symlink(uid, gid, target),
                None => FileHeader::regular(uid, gid, mode),
            };
            header.xattrs = xattrs;
            header
        },
    )
}

fn dirmeta() -> impl Strategy<Value = Dirmeta> {
    (any::<u32>(), any::<u32>(), 0u32..0o10000, xattrs()).prop_map(|(uid, gid, mode, xattrs)| {
        let mut meta = Dirmeta::new(uid, gid, mode);
        meta.xattrs = xattrs;
        meta
    })
}

fn dirtree() -> impl Strategy<Value = Dirtree> {
    let names = || proptest::collection::btree_set(name(), 0..20);
    (names(), names()).prop_map(|(files, dirs)| {
        let id = |name: &str| hash(name.as_bytes());
        Dirtree {
            files: files
                .iter()
                .map(|name| (name.as_str().into(), ContentId(id(name))))
                .collect(),
            dirs: dirs
                .iter()
                .map(|name| {
                    let id = id(name);
                    (name.as_str().into(), DirtreeId(id), DirmetaId(id))
                })
                .collect(),
        }
    })
}

fn metadata() -> impl Strategy<Value = Dict> {
    let value = prop_oneof![
        any::<u64>().prop_map(Value::U64),
        "[^\0]{0,9}".prop_map(Value::Str),
        proptest::collection::vec("[a-z]{0,4}", 0..3).prop_map(Value::strv),
    ];
    proptest::collection::vec(("[^\0]{1,9}", value), 0..6).prop_map(Dict::from_iter)
}

fn commit() -> impl Strategy<Value = Commit> {
    (
        metadata(),
        any::<bool>(),
        "[^\0]{0,9}",
        "[^\0]{0,9}",
        any::<u64>(),
    )
        .prop_map(|(metadata, parent, subject, body, timestamp)| {
            let mut commit = Commit::new(hash(b"t").into(), hash(b"m").into(), timestamp);
            commit.metadata = metadata;
            commit.parent = parent.then(|| CommitId(hash(b"p")));
            commit.subject = subject;
            commit.body = body;
            commit
        })
}

fn summary() -> impl Strategy<Value = Summary> {
    let refs = proptest::collection::btree_map("[a-z/]{0,9}", (any::<u64>(), metadata()), 0..6);
    (refs, metadata()).prop_map(|(refs, metadata)| Summary {
        refs: refs
            .into_iter()
            .map(|(name, (commit_size, metadata))| SummaryRef {
                commit: CommitId(hash(name.as_bytes())),
                name,
                commit_size,
                metadata,
            })
            .collect(),
        metadata,
    })
}

/// Every decoder on the same bytes. What decodes and must not be normalised encodes back.
fn every_decoder(bytes: &[u8]) {
    fn same(read: Result<Vec<u8>, Error>, bytes: &[u8]) {
        if let Ok(again) = read {
            assert_eq!(again, bytes);
        }
    }
    same(Dirmeta::decode(bytes).map(|meta| meta.encode()), bytes);
    same(Commit::decode(bytes).map(|commit| commit.encode()), bytes);
    same(SizeEntry::decode(bytes).map(|_| bytes.to_vec()), bytes);
    if let Ok(tree) = Dirtree::decode(bytes)
        && tree.files.is_sorted_by(|a, b| a.0 <= b.0)
        && tree.dirs.is_sorted_by(|a, b| a.0 <= b.0)
    {
        assert_eq!(tree.encode(), bytes);
    }
    if let Ok(summary) = Summary::decode(bytes) {
        if summary.refs.is_sorted_by(|a, b| a.name <= b.name) {
            assert_eq!(summary.encode(), bytes);
        }
        let _ = summary.collection_map();
    }
    if let Ok(xattrs) = Xattrs::decode(bytes) {
        assert_eq!(xattrs.encode().len(), bytes.len());
    }
    let _ = Xattrs::check_canonical(bytes);
    let _ = tombstone::decode(bytes);
    let _ = FileHeader::parse_header(bytes);
    let _ = FileHeader::parse_archive_header(bytes);
    let _ = FileHeader::decode_ostreemeta(bytes);
    if let Ok((variant, _)) = FileHeader::split_framing(bytes) {
        let _ = FileHeader::parse_header(variant);
        let _ = FileHeader::parse_archive_header(variant);
    }
    for ty in ObjectType::ALL {
        let _ = validate::structure(ty, bytes);
    }
}

fn damage() -> impl Strategy<Value = (prop::sample::Index, u8, u8)> {
    (any::<prop::sample::Index>(), any::<u8>(), 0u8..4)
}

fn damaged(mut bytes: Vec<u8>, (at, byte, how): (prop::sample::Index, u8, u8)) -> Vec<u8> {
    let at = at.index(bytes.len() + 1);
    match how {
        0 if at < bytes.len() => bytes[at] = byte,
        1 if at < bytes.len() => drop(bytes.remove(at)),
        2 => bytes.insert(at, byte),
        _ => bytes.truncate(at),
    }
    bytes
}

proptest! {
    #[test]
    fn any_bytes(bytes in bytes()) {
        every_decoder(&bytes);
    }

    #[test]
    fn damaged_objects(
        (tree, meta, commit, summary, header) in
            (dirtree(), dirmeta(), commit(), summary(), header()),
        damage in damage(),
    ) {
        every_decoder(&damaged(tree.encode(), damage));
        every_decoder(&damaged(meta.encode(), damage));
        every_decoder(&damaged(commit.encode(), damage));
        every_decoder(&damaged(summary.encode(), damage));
        every_decoder(&damaged(header.hash_framing(), damage));
        every_decoder(&damaged(header.archive_framing(7)[8..].to_vec(), damage));
    }

    #[test]
    fn objects_come_back(
        (tree, meta, commit, summary, header) in
            (dirtree(), dirmeta(), commit(), summary(), header()),
        size: u64,
    ) {
        prop_assert_eq!(&Dirtree::decode(&tree.encode()).unwrap(), &tree);
        prop_assert_eq!(&Dirmeta::decode(&meta.encode()).unwrap(), &meta);
        prop_assert_eq!(&Commit::decode(&commit.encode()).unwrap(), &commit);
        prop_assert_eq!(&Summary::decode(&summary.encode()).unwrap(), &summary);
        prop_assert_eq!(&FileHeader::parse_header(&header.hash_framing()[8..]).unwrap(), &header);
        let (read, read_size) =
            FileHeader::parse_archive_header(&header.archive_framing(size)[8..]).unwrap();
        prop_assert_eq!((&read, read_size), (&header, size));
        let read = FileHeader::decode_ostreemeta(&header.encode_ostreemeta()).unwrap();
        prop_assert_eq!((read.mode, &read.xattrs), (header.mode, &header.xattrs));
    }
}
