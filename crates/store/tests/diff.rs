//! Differences are those the C tool shows.

mod common;

use common::{c_tool, commit_dir, copy, create, mutate};
use osier_store::diff::{self, DiffOptions, Side};
use osier_store::parallel::Cancel;
use osier_store::{Repo, RepoMode};
use osier_testkit::random::Random;
use osier_testkit::tool::Tool;
use osier_testkit::tree::Tree;
use osier_testkit::{skip, xattr};
use std::path::Path;

struct Fixture {
    dir: tempfile::TempDir,
    repo: Repo,
    c: Tool,
}

impl Fixture {
    fn new(mode: RepoMode) -> Option<Fixture> {
        let c = c_tool()?;
        let dir = tempfile::tempdir().unwrap();
        let repo = create(&dir.path().join("r"), mode);
        Some(Fixture { dir, repo, c })
    }

    /// Sides as the command line names them: what has a slash is a folder.
    fn side(&self, text: &str) -> Side {
        match text.contains('/') {
            true => Side::Dir(self.dir.path().join(text)),
            false => Side::Commit(self.repo.resolve_rev(text).unwrap()),
        }
    }

    #[track_caller]
    fn check(&self, a: &str, b: &str, options: DiffOptions, args: &[&str]) -> Vec<String> {
        let found = diff::diff(
            &self.repo,
            &self.side(a),
            &self.side(b),
            &options,
            &Cancel::default(),
        )
        .unwrap();
        let ours: Vec<String> = found.lines().collect();
        let mut command = self.c.repo(self.repo.path()).command(
            std::iter::once("diff")
                .chain(args.iter().copied())
                .chain([a, b]),
        );
        let said = self
            .c
            .finish(command.current_dir(self.dir.path()))
            .expect_ok();
        let mut theirs: Vec<String> = said.stdout.lines().map(str::to_owned).collect();
        let mut sorted = ours.clone();
        if a.contains('/') || b.contains('/') {
            // There the C tool follows the order of the file system.
            theirs.sort();
            sorted.sort();
        }
        assert_eq!(sorted, theirs, "{a} {b} {args:?}");
        ours
    }
}

fn change(tree: &Tree, has_xattrs: bool) {
    tree.file("f", "changed").unwrap();
    tree.remove("l").unwrap().symlink("l", "elsewhere").unwrap();
    tree.mode("mode", 0o600).unwrap();
    tree.dir("dirmode", 0o700).unwrap();
    tree.remove("gone").unwrap();
    tree.file("new/x/y", "new")
        .unwrap()
        .file("new/a", "new")
        .unwrap();
    tree.remove("file-to-dir")
        .unwrap()
        .file("file-to-dir/i", "i")
        .unwrap();
    tree.remove("dir-to-file")
        .unwrap()
        .file("dir-to-file", "d")
        .unwrap();
    tree.remove("file-to-link")
        .unwrap()
        .symlink("file-to-link", "f")
        .unwrap();
    tree.file("sub/deep/h", "other").unwrap();
    tree.file("sub/deep/added", "more").unwrap();
    tree.file("aaa", "a").unwrap().file("zzz", "z").unwrap();
    if has_xattrs {
        tree.xattr("attr", "user.x", "1").unwrap();
    }
}

fn base(at: &Path) -> Tree {
    let tree = Tree::create(at).unwrap();
    tree.file("f", "1").unwrap().symlink("l", "f").unwrap();
    tree.file("mode", "m").unwrap().file("attr", "a").unwrap();
    tree.file("dirmode/same", "s").unwrap();
    tree.file("gone/q/r", "q").unwrap();
    tree.file("file-to-dir", "x").unwrap();
    tree.file("dir-to-file/k", "k").unwrap();
    tree.file("file-to-link", "k").unwrap();
    tree.file("sub/deep/h", "h")
        .unwrap()
        .file("sub/g", "g")
        .unwrap();
    tree.file("same", "same").unwrap();
    tree
}

#[test]
fn commits_and_folders() {
    if !skip::is_root() {
        skip::because("other owners can be set by root only");
        return;
    }
    let Some(f) = Fixture::new(RepoMode::Bare) else {
        return;
    };
    let a = base(&f.dir.path().join("a"));
    commit_dir(&f.repo, "a", a.path(), 0);
    copy(a.path(), &f.dir.path().join("b"));
    let b = Tree::existing(f.dir.path().join("b"));
    change(&b, xattr::supported(f.dir.path()));
    commit_dir(&f.repo, "b", b.path(), 0);
    let plain = DiffOptions::default();
    let lines = f.check("a", "b", plain, &[]);
    assert!(lines.contains(&"M    /file-to-dir".to_owned()), "{lines:?}");
    assert!(lines.contains(&"A    /new/x/y".to_owned()));
    assert!(
        lines.contains(&"D    /gone".to_owned()) && !lines.contains(&"D    /gone/q".to_owned())
    );
    f.check("b", "a", plain, &[]);
    assert_eq!(f.check("a", "a", plain, &[]), [""; 0]);
    assert_eq!(f.check("a", "./a", plain, &[]), [""; 0]);
    f.check("a", "./b", plain, &[]);
    f.check("./a", "./b", plain, &[]);
    f.check("./b", "a", plain, &[]);
    let no_xattrs = DiffOptions {
        no_xattrs: true,
        ..plain
    };
    f.check("a", "./b", no_xattrs, &["--no-xattrs"]);
    b.owner("same", 5, 6).unwrap().owner("sub", 5, 6).unwrap();
    f.check("a", "./b", plain, &[]);
    let owner = DiffOptions {
        owner_uid: Some(0),
        owner_gid: Some(0),
        ..plain
    };
    f.check("a", "./b", owner, &["--owner-uid=0", "--owner-gid=0"]);
    let owner = DiffOptions {
        owner_uid: Some(7),
        ..plain
    };
    f.check("./a", "a", owner, &["--owner-uid=7"]);
    // The root directory itself is not compared.
    Tree::existing(f.dir.path().join("b"))
        .mode("", 0o700)
        .unwrap();
    f.check("a", "./b", plain, &[]);
}

#[test]
fn random_histories() {
    let Some(f) = Fixture::new(RepoMode::Archive) else {
        return;
    };
    let tree = Tree::create(f.dir.path().join("t")).unwrap();
    let mut random = Random::new(3);
    commit_dir(&f.repo, "m", tree.path(), 0);
    for n in 0..12 {
        mutate(&tree, &mut random);
        mutate(&tree, &mut random);
        f.check("m", "./t", DiffOptions::default(), &[]);
        commit_dir(&f.repo, "m", tree.path(), n);
        f.check("m^", "m", DiffOptions::default(), &[]);
    }
}

#[test]
fn statistics() {
    for mode in [RepoMode::Bare, RepoMode::Archive, RepoMode::BareUser] {
        let Some(f) = Fixture::new(mode) else { return };
        let a = base(&f.dir.path().join("a"));
        commit_dir(&f.repo, "a", a.path(), 0);
        copy(a.path(), &f.dir.path().join("b"));
        let b = Tree::existing(f.dir.path().join("b"));
        change(&b, false);
        commit_dir(&f.repo, "b", b.path(), 0);
        let id = |rev: &str| f.repo.resolve_rev(rev).unwrap();
        let s = diff::stats(&f.repo, &id("a"), &id("b"), &Cancel::default()).unwrap();
        let ours = format!(
            "[A] Object Count: {}\n[B] Object Count: {}\nCommon Object Count: {}\nCommon Object Size: {}",
            s.a_objects,
            s.b_objects,
            s.common_objects,
            osier_store::size_text::si(s.common_bytes)
        );
        let said = f.c.repo(f.repo.path()).ok(["diff", "--stats", "a", "b"]);
        assert_eq!(ours, said, "{mode}");
    }
}

#[test]
fn a_folder_that_is_missing() {
    let Some(f) = Fixture::new(RepoMode::Archive) else {
        return;
    };
    let tree = Tree::create(f.dir.path().join("t")).unwrap();
    commit_dir(&f.repo, "a", tree.path(), 0);
    let nowhere = f.dir.path().join("nowhere");
    let error = diff::diff(
        &f.repo,
        &f.side("a"),
        &Side::Dir(nowhere.clone()),
        &DiffOptions::default(),
        &Cancel::default(),
    )
    .unwrap_err();
    let said =
        f.c.repo(f.repo.path())
            .fail(["diff", "a", nowhere.to_str().unwrap()]);
    assert_eq!(format!("error: {error}\n"), said);
}
