//! The same tree committed by both tools gives the same commit, and the same repository byte for byte.

use osier_conformance::{MODES, Scratch, TIMESTAMP, commit, pair, root_or_skip, text, tree_arg};
use osier_testkit::tool::Tool;
use osier_testkit::tree::Tree;
use osier_testkit::{random, repo, trees};
use std::path::PathBuf;

/// Commits with both tools and compares the checksum and all that lies in the repository.
#[track_caller]
fn same(scratch: &Scratch, mode: &str, label: &str, commits: &[&[&str]]) {
    let Some((ours, c)) = pair() else { return };
    let run = |tool: &Tool| -> (PathBuf, Vec<String>) {
        let path = scratch.init(tool, &format!("{}-{mode}-{label}", tool.name()), mode);
        let results = commits.iter().map(|args| {
            tool.repo(&path)
                .ok(["commit", TIMESTAMP].iter().chain(args.iter()))
        });
        let results = results.collect();
        (path, results)
    };
    let ((our_repo, our_commits), (c_repo, c_commits)) = (run(&ours), run(&c));
    assert_eq!(our_commits, c_commits, "{label} in {mode}");
    let differences = repo::differences(&our_repo, &c_repo).unwrap();
    assert!(
        differences.is_empty(),
        "{label} in {mode}:\n{}",
        differences.join("\n")
    );
}

#[test]
fn each_special_tree_in_every_mode() {
    let scratch = Scratch::new();
    for (name, build) in trees::SPECIAL {
        let tree = build(&scratch.path(name)).unwrap();
        let tree = tree_arg(tree.path());
        for mode in MODES {
            // Only root can make files of foreign owners.
            if mode != "bare" || osier_testkit::skip::is_root() {
                same(&scratch, mode, name, &[&["-b", "main", &tree]]);
            }
        }
    }
}

#[test]
fn random_trees() {
    let scratch = Scratch::new();
    for seed in 1..=3 {
        let path = scratch.path(format!("tree-{seed}"));
        random::tree(
            &path,
            seed,
            random::Shape {
                files: 400,
                dirs: 60,
                max_size: 200_000,
            },
        )
        .unwrap();
        for mode in ["archive", "bare-user"] {
            same(
                &scratch,
                mode,
                &format!("seed-{seed}"),
                &[&["-b", "main", &tree_arg(&path)]],
            );
        }
    }
}

#[test]
fn every_option_that_shapes_a_commit() {
    if !root_or_skip() {
        return;
    }
    let scratch = Scratch::new();
    let one = trees::os(&scratch.path("one"), "1", "6.1.0").unwrap();
    trees::modes(&one.join("modes")).unwrap();
    trees::xattrs(&one.join("xattrs")).unwrap();
    let two = Tree::create(scratch.path("two")).unwrap();
    two.file("usr/bin/sh", "replaced\n")
        .unwrap()
        .file("usr/bin/new", "new\n")
        .unwrap()
        .mode("usr", 0o711)
        .unwrap();
    let (dir_one, dir_two) = (tree_arg(one.path()), tree_arg(two.path()));
    let overrides = scratch.file(
        "overrides",
        "2048 /usr/bin/sh\n=448 /usr/etc/hosts\n\n=0x1ed /usr/etc/motd\n",
    );
    let overrides = format!("--statoverride={}", text(&overrides));
    let skips = scratch.file("skips", "/usr/etc/ssh\n/modes\n/xattrs/plain\n");
    let skips = format!("--skip-list={}", text(&skips));
    let body = scratch.file("body", "A body\n\nof three lines, with żółć.\n");
    let body = format!("--body-file={}", text(&body));

    let cases: Vec<(&str, Vec<Vec<&str>>)> = vec![
        (
            "subject",
            vec![vec!["-b", "main", "-s", "a subject — with dash", &dir_one]],
        ),
        (
            "body",
            vec![vec![
                "-b",
                "main",
                "-s",
                "s",
                "-m",
                "the body\nin lines",
                &dir_one,
            ]],
        ),
        ("body-file", vec![vec!["-b", "main", &body, &dir_one]]),
        (
            "empty-subject",
            vec![vec!["-b", "main", "--subject=", "--body=", &dir_one]],
        ),
        ("orphan", vec![vec!["--orphan", &dir_one]]),
        (
            "orphan-branch",
            vec![vec!["--orphan", "-b", "main", &dir_one]],
        ),
        (
            "no-bindings",
            vec![vec!["-b", "main", "--no-bindings", &dir_one]],
        ),
        (
            "bind-ref",
            vec![vec![
                "-b",
                "m",
                "--bind-ref=z/y",
                "--bind-ref=a",
                "--bind-ref=a",
                &dir_one,
            ]],
        ),
        (
            "owner",
            vec![vec![
                "-b",
                "main",
                "--owner-uid=1000",
                "--owner-gid=0",
                &dir_one,
            ]],
        ),
        (
            "canonical",
            vec![vec!["-b", "main", "--canonical-permissions", &dir_one]],
        ),
        (
            "no-xattrs",
            vec![vec!["-b", "main", "--no-xattrs", &dir_one]],
        ),
        (
            "ro-executables",
            vec![vec!["-b", "main", "--mode-ro-executables", &dir_one]],
        ),
        (
            "all-filters",
            vec![vec![
                "-b",
                "m",
                "--canonical-permissions",
                "--owner-uid=0",
                "--no-xattrs",
                &dir_one,
            ]],
        ),
        (
            "statoverride",
            vec![vec!["-b", "main", &overrides, &dir_one]],
        ),
        ("skip-list", vec![vec!["-b", "main", &skips, &dir_one]]),
        (
            "metadata",
            vec![vec![
                "-b",
                "main",
                "--add-metadata-string=version=1.2.3",
                "--add-metadata-string=with=equals=signs",
                "--add-metadata-string=empty=",
                "--add-metadata=number=uint32 7",
                "--add-metadata=big=int64 -5",
                "--add-metadata=list=['a', 'b']",
                "--add-metadata=map={'k': <1>}",
                "--add-metadata=bytes=b'abc'",
                "--add-metadata=yes=true",
                "--add-metadata=real=1.5",
                "--add-metadata=tuple=(1, 'x', [byte 1])",
                &dir_one,
            ]],
        ),
        (
            "detached",
            vec![vec![
                "-b",
                "main",
                "--add-detached-metadata-string=k=v",
                &dir_one,
            ]],
        ),
        (
            "bootable",
            vec![vec![
                "-b",
                "main",
                "--bootable",
                "--add-metadata-string=version=9",
                &dir_one,
            ]],
        ),
        ("overlay", vec![vec!["-b", "main", &dir_one, &dir_two]]),
        (
            "overlay-other-way",
            vec![vec!["-b", "main", &dir_two, &dir_one]],
        ),
        (
            "history",
            vec![
                vec!["-b", "main", &dir_one],
                vec!["-b", "main", &dir_one, &dir_two],
                vec!["-b", "main", &dir_two],
            ],
        ),
        (
            "parent-none",
            vec![
                vec!["-b", "main", &dir_one],
                vec!["-b", "main", "--parent=none", &dir_two],
            ],
        ),
        (
            "parent",
            vec![
                vec!["-b", "main", &dir_one],
                vec![
                    "-b",
                    "other",
                    "--parent=1111111111111111111111111111111111111111111111111111111111111111",
                    &dir_two,
                ],
            ],
        ),
        (
            "ref-tree",
            vec![
                vec!["-b", "main", &dir_one],
                vec!["-b", "copy", "--tree=ref=main"],
            ],
        ),
        (
            "ref-tree-filtered",
            vec![
                vec!["-b", "main", &dir_one],
                vec!["-b", "c", "--owner-uid=9", "--tree=ref=main"],
            ],
        ),
        (
            "base",
            vec![
                vec!["-b", "main", &dir_one],
                vec!["-b", "next", "--base=main", &dir_two],
            ],
        ),
        (
            "keep-metadata",
            vec![
                vec![
                    "-b",
                    "main",
                    "--add-metadata-string=version=1",
                    "--add-metadata-string=k=v",
                    &dir_one,
                ],
                vec!["-b", "main", "--keep-metadata=k", &dir_two],
            ],
        ),
        (
            "skip-unchanged",
            vec![
                vec!["-b", "main", &dir_one],
                vec!["-b", "main", "-s", "other", "--skip-if-unchanged", &dir_one],
                vec!["-b", "main", "--skip-if-unchanged", &dir_two],
            ],
        ),
        ("remote-branch", vec![vec!["-b", "rem:x/y", &dir_one]]),
        (
            "slashes",
            vec![vec!["-b", "os/x86_64/stable-1.2_a", &dir_one]],
        ),
    ];
    for (label, commits) in &cases {
        let commits: Vec<&[&str]> = commits.iter().map(Vec::as_slice).collect();
        same(&scratch, "archive", label, &commits);
    }
    for (label, commits) in &cases {
        if [
            "canonical",
            "statoverride",
            "overlay",
            "history",
            "ref-tree-filtered",
            "owner",
        ]
        .contains(label)
        {
            let commits: Vec<&[&str]> = commits.iter().map(Vec::as_slice).collect();
            for mode in ["bare", "bare-user", "bare-user-only"] {
                same(&scratch, mode, label, &commits);
            }
        }
    }
}

#[test]
fn a_tree_given_as_argument_or_as_current_directory() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let tree = trees::symlinks(&scratch.path("tree")).unwrap();
    let mut commits = Vec::new();
    for tool in [ours, c] {
        let repo = tool.repo(scratch.init(&tool, tool.name(), "archive"));
        commits.push(repo.ok(["commit", "-b", "main", TIMESTAMP, text(tree.path())]));
        let mut here = repo.command(["commit", "-b", "main", "--parent=none", TIMESTAMP]);
        commits.push(
            repo.finish(here.current_dir(tree.path()))
                .expect_ok()
                .stdout_trimmed(),
        );
    }
    assert_eq!(commits, vec![commits[0].clone(); 4]);
}

#[test]
fn the_time_comes_from_the_option_then_from_the_environment() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let tree = Tree::create(scratch.path("tree")).unwrap();
    tree.file("f", "f").unwrap();
    for timestamp in [
        "2021-03-04 05:06:07",
        "2021-03-04T05:06:07+02:00",
        "@1234567890",
        "Tue, 3 Mar 2020 10:00:00 +0000",
    ] {
        let timestamp = format!("--timestamp={timestamp}");
        let results: Vec<String> = [&ours, &c]
            .map(|tool| {
                let name = format!("{}{timestamp}", tool.name()).replace([' ', ':', '/'], "_");
                let repo = tool.repo(scratch.init(tool, &name, "archive"));
                repo.ok(["commit", "-b", "main", &timestamp, &tree_arg(tree.path())])
            })
            .into();
        assert_eq!(results[0], results[1], "{timestamp}");
    }
    let results: Vec<String> = [&ours, &c]
        .map(|tool| {
            let tool = tool.env("SOURCE_DATE_EPOCH", "1600000000");
            let repo = tool.repo(scratch.init(&tool, &format!("{}-env", tool.name()), "archive"));
            repo.ok(["commit", "-b", "main", &tree_arg(tree.path())])
        })
        .into();
    assert_eq!(results[0], results[1]);
}

#[test]
fn collection_bindings() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let tree = trees::symlinks(&scratch.path("tree")).unwrap();
    let paths = [&ours, &c].map(|tool| {
        let path = scratch.path(tool.name());
        tool.repo(&path)
            .ok(["init", "--mode=archive", "--collection-id=org.example.Os"]);
        commit(tool, &path, "main", tree.path(), &[]);
        path
    });
    let differences = repo::differences(&paths[0], &paths[1]).unwrap();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn table_output_says_the_same() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let tree = trees::hard_links(&scratch.path("tree")).unwrap();
    let outputs = [&ours, &c].map(|tool| {
        let repo = tool.repo(scratch.init(tool, tool.name(), "bare-user"));
        let args = [
            "commit",
            "-b",
            "main",
            TIMESTAMP,
            "--table-output",
            &tree_arg(tree.path()),
        ];
        (repo.ok(args), repo.ok(args))
    });
    assert_eq!(outputs[0], outputs[1]);
}

#[test]
fn recommitting_a_hard_link_checkout() {
    let Some((ours, c)) = pair() else { return };
    if !root_or_skip() {
        return;
    }
    let scratch = Scratch::new();
    let tree = trees::everything(&scratch.path("tree")).unwrap();
    for (mode, checkout) in [("bare", "-H"), ("bare-user", "-UH")] {
        let results = [&ours, &c].map(|tool| {
            let path = scratch.init(tool, &format!("{}-{mode}", tool.name()), mode);
            let first = commit(tool, &path, "main", tree.path(), &[]);
            let copy = scratch.path(format!("{}-{mode}-checkout", tool.name()));
            let repo = tool.repo(&path);
            repo.ok(["checkout", checkout, "main", text(&copy)]);
            Tree::existing(&copy)
                .file("added", "added\n")
                .unwrap()
                .file("names/~", "changed\n")
                .unwrap();
            let again = commit(tool, &path, "main", &copy, &["--link-checkout-speedup"]);
            let trusting = commit(
                tool,
                &path,
                "trusting",
                &copy,
                &["-I", "--canonical-permissions"],
            );
            repo.ok(["fsck", "-q"]);
            (first, again, trusting)
        });
        assert_eq!(results[0], results[1], "{mode}");
    }
}

#[test]
fn a_file_of_300_mb() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let tree = Tree::create(scratch.path("tree")).unwrap();
    random::write_file(&tree.join("large"), 300_000_000, 42).unwrap();
    tree.mode("large", 0o644).unwrap();
    for mode in ["bare-user", "archive"] {
        let paths = [&ours, &c].map(|tool| {
            let path = scratch.init(tool, &format!("{}-{mode}", tool.name()), mode);
            (commit(tool, &path, "main", tree.path(), &[]), path)
        });
        assert_eq!(paths[0].0, paths[1].0, "{mode}");
        // Each reads the other's.
        ours.repo(&paths[1].1).ok(["fsck", "-q"]);
        c.repo(&paths[0].1).ok(["fsck", "-q"]);
        let copy = scratch.path(format!("copy-{mode}"));
        ours.repo(&paths[1].1)
            .ok(["checkout", "-U", "main", text(&copy)]);
        let sum = osier_testkit::snapshot::sha256_file;
        assert_eq!(
            sum(&copy.join("large")).unwrap(),
            sum(&tree.join("large")).unwrap(),
            "{mode}"
        );
    }
}

#[test]
fn what_is_made_of_a_partial_commit_is_partial() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let tree = scratch.path("tree");
    std::fs::create_dir(&tree).unwrap();
    std::fs::write(tree.join("lost"), "content").unwrap();
    std::fs::write(tree.join("kept"), "other content").unwrap();
    let path = scratch.init(&c, "repo", "archive");
    let repo = ours.repo(&path);
    let old = repo.ok(["commit", "-b", "main", TIMESTAMP, &tree_arg(&tree)]);
    let lost = osier_testkit::repo::first_object(&path, "filez").unwrap();
    std::fs::remove_file(lost).unwrap();
    std::fs::write(path.join(format!("state/{old}.commitpartial")), "").unwrap();
    let state = |id: &str| path.join(format!("state/{id}.commitpartial")).exists();
    std::fs::create_dir(scratch.path("empty")).unwrap();
    let empty = tree_arg(&scratch.path("empty"));
    for (number, from) in [vec!["--tree=ref=main"], vec!["--base=main", &empty]]
        .into_iter()
        .enumerate()
    {
        let subject = format!("--subject={number}");
        let args = [vec!["commit", "--orphan", "--no-bindings", &subject], from].concat();
        let new = repo.ok(&args);
        // The C tool makes a commit that claims to be whole, and fails its own fsck.
        assert!(state(&new) || osier_conformance::ours_is_c(), "{args:?}");
    }
    if !osier_conformance::ours_is_c() {
        c.repo(&path).ok(["fsck", "-q"]);
    }
}
