//! Committers, pruners and readers at work in one repository at once, as processes of their own, some of them killed.
//!
//! Four committers make trees that share most of their objects, take refs away again and come back to earlier trees, so
//! that what one takes for stored is what another is about to delete. Three pruners delete whatever no ref leads to.
//! Readers look at a branch that is there throughout. `OSIER_STRESS_ROUNDS` says how many commits each committer makes.

use osier_conformance::{Scratch, commit, pair, root_or_skip, text, tree_arg};
use osier_testkit::random::{self, Random, Shape};
use osier_testkit::snapshot::Snapshot;
use osier_testkit::tool::{Outcome, Tool};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const COMMITTERS: usize = 4;
const TREES: u64 = 5;

fn rounds() -> usize {
    std::env::var("OSIER_STRESS_ROUNDS").map_or(7, |text| text.parse().expect("a number"))
}

/// What goes on in a repository.
struct Play<'a> {
    /// One for each committer and pruner, in turn.
    writers: Vec<&'a Tool>,
    /// One for each reader.
    readers: Vec<&'a Tool>,
    /// Ours are killed now and then; an outcome with 137 says so.
    kill: bool,
    repo: &'a Path,
    scratch: &'a Scratch,
    /// The checksum and files of the branch that is always there.
    stable: (String, Snapshot),
    /// The committers are done.
    over: AtomicBool,
    /// What went wrong.
    complaints: Mutex<Vec<String>>,
    /// Commits that were reported as done, by branch, the latest last.
    done: Mutex<BTreeMap<String, Vec<String>>>,
}

impl Play<'_> {
    fn complain(&self, text: String) {
        self.complaints.lock().unwrap().push(text);
        self.over.store(true, Ordering::Relaxed);
    }

    /// Runs a command to its end, or to where it is killed.
    fn run(&self, tool: &Tool, args: &[&str], dice: &mut Random) -> Outcome {
        let tool = tool.repo(self.repo);
        if !(self.kill && tool.name() == "ours" && dice.below(3) == 0) {
            return tool.run(args);
        }
        let mut command = tool.command(args);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_micros(dice.below(40_000)));
        let _ = child.kill();
        let status = child.wait().unwrap();
        Outcome {
            line: args.join(" "),
            // One that was done already may have printed a commit that nobody read: as good as killed.
            code: if status.success() {
                137
            } else {
                status.code().unwrap_or(137)
            },
            stdout: String::new(),
            stderr: String::new(),
        }
    }

    fn expect_done(&self, tool: &Tool, outcome: &Outcome) -> bool {
        match outcome.code {
            0 => true,
            137 if self.kill => false,
            _ if own_race(tool, outcome) => false,
            _ => {
                self.complain(outcome.to_string());
                false
            }
        }
    }

    fn committer(&self, number: usize) {
        let tool = self.writers[number % self.writers.len()];
        let mut dice = Random::new(number as u64);
        let own = format!("work-{number}");
        for round in 0..rounds() {
            if self.over.load(Ordering::Relaxed) {
                return;
            }
            let branch = if dice.below(4) == 0 { "shared" } else { &own };
            let tree = self.scratch.path(format!("tree-{}", dice.below(TREES)));
            let time = format!("--timestamp=@{}", 1_700_000_000 + round * 10 + number);
            let (branch_arg, tree) = (format!("--branch={branch}"), tree_arg(&tree));
            let mut args = vec!["commit", &branch_arg, &time, &tree];
            match dice.below(4) {
                0 => args.push("--skip-if-unchanged"),
                1 => args.push("--link-checkout-speedup"),
                2 => args.push("--tree=ref=stable"),
                _ => {}
            }
            let outcome = self.run(tool, &args, &mut dice);
            if self.expect_done(tool, &outcome) {
                let id = outcome.stdout_trimmed();
                self.done
                    .lock()
                    .unwrap()
                    .entry(branch.to_owned())
                    .or_default()
                    .push(id);
            } else {
                // Killed after its ref was set, perhaps: what the branch is now is unknown.
                self.done
                    .lock()
                    .unwrap()
                    .entry(branch.to_owned())
                    .or_default()
                    .push("?".to_owned());
            }
            if dice.below(3) == 0 {
                let outcome = self.run(tool, &["refs", "--delete", &own], &mut dice);
                let mut done = self.done.lock().unwrap();
                let of_branch = done.entry(own.clone()).or_default();
                match outcome.code {
                    0 => of_branch.clear(),
                    _ => of_branch.push("?".to_owned()),
                }
                drop(done);
                self.expect_done(tool, &outcome);
            }
        }
    }

    fn pruner(&self, number: usize) {
        let tool = self.writers[(COMMITTERS + number) % self.writers.len()];
        let mut dice = Random::new(100 + number as u64);
        let rules: [&[&str]; 3] = [
            &["prune", "--refs-only", "--depth=0"],
            &["prune", "--refs-only"],
            &["prune", "--keep-younger-than=@1700000030"],
        ];
        while !self.over.load(Ordering::Relaxed) {
            let outcome = self.run(tool, rules[number % rules.len()], &mut dice);
            self.expect_done(tool, &outcome);
            std::thread::sleep(Duration::from_millis(dice.below(20)));
        }
    }

    fn reader(&self, number: usize) {
        let tool = self.readers[number % self.readers.len()].repo(self.repo);
        let to = self.scratch.path(format!("checkout-{number}"));
        let copy = self
            .scratch
            .init(&tool, &format!("copy-{number}"), "archive");
        let list = tool.ok(["ls", "-R", "-C", "stable"]);
        let mut round = 0;
        while !self.over.load(Ordering::Relaxed) {
            round += 1;
            let outcome = match (number + round) % 6 {
                0 => {
                    let outcome = tool.run(["checkout", "-U", "-C", "stable", text(&to)]);
                    if outcome.code == 0 {
                        let found = Snapshot::of(&to).unwrap().without_owners();
                        let differences = self.stable.1.differences(&found);
                        if !differences.is_empty() {
                            self.complain(format!("a checkout differs: {differences:?}"));
                        }
                        fs::remove_dir_all(&to).unwrap();
                    }
                    outcome
                }
                1 => {
                    let outcome = tool.run(["ls", "-R", "-C", "stable"]);
                    if outcome.code == 0 && outcome.stdout_trimmed() != list {
                        self.complain(format!("another listing:\n{outcome}"));
                    }
                    outcome
                }
                // The C tool takes no lock here: a commit may go while it looks at it.
                2 if tool.name() == "ours" => tool.run(["fsck", "-q"]),
                3 => tool
                    .repo(&copy)
                    .run(["pull-local", "--untrusted", text(self.repo), "stable"]),
                4 => tool.run(["summary", "-u"]),
                _ => {
                    let outcome = tool.run(["refs", "--list"]);
                    if outcome.code == 0 && !outcome.stdout.lines().any(|line| line == "stable") {
                        self.complain(format!("the branch is not listed:\n{outcome}"));
                    }
                    outcome
                }
            };
            if outcome.code != 0 && !own_race(&tool, &outcome) {
                self.complain(outcome.to_string());
            }
        }
        tool.repo(&copy).ok(["fsck", "-q"]);
    }

    /// What must hold when all is over.
    fn verdict(self, judges: [&Tool; 2]) {
        let complaints = self.complaints.into_inner().unwrap();
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
        for judge in judges {
            judge.repo(self.repo).ok(["fsck", "-q"]);
        }
        let ours = judges[0].repo(self.repo);
        for (branch, ids) in self.done.into_inner().unwrap() {
            let unknown = ids.iter().any(|id| id == "?");
            let now = ours.run(["rev-parse", &branch]);
            if unknown || ids.is_empty() {
                continue;
            }
            let now = now.expect_ok().stdout_trimmed();
            match branch.as_str() {
                // Of several writers one was last.
                "shared" => assert!(ids.contains(&now), "{branch} is {now}, of {ids:?}"),
                _ => assert_eq!(Some(&now), ids.last(), "{branch}"),
            }
        }
        assert_eq!(ours.ok(["rev-parse", "stable"]), self.stable.0);
        // What is left over is cleared away by those who come next: each takes over one folder of the many killed.
        for number in 0..20 {
            let tree = self.scratch.path(format!("tree-{}", number % TREES));
            commit(judges[0], self.repo, "last", &tree, &[]);
        }
        ours.ok(["prune", "--refs-only"]);
        ours.ok(["fsck", "-q"]);
        let left: Vec<_> = fs::read_dir(self.repo.join("tmp"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .filter(|name| name != "cache")
            .collect();
        assert!(left.is_empty(), "left in tmp: {left:?}");
        for entry in fs::read_dir(self.repo.join("refs/heads")).unwrap() {
            let name = entry.unwrap().file_name();
            assert!(
                !name.to_string_lossy().starts_with('.'),
                "left in refs/heads: {name:?}"
            );
        }
    }
}

/// Whether the C tool stumbled over itself or another: it crashes now and then, and fails where a ref, or the folder that
/// another stages in, goes between the listing and the opening, or when it finds the lock held each of the few times it
/// looks. That is not what is asked here.
fn own_race(tool: &Tool, outcome: &Outcome) -> bool {
    let lists = ["(staging-", "Listing refs", "Locking repo"]
        .iter()
        .any(|words| outcome.stderr.contains(words));
    let own = tool.name() == "C"
        && (outcome.code >= 128 || lists || outcome.line.contains(" summary -u"));
    if own {
        eprintln!("the C tool's own trouble:\n{outcome}");
    }
    own
}

/// Plays with the given tools, then has both judge.
fn play(mode: &str, staged: bool, with_c: bool, kill: bool) {
    if mode == "bare" && !root_or_skip() {
        return;
    }
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let repo = scratch.init(&ours, "repo", mode);
    if staged {
        ours.repo(&repo).ok(["config", "unset", "core.fsync"]);
    }
    let shape = |files| Shape {
        files,
        dirs: 12,
        max_size: 4000,
    };
    random::tree(&scratch.path("stable"), 77, shape(60)).unwrap();
    for number in 0..TREES {
        // Most of a tree is that of the others.
        let path = scratch.path(format!("tree-{number}"));
        random::tree(&path, 5, shape(80)).unwrap();
        random::tree(&path.join("own"), 500 + number, shape(20)).unwrap();
    }
    let id = commit(&ours, &repo, "stable", &scratch.path("stable"), &[]);
    let files = scratch.path("files");
    ours.repo(&repo)
        .ok(["checkout", "-U", "-C", "stable", text(&files)]);
    let files = Snapshot::of(&files).unwrap().without_owners();
    let play = Play {
        writers: if with_c {
            vec![&ours, &c, &ours]
        } else {
            vec![&ours]
        },
        readers: if with_c { vec![&ours, &c] } else { vec![&ours] },
        kill,
        repo: &repo,
        scratch: &scratch,
        stable: (id, files),
        over: AtomicBool::new(false),
        complaints: Mutex::default(),
        done: Mutex::default(),
    };
    std::thread::scope(|scope| {
        let play = &play;
        for number in 0..3 {
            scope.spawn(move || play.pruner(number));
        }
        for number in 0..2 {
            scope.spawn(move || play.reader(number));
        }
        let committers: Vec<_> = (0..COMMITTERS)
            .map(|number| scope.spawn(move || play.committer(number)))
            .collect();
        for committer in committers {
            let ended = committer.join();
            if ended.is_err() {
                play.complain("a committer panicked".to_owned());
            }
        }
        play.over.store(true, Ordering::Relaxed);
    });
    play.verdict([&ours, &c]);
}

#[test]
fn archive() {
    play("archive", true, false, false);
}

#[test]
fn bare_user_without_staging() {
    play("bare-user", false, false, false);
}

#[test]
fn bare() {
    play("bare", true, false, false);
}

#[test]
fn beside_the_c_tool() {
    play("bare-user", true, true, false);
}

#[test]
fn beside_the_c_tool_in_an_archive() {
    play("archive", false, true, false);
}

#[test]
fn killed() {
    play("archive", true, false, true);
}

#[test]
fn killed_without_staging() {
    play("bare-user", false, false, true);
}

#[test]
fn killed_beside_the_c_tool() {
    play("bare-user", true, true, true);
}
