//! Pruning leaves exactly the objects that the C tool leaves.

mod common;

use common::{MODES, TIME, c_fsck, c_tool, commit_dir, copy, create, histories};
use osier_object::CommitId;
use osier_store::parallel::Cancel;
use osier_store::prune::{self, PruneOptions, PruneOutcome};
use osier_store::size_text::si;
use osier_store::{ListRefs, ReadObjects, Repo, RepoMode};
use osier_testkit::repo::object_names;
use osier_testkit::tree::Tree;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn run(repo: &Path, options: &PruneOptions) -> PruneOutcome {
    let repo = Repo::open(repo).unwrap();
    prune::prune(&repo, options, &Cancel::default()).unwrap()
}

/// The lines `ostree prune` ends with.
fn text(outcome: &PruneOutcome, commit_only: bool) -> String {
    let what = if commit_only {
        "Total (commit only) objects"
    } else {
        "Total objects"
    };
    let total = outcome.total;
    match outcome.deleted {
        0 => format!("{what}: {total}\nNo unreachable objects"),
        n => format!(
            "{what}: {total}\nDeleted {n} objects, {} freed",
            si(outcome.freed)
        ),
    }
}

#[test]
fn randomized_histories() {
    let Some(c) = c_tool() else { return };
    let dir = tempfile::tempdir().unwrap();
    let depth = |n| Some(n);
    for seed in 0..3 {
        let mode = [RepoMode::Bare, RepoMode::Archive][seed as usize % 2];
        let at = dir.path().join(format!("r{seed}"));
        histories(&at, mode, seed);
        let date = (TIME + 4 * 86_400).to_string();
        let date = format!("--keep-younger-than=@{date}");
        let old_enough = Some(TIME + 4 * 86_400);
        let refs = Repo::open(&at)
            .unwrap()
            .list_refs(ListRefs::default())
            .unwrap();
        let branch = refs.keys().next().unwrap().clone();
        let keep = format!("--retain-branch-depth={branch}=1");
        let only = format!("--only-branch={branch}");
        let by_branch = BTreeMap::from([(branch.clone(), depth(1))]);
        let d = PruneOptions::default;
        let cases: Vec<(Vec<&str>, PruneOptions)> = vec![
            (vec![], d()),
            (
                vec!["--refs-only"],
                PruneOptions {
                    refs_only: true,
                    ..d()
                },
            ),
            (
                vec!["--refs-only", "--depth=0"],
                PruneOptions {
                    refs_only: true,
                    depth: depth(0),
                    ..d()
                },
            ),
            (
                vec!["--refs-only", "--depth=1"],
                PruneOptions {
                    refs_only: true,
                    depth: depth(1),
                    ..d()
                },
            ),
            (
                vec!["--refs-only", "--depth=0", "--commit-only"],
                PruneOptions {
                    refs_only: true,
                    depth: depth(0),
                    commit_only: true,
                    ..d()
                },
            ),
            (
                vec![&date],
                PruneOptions {
                    keep_younger_than: old_enough,
                    ..d()
                },
            ),
            (
                vec![&date, "--depth=0"],
                PruneOptions {
                    keep_younger_than: old_enough,
                    depth: depth(0),
                    ..d()
                },
            ),
            (
                vec![&keep],
                PruneOptions {
                    branch_depth: by_branch.clone(),
                    ..d()
                },
            ),
            (
                vec![&keep, "--depth=0"],
                PruneOptions {
                    branch_depth: by_branch.clone(),
                    depth: depth(0),
                    ..d()
                },
            ),
            (
                vec![&only, "--depth=0"],
                PruneOptions {
                    only_branches: vec![branch.clone()],
                    depth: depth(0),
                    ..d()
                },
            ),
            (
                vec![&only, &date],
                PruneOptions {
                    only_branches: vec![branch.clone()],
                    keep_younger_than: old_enough,
                    ..d()
                },
            ),
        ];
        for (n, (args, options)) in cases.into_iter().enumerate() {
            let ours = copy(&at, &dir.path().join(format!("o{seed}-{n}")));
            let theirs = copy(&at, &dir.path().join(format!("c{seed}-{n}")));
            let said = c
                .repo(&theirs)
                .ok(std::iter::once("prune").chain(args.iter().copied()));
            let outcome = run(&ours, &options);
            assert_eq!(
                object_names(&ours).unwrap(),
                object_names(&theirs).unwrap(),
                "seed {seed} {args:?}"
            );
            assert_eq!(
                text(&outcome, options.commit_only),
                said,
                "seed {seed} {args:?}"
            );
            // Without trees of deleted commits nothing is missing, with them neither.
            c_fsck(&c, &ours);
        }
    }
}

#[test]
fn a_plan_deletes_nothing_and_tells_what_it_would() {
    let dir = tempfile::tempdir().unwrap();
    let repo = histories(&dir.path().join("r"), RepoMode::Archive, 3);
    let before = object_names(repo.path()).unwrap();
    let options = PruneOptions {
        refs_only: true,
        depth: Some(0),
        ..Default::default()
    };
    let plan = prune::plan(&repo, &options, &Cancel::default()).unwrap();
    let outcome = plan.outcome();
    assert_eq!(outcome.deleted, plan.objects().len() as u64);
    assert_eq!(object_names(repo.path()).unwrap(), before);
    assert_eq!(plan.apply(&Cancel::default()).unwrap(), outcome);
    assert_eq!(
        object_names(repo.path()).unwrap().len() as u64,
        before.len() as u64 - outcome.deleted
    );
    let again = prune::prune(&repo, &options, &Cancel::default()).unwrap();
    assert_eq!((again.deleted, again.freed), (0, 0));
}

#[test]
fn overlapping_histories_keep_the_union() {
    let dir = tempfile::tempdir().unwrap();
    let tree = Tree::create(dir.path().join("t")).unwrap();
    let repo = create(&dir.path().join("r"), RepoMode::Archive);
    let mut ids = Vec::new();
    for n in 0..5 {
        tree.file("f", format!("{n}")).unwrap();
        ids.push(commit_dir(&repo, "m", tree.path(), n));
    }
    // `a` is the parent of m's tip: whichever is followed first, both depths count.
    let tx = repo.begin(&Default::default()).unwrap();
    tx.set_refspec("a", Some(ids[3])).unwrap();
    tx.commit().unwrap();
    let options = PruneOptions {
        refs_only: true,
        depth: Some(1),
        ..Default::default()
    };
    run(repo.path(), &options);
    let left: Vec<CommitId> = repo.list_commits().unwrap();
    let mut wanted = ids[2..].to_vec();
    wanted.sort();
    assert_eq!(left, wanted);
}

#[test]
fn deleted_commits_leave_tombstones() {
    let Some(c) = c_tool() else { return };
    let dir = tempfile::tempdir().unwrap();
    let tree = Tree::create(dir.path().join("t")).unwrap();
    for mode in MODES {
        let at = dir.path().join(format!("r-{mode}"));
        let repo = create(&at, mode);
        let mut ids = Vec::new();
        for n in 0..3 {
            tree.file("f", format!("{n}")).unwrap();
            ids.push(commit_dir(&repo, "m", tree.path(), n));
        }
        let theirs = copy(&at, &dir.path().join(format!("c-{mode}")));
        let error = prune::delete_commit(&repo, &ids[2])
            .unwrap_err()
            .to_string();
        let id = ids[2].to_string();
        assert_eq!(error, format!("Commit '{id}' is referenced by 'm'"));
        let said = c
            .repo(&theirs)
            .fail(["prune", &format!("--delete-commit={id}")]);
        assert_eq!(said, format!("error: {error}\n"));

        let id = ids[1].to_string();
        let said = c
            .repo(&theirs)
            .ok(["prune", &format!("--delete-commit={id}")]);
        prune::delete_commit(&repo, &ids[1]).unwrap();
        let outcome = run(&at, &PruneOptions::default());
        assert_eq!(text(&outcome, false), said);
        assert_eq!(
            osier_testkit::repo::differences(&at, &theirs).unwrap(),
            [""; 0]
        );
        let error = prune::delete_commit(&repo, &ids[1])
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with(&format!("Deleting object {id}.commit: unlinkat(")),
            "{error}"
        );

        // Once switched on, every deleted commit leaves one.
        let refs = PruneOptions {
            refs_only: true,
            depth: Some(0),
            ..Default::default()
        };
        c.repo(&theirs).ok(["refs", "--delete", "m"]);
        c.repo(&at).ok(["refs", "--delete", "m"]);
        c.repo(&theirs).ok(["prune", "--refs-only", "--depth=0"]);
        run(&at, &refs);
        assert_eq!(
            osier_testkit::repo::differences(&at, &theirs).unwrap(),
            [""; 0]
        );
    }
}

#[test]
fn deltas_to_deleted_commits_go() {
    let Some(c) = c_tool() else { return };
    let dir = tempfile::tempdir().unwrap();
    let tree = Tree::create(dir.path().join("t")).unwrap();
    let at = dir.path().join("r");
    let repo = create(&at, RepoMode::Archive);
    let mut ids = Vec::new();
    for n in 0..3 {
        tree.file("f", format!("{n}")).unwrap();
        ids.push(commit_dir(&repo, "m", tree.path(), n));
    }
    for to in ["m", "m^"] {
        c.repo(&at).ok(["static-delta", "generate", to]);
        c.repo(&at).ok(["static-delta", "generate", "--empty", to]);
    }
    fs::create_dir_all(at.join("tmp/cache/summaries")).unwrap();
    for name in ["stray", "stray.sig", "known"] {
        fs::write(at.join("tmp/cache/summaries").join(name), "").unwrap();
    }
    c.repo(&at).ok([
        "remote",
        "add",
        "--no-gpg-verify",
        "known",
        "http://127.0.0.1:1/",
    ]);
    let theirs = copy(&at, &dir.path().join("c"));

    let deltas = |at: &Path| {
        let listed = c.repo(at).ok(["static-delta", "list"]);
        let mut lines: Vec<String> = listed.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(deltas(&at).len(), 4);
    let tip = ids[2].to_string();
    let only = copy(&at, &dir.path().join("d"));
    c.repo(&theirs).ok([
        "prune",
        "--static-deltas-only",
        &format!("--delete-commit={tip}"),
    ]);
    assert_eq!(
        prune::delete_deltas_to(&Repo::open(&only).unwrap(), &ids[2]).unwrap(),
        2
    );
    assert_eq!(deltas(&only), deltas(&theirs));
    assert_eq!(deltas(&only).len(), 2);

    let theirs = copy(&at, &dir.path().join("e"));
    c.repo(&theirs).ok(["prune", "--refs-only", "--depth=0"]);
    let options = PruneOptions {
        refs_only: true,
        depth: Some(0),
        ..Default::default()
    };
    let outcome = run(&at, &options);
    assert_eq!(outcome.deltas_deleted, 2);
    assert_eq!(deltas(&at), deltas(&theirs));
    let cached = |at: &Path| -> Vec<_> {
        let mut names: Vec<_> = fs::read_dir(at.join("tmp/cache/summaries"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        names
    };
    assert_eq!(cached(&at), ["known"]);
    assert_eq!(cached(&at), cached(&theirs));
    assert_eq!(
        osier_testkit::repo::differences(&at, &theirs).unwrap(),
        [""; 0]
    );
}

#[test]
fn a_missing_listing_stops_a_prune_unless_its_commit_is_partial() {
    let Some(c) = c_tool() else { return };
    let dir = tempfile::tempdir().unwrap();
    let tree = Tree::create(dir.path().join("t")).unwrap();
    tree.file("d/f", "1").unwrap();
    let at = dir.path().join("r");
    let repo = create(&at, RepoMode::Archive);
    let id = commit_dir(&repo, "m", tree.path(), 0);
    let root = repo.load_commit(&id).unwrap().root_dirtree;
    let sub = repo.load_dirtree(&root).unwrap().dirs[0].1;
    fs::remove_file(at.join("objects").join(sub.object_name().loose_path(true))).unwrap();
    let before = object_names(&at).unwrap();
    let error = prune::prune(&repo, &PruneOptions::default(), &Cancel::default())
        .unwrap_err()
        .to_string();
    assert_eq!(error, format!("No such metadata object {sub}.dirtree"));
    assert_eq!(c.repo(&at).fail(["prune"]), format!("error: {error}\n"));
    assert_eq!(object_names(&at).unwrap(), before);
    fs::write(at.join(format!("state/{id}.commitpartial")), "").unwrap();
    let theirs = copy(&at, &dir.path().join("c"));
    let said = c.repo(&theirs).ok(["prune"]);
    let outcome = run(&at, &PruneOptions::default());
    assert_eq!(text(&outcome, false), said);
    assert_eq!(
        osier_testkit::repo::differences(&at, &theirs).unwrap(),
        [""; 0]
    );
}

#[test]
fn mirrored_and_extra_commits_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let tree = Tree::create(dir.path().join("t")).unwrap();
    let repo = create(&dir.path().join("r"), RepoMode::Archive);
    let mut ids = Vec::new();
    for n in 0..4 {
        tree.file("f", format!("{n}")).unwrap();
        ids.push(commit_dir(&repo, "m", tree.path(), n));
    }
    let tx = repo.begin(&Default::default()).unwrap();
    tx.set_refspec("m", Some(ids[0])).unwrap();
    tx.set_collection_ref("org.example.Other", "x", Some(ids[2]))
        .unwrap();
    tx.commit().unwrap();
    // Also with rules per branch, where the C tool loses them.
    for keep_younger_than in [None, Some(TIME + 1_000_000)] {
        let options = PruneOptions {
            refs_only: true,
            depth: Some(0),
            keep_younger_than,
            extra_roots: vec![ids[3]],
            ..Default::default()
        };
        run(repo.path(), &options);
        let mut wanted = vec![ids[0], ids[2], ids[3]];
        wanted.sort();
        assert_eq!(repo.list_commits().unwrap(), wanted);
    }
}

#[test]
fn an_unknown_branch_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let repo = histories(&dir.path().join("r"), RepoMode::Archive, 1);
    let options = PruneOptions {
        only_branches: vec!["nope".into()],
        ..Default::default()
    };
    let error = prune::prune(&repo, &options, &Cancel::default()).unwrap_err();
    assert_eq!(error.to_string(), "Refspec 'nope' not found");
}

#[test]
fn payload_links_follow_their_files() {
    let Some(c) = c_tool() else { return };
    let dir = tempfile::tempdir().unwrap();
    let tree = Tree::create(dir.path().join("t")).unwrap();
    let base = dir.path().join("r");
    let repo = create(&base, RepoMode::Bare);
    for content in ["one", "three"] {
        tree.file("f", content).unwrap();
        commit_dir(&repo, "m", tree.path(), 0);
    }
    let files: Vec<String> = object_names(&base)
        .unwrap()
        .into_iter()
        .filter(|name| name.ends_with(".file"))
        .collect();
    fs::create_dir_all(base.join("objects/aa")).unwrap();
    let gone = format!("00/{}.file", "0".repeat(62));
    for (n, target) in files.iter().chain([&gone]).enumerate() {
        let name = format!("objects/aa/{n}{}.payload-link", "a".repeat(61));
        std::os::unix::fs::symlink(format!("../{target}"), base.join(name)).unwrap();
    }
    for threshold in ["-1", "0", "4", "100"] {
        c.repo(&base).ok([
            "config",
            "set",
            "core.payload-link-threshold",
            "--",
            threshold,
        ]);
        for depth in ["0", "-1"] {
            let ours = copy(&base, &dir.path().join(format!("o{threshold}{depth}")));
            let theirs = copy(&base, &dir.path().join(format!("c{threshold}{depth}")));
            c.repo(&theirs)
                .ok(["prune", "--refs-only", &format!("--depth={depth}")]);
            let options = PruneOptions {
                refs_only: true,
                depth: (depth == "0").then_some(0),
                ..Default::default()
            };
            run(&ours, &options);
            assert_eq!(
                object_names(&ours).unwrap(),
                object_names(&theirs).unwrap(),
                "threshold {threshold}, depth {depth}"
            );
        }
    }
}
