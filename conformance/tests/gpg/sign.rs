//! Signing, and taking signatures back.

use super::Site;
use osier_conformance::{both_ways, commit, ours_is_c, pair, text};
use osier_gv::Dict;
use osier_testkit::tool::Tool;
use std::fs;

#[test]
fn signing_and_taking_back() {
    for (first, second) in both_ways() {
        let Some(site) = Site::new(&first) else {
            return;
        };
        site.home.old_key("alice", "ed25519", "never");
        site.home.old_key("bobby", "rsa2048", "never");
        let keys = site.scratch.path("keys");
        fs::create_dir(&keys).unwrap();
        site.home
            .export(&["alice", "bobby"], &keys.join("k.gpg"), false);
        let home = format!("--gpg-homedir={}", site.home.path());
        let [first, second] =
            [first, second].map(|t| t.repo(&site.repo).env("OSTREE_GPG_HOME", text(&keys)));
        let (alice, bobby) = (
            site.home.fingerprint("alice"),
            site.home.fingerprint("bobby"),
        );
        let count = |tool: &Tool| tool.ok(["show", "main"]).matches("Good signature").count();
        assert_eq!(first.ok(["gpg-sign", &home, "main", &alice]), "");
        second.ok(["gpg-sign", &home, "main", "bobby@example.org"]);
        assert_eq!((count(&first), count(&second)), (2, 2));
        for tool in [&first, &second] {
            let error = tool.fail(["gpg-sign", &home, "main", &alice[24..]]);
            let words = format!("Commit is already signed with GPG key {}", &alice[24..]);
            assert!(error.contains(&words), "{error}");
            let error = tool.fail(["gpg-sign", &home, "main", "nobody@example.org"]);
            assert!(
                error.contains("No gpg key found with ID nobody@example.org"),
                "{error}"
            );
            let error = tool.fail(["gpg-sign", &home, "main", "@example.org"]);
            assert!(error.contains("ambiguous"), "{error}");
            let error = tool.fail(["gpg-sign", &home, "main", "short"]);
            assert!(error.contains("Unable to lookup key ID short"), "{error}");
            assert!(
                tool.fail(["gpg-sign", "main"])
                    .contains("Need at least one GPG KEY-ID")
            );
        }
        let delete = |tool: &Tool, key: &str| tool.ok(["gpg-sign", "-d", &home, "main", key]);
        assert_eq!(delete(&first, &bobby[24..]), "Signatures deleted: 1");
        assert_eq!(delete(&first, &bobby), "Signatures deleted: 0");
        assert_eq!(count(&second), 1);
        assert_eq!(
            delete(&second, "alice@example.org"),
            "Signatures deleted: 1"
        );
        assert_eq!(count(&first), 0);
        assert_eq!(fs::read(site.object("commitmeta")).unwrap(), b"");
        first.ok(["fsck"]);
        second.ok(["fsck"]);
    }
}

/// What else is in the detached metadata stays, in the C tool's order.
#[test]
fn signatures_lie_among_other_metadata_in_the_same_order() {
    let Some((ours, c)) = pair() else { return };
    let order = |tool: &Tool| {
        let site = Site::new(tool)?;
        site.home.old_key("alice", "ed25519", "never");
        let alice = site.home.fingerprint("alice");
        let home = format!("--gpg-homedir={}", site.home.path());
        let sign = format!("--gpg-sign={alice}");
        let more = ["z=1", "version=2", "a.b=3", "ostree.x=4"]
            .map(|pair| format!("--add-detached-metadata-string={pair}"));
        let mut args: Vec<&str> = more.iter().map(String::as_str).collect();
        let mut orders = Vec::new();
        let mut keys = || {
            let meta = Dict::decode(&fs::read(site.object("commitmeta")).unwrap()).unwrap();
            orders.push(meta.keys().map(str::to_owned).collect::<Vec<_>>());
        };
        commit(tool, &site.repo, "main", site.tree.path(), &args);
        tool.repo(&site.repo)
            .ok(["gpg-sign", &home, "main", &alice]);
        keys();
        args.extend([sign.as_str(), home.as_str()]);
        commit(tool, &site.repo, "main", site.tree.path(), &args);
        keys();
        Some(orders)
    };
    assert_eq!(order(&ours), order(&c));
}

/// Verifying needs no gpg; signing says that it does.
#[test]
fn without_gpg() {
    let ours = Tool::ours();
    if ours_is_c() {
        return;
    }
    let Some(site) = Site::new(&ours) else { return };
    site.home.old_key("alice", "ed25519", "never");
    let keys = site.scratch.path("keys");
    fs::create_dir(&keys).unwrap();
    site.home.export(&["alice"], &keys.join("k.gpg"), false);
    let alice = site.home.fingerprint("alice");
    let home = format!("--gpg-homedir={}", site.home.path());
    ours.repo(&site.repo)
        .ok(["gpg-sign", &home, "main", &alice]);
    let bare = ours
        .repo(&site.repo)
        .env("PATH", "/nonexistent")
        .env("OSTREE_GPG_HOME", text(&keys));
    let shown = bare.ok(["show", "main"]);
    assert!(shown.contains("Good signature from \"alice"), "{shown}");
    let error = bare.fail(["gpg-sign", &home, "main", "bobby@example.org"]);
    assert!(
        error.contains("gpg: the program is not installed"),
        "{error}"
    );
}

/// In a repository with a collection the summary's keys sign the commit of its metadata, too.
#[test]
fn the_metadata_commit_of_a_collection_is_signed() {
    for (writer, reader) in both_ways() {
        let Some(site) = Site::new(&writer) else {
            return;
        };
        site.home.old_key("alice", "ed25519", "never");
        let keys = site.scratch.path("keys");
        fs::create_dir(&keys).unwrap();
        site.home.export(&["alice"], &keys.join("k.gpg"), false);
        let sign = format!("--gpg-sign={}", site.home.fingerprint("alice"));
        let home = format!("--gpg-homedir={}", site.home.path());
        let writer = writer.repo(&site.repo);
        writer.ok(["config", "set", "core.collection-id", "org.example.Os"]);
        writer.ok(["summary", "-u", &sign, &home]);
        let shown = reader
            .repo(&site.repo)
            .env("OSTREE_GPG_HOME", text(&keys))
            .ok(["show", "ostree-metadata"]);
        assert!(shown.contains("Good signature from \"alice"), "{shown}");
    }
}
