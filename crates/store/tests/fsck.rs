//! Checks find what the C tool finds, in its words and with its verdict.

mod common;

use common::{MODES, c_tool, commit_dir, copy, create, histories};
use osier_object::{CommitId, ObjectType};
use osier_store::fsck::{self, FsckOptions, Lines};
use osier_store::parallel::Cancel;
use osier_store::{ReadObjects, RefKey, Repo, RepoMode};
use osier_testkit::repo::object_names;
use osier_testkit::tool::Tool;
use osier_testkit::tree::Tree;
use osier_testkit::trees;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// What a check printed and how it ended, comparable between the two programs.
#[derive(Debug, PartialEq)]
struct Report {
    /// Standard output without progress.
    output: Vec<String>,
    /// Findings, sorted: both programs look in no particular order.
    findings: Vec<String>,
    /// The closing error.
    error: Option<String>,
}

/// The ids after `In commits` come in no particular order either.
fn sort_commits(line: &str) -> String {
    for (start, end) in [
        ("In commits ", ": fsck"),
        ("Object missing in commits ", ": "),
    ] {
        let parts = line
            .strip_prefix(start)
            .and_then(|rest| rest.split_once(end));
        if let Some((ids, rest)) = parts {
            let mut ids: Vec<&str> = ids.split(", ").collect();
            ids.sort_unstable();
            return format!("{start}{}{end}{rest}", ids.join(", "));
        }
    }
    line.to_owned()
}

fn ours(at: &Path, options: FsckOptions) -> Report {
    let repo = Repo::open(at).unwrap();
    let lines = Lines::default();
    let result = fsck::fsck(&repo, &options, &lines, &Cancel::default());
    let mut report = Report {
        output: Vec::new(),
        findings: Vec::new(),
        error: None,
    };
    for (finding, line) in lines.take() {
        match finding {
            true => report.findings.push(sort_commits(&line)),
            false => report.output.push(line),
        }
    }
    report.findings.sort();
    match result.and_then(|outcome| outcome.verdict().map(|()| outcome)) {
        Ok(outcome) => report.output.push(outcome.success_text()),
        Err(e) => report.error = Some(sort_commits(&e.to_string())),
    }
    report
}

fn theirs(c: &Tool, at: &Path, args: &[&str]) -> Report {
    let outcome = c
        .repo(at)
        .run(std::iter::once("fsck").chain(args.iter().copied()));
    let mut report = Report {
        output: outcome
            .stdout
            .lines()
            .filter(|line| !line.starts_with("fsck objects ("))
            .map(str::to_owned)
            .collect(),
        findings: Vec::new(),
        error: None,
    };
    for line in outcome.stderr.lines() {
        match line.strip_prefix("error: ") {
            Some(error) => report.error = Some(sort_commits(error)),
            None => report.findings.push(sort_commits(line)),
        }
    }
    report.findings.sort();
    assert_eq!(outcome.code, i32::from(report.error.is_some()), "{outcome}");
    report
}

const PLAIN: FsckOptions = FsckOptions {
    all: false,
    delete: false,
    add_tombstones: false,
    verify_bindings: false,
    verify_back_refs: false,
};

const ALL: FsckOptions = FsckOptions { all: true, ..PLAIN };
const DELETE: FsckOptions = FsckOptions {
    delete: true,
    ..PLAIN
};

/// Two commits that share most objects.
fn damaged_base(at: &Path, mode: RepoMode) -> (Repo, [CommitId; 2]) {
    let work = tempfile::tempdir().unwrap();
    let tree = Tree::create(work.path().join("t")).unwrap();
    tree.file("shared", "shared\n").unwrap();
    tree.file("d/e/deep", "deep\n").unwrap();
    tree.symlink("link", "target").unwrap();
    tree.file("f", "1\n").unwrap();
    let repo = create(at, mode);
    let first = commit_dir(&repo, "main", tree.path(), 0);
    tree.file("f", "2\n").unwrap();
    let second = commit_dir(&repo, "main", tree.path(), 1);
    (repo, [first, second])
}

/// Files of all objects whose name ends so.
fn objects(at: &Path, suffix: &str) -> Vec<PathBuf> {
    object_names(at)
        .unwrap()
        .into_iter()
        .filter(|name| name.ends_with(suffix))
        .map(|name| at.join("objects").join(name))
        .collect()
}

/// The id of the content object with those bytes, found by trying.
fn content_of(repo: &Repo, bytes: &str) -> PathBuf {
    let archive = repo.mode().is_archive();
    for name in object_names(repo.path()).unwrap() {
        let (prefix, rest) = name.split_once('/').unwrap();
        let Some((object, _)) = osier_object::ObjectName::from_loose(prefix, rest) else {
            continue;
        };
        if object.ty != ObjectType::File {
            continue;
        }
        let mut buf = Vec::new();
        let content = repo
            .open_content(&osier_object::ContentId(object.checksum))
            .unwrap();
        content.read_whole(&mut buf).unwrap();
        if buf == bytes.as_bytes() {
            return repo.path().join("objects").join(object.loose_path(archive));
        }
    }
    panic!("no object with content {bytes:?}");
}

fn append(path: &Path) {
    OpenOptions::new()
        .append(true)
        .open(path)
        .unwrap()
        .write_all(b"zzz")
        .unwrap();
}

/// Runs both on copies with the same options and compares what they say and leave.
fn compare(c: &Tool, at: &Path, options: FsckOptions, args: &[&str]) -> Report {
    let dir = tempfile::tempdir_in(at.parent().unwrap()).unwrap();
    let (mine, other) = (dir.path().join("ours"), dir.path().join("theirs"));
    copy(at, &mine);
    copy(at, &other);
    let said = ours(&mine, options);
    assert_eq!(said, theirs(c, &other, args), "{args:?}");
    assert_eq!(
        osier_testkit::repo::differences(&mine, &other).unwrap(),
        [""; 0]
    );
    said
}

#[test]
fn sound_repositories_pass() {
    let Some(c) = c_tool() else { return };
    let dir = tempfile::tempdir().unwrap();
    for mode in MODES {
        let at = dir.path().join(format!("r-{mode}"));
        let repo = histories(&at, mode, 5);
        for (name, build) in trees::SPECIAL {
            if mode == RepoMode::BareUserOnly && name == "modes" {
                continue;
            }
            let tree = build(&dir.path().join(format!("{name}-{mode}"))).unwrap();
            commit_dir(&repo, &format!("special/{name}"), tree.path(), 0);
        }
        let said = compare(&c, &at, PLAIN, &[]);
        assert_eq!(said.error, None);
        assert!(said.findings.is_empty());
        assert!(said.output.last().unwrap().starts_with("object fsck of "));
    }
}

#[test]
fn a_file_that_is_missing() {
    let Some(c) = c_tool() else { return };
    let dir = tempfile::tempdir().unwrap();
    for mode in MODES {
        let (repo, _) = damaged_base(&dir.path().join(format!("r-{mode}")), mode);
        fs::remove_file(content_of(&repo, "shared\n")).unwrap();
        fs::remove_file(content_of(&repo, "2\n")).unwrap();
        let said = compare(&c, repo.path(), PLAIN, &[]);
        assert_eq!(
            said.error.as_deref(),
            Some("Repository corruption encountered")
        );
        // Two objects, and each commit marked once.
        assert_eq!(said.findings.len(), 4, "{said:?}");
        // The mark stays: both are skipped next time, and that is an error too.
        ours(repo.path(), PLAIN);
        let said = compare(&c, repo.path(), PLAIN, &[]);
        assert_eq!(
            said.error.as_deref(),
            Some("2 partial commits from fsck-detected corruption")
        );
    }
}

#[test]
fn a_file_that_was_changed() {
    let Some(c) = c_tool() else { return };
    let dir = tempfile::tempdir().unwrap();
    for mode in [RepoMode::Bare, RepoMode::BareUser, RepoMode::BareUserOnly] {
        let (repo, _) = damaged_base(&dir.path().join(format!("r-{mode}")), mode);
        append(&content_of(&repo, "shared\n"));
        let said = compare(&c, repo.path(), PLAIN, &[]);
        let error = said.error.unwrap();
        assert!(
            error.contains("Corrupted file object; checksum expected='"),
            "{error}"
        );
        append(&content_of(&repo, "2\n"));
        let said = compare(&c, repo.path(), ALL, &["-a"]);
        assert_eq!(said.findings.len(), 2);
        let said = compare(&c, repo.path(), DELETE, &["--delete"]);
        assert_eq!(said.findings.len(), 4);
        ours(repo.path(), DELETE);
        assert!(
            objects(repo.path(), ".file")
                .iter()
                .all(|p| fs::read(p).map_or(true, |b| !b.ends_with(b"zzz")))
        );
        compare(&c, repo.path(), PLAIN, &[]);
    }
}

#[test]
fn an_archived_file_that_was_changed() {
    let Some(c) = c_tool() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (repo, _) = damaged_base(&dir.path().join("r"), RepoMode::Archive);
    let path = content_of(&repo, "shared\n");
    let good = fs::read(&path).unwrap();
    // Whatever follows the compressed data is not looked at.
    append(&path);
    assert_eq!(compare(&c, repo.path(), PLAIN, &[]).error, None);
    let id = osier_object::ObjectName::from_loose(
        path.parent()
            .unwrap()
            .file_name()
            .unwrap()
            .to_str()
            .unwrap(),
        path.file_name().unwrap().to_str().unwrap(),
    )
    .unwrap()
    .0
    .checksum;
    let other_mode = {
        let mut bytes = good.clone();
        // The last byte of the big-endian mode.
        bytes[8 + 8 + 4 + 4 + 3] ^= 1;
        bytes
    };
    let cut = good.len() - 2;
    for (name, bytes) in [
        ("cut in the data", &good[..cut]),
        ("cut in the header", &good[..20]),
        ("cut in the length", &good[..3]),
        ("empty", &[][..]),
        ("other mode", &other_mode[..]),
        ("header of no length", &[&[0; 8], &good[8..]].concat()[..]),
        (
            "header of huge length",
            &[&[0xff; 8], &good[8..]].concat()[..],
        ),
    ] {
        fs::write(&path, bytes).unwrap();
        for (options, args) in [(PLAIN, &[][..]), (ALL, &["-a"]), (DELETE, &["--delete"])] {
            let work = tempfile::tempdir_in(dir.path()).unwrap();
            let (mine, other) = (work.path().join("o"), work.path().join("c"));
            copy(repo.path(), &mine);
            copy(repo.path(), &other);
            let (said, their) = (ours(&mine, options), theirs(&c, &other, args));
            let start = |text: &String| {
                text.split(&format!("fsck content object {id}: "))
                    .next()
                    .unwrap()
                    .to_owned()
            };
            let starts = |r: &Report| -> Vec<String> { r.findings.iter().map(start).collect() };
            assert_eq!(
                said.error.as_ref().map(start),
                their.error.as_ref().map(start),
                "{name}"
            );
            assert_eq!(starts(&said), starts(&their), "{name}");
            assert_eq!(said.output, their.output, "{name}");
            assert_eq!(
                osier_testkit::repo::differences(&mine, &other).unwrap_or_default(),
                [""; 0],
                "{name}"
            );
        }
    }
}

#[test]
fn metadata_that_was_changed_or_is_missing() {
    let Some(c) = c_tool() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (repo, _) = damaged_base(&dir.path().join("r"), RepoMode::Archive);
    let with = |change: &dyn Fn(&Path)| {
        let work = tempfile::tempdir_in(dir.path()).unwrap();
        let at = copy(repo.path(), &work.path().join("r"));
        change(&at);
        (work, at)
    };
    let (_w, at) = with(&|at| append(&objects(at, ".dirmeta")[0]));
    for (options, args) in [(PLAIN, &[][..]), (ALL, &["-a"]), (DELETE, &["--delete"])] {
        let said = compare(&c, &at, options, args);
        let text = format!("{said:?}");
        assert!(
            text.contains(".dirmeta: Corrupted dirmeta object; checksum"),
            "{text}"
        );
    }
    let (_w, at) = with(&|at| fs::remove_file(&objects(at, ".dirmeta")[0]).unwrap());
    let said = compare(&c, &at, PLAIN, &[]);
    assert!(said.findings.iter().any(|f| f.ends_with(".dirmeta")));
    // A missing listing ends the check at once: nobody knows what it needs.
    let (_w, at) = with(&|at| {
        let root = repo
            .load_commit(&repo.resolve_rev("main").unwrap())
            .unwrap()
            .root_dirtree;
        fs::remove_file(at.join("objects").join(root.object_name().loose_path(true))).unwrap();
    });
    let said = compare(&c, &at, ALL, &["-a"]);
    assert!(said.error.unwrap().starts_with("No such metadata object "));
}

#[test]
fn a_listing_that_was_changed_is_reported_with_its_commits() {
    // The C tool often takes the damaged listing at its word and stumbles over something else.
    let dir = tempfile::tempdir().unwrap();
    let (repo, ids) = damaged_base(&dir.path().join("r"), RepoMode::Archive);
    let root = repo.load_commit(&ids[1]).unwrap().root_dirtree;
    let path = repo
        .path()
        .join("objects")
        .join(root.object_name().loose_path(true));
    fs::write(&path, b"").unwrap();
    let said = ours(repo.path(), PLAIN);
    let error = said.error.unwrap();
    assert!(
        error.starts_with(&format!("In commits {}: fsck {root}.dirtree: Corrupted dirtree object; checksum expected='{root}'", ids[1])),
        "{error}"
    );
    let said = ours(repo.path(), DELETE);
    assert_eq!(
        said.error.as_deref(),
        Some("Repository corruption encountered")
    );
    assert_eq!(said.findings.len(), 2);
    assert!(!path.exists());
    let said = ours(repo.path(), PLAIN);
    assert_eq!(
        said.error.as_deref(),
        Some("1 partial commits from fsck-detected corruption")
    );
}

#[test]
fn commits_that_refs_name() {
    let Some(c) = c_tool() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (repo, ids) = damaged_base(&dir.path().join("r"), RepoMode::Archive);
    let path = repo
        .path()
        .join("objects")
        .join(ids[1].object_name().loose_path(true));
    let good = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    for (options, args) in [(PLAIN, &[][..]), (DELETE, &["--delete"])] {
        let said = compare(&c, repo.path(), options, args);
        assert_eq!(
            said.findings,
            [format!("Object missing: {}.commit", ids[1])]
        );
        assert!(
            said.error
                .unwrap()
                .starts_with("Loading commit for ref main: ")
        );
    }
    fs::write(&path, [&good[..], b"z"].concat()).unwrap();
    let said = compare(&c, repo.path(), PLAIN, &[]);
    assert!(
        said.error
            .unwrap()
            .starts_with(&format!("fsck {}.commit: Corrupted commit object;", ids[1]))
    );
    let said = compare(&c, repo.path(), DELETE, &["--delete"]);
    assert!(
        said.error
            .unwrap()
            .starts_with("Loading commit for ref main: No such metadata object ")
    );
    // A ref of a collection is named with it.
    fs::write(&path, good).unwrap();
    let mirror = repo.path().join("refs/mirrors/org.example.Other");
    fs::create_dir_all(&mirror).unwrap();
    fs::write(mirror.join("x"), format!("{}\n", "0".repeat(64))).unwrap();
    let said = compare(&c, repo.path(), PLAIN, &[]);
    assert!(
        said.error
            .unwrap()
            .starts_with("Loading commit for ref (org.example.Other, x): ")
    );
}

#[test]
fn partial_commits_are_set_aside() {
    let Some(c) = c_tool() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (repo, ids) = damaged_base(&dir.path().join("r"), RepoMode::Archive);
    fs::remove_file(content_of(&repo, "1\n")).unwrap();
    fs::write(
        repo.path().join(format!("state/{}.commitpartial", ids[0])),
        "",
    )
    .unwrap();
    let said = compare(&c, repo.path(), PLAIN, &[]);
    assert_eq!(said.error, None);
    assert!(
        said.output
            .contains(&"1 partial commits not verified".to_owned())
    );
}

#[test]
fn tombstones_for_commits_without_parent() {
    let Some(c) = c_tool() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (repo, ids) = damaged_base(&dir.path().join("r"), RepoMode::Archive);
    fs::remove_file(
        repo.path()
            .join("objects")
            .join(ids[0].object_name().loose_path(true)),
    )
    .unwrap();
    assert_eq!(compare(&c, repo.path(), PLAIN, &[]).error, None);
    let options = FsckOptions {
        add_tombstones: true,
        ..PLAIN
    };
    let said = compare(&c, repo.path(), options, &["--add-tombstones"]);
    assert!(
        said.output
            .contains(&format!("Adding tombstone for commit {}", ids[1])),
        "{said:?}"
    );
}

#[test]
fn bindings_and_back_references() {
    let Some(c) = c_tool() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (repo, ids) = damaged_base(&dir.path().join("r"), RepoMode::Archive);
    let bindings = FsckOptions {
        verify_bindings: true,
        ..PLAIN
    };
    let back = FsckOptions {
        verify_back_refs: true,
        ..PLAIN
    };
    assert_eq!(
        compare(&c, repo.path(), bindings, &["--verify-bindings"]).error,
        None
    );
    // History never passes.
    let said = compare(&c, repo.path(), back, &["--verify-back-refs"]);
    assert!(
        said.error
            .unwrap()
            .ends_with("does not resolve to that commit")
    );
    let tx = repo.begin(&Default::default()).unwrap();
    tx.set_ref(RefKey::Local("other".into()), Some(ids[1]));
    tx.commit().unwrap();
    let said = compare(&c, repo.path(), bindings, &["--verify-bindings"]);
    assert!(
        said.error
            .unwrap()
            .contains("Commit has no requested ref ‘other’")
    );
    let tx = repo.begin(&Default::default()).unwrap();
    tx.set_ref(RefKey::Local("other".into()), None);
    tx.set_ref(RefKey::Local("main".into()), None);
    tx.commit().unwrap();
    let said = ours(repo.path(), back);
    assert!(said.error.unwrap().ends_with(" does not exist"));
    // In a repository with a collection both bindings are mandatory.
    let tx = repo.begin(&Default::default()).unwrap();
    tx.set_ref(RefKey::Local("main".into()), Some(ids[1]));
    tx.commit().unwrap();
    c.repo(repo.path())
        .ok(["config", "set", "core.collection-id", "org.example.Own"]);
    let said = compare(&c, repo.path(), bindings, &["--verify-bindings"]);
    assert!(
        said.error
            .unwrap()
            .contains("collection ID binding information")
    );
}

#[test]
fn things_that_are_no_files() {
    let Some(c) = c_tool() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (repo, _) = damaged_base(&dir.path().join("r"), RepoMode::Bare);
    let path = content_of(&repo, "shared\n");
    let link = objects(repo.path(), ".file")
        .into_iter()
        .find(|p| p.is_symlink())
        .unwrap();
    fs::remove_file(&link).unwrap();
    symlink("elsewhere", &link).unwrap();
    compare(&c, repo.path(), ALL, &["-a"]);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let said = compare(&c, repo.path(), ALL, &["-a"]);
    assert!(
        said.findings
            .iter()
            .any(|f| f.ends_with("Not a regular file or symlink")),
        "{said:?}"
    );
    fs::remove_dir(&path).unwrap();
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    // Opening a pipe must not wait for a writer.
    let said = ours(repo.path(), ALL);
    assert!(
        said.findings
            .iter()
            .any(|f| f.ends_with("Not a regular file or symlink")),
        "{said:?}"
    );
}

#[test]
fn a_user_file_without_its_header() {
    let Some(c) = c_tool() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (repo, _) = damaged_base(&dir.path().join("r"), RepoMode::BareUser);
    let path = content_of(&repo, "shared\n");
    let file = fs::File::open(&path).unwrap();
    rustix::fs::fremovexattr(&file, "user.ostreemeta").unwrap();
    let said = compare(&c, repo.path(), ALL, &["-a"]);
    assert!(
        said.findings[0].ends_with("fgetxattr(user.ostreemeta): No data available"),
        "{said:?}"
    );
}

#[test]
fn what_cannot_be_opened_is_not_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let (repo, _) = damaged_base(&dir.path().join("r"), RepoMode::Bare);
    let path = content_of(&repo, "shared\n");
    fs::remove_file(&path).unwrap();
    // A socket cannot be opened, whoever asks.
    let short = dir.path().join("s");
    let _socket = std::os::unix::net::UnixListener::bind(&short).unwrap();
    fs::rename(&short, &path).unwrap();
    let said = ours(repo.path(), DELETE);
    assert_eq!(said.findings.len(), 1, "{said:?}");
    assert!(said.findings[0].contains("openat(objects/"), "{said:?}");
    assert!(path.symlink_metadata().is_ok());
    assert_eq!(fs::read_dir(repo.path().join("state")).unwrap().count(), 0);
}

#[test]
fn bindings_to_collections() {
    let Some(c) = c_tool() else { return };
    let dir = tempfile::tempdir().unwrap();
    let tree = Tree::create(dir.path().join("t")).unwrap();
    let at = dir.path().join("r");
    let options = osier_store::CreateOptions {
        mode: RepoMode::Archive,
        collection_id: Some("org.example.One".into()),
    };
    Repo::create(&at, &options).unwrap();
    c.repo(&at)
        .ok(["commit", "-b", "m", tree.path().to_str().unwrap()]);
    let bindings = FsckOptions {
        verify_bindings: true,
        ..PLAIN
    };
    let back = FsckOptions {
        verify_back_refs: true,
        ..PLAIN
    };
    let both = |fine: bool| {
        for (options, args) in [
            (bindings, "--verify-bindings"),
            (back, "--verify-back-refs"),
        ] {
            let said = compare(&c, &at, options, &[args]);
            assert_eq!(said.error.is_none(), fine, "{said:?}");
        }
    };
    both(true);
    c.repo(&at)
        .ok(["config", "set", "core.collection-id", "org.example.Two"]);
    both(false);
    // As a mirror of the collection it was made for.
    c.repo(&at).ok(["refs", "--delete", "m"]);
    let said = compare(&c, &at, back, &["--verify-back-refs"]);
    assert!(said.error.unwrap().ends_with(" does not exist"));
    let id = Repo::open(&at).unwrap().list_commits().unwrap()[0];
    let mirror = at.join("refs/mirrors/org.example.One");
    fs::create_dir_all(&mirror).unwrap();
    fs::write(mirror.join("m"), format!("{id}\n")).unwrap();
    both(true);
    c.repo(&at).ok(["config", "unset", "core.collection-id"]);
    both(true);
}

#[test]
fn a_listing_that_names_itself() {
    let dir = tempfile::tempdir().unwrap();
    let (repo, ids) = damaged_base(&dir.path().join("r"), RepoMode::Archive);
    let commit = repo.load_commit(&ids[1]).unwrap();
    let root = commit.root_dirtree;
    let mut listing = repo.load_dirtree(&root).unwrap();
    listing
        .dirs
        .push(("again".into(), root, commit.root_dirmeta));
    let path = root.object_name().loose_path(true);
    fs::write(repo.path().join("objects").join(path), listing.encode()).unwrap();
    let said = ours(repo.path(), ALL);
    assert_eq!(said.findings.len(), 1, "{said:?}");
    // Neither does it send the other walks in circles.
    let options = osier_store::prune::PruneOptions::default();
    osier_store::prune::prune(&repo, &options, &Cancel::default()).unwrap();
}
