//! What reading commands print is equal, byte for byte, on what either tool wrote.

use osier_conformance::{Scratch, both_ways, commit, pair, root_or_skip, tree_arg};
use osier_testkit::tool::Tool;
use osier_testkit::trees;
use std::path::Path;

/// Runs the same command with both tools on one repository and compares exit code and standard output, and on
/// failure the last line of standard error.
fn same(repo: &Path, args: &[&str]) {
    let Some((ours, c)) = pair() else { return };
    let [our, c] = [&ours, &c].map(|tool| tool.repo(repo).run(args));
    assert_eq!(our.code, c.code, "{our}{c}");
    // The C tool lists refs in the order of its hash table, which is no promise.
    let lines = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if args.first() == Some(&"refs") {
            lines.sort();
        }
        lines
    };
    assert_eq!(lines(&our.stdout), lines(&c.stdout), "{our}{c}");
    if c.code != 0 {
        assert_eq!(
            our.stderr.lines().last(),
            c.stderr.lines().last(),
            "{our}{c}"
        );
    }
}

/// A repository with a history, several branches and metadata, written by `tool`.
fn repository(scratch: &Scratch, tool: &Tool, mode: &str) -> std::path::PathBuf {
    let path = scratch.init(tool, mode, mode);
    let os = trees::os(&scratch.path(format!("os-{mode}")), "1", "6.1").unwrap();
    let all = trees::everything(&scratch.path(format!("all-{mode}"))).unwrap();
    let repo = tool.repo(&path);
    for (index, tree) in [os.path(), all.path(), os.path()].into_iter().enumerate() {
        let timestamp = format!("--timestamp=@{}", 1_500_000_000 + index * 1_000_000);
        let version = format!("--add-metadata-string=version={index}");
        let subject = format!("--subject=commit {index}");
        let tree = tree_arg(tree);
        repo.ok([
            "commit",
            "-b",
            "os/main",
            &timestamp,
            &version,
            &subject,
            "-m",
            "body\n\nwith lines",
            &tree,
        ]);
    }
    commit(
        tool,
        &path,
        "all",
        all.path(),
        &["--add-metadata=n=uint32 5", "--add-metadata=l=['a']"],
    );
    commit(tool, &path, "rem:far/away", os.path(), &[]);
    path
}

#[test]
fn ls() {
    if !root_or_skip() {
        return;
    }
    for (writer, _) in both_ways() {
        for mode in ["archive", "bare", "bare-user", "bare-user-only"] {
            let scratch = Scratch::new();
            let repo = repository(&scratch, &writer, mode);
            for args in [
                &["ls", "all"][..],
                &["ls", "-R", "all"],
                &["ls", "-C", "all"],
                &["ls", "-RC", "all"],
                &["ls", "-RX", "all"],
                &["ls", "-d", "all"],
                &["ls", "-dC", "all", "/names"],
                &["ls", "-R", "--nul-filenames-only", "all"],
                &["ls", "os/main", "/usr", "/usr/etc/hosts"],
                &["ls", "os/main", "usr/bin"],
                &["ls", "-R", "os/main", "/usr/lib/modules"],
                &["ls", "os/main", "/no/such"],
                &["ls", "nosuch"],
                &["ls"],
            ] {
                same(&repo, args);
            }
        }
    }
}

#[test]
fn show_and_log() {
    if !root_or_skip() {
        return;
    }
    for (writer, _) in both_ways() {
        for mode in ["archive", "bare-user"] {
            let scratch = Scratch::new();
            let repo = repository(&scratch, &writer, mode);
            for args in [
                &["show", "all"][..],
                &["show", "os/main"],
                &["show", "os/main^"],
                &["show", "rem:far/away"],
                &["show", "--raw", "all"],
                &["show", "--print-metadata-key=version", "os/main"],
                &["show", "--print-metadata-key=n", "all"],
                &["show", "-B", "--print-metadata-key=n", "all"],
                &["show", "--print-metadata-key=l", "all"],
                &["show", "--print-metadata-key=ostree.ref-binding", "all"],
                &["show", "--print-metadata-key=nosuch", "all"],
                &["show", "--print-detached-metadata-key=nosuch", "all"],
                &["show", "nosuch"],
                &["log", "os/main"],
                &["log", "--raw", "os/main"],
                &["log", "all"],
                &["log", "nosuch"],
            ] {
                same(&repo, args);
            }
        }
    }
}

#[test]
fn refs_and_revisions() {
    if !root_or_skip() {
        return;
    }
    for (writer, _) in both_ways() {
        let scratch = Scratch::new();
        let repo = repository(&scratch, &writer, "archive");
        writer.repo(&repo).ok(["refs", "all", "--create=os/copy"]);
        writer
            .repo(&repo)
            .ok(["refs", "-A", "os/main", "--create=os/alias"]);
        let first = writer.repo(&repo).ok(["rev-parse", "os/main^^"]);
        for args in [
            &["refs"][..],
            &["refs", "--list"],
            &["refs", "os"],
            &["refs", "--list", "os"],
            &["refs", "--list", "os/main"],
            &["refs", "rem:"],
            &["refs", "rem:far"],
            &["refs", "nosuch"],
            &["refs", "-A"],
            &["refs", "-A", "--list"],
            &["rev-parse", "os/main"],
            &["rev-parse", "os/main^"],
            &["rev-parse", "os/main^^"],
            &["rev-parse", "os/main^^^"],
            &["rev-parse", "rem:far/away"],
            &["rev-parse", "rem/far/away"],
            &["rev-parse", "far/away"],
            &["rev-parse", "nosuch"],
            &["rev-parse", "no such"],
            &["rev-parse", "all", "os/main"],
            &["rev-parse", &first],
            &["rev-parse", &first[..10]],
            &["rev-parse", &format!("{}^", &first[..10])],
            &[
                "rev-parse",
                "0000000000000000000000000000000000000000000000000000000000000000",
            ],
            &["rev-parse"],
        ] {
            same(&repo, args);
        }
    }
}

#[test]
fn changing_refs() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let tree = trees::hard_links(&scratch.path("tree")).unwrap();
    let steps: [&[&str]; 14] = [
        &["refs", "main", "--create=a/b/c"],
        &["refs", "main", "--create=a/b"],
        &["refs", "main", "--create=a/b/c"],
        &["refs", "main", "--create=a/b/c", "--force"],
        &["refs", "main", "--create=bad..name/"],
        &["refs", "nosuch", "--create=x"],
        &["refs", "-A", "main", "--create=alias"],
        &["refs", "--delete", "main"],
        &["refs", "--delete", "alias"],
        &["refs", "--delete", "a"],
        &["refs", "main", "--create=a/b"],
        &["refs", "main", "--create=rem:x/y"],
        &["refs", "--delete", "rem:x"],
        &["refs", "--delete", "nosuch"],
    ];
    let [our, c] = [&ours, &c].map(|tool| {
        let path = scratch.init(tool, tool.name(), "archive");
        commit(tool, &path, "main", tree.path(), &[]);
        let repo = tool.repo(&path);
        steps.map(|step| {
            let outcome = repo.run(step);
            let mut list: Vec<String> = repo.ok(["refs"]).lines().map(str::to_owned).collect();
            list.sort();
            (
                step,
                outcome.code,
                outcome.stdout,
                outcome.stderr.lines().last().map(str::to_owned),
                list,
            )
        })
    });
    for (our, c) in our.into_iter().zip(c) {
        assert_eq!(our, c);
    }
}

#[test]
fn cat() {
    if !root_or_skip() {
        return;
    }
    for (writer, _) in both_ways() {
        for mode in ["archive", "bare", "bare-user"] {
            let scratch = Scratch::new();
            let repo = repository(&scratch, &writer, mode);
            for args in [
                &["cat", "os/main", "/usr/etc/hosts"][..],
                &["cat", "os/main", "/usr/etc/hosts", "/usr/bin/sh"],
                &["cat", "all", "/sizes/zeros-65537"],
                &["cat", "all", "/names/new\nline"],
                &["cat", "all", "/sizes/size-0"],
                &["cat", "os/main", "/usr"],
                &["cat", "os/main", "/nosuch"],
                &["cat", "nosuch", "/x"],
                &["cat", "os/main"],
            ] {
                same(&repo, args);
            }
        }
    }
}

#[test]
fn usage_errors() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let repo = scratch.init(&c, "repo", "archive");
    for args in [
        &["nosuch-command"][..],
        &["--nosuch-option"],
        &["commit", "--nosuch"],
        &["checkout"],
        &["show"],
        &["log"],
    ] {
        let [our, c] = [&ours, &c].map(|tool| tool.repo(&repo).run(args));
        assert_eq!(our.code, c.code, "{our}{c}");
        assert_eq!(
            our.stderr.lines().last(),
            c.stderr.lines().last(),
            "{our}{c}"
        );
    }
}
