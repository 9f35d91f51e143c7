//! `prune` with a rule for each branch: both tools keep the same commits.

use osier_conformance::{Scratch, pair, tree_arg};
use osier_testkit::repo;
use osier_testkit::tool::Tool;
use osier_testkit::tree::Tree;

/// Two branches of four commits each, ten seconds and one second apart, and a commit that no ref leads to.
fn repository(scratch: &Scratch, tool: &Tool, name: &str) -> std::path::PathBuf {
    let path = scratch.init(tool, name, "archive");
    let tree = Tree::create(scratch.path(format!("tree-{name}"))).unwrap();
    for n in 1..=4 {
        for (branch, first) in [("m", 1_700_000_000), ("n", 1_700_000_010)] {
            tree.file("f", format!("{branch}{n}")).unwrap();
            let timestamp = format!("--timestamp=@{}", first + n);
            let branch = format!("--branch={branch}");
            tool.repo(&path)
                .ok(["commit", &branch, &timestamp, &tree_arg(tree.path())]);
        }
    }
    tree.file("f", "lost").unwrap();
    tool.repo(&path).ok([
        "commit",
        "--orphan",
        "--timestamp=@5",
        &tree_arg(tree.path()),
    ]);
    path
}

#[test]
fn rules_for_single_branches() {
    let Some((ours, c)) = pair() else { return };
    for args in [
        &["--retain-branch-depth=m=0"][..],
        &["--retain-branch-depth=m=0", "--depth=1"],
        &["--retain-branch-depth=m=1", "--depth=0"],
        &["--retain-branch-depth=m=0", "--retain-branch-depth=n=1"],
        &[
            "--retain-branch-depth=m=0",
            "--retain-branch-depth=m=1",
            "--depth=0",
        ],
        &[
            "--retain-branch-depth=m=1",
            "--retain-branch-depth=m=0",
            "--depth=2",
        ],
        &["--retain-branch-depth=m=0", "--only-branch=m", "--depth=1"],
        &[
            "--retain-branch-depth=m=0",
            "--keep-younger-than=@1700000013",
        ],
        &["--retain-branch-depth=m=-1", "--depth=0"],
        &["--retain-branch-depth=nope=1", "--depth=0"],
        &["--only-branch=m", "--depth=0"],
        &["--keep-younger-than=@1700000003"],
        &["--refs-only"],
        &["--depth=0"],
    ] {
        let scratch = Scratch::new();
        let [our, theirs] = [&ours, &c].map(|tool| {
            // Sizes of compressed objects differ between the tools.
            let path = repository(&scratch, &c, tool.name());
            let mut all = vec!["prune"];
            all.extend(args);
            let outcome = tool.repo(&path).run(&all).expect_ok();
            (outcome, repo::object_names(&path).unwrap())
        });
        assert_eq!(our.1, theirs.1, "{args:?}\n{}\n{}", our.0, theirs.0);
        assert_eq!(our.0.stdout, theirs.0.stdout, "{args:?}");
        let ignored = args
            .iter()
            .any(|arg| arg.ends_with("=0") && arg.starts_with("--retain"));
        let said = our.0.stderr.contains("has no effect, as in the C tool");
        assert!(
            said == ignored || osier_conformance::ours_is_c(),
            "{}",
            our.0
        );
    }
}
