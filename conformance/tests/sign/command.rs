//! `ostree sign`, and the options of `commit` and `summary`.

use super::{Site, bytes, same, with_dummy};
use osier_conformance::{commit, ours_is_c, pair, text};
use osier_gv::Dict;
use osier_testkit::tool::Tool;
use std::fs;

#[test]
fn dummy_signatures_are_those_of_the_c_tool() {
    let Some((ours, c)) = pair() else { return };
    let sites = [&ours, &c].map(|tool| (tool.clone(), Site::new(tool)));
    let run = |args: &[&str], dummy: bool| {
        let [ours, c] = sites.each_ref().map(|(tool, site)| {
            let tool = tool.repo(&site.repo);
            let tool = if dummy { with_dummy(&tool) } else { tool };
            tool.run(args)
        });
        same(&ours, &c);
        let [ours, c] = sites
            .each_ref()
            .map(|(_, site)| bytes(&site.commitmeta("main")));
        assert_eq!(ours, c, "{args:?}");
    };
    for args in [
        &["sign"][..],
        &["sign", "main"],
        &["sign", "nope", "k"],
        &["sign", "-s", "bogus", "main", "k"],
        &["sign", "-s", "dummy", "--verify", "main"],
        &["sign", "-s", "dummy", "--verify", "main", "k"],
        &["sign", "-s", "dummy", "main", "k"],
        &["sign", "-s", "dummy", "--verify", "main", "k"],
        &["sign", "-s", "dummy", "--verify", "main", "x"],
        &["sign", "-s", "dummy", "--verify", "main", "x", "k"],
        &["sign", "--sign-type=dummy", "main", "k", "k2"],
        &["sign", "-s", "dummy", "--verify", "main", "k2"],
        &["sign", "-s", "dummy", "--verify", "main", "x", "y"],
        &["show", "main"],
        &[
            "show",
            "--print-detached-metadata-key=ostree.sign.dummy",
            "main",
        ],
    ] {
        run(args, true);
    }
    run(&["sign", "-s", "dummy", "main", "k"], false);
    run(&["sign", "-s", "dummy", "--verify", "main", "k"], false);
}

#[test]
fn commits_and_summaries_are_signed_alike() {
    let Some((ours, c)) = pair() else { return };
    let sites = [&ours, &c].map(|tool| (tool.clone(), Site::new(tool)));
    let [ours, c] = sites.each_ref().map(|(tool, site)| {
        let tool = with_dummy(tool);
        let signed = ["--sign=a", "--sign=b", "--sign-type=dummy"];
        commit(&tool, &site.repo, "main", site.tree.path(), &signed);
        let tool = tool.repo(&site.repo);
        tool.ok([&["summary", "-u"], &signed[..]].concat());
        (
            bytes(&site.commitmeta("main")),
            bytes(&site.repo.join("summary.sig")),
        )
    });
    assert_eq!(ours, c);
    assert!(ours.0.is_some() && ours.0 == ours.1, "both hold a and b");

    // A type is looked at only where something is signed.
    let tree = |site: &Site| format!("--tree=dir={}", text(site.tree.path()));
    for (command, code) in [
        (&["--sign=a"][..], 1),
        (&["--sign=a", "--sign-type=bogus"], 1),
        (&["--sign-type=bogus"], 0),
    ] {
        for (tool, site) in &sites {
            // Ours signs with ed25519 by default, and takes `a` for a bad key.
            let tool = tool.repo(&site.repo);
            let run = |first: &[&str]| tool.run([first, command].concat());
            let summary = run(&["summary", "-u"]);
            let commit = run(&["commit", "--branch=new", &tree(site)]);
            assert_eq!(
                (summary.code, commit.code),
                (code, code),
                "{summary}\n{commit}"
            );
        }
    }
    for (tool, site) in &sites {
        let tool = tool.repo(&site.repo);
        let error = tool.fail([
            "commit",
            "--branch=x",
            &tree(site),
            "--sign=a",
            "--sign-type=dummy",
        ]);
        assert!(
            error.contains("dummy signature type is only for ostree testing"),
            "{error}"
        );
        assert!(
            tool.run(["rev-parse", "x"]).code == 1,
            "no ref for what is not signed"
        );
        assert_eq!(bytes(&site.repo.join("summary.sig")), None);
        tool.ok(["fsck"]);
    }
}

#[test]
fn deleted_signatures_are_gone() {
    if ours_is_c() {
        return;
    }
    let ours = with_dummy(&Tool::ours());
    let site = Site::new(&ours);
    let tool = ours.repo(&site.repo);
    let delete = |key: &str| tool.ok(["sign", "-s", "dummy", "--delete", "main", key]);
    tool.ok(["sign", "-s", "dummy", "main", "a", "b", "a"]);
    assert_eq!(delete("a"), "Signatures deleted: 2");
    assert_eq!(delete("a"), "Signatures deleted: 0");
    let meta = Dict::decode(&fs::read(site.commitmeta("main")).unwrap()).unwrap();
    assert_eq!(meta.get_bytes_list("ostree.sign.dummy").unwrap(), [b"b"]);
    assert_eq!(delete("b"), "Signatures deleted: 1");
    assert_eq!(bytes(&site.commitmeta("main")).unwrap(), b"");
}

#[test]
fn the_metadata_commit_of_a_collection_is_signed() {
    let Some((ours, c)) = pair() else { return };
    let [ours, c] = [ours, c].map(|tool| {
        let site = Site::new(&tool);
        let tool = with_dummy(&tool).repo(&site.repo);
        tool.ok(["config", "set", "core.collection-id", "org.example.Os"]);
        tool.ok(["summary", "-u", "--sign=a", "--sign=b", "--sign-type=dummy"]);
        tool.ok(["fsck"]);
        (
            bytes(&site.commitmeta("ostree-metadata")),
            bytes(&site.repo.join("summary.sig")),
        )
    });
    assert_eq!(ours, c);
    assert!(ours.0.is_some() && ours.0 == ours.1);
}
