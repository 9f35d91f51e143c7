//! GPG signatures: each tool makes of them what the other does. Keys and odd signatures are made by GnuPG in the test.

#[path = "gpg/home.rs"]
mod home;

use home::Home;
use osier_conformance::{Scratch, both_ways, commit, ours_is_c, pair, text};
use osier_gv::{Dict, Value};
use osier_testkit::httpd::Server;
use osier_testkit::tool::{Outcome, Tool};
use osier_testkit::tree::Tree;
use std::fs;
use std::path::{Path, PathBuf};

/// A repository with one commit of `main`, unsigned.
struct Site {
    scratch: Scratch,
    home: Home,
    repo: PathBuf,
    tree: Tree,
}

impl Site {
    fn new(writer: &Tool) -> Option<Site> {
        let scratch = Scratch::new();
        let home = Home::new(scratch.path("gnupg"))?;
        let tree = Tree::create(scratch.path("tree")).unwrap();
        tree.file("file", "content").unwrap();
        let repo = scratch.init(writer, "repo", "archive");
        commit(writer, &repo, "main", tree.path(), &[]);
        Some(Site {
            scratch,
            home,
            repo,
            tree,
        })
    }

    fn tip(&self) -> String {
        let tip = fs::read_to_string(self.repo.join("refs/heads/main")).unwrap();
        tip.trim().to_owned()
    }

    fn object(&self, extension: &str) -> PathBuf {
        let tip = self.tip();
        self.repo
            .join(format!("objects/{}/{}.{extension}", &tip[..2], &tip[2..]))
    }

    /// Puts these signatures beside the commit.
    fn attach(&self, signatures: &[&[u8]]) {
        let mut meta = Dict::new();
        let all = signatures.iter().map(|bytes| bytes.to_vec());
        meta.push("ostree.gpgsigs", Value::bytes_list(all));
        fs::write(self.object("commitmeta"), meta.encode()).unwrap();
    }
}

/// Whether the C tool has the words of today, and a GnuPG of today behind it.
fn c_is_recent() -> bool {
    Tool::c().is_some_and(|c| !c.ok(["--version"]).contains("Version: '2022"))
}

/// Both have the same to say. The newer the library behind the C tool, the wider its spaces; GnuPG before 2.4 does not say
/// that the time of a subkey is over with that of its primary key.
#[track_caller]
fn same(ours: &Outcome, c: &Outcome) {
    let recent = c_is_recent();
    let plain = |text: &str| {
        text.replace('\u{2007}', " ")
            .lines()
            .filter(|line| {
                recent || !line.starts_with("  Key expired") && !line.starts_with("    Expired:")
            })
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!(plain(&ours.stdout), plain(&c.stdout), "{ours}\n{c}");
    assert_eq!(ours.code, c.code, "{ours}\n{c}");
    if c.code != 0 {
        assert_eq!(plain(&ours.stderr), plain(&c.stderr));
    }
}

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
