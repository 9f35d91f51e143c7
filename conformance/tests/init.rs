//! `init` and `config` leave the same files.

use osier_conformance::{Scratch, pair, text};
use osier_testkit::snapshot::Snapshot;
use std::fs;

#[test]
fn a_new_repository_is_the_same_in_every_mode() {
    let Some((ours, c)) = pair() else { return };
    let modes: [&[&str]; 8] = [
        &[],
        &["--mode=archive"],
        &["--mode=archive-z2"],
        &["--mode=bare"],
        &["--mode=bare-user"],
        &["--mode=bare-user-only"],
        &["--mode=archive", "--collection-id=org.example.Os"],
        &["--mode=bare-split-xattrs"],
    ];
    for mode in modes {
        let scratch = Scratch::new();
        let snapshots = [&ours, &c].map(|tool| {
            let path = scratch.path(tool.name());
            let outcome = tool
                .repo(&path)
                .run(["init"].iter().chain(mode))
                .expect_ok();
            assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""));
            // Once more is a success that changes nothing.
            tool.repo(&path).ok(["init"].iter().chain(mode));
            Snapshot::of(&path).unwrap()
        });
        let differences = snapshots[0].differences(&snapshots[1]);
        assert!(
            differences.is_empty(),
            "{mode:?}:\n{}",
            differences.join("\n")
        );
    }
}

#[test]
fn bad_modes_and_collections_are_refused() {
    let Some((ours, c)) = pair() else { return };
    for args in [
        ["init", "--mode=nonsense"],
        ["init", "--collection-id=nodots"],
        ["init", "--nonsense"],
    ] {
        let scratch = Scratch::new();
        let [our, c] =
            [&ours, &c].map(|tool| tool.repo(scratch.path(tool.name())).run(args).expect_fail());
        assert_eq!(our.code, c.code, "{our}\n{c}");
        assert_eq!(
            our.stderr.lines().last(),
            c.stderr.lines().last(),
            "{our}\n{c}"
        );
    }
}

#[test]
fn config_get_set_unset() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let configs = [&ours, &c].map(|tool| {
        let path = scratch.path(tool.name());
        let repo = tool.repo(&path);
        repo.ok(["init", "--mode=archive"]);
        repo.ok(["config", "set", "core.min-free-space-percent", "0"]);
        repo.ok([
            "config",
            "set",
            "--group=remote \"x.y\"",
            "url",
            "http://example.com/repo",
        ]);
        assert_eq!(repo.ok(["config", "get", "core.mode"]), "archive-z2");
        assert_eq!(
            repo.ok(["config", "get", "--group=remote \"x.y\"", "url"]),
            "http://example.com/repo"
        );
        repo.ok(["config", "unset", "core.min-free-space-percent"]);
        let missing = repo.run(["config", "get", "core.nonsense"]).expect_fail();
        (
            fs::read_to_string(path.join("config")).unwrap(),
            missing.stderr,
        )
    });
    assert_eq!(configs[0], configs[1]);
}

#[test]
fn a_folder_that_is_no_repository() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    fs::create_dir(scratch.path("plain")).unwrap();
    for place in ["plain", "missing"] {
        let [our, c] =
            [&ours, &c].map(|tool| tool.repo(scratch.path(place)).run(["refs"]).expect_fail());
        assert_eq!(our.code, c.code);
        assert!(
            our.stderr.contains(text(&scratch.path(place))) || our.stderr == c.stderr,
            "{our}\n{c}"
        );
    }
}
