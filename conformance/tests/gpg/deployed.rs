//! What is deployed: its signatures in `admin status`, and upgrades that demand them.

use super::{Site, c_is_recent, same};
use osier_conformance::{Scratch, commit, pair, root_or_skip, text};
use osier_testkit::tool::Tool;
use osier_testkit::trees;
use std::fs;

#[test]
fn status_and_upgrades_of_signed_commits() {
    let Some((ours, c)) = pair() else { return };
    if !root_or_skip() {
        return;
    }
    let tools = [ours, c].map(|tool| tool.env("OSTREE_SYSROOT_DEBUG", "mutable-deployments"));
    let [ours, c] = &tools;
    let Some(site) = Site::new(c) else { return };
    for name in ["alice", "bobby"] {
        site.home.old_key(name, "ed25519", "never");
    }
    let home = format!("--gpg-homedir={}", site.home.path());
    let sign = |name: &str| format!("--gpg-sign={}", site.home.fingerprint(name));
    let publish = |version: &str, signers: &[&str]| {
        let tree = trees::os(&site.scratch.path(version), version, "kernel").unwrap();
        let mut args: Vec<String> = signers.iter().map(|name| sign(name)).collect();
        args.push(home.clone());
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        commit(c, &site.repo, "os", tree.path(), &args)
    };
    publish("1", &["alice", "bobby"]);

    let scratch = Scratch::new();
    let root = scratch.path("sysroot");
    fs::create_dir(&root).unwrap();
    c.ok(["admin", "init-fs", text(&root)]);
    let sysroot = format!("--sysroot={}", text(&root));
    let admin =
        |tool: &Tool, args: &[&str]| tool.run([&["admin", sysroot.as_str()], args].concat());
    admin(c, &["os-init", "willow"]).expect_ok();
    let key = site.scratch.path("alice.gpg");
    site.home.export(&["alice"], &key, false);
    let repo = c.repo(root.join("ostree/repo"));
    let import = format!("--gpg-import={}", text(&key));
    let url = format!("file://{}", text(&site.repo));
    repo.ok(["remote", "add", &import, "origin", &url]);
    repo.ok(["pull", "origin", "os"]);
    admin(
        c,
        &["deploy", "--os=willow", "--karg=root=LABEL=x", "origin:os"],
    )
    .expect_ok();

    // 2022.7 knows other options, and says other things.
    let recent = c_is_recent();
    let status = || {
        if !recent {
            return;
        }
        for args in [
            &["status"][..],
            &["status", "-V"],
            &["status", "-S"],
            &["status", "-V", "-S"],
        ] {
            same(&admin(ours, args), &admin(c, args));
        }
    };
    status();
    let shown = admin(ours, &["status"]).stdout;
    assert!(
        shown.contains("    GPG: Good signature from \"alice <alice@example.org>\""),
        "{shown}"
    );
    assert!(
        shown.contains("    GPG: Can't check signature: public key not found"),
        "{shown}"
    );
    let keyring = root.join("ostree/repo/origin.trustedkeys.gpg");
    let bytes = fs::read(&keyring).unwrap();
    fs::remove_file(&keyring).unwrap();
    status();
    fs::write(&keyring, bytes).unwrap();
    let config = root.join("ostree/repo/config");
    let text_before = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{text_before}gpg-verify=false\n")).unwrap();
    status();
    fs::write(&config, &text_before).unwrap();

    // An upgrade that a stranger signed, or nobody, changes nothing; one that counts does.
    let before = admin(c, &["status"]).stdout;
    for (version, signers) in [("2", &["bobby"][..]), ("3", &[])] {
        publish(version, signers);
        let refused = admin(ours, &["upgrade", "--os=willow"]).expect_fail();
        let theirs = admin(c, &["upgrade", "--os=willow"]).expect_fail();
        assert_eq!(
            refused.stderr.replace('\u{2007}', " "),
            theirs.stderr.replace('\u{2007}', " ")
        );
        assert_eq!(admin(c, &["status"]).stdout, before);
    }
    let tip = publish("4", &["alice"]);
    admin(ours, &["upgrade", "--os=willow"]).expect_ok();
    assert!(admin(c, &["status"]).stdout.contains(&tip));
    status();
    repo.ok(["fsck"]);
}
