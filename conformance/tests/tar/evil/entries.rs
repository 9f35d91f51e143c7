//! Names that lead anywhere, links, types, and ends.

use super::{Case, bytes, tar};
use osier_testkit::tar::{END, Entry, dir, file, hardlink, long, newc, pax, symlink};

pub(super) fn paths() -> Vec<Case> {
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

pub(super) fn links() -> Vec<Case> {
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

pub(super) fn types() -> Vec<Case> {
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

pub(super) fn ends() -> Vec<Case> {
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

pub(super) fn cpio() -> Vec<Case> {
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
