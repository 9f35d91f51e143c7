//! Keyrings: importing, listing, finding.

use super::{Site, same};
use osier_conformance::{Scratch, pair, text};
use osier_testkit::tool::{Outcome, Tool};
use std::fs;
use std::path::Path;

#[test]
fn keys_are_imported_and_listed_alike() {
    let Some((ours, c)) = pair() else { return };
    let Some(site) = Site::new(&c) else { return };
    for name in ["alice", "bobby"] {
        site.home.old_key(name, "ed25519", "never");
    }
    site.home.old_subkey("alice", "rsa2048", "20990101T000000");
    let path = |name: &str| site.scratch.path(name);
    site.home.export(&["alice"], &path("alice.asc"), true);
    site.home.export(&["bobby"], &path("bobby.gpg"), false);
    site.home
        .export(&["alice", "bobby"], &path("both.gpg"), false);
    let garbage = site.scratch.file("garbage", "no keys\n");
    let [ours_repo, c_repo] = [(&ours, "ours"), (&c, "c")].map(|(tool, name)| {
        let repo = site.scratch.init(tool, name, "archive");
        tool.repo(&repo)
            .ok(["remote", "add", "origin", "http://example.org"]);
        repo
    });
    let compare = |args: &[&str]| {
        let outcome = ours.repo(&ours_repo).run(args);
        same(&outcome, &c.repo(&c_repo).run(args));
        outcome
    };
    let arg = |option: &str, path: &Path| format!("{option}={}", text(path));
    let import = ["remote", "gpg-import"];
    let (alice, bobby) = (
        site.home.fingerprint("alice"),
        site.home.fingerprint("bobby"),
    );
    compare(&["remote", "gpg-list-keys", "origin"]);
    for (file, names) in [
        ("both.gpg", &[alice.as_str()][..]),
        ("alice.asc", &[]),
        ("both.gpg", &[&bobby[24..]]),
        ("bobby.gpg", &[]),
        ("both.gpg", &["nobody@example.org"]),
    ] {
        let keyring = arg("--keyring", &path(file));
        compare(&[&import[..], &[keyring.as_str(), "origin"], names].concat());
        compare(&["remote", "gpg-list-keys", "origin"]);
    }
    compare(&["remote", "gpg-import", &arg("-k", &garbage), "origin"]);
    compare(&[
        "remote",
        "gpg-import",
        &arg("-k", &path("missing")),
        "origin",
    ]);
    compare(&[
        "remote",
        "gpg-import",
        &arg("-k", &path("alice.asc")),
        "nowhere",
    ]);
    compare(&["remote", "gpg-import", "--stdin", "origin"]);
    compare(&["remote", "gpg-list-keys", "nowhere"]);
    // Each reads the keyring that the other wrote.
    let listed = |tool: &Tool, repo: &Path| {
        tool.repo(repo)
            .ok(["remote", "gpg-list-keys", "origin"])
            .replace('\u{2007}', " ")
    };
    assert_eq!(listed(&ours, &c_repo), listed(&c, &c_repo));
    assert_eq!(listed(&ours, &ours_repo), listed(&c, &ours_repo));
    compare(&["remote", "delete", "origin"]);
    for repo in [&ours_repo, &c_repo] {
        assert!(!repo.join("origin.trustedkeys.gpg").exists());
    }
}

#[test]
fn key_paths_of_the_configuration() {
    let Some((ours, c)) = pair() else { return };
    let Some(site) = Site::new(&c) else { return };
    site.home.old_key("alice", "ed25519", "never");
    site.home.old_key("bobby", "ed25519", "never");
    let home = format!("--gpg-homedir={}", site.home.path());
    c.repo(&site.repo)
        .ok(["gpg-sign", &home, "main", &site.home.fingerprint("alice")]);
    let path = |name: &str| text(&site.scratch.path(name)).to_owned();
    fs::create_dir(path("dir")).unwrap();
    site.home
        .export(&["alice"], Path::new(&path("alice.asc")), true);
    site.home
        .export(&["alice"], Path::new(&path("dir/alice.gpg")), false);
    fs::write(path("dir/note"), "no key").unwrap();
    site.home
        .export(&["bobby"], Path::new(&path("bobby.asc")), true);
    let (alice, bobby, dir) = (path("alice.asc"), path("bobby.asc"), path("dir"));
    let missing = path("missing");
    for value in [
        alice.clone(),
        bobby.clone(),
        dir.clone(),
        format!("{bobby},{alice}"),
        format!("{bobby};{dir};"),
        format!("{alice};{bobby},"),
        format!(",{alice}"),
        format!("{alice},{missing}"),
        missing,
        String::new(),
    ] {
        let [ours, c] = [&ours, &c].map(|tool| {
            let scratch = Scratch::new();
            let repo = scratch.init(tool, "repo", "bare-user");
            let tool = tool.repo(&repo);
            let set = format!("--set=gpgkeypath={value}");
            let url = format!("file://{}", text(&site.repo));
            tool.ok(["remote", "add", &set, "origin", &url]);
            tool.run(["pull", "origin", "main"])
        });
        assert_eq!(ours.code, c.code, "{value}\n{ours}\n{c}");
        // The C tool names the commit even where a path is at fault.
        let words = |outcome: &Outcome| {
            let line = outcome.stderr.lines().last().unwrap_or_default().to_owned();
            line.rsplit(": ")
                .next()
                .unwrap_or_default()
                .replace(" (os error 2)", "")
        };
        assert_eq!(words(&ours), words(&c), "{value}\n{ours}\n{c}");
    }
}

/// What became of a key since it was imported comes with the next import.
#[test]
fn a_later_import_brings_expiry_and_revocation() {
    let Some((ours, c)) = pair() else { return };
    let Some(site) = Site::new(&c) else { return };
    site.home.old_key("alice", "ed25519", "never");
    let home = format!("--gpg-homedir={}", site.home.path());
    c.repo(&site.repo)
        .ok(["gpg-sign", &home, "main", &site.home.fingerprint("alice")]);
    let url = format!("file://{}", text(&site.repo));
    let tools = [&ours, &c].map(|tool| {
        let repo = site
            .scratch
            .init(tool, &format!("of-{}", tool.name()), "bare-user");
        let tool = tool.repo(repo);
        tool.ok(["remote", "add", "origin", &url]);
        tool
    });
    let key = site.scratch.path("alice.gpg");
    let import = |expected: &str| {
        site.home.export(&["alice"], &key, false);
        let keyring = format!("--keyring={}", text(&key));
        for tool in &tools {
            let said = tool.ok(["remote", "gpg-import", &keyring, "origin"]);
            assert_eq!(said, format!("Imported {expected} to remote \"origin\""));
        }
    };
    let refused = |why: &str| {
        let errors = tools.each_ref().map(|tool| {
            let error = tool.fail(["pull", "origin", "main"]);
            error.replace('\u{2007}', " ")
        });
        assert!(errors[0].contains(why), "{}", errors[0]);
        assert_eq!(errors[0], errors[1]);
    };
    import("1 GPG key");
    for tool in &tools {
        tool.ok(["pull", "origin", "main"]);
    }
    site.home.expire("alice");
    import("0 GPG keys");
    refused("Key expired");
    site.home.unexpire("alice");
    import("0 GPG keys");
    for tool in &tools {
        tool.ok(["pull", "origin", "main"]);
    }
    site.home.revoke("alice");
    import("0 GPG keys");
    refused("Key revoked");
}
