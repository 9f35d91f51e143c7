//! `config`: what it refuses, what it writes, byte for byte.

use osier_conformance::{Scratch, ours_is_c, pair};
use osier_testkit::tool::{Outcome, Tool};
use std::fs;
use std::path::PathBuf;

const HEAD: &str = "[core]\nrepo_version=1\nmode=archive-z2\n";

/// Runs both tools on a repository with this configuration; gives what each said and left.
fn run_both(config: &str, args: &[&str]) -> Option<[(Outcome, Vec<u8>); 2]> {
    let (ours, c) = pair()?;
    let scratch = Scratch::new();
    Some([&ours, &c].map(|tool| {
        let path: PathBuf = scratch.init(tool, tool.name(), "archive");
        fs::write(path.join("config"), config).unwrap();
        let outcome = tool.repo(&path).run(args);
        (outcome, fs::read(path.join("config")).unwrap())
    }))
}

/// What `set` refuses, in the words of 2026.4, and leaves alone. An older C tool accepts some of it.
#[test]
fn set_refuses_what_no_repository_can_be_opened_with() {
    let numbers = "Parsing sysroot.boot-counting-tries: ";
    for (key, value, words) in [
        (
            "core.mode",
            "foo",
            "Invalid mode 'foo' in repository configuration",
        ),
        ("core.repo_version", "5", "Invalid repository version '5'"),
        (
            "core.fsync",
            "bar",
            "Key file contains key “fsync” which has a value that cannot be interpreted.",
        ),
        (
            "core.min-free-space-percent",
            "100",
            "Invalid min-free-space-percent '100'",
        ),
        (
            "core.parent",
            "/nonexistent",
            "While checking parent repository '/nonexistent': opening repo: opendir(/nonexistent): No such file or directory",
        ),
        (
            "core.default-repo-finders",
            "x",
            "Invalid configured repo-finder 'x'",
        ),
        (
            "core.default-repo-finders",
            "",
            "Invalid empty default-repo-finders configuration",
        ),
        (
            "core.default-repo-finders",
            "config;;",
            "Invalid configured repo-finder ''",
        ),
        (
            "sysroot.bootloader",
            "x",
            "Invalid bootloader configuration: 'x'",
        ),
        (
            "sysroot.bootloader",
            "",
            "Invalid bootloader configuration: ''",
        ),
        (
            "sysroot.bootprefix",
            "x",
            "Key file contains key “bootprefix” which has a value that cannot be interpreted.",
        ),
        (
            "sysroot.bls-append-except-default",
            "a=b;c",
            "bls-append-except-default key must be of the form \"key1=value1;key2=value2...\"",
        ),
        (
            "sysroot.boot-counting-tries",
            "9",
            &format!("{numbers}Number “9” is out of bounds [0, 5]"),
        ),
        (
            "sysroot.boot-counting-tries",
            "99999999999999999999999",
            &format!("{numbers}Number “99999999999999999999999” is out of bounds [0, 5]"),
        ),
        (
            "sysroot.boot-counting-tries",
            "x",
            &format!("{numbers}“x” is not an unsigned number"),
        ),
        (
            "sysroot.boot-counting-tries",
            "+3",
            &format!("{numbers}“+3” is not an unsigned number"),
        ),
        (
            "sysroot.boot-counting-tries",
            "",
            &format!("{numbers}Empty string is not a number"),
        ),
        ("ex-integrity.fsverity", "x", "Invalid tri-state value: x"),
    ] {
        let Some([(our, our_config), (c, c_config)]) =
            run_both(HEAD, &["config", "set", key, value])
        else {
            return;
        };
        if ours_is_c() {
            continue;
        }
        assert_eq!(our.code, 1, "{our}");
        assert_eq!(our.stderr, format!("error: {words}\n"), "{our}");
        assert_eq!(our_config, HEAD.as_bytes(), "{our}");
        if c.code != 0 {
            assert_eq!(
                (our.stderr, our_config),
                (c.stderr, c_config),
                "{key}={value}"
            );
        }
    }
}

#[test]
fn both_write_the_same_bytes() {
    let with = |rest: &str| format!("{HEAD}{rest}");
    for (config, args) in [
        (with(""), &["set", "core.min-free-space-size", "500MB"][..]),
        (with(""), &["set", "core.collection-id", "org.example.X"]),
        (
            with(""),
            &["set", "core.default-repo-finders", "config;lan;mount;"],
        ),
        (with(""), &["set", "sysroot.bootloader", "grub2"]),
        (with(""), &["set", "sysroot.readonly", "whatever"]),
        (with(""), &["set", "a.b[de]", "x"]),
        (with(""), &["set", "a.b", " lead\n\r\\ x "]),
        (
            with(""),
            &["--group=remote \"a.b\"", "set", "url", "http://x"],
        ),
        (with(""), &["unset", "core.nope"]),
        (with(""), &["unset", "nope.nope"]),
        (with("\n[a]\nx=1\n\n\n[b]\ny=1\n\n"), &["set", "a.new", "1"]),
        (with("\n[a]\nx=1\n\n\n[b]\ny=1\n\n"), &["set", "b.new", "1"]),
        (with("[a]\n[b]\n"), &["set", "a.new", "1"]),
        (with("[a]\nx=1\n[a]\ny=2\n"), &["set", "a.new", "1"]),
        (with("[a]\nx=1\nx=2\n"), &["set", "a.x", "3"]),
        // Carriage returns at the end of a line go, however many there are.
        (
            with("[a]\nx=1\r\n\n[b]\ny=2\r\r\nz=3\r"),
            &["set", "b.new", "1"],
        ),
    ] {
        let mut all = vec!["config"];
        all.extend(args);
        let Some([(our, our_config), (c, c_config)]) = run_both(&config, &all) else {
            return;
        };
        assert_eq!(our.code, c.code, "{our}\n{c}");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        assert_eq!(text(our_config), text(c_config), "{our}");
    }
}

#[test]
fn what_is_missing_on_the_command_line() {
    for args in [
        &["get"][..],
        &["set"],
        &["set", "a.b"],
        &["unset"],
        &["--group=core", "get"],
        &["--group=core", "unset"],
        &["--group=core", "set", "x"],
        &["get", "core"],
        &["set", "core", "x"],
        &["foo"],
        &["get", "nope.x"],
        &["--group=nope", "get", "x"],
        &["get", "core.nope"],
    ] {
        let mut all = vec!["config"];
        all.extend(args);
        let Some([(our, _), (c, _)]) = run_both(HEAD, &all) else {
            return;
        };
        assert_eq!((our.code, our.stdout), (c.code, c.stdout));
        assert_eq!(our.stderr, c.stderr, "{args:?}");
    }
}

/// A group is listed as the file has it, and everything is every group.
#[test]
fn groups_are_listed() {
    let tool = Tool::ours();
    if ours_is_c() {
        return;
    }
    let scratch = Scratch::new();
    let path = scratch.init(&tool, "repo", "archive");
    let config = format!(
        "# comment\n{HEAD}\n[remote \"a\"]\n# more\nurl=http://x\nnote=\\sx\\n\n\n[empty]\n"
    );
    fs::write(path.join("config"), &config).unwrap();
    let repo = tool.repo(&path);
    let remote = "[remote \"a\"]\nurl=http://x\nnote=\\sx\\n";
    assert_eq!(repo.ok(["config", "list", "remote \"a\""]), remote);
    assert_eq!(repo.ok(["config", "--group=remote \"a\"", "list"]), remote);
    assert_eq!(repo.ok(["config", "list", "empty"]), "[empty]");
    assert_eq!(
        repo.ok(["config", "list"]),
        format!("{HEAD}\n{remote}\n\n[empty]")
    );
    let error = repo.fail(["config", "list", "nope"]);
    assert!(
        error.contains("Key file does not have group “nope”"),
        "{error}"
    );
    assert!(
        repo.fail(["config", "list", "a", "b"])
            .contains("Too many arguments given")
    );
    assert_eq!(fs::read_to_string(path.join("config")).unwrap(), config);
}
