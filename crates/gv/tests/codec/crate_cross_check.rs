//! Our encoder and decoder against those of the `gvariant` crate.
//!
//! The crate reads malformed bytes as defaults, so a bytes-to-bytes round trip through it is the
//! identity exactly on what it takes as normal form.

use gvariant::aligned_bytes::copy_to_align;
use gvariant::{Marker, Structure, VariantWrap, gv};
use osier_gv::{Dict, Type, Value, check_normal_form};
use proptest::prelude::*;

use crate::strategies::damaged;

fn ty(text: &str) -> Type {
    Type::parse(text).unwrap()
}

fn list(element: &str, items: impl IntoIterator<Item = Value>) -> Value {
    Value::array(ty(element), items.into_iter().collect()).unwrap()
}

fn name() -> impl Strategy<Value = String> {
    // Long ones bring wider offsets.
    prop_oneof![4 => "[^\0/]{0,12}", 1 => "[a-z]{200,300}"]
}

fn checksum() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 32)
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..20)
}

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

fn pairs() -> impl Strategy<Value = Pairs> {
    proptest::collection::vec((bytes(), bytes()), 0..5)
}

fn pairs_value(pairs: &Pairs) -> Value {
    list(
        "(ayay)",
        pairs
            .iter()
            .map(|(a, b)| Value::Tuple(vec![Value::Bytes(a.clone()), Value::Bytes(b.clone())])),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn dirtree(
        files in proptest::collection::vec((name(), checksum()), 0..40),
        dirs in proptest::collection::vec((name(), checksum(), checksum()), 0..20),
    ) {
        let ours = Value::Tuple(vec![
            list("(say)", files.iter().map(|(name, id)| {
                Value::Tuple(vec![Value::str(name), Value::Bytes(id.clone())])
            })),
            list("(sayay)", dirs.iter().map(|(name, tree, meta)| {
                Value::Tuple(vec![
                    Value::str(name),
                    Value::Bytes(tree.clone()),
                    Value::Bytes(meta.clone()),
                ])
            })),
        ]);
        let files: Vec<_> = files.iter().map(|(n, c)| (n.as_str(), c.as_slice())).collect();
        let dirs: Vec<_> = dirs
            .iter()
            .map(|(n, t, m)| (n.as_str(), t.as_slice(), m.as_slice()))
            .collect();
        let theirs = gv!("(a(say)a(sayay))").serialize_to_vec(&(&files, &dirs));
        prop_assert_eq!(ours.encode(), theirs);
    }

    #[test]
    fn content_header(uid: u32, gid: u32, mode: u32, target in name(), xattrs in pairs()) {
        let ours = Value::Tuple(vec![
            Value::U64(7),
            Value::U32(uid),
            Value::U32(gid),
            Value::U32(mode),
            Value::U32(0),
            Value::str(&target),
            pairs_value(&xattrs),
        ]);
        let xattrs: Vec<_> = xattrs.iter().map(|(n, v)| (n.as_slice(), v.as_slice())).collect();
        let theirs = gv!("(tuuuusa(ayay))")
            .serialize_to_vec(&(7u64, uid, gid, mode, 0u32, target.as_str(), &xattrs));
        prop_assert_eq!(ours.encode(), theirs);
    }

    #[test]
    fn dictionary(entries in proptest::collection::vec((name(), any::<u64>(), name()), 0..12)) {
        let mut ours = Dict::new();
        for (key, number, text) in &entries {
            ours.push(key, Value::U64(*number));
            ours.push(key, Value::str(text));
        }
        // The macro's types differ per child type, so serialise children to variants first.
        let mut theirs = Vec::new();
        for (key, number, text) in &entries {
            let number = gv!("v").serialize_to_vec(VariantWrap(gv!("t"), number));
            let text = gv!("v").serialize_to_vec(VariantWrap(gv!("s"), text.as_str()));
            theirs.push((key.as_str(), gv!("v").from_bytes(number)));
            theirs.push((key.as_str(), gv!("v").from_bytes(text)));
        }
        let theirs: Vec<_> = theirs.iter().map(|(key, value)| (*key, &**value)).collect();
        // An entry {sv} is laid out like a tuple (sv).
        prop_assert_eq!(ours.encode(), gv!("a(sv)").serialize_to_vec(&theirs));
    }

    #[test]
    fn numbers_and_padding(rows in proptest::collection::vec((any::<u64>(), any::<u32>(), any::<u8>()), 0..40)) {
        let ours = list("(tuy)", rows.iter().map(|&(a, b, c)| {
            Value::Tuple(vec![Value::U64(a), Value::U32(b), Value::Byte(c)])
        }));
        prop_assert_eq!(ours.encode(), gv!("a(tuy)").serialize_to_vec(&rows));
    }

    #[test]
    fn superblock_shape(
        number: u64,
        ids in (checksum(), checksum()),
        parts in proptest::collection::vec((any::<u32>(), checksum(), any::<u64>(), any::<u64>(), bytes()), 0..6),
    ) {
        let ours = Value::Tuple(vec![
            Value::U64(number),
            Value::Bytes(ids.0.clone()),
            Value::Bytes(ids.1.clone()),
            list("(uayttay)", parts.iter().map(|(version, id, size, usize, objects)| {
                Value::Tuple(vec![
                    Value::U32(*version),
                    Value::Bytes(id.clone()),
                    Value::U64(*size),
                    Value::U64(*usize),
                    Value::Bytes(objects.clone()),
                ])
            })),
        ]);
        let parts: Vec<_> = parts
            .iter()
            .map(|(v, id, size, usize, objects)| (*v, id.as_slice(), *size, *usize, objects.as_slice()))
            .collect();
        let theirs = gv!("(tayaya(uayttay))")
            .serialize_to_vec(&(number, ids.0.as_slice(), ids.1.as_slice(), &parts));
        prop_assert_eq!(ours.encode(), theirs);
    }

    /// Where the offsets change their width.
    #[test]
    fn offset_widths(lengths in proptest::collection::vec(0usize..90, 1..8), long in 65_000usize..65_600) {
        let mut texts: Vec<String> = lengths.iter().map(|&n| "x".repeat(n)).collect();
        prop_assert_eq!(Value::strv(texts.clone()).encode(), gv!("as").serialize_to_vec(&texts));
        texts.push("y".repeat(long));
        let ours = Value::strv(texts.clone()).encode();
        prop_assert_eq!(&ours, &gv!("as").serialize_to_vec(&texts));
        prop_assert!(check_normal_form(&ty("as"), &ours).is_ok());
    }

    #[test]
    fn maybes(numbers in proptest::collection::vec(proptest::option::of(any::<u32>()), 0..6)) {
        let ours = list("mu", numbers.iter().map(|n| {
            Value::Maybe(ty("u"), n.map(|n| Box::new(Value::U32(n))))
        }));
        prop_assert_eq!(ours.encode(), gv!("amu").serialize_to_vec(&numbers));
    }

    /// What the crate changes in a round trip is not normal form, so we must refuse it.
    #[test]
    fn refuses_what_the_crate_repairs(
        damaged in proptest::collection::vec(("[a-z]{0,5}", bytes()), 0..6).prop_flat_map(|rows| {
            let rows: Vec<_> = rows.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect();
            damaged(gv!("a(say)").serialize_to_vec(&rows))
        }),
    ) {
        let aligned = copy_to_align(&damaged);
        let theirs: Vec<_> = gv!("a(say)")
            .cast(aligned.as_ref())
            .iter()
            .map(|row| { let (n, b) = row.to_tuple(); (n.to_str().to_owned(), b.to_vec()) })
            .collect();
        let rows: Vec<_> = theirs.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect();
        let repaired = gv!("a(say)").serialize_to_vec(&rows);
        let ours = check_normal_form(&ty("a(say)"), &damaged);
        if repaired != damaged {
            prop_assert!(ours.is_err(), "{:02x?}", damaged);
        } else {
            prop_assert!(ours.is_ok(), "{:02x?}: {:?}", damaged, ours);
        }
    }
}
