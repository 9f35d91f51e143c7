//! Every key of `config`: which values are taken, and what each changes.

use osier_conformance::{Scratch, TIMESTAMP, commit, pair, text, tree_arg};
use osier_testkit::snapshot::Snapshot;
use osier_testkit::tool::Tool;
use osier_testkit::{repo, skip};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Adds lines to a repository's config.
fn configure(repo: &Path, lines: &str) {
    let config = repo.join("config");
    let old = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{old}{lines}\n")).unwrap();
}

/// Exit code and what was said, without the paths that differ.
fn told(tool: &Tool, repo: &Path, args: &[&str]) -> (i32, String) {
    let outcome = tool.repo(repo).run(args);
    let mut stderr = outcome.stderr.trim_end().replace(text(repo), "REPO");
    // Ours names the object or file that something went wrong with.
    for what in ["Writing content object", "Writing metadata object"] {
        if let Some((before, after)) = stderr.split_once(what) {
            let cause = after.split_once(": ").map_or("", |(_, cause)| cause);
            stderr = format!("{before}{cause}");
        }
    }
    (outcome.code, stderr)
}

/// Values of each key, good and bad. The group is `[core]` unless named.
const VALUES: &[(&str, &[&str])] = &[
    ("repo_version", &["1", "2", "0", "", "x", "01"]),
    (
        "mode",
        &[
            "bare",
            "archive",
            "archive-z2",
            "bare-user",
            "bare-user-only",
            "Bare",
            "",
            "x",
        ],
    ),
    (
        "collection-id",
        &["org.example.Os", "nodots", "", "a..b", "1.2"],
    ),
    (
        "fsync",
        &[
            "true", "false", "1", "0", "yes", "no", "maybe", "", "True", " true ",
        ],
    ),
    ("per-object-fsync", &["true", "false", "x", ""]),
    ("locking", &["true", "false", "x"]),
    (
        "lock-timeout-secs",
        &["0", "-1", "300", "x", "", "1.5", "99999999999999999999"],
    ),
    ("auto-update-summary", &["true", "x"]),
    ("commit-update-summary", &["true", "x"]),
    ("no-deltas-in-summary", &["true", "x"]),
    ("indexed-deltas", &["true", "x"]),
    ("tombstone-commits", &["true", "x"]),
    ("disable-xattrs", &["true", "x"]),
    ("enable-uncompressed-cache", &["true", "x"]),
    ("add-remotes-config-dir", &["true", "false", "x"]),
    ("sign-verify-deltas", &["true", "x"]),
    ("archive", &["true", "false", "x"]),
    (
        "min-free-space-percent",
        &["0", "1", "99", "100", "-1", "x", "", "3 ", "3%"],
    ),
    (
        "min-free-space-size",
        &[
            "1MB",
            "0MB",
            "1GB",
            "1TB",
            "1KB",
            "MB",
            "",
            "x",
            "1 MB",
            "-1MB",
            "99999999999TB",
            "1mb",
            "1MBx",
        ],
    ),
    (
        "tmp-expiry-secs",
        &["0", "1", "86400", "-1", "x", "", "99999999999999999999999"],
    ),
    (
        "payload-link-threshold",
        &["-1", "0", "1000", "x", "", "99999999999999999999"],
    ),
    (
        "default-repo-finders",
        &[
            "config",
            "lan",
            "mount",
            "config;mount",
            "config;lan;mount;",
            "bogus",
            "config;bogus",
            "",
            ";",
        ],
    ),
    ("parent", &["", "/absent"]),
    (
        "[archive] zlib-level",
        &["1", "9", "0", "10", "-5", "x", "", "6.5"],
    ),
    ("[sysroot] readonly", &["true", "x"]),
    (
        "[sysroot] bootloader",
        &[
            "auto", "none", "grub2", "syslinux", "uboot", "zipl", "aboot", "bogus", "",
        ],
    ),
    ("[sysroot] boot-counting-tries", &["0", "5", "6", "-1", "x"]),
    ("[sysroot] bootprefix", &["true", "x"]),
    (
        "[sysroot] bls-append-except-default",
        &["a=b", "a=b;c=d", "nonsense", ""],
    ),
    (
        "[ex-integrity] composefs",
        &["yes", "no", "maybe", "true", "false", "1", "0", "x", ""],
    ),
    ("[ex-integrity] fsverity", &["yes", "no", "maybe", "x", ""]),
];

/// What the C tool has checked since: an older one is not asked.
const NEWER: &[(&str, &[&str])] = &[
    ("min-free-space-percent", &["-1", "x", "3 ", "3%"]),
    ("bootloader", &["aboot"]),
    ("boot-counting-tries", &["6", "-1", "x"]),
    ("bootprefix", &["x"]),
    ("composefs", &["x", ""]),
    ("fsverity", &["x", "", "yes"]),
];

/// Whether the C tool is too old to judge this value.
fn too_old(c: &Tool, key: &str, value: &str) -> bool {
    let version = c.ok(["--version"]);
    let old = !version.contains("Version: '2026") && !version.contains("Version: '2025");
    old && NEWER
        .iter()
        .any(|(name, values)| *name == key && values.contains(&value))
}

#[test]
fn values_are_taken_or_refused_alike() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let tree = scratch.path("tree");
    fs::create_dir(&tree).unwrap();
    let repos = [&ours, &c].map(|tool| (tool, scratch.init(&c, tool.name(), "bare-user")));
    let mut wrong = Vec::new();
    for (key, values) in VALUES {
        let (group, key) = key.split_once(' ').unwrap_or(("[core]", key));
        for value in values.iter().filter(|value| !too_old(&c, key, value)) {
            // New each time, as what is stored already needs no room.
            fs::write(tree.join("file"), format!("{group} {key} {value}")).unwrap();
            for args in [
                &["refs"][..],
                &[
                    "commit",
                    "--branch=b",
                    "--orphan",
                    TIMESTAMP,
                    "--subject=s",
                    &tree_arg(&tree),
                ],
            ] {
                let [our, c] = [0, 1].map(|at| {
                    let (tool, repo) = &repos[at];
                    let config = format!(
                        "[core]\nrepo_version=1\nmode=bare-user\n\n{group}\n{key}={value}\n"
                    );
                    fs::write(repo.join("config"), config).unwrap();
                    told(tool, repo, args)
                });
                if our != c {
                    wrong.push(format!(
                        "{group} {key}={value} {}\n  ours {our:?}\n  C    {c:?}",
                        args[0]
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A tree with one file.
fn small_tree(scratch: &Scratch) -> PathBuf {
    let tree = scratch.path("tree");
    fs::create_dir_all(tree.join("dir")).unwrap();
    fs::write(tree.join("dir/file"), "content\n".repeat(500)).unwrap();
    tree
}

#[test]
fn parent_lends_objects_and_refs() {
    let Some((ours, c)) = pair() else { return };
    for (writer, reader) in [(&ours, &c), (&c, &ours), (&ours, &ours)] {
        let scratch = Scratch::new();
        let tree = small_tree(&scratch);
        let parent = scratch.init(writer, "parent", "bare");
        let id = commit(writer, &parent, "lent", &tree, &[]);
        let own = scratch.init(writer, "own", "bare");
        configure(&own, &format!("parent={}", text(&parent)));
        let asked = [
            &["rev-parse", "lent"][..],
            &["rev-parse", &id[..8]],
            &["ls", "-R", "lent"],
            &["cat", "lent", "/dir/file"],
            &["log", "lent"],
            &["show", &id],
            &["refs"],
            &["rev-parse", "absent"],
        ];
        for args in asked {
            let [ours, c] = [&ours, &c].map(|tool| {
                let outcome = tool.repo(&own).run(args);
                (outcome.code, outcome.stdout)
            });
            assert_eq!(ours, c, "{args:?}");
        }
        let copy = scratch.path("copy");
        reader.repo(&own).ok(["checkout", "lent", text(&copy)]);
        assert!(copy.join("dir/file").is_file());
        // What the parent has is written again here all the same.
        commit(reader, &own, "mine", &tree, &["--parent=none"]);
        let [ours, c] = [&ours, &c].map(|tool| tool.repo(&own).ok(["fsck", "-q"]));
        assert_eq!(ours, c);
        assert!(repo::first_object(&own, "file").is_ok());
    }
}

#[test]
fn parents_in_a_circle_are_an_error() {
    let Some((ours, _)) = pair() else { return };
    let scratch = Scratch::new();
    let (a, b) = (
        scratch.init(&ours, "a", "bare"),
        scratch.init(&ours, "b", "bare"),
    );
    configure(&a, &format!("parent={}", text(&b)));
    configure(&b, &format!("parent={}", text(&a)));
    if !osier_conformance::ours_is_c() {
        ours.repo(&a).fail(["refs"]);
    }
}

#[test]
fn locks_are_waited_for_and_given_up() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let tree = small_tree(&scratch);
    let commit = [
        "commit",
        "--branch=b",
        "--subject=s",
        TIMESTAMP,
        &tree_arg(&tree),
    ];
    // Held by a third program, as any of both tools would.
    const HOLD: &str = "import fcntl,sys,time\nf=open(sys.argv[1],'a+')\n\
        fcntl.lockf(f,getattr(fcntl,sys.argv[2]))\nprint('held',flush=True)\nsys.stdin.read()";
    for (lock, args) in [
        ("LOCK_EX", &commit[..]),
        ("LOCK_EX", &["prune"]),
        ("LOCK_SH", &["prune"]),
        ("LOCK_EX", &["summary", "-u"]),
        ("LOCK_EX", &["refs"]),
    ] {
        let told = [&ours, &c].map(|tool| {
            let path = scratch.path("repo");
            let path = {
                let _ = fs::remove_dir_all(&path);
                scratch.init(&c, "repo", "bare-user")
            };
            configure(&path, "lock-timeout-secs=1");
            tool.repo(&path).ok(commit);
            let mut holder = Command::new("python3")
                .args(["-c", HOLD])
                .arg(path.join(".lock"))
                .arg(lock)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut line = String::new();
            BufReader::new(holder.stdout.take().unwrap())
                .read_line(&mut line)
                .unwrap();
            let refused = told(tool, &path, args);
            // Without locking nobody waits.
            let config = fs::read_to_string(path.join("config")).unwrap();
            fs::write(path.join("config"), format!("{config}locking=false\n")).unwrap();
            let unlocked = told(tool, &path, args);
            fs::write(
                path.join("config"),
                config.replace("lock-timeout-secs=1", "lock-timeout-secs=-1"),
            )
            .unwrap();
            // It waits for as long as it takes: until the holder ends.
            let mut waiting = tool
                .repo(&path)
                .command(args)
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            drop(holder.stdin.take());
            holder.wait().unwrap();
            (refused, unlocked, waiting.wait().unwrap().code())
        });
        assert_eq!(told[0], told[1], "{lock} {args:?}");
        assert_eq!(
            told[0].0.0 != 0,
            args != ["refs"],
            "{lock} {args:?}: {told:?}"
        );
    }
}

#[test]
fn leftovers_go_when_they_are_old_enough() {
    let Some((ours, c)) = pair() else { return };
    for (setting, expected) in [
        ("", &["new", "future"][..]),
        ("tmp-expiry-secs=100000000", &["new", "old", "future"]),
        ("tmp-expiry-secs=0", &["future"]),
        ("tmp-expiry-secs=-1", &["new", "old", "future"]),
    ] {
        let left = [&ours, &c].map(|tool| {
            let scratch = Scratch::new();
            let tree = small_tree(&scratch);
            let path = scratch.init(&c, "repo", "bare-user");
            configure(&path, setting);
            let now = std::time::SystemTime::now();
            let day = Duration::from_secs(86_400);
            for (name, time) in [
                ("new", now - day / 24),
                ("old", now - day * 3),
                ("future", now + day),
            ] {
                let place = path.join("tmp").join(name);
                fs::create_dir(&place).unwrap();
                fs::write(place.join("inside"), "").unwrap();
                fs::File::open(&place).unwrap().set_modified(time).unwrap();
            }
            commit(tool, &path, "b", &tree, &[]);
            ["new", "old", "future"].map(|name| path.join("tmp").join(name).exists())
        });
        assert_eq!(left[0], left[1], "{setting}");
        assert_eq!(
            left[0],
            ["new", "old", "future"].map(|name| expected.contains(&name)),
            "{setting}"
        );
    }
}

#[test]
fn settings_of_writing_give_the_same_repository() {
    let Some((ours, c)) = pair() else { return };
    for (mode, setting) in [
        ("bare-user", "fsync=false"),
        ("bare-user", "fsync=true"),
        ("bare-user", "per-object-fsync=true"),
        ("archive", "per-object-fsync=true"),
        ("bare", "disable-xattrs=true"),
        ("bare-user", "disable-xattrs=true"),
        ("archive", "disable-xattrs=true"),
        ("bare-user", "tombstone-commits=true"),
        ("bare-user", "auto-update-summary=true"),
        ("bare-user", "commit-update-summary=true"),
        ("bare-user", "min-free-space-size=1MB"),
        ("archive", "collection-id=org.example.Os"),
    ] {
        if mode == "bare" && !osier_conformance::root_or_skip() {
            continue;
        }
        let scratch = Scratch::new();
        let tree = small_tree(&scratch);
        let _ = osier_testkit::xattr::set(&tree.join("dir/file"), "user.k", b"v");
        let ids = [&ours, &c].map(|tool| {
            let path = scratch.path(tool.name());
            c.repo(&path).ok(["init", &format!("--mode={mode}")]);
            configure(&path, setting);
            let first = commit(tool, &path, "main", &tree, &[]);
            let second = commit(tool, &path, "main", &tree, &["--add-metadata-string=n=2"]);
            tool.repo(&path).ok(["reset", "main", &first]);
            tool.repo(&path)
                .ok(["prune", &format!("--delete-commit={second}")]);
            tool.repo(&path).ok(["fsck", "-q"]);
            [first, second]
        });
        assert_eq!(ids[0], ids[1], "{mode} {setting}");
        // Times in summaries differ.
        let keep = |path: &Path| {
            !path.starts_with("tmp") && path != Path::new("summary") && path != Path::new(".lock")
        };
        let [our, c] = [&ours, &c].map(|tool| {
            let path = scratch.path(tool.name());
            (
                object_list(&path),
                Snapshot::filtered(&path, keep).unwrap().len(),
                path.join("summary").exists(),
            )
        });
        assert_eq!(our, c, "{mode} {setting}");
    }
}

fn object_list(path: &Path) -> Vec<String> {
    repo::object_names(path).unwrap()
}

#[test]
fn syncing_is_what_the_settings_say() {
    let Some((ours, c)) = pair() else { return };
    for (setting, synced) in [
        ("", true),
        ("fsync=false", false),
        ("per-object-fsync=true", true),
    ] {
        for tool in [&ours, &c] {
            let scratch = Scratch::new();
            let tree = small_tree(&scratch);
            let path = scratch.path("repo");
            c.repo(&path).ok(["init", "--mode=bare-user"]);
            configure(&path, setting);
            let log = scratch.path("log");
            let commit = tool.repo(&path).command([
                "commit",
                "--branch=b",
                "--subject=s",
                TIMESTAMP,
                &tree_arg(&tree),
            ]);
            let traced = Command::new("strace")
                .args([
                    "-f",
                    "-qq",
                    "-e",
                    "trace=syncfs,fsync,fdatasync",
                    "-o",
                    text(&log),
                ])
                .arg(commit.get_program())
                .args(commit.get_args())
                .output();
            let Ok(traced) = traced else {
                skip::because("strace is not installed");
                return;
            };
            assert!(traced.status.success(), "{traced:?}");
            let log = fs::read_to_string(&log).unwrap();
            assert_eq!(
                log.contains("syncfs("),
                synced,
                "{} {setting}: {log}",
                tool.name()
            );
            if !synced {
                assert!(
                    !log.contains("fsync(") && !log.contains("fdatasync("),
                    "{} {setting}: {log}",
                    tool.name()
                );
            }
        }
    }
}

#[test]
fn the_uncompressed_cache_can_be_switched_off() {
    let Some((ours, c)) = pair() else { return };
    for (setting, used) in [
        ("", true),
        ("enable-uncompressed-cache=true", true),
        ("enable-uncompressed-cache=false", false),
    ] {
        for tool in [&ours, &c] {
            let scratch = Scratch::new();
            let tree = small_tree(&scratch);
            let path = scratch.init(&c, "repo", "archive");
            commit(&c, &path, "b", &tree, &[]);
            configure(&path, setting);
            tool.repo(&path)
                .ok(["checkout", "-U", "b", text(&scratch.path("copy"))]);
            let cached = fs::read_dir(path.join("uncompressed-objects-cache"))
                .is_ok_and(|mut d| d.next().is_some());
            assert_eq!(cached, used, "{} {setting}", tool.name());
        }
    }
}

#[test]
fn compression_levels_are_clamped() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let tree = scratch.path("tree");
    fs::create_dir(&tree).unwrap();
    let words: String = (0..20_000u32)
        .map(|n| format!("{} ", n.wrapping_mul(2_654_435_761) % 1000))
        .collect();
    fs::write(tree.join("file"), words).unwrap();
    for tool in [&ours, &c] {
        let size = |level: &str| {
            let path = scratch.init(&c, &format!("{}{level}", tool.name()), "archive");
            configure(&path, &format!("\n[archive]\nzlib-level={level}"));
            commit(tool, &path, "b", &tree, &[]);
            ours.repo(&path).ok(["fsck", "-q"]);
            fs::metadata(repo::first_object(&path, "filez").unwrap())
                .unwrap()
                .len()
        };
        let sizes: Vec<u64> = ["-5", "0", "1", "9", "10", "100"].map(size).to_vec();
        assert!(
            // Below zero is beyond all bounds.
            sizes[0] == sizes[3] && sizes[1] == sizes[2],
            "{} {sizes:?}",
            tool.name()
        );
        assert!(
            sizes[3] == sizes[4] && sizes[4] == sizes[5],
            "{} {sizes:?}",
            tool.name()
        );
        assert!(sizes[2] > sizes[3], "{} {sizes:?}", tool.name());
    }
}
