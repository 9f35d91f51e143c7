//! SELinux labels, by a policy in a folder: the same as the C tool's. The kernel need not have SELinux.
//!
//! The C tool is compared in labels. Checksums are compared with 2026.4 only: 2022.7 stores attributes unsorted when it
//! adds a label.

use osier_conformance::{MODES, Scratch, TIMESTAMP, commit, pair, root_or_skip, text, tree_arg};
use osier_testkit::tool::Tool;
use osier_testkit::tree::Tree;
use osier_testkit::{skip, xattr};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const CONFIG: &str = "SELINUX=permissive\nSELINUXTYPE=test\n";

/// Writes a policy below `root`.
fn policy(root: &Path, config: &str, files: &[(&str, &str)]) -> PathBuf {
    let tree = Tree::existing(root);
    fs::create_dir_all(root).unwrap();
    tree.file("etc/selinux/config", config).unwrap();
    tree.file("etc/selinux/test/policy/policy.33", "binary")
        .unwrap();
    for (name, content) in files {
        let name = format!("etc/selinux/test/contexts/files/file_contexts{name}");
        tree.file(&name, content).unwrap();
    }
    root.to_owned()
}

fn is_current(c: &Tool) -> bool {
    let version = c.ok(["--version"]);
    ["2022.", "2023.", "2024.", "2025."]
        .iter()
        .all(|old| !version.contains(&format!("Version: '{old}")))
}

/// Each path's label, as `ls -X` shows it.
fn labels(tool: &Tool, repo: &Path, rev: &str) -> BTreeMap<String, String> {
    let listing = tool.repo(repo).ok(["ls", "-R", "-X", rev]);
    let line = |line: &str| {
        let (attributes, path) = line.rsplit_once(" } ").expect("a line of ls -X");
        let path = path.split(" -> ").next().unwrap_or(path);
        let label = attributes
            .split_once("'security.selinux', ")
            .and_then(|(_, rest)| rest.strip_prefix("b'"))
            .and_then(|rest| rest.split_once('\''))
            .map_or("", |(label, _)| label);
        (path.to_owned(), label.to_owned())
    };
    listing.lines().map(line).collect()
}

/// Commits with both tools and compares the labels; gives ours.
#[track_caller]
fn same(
    scratch: &Scratch,
    name: &str,
    mode: &str,
    tree: &Path,
    options: &[&str],
) -> BTreeMap<String, String> {
    let ours = Tool::ours();
    let our_repo = scratch.init(&ours, &format!("{name}-ours"), mode);
    let id = commit(&ours, &our_repo, "main", tree, options);
    let found = labels(&ours, &our_repo, "main");
    if let Some((_, c)) = pair() {
        let c_repo = scratch.init(&c, &format!("{name}-c"), mode);
        let theirs = commit(&c, &c_repo, "main", tree, options);
        assert_eq!(found, labels(&c, &c_repo, "main"), "{name}");
        if is_current(&c) {
            assert_eq!(id, theirs, "{name}");
        }
    }
    ours.repo(&our_repo).ok(["fsck", "-q"]);
    found
}

const CONTEXTS: &str = "\
/.*\tu:r:default:s0
/\t-d\tu:r:root:s0
/usr(/.*)?\tu:r:usr:s0
/usr/(s)?bin(/.*)?\tu:r:bin:s0
/usr/bin/bash\t--\tu:r:shell:s0
/usr/bin/sh\t-d\tu:r:never:s0
/usr/lib/[^/]+\\.so(\\.[0-9]+)*\t--\tu:r:lib:s0
/usr/lib/[^/]+\\.so(\\.[0-9]+)*\t-l\tu:r:liblink:s0
/etc(/.*)?\tu:r:etc:s0
/etc/shadow-?\t--\tu:r:shadow:s0
/mnt(/.*)?\tu:r:mnt:s0
/none(/.*)?\t<<none>>
/none/but\tu:r:but:s0
/proc\t<<none>>
/alt/a|/alt/b\t--\tu:r:alt:s0
";

fn full_policy(scratch: &Scratch) -> PathBuf {
    policy(
        &scratch.path("policy"),
        CONFIG,
        &[
            ("", CONTEXTS),
            (
                ".homedirs",
                "/home/[^/]+/.+\tu:r:home:s0\n/home/[^/]+\t-d\tu:r:homedir:s0\n",
            ),
            (".local", "/usr/bin/local.*\tu:r:local:s0\n"),
            (".subs", "/srv/web /usr/bin\n"),
            (".subs_dist", "/bin /usr/bin\n/lib64 /usr/lib\n"),
        ],
    )
}

/// Paths, and the labels that they must get.
const EXPECTED: [(&str, &str); 26] = [
    ("/", "u:r:root:s0"),
    ("/alt", "u:r:default:s0"),
    ("/alt/a", "u:r:alt:s0"),
    ("/alt/ax", "u:r:alt:s0"),
    ("/alt/c", "u:r:default:s0"),
    ("/bin/bash", "u:r:shell:s0"),
    ("/etc", "u:r:etc:s0"),
    ("/etc/passwd", "u:r:etc:s0"),
    ("/etc/shadow", "u:r:shadow:s0"),
    ("/home", "u:r:default:s0"),
    ("/home/me", "u:r:homedir:s0"),
    ("/home/me/x", "u:r:home:s0"),
    ("/lib64/libc.so.6", "u:r:lib:s0"),
    ("/none", ""),
    ("/none/but", "u:r:but:s0"),
    ("/none/x", ""),
    ("/proc", "u:r:mnt:s0"),
    ("/srv/web/bash", "u:r:shell:s0"),
    ("/usr/bin/bash", "u:r:shell:s0"),
    ("/usr/bin/localtool", "u:r:local:s0"),
    ("/usr/bin/sh", "u:r:bin:s0"),
    ("/usr/etc/shadow", "u:r:usr:s0"),
    ("/usr/lib/libx.so", "u:r:liblink:s0"),
    ("/usr/sbin", "u:r:bin:s0"),
    ("/zażółć", "u:r:default:s0"),
    ("/usr", "u:r:usr:s0"),
];

fn tree(root: &Path) -> Tree {
    let tree = Tree::create(root).unwrap();
    let build = || -> Result<(), Box<dyn std::error::Error>> {
        for name in [
            "alt/a",
            "alt/ax",
            "alt/c",
            "bin/bash",
            "etc/passwd",
            "etc/shadow",
            "home/me/x",
            "lib64/libc.so.6",
            "none/but",
            "none/x",
            "srv/web/bash",
            "usr/bin/bash",
            "usr/bin/localtool",
            "usr/etc/shadow",
            "zażółć",
        ] {
            tree.file(name, name)?;
        }
        tree.symlink("usr/bin/sh", "bash")?
            .symlink("usr/lib/libx.so", "libx.so.1")?
            .dir("usr/sbin", 0o755)?
            .dir("proc", 0o555)?
            .dir("mnt", 0o755)?;
        Ok(())
    };
    build().unwrap();
    tree
}

#[test]
fn labels_follow_the_policy() {
    let scratch = Scratch::new();
    let policy = full_policy(&scratch);
    let tree = tree(&scratch.path("tree"));
    let option = format!("--selinux-policy={}", text(&policy));
    for mode in MODES {
        if mode == "bare-user-only" || mode == "bare" && !skip::is_root() {
            continue;
        }
        let found = same(&scratch, mode, mode, tree.path(), &[&option]);
        for (path, label) in EXPECTED {
            assert_eq!(found[path], label, "{path} in {mode}");
        }
    }
    // Dropping attributes comes before labelling.
    for more in ["--no-xattrs", "--canonical-permissions", "--owner-uid=7"] {
        let found = same(&scratch, more, "archive", tree.path(), &[&option, more]);
        assert_eq!(found["/etc/shadow"], "u:r:shadow:s0");
    }
}

#[test]
fn other_attributes_and_old_labels() {
    if !root_or_skip() {
        return;
    }
    let scratch = Scratch::new();
    let policy = full_policy(&scratch);
    let tree = tree(&scratch.path("tree"));
    let old = "old_u:r:t:s0\0";
    for path in ["etc/shadow", "none/x", "none", "usr/bin/sh"] {
        tree.xattr(path, "security.selinux", old).unwrap();
    }
    tree.xattr("etc/shadow", "user.zed", "z").unwrap();
    tree.xattr("etc/shadow", "security.a", "a").unwrap();
    let option = format!("--selinux-policy={}", text(&policy));
    let found = same(&scratch, "kept", "bare", tree.path(), &[&option]);
    assert_eq!(found["/etc/shadow"], "u:r:shadow:s0");
    assert_eq!(found["/usr/bin/sh"], "u:r:bin:s0");
    // Where the policy has nothing to say, the old one stays,
    assert_eq!(found["/none/x"], "old_u:r:t:s0");
    // unless attributes are dropped.
    let options = [&*option, "--no-xattrs"];
    let found = same(&scratch, "dropped", "bare", tree.path(), &options);
    assert_eq!(found["/none/x"], "");
}

#[test]
fn labels_of_what_is_committed_already() {
    let scratch = Scratch::new();
    let policy = full_policy(&scratch);
    let tree = tree(&scratch.path("tree"));
    let ours = Tool::ours();
    let option = format!("--selinux-policy={}", text(&policy));
    let repo = scratch.init(&ours, "repo", "bare-user");
    commit(&ours, &repo, "plain", tree.path(), &[]);
    let args = ["commit", TIMESTAMP, "--orphan", "--no-bindings", &option];
    let from_ref = ours
        .repo(&repo)
        .ok([&args[..], &["--tree=ref=plain"]].concat());
    let from_dir = ours
        .repo(&repo)
        .ok([&args[..], &[&tree_arg(tree.path())]].concat());
    assert_eq!(from_ref, from_dir);
    if let Some((_, c)) = pair() {
        let theirs = c
            .repo(&repo)
            .ok([&args[..], &["--tree=ref=plain"]].concat());
        assert_eq!(
            labels(&ours, &repo, &theirs),
            labels(&ours, &repo, &from_ref)
        );
    }
}

#[test]
fn epochs() {
    let scratch = Scratch::new();
    let policy = full_policy(&scratch);
    let tree = tree(&scratch.path("tree"));
    tree.file("usr/etcetera/shadow", "x").unwrap();
    let policy = format!("--selinux-policy={}", text(&policy));
    for (epoch, shadow, dir) in [
        ("0", "u:r:usr:s0", "u:r:usr:s0"),
        ("1", "u:r:shadow:s0", "u:r:etc:s0"),
    ] {
        let option = format!("--selinux-labeling-epoch={epoch}");
        let mut ids = BTreeSet::new();
        let tools = std::iter::once(Tool::ours()).chain(pair().map(|(_, c)| c).filter(is_current));
        for tool in tools {
            let repo = scratch.init(&tool, &format!("{}-{epoch}", tool.name()), "archive");
            ids.insert(commit(
                &tool,
                &repo,
                "main",
                tree.path(),
                &[&policy, &option],
            ));
            let found = labels(&tool, &repo, "main");
            assert_eq!(found["/usr/etc/shadow"], shadow, "{}", tool.name());
            assert_eq!(found["/usr/etc"], dir, "{}", tool.name());
            assert_eq!(found["/usr/etcetera/shadow"], "u:r:usr:s0");
        }
        assert_eq!(ids.len(), 1);
    }
    let ours = Tool::ours();
    let repo = scratch.init(&ours, "bad", "archive");
    for (value, words) in [
        ("2", "Unknown SELinux labeling epoch: 2"),
        (
            "x",
            "Cannot parse integer value “x” for --selinux-labeling-epoch",
        ),
    ] {
        let epoch = format!("--selinux-labeling-epoch={value}");
        let args = ["commit", "-b", "x", &policy, &epoch, text(tree.path())];
        let error = ours.repo(&repo).fail(args);
        assert!(error.contains(words), "{error}");
    }
}

/// The policy inside the tree that is committed.
#[test]
fn policy_of_the_base() {
    let scratch = Scratch::new();
    let tree = tree(&scratch.path("tree"));
    policy(
        tree.path(),
        CONFIG,
        &[("", "/.* u:r:first:s0\n/x -l u:r:link:s0\n")],
    );
    let other = Tree::create(scratch.path("other")).unwrap();
    other.symlink("x", "y").unwrap();
    let stored = Tree::create(scratch.path("stored")).unwrap();
    let contexts = "/.* u:r:first:s0\n/x -l u:r:link:s0\n";
    policy(&stored.join("usr"), CONFIG, &[("", contexts)]);
    let stored = tree_arg(stored.path());
    let (tree, other) = (tree_arg(tree.path()), tree_arg(other.path()));
    if let Some((ours, c)) = pair() {
        let mut all = Vec::new();
        for tool in [&ours, &c] {
            let repo = scratch.init(tool, &format!("repo-{}", tool.name()), "bare-user");
            let run = |branch: &str, args: &[&str]| {
                let branch = format!("--branch={branch}");
                tool.repo(&repo)
                    .ok([&["commit", TIMESTAMP, &branch, "-P"], args].concat());
            };
            for (branch, tree) in [("plain", &tree), ("stored", &stored)] {
                let branch = format!("--branch={branch}");
                tool.repo(&repo).ok(["commit", TIMESTAMP, &branch, tree]);
            }
            run("dir", &[&tree]);
            run("two", &[&tree, &other]);
            run("reverse", &[&other, &tree]);
            let mut branches = vec!["dir", "two", "reverse"];
            // 2022.7 looks for the policy in folders only.
            if is_current(&c) {
                run("ref", &["--tree=ref=stored", &other]);
                run("base", &["--base=stored", &other]);
                // Of what is stored, usr/etc counts only.
                run("etc", &["--tree=ref=plain", &other]);
                branches.extend(["ref", "base", "etc"]);
            }
            let found: Vec<_> = branches
                .iter()
                .map(|branch| labels(tool, &repo, branch))
                .collect();
            assert_eq!(found[0]["/etc/passwd"], "u:r:first:s0", "{}", tool.name());
            assert_eq!(found[1]["/x"], "u:r:link:s0", "{}", tool.name());
            assert_eq!(found[2]["/etc/passwd"], "", "{}", tool.name());
            for (more, label) in found[3..].iter().zip(["u:r:link:s0", "u:r:link:s0", ""]) {
                assert_eq!(more["/x"], label, "{}", tool.name());
            }
            all.push(found);
            let error = tool
                .repo(&repo)
                .fail(["commit", "-b", "tar", "-P", "--tree=tar=x.tar"]);
            assert!(
                error.contains("Cannot use --selinux-policy-from-base with tar"),
                "{}: {error}",
                tool.name()
            );
        }
        assert_eq!(all[0], all[1]);
    }
}

#[test]
fn which_policies_are_in_force() {
    let scratch = Scratch::new();
    let tree = Tree::create(scratch.path("tree")).unwrap();
    tree.file("x", "x").unwrap();
    let contexts = [("", "/.* u:r:t:s0\n")];
    for (index, (config, labelled)) in [
        ("SELINUX=enforcing\nSELINUXTYPE=test\n", true),
        ("SELINUX=Permissive\nSELINUXTYPE=test  ", true),
        (
            "# x\n\nSELINUXTYPE=test\nSELINUX=enforcing\nSELINUX=disabled\n",
            true,
        ),
        ("SELINUX=disabled\nSELINUXTYPE=test\n", false),
        ("SELINUX= enforcing\nSELINUXTYPE=test\n", false),
        ("SELINUXTYPE=test\n", false),
        ("", false),
    ]
    .into_iter()
    .enumerate()
    {
        let policy = policy(&scratch.path(format!("policy-{index}")), config, &contexts);
        let option = format!("--selinux-policy={}", text(&policy));
        let found = same(
            &scratch,
            &format!("{index}"),
            "archive",
            tree.path(),
            &[&option],
        );
        assert_eq!(found["/x"] == "u:r:t:s0", labelled, "{config}");
    }
    // The folder of defaults, where a commit has it.
    let moved = policy(&scratch.path("moved"), CONFIG, &contexts);
    fs::create_dir(moved.join("usr")).unwrap();
    fs::rename(moved.join("etc"), moved.join("usr/etc")).unwrap();
    let option = format!("--selinux-policy={}", text(&moved));
    let found = same(&scratch, "moved", "archive", tree.path(), &[&option]);
    assert_eq!(found["/x"], "u:r:t:s0");
    // Nothing at all.
    fs::create_dir(scratch.path("nothing")).unwrap();
    let option = format!("--selinux-policy={}", text(&scratch.path("nothing")));
    let found = same(&scratch, "nothing", "archive", tree.path(), &[&option]);
    assert_eq!(found["/x"], "");
}

#[test]
fn policies_that_cannot_be_used() {
    let scratch = Scratch::new();
    let tree = Tree::create(scratch.path("tree")).unwrap();
    tree.file("x", "x").unwrap();
    let good = policy(&scratch.path("good"), CONFIG, &[("", "/.* u:r:t:s0\n")]);
    let no_contexts = policy(&scratch.path("no-contexts"), CONFIG, &[]);
    let no_root = policy(&scratch.path("no-root"), CONFIG, &[("", "/x u:r:t:s0\n")]);
    let no_binary = policy(
        &scratch.path("no-binary"),
        CONFIG,
        &[("", "/.* u:r:t:s0\n")],
    );
    fs::remove_file(no_binary.join("etc/selinux/test/policy/policy.33")).unwrap();
    let bad_line = policy(
        &scratch.path("bad-line"),
        CONFIG,
        &[("", "/.* u:r:t:s0\n/y\n")],
    );
    let tools = || std::iter::once(Tool::ours()).chain(pair().map(|(_, c)| c));
    for tool in tools() {
        let repo = scratch.init(&tool, &format!("repo-{}", tool.name()), "archive");
        for (root, words) in [
            (&scratch.path("missing"), "No such file or directory"),
            (&no_contexts, "No such file or directory"),
            (&no_root, "Failed to look up context of /"),
            (&no_binary, "Could not find binary policy file"),
            (&bad_line, "With policy root"),
        ] {
            let option = format!("--selinux-policy={}", text(root));
            let args = ["commit", "-b", "x", &option, text(tree.path())];
            let error = tool.repo(&repo).fail(args);
            assert!(error.contains(words), "{}: {error}", tool.name());
            osier_conformance::assert_names(
                &error,
                if tool.name() == "ours" {
                    text(root)
                } else {
                    ""
                },
            );
        }
        let option = format!("--selinux-policy={}", text(&good));
        let error = tool
            .repo(&repo)
            .fail(["commit", "-b", "x", "-P", &option, text(tree.path())]);
        assert!(
            error.contains("Cannot specify both --selinux-policy and --selinux-policy-from-base"),
            "{}: {error}",
            tool.name()
        );
    }
    // The C tool crashes over a missing name and follows one that leads out of the folder.
    let ours = Tool::ours();
    let repo = scratch.init(&ours, "repo", "archive");
    for (index, name) in [
        "",
        "SELINUXTYPE=\n",
        "SELINUXTYPE=../test\n",
        "SELINUXTYPE=..\n",
    ]
    .into_iter()
    .enumerate()
    {
        let config = format!("SELINUX=enforcing\n{name}");
        let root = policy(
            &scratch.path(format!("name-{index}")),
            &config,
            &[("", "/.* t\n")],
        );
        let option = format!("--selinux-policy={}", text(&root));
        let error = ours
            .repo(&repo)
            .fail(["commit", "-b", "x", &option, text(tree.path())]);
        assert!(error.contains("SELINUXTYPE"), "{error}");
    }
    // The C tool writes objects here that do not hash to their names.
    let repo = scratch.init(&ours, "user-only", "bare-user-only");
    let option = format!("--selinux-policy={}", text(&good));
    let error = ours
        .repo(&repo)
        .fail(["commit", "-b", "x", &option, text(tree.path())]);
    assert!(error.contains("cannot keep SELinux labels"), "{error}");
}

/// The label of each file below a folder, without the NUL that may end it.
fn on_disk(root: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(path) = open.pop() {
        let label = xattr::list(&path).unwrap().remove("security.selinux");
        let name = path.strip_prefix(root).unwrap().to_str().unwrap();
        let label = String::from_utf8(label.unwrap_or_default()).unwrap();
        found.insert(name.to_owned(), label.trim_end_matches('\0').to_owned());
        if fs::symlink_metadata(&path).unwrap().is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
        }
    }
    found
}

#[test]
fn labels_of_a_checkout() {
    if !root_or_skip() {
        return;
    }
    let scratch = Scratch::new();
    let contexts = "/.* u:r:default:s0\n/usr(/.*)? u:r:usr:s0\n/p(/.*)? u:r:p:s0\n/usr/f u:r:uf:s0\n/p/usr/f u:r:puf:s0\n/l -l u:r:l:s0\n";
    let policy = policy(&scratch.path("policy"), CONFIG, &[("", contexts)]);
    let option = format!("--selinux-policy={}", text(&policy));
    let tree = Tree::create(scratch.path("tree")).unwrap();
    tree.file("usr/f", "f").unwrap();
    tree.file("old", "old").unwrap().symlink("l", "x").unwrap();
    tree.xattr("old", "security.selinux", "u:r:old:s0\0")
        .unwrap();
    let ours = Tool::ours();
    // 2022.7 has the policy's label count more than the commit's.
    let c = pair().map(|(_, c)| c).filter(is_current);
    for mode in ["bare", "bare-user", "archive"] {
        let repo = scratch.init(&ours, mode, mode);
        commit(&ours, &repo, "main", tree.path(), &[]);
        let mut number = 0;
        let mut out = |tool: &Tool, options: &[&str]| {
            number += 1;
            let out = scratch.path(format!("{mode}-{number}"));
            tool.repo(&repo)
                .ok([&["checkout", &option], options, &["main", text(&out)]].concat());
            out
        };
        for options in [
            &[][..],
            &["-C"],
            &["--union"],
            &["--selinux-prefix=/p"],
            &["--selinux-prefix=/p/"],
            &["--subpath=/usr"],
            &["--subpath=/usr", "--selinux-prefix=/p"],
            &["--subpath=/usr/f"],
            &["--subpath=/usr/f", "--selinux-prefix=/p"],
            &["-U"],
        ] {
            let path = out(&ours, options);
            let found = on_disk(&path);
            if let Some(c) = &c {
                // Where the kernel has no SELinux, the C tool labels regular files only.
                for (name, label) in on_disk(&out(c, options)) {
                    if path.join(&name).symlink_metadata().unwrap().is_file() {
                        assert_eq!(found[&name], label, "{name} {options:?} {mode}");
                    }
                }
            }
            match options {
                [] => {
                    assert_eq!(found[""], "u:r:default:s0");
                    assert_eq!(found["usr"], "u:r:usr:s0");
                    assert_eq!(found["usr/f"], "u:r:uf:s0");
                    assert_eq!(found["l"], "u:r:l:s0");
                    // What the commit says counts more.
                    assert_eq!(found["old"], "u:r:old:s0");
                }
                ["--selinux-prefix=/p"] => {
                    assert_eq!(found[""], "u:r:p:s0");
                    assert_eq!(found["usr/f"], "u:r:puf:s0");
                }
                ["-U"] => assert!(found.values().all(String::is_empty)),
                _ => {}
            }
            if mode == "bare" {
                use std::os::unix::fs::MetadataExt;
                let files = walk_files(&path);
                assert!(files.iter().all(|f| f.metadata().unwrap().nlink() == 1));
            }
        }
    }
    // A path without a label: the C tool crashes.
    let sparse = self::policy(
        &scratch.path("sparse"),
        CONFIG,
        &[("", "/ -d u:r:root:s0\n/usr/f u:r:uf:s0\n/l <<none>>\n")],
    );
    let option = format!("--selinux-policy={}", text(&sparse));
    let out = scratch.path("sparse-out");
    let repo = ours.repo(scratch.path("bare"));
    repo.ok(["checkout", &option, "main", text(&out)]);
    let found = on_disk(&out);
    assert_eq!(found[""], "u:r:root:s0");
    assert_eq!(found["usr/f"], "u:r:uf:s0");
    assert_eq!((&*found["usr"], &*found["l"]), ("", ""));
    for tool in std::iter::once(&ours).chain(&c) {
        let repo = tool.repo(scratch.path("bare"));
        let error = repo.fail(["checkout", &option, "-H", "main", "x"]);
        assert!(error.contains("Cannot specify both --require-hardlinks and --force-copy"));
        let error = repo.fail(["checkout", "--selinux-prefix=/p", "main", "x"]);
        assert!(error.contains("Cannot specify --selinux-prefix without --selinux-policy"));
    }
}

fn walk_files(root: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        match path.symlink_metadata().unwrap() {
            m if m.is_dir() => files.extend(walk_files(&path)),
            m if m.is_file() => files.push(path),
            _ => {}
        }
    }
    files
}

/// Every path that Debian's policy names without a pattern, and some below each folder, as the type it names.
#[test]
fn debians_policy() {
    let contexts = Path::new("/etc/selinux/default/contexts/files/file_contexts");
    let Ok(contexts) = fs::read_to_string(contexts) else {
        skip::because("needs the policy of the Debian package selinux-policy-default");
        return;
    };
    if pair().is_none() {
        return;
    }
    let scratch = Scratch::new();
    let tree = Tree::create(scratch.path("tree")).unwrap();
    for line in contexts.lines().filter(|line| line.starts_with('/')) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        // The simplest path that fits, and one that may be below.
        let path = fields[0]
            .replace("(/.*)?", "/sub/x")
            .replace(".*", "any.z")
            .replace(".+", "some.z")
            .replace(['\\', '^', '$', '?', '(', ')', '+', '[', ']', '*'], "");
        let path = path.split('|').next().unwrap_or("").trim_matches('/');
        let below_file = Path::new(path).ancestors().skip(1).any(|above| {
            !above.as_os_str().is_empty()
                && tree
                    .join(above)
                    .symlink_metadata()
                    .is_ok_and(|m| !m.is_dir())
        });
        let odd = path.split('/').any(|part| matches!(part, "" | "." | ".."));
        let usable = !odd && !below_file;
        if !usable || tree.join(path).symlink_metadata().is_ok() {
            continue;
        }
        match fields[1] {
            "-d" => tree.dir(path, 0o755).map(drop),
            "-l" => tree.symlink(path, "target").map(drop),
            _ => tree.file(path, "").map(drop),
        }
        .unwrap();
    }
    let root = scratch.path("policy");
    fs::create_dir_all(root.join("etc")).unwrap();
    let copied = std::process::Command::new("cp")
        .args(["-a", "/etc/selinux", text(&root.join("etc"))])
        .status()
        .unwrap();
    assert!(copied.success());
    fs::write(
        root.join("etc/selinux/config"),
        "SELINUX=permissive\nSELINUXTYPE=default\n",
    )
    .unwrap();
    let option = format!("--selinux-policy={}", text(&root));
    let found = same(&scratch, "debian", "bare-user", tree.path(), &[&option]);
    assert!(found.len() > 3000, "{}", found.len());
    let kinds: BTreeSet<&String> = found.values().collect();
    assert!(kinds.len() > 1000, "{}", kinds.len());
}
