//! dirmeta and dirtree.

use osier_gv::{Type, Value};
use osier_object::{Dirmeta, Dirtree, Error, ObjectType, hash, validate};

fn words(result: Result<impl std::fmt::Debug, Error>) -> String {
    result.unwrap_err().to_string()
}

fn dirmeta(mode: u32, xattrs: &[(&[u8], &[u8])]) -> Vec<u8> {
    let pairs = xattrs
        .iter()
        .map(|(n, v)| Value::Tuple(vec![Value::Bytes(n.to_vec()), Value::Bytes(v.to_vec())]))
        .collect();
    Value::Tuple(vec![
        Value::U32(0),
        Value::U32(0),
        Value::U32(mode.swap_bytes()),
        Value::array(Type::parse("(ayay)").unwrap(), pairs).unwrap(),
    ])
    .encode()
}

/// In the C tool's words.
#[test]
fn dirmeta_rules() {
    for (bytes, message) in [
        (
            dirmeta(0o100755, &[]),
            "Invalid directory metadata mode 33261; not a directory",
        ),
        (
            dirmeta(0o240755, &[]),
            "Invalid mode 82413; invalid bits in mode",
        ),
        (
            dirmeta(0o40755, &[(b"\0", b"v")]),
            "Invalid xattr name (empty or missing NUL) index=0",
        ),
        (
            dirmeta(0o40755, &[(b"a", b"v")]),
            "Invalid xattr name (empty or missing NUL) index=0",
        ),
        (
            dirmeta(0o40755, &[(b"b\0", b"v"), (b"a\0", b"v")]),
            "Incorrectly sorted xattr name (prev=b, cur=a), index=1",
        ),
        (
            dirmeta(0o40755, &[(b"a\0", b"v"), (b"a\0", b"v")]),
            "Duplicate xattr name, index=1",
        ),
    ] {
        assert_eq!(words(Dirmeta::decode(&bytes)), message);
    }
    let sorted = dirmeta(0o41777, &[(b"a\0", b""), (b"a.b\0", b"v"), (b"b\0", b"v")]);
    assert_eq!(Dirmeta::decode(&sorted).unwrap().encode(), sorted);
}

fn dirtree(files: &[(&str, usize)], dirs: &[(&str, usize, usize)]) -> Vec<u8> {
    let sum = |length: usize| Value::Bytes(vec![7; length]);
    let files = files
        .iter()
        .map(|&(name, length)| Value::Tuple(vec![Value::str(name), sum(length)]))
        .collect();
    let dirs = dirs
        .iter()
        .map(|&(name, tree, meta)| Value::Tuple(vec![Value::str(name), sum(tree), sum(meta)]))
        .collect();
    Value::Tuple(vec![
        Value::array(Type::parse("(say)").unwrap(), files).unwrap(),
        Value::array(Type::parse("(sayay)").unwrap(), dirs).unwrap(),
    ])
    .encode()
}

/// In the C tool's words.
#[test]
fn dirtree_rules() {
    for (bytes, message) in [
        (
            dirtree(&[(".", 32)], &[]),
            "Invalid self-referential filename '.'",
        ),
        (
            dirtree(&[], &[("..", 32, 32)]),
            "Invalid path uplink filename '..'",
        ),
        (dirtree(&[("a/b", 32)], &[]), "Invalid / in filename a/b"),
        (
            dirtree(&[("a", 31)], &[]),
            "Invalid checksum of length 31 expected 32",
        ),
        (
            dirtree(&[], &[("a", 5, 32)]),
            "Invalid checksum of length 5 expected 32",
        ),
        (
            dirtree(&[], &[("a", 32, 0)]),
            "Invalid checksum of length 0 expected 32",
        ),
    ] {
        assert_eq!(words(Dirtree::decode(&bytes)), message);
    }
    // What the C tool does not check either.
    for files in [
        &[("", 32)][..],
        &[("b", 32), ("a", 32)],
        &[("a", 32), ("a", 32)],
    ] {
        assert!(Dirtree::decode(&dirtree(files, &[])).is_ok());
    }
}

#[test]
fn dirtree_sorts_what_it_writes() {
    let id = hash(b"x");
    let mut tree = Dirtree::default();
    for name in ["b", "a", "a.b", "a-b", "é", "Z"] {
        tree.files.push((name.into(), id.into()));
        tree.dirs.push((name.into(), id.into(), id.into()));
    }
    let read = Dirtree::decode(&tree.encode()).unwrap();
    let names: Vec<&str> = read.files.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["Z", "a", "a-b", "a.b", "b", "é"]);
    let names: Vec<&str> = read.dirs.iter().map(|(name, ..)| &**name).collect();
    assert_eq!(names, ["Z", "a", "a-b", "a.b", "b", "é"]);
}

#[test]
fn structure_by_type() {
    let meta = Dirmeta::new(0, 0, 0o755).encode();
    assert!(validate::structure(ObjectType::Dirmeta, &meta).is_ok());
    assert!(validate::structure(ObjectType::Dirtree, &meta).is_err());
    assert!(validate::structure(ObjectType::Dirtree, &[0]).is_ok());
    assert!(
        words(validate::structure(ObjectType::Dirtree, &[1, 0])).starts_with("Not normal form")
    );
    assert!(validate::structure(ObjectType::Commitmeta, &[]).is_ok());
    assert!(validate::structure(ObjectType::FileXattrs, &[]).is_ok());
    for ty in [
        ObjectType::File,
        ObjectType::PayloadLink,
        ObjectType::FileXattrsLink,
    ] {
        assert_eq!(validate::structure(ty, &[]), Err(Error::NoStructure(ty)));
    }
}
