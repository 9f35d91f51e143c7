//! Reading repositories of mode `bare-split-xattrs`, which no tool writes: one is made by hand from a bare one.

use osier_conformance::{Scratch, commit, pair, root_or_skip, text};
use osier_testkit::snapshot::{Snapshot, sha256};
use osier_testkit::tool::Tool;
use osier_testkit::{repo, xattr};
use std::fs;
use std::path::{Path, PathBuf};

/// `a(ayay)` of two attributes: each element with its one offset, then where each ends.
const TWO: &[u8] = b"user.alpha\0\x00\x01\x02\x0buser.zed\0last\x09\x0f\x1d";

fn tree(scratch: &Scratch) -> PathBuf {
    let tree = scratch.path("tree");
    fs::create_dir_all(tree.join("dir")).unwrap();
    fs::write(tree.join("plain"), "plain\n").unwrap();
    fs::write(tree.join("dir/attributed"), "attributed\n").unwrap();
    fs::write(tree.join("empty"), "").unwrap();
    rustix::fs::symlink("plain", tree.join("link")).unwrap();
    for (name, value) in [("user.alpha", &b"\x00\x01\x02"[..]), ("user.zed", b"last")] {
        xattr::set(&tree.join("dir/attributed"), name, value).unwrap();
    }
    tree
}

/// Moves the attributes of each content object into files beside it.
fn split(path: &Path) {
    for name in repo::object_names(path).unwrap() {
        let Some(stem) = name.strip_suffix(".file") else {
            continue;
        };
        let object = path.join("objects").join(&name);
        let bytes: &[u8] = if xattr::list(&object).unwrap().is_empty() {
            b""
        } else {
            TWO
        };
        let _ = rustix::fs::lremovexattr(&object, "user.alpha");
        let _ = rustix::fs::lremovexattr(&object, "user.zed");
        let sum = sha256(bytes);
        let kept = path
            .join("objects")
            .join(&sum[..2])
            .join(format!("{}.file-xattrs", &sum[2..]));
        fs::create_dir_all(kept.parent().unwrap()).unwrap();
        fs::write(&kept, bytes).unwrap();
        fs::hard_link(
            &kept,
            path.join("objects")
                .join(format!("{stem}.file-xattrs-link")),
        )
        .unwrap();
    }
    let config = fs::read_to_string(path.join("config")).unwrap();
    fs::write(
        path.join("config"),
        config.replace("mode=bare\n", "mode=bare-split-xattrs\n"),
    )
    .unwrap();
}

fn repository(scratch: &Scratch, tool: &Tool) -> PathBuf {
    let path = scratch.init(tool, "split", "bare");
    commit(tool, &path, "main", &tree(scratch), &[]);
    split(&path);
    path
}

#[test]
fn both_tools_read_it_alike() {
    if !root_or_skip() {
        return;
    }
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let path = repository(&scratch, &c);
    for args in [
        &["ls", "-R", "-C", "-X", "main"][..],
        &["cat", "main", "/dir/attributed"],
        &["cat", "main", "/link"],
        &["fsck"],
        &["fsck", "-q"],
        &["log", "main"],
        &["show", "main"],
        &["refs"],
        &["export", "main"],
        &["diff", "main", "main"],
        &[
            "commit",
            "--branch=x",
            "--tree=ref=main",
            "--skip-if-unchanged",
        ],
        &[
            "commit",
            "--branch=x",
            "--parent=none",
            text(&scratch.path("tree")),
        ],
    ] {
        let [our, c] = [&ours, &c].map(|tool| {
            let outcome = tool.repo(&path).run(args);
            (outcome.code, outcome.stdout)
        });
        assert_eq!(our, c, "{args:?}");
    }
    for args in [&[][..], &["-U"], &["-C"], &["-H"]] {
        let [our, c] = [&ours, &c].map(|tool| {
            let dest = scratch.path(format!("{}{}", tool.name(), args.concat()));
            let outcome = tool
                .repo(&path)
                .run([&["checkout"], args, &["main", text(&dest)]].concat());
            let snapshot = Snapshot::of(&dest).ok().filter(|_| outcome.code == 0);
            (
                outcome.code,
                outcome.stderr.replace(text(&dest), "DEST"),
                snapshot,
            )
        });
        // Ours names the file too.
        let cause = c.1.trim_start_matches("error: ");
        assert!(
            our.0 == c.0 && our.1.ends_with(cause),
            "{args:?}: {} {}",
            our.1,
            c.1
        );
        if let (Some(our), Some(c)) = (our.2, c.2) {
            let differences: Vec<String> = our
                .differences(&c)
                .into_iter()
                .filter(|line| !line.contains("inode") && !line.contains("mtime"))
                .collect();
            assert!(differences.is_empty(), "{args:?}: {differences:?}");
        }
    }
}

#[test]
fn both_tools_pull_from_it() {
    if !root_or_skip() {
        return;
    }
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let path = repository(&scratch, &c);
    for mode in ["archive", "bare", "bare-user"] {
        let lists = [&ours, &c].map(|tool| {
            let into = scratch.init(tool, &format!("{mode}-{}", tool.name()), mode);
            tool.repo(&into).ok(["pull-local", text(&path), "main"]);
            c.repo(&into).ok(["fsck", "-q"]);
            repo::object_names(&into).unwrap()
        });
        assert_eq!(lists[0], lists[1], "{mode}");
    }
}

#[test]
fn lost_and_damaged_attributes_are_found() {
    if !root_or_skip() {
        return;
    }
    let Some((ours, c)) = pair() else { return };
    for damage in ["lost", "damaged"] {
        let scratch = Scratch::new();
        let path = repository(&scratch, &c);
        let name = repo::object_names(&path)
            .unwrap()
            .into_iter()
            .find(|name| {
                let at = path.join("objects").join(name);
                name.ends_with(".file-xattrs-link") && fs::metadata(at).is_ok_and(|m| m.len() > 0)
            })
            .unwrap();
        let link = path.join("objects").join(name);
        fs::remove_file(&link).unwrap();
        if damage == "damaged" {
            fs::write(&link, &TWO[1..]).unwrap();
        }
        let codes = [&ours, &c].map(|tool| tool.repo(&path).run(["fsck", "-q"]).code);
        assert_eq!(codes, [1, 1], "{damage}");
        let copy = scratch.path("copy");
        ours.repo(&path).fail(["checkout", "main", text(&copy)]);
    }
}
