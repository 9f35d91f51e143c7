//! Archives that no program writes: what both tools make of headers that lie, contradict each other or lead out.

use super::{Both, in_every_mode, tar_arg};
use osier_conformance::{Scratch, assert_names, ours_is_c};
use osier_testkit::tar::{
    END, Entry, dir, extended, file, gnu_sparse, hardlink, long, newc, pax, record, symlink,
};

type Case = (&'static str, Vec<u8>);

/// An archive with a root directory, these parts and an end.
fn tar(parts: &[Vec<u8>]) -> Vec<u8> {
    [dir("./").bytes(), parts.concat(), END.to_vec()].concat()
}

fn bytes(entries: &[Entry]) -> Vec<u8> {
    let entries: Vec<Vec<u8>> = entries.iter().map(|e| e.clone().bytes()).collect();
    tar(&entries)
}

fn paths() -> Vec<Case> {
    let x = || file("x", "1").bytes();
    vec![
        (
            "slashes",
            bytes(&[
                dir("a//"),
                dir("./a/./b"),
                file("a//b///f", "1"),
                file("//g", "2"),
            ]),
        ),
        (
            "dots",
            bytes(&[file("..a", ""), file("a..", ""), file("...", "")]),
        ),
        ("up", bytes(&[file("a/../b", "1")])),
        ("up alone", bytes(&[file("..", "1")])),
        ("up behind slash", bytes(&[file("/a/../x", "1")])),
        ("up behind dot", bytes(&[file("./../x", "1")])),
        ("up at the end", bytes(&[dir("d"), dir("d/../")])),
        ("dot at the end", bytes(&[dir("d"), dir("d/.")])),
        ("no root", [file("x", "1").bytes(), END.to_vec()].concat()),
        (
            "root /",
            [dir("/").mode(0o711).bytes(), x(), END.to_vec()].concat(),
        ),
        (
            "root .",
            [dir(".").uid(5).bytes(), x(), END.to_vec()].concat(),
        ),
        (
            "root without name",
            [dir("").bytes(), x(), END.to_vec()].concat(),
        ),
        ("root twice", bytes(&[dir(".").mode(0o700)])),
        (
            "root last",
            [
                dir("a").bytes(),
                file("a/x", "1").bytes(),
                dir("./").bytes(),
                END.to_vec(),
            ]
            .concat(),
        ),
        ("no parent", bytes(&[file("a/b/x", "1")])),
        (
            "no parent below one",
            bytes(&[dir("a"), file("a/b/c/x", "1")]),
        ),
        ("no parent of a directory", bytes(&[dir("a/b")])),
        ("parent comes late", bytes(&[file("a/x", "1"), dir("a")])),
        (
            "parent is a file",
            bytes(&[file("a", "1"), file("a/x", "1")]),
        ),
        (
            "parent is a link",
            bytes(&[dir("b"), symlink("a", "b"), file("a/x", "1")]),
        ),
        ("not UTF-8", bytes(&[Entry::new(b'0', b"a\xff")])),
        (
            "target not UTF-8",
            bytes(&[Entry::new(b'2', b"a").target(b"x\xff")]),
        ),
        ("UTF-8", bytes(&[file("żółć", "1")])),
        (
            "newline, backslash",
            bytes(&[file("a\nb", ""), file("a\\b", "")]),
        ),
        (
            "prefix",
            tar(&[
                dir("d").bytes(),
                file("x", "1").prefix(b"d").bytes(),
                file("y", "1").prefix(b"d/").bytes(),
            ]),
        ),
        (
            "prefix of GNU",
            tar(&[file("x", "1").magic(b"ustar  ").prefix(b"d").bytes()]),
        ),
        (
            "prefix of old tar",
            tar(&[file("x", "1").magic(b"").prefix(b"d").bytes()]),
        ),
        (
            "name fills its field",
            bytes(&[file(&"n".repeat(100), "1"), symlink("l", &"t".repeat(100))]),
        ),
        ("longest path", tar(&[long(b'L', &"n".repeat(4096)), x()])),
        (
            "too long a path",
            tar(&[long(b'L', &"n".repeat(4097)), x()]),
        ),
    ]
}

fn links() -> Vec<Case> {
    let f = || file("f", "1");
    let mtime: &[(&str, &[u8])] = &[("mtime", b"1")];
    vec![
        ("to later", bytes(&[hardlink("h", "f"), f()])),
        ("to earlier", bytes(&[f(), hardlink("h", "f")])),
        (
            "spelled otherwise",
            bytes(&[
                f(),
                hardlink("h", "/f"),
                hardlink("i", "./f"),
                hardlink("j", ".//f"),
            ]),
        ),
        ("to nothing", bytes(&[hardlink("h", "f")])),
        ("to nothing in nothing", bytes(&[hardlink("h", "d/f")])),
        ("to a directory", bytes(&[dir("d"), hardlink("h", "d")])),
        (
            "to a symbolic link",
            bytes(&[symlink("l", "x"), hardlink("h", "l")]),
        ),
        ("to itself", bytes(&[hardlink("h", "h")])),
        (
            "to itself, a file",
            bytes(&[file("h", "1"), hardlink("h", "h")]),
        ),
        (
            "target replaced",
            bytes(&[f(), hardlink("h", "f"), file("f", "2")]),
        ),
        (
            "over a file",
            bytes(&[f(), file("h", "9"), hardlink("h", "f")]),
        ),
        (
            "then a file",
            bytes(&[f(), hardlink("h", "f"), file("h", "9")]),
        ),
        (
            "over a directory",
            bytes(&[f(), dir("h"), hardlink("h", "f")]),
        ),
        ("without parent", bytes(&[f(), hardlink("d/h", "f")])),
        (
            "two",
            bytes(&[hardlink("a", "z"), hardlink("b", "z"), file("z", "1")]),
        ),
        (
            "size without content",
            bytes(&[f(), hardlink("h", "f").size(2), file("z", "1")]),
        ),
        (
            "size, GNU",
            bytes(&[
                f(),
                hardlink("h", "f").size(1).magic(b"ustar  "),
                file("z", "1"),
            ]),
        ),
        (
            "size, old",
            bytes(&[f(), hardlink("h", "f").size(2).magic(b""), file("z", "1")]),
        ),
        (
            "content",
            tar(&[
                f().mode(0o600).bytes(),
                pax(mtime),
                hardlink("h", "f").mode(0o755).uid(4).data(b"zz").bytes(),
                file("z", "1").bytes(),
            ]),
        ),
        (
            "content after an extended header",
            tar(&[
                pax(mtime),
                f().bytes(),
                hardlink("h", "f").data(b"zz").bytes(),
            ]),
        ),
        (
            "content, target nowhere else",
            tar(&[pax(mtime), hardlink("h", "f").data(b"zz").bytes()]),
        ),
        (
            "content, to itself",
            tar(&[pax(mtime), hardlink("h", "h").data(b"zz").bytes()]),
        ),
        (
            "content, no directory",
            tar(&[pax(mtime), hardlink("h", "d/f").data(b"zz").bytes()]),
        ),
        (
            "attributes count for nothing",
            tar(&[
                f().bytes(),
                pax(&[("SCHILY.xattr.user.b", b"1")]),
                hardlink("h", "f").mode(0o777).bytes(),
            ]),
        ),
    ]
}

fn types() -> Vec<Case> {
    let of = |typeflag: u8| Entry::new(typeflag, b"p").data(b"1");
    vec![
        ("fifo", bytes(&[Entry::new(b'6', b"p")])),
        ("character device", bytes(&[Entry::new(b'3', b"p")])),
        ("block device", bytes(&[Entry::new(b'4', b"p")])),
        ("continued volume", bytes(&[of(b'M')])),
        ("contiguous", bytes(&[of(b'7')])),
        (
            "unknown",
            bytes(&[
                of(b'Z'),
                Entry::new(b's', b"q"),
                Entry::new(b'N', b"r").data(b"2"),
            ]),
        ),
        ("NUL", bytes(&[of(0)])),
        (
            "directory by its slash",
            bytes(&[file("p/", ""), file("p/x", "2")]),
        ),
        (
            "directory by its slash, old",
            bytes(&[
                Entry::new(0, b"p/").magic(b""),
                Entry::new(0, b"p/x").magic(b"").data(b"2"),
            ]),
        ),
        ("symbolic link with a slash", bytes(&[symlink("p/", "q")])),
        (
            "list of a directory",
            bytes(&[
                Entry::new(b'D', b"d").mode(0o755).data(b"abc"),
                file("d/x", "1"),
            ]),
        ),
        (
            "label",
            [
                Entry::new(b'V', b"vol").data(b"abcd").bytes(),
                bytes(&[file("x", "1")]),
            ]
            .concat(),
        ),
        ("file again", bytes(&[file("a", "1"), file("a", "2")])),
        (
            "link again",
            bytes(&[
                symlink("x", "1"),
                file("x", "1"),
                symlink("y", "1"),
                symlink("y", "2"),
            ]),
        ),
        (
            "directory again",
            bytes(&[dir("a"), file("a/x", "1"), dir("a").mode(0o700)]),
        ),
        ("file over directory", bytes(&[dir("a"), file("a", "2")])),
        ("link over directory", bytes(&[dir("a"), symlink("a", "2")])),
        (
            "mode bits",
            bytes(&[
                file("a", "1").mode(0o7777),
                file("b", "1").mode(0o100644),
                file("c", "1").mode(0o40644),
                dir("e").mode(0o7777),
                dir("f").mode(0o100755),
            ]),
        ),
        (
            "sizes that mean nothing",
            bytes(&[symlink("a", "x").size(2), dir("b").size(5), file("z", "1")]),
        ),
        ("empty target", bytes(&[symlink("a", "")])),
    ]
}

fn numbers() -> Vec<Case> {
    let f = || file("a", "1");
    vec![
        ("large", bytes(&[f().uid(0o7777777).gid(0o1234)])),
        (
            "binary",
            bytes(&[
                f().raw_uid(b"\x80\0\0\0\0\x2d\xc6\xc0"),
                file("b", "1").raw_uid(b"\x80\0\0\x01\0\0\0\x05"),
            ]),
        ),
        ("binary below zero", bytes(&[f().raw_uid(&[0xff; 8])])),
        ("spaces", bytes(&[f().raw_uid(b"  123 \0")])),
        ("nothing", bytes(&[f().raw_uid(b"")])),
        ("no digits", bytes(&[f().raw_uid(b"9zz")])),
        ("no end", bytes(&[f().raw_uid(b"12345678")])),
        ("size below zero", bytes(&[f().raw_size(&[0xff; 12])])),
        (
            "size beyond all",
            bytes(&[f().raw_size(b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff")]),
        ),
        ("size is no number", bytes(&[f().raw_size(b"xyz")])),
        ("wrong checksum", bytes(&[f().checksum(5)])),
        (
            "wrong checksum first",
            [f().checksum(5).bytes(), bytes(&[])].concat(),
        ),
    ]
}

fn extended_headers() -> Vec<Case> {
    let x = || file("x", "1").bytes();
    let with = |records: &[(&str, &[u8])]| tar(&[pax(records), x()]);
    let raw = |records: &[u8]| tar(&[extended(b'x', records), x()]);
    let global = |key: &str| tar(&[extended(b'g', &record(key, b"5")), x()]);
    vec![
        ("path", with(&[("path", "./żółć".as_bytes())])),
        ("path up", with(&[("path", b"long/../x")])),
        ("path not UTF-8", with(&[("path", b"a\xff")])),
        ("path with NUL", with(&[("path", b"a\0b")])),
        ("path empty", with(&[("path", b"")])),
        (
            "path of a directory",
            tar(&[
                pax(&[("path", b"d/")]),
                file("x", "").bytes(),
                file("d/x", "1").bytes(),
            ]),
        ),
        (
            "target",
            tar(&[pax(&[("linkpath", b"tgt")]), symlink("x", "q").bytes()]),
        ),
        (
            "target not UTF-8",
            tar(&[pax(&[("linkpath", b"t\xff")]), symlink("x", "q").bytes()]),
        ),
        (
            "hard link's target",
            tar(&[
                file("f", "1").bytes(),
                pax(&[("linkpath", b"f")]),
                hardlink("h", "q").bytes(),
            ]),
        ),
        (
            "size",
            tar(&[pax(&[("size", b"3")]), file("x", "123").size(0).bytes()]),
        ),
        ("size below zero", with(&[("size", b"-5")])),
        ("owner", with(&[("uid", b"3000000"), ("gid", b"77")])),
        (
            "owner out of range",
            with(&[("uid", b"-2"), ("gid", b"4294967297")]),
        ),
        ("owner is no number", with(&[("uid", b"12zz")])),
        (
            "names",
            with(&[("uname", b"root"), ("gname", b"adm"), ("FOO.bar", b"5")]),
        ),
        (
            "attributes",
            with(&[
                ("SCHILY.xattr.user.b", b"1"),
                ("SCHILY.xattr.user.a", b"\0\x01\n\xff"),
            ]),
        ),
        (
            "attribute without value",
            with(&[("SCHILY.xattr.user.b", b"")]),
        ),
        ("attribute without name", with(&[("SCHILY.xattr.", b"1")])),
        (
            "attribute encoded",
            with(&[
                ("LIBARCHIVE.xattr.user.a", b"aGVsbG8="),
                ("LIBARCHIVE.xattr.user.b%20c", b"aGVsbG8"),
            ]),
        ),
        (
            "attribute of Red Hat",
            with(&[("RHT.security.selinux", b"sys:obj\0")]),
        ),
        (
            "attribute of a link",
            tar(&[
                pax(&[("SCHILY.xattr.user.b", b"1")]),
                symlink("x", "1").bytes(),
            ]),
        ),
        (
            "attributes of a directory",
            tar(&[
                pax(&[("SCHILY.xattr.user.b", b"1"), ("SCHILY.xattr.user.a", b"2")]),
                dir("x").bytes(),
            ]),
        ),
        (
            "attribute, long",
            with(&[("SCHILY.xattr.user.b", &[b'x'; 70_000])]),
        ),
        (
            "permissions in a list",
            tar(&[
                pax(&[(
                    "SCHILY.acl.access",
                    b"user::rwx\nuser:joe:r--:1000\ngroup::r-x,mask::rwx,other::r--",
                )]),
                file("x", "1").mode(0o674).bytes(),
            ]),
        ),
        ("larger than it is", with(&[("SCHILY.realsize", b"9")])),
        ("malformed: no length", raw(b"garbage no len")),
        ("malformed: too long", raw(b"99 path=y\n")),
        ("malformed: no value", raw(b"9 pathyyy\n")),
        ("malformed: zero", raw(b"0 path=y\n")),
        ("malformed after one", raw(b"8 uid=7\njunk")),
        ("long comment", with(&[("comment", &[b'x'; 5 << 20])])),
        (
            "two",
            tar(&[pax(&[("uid", b"5")]), pax(&[("gid", b"5")]), x()]),
        ),
        (
            "two around a name",
            tar(&[
                pax(&[("uid", b"5")]),
                long(b'L', "b"),
                pax(&[("gid", b"5")]),
                x(),
            ]),
        ),
        (
            "long name wins",
            tar(&[pax(&[("path", b"pax")]), long(b'L', "gnu"), x()]),
        ),
        (
            "path wins",
            tar(&[long(b'L', "gnu"), pax(&[("path", b"pax")]), x()]),
        ),
        ("without entry", tar(&[pax(&[("path", b"y")])])),
        (
            "at the end of all",
            [dir("./").bytes(), pax(&[("path", b"y")])].concat(),
        ),
        ("empty", tar(&[extended(b'x', b""), x()])),
        ("global empty", tar(&[extended(b'g', b""), x()])),
        ("Sun's", tar(&[extended(b'X', &record("path", b"y")), x()])),
        ("global comment", global("comment")),
        ("global unknown", global("FOO.x")),
        ("global owner", global("uid")),
        ("global time", global("mtime")),
        ("global path", global("path")),
        ("global attribute", global("SCHILY.xattr.user.a")),
        (
            "global twice",
            tar(&[
                extended(b'g', &record("comment", b"5")),
                extended(b'g', &record("comment", b"5")),
                x(),
            ]),
        ),
        (
            "global and own",
            tar(&[
                extended(b'g', &record("comment", b"5")),
                pax(&[("uid", b"5")]),
                x(),
            ]),
        ),
        (
            "long names",
            tar(&[
                long(b'K', &"t".repeat(300)),
                long(b'L', &"n".repeat(200)),
                symlink("x", "1").bytes(),
                x(),
            ]),
        ),
        (
            "long names, the last counts",
            tar(&[
                long(b'L', "a"),
                long(b'L', "b"),
                long(b'K', "c"),
                long(b'K', "d"),
                symlink("x", "1").bytes(),
            ]),
        ),
        ("long name with NUL", tar(&[long(b'L', "nnn\0zzz"), x()])),
        (
            "long name without text",
            tar(&[Entry::new(b'L', b"@").bytes(), x()]),
        ),
        (
            "long name of a directory",
            tar(&[long(b'L', "d/"), file("x", "").bytes()]),
        ),
        (
            "long name, nothing after",
            [dir("./").bytes(), long(b'L', "y")].concat(),
        ),
    ]
}

fn sparse_files() -> Vec<Case> {
    let z = || file("z", "1").bytes();
    let old = |map: &[(u64, u64)], size: u64| tar(&[gnu_sparse("s", map, size, b"abcde"), z()]);
    let with = |records: &[(&str, &[u8])], data: &[u8]| {
        tar(&[
            pax(records),
            Entry::new(b'0', b"GNUSparseFile.0/s").data(data).bytes(),
            z(),
        ])
    };
    let mut one = b"2\n0\n3\n1000\n2\n".to_vec();
    one.resize(512, 0);
    one.extend_from_slice(b"abcde");
    vec![
        ("old", old(&[(0, 3), (1000, 2)], 2000)),
        ("old, hole first", old(&[(500, 3), (1000, 2)], 1002)),
        (
            "old, with an empty stretch",
            old(&[(0, 3), (1000, 2), (1002, 0)], 1002),
        ),
        (
            "old, all hole",
            tar(&[gnu_sparse("s", &[], 2000, b""), z()]),
        ),
        ("old, promises more", old(&[(0, 3), (1000, 20)], 2000)),
        ("old, overlap", old(&[(0, 3), (2, 2)], 10)),
        ("old, unsorted", old(&[(1000, 2), (0, 3)], 2000)),
        ("old, beyond the end", old(&[(0, 3), (1000, 2)], 500)),
        (
            "0.0",
            with(
                &[
                    ("GNU.sparse.size", b"2000"),
                    ("GNU.sparse.numblocks", b"2"),
                    ("GNU.sparse.offset", b"0"),
                    ("GNU.sparse.numbytes", b"3"),
                    ("GNU.sparse.offset", b"1000"),
                    ("GNU.sparse.numbytes", b"2"),
                    ("path", b"s"),
                ],
                b"abcde",
            ),
        ),
        (
            "0.1",
            with(
                &[
                    ("GNU.sparse.size", b"2000"),
                    ("GNU.sparse.numblocks", b"2"),
                    ("GNU.sparse.map", b"0,3,1000,2"),
                    ("GNU.sparse.name", b"real"),
                ],
                b"abcde",
            ),
        ),
        (
            "1.0",
            with(
                &[
                    ("GNU.sparse.major", b"1"),
                    ("GNU.sparse.minor", b"0"),
                    ("GNU.sparse.name", b"real"),
                    ("GNU.sparse.realsize", b"2000"),
                ],
                &one,
            ),
        ),
        (
            "7.0",
            with(
                &[
                    ("GNU.sparse.major", b"7"),
                    ("GNU.sparse.minor", b"0"),
                    ("GNU.sparse.name", b"real"),
                    ("GNU.sparse.realsize", b"2000"),
                ],
                &one,
            ),
        ),
    ]
}

fn ends() -> Vec<Case> {
    let a = || file("a", &"1".repeat(1000)).bytes();
    let whole = || bytes(&[file("a", "1")]);
    vec![
        ("nothing", Vec::new()),
        ("one zero block", vec![0; 512]),
        ("the end alone", END.to_vec()),
        ("less than a block", vec![0; 100]),
        ("text", b"hello world this is no archive\n".repeat(100)),
        (
            "within a header",
            [
                dir("./").bytes(),
                a(),
                file("b", "").bytes()[..300].to_vec(),
            ]
            .concat(),
        ),
        ("no end", [dir("./").bytes(), a()].concat()),
        (
            "half an end",
            [dir("./").bytes(), a(), vec![0; 512]].concat(),
        ),
        (
            "more after half an end",
            [
                dir("./").bytes(),
                a(),
                vec![0; 512],
                file("b", "1").bytes(),
                END.to_vec(),
            ]
            .concat(),
        ),
        (
            "garbage behind",
            [whole(), b"garbage".repeat(1000)].concat(),
        ),
        (
            "another archive behind",
            [whole(), bytes(&[file("b", "1")])].concat(),
        ),
    ]
}

fn cpio() -> Vec<Case> {
    let root = || newc(".", 0o40755, 1, 2, b"");
    let end = || newc("TRAILER!!!", 0, 0, 1, b"");
    let cpio = |parts: &[Vec<u8>]| [root(), parts.concat(), end()].concat();
    let f =
        |name: &str, inode: u32, links: u32, data: &[u8]| newc(name, 0o100644, inode, links, data);
    vec![
        (
            "cpio",
            cpio(&[
                f("f", 2, 1, b"hello"),
                newc("l", 0o120777, 3, 1, b"f"),
                newc("./d", 0o40700, 4, 2, b""),
                newc("d/x", 0o104755, 5, 1, b"1"),
            ]),
        ),
        (
            "cpio links, last has it",
            cpio(&[f("a", 9, 3, b""), f("b", 9, 3, b""), f("c", 9, 3, b"hello")]),
        ),
        (
            "cpio links, first has it",
            cpio(&[f("a", 9, 2, b"hello"), f("b", 9, 2, b"")]),
        ),
        (
            "cpio links, both have it",
            cpio(&[f("a", 9, 2, b"hello"), f("b", 9, 2, b"HELLO")]),
        ),
        (
            "cpio link of links",
            cpio(&[
                newc("a", 0o120777, 9, 2, b"q"),
                newc("b", 0o120777, 9, 2, b"q"),
            ]),
        ),
        ("cpio fifo", cpio(&[newc("p", 0o10644, 2, 1, b"")])),
        ("cpio no type", cpio(&[newc("p", 0o644, 2, 1, b"")])),
        ("cpio up", cpio(&[f("../f", 2, 1, b"")])),
        (
            "cpio directory with content",
            cpio(&[newc("d", 0o40755, 2, 2, b"hello"), f("f", 3, 1, b"x")]),
        ),
        (
            "cpio target with NUL",
            cpio(&[newc("l", 0o120777, 2, 1, b"ab\0cd")]),
        ),
        (
            "cpio, another behind",
            [cpio(&[f("a", 2, 1, b"")]), cpio(&[f("b", 2, 1, b"")])].concat(),
        ),
    ]
}

/// What no file on disk can be: the C tool stores it and finds it damaged afterwards, or leaves nothing of it.
const NOT_IN_BARE: [&&str; 2] = [&"empty target", &"attribute without value"];

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
        for (name, tree) in &archives {
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
    compare(paths());
}

#[test]
fn hard_links_of_every_kind() {
    compare(links());
}

#[test]
fn entries_of_every_type() {
    compare(types());
}

#[test]
fn numbers_in_headers() {
    compare(numbers());
}

#[test]
fn headers_in_front_of_entries() {
    compare(extended_headers());
}

#[test]
fn files_with_holes() {
    compare(sparse_files());
}

#[test]
fn archives_that_end_oddly() {
    compare(ends());
}

#[test]
fn cpio_archives() {
    compare(cpio());
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
