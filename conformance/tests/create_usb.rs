//! `create-usb` beside the C tool: what it says, what is on the stick afterwards, and what it refuses.

use osier_conformance::{Scratch, commit, ours_is_c, pair, text};
use osier_testkit::repo::object_names;
use osier_testkit::tool::Tool;
use osier_testkit::trees;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

const OS: &str = "org.example.Os";

/// A repository of a collection with three refs, the first with a history: its path and the older commit.
fn source(scratch: &Scratch, tool: &Tool) -> (PathBuf, String) {
    let repo = scratch.init(tool, "source", "archive");
    let config = fs::read_to_string(repo.join("config")).unwrap();
    fs::write(repo.join("config"), format!("{config}collection-id={OS}\n")).unwrap();
    let tree = trees::os(&scratch.path("tree"), "1", "6.1").unwrap();
    let old = commit(tool, &repo, "main", tree.path(), &[]);
    let newer = trees::os(&scratch.path("newer"), "2", "6.1").unwrap();
    commit(tool, &repo, "main", newer.path(), &[]);
    commit(tool, &repo, "dev", tree.path(), &[]);
    tool.repo(&repo).ok(["refs", "--create=swapped", "main"]);
    (repo, old)
}

fn error(stderr: &str) -> Option<String> {
    let line = stderr.lines().find(|line| line.starts_with("error:"))?;
    // The first words name the object in each tool's own way.
    Some(line.to_owned())
}

#[test]
fn a_stick_has_the_same_refs_and_objects() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let (repo, old) = source(&scratch, &c);
    let commit = format!("--commit={old}");
    for (number, (args, at)) in [
        (&["MOUNT", OS, "main"][..], ".ostree/repo"),
        (&["MOUNT", OS, "main", OS, "dev"], ".ostree/repo"),
        (&["MOUNT", OS, "main", OS, "main"], ".ostree/repo"),
        (&["--disable-fsync", "MOUNT", OS, "dev"], ".ostree/repo"),
        (&[commit.as_str(), "MOUNT", OS, "main"], ".ostree/repo"),
        (
            &["--destination-repo=ostree/repo", "MOUNT", OS, "dev"],
            "ostree/repo",
        ),
        (&["--destination-repo=a/b", "MOUNT", OS, "dev"], "a/b"),
        (
            &["--destination-repo=.ostree/repos.d/x", "MOUNT", OS, "dev"],
            ".ostree/repos.d/x",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let [our, c] = [&ours, &c].map(|tool| {
            // Beside each other, so that both can link objects.
            let mount = scratch.path(format!("{number}-{}", tool.name()));
            fs::create_dir_all(&mount).unwrap();
            let args = args.iter().map(|arg| match *arg {
                "MOUNT" => text(&mount),
                other => other,
            });
            let args: Vec<_> = std::iter::once("create-usb").chain(args).collect();
            let said = tool.repo(&repo).ok(&args).replace(text(&mount), "MOUNT");
            let stick = mount.join(at);
            let config = fs::read_to_string(stick.join("config")).unwrap();
            let refs = tool.repo(&stick).ok(["refs", "--collections"]);
            // The C tool lists them by their hashes.
            let mut refs: Vec<_> = refs.lines().map(str::to_owned).collect();
            refs.sort();
            let summary = c.repo(&stick).ok(["summary", "-v"]);
            let summary = summary
                .lines()
                .filter(|line| !line.contains("Last-Modified"));
            let summary: Vec<_> = summary.map(str::to_owned).collect();
            assert!(!stick.join("summary.sig").exists());
            c.repo(&stick).ok(["fsck", "--quiet"]);
            let links = links(&mount);
            (
                said,
                config,
                refs,
                summary,
                object_names(&stick).unwrap(),
                links,
            )
        });
        assert_eq!(our, c, "{args:?}");
    }
}

/// What is the stick's own collection lies where its own refs do.
#[test]
fn a_stick_of_the_collection_has_the_refs_as_its_own() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let (repo, _) = source(&scratch, &c);
    let [our, their] = [&ours, &c].map(|tool| {
        let mount = scratch.path(tool.name());
        let stick = mount.join(".ostree/repo");
        fs::create_dir_all(&stick).unwrap();
        let own = format!("--collection-id={OS}");
        c.repo(&stick).ok(["init", "--mode=archive", &own]);
        tool.repo(&repo)
            .ok(["create-usb", text(&mount), OS, "main"]);
        assert!(stick.join("summary").exists());
        c.repo(&stick).ok(["fsck", "--quiet"]);
        (
            stick.join("refs/heads/main").exists(),
            c.repo(&stick).ok(["refs"]),
            c.repo(&stick).ok(["refs", "--collections"]),
            object_names(&stick).unwrap(),
        )
    });
    assert!(our.0);
    assert_eq!(our, their);
}

/// Which links the stick has, and where they lead.
fn links(mount: &Path) -> Vec<(String, PathBuf)> {
    let Ok(dir) = fs::read_dir(mount.join(".ostree/repos.d")) else {
        return Vec::new();
    };
    let mut all: Vec<_> = dir
        .filter_map(|entry| {
            let entry = entry.unwrap();
            let target = fs::read_link(entry.path()).ok()?;
            Some((entry.file_name().into_string().unwrap(), target))
        })
        .collect();
    all.sort();
    all
}

#[test]
fn both_refuse_the_same() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let (repo, old) = source(&scratch, &c);
    let (mount, gone) = (scratch.path("mount"), scratch.path("gone"));
    fs::create_dir(&mount).unwrap();
    let file = scratch.file("file", "x");
    let (mount, gone, file) = (text(&mount), text(&gone), text(&file));
    let commit = format!("--commit={old}");
    for args in [
        &[][..],
        &[mount],
        &[mount, OS],
        &[mount, OS, "main", OS],
        &[&commit, mount, OS, "main", OS, "dev"],
        &[&commit, mount, OS, "dev"],
        &["--destination-repo=/x", mount, OS, "main"],
        &[gone, OS, "main"],
        &[file, OS, "main"],
        &[mount, OS, "none"],
        &[mount, OS, "swapped"],
        &[mount, "org.example.Other", "main"],
        &[mount, "bad..id", "main"],
        &[mount, OS, "../x"],
    ] {
        let [our, c] = [&ours, &c].map(|tool| {
            let outcome = tool
                .repo(&repo)
                .run(std::iter::once(&"create-usb").chain(args));
            (outcome.code, error(&outcome.stderr))
        });
        assert_eq!(our, c, "{args:?}");
    }
}

/// What the C tool does there is in docs/differences.md.
#[test]
fn nothing_is_written_beside_the_stick() {
    if ours_is_c() {
        return;
    }
    let ours = Tool::ours();
    let scratch = Scratch::new();
    let (repo, _) = source(&scratch, &ours);
    let (mount, outside) = (scratch.path("mount"), scratch.path("outside"));
    fs::create_dir_all(mount.join(".ostree")).unwrap();
    fs::create_dir(&outside).unwrap();
    symlink(&outside, mount.join(".ostree/repo")).unwrap();
    symlink("../outside", mount.join("there")).unwrap();
    symlink(&outside, mount.join(".ostree/repos.d")).unwrap();
    let mount = text(&mount);
    for args in [
        &[mount, OS, "main"][..],
        &["--destination-repo=../outside", mount, OS, "main"],
        &["--destination-repo=a/../../outside", mount, OS, "main"],
        &["--destination-repo=there/repo", mount, OS, "main"],
        &["--destination-repo=", mount, OS, "main"],
        // Fails for its link.
        &["--destination-repo=own", mount, OS, "main"],
        &["--commit=zzz", mount, OS, "main"],
    ] {
        let outcome = ours
            .repo(&repo)
            .run(std::iter::once(&"create-usb").chain(args));
        assert_eq!(outcome.code, 1, "{args:?}: {}", outcome.stderr);
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 0, "{args:?}");
    }
}

#[test]
fn a_second_run_adds_no_second_link() {
    if ours_is_c() {
        return;
    }
    let ours = Tool::ours();
    let scratch = Scratch::new();
    let (repo, _) = source(&scratch, &ours);
    let mount = scratch.path("mount");
    fs::create_dir(&mount).unwrap();
    for (destination, name) in [("a", "main"), ("a", "dev"), ("b", "dev")] {
        let destination = format!("--destination-repo={destination}");
        ours.repo(&repo)
            .ok(["create-usb", &destination, text(&mount), OS, name]);
    }
    let link = |name: &str, to: &str| (name.to_owned(), PathBuf::from(to));
    assert_eq!(
        links(&mount),
        [
            link("00-generated", "../../a"),
            link("01-generated", "../../b")
        ]
    );
    let refs = ours.repo(mount.join("a")).ok(["refs", "--collections"]);
    assert_eq!(refs.lines().count(), 2, "{refs}");
}
