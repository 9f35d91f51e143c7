use crate::{Archive, Kind, Result};
use osier_testkit::tar::newc;
use std::io::{Cursor, Read};

/// Path, kind and content.
type Found = (Vec<u8>, Kind, Vec<u8>);

fn read(bytes: Vec<u8>) -> Result<Vec<Found>> {
    let mut archive = Archive::open(Cursor::new(bytes))?;
    let mut found = Vec::new();
    while let Some(entry) = archive.next_entry()? {
        let mut content = Vec::new();
        archive.body().read_to_end(&mut content)?;
        found.push((entry.path, entry.kind, content));
    }
    Ok(found)
}

fn sample() -> Vec<u8> {
    [
        newc("a", 0o100644, 9, 2, b""),
        newc("l", 0o120777, 3, 1, b"target"),
        newc("b", 0o100644, 9, 2, b"hello"),
        newc("TRAILER!!!", 0, 0, 1, b""),
    ]
    .concat()
}

#[test]
fn links_are_told_by_their_inode() {
    let found = read(sample()).unwrap();
    let kinds: Vec<&Kind> = found.iter().map(|(_, kind, _)| kind).collect();
    assert_eq!(
        kinds,
        [
            &Kind::File,
            &Kind::Symlink(b"target".to_vec()),
            &Kind::Hardlink(b"a".to_vec())
        ]
    );
    assert_eq!(found[2].2, b"hello");
}

#[test]
fn cuts_are_errors() {
    let sample = sample();
    // The name of the last entry ends four bytes before the end at most.
    for cut in 1..sample.len() - 4 {
        assert!(read(sample[..cut].to_vec()).is_err(), "cut at {cut}");
    }
}

#[test]
fn sizes_are_not_believed() {
    let mut long_name = newc("a", 0o100644, 9, 1, b"");
    long_name[94..102].copy_from_slice(b"7FFFFFFF");
    let mut long_target = newc("a", 0o120777, 9, 1, b"");
    long_target[54..62].copy_from_slice(b"7FFFFFFF");
    for (bytes, words) in [
        (long_name, "pathname exceeds"),
        (long_target, "symlink contents exceed"),
    ] {
        let error = read(bytes).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}
