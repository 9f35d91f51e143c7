//! Pulls that demand signatures.

use super::{Site, same, with_dummy};
use osier_conformance::{Scratch, commit, pair, text};
use osier_gv::{Dict, Value};
use osier_testkit::httpd::Server;
use osier_testkit::tool::{Outcome, Tool};
use std::fs;

/// A repository whose commits are signed by `good`, by `bad`, by both, by nobody.
fn signed_by_some(tool: &Tool) -> Site {
    let site = Site::new(tool);
    let sign = |branch: &str, by: &[&str]| {
        site.tree.file("file", branch).unwrap();
        let by: Vec<String> = by.iter().map(|key| format!("--sign={key}")).collect();
        let mut more = vec!["--sign-type=dummy"];
        more.extend(by.iter().map(String::as_str));
        commit(tool, &site.repo, branch, site.tree.path(), &more);
    };
    sign("good", &["good"]);
    sign("bad", &["bad"]);
    sign("bad-good", &["bad", "good"]);
    sign("good-bad", &["good", "bad"]);
    site
}

const BRANCHES: [&str; 5] = ["main", "good", "bad", "bad-good", "good-bad"];

/// Pulls `branch` into a new repository from a remote with that configuration, and tells whether the ref is there then.
fn attempt(tool: &Tool, url: &str, config: &str, branch: &str) -> (Outcome, bool) {
    let scratch = Scratch::new();
    let repo = scratch.init(tool, "repo", "archive");
    let file = repo.join("config");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(
        &file,
        format!("{text}[remote \"o\"]\nurl={url}\n{config}\n"),
    )
    .unwrap();
    let tool = tool.repo(&repo);
    let outcome = tool.run(["pull", "o", branch]);
    let there = tool.run(["rev-parse", &format!("o:{branch}")]).code == 0;
    assert_eq!(outcome.code == 0, there, "{config}\n{outcome}");
    tool.ok(["fsck"]);
    (outcome, there)
}

#[test]
fn commits_are_judged_as_by_the_c_tool() {
    let Some(pair) = pair() else { return };
    let (ours, c) = (with_dummy(&pair.0), with_dummy(&pair.1));
    let site = signed_by_some(&c);
    let url = format!("file://{}", text(&site.repo));
    for config in [
        "sign-verify=dummy",
        "sign-verify=bogus\nverification-dummy-key=good",
        "sign-verify=dummy,\nverification-dummy-key=good",
        "sign-verify=dummy;\nverification-dummy-key=good",
        "sign-verify=dummy;dummy\nverification-dummy-key=good",
        "sign-verify=dummy\nverification-dummy-key=good",
        "sign-verify=dummy\nverification-dummy-file=/none",
        "sign-verify=true\nverification-dummy-key=good\nverification-dummy-file=/none",
        "sign-verify=true\nverification-dummy-key=good",
        "sign-verify=1\nverification-dummy-key=good",
        "sign-verify=True\nverification-dummy-key=good",
        "sign-verify=false\nverification-dummy-key=good",
        "sign-verify=\nverification-dummy-key=good",
    ] {
        let config = format!("gpg-verify=false\n{config}");
        for branch in BRANCHES {
            let [ours, c] = [&ours, &c].map(|tool| attempt(tool, &url, &config, branch).0);
            assert_eq!(ours.code, c.code, "{config}\n{ours}\n{c}");
            // How many objects were got is another test's subject; and without detached metadata we say so.
            if ours.code != 0 && branch != "main" {
                same(&ours, &c);
            }
        }
    }
    // GPG speaks first, and does not speak for the other.
    let both = "gpg-verify=true\nsign-verify=dummy\nverification-dummy-key=bad";
    let [ours, c] = [&ours, &c].map(|tool| attempt(tool, &url, both, "good").0);
    same(&ours, &c);
    assert!(ours.stderr.contains("GPG verification enabled"), "{ours}");
    // Without the variable nothing that `dummy` says is believed.
    let on = "gpg-verify=false\nsign-verify=dummy\nverification-dummy-key=good";
    let [ours, c] = [&pair.0, &pair.1].map(|tool| attempt(tool, &url, on, "good").0);
    same(&ours, &c);
    assert!(ours.stderr.contains("only for ostree testing"), "{ours}");
}

#[test]
fn commits_are_judged_over_http() {
    let Some((ours, c)) = pair() else { return };
    let (ours, c) = (with_dummy(&ours), with_dummy(&c));
    let site = signed_by_some(&ours);
    let server = Server::serve(&site.repo).unwrap();
    let config = "gpg-verify=false\nsign-verify=dummy\nverification-dummy-key=good";
    let url = server.url();
    for (branch, code, phrase) in [
        ("main", 1, "without detached metadata"),
        ("good", 0, ""),
        (
            "bad",
            1,
            ": signature: dummy: incorrect signatures found: 1",
        ),
        ("bad-good", 0, ""),
        ("good-bad", 0, ""),
    ] {
        for tool in [&ours, &c] {
            let (outcome, _) = attempt(tool, url.as_str(), config, branch);
            assert_eq!(outcome.code, code, "{outcome}");
            assert!(outcome.stderr.contains(phrase), "{outcome}");
        }
    }
    // Metadata that holds something else.
    let mut other = Dict::new();
    other.push("ostree.sign.unknown", Value::bytes_list([b"good".to_vec()]));
    fs::write(site.commitmeta("main"), other.encode()).unwrap();
    for tool in [&ours, &c] {
        let (outcome, _) = attempt(tool, url.as_str(), config, "main");
        assert!(
            outcome.stderr.contains(": No signatures found"),
            "{outcome}"
        );
    }
}

#[test]
fn parents_and_deltas_are_judged_too() {
    let Some((ours, c)) = pair() else { return };
    let (ours, c) = (with_dummy(&ours), with_dummy(&c));
    for writer in [&ours, &c] {
        let site = Site::new(writer);
        site.tree.file("file", "signed").unwrap();
        let sign = ["--sign=good", "--sign-type=dummy"];
        commit(writer, &site.repo, "main", site.tree.path(), &sign);
        let server = Server::serve(&site.repo).unwrap();
        let client = |tool: &Tool, key: &str| {
            let scratch = Scratch::new();
            let repo = scratch.init(tool, "repo", "bare-user");
            let tool = tool.repo(&repo);
            let key = format!("--sign-verify=dummy=inline:{key}");
            let url = server.url();
            let add = ["remote", "add", "--set=gpg-verify=false"];
            tool.ok([&add[..], &[&key, "o", url.as_str()]].concat());
            (scratch, tool)
        };
        for reader in [&ours, &c] {
            // The parent is not signed.
            let (_scratch, tool) = client(reader, "good");
            for depth in ["--depth=1", "--depth=-1"] {
                let error = tool.fail(["pull", depth, "o", "main"]);
                assert!(error.contains("without detached metadata"), "{error}");
                assert_eq!(tool.ok(["refs"]), "");
            }
            tool.ok(["pull", "o", "main"]);
            tool.ok(["fsck"]);
        }

        let repo = writer.repo(&site.repo);
        repo.ok(["static-delta", "generate", "--empty", "main"]);
        repo.ok(["summary", "-u"]);
        // The detached metadata lies in the delta as well.
        for there in [true, false] {
            if !there {
                fs::remove_file(site.commitmeta("main")).unwrap();
            }
            for reader in [&ours, &c] {
                let delta = ["pull", "--require-static-deltas", "o", "main"];
                let (_scratch, tool) = client(reader, "bad");
                let error = tool.fail(delta);
                assert!(error.contains("incorrect signatures found: 1"), "{error}");
                assert_eq!(tool.ok(["refs"]), "");
                let (_scratch, tool) = client(reader, "good");
                tool.ok(delta);
                tool.ok(["fsck"]);
            }
        }
    }
}

#[test]
fn a_summary_that_is_refused_is_not_shown() {
    let Some((ours, c)) = pair() else { return };
    let tools = [ours, c].map(|tool| with_dummy(&tool).env("OSTREE_SKIP_CACHE", "1"));
    let site = signed_by_some(&tools[0]);
    let source = tools[0].repo(&site.repo);
    let server = Server::serve(&site.repo).unwrap();
    let url = server.url();
    for (key, code) in [("good", 0), ("bad", 1)] {
        let signed = [&format!("--sign={key}"), "--sign-type=dummy"];
        source.ok([&["summary", "-u"], &signed[..]].concat());
        for demand in ["dummy", "true"] {
            let [ours, c] = tools.each_ref().map(|tool| {
                let scratch = Scratch::new();
                let tool = tool.repo(scratch.init(tool, "repo", "archive"));
                let demand = format!("--set=sign-verify-summary={demand}");
                let add = ["remote", "add", "--no-gpg-verify", &demand];
                let key = "--set=verification-dummy-key=good";
                tool.ok([&add[..], &[key, "o", url.as_str()]].concat());
                let shown = ["refs", "summary"].map(|command| tool.run(["remote", command, "o"]));
                let mirrored = tool.run(["pull", "--mirror", "o"]).code;
                assert_eq!(mirrored, code);
                assert_eq!(tool.ok(["refs"]).is_empty(), code == 1);
                shown
            });
            for (ours, c) in ours.iter().zip(&c) {
                same(ours, c);
                assert_eq!(ours.code, code, "{ours}");
            }
        }
    }
}
