//! The pinned checksums of the format specification, from each tool that is here.

use osier_conformance::{Scratch, pair, root_or_skip, text, tree_arg};
use osier_testkit::golden::{self, CHAIN, EPOCH, FILES, k, t};
use osier_testkit::tool::Tool;
use osier_testkit::tree::Tree;

fn tools() -> Vec<Tool> {
    std::iter::once(Tool::ours())
        .chain(Tool::c())
        .map(|tool| tool.env("SOURCE_DATE_EPOCH", EPOCH))
        .collect()
}

#[test]
fn tree_t_in_every_mode() {
    if !root_or_skip() {
        return;
    }
    for tool in tools() {
        let scratch = Scratch::new();
        let tree = golden::tree_t(&scratch.path("t")).unwrap();
        for (mode, expected) in [
            ("archive", t::COMMIT),
            ("bare", t::COMMIT),
            ("bare-user", t::COMMIT),
            ("bare-user-only", t::COMMIT_USER_ONLY),
        ] {
            let repo = scratch.init(&tool, mode, mode);
            let repo = tool.repo(&repo);
            let commit = repo.ok([
                "commit",
                "-b",
                "main",
                "-s",
                "subj",
                "--body=b line",
                &tree_arg(tree.path()),
            ]);
            assert_eq!(commit, expected, "{} in {mode}", tool.name());
            if mode != "bare-user-only" {
                let listing = repo.ok(["ls", "-dC", "main"]);
                assert!(
                    listing.contains(t::DIRTREE),
                    "{} in {mode}: {listing}",
                    tool.name()
                );
                let shown = repo.ok(["show", "main"]);
                assert!(
                    shown.contains(&format!("ContentChecksum:  {}", t::CONTENT)),
                    "{}: {shown}",
                    tool.name()
                );
                let listing = repo.ok(["ls", "-RC", "main"]);
                for (name, checksum) in FILES {
                    let found = listing.lines().any(|line| {
                        line.contains(checksum)
                            && (line.ends_with(&format!("/{name}"))
                                || line.contains(&format!("/{name} ->")))
                    });
                    assert!(
                        found,
                        "{} in {mode}: no {name} {checksum} in\n{listing}",
                        tool.name()
                    );
                }
            }
        }
    }
}

#[test]
fn tree_t_through_the_filters() {
    if !root_or_skip() {
        return;
    }
    for tool in tools() {
        let scratch = Scratch::new();
        let tree = golden::tree_t(&scratch.path("t")).unwrap();
        let repo = tool.repo(scratch.init(&tool, "repo", "archive"));
        let tree = tree_arg(tree.path());
        let canonical = repo.ok([
            "commit",
            "--orphan",
            "--no-bindings",
            "--canonical-permissions",
            &tree,
        ]);
        assert_eq!(canonical, t::CANONICAL, "{}", tool.name());
        let overrides = scratch.file("overrides", "2048 /hello.txt\n=448 /exec\n");
        let skips = scratch.file("skips", "/sub\n/xa\n");
        let overrides = format!("--statoverride={}", text(&overrides));
        let skips = format!("--skip-list={}", text(&skips));
        let filtered = repo.ok([
            "commit",
            "--orphan",
            "--no-bindings",
            "--owner-uid=7",
            &overrides,
            &skips,
            &tree,
        ]);
        assert_eq!(filtered, t::FILTERED, "{}", tool.name());
    }
}

#[test]
fn a_chain_of_three_commits() {
    for tool in tools() {
        if !root_or_skip() {
            return;
        }
        let scratch = Scratch::new();
        let tree = Tree::create(scratch.path("tree")).unwrap();
        let repo = tool.repo(scratch.init(&tool, "repo", "archive"));
        for (index, expected) in CHAIN.iter().enumerate() {
            tree.file("f", (index + 1).to_string()).unwrap();
            let timestamp = format!("--timestamp=@{}", 1_700_000_000 + (index + 1) * 86_400);
            assert_eq!(
                repo.ok(["commit", "-b", "m", &timestamp, &tree_arg(tree.path())]),
                *expected,
                "{}",
                tool.name()
            );
        }
        assert_eq!(repo.ok(["rev-parse", "m^"]), CHAIN[1]);
        assert_eq!(repo.ok(["rev-parse", "m^^"]), CHAIN[0]);
    }
}

#[test]
fn metadata_of_a_kernel_tree() {
    for tool in tools() {
        if !root_or_skip() {
            return;
        }
        let scratch = Scratch::new();
        let tree = golden::tree_k(&scratch.path("k")).unwrap();
        let tree = tree_arg(tree.path());
        let repo = tool.repo(scratch.init(&tool, "repo", "archive"));
        let commit = |args: &[&str]| commit_to(&repo, &tree, args);
        assert_eq!(commit(&["--orphan"]), k::ORPHAN, "{}", tool.name());
        let metadata = commit(&[
            "-b",
            "zz",
            "--bind-ref=b",
            "--bind-ref=a",
            "--add-metadata-string=version=1.0",
            "--add-metadata=k1=uint64 5",
            "--add-metadata-string=a=b",
        ]);
        assert_eq!(metadata, k::METADATA, "{}", tool.name());
        let bootable = commit(&[
            "-b",
            "zz",
            "--add-metadata-string=version=1.0",
            "--bootable",
        ]);
        assert_eq!(bootable, k::BOOTABLE, "{}", tool.name());
    }
}

fn commit_to(repo: &Tool, tree: &str, args: &[&str]) -> String {
    let first = ["commit", "--parent=none"];
    repo.ok(first.iter().chain(args).copied().chain([tree]))
}

/// The sizes are those of the objects as stored, which depend on the compressor: those the C tool stored.
#[test]
fn sizes_of_a_kernel_tree() {
    // Says aloud that it skips without a C tool.
    let Some((_, c)) = pair() else { return };
    if !root_or_skip() {
        return;
    }
    for tool in tools() {
        let scratch = Scratch::new();
        let tree = golden::tree_k(&scratch.path("k")).unwrap();
        let tree = tree_arg(tree.path());
        let stored_by_c = scratch.init(&c, "stored-by-c", "archive");
        c.repo(&stored_by_c)
            .ok(["commit", "--orphan", tree.as_str()]);
        let sizes = commit_to(
            &tool.repo(&stored_by_c),
            &tree,
            &[
                "-b",
                "zz",
                "--add-metadata-string=version=1.0",
                "--generate-sizes",
            ],
        );
        assert_eq!(sizes, k::SIZES, "{}", tool.name());
    }
}

#[test]
fn two_trees_over_each_other() {
    for tool in tools() {
        if !root_or_skip() {
            return;
        }
        let scratch = Scratch::new();
        let (one, two) = golden::overlay(&scratch.path("o1"), &scratch.path("o2")).unwrap();
        let repo = tool.repo(scratch.init(&tool, "repo", "archive"));
        let commit = repo.ok([
            "commit",
            "--orphan",
            "--no-bindings",
            &tree_arg(one.path()),
            &tree_arg(two.path()),
        ]);
        assert_eq!(commit, golden::OVERLAY, "{}", tool.name());
    }
}
