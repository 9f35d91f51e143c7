//! Archives that no program writes: what both tools make of headers that lie, contradict each other or lead out.

#[path = "evil/entries.rs"]
mod entries;
#[path = "evil/headers.rs"]
mod headers;

use super::{Both, in_every_mode, tar_arg};
use osier_conformance::{Scratch, assert_names, ours_is_c};
use osier_testkit::tar::{END, Entry, dir, file, hardlink, newc, pax};

type Case = (&'static str, Vec<u8>);

/// An archive with a root directory, these parts and an end.
fn tar(parts: &[Vec<u8>]) -> Vec<u8> {
    [dir("./").bytes(), parts.concat(), END.to_vec()].concat()
}

fn bytes(entries: &[Entry]) -> Vec<u8> {
    let entries: Vec<Vec<u8>> = entries.iter().map(|e| e.clone().bytes()).collect();
    tar(&entries)
}

/// What no file on disk can be: the C tool stores it and finds it damaged afterwards, or leaves nothing of it.
const NOT_IN_BARE: [&&str; 2] = [&"empty target", &"attribute without value"];

/// What the libarchive of 2022 read in another way, or refused in other words.
const READ_OTHERWISE_IN_2022: [&&str; 29] = [
    &"attribute encoded",
    &"binary below zero",
    &"empty",
    &"empty target",
    &"global attribute",
    &"global empty",
    &"global owner",
    &"global path",
    &"global time",
    &"global twice",
    &"label",
    &"long comment",
    &"long name wins",
    &"long name without text",
    &"malformed after one",
    &"malformed: no length",
    &"malformed: no value",
    &"malformed: too long",
    &"malformed: zero",
    &"not UTF-8",
    &"old, all hole",
    &"owner out of range",
    &"path not UTF-8",
    &"path wins",
    &"size below zero",
    &"target not UTF-8",
    &"two",
    &"two around a name",
    &"without entry",
];

fn compare(cases: Vec<Case>) {
    let scratch = Scratch::new();
    let mut done = 0;
    let archives: Vec<_> = cases
        .iter()
        .map(|(name, bytes)| {
            let path = scratch.path(format!("{done}.tar"));
            done += 1;
            std::fs::write(&path, bytes).unwrap();
            (name, tar_arg(&path))
        })
        .collect();
    in_every_mode(&scratch, |mode, both: &Both| {
        let current = Both::c_is_current();
        for (name, tree) in &archives {
            if !current && READ_OTHERWISE_IN_2022.contains(name) {
                continue;
            }
            if ["bare", "bare-user-only"].contains(&mode) && NOT_IN_BARE.contains(name) {
                continue;
            }
            both.same(&format!("{name} in {mode}"), &[tree]);
            if mode == "archive" {
                for option in ["--canonical-permissions", "--tar-autocreate-parents"] {
                    both.same(&format!("{name}, {option}"), &[tree, option]);
                }
            }
        }
        both.same_objects(mode);
    });
}

#[test]
fn names_that_lead_anywhere() {
    compare(entries::paths());
}

#[test]
fn hard_links_of_every_kind() {
    compare(entries::links());
}

#[test]
fn entries_of_every_type() {
    compare(entries::types());
}

#[test]
fn numbers_in_headers() {
    compare(headers::numbers());
}

#[test]
fn headers_in_front_of_entries() {
    compare(headers::extended_headers());
}

#[test]
fn files_with_holes() {
    // 2022.7 runs forever over some of them.
    if !Both::c_is_current() {
        return;
    }
    compare(headers::sparse_files());
}

#[test]
fn archives_that_end_oddly() {
    compare(entries::ends());
}

#[test]
fn cpio_archives() {
    compare(entries::cpio());
}

/// Where the C tool hangs, aborts, or stores what it cannot read back, an error that says so is asked of ours only.
#[test]
fn what_the_c_tool_cannot_bear() {
    if ours_is_c() {
        return;
    }
    let scratch = Scratch::new();
    let Some(both) = Both::new(&scratch, "archive") else {
        return;
    };
    let f = || file("f", "1");
    let gigabyte = |typeflag: u8| {
        [
            dir("./").bytes(),
            Entry::new(typeflag, b"l").size(1 << 30).bytes(),
        ]
        .concat()
    };
    let cut = |bytes: Vec<u8>, n: usize| bytes[..bytes.len() - n].to_vec();
    let data = || [dir("./").bytes(), file("a", &"1".repeat(1000)).bytes()].concat();
    let big = || {
        [
            dir("./").bytes(),
            file("a", "1").size(1 << 32).bytes(),
            END.to_vec(),
        ]
        .concat()
    };
    for (name, bytes, words) in [
        (
            "cut in content",
            cut(data(), 600),
            "Truncated tar archive detected while reading data",
        ),
        ("cut in padding", cut(data(), 10), "Truncated tar archive"),
        (
            "cut in a large file",
            big(),
            "Truncated tar archive detected while reading data",
        ),
        (
            "file without name",
            bytes(&[file("", "1")]),
            "Invalid empty filename",
        ),
        (
            "file for root",
            bytes(&[file(".", "1")]),
            "Invalid empty filename",
        ),
        (
            "link target up",
            bytes(&[f(), hardlink("h", "../f")]),
            "Invalid uplink '..'",
        ),
        (
            "directory over file",
            bytes(&[f(), dir("f")]),
            "Can't replace file with directory: f",
        ),
        ("long name of a gigabyte", gigabyte(b'L'), "is too long"),
        (
            "extended header of a gigabyte",
            gigabyte(b'x'),
            "Truncated tar archive",
        ),
        (
            "attributes without end",
            tar(&[
                pax(&[("SCHILY.xattr.user.a", &vec![b'x'; 9 << 20])]),
                f().bytes(),
            ]),
            "too long",
        ),
        (
            "attribute with two values",
            tar(&[
                pax(&[("SCHILY.xattr.user.b", b"1"), ("SCHILY.xattr.user.b", b"2")]),
                dir("d").bytes(),
            ]),
            "Duplicate xattr name",
        ),
        (
            "circle of links",
            bytes(&[hardlink("a", "b"), hardlink("b", "a")]),
            "Failed to find object",
        ),
        (
            "cpio without end",
            newc(".", 0o40755, 1, 2, b""),
            "Truncated cpio archive",
        ),
        (
            "cpio with garbage",
            [newc(".", 0o40755, 1, 2, b""), vec![b'j'; 200]].concat(),
            "Damaged cpio archive",
        ),
        (
            "zip",
            [b"PK\x03\x04".to_vec(), vec![0; 600]].concat(),
            "a zip archive is not read here",
        ),
    ] {
        let path = scratch.path("evil.tar");
        std::fs::write(&path, bytes).unwrap();
        let error = both.ours.0.fail(["commit", "--orphan", &tar_arg(&path)]);
        assert!(error.contains(words), "{name}: {error}");
        assert_names(&error, "evil.tar");
        both.ours.0.ok(["fsck"]);
    }
    // A number that no file can belong to.
    if osier_testkit::skip::is_root() {
        let both = Both::new(&scratch, "bare").unwrap();
        let nobody = f().raw_uid(b"\x80\0\0\0\xff\xff\xff\xff");
        let path = scratch.path("nobody.tar");
        std::fs::write(&path, bytes(&[nobody])).unwrap();
        let error = both.ours.0.fail(["commit", "--orphan", &tar_arg(&path)]);
        assert!(error.contains("4294967295"), "{error}");
    }
    // Links to links work in whichever order they come; with the C tool it depends on their names.
    for entries in [
        [f(), hardlink("g", "f"), hardlink("h", "g")],
        [hardlink("h", "g"), hardlink("g", "f"), f()],
    ] {
        let path = scratch.path("chain.tar");
        std::fs::write(&path, bytes(&entries)).unwrap();
        let id = both.ours.0.ok(["commit", "--orphan", &tar_arg(&path)]);
        assert_eq!(both.ours.0.ok(["cat", &id, "h"]), "1");
    }
}
