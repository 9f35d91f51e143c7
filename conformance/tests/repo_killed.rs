//! Our repository commands killed before every single call that changes the file system: at each of these moments both
//! tools find the repository whole, every ref is where it was or where it was to be, and the command works when it
//! is run again.
//!
//! `OSIER_KILL_EVERY=1` tries each call, the default every seventh.

use osier_conformance::{Scratch, TIMESTAMP, killed, text, tree_arg};
use osier_testkit::random::{self, Shape};
use osier_testkit::tool::Tool;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const SHAPE: Shape = Shape {
    files: 12,
    dirs: 3,
    max_size: 3000,
};

struct Lab {
    scratch: Scratch,
    tool: Tool,
    c: Option<Tool>,
}

impl Lab {
    fn new() -> Option<Lab> {
        Some(Lab {
            scratch: Scratch::new(),
            tool: killed::tool()?,
            c: Tool::c(),
        })
    }

    /// A repository with two commits on `main` and one on `other`.
    fn base(&self, mode: &str) -> PathBuf {
        let path = self.scratch.init(&self.tool, "base", mode);
        let repo = self.tool.repo(&path);
        for (number, branch) in ["main", "main", "other"].iter().enumerate() {
            let tree = self.tree(number as u64);
            repo.ok(["commit", "-b", branch, TIMESTAMP, &tree]);
        }
        // Durability is the question here.
        let config = path.join("config");
        let with = fs::read_to_string(&config).unwrap();
        fs::write(&config, with.replace("fsync=false\n", "")).unwrap();
        path
    }

    fn tree(&self, number: u64) -> String {
        let path = self.scratch.path(format!("tree-{number}"));
        if !path.exists() {
            random::tree(&path, number, SHAPE).unwrap();
        }
        tree_arg(&path)
    }

    fn refs(&self, path: &Path) -> BTreeMap<String, String> {
        let repo = self.tool.repo(path);
        repo.ok(["refs"])
            .lines()
            .map(|name| (name.to_owned(), repo.ok(["rev-parse", name])))
            .collect()
    }

    fn check(&self, path: &Path, what: &str) {
        for tool in [Some(&self.tool), self.c.as_ref()].into_iter().flatten() {
            let output = tool.repo(path).command(["fsck", "-q"]).output().unwrap();
            assert!(
                output.status.success(),
                "{what}: fsck: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
    }

    /// Kills the command everywhere, each time on a fresh copy of the repository.
    fn kill_everywhere(&self, mode: &str, args: &[&str]) {
        let base = self.base(mode);
        let what = format!("{mode} {args:?}");
        self.kill_each(&base, &what, |path| self.tool.repo(path).command(args));
        fs::remove_dir_all(&base).unwrap();
    }

    /// As [`Lab::kill_everywhere`], for what `command` does to a copy of `base`.
    fn kill_each(&self, base: &Path, label: &str, command: impl Fn(&Path) -> Command) {
        let before = self.refs(base);
        let fresh = || {
            let path = self.scratch.path("run");
            let _ = fs::remove_dir_all(&path);
            let copied = Command::new("cp").arg("-a").arg(base).arg(&path).status();
            assert!(copied.unwrap().success());
            path
        };
        let path = fresh();
        let run = |path: &Path| self.tool.finish(&mut command(path)).expect_ok();
        run(&path);
        let after = self.refs(&path);
        killed::everywhere(label, |number| {
            let path = fresh();
            let killed = killed::run(&command(&path), number);
            let what = format!("{label} killed at call {number}");
            self.check(&path, &what);
            let now = self.refs(&path);
            for name in before.keys().chain(after.keys()) {
                let value = now.get(name);
                assert!(
                    value == before.get(name) || value == after.get(name),
                    "{what}: {name} is {value:?}"
                );
            }
            if now == before {
                run(&path);
                assert_eq!(self.refs(&path), after, "{what}, run again");
                self.check(&path, &format!("{what}, run again"));
            }
            killed
        });
    }
}

#[test]
fn commit() {
    let Some(lab) = Lab::new() else { return };
    let tree = lab.tree(7);
    for mode in ["archive", "bare-user", "bare-user-only"] {
        lab.kill_everywhere(mode, &["commit", "-b", "main", TIMESTAMP, &tree]);
    }
}

#[test]
fn prune() {
    let Some(lab) = Lab::new() else { return };
    lab.kill_everywhere("archive", &["prune", "--refs-only", "--depth=0"]);
}

#[test]
fn pull_local() {
    let Some(lab) = Lab::new() else { return };
    let source = lab.scratch.init(&lab.tool, "source", "bare-user");
    let tree = lab.tree(8);
    lab.tool
        .repo(&source)
        .ok(["commit", "-b", "main", TIMESTAMP, &tree]);
    lab.kill_everywhere("archive", &["pull-local", text(&source), "main"]);
}

#[test]
fn refs_and_summary() {
    let Some(lab) = Lab::new() else { return };
    lab.kill_everywhere("archive", &["refs", "--create=new/name", "main"]);
    lab.kill_everywhere("archive", &["refs", "--delete", "other"]);
    lab.kill_everywhere("archive", &["summary", "--update"]);
    lab.kill_everywhere("archive", &["reset", "main", "main^"]);
}

#[test]
fn push_to_a_folder() {
    let Some(lab) = Lab::new() else { return };
    let base = lab.base("archive");
    let source = lab.scratch.init(&lab.tool, "source", "archive");
    let from = lab.tool.repo(&source);
    from.ok(["pull-local", text(&base)]);
    from.ok(["commit", "-b", "main", TIMESTAMP, &lab.tree(9)]);
    from.ok(["refs", "--create=new", "main"]);
    lab.kill_each(&base, "push", |path| {
        from.command(["push", "--jobs=1", &format!("file://{}", text(path))])
    });
}
