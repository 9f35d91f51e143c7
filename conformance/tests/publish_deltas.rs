//! The publisher's side of `static-delta`: several deltas in one run, the same bytes whatever the number of threads, and
//! nothing half made wherever it is stopped.

use osier_conformance::{Scratch, commit, killed, ours_is_c, text};
use osier_testkit::random::Random;
use osier_testkit::skip;
use osier_testkit::tool::{Outcome, Tool};
use osier_testkit::tree::Tree;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn ours() -> Option<Tool> {
    if ours_is_c() {
        skip::because("the C tool has no such options");
        return None;
    }
    Some(Tool::ours().env("SOURCE_DATE_EPOCH", "1700000000"))
}

/// An archive with so many commits of `main`, each changing some files; the commits, newest first.
fn history(scratch: &Scratch, tool: &Tool, number: usize) -> (PathBuf, Vec<String>) {
    let repo = scratch.init(tool, "repo", "archive");
    let tree = Tree::create(scratch.path("tree")).unwrap();
    tree.dir("usr/bin", 0o755).unwrap();
    tree.dir("etc", 0o755).unwrap();
    let mut commits = Vec::new();
    for n in 0..number {
        let mut long = Random::new(1).text(120_000);
        long.replace_range(60_000..60_001, &n.to_string());
        tree.file("usr/bin/copied", long).unwrap();
        let mut patched = Random::new(2).text(30_000);
        patched.insert_str(0, &format!("version {n}\n"));
        tree.file("usr/bin/patched", patched).unwrap();
        tree.file("etc/version", n.to_string()).unwrap();
        tree.file(&format!("etc/new-{n}"), Random::new(9 + n as u64).text(500))
            .unwrap();
        commits.insert(0, commit(tool, &repo, "main", tree.path(), &[]));
    }
    (repo, commits)
}

fn deltas(tool: &Tool, repo: &Path) -> Vec<String> {
    let mut found: Vec<String> = (tool.repo(repo).ok(["static-delta", "list"]).lines())
        .filter(|line| !line.starts_with('('))
        .map(str::to_owned)
        .collect();
    found.sort();
    found
}

fn generate(tool: &Tool, repo: &Path, more: &[&str]) -> Outcome {
    let mut args = vec!["static-delta", "generate"];
    args.extend_from_slice(more);
    tool.repo(repo).run(&args)
}

/// All files below a folder with their content.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut todo = vec![dir.to_owned()];
    while let Some(folder) = todo.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap().to_owned();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// What is left of unfinished deltas.
fn leftovers(repo: &Path) -> Vec<String> {
    let names = fs::read_dir(repo.join("tmp")).unwrap();
    names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("delta") || name.starts_with(".tmp"))
        .collect()
}

#[test]
fn from_each_of_the_last_commits() {
    let Some(tool) = ours() else { return };
    let scratch = Scratch::new();
    let (repo, commits) = history(&scratch, &tool, 5);
    let to = &commits[0];
    let made = generate(&tool, &repo, &["--from-all=3", "--scratch", "main"]).expect_ok();
    let mut wanted: Vec<String> = (1..=3).map(|n| format!("{}-{to}", commits[n])).collect();
    wanted.push(to.clone());
    wanted.sort();
    assert_eq!(deltas(&tool, &repo), wanted);
    assert_eq!(made.stdout.matches("Generating static delta:\n").count(), 4);
    assert_eq!(made.stdout.matches("\n  Size: ").count(), 4, "{made}");
    assert!(
        made.stdout.starts_with(&format!(
            "Generating static delta:\n  From: {}\n",
            commits[1]
        )),
        "{made}"
    );
    // What is there already is said and left alone.
    let before = files(&repo.join("deltas"));
    let again = generate(&tool, &repo, &["-n", "--from-all=4", "--scratch", "main"]).expect_ok();
    assert_eq!(again.stdout.matches(" already exists.\n").count(), 4);
    assert_eq!(
        again.stdout.matches("Generating static delta:\n").count(),
        1
    );
    let after = files(&repo.join("deltas"));
    assert!(
        before
            .iter()
            .all(|(name, bytes)| after.get(name) == Some(bytes))
    );
    assert_eq!(deltas(&tool, &repo).len(), 5);
    // Each is what a run of its own makes.
    for from in &commits[1..=4] {
        let from = format!("--from={from}");
        generate(&tool, &repo, &[&from, "main"]).expect_ok();
    }
    assert_eq!(files(&repo.join("deltas")), after);
    // Either tool goes through them.
    for client in [Some(Tool::ours()), Tool::c()].into_iter().flatten() {
        for from in commits[1..].iter().map(Some).chain([None]) {
            let into = scratch.init(&client, "client", "bare-user");
            let client = client.repo(&into);
            if let Some(from) = from {
                client.ok(["pull-local", text(&repo), from]);
            }
            let name = from.map_or_else(|| to.clone(), |from| format!("{from}-{to}"));
            let (folder, rest) = path_of(&tool, &repo, &name);
            client.ok(["static-delta", "apply-offline", text(&folder.join(rest))]);
            client.ok(["fsck", "-q"]);
            client.ok(["ls", to]);
            fs::remove_dir_all(&into).unwrap();
        }
    }
}

/// The folder of a delta, found by what is in it.
fn path_of(tool: &Tool, repo: &Path, name: &str) -> (PathBuf, PathBuf) {
    let shown = |path: &Path| {
        let out = tool
            .repo(repo)
            .ok(["static-delta", "show", text(path), "--json"]);
        let value: serde_json::Value = serde_json::from_str(&out).unwrap();
        let to = value["to"].as_str().unwrap().to_owned();
        match value["from"].as_str() {
            Some(from) => format!("{from}-{to}"),
            None => to,
        }
    };
    let deltas = repo.join("deltas");
    for path in files(&deltas).into_keys() {
        if path.ends_with("superblock") && shown(&deltas.join(&path)) == name {
            return (deltas, path.parent().unwrap().to_owned());
        }
    }
    panic!("no delta {name}");
}

#[test]
fn a_short_history_and_a_failure_are_said_and_the_others_made() {
    let Some(tool) = ours() else { return };
    let scratch = Scratch::new();
    let (repo, commits) = history(&scratch, &tool, 4);
    let to = &commits[0];
    let short = generate(&tool, &repo, &["--from-all=9", "main"]).expect_ok();
    assert!(
        short
            .stderr
            .contains("Only 3 of 9 earlier commits of main are here"),
        "{short}"
    );
    assert_eq!(deltas(&tool, &repo).len(), 3);
    let none = generate(&tool, &repo, &["--from-all=2", &commits[3]]);
    assert_eq!(none.code, 1, "{none}");
    assert!(none.stderr.contains("--scratch"), "{none}");
    generate(&tool, &repo, &["--from-all=2", "--scratch", &commits[3]]).expect_ok();
    // Without its root the second of three cannot be read.
    fs::remove_dir_all(repo.join("deltas")).unwrap();
    let root = tool.repo(&repo).ok(["ls", "-d", "-C", &commits[2]]);
    let root = root.split_whitespace().find(|w| w.len() == 64).unwrap();
    let object = format!("objects/{}/{}.dirtree", &root[..2], &root[2..]);
    fs::remove_file(repo.join(object)).unwrap();
    let failed = generate(&tool, &repo, &["--from-all=3", "main"]);
    assert_eq!(failed.code, 1, "{failed}");
    let bad = format!("{}-{to}", commits[2]);
    assert!(
        failed.stderr.contains(&format!("error: delta {bad}: ")),
        "{failed}"
    );
    assert!(failed.stderr.contains(root), "{failed}");
    assert!(
        failed
            .stderr
            .ends_with("error: 1 of 3 deltas were not made\n"),
        "{failed}"
    );
    let mut wanted = [1, 3].map(|n| format!("{}-{to}", commits[n]));
    wanted.sort();
    assert_eq!(deltas(&tool, &repo), wanted);
    assert!(leftovers(&repo).is_empty());
}

#[test]
fn what_makes_no_sense_is_refused() {
    let Some(tool) = ours() else { return };
    let scratch = Scratch::new();
    let (repo, _) = history(&scratch, &tool, 2);
    for (args, words) in [
        (
            &["--from-all=1", "--from=main^"][..],
            "--from and --from-all",
        ),
        (&["--from-all=1", "--empty"], "--empty and --from-all"),
        (
            &["--from-all=1", "--filename=x"],
            "--filename and --from-all",
        ),
        (
            &["--scratch", "--from=main^"],
            "Cannot specify both --scratch and --from=REV",
        ),
        (&["--from-all=0"], "“0” for --from-all out of range"),
        (&["--threads=0"], "“0” for --threads out of range"),
        (&["--max-memory=x"], "“x” for --max-memory"),
    ] {
        let mut args = args.to_vec();
        args.push("main");
        let refused = generate(&tool, &repo, &args);
        assert_eq!(refused.code, 1, "{refused}");
        assert!(refused.stderr.contains(words), "{refused}");
        assert!(refused.stdout.is_empty(), "{refused}");
    }
    assert!(deltas(&tool, &repo).is_empty());
    generate(&tool, &repo, &["--scratch", "main"]).expect_ok();
    assert_eq!(deltas(&tool, &repo).len(), 1);
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let Some(tool) = ours() else { return };
    let scratch = Scratch::new();
    let (repo, _) = history(&scratch, &tool, 2);
    for more in [
        &[][..],
        &["--scratch"],
        &["--max-chunk-size=0"],
        &["--max-effort"],
    ] {
        let made = ["1", "2", "7"].map(|threads| {
            let threads = format!("--threads={threads}");
            let mut args = vec![threads.as_str(), "main"];
            args.extend_from_slice(more);
            generate(&tool, &repo, &args).expect_ok();
            let found = files(&repo.join("deltas"));
            fs::remove_dir_all(repo.join("deltas")).unwrap();
            found
        });
        assert!(!made[0].is_empty());
        assert!(made.iter().all(|other| *other == made[0]), "{more:?}");
    }
}

/// A delta over an older one with more parts, of either tool.
#[test]
fn made_anew_it_has_none_of_the_old_parts() {
    let Some(tool) = ours() else { return };
    for old in [Some(tool.clone()), Tool::c()].into_iter().flatten() {
        let scratch = Scratch::new();
        let (repo, _) = history(&scratch, &tool, 2);
        generate(&old, &repo, &["--max-chunk-size=0", "main"]).expect_ok();
        let before = files(&repo.join("deltas"));
        generate(&tool, &repo, &["main"]).expect_ok();
        let after = files(&repo.join("deltas"));
        assert_eq!(after.len(), 2, "{:?}", after.keys());
        assert!(before.len() > 4, "{:?}", before.keys());
        assert!(leftovers(&repo).is_empty());
    }
}

/// Copies of a repository in which a delta is made, stopped at each of its calls that change something: there is the old
/// delta or the new one, whole, and the next run removes what is left.
fn stopped_everywhere(label: &str, stop: impl Fn(&Command, usize) -> bool, tidy: bool) {
    let Some(with_two_threads) = killed::tool() else {
        return;
    };
    let tool = with_two_threads.env("SOURCE_DATE_EPOCH", "1700000000");
    let scratch = Scratch::new();
    let (repo, _) = history(&scratch, &tool, 2);
    for there in [false, true] {
        let fresh = || {
            let path = scratch.path("run");
            let _ = fs::remove_dir_all(&path);
            let copied = Command::new("cp").arg("-a").arg(&repo).arg(&path).status();
            assert!(copied.unwrap().success());
            if there {
                generate(
                    &tool,
                    &path,
                    &["--max-chunk-size=0", "--disable-bsdiff", "main"],
                )
                .expect_ok();
            }
            path
        };
        // The parts' number differs from that of the one that is there.
        let args = [
            "static-delta",
            "generate",
            "--threads=2",
            "--max-chunk-size=0",
            "main",
        ];
        let path = fresh();
        let before = files(&path.join("deltas"));
        tool.repo(&path).ok(args);
        let after = files(&path.join("deltas"));
        assert!(after.len() > 3 && after != before);
        killed::everywhere(&format!("{label}, a delta there: {there}"), |number| {
            let path = fresh();
            let stopped = stop(&tool.repo(&path).command(args), number);
            let now = files(&path.join("deltas"));
            assert!(
                now == before || now == after,
                "at call {number}: {:?}",
                now.keys()
            );
            if tidy {
                assert!(leftovers(&path).is_empty(), "at call {number}");
            }
            tool.repo(&path).ok(args);
            assert_eq!(
                files(&path.join("deltas")),
                after,
                "at call {number}, run again"
            );
            assert!(leftovers(&path).is_empty(), "at call {number}, run again");
            stopped
        });
    }
}

#[test]
fn killed_it_leaves_the_old_delta_or_the_new_one() {
    stopped_everywhere("killed", killed::run, false);
}

#[test]
fn interrupted_it_removes_what_it_had_begun() {
    stopped_everywhere("interrupted", killed::interrupt, true);
}

#[test]
fn a_prune_removes_what_a_killed_run_left() {
    let Some(tool) = ours() else { return };
    let scratch = Scratch::new();
    let (repo, _) = history(&scratch, &tool, 2);
    let left = repo.join("tmp/delta-1-2-3");
    fs::create_dir(&left).unwrap();
    fs::write(left.join("superblock"), "half").unwrap();
    tool.repo(&repo).ok(["prune", "--refs-only"]);
    assert!(leftovers(&repo).is_empty());
}
