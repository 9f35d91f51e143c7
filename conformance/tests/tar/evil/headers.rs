//! Numbers, extended headers, sparse maps.

use super::{Case, bytes, tar};
use osier_testkit::tar::{
    Entry, dir, extended, file, gnu_sparse, hardlink, long, pax, record, symlink,
};

pub(super) fn numbers() -> Vec<Case> {
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

pub(super) fn extended_headers() -> Vec<Case> {
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

pub(super) fn sparse_files() -> Vec<Case> {
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
