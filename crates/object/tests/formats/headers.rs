//! Content headers and xattrs.

use osier_gv::{Type, Value};
use osier_object::{Error, FileHeader, MAX_HEADER_SIZE, Xattrs};

fn words(result: Result<impl std::fmt::Debug, Error>) -> String {
    result.unwrap_err().to_string()
}

/// `(uuuusa(ayay))` from its parts, with big-endian numbers.
fn variant(mode: u32, rdev: u32, target: &str, xattrs: &[(&[u8], &[u8])]) -> Vec<u8> {
    let be = |n: u32| Value::U32(n.swap_bytes());
    let pairs = xattrs
        .iter()
        .map(|(n, v)| Value::Tuple(vec![Value::Bytes(n.to_vec()), Value::Bytes(v.to_vec())]))
        .collect();
    Value::Tuple(vec![
        be(0),
        be(0),
        be(mode),
        be(rdev),
        Value::str(target),
        Value::array(Type::parse("(ayay)").unwrap(), pairs).unwrap(),
    ])
    .encode()
}

#[test]
fn framing_is_that_of_values() {
    let header = FileHeader::parse_header(&variant(0o100644, 0, "", &[(b"a\0", b"v")])).unwrap();
    let framing = header.hash_framing();
    let (read, rest) = FileHeader::split_framing(&framing).unwrap();
    assert_eq!(read, variant(0o100644, 0, "", &[(b"a\0", b"v")]));
    assert_eq!(rest, b"");
    assert_eq!(framing[4..8], [0; 4]);
}

#[test]
fn padding_of_the_framing_is_ignored() {
    let mut framing = FileHeader::regular(1, 2, 0o644).archive_framing(3);
    framing[4..8].copy_from_slice(b"junk");
    assert!(FileHeader::split_framing(&framing).is_ok());
}

#[test]
fn lengths() {
    assert_eq!(
        words(FileHeader::split_framing(&[0; 8])),
        "File header size is zero"
    );
    assert_eq!(
        words(FileHeader::split_framing(&[
            0, 0, 0, 26, 0, 0, 0, 0, 1, 2, 3, 4
        ])),
        "File header size 26 exceeds size 4"
    );
    assert!(FileHeader::split_framing(&[0, 0, 0]).is_err());
    assert_eq!(
        FileHeader::parse_prefix([0xff; 8]),
        Err(Error::TooLarge {
            what: "file header",
            size: u32::MAX.into(),
            limit: MAX_HEADER_SIZE,
        })
    );
}

/// In the C tool's words.
#[test]
fn modes_and_devices() {
    for (mode, rdev, message) in [
        (0o100644, 1, "Corrupted archive file; invalid rdev 1"),
        (0o010644, 0, "Corrupted archive file; invalid mode 4516"),
        (0o040755, 0, "Corrupted archive file; invalid mode 16877"),
        (0o300644, 0, "Invalid mode 98724; invalid bits in mode"),
    ] {
        let bytes = variant(mode, rdev, "", &[]);
        assert_eq!(words(FileHeader::parse_header(&bytes)), message);
    }
}

#[test]
fn symlink_target_only_for_symlinks() {
    let link = FileHeader::parse_header(&variant(0o120777, 0, "to", &[])).unwrap();
    assert_eq!(link, FileHeader::symlink(0, 0, "to"));
    assert!(link.is_symlink());
    let file = FileHeader::parse_header(&variant(0o100644, 0, "to", &[])).unwrap();
    assert_eq!(file, FileHeader::regular(0, 0, 0o644));
}

#[test]
fn xattrs_are_sorted_on_the_way_in() {
    let unsorted = [(&b"b\0"[..], &b"1"[..]), (b"a\0", b"2"), (b"a.b\0", b"")];
    let header = FileHeader::parse_header(&variant(0o100644, 0, "", &unsorted)).unwrap();
    let names: Vec<_> = header.xattrs.iter().map(|(name, _)| name).collect();
    assert_eq!(names, [&b"a"[..], b"a.b", b"b"]);
    assert_eq!(header.xattrs.get(b"a"), Some(&b"2"[..]));
    // Equal names keep their order.
    let pairs = vec![(b"x".to_vec(), vec![2]), (b"x".to_vec(), vec![1])];
    assert_eq!(Xattrs::from_pairs(pairs).get(b"x"), Some(&[2][..]));
}

#[test]
fn xattr_names_end_in_their_only_nul() {
    for name in [&b"a"[..], b"", b"a\0b\0"] {
        let bytes = variant(0o100644, 0, "", &[(name, b"v")]);
        assert_eq!(
            words(FileHeader::parse_header(&bytes)),
            "Invalid xattr name (empty or missing NUL) index=0"
        );
    }
}
