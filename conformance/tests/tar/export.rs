//! `export` writes the C tool's archives, and they come back as the same tree.

use super::{Both, in_every_mode, tar_arg};
use osier_conformance::{Scratch, TIMESTAMP, ours_is_c, root_or_skip, text, tree_arg};
use osier_testkit::tool::Tool;
use osier_testkit::trees;

fn exported(tool: &Tool, args: &[&str]) -> Vec<u8> {
    let output = tool
        .command(["export"].iter().chain(args))
        .output()
        .unwrap();
    assert!(output.status.success(), "{args:?}");
    output.stdout
}

#[test]
fn every_form() {
    if !root_or_skip() {
        return;
    }
    let scratch = Scratch::new();
    let tree = trees::os(&scratch.path("tree"), "1", "6.1.0").unwrap();
    trees::modes(&tree.join("modes")).unwrap();
    trees::xattrs(&tree.join("xattrs")).unwrap();
    tree.file(&format!("{}/{}", "d".repeat(90), "f".repeat(200)), "long\n")
        .unwrap()
        .symlink("long-link", &"t".repeat(300))
        .unwrap();
    let tree = tree_arg(tree.path());
    in_every_mode(&scratch, |mode, both: &Both| {
        for (tool, _) in [&both.ours, &both.c] {
            tool.ok(["commit", "-b", "main", TIMESTAMP, &tree]);
        }
        for args in [
            &["main"][..],
            &["--no-xattrs", "main"],
            &["--subpath=/usr", "main"],
            &["--subpath=/usr/bin", "--no-xattrs", "main"],
            &["--prefix=pre/", "main"],
            &["--prefix=pre", "main"],
            &["--prefix=/abs/", "--subpath=/modes", "main"],
        ] {
            let ours = exported(&both.ours.0, args);
            let c = exported(&both.c.0, args);
            if !Both::c_is_current() {
                // An older libarchive writes other headers.
                continue;
            }
            assert!(ours == c, "{args:?} in {mode}: the archives differ");
            let files = [&both.ours, &both.c].map(|(tool, _)| {
                let path = scratch.path(format!("{}.tar", tool.name()));
                let out = format!("--output={}", text(&path));
                tool.ok(["export", &out].iter().chain(args));
                std::fs::read(&path).unwrap()
            });
            assert!(
                files[0] == files[1],
                "{args:?} -o in {mode}: the archives differ"
            );
        }
        for args in [
            &["--subpath=/nothing", "main"][..],
            &["--subpath=/usr/bin/sh", "main"],
            &["nothing"],
            &[],
        ] {
            let run = |tool: &Tool| tool.run(["export"].iter().chain(args));
            let (ours, c) = (run(&both.ours.0), run(&both.c.0));
            // It aborts where it has no words.
            assert!(
                (ours.code == 1 || ours_is_c()) && (c.code == 1 || c.code >= 128),
                "{args:?}: {ours}{c}"
            );
        }
    });
}

#[test]
fn there_and_back() {
    if !root_or_skip() {
        return;
    }
    let scratch = Scratch::new();
    let tree = trees::os(&scratch.path("tree"), "1", "6.1.0").unwrap();
    trees::modes(&tree.join("modes")).unwrap();
    let tree = tree_arg(tree.path());
    in_every_mode(&scratch, |mode, both: &Both| {
        for (tool, _) in [&both.ours, &both.c] {
            // The archive has no attributes.
            tool.ok(["commit", "-b", "main", TIMESTAMP, "--no-xattrs", &tree]);
        }
        let archive = scratch.path("exported.tar");
        for (exporter, importer) in [
            (&both.ours.0, &both.ours.0),
            (&both.ours.0, &both.c.0),
            (&both.c.0, &both.ours.0),
        ] {
            exporter.ok(["export", "main", "-o", text(&archive)]);
            importer.ok([
                "commit",
                "-b",
                "back",
                "--parent=none",
                TIMESTAMP,
                &tar_arg(&archive),
            ]);
            let root = |rev: &str| importer.ok(["ls", "-d", "-C", rev]);
            assert_eq!(root("back"), root("main"), "{mode}");
        }
    });
}
