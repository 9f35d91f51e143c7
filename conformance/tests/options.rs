//! Each option of each command, with and without it: both tools must do the same, and the option must do something.
//!
//! A line is a command as typed in the folder that [`prepare`] fills, the option in brackets. `quiet` lines are of options
//! that change nothing that can be seen afterwards.

use osier_conformance::sequences::disks;
use osier_conformance::{Scratch, pair, root_or_skip};
use osier_testkit::repo::object_names;
use osier_testkit::tool::{Outcome, Tool};
use osier_testkit::tree::Tree;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Options that other tests compare: archives in `tar.rs`, labels in `selinux.rs`, images in `composefs.rs`, signatures in
/// `gpg.rs` and `sign.rs`. The editor is below, standard input in `sequences.rs`.
const ELSEWHERE: [&str; 23] = [
    "--tar-autocreate-parents",
    "--tar-pathname-filter",
    "--selinux-policy",
    "--selinux-policy-from-base",
    "--selinux-labeling-epoch",
    "--selinux-prefix",
    "--generate-composefs-metadata",
    "--composefs",
    "--composefs-noverity",
    "--gpg-sign",
    "--gpg-homedir",
    "--gpg-verify",
    "--gpg-verify-summary",
    "--gpg-verify-remote",
    "--sign",
    "--sign-from-file",
    "--sign-type",
    "--editor",
    "--from-stdin",
    "--require-static-deltas",
    "--repo",
    "--help",
    "--version",
];

const LINES: &[&str] = &[
    "commit --branch=new --timestamp=@5 [--parent={main}] t",
    "commit --branch=new --timestamp=@5 [--subject=hello] t",
    "commit --branch=new --timestamp=@5 [--body=hello] t",
    "commit --branch=new --timestamp=@5 [--body-file=message] t",
    "commit --orphan --timestamp=@5 [--branch=new] t",
    "commit --timestamp=@5 [--orphan] t",
    "commit --branch=new --timestamp=@5 [--no-bindings] t",
    "commit --branch=new --timestamp=@5 [--bind-ref=zz] t",
    "commit --branch=new --timestamp=@5 [--base=main] --tree=dir=u",
    "commit --branch=new --timestamp=@5 --tree=dir=t [--tree=dir=u]",
    "commit --branch=new --timestamp=@5 [--add-metadata-string=k=v] t",
    "commit --branch=new --timestamp=@5 [--add-metadata=k=['v']] t",
    "commit --branch=main --timestamp=@5 [--keep-metadata=version] t",
    "commit --branch=new --timestamp=@5 [--add-detached-metadata-string=k=v] t",
    "commit --branch=new --timestamp=@5 [--owner-uid=5] t",
    "commit --branch=new --timestamp=@5 [--owner-gid=5] t",
    "commit --branch=new --timestamp=@5 [--canonical-permissions] t",
    "commit --branch=new --timestamp=@5 [--bootable] t",
    "commit --branch=new --timestamp=@5 [--mode-ro-executables] t",
    "commit --branch=new --timestamp=@5 [--no-xattrs] t",
    "commit --branch=new --timestamp=@5 --table-output [--link-checkout-speedup] linked",
    "commit --branch=new --timestamp=@5 --table-output [--devino-canonical] linked",
    "commit --branch=new --timestamp=@5 --owner-uid=9 [-I] linked",
    "commit --branch=main --timestamp=@5 [--skip-if-unchanged] --tree=ref=main",
    "commit --branch=new --timestamp=@5 [--statoverride=statoverride] t",
    "commit --branch=new --timestamp=@5 [--skip-list=skiplist] t",
    "commit --branch=new --timestamp=@5 [--consume] --tree=dir=t",
    "commit --branch=new --timestamp=@5 [--table-output] t",
    // Sizes are of compressed objects: there are some in an archive only, see below.
    "quiet commit --branch=new --timestamp=@5 [--generate-sizes] t",
    "quiet commit --branch=new --timestamp=@5 [--fsync=false] t",
    "commit --branch=new --timestamp=@5 [--timestamp=@7] t",
    "checkout [--user-mode] main out",
    "checkout [-U] main out",
    "--repo=archive checkout -U [--disable-cache] main out",
    "checkout [--subpath=/d] main out",
    "checkout [--union] dev copy",
    "checkout [--union-add] dev copy",
    "checkout -H [--union-identical] main linked",
    "checkout [--whiteouts] dev out",
    "checkout [--process-passthrough-whiteouts] dev out",
    "checkout --subpath=/nope [--allow-noent] main out",
    "checkout [--from-file=list] out",
    "quiet checkout [--fsync=false] main out",
    "checkout -U [--require-hardlinks] main out",
    "checkout [--force-copy] main out",
    "checkout [--bareuseronly-dirs] main out",
    "checkout [--skip-list=files] main out",
    "checksum [--ignore-xattrs] t/attributed",
    "config get [--group=core] mode",
    "diff [--stats] main^ main",
    "diff --stats [--fs-diff] main^ main",
    "diff [--no-xattrs] plain ./t",
    "diff --owner-gid=0 [--owner-uid=0] plain ./t",
    "diff --owner-uid=0 [--owner-gid=0] plain ./t",
    "quiet export [--no-xattrs] main",
    "export [--subpath=/d] main",
    "export [--prefix=p/] main",
    "export [--output=out.tar] main",
    "--repo=shallow fsck [--add-tombstones]",
    "fsck [--quiet]",
    "--repo=damaged fsck [--all]",
    "--repo=damaged fsck [--delete]",
    "fsck [--verify-bindings]",
    "fsck [--verify-back-refs]",
    "--repo=new init [--mode=archive]",
    "--repo=new init [--collection-id=org.example.Os]",
    "log [--raw] main",
    "ls [--dironly] main /d",
    "ls [--recursive] main",
    "ls [--checksum] main",
    "ls [--xattrs] main",
    "ls [--nul-filenames-only] main",
    "prune --refs-only --depth=0 [--no-prune]",
    "prune --depth=0 [--refs-only]",
    "prune --refs-only [--depth=0]",
    "prune [--delete-commit={main^}]",
    "prune [--keep-younger-than=@150]",
    "prune --delete-commit={main^} [--static-deltas-only]",
    "prune --refs-only --depth=0 [--retain-branch-depth=main=1]",
    "prune --refs-only --depth=0 [--only-branch=dev]",
    "prune --refs-only --depth=0 [--commit-only]",
    "--repo=empty pull-local [--commit-metadata-only] r main",
    "--repo=empty pull-local [--remote=o] r main",
    "quiet --repo=empty pull-local [--disable-fsync] r main",
    "quiet --repo=empty pull-local [--per-object-fsync] r main",
    "quiet --repo=empty pull-local [--disable-static-deltas] r main",
    "--repo=bare pull-local [--untrusted] damaged main",
    "--repo=empty pull-local [--bareuseronly-files] r main",
    "--repo=empty pull-local [--disable-verify-bindings] r other",
    "--repo=empty pull-local [--depth=-1] r main",
    "refs [--delete] other",
    "refs [--list] os",
    "refs [--revision]",
    "refs [--alias]",
    "refs --create=al [--alias] main",
    "refs [--create=new] main",
    "--repo=collection refs [--collections]",
    "refs --create=other [--force] dev",
    "--repo=shallow rev-parse [--single]",
    "show [--print-related] main",
    "show [--print-variant-type=a{sv}] variant",
    "show [--list-metadata-keys] main",
    "show [--print-metadata-key=version] main",
    "show --print-metadata-key=bytes [--print-hex] main",
    "show [--list-detached-metadata-keys] main",
    "show [--print-detached-metadata-key=note] main",
    "show [--print-sizes] sized",
    "show [--raw] main",
    "show --print-metadata-key=number [--no-byteswap] main",
    "summary [--update]",
    "summary [--view]",
    "summary [--raw]",
    "summary [--list-metadata-keys]",
    "summary [--print-metadata-key=ostree.summary.mode]",
    "summary -u [--add-metadata=k='v']",
];

/// Fills a folder with trees, lists and repositories made by `tool`.
fn prepare(tool: &Tool, root: &Path) {
    let t = Tree::create(root.join("t")).unwrap();
    t.dir("d", 0o1777).unwrap();
    for (path, content) in [
        ("f", "1"),
        ("x", "2"),
        ("d/g", "3"),
        ("attributed", "4"),
        ("suid", "5"),
    ] {
        t.file(path, content).unwrap();
    }
    t.file("usr/lib/modules/6.1/vmlinuz", "kernel").unwrap();
    t.symlink("link", "f").unwrap();
    t.owner("f", 1, 2).unwrap();
    t.mode("x", 0o755).unwrap().mode("suid", 0o4755).unwrap();
    t.xattr("attributed", "user.a", "b").unwrap();
    let u = Tree::create(root.join("u")).unwrap();
    u.file("f", "another").unwrap();
    u.file("new", "new").unwrap();
    u.file("d/.wh.g", "").unwrap();
    u.file(".ostree-wh.z", "").unwrap();
    for (name, text) in [
        ("message", "subject\n\nbody\n"),
        ("statoverride", "=384 /x\n"),
        ("skiplist", "/d\n"),
        ("files", "/f\n"),
        ("list", "main\0/d\0"),
        ("variant", ""),
    ] {
        fs::write(root.join(name), text).unwrap();
    }
    for (repo, mode) in [
        ("r", "bare"),
        ("archive", "archive"),
        ("empty", "bare"),
        ("bare", "bare"),
        ("damaged", "bare"),
        ("shallow", "archive"),
        ("collection", "archive"),
    ] {
        run(tool, root, &format!("--repo={repo} init --mode={mode}"), 0);
    }
    for line in [
        "commit -b main --timestamp=@100 --tree=dir=u",
        "commit -b main --timestamp=@200 --add-metadata-string=version=7 --add-metadata=bytes=b'ab' --add-metadata=number=uint64~5 --add-detached-metadata-string=note=x t",
        "commit -b dev --timestamp=@300 --tree=dir=t --tree=dir=u",
        "commit -b plain --timestamp=@300 --no-xattrs --owner-uid=0 --owner-gid=0 t",
        "commit -b sized --timestamp=@300 --generate-sizes u",
        "commit -b os/stable --timestamp=@300 u",
        "refs --create=other main",
        "refs --create=nick -A main",
        "checkout main linked",
        "checkout -C main copy",
        "--repo=archive pull-local r main",
        "--repo=damaged pull-local r main",
        "--repo=shallow pull-local r main",
        "--repo=collection config set core.collection-id org.example.Os",
        "--repo=collection commit -b c --timestamp=@9 u",
        "summary -u",
    ] {
        run(tool, root, line, 0);
    }
    // Two damaged files.
    let damaged = root.join("damaged");
    let files: Vec<String> = object_names(&damaged).unwrap();
    let files = files.iter().filter(|name| name.ends_with(".file"));
    let mut regular: Vec<PathBuf> = files
        .map(|name| damaged.join("objects").join(name))
        .collect();
    regular.retain(|path| path.symlink_metadata().unwrap().is_file());
    for path in &regular[..2] {
        // A new file: the object is a hard link to that of `r`.
        let bytes = fs::read(path).unwrap();
        let mode = fs::metadata(path).unwrap().permissions();
        fs::remove_file(path).unwrap();
        fs::write(path, [bytes, b"x".to_vec()].concat()).unwrap();
        fs::set_permissions(path, mode).unwrap();
    }
}

/// Runs a line in `root`; on `r` where it names no repository. A tilde is a space inside an argument.
fn run(tool: &Tool, root: &Path, line: &str, code: i32) -> Outcome {
    let outcome = attempt(tool, root, line);
    assert_eq!(outcome.code, code, "{outcome}");
    outcome
}

fn attempt(tool: &Tool, root: &Path, line: &str) -> Outcome {
    let mut args: Vec<String> = line.split(' ').map(|word| word.replace('~', " ")).collect();
    if !line.starts_with("--repo=") && !line.starts_with("checksum") {
        args.insert(0, "--repo=r".to_owned());
    }
    for arg in &mut args {
        for (name, rev) in [("{main}", "main"), ("{main^}", "main^")] {
            if arg.contains(name) {
                let mut parse = tool.command(["--repo=r", "rev-parse", rev]);
                let id = tool.finish(parse.current_dir(root)).expect_ok();
                *arg = arg.replace(name, &id.stdout_trimmed());
            }
        }
    }
    tool.finish(tool.command(&args).current_dir(root))
}

/// Runs a line in a copy of what was prepared.
fn afresh(tool: &Tool, prepared: &Path, to: &Path, line: &str) -> (i32, Vec<String>, String) {
    let _ = fs::remove_dir_all(to);
    let copied = Command::new("cp").arg("-a").args([prepared, to]).status();
    assert!(copied.unwrap().success());
    let outcome = attempt(tool, to, line);
    let mut lines: Vec<String> = outcome
        .stdout
        .lines()
        .filter(|line| !line.contains("Last-Modified") && !line.starts_with("fsck objects ("))
        .map(str::to_owned)
        .collect();
    if line.contains("refs") || line.contains("fsck") || line.contains("diff") {
        lines.sort();
    }
    (outcome.code, lines, outcome.stderr)
}

#[test]
fn each_option_does_the_same_and_something() {
    if !root_or_skip() {
        return;
    }
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let at = |name: &str| scratch.path(name);
    for (tool, name) in [(&ours, "ours"), (&c, "c")] {
        fs::create_dir(at(name)).unwrap();
        prepare(tool, &at(name));
    }
    // Of the same second.
    fs::copy(at("c/r/summary"), at("ours/r/summary")).unwrap();
    let newest = known(&c, "refs", "--revision");
    let mut complaints = Vec::new();
    for line in LINES {
        let (quiet, line) = match line.strip_prefix("quiet ") {
            Some(line) => (true, line),
            None => (false, *line),
        };
        let (before, rest) = line.split_once('[').unwrap();
        let (option, after) = rest
            .rsplit_once("] ")
            .or_else(|| rest.rsplit_once(']'))
            .unwrap();
        if !newest && ["--consume", "--view"].contains(&option) {
            // An older one puts consumed files in the place of objects that are there, and says nothing of signatures.
            eprintln!("changed since this C tool: {line}");
            continue;
        }
        if !known(&c, before, option) {
            eprintln!("not an option of this C tool: {line}");
            continue;
        }
        let with = format!("{before}{option} {after}");
        let with = with.trim_end();
        let without = format!("{before}{after}");
        let without = without.trim_end();
        let mine = afresh(&ours, &at("ours"), &at("with-ours"), with);
        let theirs = afresh(&c, &at("c"), &at("with-c"), with);
        let bare = afresh(&c, &at("c"), &at("without-c"), without);
        if (mine.0, &mine.1) != (theirs.0, &theirs.1) {
            complaints.push(format!("{line}: ours {mine:?}, the C tool {theirs:?}"));
        }
        let differences = disks(&at("with-ours"), &at("with-c")).unwrap();
        // Half of what fails is each tool's own affair.
        if theirs.0 == 0 && !differences.is_empty() {
            complaints.push(format!("{line}: {}", differences.join("; ")));
        }
        let same = theirs == bare && disks(&at("with-c"), &at("without-c")).unwrap().is_empty();
        if same != quiet {
            complaints.push(format!(
                "{line}: does {}",
                if same { "nothing" } else { "something" }
            ));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// The command's name in a line.
fn command_of(line: &str) -> &str {
    line.split(' ')
        .find(|word| !word.starts_with("--repo="))
        .unwrap()
}

fn long_options(tool: &Tool, command: &str) -> Vec<String> {
    let help = tool.ok([command, "--help"]);
    help.lines()
        .filter_map(|line| line.trim_start().strip_prefix('-'))
        .filter_map(|line| line.split([' ', '=']).find(|word| word.starts_with('-')))
        .map(|word| format!("-{word}").replace("---", "--"))
        .collect()
}

fn known(tool: &Tool, before: &str, option: &str) -> bool {
    let name = option.split('=').next().unwrap();
    let help = tool.ok([command_of(before), "--help"]);
    help.split([' ', ',', '=', '\n']).any(|word| word == name)
}

/// Whatever the C tool's help has is in the table or left to another test.
#[test]
fn no_option_is_forgotten() {
    let Some((_, c)) = pair() else { return };
    let mut commands: Vec<&str> = LINES
        .iter()
        .map(|line| command_of(line.strip_prefix("quiet ").unwrap_or(line)))
        .collect();
    commands.dedup();
    let mut missing = Vec::new();
    for command in commands {
        for option in long_options(&c, command) {
            let covered = LINES.iter().any(|line| {
                let line = line.strip_prefix("quiet ").unwrap_or(line);
                command_of(line) == command
                    && line.split(['[', '=', ']', ' ']).any(|word| word == option)
            });
            let verbose = option == "--verbose";
            if !covered && !verbose && !ELSEWHERE.contains(&&*option) {
                missing.push(format!("{command} {option}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn sizes_of_objects_that_are_there() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let tree = Tree::create(scratch.path("tree")).unwrap();
    tree.file("f", "text ".repeat(1000)).unwrap();
    let repo = scratch.init(&c, "repo", "archive");
    let tree = osier_conformance::tree_arg(tree.path());
    c.repo(&repo).ok(["commit", "--branch=first", &tree]);
    let args = [
        "commit",
        "--orphan",
        "--timestamp=@5",
        "--generate-sizes",
        &tree,
    ];
    let id = c.repo(&repo).ok(args);
    assert_eq!(ours.repo(&repo).ok(args), id);
    let without = ["commit", "--orphan", "--timestamp=@5", &tree];
    assert_ne!(ours.repo(&repo).ok(without), id);
    for tool in [&ours, &c] {
        let sizes = tool.repo(&repo).ok(["show", "--print-sizes", &id]);
        assert!(sizes.contains("Compressed size (needed/total)"), "{sizes}");
    }
}

#[test]
fn the_editor_writes_the_message() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let tree = Tree::create(scratch.path("tree")).unwrap();
    tree.file("f", "1").unwrap();
    let tree = osier_conformance::tree_arg(tree.path());
    let editor = scratch.file(
        "editor",
        "#!/bin/sh\nprintf 'subject\\n\\nbody\\n# gone\\n' > \"$1\"\n",
    );
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&editor, mode).unwrap();
    let ids = [&ours, &c].map(|tool| {
        let repo = scratch.init(tool, tool.name(), "archive");
        let tool = tool.repo(&repo).env("EDITOR", editor.to_str().unwrap());
        let id = tool.ok([
            "commit",
            "--branch=new",
            "--timestamp=@5",
            "--editor",
            &tree,
        ]);
        let shown = tool.ok(["log", "new"]);
        for line in ["    subject", "    body"] {
            assert!(shown.lines().any(|l| l == line), "{shown}");
        }
        assert!(!shown.contains("gone"), "{shown}");
        id
    });
    assert_eq!(ids[0], ids[1]);
}
