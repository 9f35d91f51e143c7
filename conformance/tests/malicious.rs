//! What servers that mean harm can do to whoever reads the output, and to refs: beside the C tool, through the programs.
//! What they can send: `crates/pull/tests/malicious.rs`.

use osier_conformance::{Scratch, ours_is_c, pair, text, tree_arg};
use osier_testkit::httpd::Server;
use osier_testkit::tool::{Outcome, Tool};
use osier_testkit::tree::Tree;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const EVIL: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}";
const SHOWN: &str = "\\u{1b}[2J\\u{1b}]0;owned\\u{7}";

/// A served archive with `main` (two commits, the second newer) and `other`.
struct Site {
    path: PathBuf,
    commits: [String; 2],
    other: String,
    server: Server,
}

fn site(scratch: &Scratch, tool: &Tool) -> Site {
    let path = scratch.init(tool, "source", "archive");
    let tree = Tree::create(scratch.path("tree")).unwrap();
    let repo = tool.repo(&path);
    let commit = |branch: &str, content: &str, time: &str| {
        tree.file("file", content).unwrap();
        let subject = format!("--subject={content} {EVIL}");
        let version = format!("--add-metadata-string=version=1{EVIL}");
        let out = repo.ok([
            "commit",
            "-b",
            branch,
            &subject,
            &format!("--body=first\r{EVIL}"),
            &version,
            time,
            &tree_arg(tree.path()),
        ]);
        out.trim().to_owned()
    };
    let commits = [
        commit("main", "one", "--timestamp=@1700000000"),
        commit("main", "two", "--timestamp=@1700000001"),
    ];
    let other = commit("other", "other", "--timestamp=@1700000002");
    let server = Server::serve(&path).unwrap();
    Site {
        path,
        commits,
        other,
        server,
    }
}

fn client(scratch: &Scratch, tool: &Tool, site: &Site) -> PathBuf {
    let path = scratch.init(tool, tool.name(), "bare-user");
    tool.repo(&path).ok([
        "remote",
        "add",
        "--no-gpg-verify",
        "origin",
        &site.server.url(),
    ]);
    path
}

fn set_ref(site: &Site, commit: &str) {
    fs::write(site.path.join("refs/heads/main"), format!("{commit}\n")).unwrap();
}

fn pull(tool: &Tool, repo: &Path, args: &[&str]) -> Outcome {
    let mut line = vec!["pull", "--disable-static-deltas", "origin", "main"];
    line.extend(args);
    tool.repo(repo).run(line)
}

#[test]
fn swapped_and_older_refs() {
    let Some((ours, c)) = pair() else { return };
    for tool in [&ours, &c] {
        let scratch = Scratch::new();
        let site = site(&scratch, tool);
        let repo = client(&scratch, tool, &site);
        pull(tool, &repo, &[]).expect_ok();
        let tip = || tool.repo(&repo).ok(["rev-parse", "origin:main"]);
        assert_eq!(tip().trim(), site.commits[1]);
        // The branch of another ref.
        set_ref(&site, &site.other);
        let outcome = pull(tool, &repo, &[]).expect_fail();
        let message = format!(
            "Commit {}: Commit has no requested ref ‘main’ in ref binding metadata (‘other’)",
            site.other
        );
        assert!(outcome.stderr.contains(&message), "{outcome}");
        // What the branch was before.
        set_ref(&site, &site.commits[0]);
        let outcome = pull(tool, &repo, &["--timestamp-check"]).expect_fail();
        let message = format!(
            "pgrade target revision '{}' with timestamp",
            site.commits[0]
        );
        assert!(outcome.stderr.contains(&message), "{outcome}");
        assert_eq!(tip().trim(), site.commits[1]);
        pull(tool, &repo, &[]).expect_ok();
        assert_eq!(tip().trim(), site.commits[0]);
    }
}

/// What a command prints on a terminal.
fn on_a_terminal(tool: &Tool, args: &[&str]) -> String {
    let command = tool.command(args);
    let words: Vec<String> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| format!("'{}'", word.to_str().unwrap()))
        .collect();
    let output = Command::new("script")
        .args([
            "--quiet",
            "--echo",
            "never",
            "--command",
            &words.join(" "),
            "/dev/null",
        ])
        .env("TERM", "dumb")
        .stdin(Stdio::null())
        .output()
        .expect("script of util-linux runs");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn subjects_do_not_command_a_terminal() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let site = site(&scratch, &c);
    let summary = ["summary", "-u"];
    c.repo(&site.path).ok(summary);
    let (ours, c) = (ours.repo(&site.path), c.repo(&site.path));
    for args in [
        &["log", "main"][..],
        &["show", "main"],
        &["summary", "--view"],
    ] {
        // A pipe gets what is there.
        let plain = ours.ok(args);
        assert!(plain.contains(EVIL), "{plain:?}");
        if args[0] != "summary" {
            assert_eq!(plain, c.ok(args));
        }
        if ours_is_c() {
            continue;
        }
        let seen = on_a_terminal(&ours, args);
        assert!(seen.contains(SHOWN), "{seen:?}");
        let allowed = |c: char| !c.is_control() || "\r\n\t".contains(c);
        assert!(seen.chars().all(allowed), "{seen:?}");
        assert!(!seen.replace("\r\n", "").contains('\r'), "{seen:?}");
    }
    if !ours_is_c() {
        // What was asked for as it is comes as it is.
        assert_eq!(on_a_terminal(&ours, &["cat", "main", "/file"]), "two");
    }
}

#[test]
fn names_in_a_summary_do_not_command_a_terminal() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let site = site(&scratch, &c);
    c.repo(&site.path).ok(["summary", "-u"]);
    let file = site.path.join("summary");
    let mut bytes = fs::read(&file).unwrap();
    let at = bytes.windows(5).position(|w| w == b"main\0").unwrap();
    bytes[at..at + 4].copy_from_slice(b"\x1b[2J");
    fs::write(&file, bytes).unwrap();
    for tool in [&ours, &c] {
        let repo = client(&scratch, tool, &site);
        for args in [
            &["pull", "origin", "other"][..],
            &["pull", "--mirror", "origin"],
            &["remote", "refs", "origin"],
        ] {
            let outcome = tool.repo(&repo).run(args);
            // 2022.7 lists such refs.
            if (tool.name() == "C" || ours_is_c()) && outcome.code == 0 {
                continue;
            }
            assert_eq!(outcome.code, 1, "{outcome}");
            if tool.name() == "ours" && !ours_is_c() {
                let stderr = &outcome.stderr;
                assert!(stderr.contains("\\u{1b}[2J"), "{outcome}");
                assert!(!stderr.contains('\u{1b}'), "{stderr:?}");
                assert!(
                    stderr.contains(&format!("{}/summary", site.server.url())),
                    "{outcome}"
                );
            }
        }
        assert_eq!(tool.repo(&repo).ok(["refs"]), "", "{}", text(&repo));
    }
}
