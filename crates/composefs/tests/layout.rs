//! What the format can hold and what not. Byte equality with the C tool is tested in `conformance/tests/composefs.rs`.

use osier_composefs::{Attributes, Error, Image, Tree, Verity};
use proptest::prelude::*;

fn root() -> Tree {
    Tree::new(Attributes::directory(0o755))
}

fn bytes(tree: Tree) -> Vec<u8> {
    let image = Image::new(tree).unwrap();
    let mut bytes = Vec::new();
    image.write(&mut bytes).unwrap();
    assert_eq!(bytes.len() as u64, image.len());
    assert_eq!(image.digest(), Verity::digest_of(&bytes));
    bytes
}

#[test]
fn names_that_no_file_can_have() {
    let mut tree = root();
    for name in [&b""[..], b".", b"..", b"a/b", b"a\0b"] {
        let error = tree.directory(Tree::ROOT, name, Attributes::directory(0o755));
        assert!(matches!(error, Err(Error::InvalidName(_))), "{name:?}");
    }
    let longest = [b'n'; 256];
    let mut add = |name: &[u8]| tree.symlink(Tree::ROOT, name, Attributes::symlink(), b"x");
    add(&longest[..255]).unwrap();
    assert!(matches!(
        add(&longest),
        Err(Error::NameTooLong { length: 256, .. })
    ));
    add(&longest[..255]).unwrap();
    assert!(matches!(Image::new(tree), Err(Error::DuplicateName(_))));
}

#[test]
fn targets_that_no_link_can_have() {
    let mut tree = root();
    let mut add = |target: &[u8]| tree.symlink(Tree::ROOT, b"link", Attributes::symlink(), target);
    for length in [0, 4096] {
        let error = add(&vec![b't'; length]).unwrap_err();
        assert!(matches!(error, Error::InvalidTarget { .. }), "{error}");
    }
    add(&[b't'; 4095]).unwrap();
    bytes(tree);
}

#[test]
fn attributes_that_do_not_fit() {
    for (name, value) in [
        (vec![b'n'; 300], vec![]),
        (b"user.x".to_vec(), vec![0; 65_536]),
    ] {
        let mut tree = root();
        let mut attributes = Attributes::directory(0o755);
        attributes.xattrs.push((name, value));
        tree.directory(Tree::ROOT, b"d", attributes).unwrap();
        assert_eq!(
            Image::new(tree).err(),
            Some(Error::XattrsTooLarge("d".into()))
        );
    }
    let mut tree = root();
    let mut attributes = Attributes::file(0o644);
    attributes.xattrs = (0..300)
        .map(|n| (format!("user.{n}").into_bytes(), b"v".to_vec()))
        .collect();
    for name in [b"a", b"b"] {
        tree.file(Tree::ROOT, name, attributes.clone(), 0, b"", None)
            .unwrap();
    }
    // More shared ones than a byte counts.
    assert!(matches!(Image::new(tree), Err(Error::XattrsTooLarge(_))));
}

#[test]
fn deep_nesting_takes_no_stack() {
    let mut tree = root();
    let mut dir = Tree::ROOT;
    for _ in 0..200_000 {
        dir = tree
            .directory(dir, b"d", Attributes::directory(0o755))
            .unwrap();
    }
    bytes(tree);
}

#[test]
fn files_of_any_claimed_size() {
    for size in [
        1,
        4096,
        4097,
        1 << 32,
        1 << 43,
        (1 << 43) + 1,
        i64::MAX as u64,
        u64::MAX,
    ] {
        let mut tree = root();
        tree.file(
            Tree::ROOT,
            b"f",
            Attributes::file(0o644),
            size,
            b"/00/11.file",
            None,
        )
        .unwrap();
        bytes(tree);
    }
}

/// More links than 16 bits count: the directory gets the long form. The digest is that of the C tool 2026.4.
#[test]
fn many_subdirectories() {
    let mut tree = root();
    let directory = || Attributes::directory(0o755);
    for name in ["usr", "etc", "boot", "var", "sysroot"] {
        tree.directory(Tree::ROOT, name.as_bytes(), directory())
            .unwrap();
    }
    let many = tree.directory(Tree::ROOT, b"many", directory()).unwrap();
    for number in 1..=66_000 {
        tree.directory(many, number.to_string().as_bytes(), directory())
            .unwrap();
    }
    let digest = Image::new(tree).unwrap().digest();
    let hex: String = digest.iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(
        hex,
        "008c7e0a2b02e071372d2adf3390d18cc9e5e77b4a2920699c92dea92d8f23b8"
    );
}

proptest! {
    /// The order in which a tree is put together does not matter, and nothing overlaps.
    #[test]
    fn order_does_not_matter(
        names in prop::collection::btree_set("[a-e./-]{1,40}", 1..60),
        lengths in prop::collection::vec((1usize..4096, 0usize..3000), 60),
    ) {
        let build = |names: Vec<(&String, &(usize, usize))>| {
            let mut tree = root();
            for (name, (target, xattr)) in names {
                let name = name.replace('/', "_") + "x";
                let mut attributes = Attributes::symlink();
                attributes.xattrs.push((b"trusted.x".to_vec(), vec![b'v'; *xattr]));
                tree.symlink(Tree::ROOT, name.as_bytes(), attributes, &vec![b't'; *target]).unwrap();
            }
            Image::new(tree)
        };
        let mut order: Vec<_> = names.iter().zip(&lengths).collect();
        let one = build(order.clone());
        order.reverse();
        let other = build(order);
        match (one, other) {
            (Ok(one), Ok(other)) => prop_assert_eq!(one.digest(), other.digest()),
            (Err(_), Err(_)) => {}
            _ => prop_assert!(false),
        }
    }
}
