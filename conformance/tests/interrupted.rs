//! Killed, crowded and full: nothing is published half, and the next run works.

use osier_conformance::{
    Scratch, TIMESTAMP, both_ways, commit, pair, root_or_skip, text, tree_arg,
};
use osier_testkit::httpd::{Action, Rule, Server};
use osier_testkit::random::{self, Shape};
use osier_testkit::tool::Tool;
use osier_testkit::{repo, skip, sysroot, trees};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const SHAPE: Shape = Shape {
    files: 500,
    dirs: 50,
    max_size: 40_000,
};

fn start(command: &mut Command) -> Child {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Runs the command once to its end in place of `fresh(0)`, then again and again, killing it at ever later moments
/// spread over the time the first run took; after each kill `check` looks at what is left.
fn killed_at_many_moments(mut fresh: impl FnMut(u32) -> Command, mut check: impl FnMut(u32)) {
    const KILLS: u32 = 8;
    let started = Instant::now();
    assert!(start(&mut fresh(0)).wait().unwrap().success());
    let whole = started.elapsed();
    for number in 1..=KILLS {
        let mut child = start(&mut fresh(number));
        std::thread::sleep(whole * number / (KILLS + 1));
        child.kill().unwrap();
        child.wait().unwrap();
        check(number);
    }
}

/// Turns syncs on again: durability is the question here.
fn with_fsync(repo: &Path) {
    let config = repo.join("config");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("fsync=false\n", "")).unwrap();
}

fn no_leftovers(repo: &Path) {
    let left: Vec<String> = fs::read_dir(repo.join("tmp"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name != "cache")
        .collect();
    assert!(left.is_empty(), "left in tmp: {left:?}");
}

#[test]
fn a_commit_killed_at_any_moment() {
    for (killed, next) in both_ways() {
        let scratch = Scratch::new();
        random::tree(&scratch.path("tree"), 5, SHAPE).unwrap();
        let tree = tree_arg(&scratch.path("tree"));
        let repo_at = |number: u32| scratch.path(format!("repo-{number}"));
        let args = ["commit", "-b", "main", TIMESTAMP, &tree];
        killed_at_many_moments(
            |number| {
                let path = scratch.init(&killed, &format!("repo-{number}"), "archive");
                with_fsync(&path);
                killed.repo(path).command(args)
            },
            |number| {
                let path = repo_at(number);
                let repo = next.repo(&path);
                // Whatever was published is whole. The C tool moves objects into place in no order, and so may leave a
                // commit without its tree there, which nothing refers to.
                if killed.name() != "C" {
                    repo.ok(["fsck", "-q"]);
                }
                let expected = killed.repo(repo_at(0)).ok(["rev-parse", "main"]);
                if repo.ok(["refs"]) == "main" {
                    assert_eq!(repo.ok(["rev-parse", "main"]), expected);
                } else {
                    assert_eq!(repo.ok(args), expected);
                }
                repo.ok(["fsck", "-q"]);
                no_leftovers(&path);
                fs::remove_dir_all(&path).unwrap();
            },
        );
    }
}

#[test]
fn a_pull_local_killed_at_any_moment() {
    for (killed, next) in both_ways() {
        let scratch = Scratch::new();
        random::tree(&scratch.path("tree"), 6, SHAPE).unwrap();
        let source = scratch.init(&killed, "source", "bare-user");
        let checksum = commit(&killed, &source, "main", &scratch.path("tree"), &[]);
        let args = ["pull-local", text(&source), "main"];
        killed_at_many_moments(
            |number| {
                let path = scratch.init(&killed, &format!("repo-{number}"), "archive");
                with_fsync(&path);
                killed.repo(path).command(args)
            },
            |number| {
                let path = scratch.path(format!("repo-{number}"));
                let repo = next.repo(&path);
                repo.ok(["fsck", "-q"]);
                repo.ok(args);
                assert_eq!(repo.ok(["rev-parse", "main"]), checksum);
                repo.ok(["fsck", "-q"]);
                no_leftovers(&path);
                fs::remove_dir_all(&path).unwrap();
            },
        );
    }
}

#[test]
fn a_pull_killed_while_the_server_is_slow() {
    for (killed, next) in both_ways() {
        let scratch = Scratch::new();
        let source = scratch.init(&killed, "source", "archive");
        let tree = random::tree(
            &scratch.path("tree"),
            7,
            Shape {
                files: 200,
                dirs: 20,
                max_size: 20_000,
            },
        )
        .unwrap();
        let checksum = commit(&killed, &source, "main", tree.path(), &[]);
        let server = Server::serve(&source).unwrap();
        // The content of some objects never comes: the pull hangs in the middle until it is killed.
        server.fault(Rule::ending(".filez").skip(60).always(Action::Stall(1)));
        let path = scratch.init(&killed, "repo", "bare-user");
        with_fsync(&path);
        killed
            .repo(&path)
            .ok(["remote", "add", "--no-gpg-verify", "origin", &server.url()]);
        let mut child = start(&mut killed.repo(&path).command(["pull", "origin", "main"]));
        let deadline = Instant::now() + Duration::from_secs(60);
        let asked = |server: &Server| {
            server
                .paths()
                .iter()
                .filter(|path| path.ends_with(".filez"))
                .count()
        };
        while asked(&server) <= 60 {
            assert!(
                Instant::now() < deadline,
                "the pull asked for {} objects only",
                asked(&server)
            );
            assert!(child.try_wait().unwrap().is_none(), "the pull ended");
            std::thread::sleep(Duration::from_millis(10));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        server.clear_faults();
        server.clear_log();
        let repo = next.repo(&path);
        assert_eq!(repo.ok(["refs"]), "");
        repo.ok(["pull", "origin", "main"]);
        assert_eq!(repo.ok(["rev-parse", "origin:main"]), checksum);
        repo.ok(["fsck", "-q"]);
        no_leftovers(&path);
    }
}

#[test]
fn a_deploy_killed_at_any_moment() {
    if !root_or_skip() {
        return;
    }
    for (killed, next) in both_ways() {
        // Without it the C tool makes deployments that nothing can remove.
        let [killed, next] =
            [killed, next].map(|tool| tool.env("OSTREE_SYSROOT_DEBUG", "mutable-deployments"));
        let scratch = Scratch::new();
        let trees = ["1", "2"].map(|version| {
            let tree = trees::os(&scratch.path(format!("os-{version}")), version, version).unwrap();
            random::tree(
                &tree.join("usr/share"),
                8,
                Shape {
                    files: 600,
                    dirs: 60,
                    max_size: 8000,
                },
            )
            .unwrap();
            tree
        });
        let sysroot_arg = |number: u32| {
            format!(
                "--sysroot={}",
                text(&scratch.path(format!("sysroot-{number}")))
            )
        };
        killed_at_many_moments(
            |number| {
                let root = scratch.path(format!("sysroot-{number}"));
                fs::create_dir(&root).unwrap();
                killed.ok(["admin", "init-fs", text(&root)]);
                killed.ok(["admin", &sysroot_arg(number), "os-init", "willow"]);
                for tree in &trees {
                    commit(&killed, &root.join("ostree/repo"), "os", tree.path(), &[]);
                }
                killed.ok([
                    "admin",
                    &sysroot_arg(number),
                    "deploy",
                    "--os=willow",
                    "--karg=root=LABEL=x",
                    "os^",
                ]);
                killed.command(["admin", &sysroot_arg(number), "deploy", "--os=willow", "os"])
            },
            |number| {
                let root = scratch.path(format!("sysroot-{number}"));
                let arg = sysroot_arg(number);
                // The old deployment boots whatever happened: its entry is there with the kernel and root it names.
                let bootable = || {
                    let entries = sysroot::boot_entries(&root).unwrap();
                    assert!(!entries.is_empty());
                    for (name, entry) in &entries {
                        let field = |key: &str| {
                            let line = entry.lines().find_map(|line| line.strip_prefix(key));
                            line.unwrap_or_else(|| panic!("{name} has no {key}:\n{entry}"))
                                .trim()
                                .to_owned()
                        };
                        assert!(
                            root.join("boot")
                                .join(field("linux ").trim_start_matches('/'))
                                .is_file(),
                            "{entry}"
                        );
                        let options = field("options ");
                        let link = options
                            .split(' ')
                            .find_map(|option| option.strip_prefix("ostree=/"))
                            .unwrap();
                        assert!(
                            root.join(link).join("usr/lib/os-release").is_file(),
                            "{entry}"
                        );
                        assert!(root.join(link).join("etc/hosts").is_file(), "{entry}");
                    }
                    entries.len()
                };
                bootable();
                next.ok(["admin", &arg, "cleanup"]);
                next.ok(["admin", &arg, "deploy", "--os=willow", "os"]);
                assert!(bootable() >= 1);
                next.repo(root.join("ostree/repo")).ok(["fsck", "-q"]);
                fs::remove_dir_all(&root).unwrap();
            },
        );
    }
}

#[test]
fn two_writers_at_once() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let path = scratch.init(&ours, "repo", "archive");
    with_fsync(&path);
    let trees: Vec<_> = (0..4)
        .map(|number| scratch.path(format!("tree-{number}")))
        .collect();
    for (number, tree) in trees.iter().enumerate() {
        // Two seeds for four trees: half of the objects are written by two at the same moment.
        random::tree(
            tree,
            number as u64 % 2,
            Shape {
                files: 300,
                dirs: 30,
                max_size: 20_000,
            },
        )
        .unwrap();
    }
    let mut children: Vec<(Child, String)> = trees
        .iter()
        .enumerate()
        .map(|(number, tree)| {
            let tool: &Tool = if number % 2 == 0 { &ours } else { &c };
            let branch = format!("branch-{number}");
            let mut command =
                tool.repo(&path)
                    .command(["commit", "-b", &branch, TIMESTAMP, &tree_arg(tree)]);
            (start(&mut command), branch)
        })
        .collect();
    for (child, branch) in &mut children {
        assert!(child.wait().unwrap().success(), "{branch}");
    }
    for tool in [&ours, &c] {
        assert_eq!(tool.repo(&path).ok(["refs"]).lines().count(), 4);
        tool.repo(&path).ok(["fsck", "-q"]);
    }
    no_leftovers(&path);
}

#[test]
fn many_writers_of_one_branch() {
    let ours = Tool::ours();
    let scratch = Scratch::new();
    let path = scratch.init(&ours, "repo", "bare-user");
    random::tree(
        &scratch.path("tree"),
        3,
        Shape {
            files: 100,
            dirs: 10,
            max_size: 5000,
        },
    )
    .unwrap();
    let tree = tree_arg(&scratch.path("tree"));
    let mut children: Vec<Child> = (0..6)
        .map(|_| {
            start(
                &mut ours
                    .repo(&path)
                    .command(["commit", "-b", "main", TIMESTAMP, &tree]),
            )
        })
        .collect();
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    ours.repo(&path).ok(["fsck", "-q"]);
    ours.repo(&path).ok(["log", "main"]);
}

/// A small tmpfs, unmounted when dropped.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn mount(place: &'a Path, size: &str) -> Option<Self> {
        fs::create_dir(place).unwrap();
        let options = format!("size={size},mode=0755");
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "small"])
            .arg(place)
            .status();
        if !status.is_ok_and(|status| status.success()) {
            skip::because("tmpfs cannot be mounted here");
            return None;
        }
        Some(SmallDisk(place))
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

#[test]
fn a_full_disk() {
    if !root_or_skip() {
        return;
    }
    for (full, next) in both_ways() {
        let scratch = Scratch::new();
        let place = scratch.path("disk");
        let Some(_disk) = SmallDisk::mount(&place, "6M") else {
            return;
        };
        let path = scratch.init(&full, "disk/repo", "archive");
        full.repo(&path)
            .ok(["config", "set", "core.min-free-space-percent", "0"]);
        let small = trees::hard_links(&scratch.path("small")).unwrap();
        let first = commit(&full, &path, "main", small.path(), &[]);
        random::tree(
            &scratch.path("big"),
            4,
            Shape {
                files: 200,
                dirs: 5,
                max_size: 400_000,
            },
        )
        .unwrap();
        let args = [
            "commit",
            "-b",
            "main",
            TIMESTAMP,
            &tree_arg(&scratch.path("big")),
        ];
        let stderr = full.repo(&path).fail(args);
        assert!(stderr.contains("No space left on device"), "{stderr}");
        let repo = next.repo(&path);
        assert_eq!(repo.ok(["rev-parse", "main"]), first);
        repo.ok(["fsck", "-q"]);
        // Room comes back, and the same commit goes through.
        let remount = Command::new("mount")
            .args(["-o", "remount,size=200M"])
            .arg(&place)
            .status()
            .unwrap();
        assert!(remount.success());
        repo.ok(args);
        repo.ok(["fsck", "-q"]);
        no_leftovers(&path);
    }
}

#[test]
fn the_reserve_is_kept_free() {
    if !root_or_skip() {
        return;
    }
    let Some((ours, c)) = pair() else { return };
    for tool in [ours, c] {
        let scratch = Scratch::new();
        let place = scratch.path("disk");
        let Some(_disk) = SmallDisk::mount(&place, "20M") else {
            return;
        };
        let path = scratch.init(&tool, "disk/repo", "bare-user");
        tool.repo(&path)
            .ok(["config", "set", "core.min-free-space-percent", "60"]);
        let tree = scratch.path("big");
        fs::create_dir(&tree).unwrap();
        random::write_file(&tree.join("file"), 15_000_000, 1).unwrap();
        let stderr = tool
            .repo(&path)
            .fail(["commit", "-b", "main", TIMESTAMP, &tree_arg(&tree)]);
        assert!(
            stderr.contains("min-free-space-percent '60%' would be exceeded"),
            "{stderr}"
        );
        let names = repo::object_names(&path).unwrap();
        assert!(
            !names
                .iter()
                .any(|name| name.ends_with(".file") || name.ends_with(".commit")),
            "{names:?}"
        );
        assert_eq!(tool.repo(&path).ok(["refs"]), "");
    }
}

#[test]
fn commits_to_one_branch_at_once_follow_each_other() {
    const COMMITTERS: usize = 4;
    const EACH: usize = 6;
    // The C tool loses some of them: each of its commits follows what the branch was when it began.
    if osier_conformance::ours_is_c() {
        return;
    }
    let ours = Tool::ours();
    let scratch = Scratch::new();
    let path = scratch.init(&ours, "repo", "archive");
    std::thread::scope(|scope| {
        for committer in 0..COMMITTERS {
            let (ours, path, scratch) = (&ours, &path, &scratch);
            scope.spawn(move || {
                for number in 0..EACH {
                    let name = format!("tree-{committer}-{number}");
                    let tree = scratch.path(&name);
                    fs::create_dir(&tree).unwrap();
                    fs::write(tree.join(&name), &name).unwrap();
                    let tree = tree_arg(&tree);
                    ours.repo(path).ok(["commit", "-b", "main", &tree]);
                }
            });
        }
    });
    let log = ours.repo(&path).ok(["log", "main"]);
    let commits = log
        .lines()
        .filter(|line| line.starts_with("commit "))
        .count();
    assert_eq!(commits, COMMITTERS * EACH);
    ours.repo(&path).ok(["fsck", "-q"]);
}
