//! What is shown of signatures.

use super::{Site, c_is_recent, same};
use osier_conformance::{Scratch, ours_is_c, pair, text};
use std::fs;

#[test]
fn every_fate_of_keys_and_signatures_is_told_the_same() {
    let Some((ours, c)) = pair() else { return };
    let Some(site) = Site::new(&c) else { return };
    let home = &site.home;
    for (name, algorithm, expires) in [
        ("rsa", "rsa2048", "never"),
        ("plain", "ed25519", "never"),
        ("timed", "ed25519", "20990101T000000"),
        ("over", "ed25519", "20210101T000000"),
        ("revoked", "ed25519", "never"),
        ("both", "ed25519", "never"),
        ("subkeyed", "ed25519", "never"),
        ("subover", "ed25519", "never"),
        ("primaryover", "ed25519", "never"),
        ("unknown", "ed25519", "never"),
    ] {
        home.old_key(name, algorithm, expires);
    }
    home.old_subkey("subkeyed", "rsa2048", "20990101T000000");
    home.old_subkey("subover", "ed25519", "20200301T000000");
    home.old_subkey("primaryover", "ed25519", "never");
    let data = site.object("commit");
    let sign = |name: &str| home.sign(name, &data, &[]);
    let mut signatures: Vec<(String, Vec<u8>)> = Vec::new();
    for name in [
        "rsa",
        "plain",
        "timed",
        "over",
        "revoked",
        "both",
        "subkeyed",
        "subover",
        "primaryover",
        "unknown",
    ] {
        signatures.push((name.into(), sign(name)));
    }
    for (name, more) in [
        ("armored", &["--armor"][..]),
        ("as text", &["--textmode"]),
        ("with SHA-1", &["--digest-algo", "SHA1"]),
        ("with MD5", &["--digest-algo", "MD5"]),
        ("for a day", &["--default-sig-expire", "1d"]),
        ("for long", &["--default-sig-expire", "20990101T000000"]),
    ] {
        signatures.push((name.into(), home.sign("rsa", &data, more)));
    }
    let primary = format!("{}!", home.fingerprint("subkeyed"));
    let by_primary = home.sign("rsa", &data, &["--local-user", &primary]);
    signatures.push(("two in one".into(), by_primary));
    let other = site.scratch.file("other", "other");
    let bad = home.sign("rsa", &other, &[]);
    signatures.push(("of something else".into(), bad.clone()));
    signatures.push(("garbage".into(), b"garbage".to_vec()));
    signatures.push((
        "a whole message".into(),
        home.gpg(&["--output", "-", "--sign", text(&data)]),
    ));
    for name in ["both", "primaryover"] {
        home.expire(name);
    }
    home.revoke("revoked");
    home.revoke("both");

    let keys = site.scratch.path("keys");
    fs::create_dir(&keys).unwrap();
    let known = [
        "rsa",
        "plain",
        "timed",
        "over",
        "revoked",
        "both",
        "subkeyed",
        "subover",
        "primaryover",
    ];
    home.export(&known, &keys.join("all.gpg"), false);
    let tools = [&ours, &c].map(|tool| tool.repo(&site.repo).env("OSTREE_GPG_HOME", text(&keys)));
    let show = || {
        let [ours, c] = tools.each_ref().map(|tool| tool.run(["show", "main"]));
        same(&ours, &c);
        ours
    };
    for (name, signature) in &signatures {
        // For 2022.7 what is no signature is no error.
        if !c_is_recent() && ["garbage", "a whole message"].contains(&name.as_str()) {
            continue;
        }
        site.attach(&[signature]);
        eprintln!("{name}:\n{}", show());
    }
    let of = |name: &str| &signatures.iter().find(|(n, _)| n == name).unwrap().1[..];
    // Several: the C tool stops at the first bad or expired one.
    site.attach(&[
        of("over"),
        of("revoked"),
        of("unknown"),
        of("plain"),
        of("for a day"),
    ]);
    let shown = show();
    assert!(shown.stdout.contains("Found 5 signatures:"), "{shown}");
    site.attach(&[]);
    if c_is_recent() {
        show();
    }
    if !ours_is_c() {
        site.attach(&[&bad, of("plain")]);
        let shown = tools[0].ok(["show", "main"]);
        assert!(shown.contains("Found 2 signatures:"), "{shown}");
        assert!(shown.contains("Good signature from \"plain"), "{shown}");
    }
    // What is listed of the keys, too.
    let [ours, c] = tools.map(|tool| tool.run(["remote", "gpg-list-keys"]));
    same(&ours, &c);
    assert_eq!(ours.stdout.matches("Key: ").count(), known.len());
}

#[test]
fn the_block_on_the_summary() {
    let Some((ours, c)) = pair() else { return };
    let Some(site) = Site::new(&c) else { return };
    site.home.old_key("alice", "ed25519", "never");
    let sign = format!("--gpg-sign={}", site.home.fingerprint("alice"));
    let home = format!("--gpg-homedir={}", site.home.path());
    ours.repo(&site.repo).ok(["summary", "-u", &sign, &home]);
    let keys = site.scratch.path("keys");
    fs::create_dir(&keys).unwrap();
    site.home.export(&["alice"], &keys.join("k.gpg"), false);
    let url = format!("file://{}", text(&site.repo));
    for verify in ["true", "false"] {
        let [ours, c] = [&ours, &c].map(|tool| {
            let scratch = Scratch::new();
            let repo = scratch.init(tool, "repo", "archive");
            let tool = tool.env("OSTREE_GPG_HOME", text(&keys));
            let set = format!("--set=gpg-verify-summary={verify}");
            tool.repo(&repo).ok(["remote", "add", &set, "origin", &url]);
            let remote = tool.repo(&repo).run(["remote", "summary", "origin"]);
            (remote, tool.repo(&site.repo).run(["summary", "--view"]))
        });
        same(&ours.0, &c.0);
        // 2022.7 says nothing there.
        if c_is_recent() {
            same(&ours.1, &c.1);
        }
    }
}
