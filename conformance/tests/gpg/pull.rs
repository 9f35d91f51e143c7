//! Pulls that demand signatures.

use super::Site;
use osier_conformance::{Scratch, both_ways, commit, ours_is_c, pair, text};
use osier_testkit::httpd::Server;
use osier_testkit::tool::{Outcome, Tool};
use std::fs;
use std::process::Command;

#[test]
fn each_pulls_what_the_other_signed() {
    for (writer, reader) in both_ways() {
        let Some(site) = Site::new(&writer) else {
            return;
        };
        site.home.old_key("rsa", "rsa2048", "never");
        site.home.old_key("sub", "ed25519", "never");
        site.home.old_subkey("sub", "ed25519", "never");
        site.home.old_key("stranger", "ed25519", "never");
        let key = |name: &str| format!("--gpg-sign={}", site.home.fingerprint(name));
        let home = format!("--gpg-homedir={}", site.home.path());
        site.tree.file("file", "changed").unwrap();
        let (rsa, sub) = (key("rsa"), key("sub"));
        let signed = commit(
            &writer,
            &site.repo,
            "main",
            site.tree.path(),
            &[&rsa, &sub, &home],
        );
        commit(&writer, &site.repo, "plain", site.tree.path(), &[]);
        writer.repo(&site.repo).ok(["summary", "-u", &sub, &home]);

        let export = |name: &str| {
            let file = site.scratch.path(format!("{name}.asc"));
            site.home.export(&[name], &file, true);
            format!("--gpg-import={}", text(&file))
        };
        let server = Server::serve(&site.repo).unwrap();
        let dest = site.scratch.init(&reader, "dest", "bare-user");
        let reader = reader.repo(&dest);
        let add = |name: &str, more: &[&str]| {
            let url = server.url();
            reader.ok([&["remote", "add"], more, &[name, url.as_str()]].concat())
        };
        let summary = "--set=gpg-verify-summary=true";
        let added = add("by-sub", &[&export("sub"), summary]);
        assert_eq!(added, "Imported 1 GPG key to remote \"by-sub\"");
        add("by-rsa", &[&export("rsa")]);
        add("stranger", &[&export("stranger")]);
        add("nobody", &[]);
        add(
            "summary-only",
            &[&export("sub"), summary, "--no-gpg-verify"],
        );
        add(
            "wrong-summary",
            &[&export("stranger"), summary, "--no-gpg-verify"],
        );

        reader.ok(["pull", "by-sub", "main"]);
        assert_eq!(reader.ok(["rev-parse", "by-sub:main"]), signed);
        reader.ok(["pull", "by-rsa", "main"]);
        reader.ok(["pull", "summary-only", "plain"]);
        for (remote, branch, why) in [
            (
                "stranger",
                "main",
                "Can't check signature: public key not found",
            ),
            (
                "nobody",
                "main",
                "Can't check signature: public key not found",
            ),
            (
                "by-sub",
                "plain",
                "GPG verification enabled, but no signatures found",
            ),
            (
                "wrong-summary",
                "plain",
                "Can't check signature: public key not found",
            ),
        ] {
            let error = reader.fail(["pull", remote, branch]);
            assert!(error.contains(why), "{remote}: {error}");
            let code = reader
                .run(["rev-parse", &format!("{remote}:{branch}")])
                .code;
            assert_eq!(code, 1, "no ref for what was refused");
        }
        // A changed summary, one without signature, then none. What is cached is not asked for again.
        let reader = reader.env("OSTREE_SKIP_CACHE", "1");
        let bytes = fs::read(site.repo.join("summary")).unwrap();
        let mut changed = bytes.clone();
        let position = bytes.windows(4).position(|w| w == b"main").unwrap();
        changed[position] = b'M';
        fs::write(site.repo.join("summary"), changed).unwrap();
        let error = reader.fail(["pull", "summary-only", "main"]);
        assert!(
            error.contains("BAD signature from \"sub <sub@example.org>\""),
            "{error}"
        );
        fs::write(site.repo.join("summary"), &bytes).unwrap();
        fs::remove_file(site.repo.join("summary.sig")).unwrap();
        let error = reader.fail(["pull", "summary-only", "main"]);
        assert!(error.contains("but no summary.sig found"), "{error}");
        fs::remove_file(site.repo.join("summary")).unwrap();
        let error = reader.fail(["pull", "summary-only", "main"]);
        assert!(error.contains("but no summary found"), "{error}");
        reader.ok(["fsck"]);
    }
}

#[test]
fn pull_local_verifies_when_told_to() {
    let Some((ours, c)) = pair() else { return };
    let Some(site) = Site::new(&c) else { return };
    site.home.old_key("alice", "ed25519", "never");
    site.home.old_key("bobby", "ed25519", "never");
    let home = format!("--gpg-homedir={}", site.home.path());
    c.repo(&site.repo)
        .ok(["gpg-sign", &home, "main", &site.home.fingerprint("alice")]);
    for name in ["alice", "bobby"] {
        site.home.export(&[name], &site.scratch.path(name), false);
    }
    let run = |tool: &Tool, key: &str, args: &[&str]| {
        let scratch = Scratch::new();
        let repo = scratch.init(tool, "repo", "bare-user");
        let tool = tool.repo(&repo);
        let import = format!("--gpg-import={}", text(&site.scratch.path(key)));
        tool.ok(["remote", "add", &import, "origin", "http://example.org"]);
        let source = text(&site.repo);
        tool.run([&["pull-local"], args, &[source, "main"]].concat())
    };
    let cases = |signed: bool| {
        for (key, args) in [
            ("alice", &["--remote=origin", "--gpg-verify"][..]),
            ("bobby", &["--remote=origin", "--gpg-verify"]),
            ("bobby", &["--remote=origin"]),
            ("alice", &["--remote=origin", "--gpg-verify-summary"]),
            ("bobby", &["--remote=origin", "--gpg-verify-summary"]),
            ("alice", &["--remote=nowhere", "--gpg-verify"]),
            ("alice", &["--gpg-verify"]),
        ] {
            let [ours, c] = [&ours, &c].map(|tool| run(tool, key, args));
            assert_eq!(ours.code, c.code, "{signed} {key}\n{ours}\n{c}");
            // The C tool looks for the remote when it has the commit.
            let words = |outcome: &Outcome| match outcome.stderr.find("Remote \"nowhere\"") {
                Some(start) => outcome.stderr[start..].to_owned(),
                None => outcome.stderr.clone(),
            };
            assert_eq!(words(&ours), words(&c), "{signed} {key}\n{ours}\n{c}");
        }
    };
    cases(false);
    let sign = format!("--gpg-sign={}", site.home.fingerprint("alice"));
    c.repo(&site.repo).ok(["summary", "-u", &sign, &home]);
    cases(true);
}

/// With the C tool a metalink and a signed summary do not go together: it never finds the summary.
#[test]
fn a_signed_summary_behind_a_metalink() {
    let ours = Tool::ours();
    if ours_is_c() {
        return;
    }
    let Some(site) = Site::new(&ours) else { return };
    site.home.old_key("alice", "ed25519", "never");
    site.home.old_key("bobby", "ed25519", "never");
    let sign = format!("--gpg-sign={}", site.home.fingerprint("alice"));
    let home = format!("--gpg-homedir={}", site.home.path());
    ours.repo(&site.repo).ok(["summary", "-u", &sign, &home]);
    let server = Server::serve(&site.repo).unwrap();
    let summary = site.repo.join("summary");
    let digest = Command::new("sha256sum")
        .arg(&summary)
        .output()
        .unwrap()
        .stdout;
    let metalink = format!(
        "<metalink version=\"3.0\" xmlns=\"http://www.metalinker.org/\"><files><file name=\"summary\"><size>{}</size>\
         <verification><hash type=\"sha256\">{}</hash></verification><resources>\
         <url protocol=\"http\" type=\"http\">{}/summary</url></resources></file></files></metalink>",
        fs::metadata(&summary).unwrap().len(),
        String::from_utf8_lossy(&digest[..64]),
        server.url().trim_end_matches('/'),
    );
    fs::write(site.repo.join("metalink.xml"), metalink).unwrap();
    let url = format!(
        "metalink={}/metalink.xml",
        server.url().trim_end_matches('/')
    );
    let pull = |key: &str| {
        let scratch = Scratch::new();
        let repo = scratch.init(&ours, "repo", "bare-user");
        let ours = ours.repo(&repo);
        let file = scratch.path("key");
        site.home.export(&[key], &file, false);
        let import = format!("--gpg-import={}", text(&file));
        let set = "--set=gpg-verify-summary=true";
        ours.ok([
            "remote",
            "add",
            &import,
            set,
            "--no-gpg-verify",
            "origin",
            &url,
        ]);
        ours.run(["pull", "origin", "main"])
    };
    pull("alice").expect_ok();
    let refused = pull("bobby").expect_fail();
    assert!(refused.stderr.contains("public key not found"), "{refused}");
    fs::remove_file(site.repo.join("summary.sig")).unwrap();
    let refused = pull("alice").expect_fail();
    assert!(refused.stderr.contains("no summary.sig found"), "{refused}");
}
