//! The program as scripts see it: exit codes, what goes where, and its words.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The program, with nothing of the surroundings that it would read.
fn ostree(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ostree"));
    command.current_dir(dir).stdin(Stdio::null());
    for name in [
        "OSTREE_REPO",
        "OSTREE_SYSROOT",
        "OSTREE_BOOTID",
        "OSTREE_REPO_TEST_ERROR",
        "SOURCE_DATE_EPOCH",
    ] {
        command.env_remove(name);
    }
    command
}

fn run(dir: &Path, args: &[&str]) -> Output {
    ostree(dir).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Standard output of a run that must succeed.
fn out(dir: &Path, args: &[&str]) -> String {
    let output = run(dir, args);
    assert!(
        output.status.success(),
        "ostree {args:?}: {}",
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// Standard error of a run that must fail with exit code 1.
fn err(dir: &Path, args: &[&str]) -> String {
    let output = run(dir, args);
    assert_eq!(
        output.status.code(),
        Some(1),
        "ostree {args:?}: {}",
        text(&output.stdout)
    );
    text(&output.stderr)
}

/// A folder with an archive repository `repo` that has one commit, `main`.
fn with_commit() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let tree = dir.path().join("tree");
    std::fs::create_dir_all(tree.join("sub")).unwrap();
    std::fs::write(tree.join("hello"), "hello\n").unwrap();
    std::fs::write(tree.join("sub/deep"), "deep\n").unwrap();
    std::os::unix::fs::symlink("hello", tree.join("link")).unwrap();
    out(dir.path(), &["init", "--repo=repo", "--mode=archive"]);
    out(
        dir.path(),
        &[
            "commit",
            "--repo=repo",
            "-b",
            "main",
            "-s",
            "first",
            "--canonical-permissions",
            "--timestamp=@1700000000",
            "tree",
        ],
    );
    dir
}

#[test]
fn a_wrong_command_line_fails_in_the_words_of_the_c_tool() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    // Mistakes about which command: its list goes to stderr first.
    for (args, words) in [
        (&[][..], "error: No command specified\n"),
        (&["nosuch"], "error: Unknown command 'nosuch'\n"),
        (&["--bogus"], "error: Unknown option --bogus\n"),
        (&["remote"], "error: No \"remote\" subcommand specified\n"),
        (
            &["remote", "nosuch"],
            "error: Unknown \"remote\" subcommand 'nosuch'\n",
        ),
        (&["refs"], "error: Command requires a --repo argument\n"),
        (&["--repo", "x", "refs"], "error: Unknown option --repo\n"),
    ] {
        let stderr = err(dir, args);
        assert!(stderr.starts_with("Usage:\n"), "{args:?}: {stderr}");
        assert!(stderr.ends_with(words), "{args:?}: {stderr}");
    }
    // Mistakes about an option: one line.
    for (args, words) in [
        (&["refs", "--bogus"][..], "error: Unknown option --bogus\n"),
        (&["commit", "-bfoo"], "error: Unknown option -bfoo\n"),
        (
            &["commit", "--repo"],
            "error: Missing argument for --repo\n",
        ),
        (
            &["prune", "--depth=x"],
            "error: Cannot parse integer value “x” for --depth\n",
        ),
        (
            &["prune", "--depth=99999999999"],
            "error: Integer value “99999999999” for --depth out of range\n",
        ),
        (
            &["commit", "--fsync=maybe"],
            "error: Invalid boolean argument 'maybe'\n",
        ),
        (
            &["init", "--mode=bogus"],
            "error: Invalid mode 'bogus' in repository configuration\n",
        ),
        (
            &["refs", "--repo=none"],
            "error: opening repo: opendir(none): No such file or directory\n",
        ),
        (
            &["checksum", "--repo=none"],
            "error: Unknown option --repo=none\n",
        ),
    ] {
        assert_eq!(err(dir, args), words, "{args:?}");
    }
}

#[test]
fn help_and_version_go_to_stdout() {
    let dir = tempfile::tempdir().unwrap();
    for args in [
        &["--help"][..],
        &["commit", "-h"],
        &["commit", "--help", "--bogus"],
        &["nosuch", "--help"],
    ] {
        assert!(
            out(dir.path(), args).starts_with("Usage:\n  ostree "),
            "{args:?}"
        );
    }
    for args in [
        &["--version"][..],
        &["commit", "--version"],
        &["nosuch", "--version"],
    ] {
        let version = out(dir.path(), args);
        assert!(
            version.starts_with("libostree:\n Version: '2026.4'\n Features:\n  - "),
            "{version}"
        );
        assert!(version.contains("\nosier:\n Version: '"), "{version}");
    }
}

#[test]
fn the_repository_is_found_by_option_then_folder_then_environment() {
    let dir = with_commit();
    let path = dir.path();
    out(path, &["init", "--repo=other", "--mode=bare-user-only"]);
    let mode = |dir: &Path, env: Option<&str>, args: &[&str]| {
        let mut command = ostree(dir);
        if let Some(repo) = env {
            command.env("OSTREE_REPO", repo);
        }
        text(
            &command
                .args(["config", "get", "core.mode"])
                .args(args)
                .output()
                .unwrap()
                .stdout,
        )
    };
    let other = path.join("other").display().to_string();
    assert_eq!(mode(path, None, &["--repo=repo"]), "archive-z2\n");
    assert_eq!(mode(&path.join("repo"), Some(&other), &[]), "archive-z2\n");
    assert_eq!(mode(path, Some(&other), &[]), "bare-user-only\n");
    assert_eq!(mode(path, Some(&other), &["--repo=repo"]), "archive-z2\n");
    // An option in front of the command, as scripts write it.
    assert_eq!(out(path, &["--repo=repo", "refs"]), "main\n");
}

/// The checksum was made by the C tool from the same tree.
#[test]
fn a_commit_is_the_c_tools_commit() {
    let dir = with_commit();
    assert_eq!(
        out(dir.path(), &["log", "--repo=repo", "main"]),
        "commit e2d8fad8a226c42f8aaf60c6fa7be7a328fd496603e01c3589a1be089b9dc45b\nContentChecksum:  5b46920a48a671b6efc66f77684ccb39b4ff0f5d9d940a7c74b37826e58442d7\nDate:  2023-11-14 22:13:20 +0000\n\n    first\n\n"
    );
}

#[test]
fn a_reader_that_goes_away_ends_the_program_quietly() {
    let dir = with_commit();
    let big = vec![b'x'; 4 << 20];
    std::fs::write(dir.path().join("tree/big"), big).unwrap();
    out(dir.path(), &["commit", "--repo=repo", "-b", "big", "tree"]);
    let mut child = ostree(dir.path())
        .args(["cat", "--repo=repo", "big", "big"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(141));
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn unknown_commands_are_looked_for_in_path() {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("ostree-hello");
    let mut file = std::fs::File::create(&program).unwrap();
    file.write_all(b"#!/bin/sh\necho \"hello: $*\"\nexit 7\n")
        .unwrap();
    drop(file);
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!(
        "{}:{}",
        dir.path().display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let output = ostree(dir.path())
        .env("PATH", path)
        .args(["hello", "--world"])
        .output()
        .unwrap();
    assert_eq!(text(&output.stdout), "hello: hello --world\n");
    assert_eq!(output.status.code(), Some(7));
}

#[test]
fn what_was_printed_before_a_failure_is_printed() {
    let dir = with_commit();
    let output = run(
        dir.path(),
        &["ls", "--repo=repo", "main", "hello", "nosuch"],
    );
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "-00644 0 0      6 /hello\n");
    assert_eq!(
        text(&output.stderr),
        "error: Inspecting path 'nosuch': No such file or directory: /nosuch\n"
    );
}

#[test]
fn a_failed_commit_publishes_nothing() {
    let dir = with_commit();
    let output = ostree(dir.path())
        .env("OSTREE_REPO_TEST_ERROR", "pre-commit")
        .args(["commit", "--repo=repo", "-b", "new", "tree"])
        .output()
        .unwrap();
    assert_eq!(
        text(&output.stderr),
        "error: OSTREE_REPO_TEST_ERROR_PRE_COMMIT\n"
    );
    assert_eq!(out(dir.path(), &["refs", "--repo=repo"]), "main\n");
    assert!(out(dir.path(), &["fsck", "--repo=repo", "-q"]).ends_with("no errors found.\n"));
}

#[test]
fn listings_are_those_of_the_c_tool() {
    let dir = with_commit();
    let dir = dir.path();
    assert_eq!(
        out(dir, &["ls", "--repo=repo", "-R", "main"]),
        "d00755 0 0      0 /\n-00644 0 0      6 /hello\nl00777 0 0      0 /link -> hello\n\
         d00755 0 0      0 /sub\n-00644 0 0      5 /sub/deep\n"
    );
    assert_eq!(
        out(dir, &["cat", "--repo=repo", "main", "/sub/deep", "link"]),
        "deep\nhello\n"
    );
    assert_eq!(
        out(
            dir,
            &[
                "show",
                "--repo=repo",
                "--print-metadata-key=ostree.ref-binding",
                "main"
            ]
        ),
        "['main']\n"
    );
    out(dir, &["checkout", "--repo=repo", "-U", "main", "co"]);
    assert_eq!(
        out(
            dir,
            &[
                "diff",
                "--repo=repo",
                "--no-xattrs",
                "--owner-uid=0",
                "--owner-gid=0",
                "main",
                "./co"
            ]
        ),
        ""
    );
    std::fs::remove_file(dir.join("co/hello")).unwrap();
    std::fs::write(dir.join("co/new"), "").unwrap();
    assert_eq!(
        out(
            dir,
            &[
                "diff",
                "--repo=repo",
                "--no-xattrs",
                "--owner-uid=0",
                "--owner-gid=0",
                "main",
                "./co"
            ]
        ),
        "D    /hello\nA    new\n"
    );
    assert_eq!(
        out(dir, &["prune", "--repo=repo", "--refs-only"]),
        "Total objects: 7\nNo unreachable objects\n"
    );
    out(dir, &["refs", "--repo=repo", "--create=a/b", "main"]);
    assert_eq!(out(dir, &["refs", "--repo=repo", "a"]), "b\n");
    assert_eq!(out(dir, &["refs", "--repo=repo", "--list", "a"]), "a/b\n");
}
