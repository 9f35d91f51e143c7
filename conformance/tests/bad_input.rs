//! Broken input gives a clear error that names what is wrong, the C tool's exit code, and nothing half done.

use osier_conformance::{
    Scratch, TIMESTAMP, assert_names, commit, ours_is_c, pair, root_or_skip, text, tree_arg,
};
use osier_testkit::snapshot::Snapshot;
use osier_testkit::tool::Tool;
use osier_testkit::tree::Tree;
use osier_testkit::{repo, trees};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A repository with one commit on `main`, written by the C tool.
fn sound(scratch: &Scratch, c: &Tool, name: &str) -> PathBuf {
    let path = scratch.init(c, name, "archive");
    let tree = scratch.path("tree");
    if !tree.exists() {
        trees::hard_links(&tree).unwrap();
    }
    commit(c, &path, "main", &tree, &[]);
    path
}

/// Runs `args` with both tools on equal copies that `break_it` broke. Ours must fail with an error, move no ref and
/// change no file but objects; so must the C tool, where it does not crash. Gives our message.
#[track_caller]
fn both_fail(args: &[&str], break_it: impl Fn(&Path)) -> String {
    let Some((ours, c)) = pair() else {
        return String::new();
    };
    let scratch = Scratch::new();
    let visible = |path: &Path| {
        Snapshot::filtered(path, |part| {
            part != "objects" && part != "tmp" && part != ".lock"
        })
        .unwrap()
    };
    let [our, c] = [&ours, &c].map(|tool| {
        let path = sound(&scratch, &c, tool.name());
        break_it(&path);
        let before = visible(&path);
        let outcome = tool.repo(&path).run(args);
        assert_eq!(
            before.differences(&visible(&path)),
            [""; 0],
            "the repository was changed\n{outcome}"
        );
        outcome
    });
    if c.code < 128 {
        assert_eq!(our.code, c.code, "{our}{c}");
    }
    if !ours_is_c() {
        return our.expect_fail().stderr;
    }
    our.stderr
}

#[test]
fn unknown_repository_modes_and_versions() {
    for (from, to, word) in [
        ("mode=archive-z2", "mode=nonsense", "nonsense"),
        ("mode=archive-z2", "mode=", "mode"),
        ("repo_version=1", "repo_version=2", "version"),
        ("repo_version=1\n", "", "version"),
        ("[core]", "[cor", "onfig"),
        (
            "mode=archive-z2",
            "mode=archive-z2\narchive=true",
            "archive",
        ),
    ] {
        let stderr = both_fail(&["refs"], |path| {
            let config = fs::read_to_string(path.join("config")).unwrap();
            assert!(config.contains(from));
            fs::write(path.join("config"), config.replace(from, to)).unwrap();
        });
        assert_names(&stderr, word);
    }
    both_fail(&["refs"], |path| {
        fs::remove_file(path.join("config")).unwrap()
    });
}

#[test]
fn refs_that_point_to_nothing() {
    let nothing = "0123456789012345678901234567890123456789012345678901234567890123";
    for args in [
        &["show", "gone"][..],
        &["log", "gone"],
        &["ls", "gone"],
        &["cat", "gone", "/one"],
        &["fsck"],
        &["show", nothing],
        &["ls", nothing],
    ] {
        let stderr = both_fail(args, |path| {
            fs::write(path.join("refs/heads/gone"), format!("{nothing}\n")).unwrap()
        });
        assert_names(&stderr, nothing);
    }
}

#[test]
fn refs_that_hold_garbage() {
    for garbage in [
        "",
        "\n",
        "garbage\n",
        "0123\n",
        &"Z".repeat(64),
        &"A".repeat(64),
    ] {
        both_fail(&["rev-parse", "bad"], |path| {
            fs::write(path.join("refs/heads/bad"), garbage).unwrap()
        });
        both_fail(&["show", "bad"], |path| {
            fs::write(path.join("refs/heads/bad"), garbage).unwrap()
        });
    }
}

#[test]
fn bad_ref_names() {
    let tree = "--tree=ref=main";
    for name in [
        "", "..", "../x", "a//b", "/a", "a/", ".hidden", "a b", "a:b:c", "-x", "a/../b", "x\ny",
        "ü~",
    ] {
        let branch = format!("--branch={name}");
        let stderr = both_fail(&["commit", &branch, TIMESTAMP, tree], |_| {});
        assert_names(&stderr, "error:");
        let create = format!("--create={name}");
        both_fail(&["refs", "main", &create], |_| {});
    }
}

#[test]
fn objects_that_are_lost_or_broken_are_named() {
    for (extension, args) in [
        ("commit", &["show", "main"][..]),
        ("commit", &["log", "main"]),
        ("dirtree", &["ls", "-R", "main"]),
        ("dirmeta", &["ls", "-R", "main"]),
        ("filez", &["cat", "main", "/one"]),
        ("filez", &["cat", "main", "/empty-1"]),
    ] {
        // Every object of the type, so that the command must meet one.
        let all = |path: &Path| -> Vec<PathBuf> {
            let names = repo::object_names(path).unwrap();
            let ending = format!(".{extension}");
            names
                .into_iter()
                .filter(|name| name.ends_with(&ending))
                .map(|name| path.join("objects").join(name))
                .collect()
        };
        let stderr = both_fail(args, |path| {
            all(path)
                .iter()
                .for_each(|object| fs::remove_file(object).unwrap())
        });
        let name = match extension {
            "filez" => "Couldn't find file object".to_owned(),
            metadata => format!(".{metadata}"),
        };
        assert_names(&stderr, &name);
        for content in [
            &b""[..],
            b"\x01",
            b"garbage that is long enough to be taken for a header of some kind",
        ] {
            // The C tool takes damaged directory objects for empty ones; we do not (docs/differences.md, and
            // crates/store/tests/fsck.rs for what we say).
            if extension.starts_with("dir") {
                continue;
            }
            both_fail(args, |path| {
                all(path)
                    .iter()
                    .for_each(|object| fs::write(object, content).unwrap())
            });
        }
    }
}

/// Puts something into a tree that no commit can hold.
type Spoil = fn(&Tree);

#[test]
fn trees_that_cannot_be_committed() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let cases: [(&str, Spoil); 3] = [
        ("fifo", |tree| {
            assert!(
                Command::new("mkfifo")
                    .arg(tree.join("a-fifo"))
                    .status()
                    .unwrap()
                    .success()
            );
        }),
        ("non-utf8", |tree| {
            let name = std::ffi::OsStr::from_bytes(b"bad-\xff\xfe");
            fs::write(tree.path().join(name), "x").unwrap();
        }),
        ("socket", |tree| {
            std::os::unix::net::UnixListener::bind(tree.join("a-socket")).unwrap();
        }),
    ];
    for (name, make) in cases {
        let tree = Tree::create(scratch.path(format!("tree-{name}"))).unwrap();
        tree.file("fine", "fine\n").unwrap();
        make(&tree);
        for tool in [&ours, &c] {
            let path = scratch.init(tool, &format!("{name}-{}", tool.name()), "archive");
            let stderr =
                tool.repo(&path)
                    .fail(["commit", "-b", "main", TIMESTAMP, &tree_arg(tree.path())]);
            if tool.name() == "ours" && name != "non-utf8" {
                assert!(
                    stderr.contains(&format!("Not a regular file or symlink: a-{name}")),
                    "{stderr}"
                );
            }
            assert_eq!(tool.repo(&path).ok(["refs"]), "");
        }
    }
}

#[test]
fn options_of_commit_that_make_no_sense() {
    for args in [
        &["commit", "-b", "x", "--tree=nonsense=/"][..],
        &["commit", "-b", "x", "--tree=dir=/no/such/dir"],
        &["commit", "-b", "x", "--tree=ref=nosuch"],
        &[
            "commit",
            "-b",
            "x",
            "--timestamp=nonsense",
            "--tree=ref=main",
        ],
        &["commit", "-b", "x", "--parent=nonsense", "--tree=ref=main"],
        &[
            "commit",
            "-b",
            "x",
            "--add-metadata=novalue",
            "--tree=ref=main",
        ],
        &["commit", "-b", "x", "--add-metadata=k=[", "--tree=ref=main"],
        &[
            "commit",
            "-b",
            "x",
            "--add-metadata-string=novalue",
            "--tree=ref=main",
        ],
        &[
            "commit",
            "-b",
            "x",
            "--statoverride=/no/such/file",
            "--tree=ref=main",
        ],
        &["commit", "-b", "x", "--bootable", "--tree=ref=main"],
        &[
            "commit",
            "-b",
            "x",
            "--owner-uid=nonsense",
            "--tree=ref=main",
        ],
        &["commit", "--tree=ref=main"],
        &[
            "commit",
            "-b",
            "x",
            "--canonical-permissions",
            "--owner-uid=5",
            "--tree=ref=main",
        ],
    ] {
        both_fail(args, |_| {});
    }
}

#[test]
fn a_directory_that_cannot_be_read() {
    if !root_or_skip() {
        return;
    }
    let ours = Tool::ours();
    let scratch = Scratch::new();
    let tree = Tree::create(scratch.path("tree")).unwrap();
    tree.file("closed/file", "x")
        .unwrap()
        .mode("closed", 0o000)
        .unwrap();
    // An ordinary user must reach the program.
    let program = scratch.path("ostree");
    fs::copy(ours.program(), &program).unwrap();
    let home = Tree::create(scratch.path("home")).unwrap();
    home.owner("", 12345, 12345).unwrap();
    let tool = Tool::new("ours", program).repo(home.join("repo"));
    let as_user = |args: &[&str]| tool.finish(tool.command(args).uid(12345).gid(12345));
    as_user(&["init", "--mode=archive"]).expect_ok();
    let outcome =
        as_user(&["commit", "-b", "main", TIMESTAMP, &tree_arg(tree.path())]).expect_fail();
    assert!(outcome.stderr.contains("Permission denied"), "{outcome}");
    assert_names(&outcome.stderr, "closed");
    assert_eq!(as_user(&["refs"]).expect_ok().stdout, "");
    // And a repository that is not the user's own.
    let foreign = scratch.init(&ours, "foreign", "archive");
    let outcome = tool.finish(
        ours.repo(&foreign)
            .command(["commit", "-b", "main", text(home.path())])
            .uid(12345)
            .gid(12345),
    );
    outcome.expect_fail();
}

#[test]
fn an_ordinary_user_commits_and_checks_out() {
    if !root_or_skip() {
        return;
    }
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let tree = trees::os(&scratch.path("tree"), "1", "6.1").unwrap();
    tree.mode("usr/etc/shadow", 0o644)
        .unwrap()
        .mode("usr/etc/ssh", 0o755)
        .unwrap();
    let program = scratch.path("ostree");
    fs::copy(ours.program(), &program).unwrap();
    let home = Tree::create(scratch.path("home")).unwrap();
    home.owner("", 12345, 12345).unwrap();
    for mode in ["archive", "bare-user", "bare-user-only"] {
        let commits = [&Tool::new("ours", program.clone()), &c].map(|tool| {
            let tool = tool.repo(home.join(format!("{mode}-{}", tool.name())));
            let as_user = |args: &[&str]| {
                tool.finish(tool.command(args).uid(12345).gid(12345))
                    .expect_ok()
            };
            as_user(&["init", &format!("--mode={mode}")]);
            let commit =
                as_user(&["commit", "-b", "main", TIMESTAMP, &tree_arg(tree.path())]).stdout;
            let copy = home.join(format!("{mode}-copy-{}", tool.name()));
            as_user(&["checkout", "-U", "main", text(&copy)]);
            as_user(&["fsck", "-q"]);
            (
                commit,
                osier_testkit::snapshot::Snapshot::of(&copy).unwrap(),
            )
        });
        assert_eq!(commits[0].0, commits[1].0);
        assert_eq!(commits[0].1.differences(&commits[1].1), [""; 0], "{mode}");
    }
}
