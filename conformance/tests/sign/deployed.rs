//! What is deployed: its signatures in `admin status --verify`, and upgrades that demand them.

use super::{Site, same, with_dummy};
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
    // 2022.7 verifies only what GPG signed.
    let recent = !c.ok(["--version"]).contains("Version: '2022");
    let tools =
        [ours, c].map(|tool| with_dummy(&tool).env("OSTREE_SYSROOT_DEBUG", "mutable-deployments"));
    let [ours, c] = &tools;
    let site = Site::new(c);
    let publish = |version: &str, signers: &[&str]| {
        let tree = trees::os(&site.tree.path().join(version), version, "kernel").unwrap();
        let mut args = vec!["--sign-type=dummy".to_owned()];
        args.extend(signers.iter().map(|key| format!("--sign={key}")));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        commit(c, &site.repo, "os", tree.path(), &args)
    };
    publish("1", &["bad", "good"]);

    let scratch = Scratch::new();
    let root = scratch.path("sysroot");
    fs::create_dir(&root).unwrap();
    c.ok(["admin", "init-fs", text(&root)]);
    let sysroot = format!("--sysroot={}", text(&root));
    let admin =
        |tool: &Tool, args: &[&str]| tool.run([&["admin", sysroot.as_str()], args].concat());
    admin(c, &["os-init", "willow"]).expect_ok();
    let repo = c.repo(root.join("ostree/repo"));
    let url = format!("file://{}", text(&site.repo));
    let sign = "--sign-verify=dummy=inline:good";
    repo.ok([
        "remote",
        "add",
        "--set=gpg-verify=false",
        sign,
        "origin",
        &url,
    ]);
    repo.ok(["pull", "origin", "os"]);
    let deploy = ["deploy", "--os=willow", "--karg=root=LABEL=x", "origin:os"];
    admin(c, &deploy).expect_ok();

    let config = root.join("ostree/repo/config");
    let strict = fs::read_to_string(&config).unwrap();
    if recent {
        for (from, to) in [
            ("", ""),
            (
                "verification-dummy-key=good",
                "verification-dummy-key=other",
            ),
            ("sign-verify=dummy", "sign-verify=false"),
            ("verification-dummy-key=good\n", ""),
            ("sign-verify=dummy", "sign-verify=nosuch"),
        ] {
            fs::write(&config, strict.replacen(from, to, 1)).unwrap();
            for args in [&["status"][..], &["status", "-V"]] {
                same(&admin(ours, args), &admin(c, args));
            }
        }
        fs::write(&config, &strict).unwrap();
    }

    // An upgrade that a stranger signed, or nobody, changes nothing; one that counts does.
    let before = admin(c, &["status"]).stdout;
    for (version, signers) in [("2", &["bad"][..]), ("3", &[])] {
        publish(version, signers);
        for tool in &tools {
            let refused = admin(tool, &["upgrade", "--os=willow"]).expect_fail();
            assert!(refused.stderr.contains("Can't verify commit"), "{refused}");
        }
        assert_eq!(admin(c, &["status"]).stdout, before);
    }
    let tip = publish("4", &["good"]);
    admin(ours, &["upgrade", "--os=willow"]).expect_ok();
    assert!(admin(c, &["status"]).stdout.contains(&tip));
    repo.ok(["fsck"]);
}
