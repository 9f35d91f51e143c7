//! Archives that programs write: GNU tar, bsdtar and cpio in all their formats, and everything they compress with.

use super::{Both, in_every_mode, tar_arg};
use osier_conformance::{Scratch, pair, root_or_skip, text};
use osier_testkit::tree::Tree;
use osier_testkit::{random, skip, trees};
use std::path::Path;
use std::process::Command;

/// Runs a shell command in `dir`; `false`, said aloud, when `program` is not there.
fn shell(dir: &Path, program: &str, script: &str) -> bool {
    let found = Command::new("sh")
        .args(["-c", &format!("command -v {program} >/dev/null")])
        .status()
        .is_ok_and(|status| status.success());
    if !found {
        skip::because(&format!("no {program}"));
        return false;
    }
    let output = Command::new("sh")
        .args(["-c", script])
        .current_dir(dir)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{script}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    true
}

/// A tree with what archives can hold: long names, links, modes, holes, odd characters.
fn tree(scratch: &Scratch) -> Tree {
    let tree = Tree::create(scratch.path("tree")).unwrap();
    let long = format!("{}/{}", "d".repeat(120), "f".repeat(120));
    tree.file(&long, "long\n").unwrap();
    tree.symlink("long-link", &long).unwrap();
    tree.file("żółć", "utf8\n").unwrap();
    tree.file("empty", "").unwrap();
    tree.file("linked", "linked\n").unwrap();
    std::fs::hard_link(tree.path().join("linked"), tree.path().join("dir-of-link")).unwrap();
    std::fs::create_dir(tree.path().join("void")).unwrap();
    let sparse = std::fs::File::create(tree.path().join("sparse")).unwrap();
    use std::os::unix::fs::FileExt;
    for n in 0..30u64 {
        sparse.write_all_at(b"data", n * 100_000).unwrap();
    }
    sparse.set_len(5_000_000).unwrap();
    let big = vec![b'x'; 6 << 20];
    std::fs::write(tree.path().join("big"), big).unwrap();
    if skip::is_root() {
        trees::modes(&tree.path().join("modes")).unwrap();
    }
    tree
}

/// Commits what `script` makes as `$OUT` with both tools, in every mode.
fn compare(programs: &[(&str, &str)]) {
    let scratch = Scratch::new();
    let tree = tree(&scratch);
    let mut archives = Vec::new();
    for (n, (program, script)) in programs.iter().enumerate() {
        let out = scratch.path(format!("archive-{n}"));
        if shell(
            tree.path(),
            program,
            &format!("OUT={}; {script}", text(&out)),
        ) {
            archives.push((script, tar_arg(&out)));
        }
    }
    in_every_mode(&scratch, |mode, both: &Both| {
        for (script, tree) in &archives {
            assert!(
                both.same(&format!("{script} in {mode}"), &[tree]),
                "{script}"
            );
        }
        both.same_objects(mode);
    });
}

#[test]
fn gnu_tar() {
    compare(&[
        ("tar", "tar --format=gnu -cf $OUT ."),
        ("tar", "tar --format=oldgnu -S -cf $OUT ."),
        ("tar", "tar --format=posix -cf $OUT ."),
        (
            "tar",
            "tar --format=posix -S --sparse-version=0.0 -cf $OUT .",
        ),
        (
            "tar",
            "tar --format=posix -S --sparse-version=0.1 -cf $OUT .",
        ),
        (
            "tar",
            "tar --format=posix -S --sparse-version=1.0 -cf $OUT .",
        ),
        (
            "tar",
            "tar --format=ustar --owner=5 --group=6 -cf $OUT --exclude=ddd* --exclude=long-link .",
        ),
        (
            "tar",
            "tar --format=v7 --owner=5 --group=6 -cf $OUT --exclude=ddd* --exclude=long-link .",
        ),
        ("tar", "tar --format=gnu --label=hello -b 1 -cf $OUT ."),
        (
            "tar",
            "tar --format=gnu -P -cf $OUT --transform='s,^\\.,/,' .",
        ),
        ("tar", "tar --format=gnu -g $OUT.list -cf $OUT ."),
    ]);
}

#[test]
fn bsdtar() {
    compare(&[
        ("bsdtar", "bsdtar --no-xattrs --format=pax -cf $OUT ."),
        (
            "bsdtar",
            "bsdtar --no-xattrs --format=pax --read-sparse -cf $OUT .",
        ),
        ("bsdtar", "bsdtar --no-xattrs --format=gnutar -cf $OUT ."),
        (
            "bsdtar",
            "bsdtar --no-xattrs --format=ustar --uid=5 --gid=6 --exclude=long-link -cf $OUT .",
        ),
        (
            "bsdtar",
            "bsdtar --no-xattrs --uid=5 --gid=6 --format=cpio -cf $OUT .",
        ),
        ("bsdtar", "bsdtar --no-xattrs --format=newc -cf $OUT ."),
    ]);
}

#[test]
fn cpio() {
    compare(&[
        ("cpio", "find . | cpio --quiet -o -H newc > $OUT"),
        ("cpio", "find . | cpio --quiet -o -H crc > $OUT"),
        ("cpio", "find . | cpio --quiet -o -H odc > $OUT"),
        ("cpio", "find . | cpio --quiet -o -H bin > $OUT 2>/dev/null"),
    ]);
}

#[test]
fn compressed() {
    compare(&[
        ("gzip", "tar -czf $OUT ."),
        (
            "gzip",
            "tar -cf $OUT.1 .; (head -c 100000 $OUT.1 | gzip; tail -c +100001 $OUT.1 | gzip; echo junk) > $OUT",
        ),
        ("gzip", "tar -c . | gzip | gzip > $OUT"),
        ("bzip2", "tar -cjf $OUT ."),
        (
            "bzip2",
            "tar -cf $OUT.1 .; (head -c 100000 $OUT.1 | bzip2; tail -c +100001 $OUT.1 | bzip2) > $OUT",
        ),
        ("xz", "tar -cJf $OUT ."),
        (
            "xz",
            "tar -cf $OUT.1 .; (head -c 100000 $OUT.1 | xz; tail -c +100001 $OUT.1 | xz) > $OUT",
        ),
        ("xz", "tar -c . | xz --format=lzma > $OUT"),
        ("bsdtar", "bsdtar --lzip -cf $OUT ."),
        ("bsdtar", "bsdtar --zstd -cf $OUT ."),
        (
            "bsdtar",
            "bsdtar --zstd -cf $OUT.1 .; cat $OUT.1 $OUT.1 > $OUT",
        ),
        ("bsdtar", "bsdtar --lz4 -cf $OUT ."),
        ("bsdtar", "bsdtar --compress -cf $OUT ."),
        ("cpio", "find . | cpio --quiet -o -H newc | gzip > $OUT"),
    ]);
}

#[test]
fn compressed_and_damaged() {
    let scratch = Scratch::new();
    let tree = tree(&scratch);
    let Some((ours, _)) = pair() else { return };
    let repo = scratch.init(&ours, "repo", "archive");
    for program in ["gzip", "bzip2", "xz"] {
        let out = scratch.path("whole");
        let script = format!("tar -c . | {program} > {}", text(&out));
        if !shell(tree.path(), program, &script) {
            continue;
        }
        let whole = std::fs::read(&out).unwrap();
        let mut flipped = whole.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 0x55;
        for (what, bytes) in [("cut", &whole[..whole.len() - 6]), ("flipped", &flipped)] {
            let path = scratch.path("damaged");
            std::fs::write(&path, bytes).unwrap();
            let outcome = ours
                .repo(&repo)
                .run(["commit", "--orphan", &tar_arg(&path)]);
            assert_eq!(outcome.code, 1, "{program} {what}: {outcome}");
        }
    }
}

/// Attributes as GNU tar and bsdtar write them. A bare repository reads none without a value back from disk, and each
/// once, though bsdtar writes them twice: the C tool's does not pass its own check then, ours keeps what it can read.
#[test]
fn attributes() {
    if !root_or_skip() {
        return;
    }
    let scratch = Scratch::new();
    let tree = trees::xattrs(&scratch.path("tree")).unwrap();
    let gnu = scratch.path("gnu.tar");
    let script = format!("tar --xattrs --xattrs-include='*' -cf {} .", text(&gnu));
    assert!(shell(tree.path(), "tar", &script));
    let gnu = tar_arg(&gnu);
    in_every_mode(&scratch, |mode, both: &Both| {
        if mode == "bare" {
            both.ours.0.ok(["commit", "-b", "x", &gnu]);
        } else {
            both.same(mode, &[&gnu]);
            both.same_objects(mode);
        }
        both.ours.0.ok(["fsck"]);
    });
    let plain = Tree::create(scratch.path("plain")).unwrap();
    plain.file("f", "1").unwrap();
    osier_testkit::xattr::set(&plain.path().join("f"), "user.a", b"hello").unwrap();
    let bsd = scratch.path("bsd.tar");
    if !shell(
        plain.path(),
        "bsdtar",
        &format!("bsdtar --format=pax -cf {} .", text(&bsd)),
    ) {
        return;
    }
    let bsd = tar_arg(&bsd);
    let again = Scratch::new();
    in_every_mode(&again, |mode, both: &Both| {
        if mode == "bare" {
            both.ours.0.ok(["commit", "-b", "x", &bsd]);
        } else {
            both.same(mode, &[&bsd]);
            both.same_objects(mode);
        }
        both.ours.0.ok(["fsck"]);
    });
}

#[test]
fn random_trees() {
    let scratch = Scratch::new();
    for seed in 11..=13 {
        let path = scratch.path(format!("tree-{seed}"));
        let shape = random::Shape {
            files: 400,
            dirs: 60,
            max_size: 200_000,
        };
        random::tree(&path, seed, shape).unwrap();
        let out = scratch.path(format!("{seed}.tar"));
        let script = format!("tar --sort=name --xattrs -cf {} .", text(&out));
        assert!(shell(&path, "tar", &script));
        let modes = Scratch::new();
        in_every_mode(&modes, |mode, both: &Both| {
            assert!(both.same(mode, &[&tar_arg(&out)]));
            both.same_objects(mode);
        });
    }
}
