//! The demo, small, as root and as an ordinary user: everything it tells must be so.

use osier_testkit::skip;
use osier_testkit::tool::{OURS, Tool};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output};

/// `nobody` and its group on Debian; any number without an account does as well.
const NOBODY: u32 = 65534;

fn demo(xtask: &Path, ostree: &Path, work: &Path) -> Command {
    let mut command = Command::new(xtask);
    command
        .args(["demo", "--quick", "--dir"])
        .arg(work)
        .env(OURS, ostree)
        .env("HOME", work)
        .current_dir(work);
    command
}

#[track_caller]
fn assert_told(output: &Output, work: &Path) {
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success(),
        "{}\n{stdout}\n{stderr}",
        output.status
    );
    for needed in [
        "$ ostree --repo=server commit",
        "$ ostree --repo=sysroot/ostree/repo pull origin demo/stable",
        "$ ostree admin --sysroot=sysroot upgrade --os=demo",
        "Copying /etc changes: 1 modified, 1 removed, 1 added",
        "$ ostree admin --sysroot=sysroot set-default 1",
        "ok   the device's repository passes fsck",
        "All as told",
    ] {
        assert!(stdout.contains(needed), "no `{needed}` in\n{stdout}");
    }
    assert!(!stdout.contains("FAIL"), "{stdout}");
    assert!(!stdout.contains('\x1b'), "colours in a pipe:\n{stdout}");
    let left: Vec<_> = fs::read_dir(work).unwrap().collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}

#[test]
fn it_runs_as_whoever_runs_the_tests() {
    let work = tempfile::tempdir().unwrap();
    let xtask = Path::new(env!("CARGO_BIN_EXE_xtask"));
    let output = demo(xtask, Tool::ours().program(), work.path())
        .output()
        .unwrap();
    assert_told(&output, work.path());
}

#[test]
fn it_runs_as_an_ordinary_user() {
    if !skip::is_root() {
        // The other test ran as one.
        return;
    }
    // The checkout and the folder for temporary files may be closed to others.
    let place = tempfile::Builder::new()
        .prefix("osier-demo-test-")
        .tempdir_in("/tmp")
        .unwrap();
    fs::set_permissions(place.path(), Permissions::from_mode(0o755)).unwrap();
    let copied = |from: &Path, name: &str| {
        let to = place.path().join(name);
        fs::copy(from, &to).unwrap();
        to
    };
    let xtask = copied(Path::new(env!("CARGO_BIN_EXE_xtask")), "xtask");
    let ostree = copied(Tool::ours().program(), "ostree");
    let work = place.path().join("work");
    fs::create_dir(&work).unwrap();
    chown(&work, Some(NOBODY), Some(NOBODY)).unwrap();
    let output = demo(&xtask, &ostree, &work)
        .uid(NOBODY)
        .gid(NOBODY)
        .output()
        .unwrap();
    assert_told(&output, &work);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains("as an ordinary user"), "{stdout}");
    assert!(stdout.contains("--canonical-permissions"), "{stdout}");
}

/// Runs the demo with our program, but for what a line of shell changes; it must not be told as a success.
fn with_fault(fault: &str) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let work = dir.path().join("work");
    fs::create_dir(&work).unwrap();
    let program = dir.path().join("ostree");
    let ours = fs::canonicalize(Tool::ours().program()).unwrap();
    let text = format!("#!/bin/sh\n{fault}\nexec '{}' \"$@\"\n", ours.display());
    fs::write(&program, text).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    let xtask = Path::new(env!("CARGO_BIN_EXE_xtask"));
    let output = demo(xtask, &program, &work).output().unwrap();
    assert!(!output.status.success(), "{output:?}");
    let left = fs::read_dir(&work).unwrap().count();
    assert_eq!(left, 0, "a failed demo cleans up too");
    output
}

#[test]
fn a_rollback_that_does_nothing_is_found_out() {
    let output = with_fault("case \"$*\" in *set-default*) exit 0 ;; esac");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains("FAIL after the rollback"), "{stdout}");
    assert!(stdout.contains("Not everything is as told"), "{stdout}");
}

#[test]
fn a_command_that_fails_ends_the_story_with_its_words() {
    let output = with_fault("case \"$*\" in *upgrade*) echo 'error: no luck' >&2; exit 1 ;; esac");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.starts_with("error: ostree admin --sysroot=sysroot upgrade"),
        "{stderr}"
    );
    assert!(stderr.contains("error: no luck"), "{stderr}");
}
