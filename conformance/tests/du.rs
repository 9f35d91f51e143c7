//! `du` against a count by brute force, and against what the C tool's `prune` says it would free.

use osier_conformance::{MODES, Scratch, commit, root_or_skip, text};
use osier_testkit::tool::Tool;
use osier_testkit::trees;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Three branches that share most of their trees, one with a history, and commits that no ref leads to.
fn repository(scratch: &Scratch, mode: &str) -> PathBuf {
    let tool = Tool::ours();
    let path = scratch.init(&tool, mode, mode);
    let tree = trees::everything(&scratch.path(format!("tree-{mode}"))).unwrap();
    let big = |fill: u8| vec![fill; 70_000];
    commit(&tool, &path, "main", &tree.join("names"), &[]);
    tree.file("only-second", big(b'2')).unwrap();
    commit(&tool, &path, "main", tree.path(), &[]);
    tree.remove("only-second").unwrap();
    tree.file("third", big(b'3')).unwrap();
    tree.file("third-too", "another").unwrap();
    commit(&tool, &path, "main", tree.path(), &[]);
    tree.file("other", "other\n").unwrap();
    commit(&tool, &path, "dir/other", tree.path(), &[]);
    commit(&tool, &path, "sizes", &tree.join("sizes"), &[]);
    tree.file("lost", "nobody has it").unwrap();
    commit(&tool, &path, "lost", tree.path(), &["--orphan"]);
    let repo = tool.repo(&path);
    repo.ok(["refs", "--delete", "lost"]);
    repo.ok(["refs", "--alias", "--create=alias", "main"]);
    repo.ok(["refs", "--create=origin:far", "dir/other"]);
    path
}

type Objects = BTreeSet<String>;

/// Files of all objects behind a ref, by way of what `log` and `ls` print.
fn reached(
    repo: &Tool,
    path: &Path,
    rev: &str,
    commits: usize,
) -> (Objects, BTreeMap<String, u64>) {
    let mut objects = Objects::new();
    let mut contents = BTreeMap::new();
    let archive = fs::read_to_string(path.join("config"))
        .unwrap()
        .contains("archive");
    let mut add = |checksum: &str, ty: &str| {
        let (prefix, rest) = checksum.split_at(2);
        let suffix = if ty == "file" && archive { "z" } else { "" };
        objects.insert(format!("objects/{prefix}/{rest}.{ty}{suffix}"));
    };
    let log = repo.ok(["log", rev]);
    let ids = log.lines().filter_map(|line| line.strip_prefix("commit "));
    for id in ids.take(commits) {
        add(id, "commit");
        for line in repo.ok(["ls", "-RC", id]).lines() {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let is_sum = |at: usize| {
                fields
                    .get(at)
                    .is_some_and(|f| f.len() == 64 && f.bytes().all(|b| b.is_ascii_hexdigit()))
            };
            // What is no entry is the rest of a name with a line feed.
            if fields.first().is_none_or(|f| f.len() != 6) || !is_sum(4) {
                continue;
            }
            match &fields[0][..1] {
                "d" if is_sum(5) => {
                    add(fields[4], "dirtree");
                    add(fields[5], "dirmeta");
                }
                "-" => {
                    add(fields[4], "file");
                    contents.insert(fields[4].to_owned(), fields[3].parse().unwrap());
                }
                _ => add(fields[4], "file"),
            }
        }
    }
    (objects, contents)
}

fn sums(path: &Path, objects: &Objects) -> (u64, u64, u64) {
    let stat = |name: &String| fs::symlink_metadata(path.join(name)).unwrap();
    (
        objects.len() as u64,
        objects.iter().map(|o| stat(o).len()).sum(),
        objects.iter().map(|o| stat(o).blocks() * 512).sum(),
    )
}

fn given(usage: &Value) -> (u64, u64, u64) {
    let field = |name: &str| usage[name].as_u64().unwrap();
    (
        field("objects"),
        field("stored_bytes"),
        field("allocated_bytes"),
    )
}

fn json(repo: &Tool, args: &[&str]) -> Value {
    let mut all = vec!["du", "--json"];
    all.extend(args);
    serde_json::from_str(&repo.run(all).expect_ok().stdout).unwrap()
}

fn row<'a>(found: &'a Value, rev: &str) -> &'a Value {
    let revs = found["revs"].as_array().unwrap();
    revs.iter().find(|row| row["rev"] == rev).unwrap()
}

#[test]
fn every_number_is_that_of_a_count_by_hand() {
    if !root_or_skip() {
        return;
    }
    for mode in MODES {
        let scratch = Scratch::new();
        let path = repository(&scratch, mode);
        let repo = Tool::ours().repo(&path);
        let refs = ["main", "dir/other", "sizes", "origin:far"];
        for (option, commits) in [("--depth=-1", 9), ("--depth=0", 1), ("--depth=1", 2)] {
            let found = json(&repo, &[option]);
            assert_eq!(
                found["revs"].as_array().unwrap().len(),
                refs.len(),
                "{mode}"
            );
            let counted = refs.map(|rev| reached(&repo, &path, rev, commits));
            let mut total = Objects::new();
            for (at, rev) in refs.iter().enumerate() {
                let (objects, contents) = &counted[at];
                let row = row(&found, rev);
                let context = format!("{mode} {option} {rev}: {row}");
                assert_eq!(given(&row["all"]), sums(&path, objects), "{context}");
                let content: u64 = contents.values().sum();
                assert_eq!(row["all"]["unpacked_bytes"], content, "{context}");
                let others = counted.iter().enumerate().filter(|(other, _)| *other != at);
                let others: Objects = others.flat_map(|(_, (o, _))| o.clone()).collect();
                let exclusive: Objects = objects.difference(&others).cloned().collect();
                let shared: Objects = objects.intersection(&others).cloned().collect();
                assert_eq!(
                    given(&row["exclusive"]),
                    sums(&path, &exclusive),
                    "{context}"
                );
                assert_eq!(given(&row["shared"]), sums(&path, &shared), "{context}");
                assert_eq!(
                    row["commits"],
                    log_len(&repo, rev).min(commits),
                    "{context}"
                );
                total.extend(objects.clone());
            }
            assert_eq!(
                given(&found["total"]),
                sums(&path, &total),
                "{mode} {option}"
            );
            let all = osier_testkit::repo::object_names(&path).unwrap();
            let all: Objects = all.iter().map(|name| format!("objects/{name}")).collect();
            let rest: Objects = all.difference(&total).cloned().collect();
            assert!(!rest.is_empty());
            assert_eq!(
                given(&found["unreferenced"]),
                sums(&path, &rest),
                "{mode} {option}"
            );
            assert_eq!(found["missing_objects"], 0);
        }
        // Only what is asked for counts as others.
        let two = json(&repo, &["main", "sizes"]);
        let [main, sizes] = ["main", "sizes"].map(|rev| reached(&repo, &path, rev, 9).0);
        let exclusive: Objects = main.difference(&sizes).cloned().collect();
        assert_eq!(
            given(&row(&two, "main")["exclusive"]),
            sums(&path, &exclusive)
        );
        assert_eq!(two["unreferenced"], Value::Null);
    }
}

fn log_len(repo: &Tool, rev: &str) -> usize {
    let log = repo.ok(["log", rev]);
    log.lines()
        .filter(|line| line.starts_with("commit "))
        .count()
}

/// The C tool's line `Would delete: N objects, freeing SIZE`.
#[test]
fn deleting_a_ref_frees_what_it_says() {
    let Some(c) = Tool::c() else { return };
    if !root_or_skip() {
        return;
    }
    for mode in ["archive", "bare-user"] {
        let scratch = Scratch::new();
        let path = repository(&scratch, mode);
        let ours = Tool::ours().repo(&path);
        // It goes with the ref it names.
        ours.ok(["refs", "--delete", "alias"]);
        for depth in ["-1", "0", "1"] {
            let depth = format!("--depth={depth}");
            let found = json(&ours, &[&depth]);
            for rev in ["main", "dir/other", "sizes", "origin:far"] {
                let copy = scratch.path("copy");
                let status = std::process::Command::new("cp")
                    .args(["-a", "--", text(&path), text(&copy)])
                    .status();
                assert!(status.unwrap().success());
                let repo = c.repo(&copy);
                repo.ok(["refs", "--delete", rev]);
                let said = repo.ok(["prune", "--no-prune", "--refs-only", &depth]);
                fs::remove_dir_all(&copy).unwrap();
                let exclusive = &row(&found, rev)["exclusive"];
                let garbage = &found["unreferenced"];
                let sum = |field: &str| {
                    exclusive[field].as_u64().unwrap() + garbage[field].as_u64().unwrap()
                };
                let expected = format!(
                    "Would delete: {} objects, freeing {}",
                    sum("objects"),
                    si(sum("stored_bytes"))
                );
                assert_eq!(
                    said.lines().last(),
                    Some(&*expected),
                    "{mode} {depth} {rev}\n{found}"
                );
            }
        }
    }
}

fn si(bytes: u64) -> String {
    match bytes {
        n if n < 1000 => format!("{n} bytes"),
        n if n < 1_000_000 => format!("{:.1}\u{a0}kB", n as f64 / 1e3),
        n => format!("{:.1}\u{a0}MB", n as f64 / 1e6),
    }
}

#[test]
fn the_table_and_its_order() {
    if !root_or_skip() {
        return;
    }
    let scratch = Scratch::new();
    let path = repository(&scratch, "archive");
    let repo = Tool::ours().repo(&path);
    let table = |args: &[&str]| {
        let mut all = vec!["du"];
        all.extend(args);
        let text = repo.ok(all);
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let found = json(&repo, &[]);
    let lines = table(&["--bytes", "--sort=name"]);
    let words: Vec<&str> = lines[0].split_whitespace().collect();
    assert_eq!(
        words,
        [
            "EXCLUSIVE",
            "SHARED",
            "DISK",
            "UNPACKED",
            "OBJECTS",
            "COMMITS",
            "REF"
        ]
    );
    let names: Vec<&str> = lines[1..5]
        .iter()
        .map(|l| l.rsplit("  ").next().unwrap())
        .collect();
    assert_eq!(names, ["dir/other", "main", "origin:far", "sizes"]);
    let main: Vec<&str> = lines[2].split_whitespace().collect();
    let of = row(&found, "main");
    let expected = [
        &of["exclusive"]["stored_bytes"],
        &of["shared"]["stored_bytes"],
        &of["all"]["stored_bytes"],
        &of["all"]["unpacked_bytes"],
        &of["all"]["objects"],
        &of["commits"],
    ]
    .map(Value::to_string);
    assert_eq!(main[..6], expected);
    assert!(lines[5].ends_with("  total") && lines[6].ends_with("  not reached by any ref"));
    // Columns are aligned: the names begin below each other.
    let column = lines[0].find("REF").unwrap();
    for (line, name) in lines[1..].iter().zip(names) {
        assert_eq!(line[column..].find(name), Some(0), "{line}");
    }
    let blocks = table(&["--bytes", "--sort=name", "--allocated"]);
    let main: Vec<&str> = blocks[2].split_whitespace().collect();
    assert_eq!(main[0], of["exclusive"]["allocated_bytes"].to_string());

    for key in [
        "exclusive",
        "shared",
        "disk",
        "unpacked",
        "objects",
        "commits",
    ] {
        let numbers = |row: &Value| match key {
            "exclusive" | "shared" => row[key]["stored_bytes"].as_u64().unwrap(),
            "disk" => row["all"]["stored_bytes"].as_u64().unwrap(),
            "unpacked" => row["all"]["unpacked_bytes"].as_u64().unwrap(),
            "objects" => row["all"]["objects"].as_u64().unwrap(),
            _ => row["commits"].as_u64().unwrap(),
        };
        let sorted = json(&repo, &[&format!("--sort={key}")]);
        let values: Vec<u64> = sorted["revs"]
            .as_array()
            .unwrap()
            .iter()
            .map(numbers)
            .collect();
        assert!(values.is_sorted_by(|a, b| a >= b), "{key}: {values:?}");
    }
    assert!(
        repo.fail(["du", "--sort=nope"])
            .contains("Invalid sort key 'nope'")
    );
    assert!(
        repo.fail(["du", "nope"])
            .contains("Refspec 'nope' not found")
    );
}

#[test]
fn missing_objects_and_parents_are_no_errors() {
    if !root_or_skip() {
        return;
    }
    let scratch = Scratch::new();
    let path = repository(&scratch, "archive");
    let repo = Tool::ours().repo(&path);
    let whole = json(&repo, &["main"]);
    let dirtree = osier_testkit::repo::first_object(&path, "dirtree").unwrap();
    let file = osier_testkit::repo::first_object(&path, "filez").unwrap();
    fs::remove_file(dirtree).unwrap();
    fs::remove_file(file).unwrap();
    let outcome = repo.run(["du"]).expect_ok();
    assert!(
        outcome
            .stderr
            .contains("objects are missing and not counted"),
        "{outcome}"
    );
    assert!(json(&repo, &[])["missing_objects"].as_u64().unwrap() >= 1);

    // A history that is cut is not missing anything, and neither is what the parent repository has.
    let parent = repository(&scratch, "bare-user");
    let child = scratch.init(&Tool::ours(), "child", "bare-user");
    let child = Tool::ours().repo(&child);
    child.ok(["config", "set", "core.parent", text(&parent)]);
    let main = Tool::ours().repo(&parent).ok(["rev-parse", "main"]);
    child.ok(["refs", "--create=main", &main]);
    let found = json(&child, &[]);
    assert_eq!(found["missing_objects"], 0);
    let all = &row(&found, "main")["all"];
    assert_eq!(all["stored_bytes"], 0);
    assert_eq!(
        all["unpacked_bytes"],
        row(&whole, "main")["all"]["unpacked_bytes"]
    );
    let shallow = scratch.init(&Tool::ours(), "shallow", "archive");
    let shallow = Tool::ours().repo(&shallow);
    shallow.ok(["pull-local", text(&parent), "main"]);
    let found = json(&shallow, &[]);
    assert_eq!(found["missing_objects"], 0);
    assert_eq!(row(&found, "main")["commits"], 1);
}
