//! `fsck --repair`: every kind of damage to every kind of object, in each mode, from repositories of each other mode.
//! The C tool has the last word: its `fsck` must pass, and not one byte may differ from before.

use osier_conformance::{MODES, Scratch, commit, root_or_skip, text};
use osier_testkit::httpd::{Action, Rule, Server};
use osier_testkit::tool::Tool;
use osier_testkit::{repo, trees};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};

/// What happens to an object's file. What a kind cannot suffer is a loss instead.
#[derive(Clone, Copy, Debug)]
enum Damage {
    Missing,
    Flipped,
    Truncated,
    Grown,
    WrongMode,
    WrongOwner,
    NoMeta,
    Emptied,
}

use Damage::{Emptied, Flipped, Grown, Missing, NoMeta, Truncated, WrongMode, WrongOwner};

const ALL: [Damage; 8] = [
    Missing, Flipped, Truncated, Grown, WrongMode, WrongOwner, NoMeta, Emptied,
];

fn damage(path: &Path, how: Damage, mode: &str) {
    let content = path.extension().is_some_and(|e| e == "file");
    let is_link = path.is_symlink();
    let read = || fs::read(path).unwrap();
    match how {
        WrongMode if content && matches!(mode, "bare" | "bare-user-only") && !is_link => {
            let old = fs::metadata(path).unwrap().mode();
            fs::set_permissions(path, fs::Permissions::from_mode(old ^ 0o010)).unwrap();
        }
        WrongOwner if content && mode == "bare" => lchown(path, Some(4321), Some(9)).unwrap(),
        NoMeta if content && mode == "bare-user" => {
            rustix::fs::removexattr(path, "user.ostreemeta").unwrap();
        }
        Flipped | Truncated if is_link => {
            fs::remove_file(path).unwrap();
            symlink("elsewhere", path).unwrap();
        }
        // A new file, so that this changes no mode of an inode that somebody holds.
        Flipped if !read().is_empty() => {
            let mut bytes = read();
            // Neither padding nor the unused bits at the end of a `filez` alone, which are ignored.
            let middle = bytes.len() * 3 / 4;
            bytes[middle] ^= 0xff;
            fs::write(path, bytes).unwrap();
        }
        Truncated if !read().is_empty() => {
            let bytes = read();
            // The last byte of a link in mode bare-user is a NUL that may be missing.
            fs::write(path, &bytes[..bytes.len().saturating_sub(2)]).unwrap();
        }
        Emptied if !is_link && !read().is_empty() => fs::write(path, "").unwrap(),
        Grown if !is_link && path.extension().is_none_or(|e| e != "filez") => {
            let mut bytes = read();
            // What follows the NUL of a link does not count either.
            bytes.insert(0, b'!');
            fs::write(path, bytes).unwrap();
        }
        _ => fs::remove_file(path).unwrap(),
    }
}

/// Two commits in every mode, with the same objects in each.
struct Repos {
    scratch: Scratch,
    tool: Tool,
    /// Mode and path.
    all: Vec<(&'static str, PathBuf)>,
}

impl Repos {
    /// `master`: the mode the commits are made in.
    fn new(master: &str, modes: &[&'static str]) -> Repos {
        let tool = Tool::ours();
        let scratch = Scratch::new();
        let tree = trees::everything(&scratch.path("tree")).unwrap();
        let first = scratch.init(&tool, "master", master);
        commit(
            &tool,
            &first,
            "main",
            &tree.join("names"),
            &["--bind-ref=old"],
        );
        // A parent that no ref names may be missing on purpose, so that its loss is none.
        tool.repo(&first).ok(["refs", "--create=old", "main"]);
        commit(
            &tool,
            &first,
            "main",
            tree.path(),
            &["--add-detached-metadata-string=note=kept"],
        );
        let all = modes.iter().map(|mode| {
            let path = scratch.init(&tool, mode, mode);
            tool.repo(&path)
                .ok(["pull-local", "--depth=-1", text(&first)]);
            (*mode, path)
        });
        let all = all.collect();
        Repos { scratch, tool, all }
    }

    /// A copy to damage.
    fn copy(&self, of: &Path) -> PathBuf {
        let copy = self.scratch.path("copy");
        if copy.exists() {
            fs::remove_dir_all(&copy).unwrap();
        }
        let status = std::process::Command::new("cp")
            .args(["-a", "--", text(of), text(&copy)])
            .status()
            .unwrap();
        assert!(status.success());
        copy
    }
}

#[track_caller]
fn both_pass(path: &Path, context: &str) {
    for tool in std::iter::once(Tool::ours()).chain(Tool::c()) {
        let outcome = tool.repo(path).run(["fsck"]);
        assert_eq!(outcome.code, 0, "{context}\n{outcome}");
    }
}

/// In each mode, each object suffers each damage once; the sources take turns.
fn every_damage(master: &str, modes: &[&'static str]) {
    let repos = Repos::new(master, modes);
    for (mode, path) in &repos.all {
        let names = repo::object_names(path).unwrap();
        let before = repo::snapshot(path).unwrap();
        let sources: Vec<_> = repos
            .all
            .iter()
            .filter(|(other, _)| other != mode)
            .collect();
        for (at, (source_mode, source)) in sources.iter().enumerate() {
            for shift in (at..ALL.len()).step_by(sources.len()) {
                let copy = repos.copy(path);
                for (at, name) in names.iter().enumerate() {
                    let how = ALL[(at + shift) % ALL.len()];
                    let object = copy.join("objects").join(name);
                    // Detached metadata has no checksum: its loss is all that shows.
                    let how = if name.ends_with("commitmeta") {
                        Missing
                    } else {
                        how
                    };
                    damage(&object, how, mode);
                }
                let context = format!("{mode} from {source_mode}, shift {shift}");
                let outcome = repos
                    .tool
                    .repo(&copy)
                    .run(["fsck", &format!("--repair={}", text(source))]);
                assert_eq!(outcome.code, 0, "{context}\n{outcome}");
                both_pass(&copy, &context);
                let differences = before.differences(&repo::snapshot(&copy).unwrap());
                let differences: Vec<&String> = differences
                    .iter()
                    // Folders of objects that were all lost are made anew.
                    .filter(|line| !line.contains(": mtime"))
                    .collect();
                assert!(differences.is_empty(), "{context}\n{differences:#?}");
                let unsaid: Vec<(&String, Damage)> = names
                    .iter()
                    .enumerate()
                    .filter(|(_, name)| {
                        let line = format!("Repaired {}", name.replace('/', ""));
                        !outcome.stdout.contains(line.trim_end_matches('z'))
                    })
                    .map(|(at, name)| (name, ALL[(at + shift) % ALL.len()]))
                    .collect();
                assert!(unsaid.is_empty(), "{context}\n{unsaid:#?}");
            }
        }
    }
}

#[test]
fn privileged_modes_from_each_other() {
    if root_or_skip() {
        every_damage("bare", &MODES[..3]);
    }
}

#[test]
fn bare_user_only_from_and_to_all_others() {
    if root_or_skip() {
        every_damage("bare-user-only", &MODES);
    }
}

fn small(scratch: &Scratch, mode: &str) -> (Tool, PathBuf, PathBuf, String) {
    let tool = Tool::ours();
    let tree = trees::hard_links(&scratch.path("tree")).unwrap();
    let source = scratch.init(&tool, "source", mode);
    let id = commit(&tool, &source, "main", tree.path(), &[]);
    let path = scratch.init(&tool, "repo", mode);
    tool.repo(&path).ok(["pull-local", text(&source)]);
    // Not the source's inodes.
    for name in repo::object_names(&path).unwrap() {
        let object = path.join("objects").join(name);
        let copy = object.with_extension("copy");
        let status = std::process::Command::new("cp")
            .args(["-a", text(&object), text(&copy)])
            .status()
            .unwrap();
        assert!(status.success());
        fs::rename(copy, object).unwrap();
    }
    (tool.repo(&path), path, source, id)
}

#[test]
fn sources_are_asked_in_turn_and_a_bad_one_changes_nothing() {
    let scratch = Scratch::new();
    let (tool, path, source, _) = small(&scratch, "archive");
    let empty = scratch.init(&Tool::ours(), "empty", "bare-user");
    let file = repo::first_object(&path, "filez").unwrap();
    let same = |path: &Path| fs::read(path).unwrap();
    fs::write(&file, "damaged").unwrap();
    let name = text(file.file_name().map(Path::new).unwrap())[..62].to_owned();

    let repair = |from: &Path| format!("--repair={}", text(from));
    let outcome = tool.run(["fsck", &repair(&empty)]).expect_fail();
    assert!(
        outcome
            .stderr
            .contains(&format!("{} does not have it", text(&empty))),
        "{outcome}"
    );
    assert!(outcome.stderr.contains(&name), "{outcome}");
    assert!(
        outcome
            .stderr
            .ends_with("error: Repository corruption encountered\n"),
        "{outcome}"
    );
    assert_eq!(same(&file), b"damaged");

    // The source is damaged itself, each time in another way.
    let theirs = source.join(file.strip_prefix(&path).unwrap());
    let good = same(&theirs);
    let mut flipped = good.clone();
    let last = flipped.len() - 2;
    flipped[last] ^= 1;
    for bad in [&b"rubbish"[..], &flipped, &good[..good.len() - 1], b""] {
        fs::write(&theirs, bad).unwrap();
        let outcome = tool.run(["fsck", &repair(&source)]).expect_fail();
        assert!(
            outcome
                .stderr
                .contains(&format!("Cannot repair {}", &object(&file))),
            "{outcome}"
        );
        assert_eq!(same(&file), b"damaged");
    }
    // What is asked after it has a good one.
    let third = scratch.init(&Tool::ours(), "third", "bare-user");
    fs::write(&theirs, &good).unwrap();
    Tool::ours().repo(&third).ok(["pull-local", text(&source)]);
    fs::write(&theirs, "rubbish").unwrap();
    let outcome = tool
        .run(["fsck", &repair(&empty), &repair(&source), &repair(&third)])
        .expect_ok();
    assert!(
        outcome.stdout.contains(&format!("from {}", text(&third))),
        "{outcome}"
    );
    both_pass(&path, "third source");
}

fn object(path: &Path) -> String {
    osier_conformance::object_checksum(path)
}

#[test]
fn remotes_and_urls_name_repositories() {
    let scratch = Scratch::new();
    let (tool, path, source, _) = small(&scratch, "archive");
    let file = repo::first_object(&path, "filez").unwrap();
    let url = format!("file://{}", text(&source));
    tool.ok(["remote", "add", "--no-gpg-verify", "origin", &url]);
    for from in ["origin", &url] {
        fs::write(&file, "damaged").unwrap();
        tool.ok(["fsck", "--repair", from]);
        both_pass(&path, from);
    }
    fs::write(&file, "damaged").unwrap();
    let error = tool.fail(["fsck", "--repair=https://example.com/repo"]);
    assert!(error.contains("that of a configured remote"), "{error}");
    assert!(error.contains("://example.com/repo"), "{error}");
    let error = tool.fail(["fsck", "--repair=/nonexistent"]);
    assert!(error.contains("/nonexistent"), "{error}");
    assert_eq!(fs::read(&file).unwrap(), b"damaged");
}

#[test]
fn objects_come_from_http_remotes() {
    if !root_or_skip() {
        return;
    }
    let repos = Repos::new("bare", &["archive", "bare-user", "bare"]);
    let (_, served) = &repos.all[0];
    let server = Server::serve(served).unwrap();
    for (mode, path) in &repos.all {
        let copy = repos.copy(path);
        let tool = repos.tool.repo(&copy);
        // Signatures play no part: every object is checked against its name.
        tool.ok(["remote", "add", "origin", &server.url()]);
        let before = repo::snapshot(&copy).unwrap();
        let names = repo::object_names(&copy).unwrap();
        let bad: Vec<&String> = names.iter().step_by(5).collect();
        for (at, name) in bad.iter().enumerate() {
            let how = match name.ends_with("commitmeta") {
                true => Missing,
                false => ALL[at % ALL.len()],
            };
            damage(&copy.join("objects").join(name), how, mode);
        }
        server.clear_log();
        let outcome = tool.run(["fsck", "--repair=origin"]).expect_ok();
        assert!(
            outcome
                .stdout
                .contains(&format!("Repaired {} objects", bad.len())),
            "{mode}\n{outcome}"
        );
        assert!(
            outcome
                .stdout
                .contains(&format!("from origin ({})", server.url()))
        );
        both_pass(&copy, mode);
        let differences = before.differences(&repo::snapshot(&copy).unwrap());
        assert!(differences.is_empty(), "{mode} {differences:#?}");
        // Only what is damaged was asked for, but for detached metadata, which may be missing anywhere.
        let mut asked = server.paths();
        asked.retain(|path| !path.ends_with(".commitmeta") && path != "config");
        assert!(asked.len() <= bad.len(), "{asked:#?}");
    }
}

#[test]
fn a_bad_server_changes_nothing() {
    let scratch = Scratch::new();
    let (tool, path, source, _) = small(&scratch, "archive");
    let server = Server::serve(&source).unwrap();
    tool.ok(["remote", "add", "--no-gpg-verify", "origin", &server.url()]);
    let file = repo::first_object(&path, "filez").unwrap();
    fs::write(&file, "damaged").unwrap();
    let repair = || tool.run(["fsck", "--repair=origin"]).expect_fail();
    for (action, words) in [
        (Action::Status(404, Vec::new()), "does not have it"),
        (Action::Corrupt(20), "Cannot repair"),
        (Action::Truncate(30), "Cannot repair"),
    ] {
        server.clear_faults();
        server.fault(Rule::ending(".filez").always(action));
        let outcome = repair();
        assert!(outcome.stderr.contains(words), "{outcome}");
        assert!(outcome.stderr.contains(&object(&file)), "{outcome}");
        assert_eq!(fs::read(&file).unwrap(), b"damaged");
    }
    server.clear_faults();
    server.fault(Rule::ending("config").always(Action::Status(404, Vec::new())));
    let outcome = repair();
    assert!(
        outcome.stderr.contains("is no archive repository"),
        "{outcome}"
    );
    server.clear_faults();
    fs::write(source.join("config"), "[core]\nrepo_version=1\nmode=bare\n").unwrap();
    let outcome = repair();
    assert!(outcome.stderr.contains("its mode is bare"), "{outcome}");
    drop(server);
    let outcome = repair();
    assert!(
        outcome
            .stderr
            .contains("Opening the repository to repair from, origin"),
        "{outcome}"
    );
    assert_eq!(fs::read(&file).unwrap(), b"damaged");
}

#[test]
fn partial_commits_become_whole_again() {
    let scratch = Scratch::new();
    let (tool, path, source, id) = small(&scratch, "bare-user");
    let repair = format!("--repair={}", text(&source));
    let mark = path.join(format!("state/{id}.commitpartial"));
    let file = repo::first_object(&path, "file").unwrap();
    fs::write(&file, "damaged").unwrap();
    tool.run(["fsck", "--delete"]).expect_fail();
    assert_eq!(fs::read(&mark).unwrap(), b"f");
    assert!(!file.exists());
    // As long as something is missing, the mark stays.
    let theirs = source.join(file.strip_prefix(&path).unwrap());
    let aside = scratch.path("aside");
    fs::rename(&theirs, &aside).unwrap();
    tool.run(["fsck", &repair]).expect_fail();
    assert!(mark.exists());
    fs::rename(&aside, &theirs).unwrap();
    let outcome = tool.run(["fsck", &repair]).expect_ok();
    assert!(
        outcome
            .stdout
            .contains(&format!("Commit is whole again: {id}")),
        "{outcome}"
    );
    assert!(!mark.exists());
    both_pass(&path, "marked by fsck");

    // A commit that was not pulled as a whole is none of its business.
    fs::remove_file(&file).unwrap();
    fs::write(&mark, "").unwrap();
    tool.run(["fsck", &repair]).expect_ok();
    assert!(mark.exists() && !file.exists());
}

#[test]
fn a_lost_commit_comes_back_with_its_tree() {
    let scratch = Scratch::new();
    let (tool, path, source, id) = small(&scratch, "archive");
    let before = repo::object_names(&path).unwrap();
    for name in &before {
        fs::remove_file(path.join("objects").join(name)).unwrap();
    }
    tool.ok(["fsck", &format!("--repair={}", text(&source))]);
    assert_eq!(repo::object_names(&path).unwrap(), before);
    assert!(!path.join(format!("state/{id}.commitpartial")).exists());
    both_pass(&path, "all lost");
}

#[test]
fn what_cannot_be_repaired_leaves_no_marks() {
    let scratch = Scratch::new();
    let (tool, path, _, id) = small(&scratch, "archive");
    let empty = scratch.init(&Tool::ours(), "empty", "archive");
    fs::remove_file(path.join(format!("objects/{}/{}.commit", &id[..2], &id[2..]))).unwrap();
    let outcome = tool
        .run(["fsck", &format!("--repair={}", text(&empty))])
        .expect_fail();
    assert!(
        outcome
            .stderr
            .contains(&format!("Cannot repair {id}.commit")),
        "{outcome}"
    );
    assert!(
        outcome.stderr.contains("Repository corruption encountered"),
        "{outcome}"
    );
    assert_eq!(fs::read_dir(path.join("state")).unwrap().count(), 0);
}

#[test]
fn links_in_the_place_of_metadata_are_damage() {
    let scratch = Scratch::new();
    let (tool, path, source, _) = small(&scratch, "bare-user");
    for ty in ["commit", "dirtree", "dirmeta", "file"] {
        let object = repo::first_object(&path, ty).unwrap();
        fs::remove_file(&object).unwrap();
        symlink("/etc/passwd", &object).unwrap();
    }
    let outcome = tool
        .run(["fsck", &format!("--repair={}", text(&source))])
        .expect_ok();
    assert!(outcome.stdout.contains("Repaired 4 objects"), "{outcome}");
    both_pass(&path, "links");
}

#[test]
fn checkouts_that_are_hard_links_keep_what_they_have() {
    if !root_or_skip() {
        return;
    }
    let scratch = Scratch::new();
    let (tool, path, source, _) = small(&scratch, "bare");
    let checkout = scratch.path("checkout");
    tool.ok(["checkout", "-H", "main", text(&checkout)]);
    let linked = fs::read_dir(path.join("objects"))
        .unwrap()
        .flat_map(|prefix| fs::read_dir(prefix.unwrap().path()).unwrap())
        .map(|entry| entry.unwrap().path())
        .find(|object| {
            object.extension().is_some_and(|e| e == "file")
                && !object.is_symlink()
                && fs::metadata(object).unwrap().nlink() > 1
        })
        .unwrap();
    let inode = fs::metadata(&linked).unwrap().ino();
    fs::write(&linked, "damaged").unwrap();
    let outcome = tool
        .run(["fsck", &format!("--repair={}", text(&source))])
        .expect_ok();
    assert!(outcome.stdout.contains("the damaged file)"), "{outcome}");
    assert_ne!(fs::metadata(&linked).unwrap().ino(), inode);
    both_pass(&path, "hard links");
    let same_inode = walk(&checkout)
        .into_iter()
        .find(|file| fs::symlink_metadata(file).unwrap().ino() == inode)
        .unwrap();
    assert_eq!(fs::read(same_inode).unwrap(), b"damaged");
}

fn walk(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(walk(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[test]
fn nothing_to_repair_touches_nothing() {
    let scratch = Scratch::new();
    let (tool, path, source, _) = small(&scratch, "bare-user");
    let times = |path: &Path| {
        let names = repo::object_names(path).unwrap();
        let time = |name: &String| {
            let meta = fs::symlink_metadata(path.join("objects").join(name)).unwrap();
            (meta.ino(), meta.ctime(), meta.ctime_nsec())
        };
        names.iter().map(time).collect::<Vec<_>>()
    };
    let before = times(&path);
    let outcome = tool
        .run(["fsck", &format!("--repair={}", text(&source))])
        .expect_ok();
    assert!(outcome.stdout.contains("Repaired 0 objects"), "{outcome}");
    assert_eq!(times(&path), before);
    // What an interrupted run staged is no repair either, and no obstacle.
    assert!(fs::read_dir(path.join("tmp")).unwrap().all(|entry| {
        !entry
            .unwrap()
            .file_name()
            .to_string_lossy()
            .starts_with("staging")
    }));
}

/// Killed at any moment, a repair leaves each object damaged or good, and never takes one away.
#[test]
fn a_killed_repair_loses_nothing() {
    if !root_or_skip() {
        return;
    }
    let repos = Repos::new("bare", &["bare", "bare-user"]);
    let [(mode, path), (_, source)] = &repos.all[..] else {
        unreachable!()
    };
    let copy = repos.copy(path);
    // With syncs, as users have it: objects are staged and moved.
    let config = fs::read_to_string(copy.join("config")).unwrap();
    fs::write(copy.join("config"), config.replace("fsync=false\n", "")).unwrap();
    let names = repo::object_names(path).unwrap();
    for name in names.iter().filter(|name| !name.ends_with("commitmeta")) {
        damage(&copy.join("objects").join(name), Flipped, mode);
    }
    // An empty file has nothing to flip.
    let before = repo::object_names(&copy).unwrap();
    let args = ["fsck".to_owned(), format!("--repair={}", text(source))];
    let mut finished = false;
    for step in 0_u64.. {
        let mut command = repos.tool.repo(&copy).command(&args);
        let mut child = command
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(4 * step));
        child.kill().unwrap();
        finished |= child.wait().unwrap().success();
        let now = repo::object_names(&copy).unwrap();
        let lost: Vec<&String> = before.iter().filter(|name| !now.contains(name)).collect();
        assert!(lost.is_empty(), "step {step}: {lost:?}");
        if finished {
            break;
        }
    }
    both_pass(&copy, "killed");
    // What the killed runs staged goes with the next transaction of anybody.
    repos.tool.repo(&copy).ok(["refs", "--create=one", "main"]);
    both_pass(&copy, "after the next transaction");
}
