use crate::{Archive, Entry, Error, Kind, Result};
use osier_testkit::tar::{END, dir, file, gnu_sparse, hardlink, long, pax, symlink};
use std::io::{Cursor, Read};

/// Every entry with its content.
fn read(bytes: Vec<u8>) -> Result<Vec<(Entry, Vec<u8>)>> {
    let mut archive = Archive::open(Cursor::new(bytes))?;
    let mut found = Vec::new();
    while let Some(entry) = archive.next_entry()? {
        let mut content = Vec::new();
        archive.body().read_to_end(&mut content)?;
        assert_eq!(content.len() as u64, entry.size);
        found.push((entry, content));
    }
    archive.finish(u64::MAX)?;
    Ok(found)
}

fn one(bytes: Vec<u8>) -> (Entry, Vec<u8>) {
    let mut found = read([bytes, END.to_vec()].concat()).unwrap();
    assert_eq!(found.len(), 1);
    found.remove(0)
}

#[test]
fn what_a_header_says() {
    let (entry, content) = one(file("d/f", "hello").mode(0o4755).uid(5).gid(6).bytes());
    assert_eq!(content, b"hello");
    assert_eq!(
        entry,
        Entry {
            path: b"d/f".to_vec(),
            kind: Kind::File,
            mode: 0o4755,
            uid: 5,
            gid: 6,
            size: 5,
            xattrs: Vec::new(),
        }
    );
    assert_eq!(one(dir("d/").bytes()).0.kind, Kind::Directory);
    assert_eq!(
        one(symlink("l", "t").bytes()).0.kind,
        Kind::Symlink(b"t".to_vec())
    );
    assert_eq!(
        one(hardlink("h", "f").bytes()).0.kind,
        Kind::Hardlink(b"f".to_vec())
    );
}

#[test]
fn extended_headers_speak_of_the_next_entry_only() {
    let bytes = [
        pax(&[
            ("path", "ż".as_bytes()),
            ("uid", b"7"),
            ("SCHILY.xattr.user.a", b"\0\n"),
        ]),
        file("x", "1").bytes(),
        file("y", "2").bytes(),
        END.to_vec(),
    ];
    let found = read(bytes.concat()).unwrap();
    assert_eq!((&found[0].0.path[..], found[0].0.uid), ("ż".as_bytes(), 7));
    assert_eq!(found[0].0.xattrs, [(b"user.a".to_vec(), b"\0\n".to_vec())]);
    assert_eq!((&found[1].0.path[..], found[1].0.uid), (&b"y"[..], 0));
    assert!(found[1].0.xattrs.is_empty());
}

#[test]
fn holes_are_zeros() {
    let (entry, content) = one(gnu_sparse("s", &[(2, 3), (10, 2)], 20, b"abcde"));
    assert_eq!(entry.size, 20);
    assert_eq!(content, b"\0\0abc\0\0\0\0\0de\0\0\0\0\0\0\0\0");
}

#[test]
fn what_was_not_read_is_passed_over() {
    let bytes = [
        file("a", &"1".repeat(100_000)).bytes(),
        file("b", "2").bytes(),
        END.to_vec(),
    ];
    let mut archive = Archive::open(Cursor::new(bytes.concat())).unwrap();
    assert_eq!(archive.next_entry().unwrap().unwrap().path, b"a");
    archive.body().read_exact(&mut [0; 10]).unwrap();
    assert_eq!(archive.next_entry().unwrap().unwrap().path, b"b");
    assert!(archive.next_entry().unwrap().is_none());
}

#[test]
fn claims_of_size_cost_nothing() {
    for bytes in [
        osier_testkit::tar::Entry::new(b'L', b"l")
            .size(1 << 40)
            .bytes(),
        osier_testkit::tar::Entry::new(b'x', b"x")
            .size(1 << 40)
            .bytes(),
        file("f", "").size(1 << 40).bytes(),
        long(b'L', &"n".repeat(2 << 20)),
    ] {
        assert!(read(bytes).is_err());
    }
}

#[test]
fn every_cut_is_an_error_or_an_end() {
    let whole = [
        pax(&[("path", b"p")]),
        file("a", &"1".repeat(700)).bytes(),
        long(b'L', &"n".repeat(600)),
        gnu_sparse("s", &[(2, 3), (10, 2)], 20, b"abcde"),
        END.to_vec(),
    ]
    .concat();
    // Cut between entries it is an archive without end mark.
    let between = [0, 1024 + 1536];
    for cut in 0..whole.len() - END.len() {
        let found = read(whole[..cut].to_vec());
        match found {
            Ok(_) => assert!(between.contains(&cut), "cut at {cut}"),
            Err(error) => assert!(!between.contains(&cut), "cut at {cut}: {error}"),
        }
    }
}

#[test]
fn other_formats_are_named() {
    let error = |bytes: &[u8]| match Archive::open(Cursor::new(bytes.to_vec())) {
        Ok(_) => panic!("{bytes:?} is no archive"),
        Err(error) => error,
    };
    assert!(matches!(error(b"hello"), Error::Format));
    assert!(error(b"PK\x03\x04").to_string().contains("zip"));
}
