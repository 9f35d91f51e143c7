//! Options of `commit` that change what an archive's entries become.

use super::{Both, in_every_mode, tar_arg};
use osier_conformance::{Scratch, pair, text, tree_arg};
use osier_testkit::tar::{END, dir, file, hardlink, pax, symlink};
use osier_testkit::tree::Tree;
use std::fs::File;
use std::process::Stdio;

fn archive(parts: &[Vec<u8>]) -> Vec<u8> {
    [parts.concat(), END.to_vec()].concat()
}

/// Owners, modes, attributes, links of both kinds.
fn varied() -> Vec<u8> {
    archive(&[
        dir("./").bytes(),
        dir("d").uid(3).gid(4).bytes(),
        file("d/f", "1").mode(0o4755).uid(5).gid(6).bytes(),
        symlink("d/l", "f").uid(5).bytes(),
        pax(&[("SCHILY.xattr.user.b", b"1")]),
        file("x", "x").mode(0o775).bytes(),
        hardlink("d/h", "x").bytes(),
    ])
}

/// Without directories.
fn bare_of_directories() -> Vec<u8> {
    archive(&[
        file("a/b/f", "1").uid(5).gid(6).bytes(),
        file("a/c/g", "1").uid(7).gid(8).bytes(),
        dir("z/y/x").mode(0o700).bytes(),
        symlink("q/l", "x").uid(9).bytes(),
    ])
}

fn write(scratch: &Scratch, name: &str, bytes: &[u8]) -> String {
    let path = scratch.path(name);
    std::fs::write(&path, bytes).unwrap();
    tar_arg(&path)
}

#[test]
fn owners_modes_and_attributes() {
    let scratch = Scratch::new();
    let tree = write(&scratch, "varied.tar", &varied());
    in_every_mode(&scratch, |mode, both| {
        for options in [
            &[][..],
            &["--canonical-permissions"],
            &["--no-xattrs"],
            &["--no-xattrs", "--canonical-permissions"],
            &["--owner-uid=7", "--owner-gid=8"],
            &["--mode-ro-executables"],
            &[
                "--mode-ro-executables",
                "--canonical-permissions",
                "--owner-uid=0",
            ],
            &["-I"],
            &["--consume"],
        ] {
            let args: Vec<&str> = [tree.as_str()].iter().chain(options).copied().collect();
            both.same(&format!("{options:?} in {mode}"), &args);
        }
        both.same_objects(mode);
    });
    assert!(
        scratch.path("varied.tar").exists(),
        "an archive is not consumed"
    );
}

#[test]
fn overrides_and_paths_to_skip() {
    let scratch = Scratch::new();
    let tree = write(&scratch, "varied.tar", &varied());
    let fifo = write(
        &scratch,
        "fifo.tar",
        &archive(&[
            dir("./").bytes(),
            osier_testkit::tar::Entry::new(b'6', b"p").bytes(),
        ]),
    );
    let Some(both) = Both::new(&scratch, "archive") else {
        return;
    };
    for (n, lines) in [
        "2048 /d/f\n=448 /x\n1024 /d\n",
        "2048 /d/h\n",
        "1024 /\n",
        "=448 /d\n",
        "=448 /nothing\n",
    ]
    .iter()
    .enumerate()
    {
        let list = scratch.file(&format!("override-{n}"), lines);
        both.same(lines, &[&tree, &format!("--statoverride={}", text(&list))]);
    }
    for (n, line) in ["/d/f", "/d/h", "/x", "/d", "/"].iter().enumerate() {
        let list = scratch.file(&format!("skip-{n}"), &format!("{line}\n"));
        let skip = format!("--skip-list={}", text(&list));
        both.same(line, &[&tree, &skip]);
        both.same(line, &[&tree, &skip, "--tar-autocreate-parents"]);
    }
    // What is left out may be of any kind.
    let list = scratch.file("skip-fifo", "/p\n");
    assert!(both.same("fifo", &[&fifo, &format!("--skip-list={}", text(&list))]));
    // Each of them must fit something; only ours names the path on the same line.
    for (option, words) in [
        ("--statoverride", "Unmatched statoverride paths"),
        ("--skip-list", "Unmatched skip-list paths"),
    ] {
        let list = scratch.file("unmatched", "2048 /nothing\n");
        let (ours, c) = both.commit(&[&tree, &format!("{option}={}", text(&list))]);
        for outcome in [ours, c] {
            assert!(outcome.expect_fail().stderr.contains(words));
        }
    }
    both.same_objects("all");
}

#[test]
fn parents_that_are_made() {
    let scratch = Scratch::new();
    let cases = [
        ("nothing but files", bare_of_directories()),
        ("nothing", archive(&[])),
        ("one in the root", archive(&[file("a", "1").uid(5).bytes()])),
        (
            "some are there",
            archive(&[
                dir("./").mode(0o700).bytes(),
                dir("a").mode(0o711).uid(1).bytes(),
                file("a/f", "1").uid(5).bytes(),
            ]),
        ),
        (
            "they come late",
            archive(&[
                pax(&[("SCHILY.xattr.user.b", b"1")]),
                dir("./").mode(0o700).bytes(),
                file("a/f", "1").uid(5).gid(6).bytes(),
                dir("a").mode(0o711).uid(1).bytes(),
            ]),
        ),
        ("directory in no root", archive(&[dir("a").uid(5).bytes()])),
        (
            "of a hard link",
            archive(&[
                dir("./").bytes(),
                file("f", "1").uid(1).bytes(),
                hardlink("a/h", "f").uid(5).bytes(),
            ]),
        ),
        (
            "not of its target",
            archive(&[hardlink("a/h", "b/f").uid(5).bytes()]),
        ),
    ];
    let archives = cases.map(|(name, bytes)| (name, write(&scratch, name, &bytes)));
    let list = scratch.file("overrides", "=448 /\n=448 /a\n");
    let overrides = format!("--statoverride={}", text(&list));
    in_every_mode(&scratch, |mode, both| {
        for (name, tree) in &archives {
            for options in [
                &["--tar-autocreate-parents"][..],
                &["--tar-autocreate-parents", "--owner-uid=33"],
                &["--tar-autocreate-parents", &overrides],
                &["--tar-autocreate-parents", "--canonical-permissions"],
            ] {
                let args: Vec<&str> = [tree.as_str()].iter().chain(options).copied().collect();
                both.same(&format!("{name} {options:?} in {mode}"), &args);
            }
        }
        both.same_objects(mode);
    });
}

#[test]
fn rewritten_paths() {
    let scratch = Scratch::new();
    let tree = write(&scratch, "varied.tar", &varied());
    let names = [
        "etc/p",
        "usr/etc/q",
        "aż",
        "a//b",
        "a/./c",
        "UPPER/lower",
        "abba",
        "x1y22z333",
    ];
    let files: Vec<Vec<u8>> = names
        .iter()
        .map(|name| file(name, "1").bytes())
        .chain([hardlink("n/h", "etc/p").bytes()])
        .collect();
    let many = write(&scratch, "many.tar", &archive(&files));
    let Some(both) = Both::new(&scratch, "archive") else {
        return;
    };
    for filter in [
        "^zz,y",
        "^d,e",
        "^d/,e/",
        "^/d,e",
        "^\\./,e",
        "d,DD",
        "^d/(.),d/\\1\\1",
        "^d/(.),d/\\0\\g<1>",
        "^d/(?P<n>.),d/\\g<n>z",
        "^d/(?P<n>.),d/\\g<bad>z",
        "^d/(.),d/\\U\\1\\E\\1",
        "^d/(.*),d/\\uabc\\1\\lX",
        "^d/f,d/a,b",
        "^d/(?=f),d/z",
        "^$,e",
        "^d/f,../f",
        "^d/f,/f",
        "^d,.",
        "^x,n/x",
        "^x$,d/yy",
        "[df],Z",
        "abc",
        "^d/f,d/\\x41\\x{17c}\\061\\t",
        "f,\\\\",
    ] {
        both.same(filter, &[&tree, &format!("--tar-pathname-filter={filter}")]);
    }
    for filter in [
        "^etc,usr/etc",
        "^,pre/",
        "^a(.),b\\1\\1",
        "//,Q",
        "/\\./,Q",
        "(?i)upper,low",
        "(.)\\1,<\\1>",
        "(?<!r)/etc,X",
        "\\d+,N",
        "[[:digit:]]+,N",
        "(?P<a>[a-z])(?P=a),=",
        "^(?:etc|usr)(/),\\1\\1",
        "(\\w+)/(\\w+),\\2/\\1",
        "z?,-",
        "\\b,|",
        "(x)?1,[\\1]",
        "\\pL,L",
        "(?#comment)x,y",
        "a++b,c",
        "(?>a)b,c",
        "\\Aetc\\z,c",
        "l$,c",
        "[^/]+$,last",
        "(?s).,x",
        "(?x) e t c ,x",
        "\\x{17c},z",
        "\\Qetc\\E,x",
        "\\h,x",
        "\\R,x",
        "etc\\K/,_",
        "^e[[:alpha:]]c,x",
        "[]/[],_",
        "[\\h/],_",
        "\\V+,x",
        "^[^\\]/]+,x",
    ] {
        let filter_option = format!("--tar-pathname-filter={filter}");
        both.same(filter, &[&many, &filter_option, "--tar-autocreate-parents"]);
    }
    // Both refuse a malformed pattern, each in the words of its library.
    let (ours, c) = both.commit(&[&tree, "--tar-pathname-filter=^d/(.,x"]);
    for outcome in [ours, c] {
        let error = outcome.expect_fail().stderr;
        assert!(
            error.contains("Error while compiling regular expression ‘^d/(.’"),
            "{error}"
        );
    }
}

#[test]
fn trees_of_several_kinds_on_each_other() {
    let scratch = Scratch::new();
    let disk = Tree::create(scratch.path("disk")).unwrap();
    disk.file("d/q", "q\n").unwrap().mode("d", 0o755).unwrap();
    let disk = tree_arg(disk.path());
    let varied = write(&scratch, "varied.tar", &varied());
    let over = write(
        &scratch,
        "over.tar",
        &archive(&[
            dir("d/s").mode(0o700).bytes(),
            file("d/q", "new").uid(5).bytes(),
            hardlink("d/of-disk", "d/q").bytes(),
        ]),
    );
    let made = write(
        &scratch,
        "made.tar",
        &archive(&[file("d/n/f", "1").uid(5).bytes()]),
    );
    let list = scratch.file("override", "2048 /d/q\n");
    let list = format!("--statoverride={}", text(&list));
    in_every_mode(&scratch, |mode, both| {
        for repo in [&both.ours, &both.c] {
            repo.0.ok(["commit", "-b", "base", "--timestamp=@1", &disk]);
        }
        for (name, args) in [
            ("tar on dir", vec![&disk[..], &over]),
            ("dir on tar", vec![&varied, &disk]),
            ("tar on tar", vec![&varied, &varied, &over]),
            ("tar on ref", vec!["--tree=ref=base", &over]),
            ("tar on base", vec!["--base=base", &over]),
            ("ref on tar", vec![&varied, "--tree=ref=base"]),
            (
                "made on dir",
                vec![&disk, &made, "--tar-autocreate-parents"],
            ),
            ("an override counts once", vec![&disk, &over, &list]),
            ("alone it has no root", vec![&over]),
        ] {
            both.same(&format!("{name} in {mode}"), &args);
        }
        both.same_objects(mode);
    });
}

#[test]
fn standard_input_and_files_that_are_none() {
    let scratch = Scratch::new();
    let tree = write(&scratch, "varied.tar", &varied());
    let Some(both) = Both::new(&scratch, "archive") else {
        return;
    };
    let (direct, _) = both.commit(&[&tree]);
    for (tool, _) in [&both.ours, &both.c] {
        for arg in ["--tree=tar=-", "--tree=tar="] {
            let input = File::open(scratch.path("varied.tar")).unwrap();
            let mut command = tool.command([
                "commit",
                "--orphan",
                "--no-bindings",
                osier_conformance::TIMESTAMP,
                arg,
            ]);
            let outcome = tool.finish(command.stdin(Stdio::from(input)));
            assert_eq!(outcome.expect_ok().stdout, direct.stdout);
        }
    }
    std::fs::create_dir(scratch.path("folder")).unwrap();
    for path in [scratch.path("nothing"), scratch.path("folder")] {
        assert!(!both.same(text(&path), &[&tar_arg(&path)]));
    }
}

/// A program that still writes its padding must not be cut off.
#[test]
fn writers_of_pipes_may_finish() {
    let scratch = Scratch::new();
    let Some((ours, _)) = pair() else { return };
    let repo = scratch.init(&ours, "repo", "archive");
    let bytes = [varied(), vec![0; 3 << 20]].concat();
    std::fs::write(scratch.path("padded.tar"), bytes).unwrap();
    let script = format!(
        "set -o pipefail; cat {}/padded.tar | {} commit --repo={} --orphan --tree=tar=-",
        text(&scratch.path("")),
        ours.program().display(),
        text(&repo),
    );
    let status = std::process::Command::new("bash")
        .args(["-c", &script])
        .status()
        .unwrap();
    assert!(status.success() || osier_conformance::ours_is_c());
}

/// A policy labels an archive's entries as it does files on disk.
#[test]
fn labels() {
    let scratch = Scratch::new();
    let policy = Tree::create(scratch.path("policy")).unwrap();
    policy
        .file(
            "etc/selinux/config",
            "SELINUX=enforcing\nSELINUXTYPE=test\n",
        )
        .unwrap()
        .file("etc/selinux/test/policy/policy.33", "binary")
        .unwrap()
        .file(
            "etc/selinux/test/contexts/files/file_contexts",
            "/.* u:r:all:s0\n/d(/.*)? -d u:r:dir:s0\n/x -- u:r:x:s0\n/pre(/.*)? u:r:pre:s0\n",
        )
        .unwrap();
    let policy = format!("--selinux-policy={}", text(policy.path()));
    let varied = write(&scratch, "varied.tar", &varied());
    let bare = write(&scratch, "bare.tar", &bare_of_directories());
    in_every_mode(&scratch, |mode, both| {
        // 2022.7 labels other paths than it should.
        if mode == "bare-user-only" || !Both::c_is_current() {
            return;
        }
        for args in [
            vec![&varied[..], &policy],
            vec![&varied, &policy, "--no-xattrs"],
            vec![&varied, &policy, "--canonical-permissions"],
            vec![&bare, &policy, "--tar-autocreate-parents"],
            vec![
                &bare,
                &policy,
                "--tar-autocreate-parents",
                "--tar-pathname-filter=^,pre/",
            ],
        ] {
            both.same(&format!("{args:?} in {mode}"), &args);
        }
        both.same_objects(mode);
    });
}
