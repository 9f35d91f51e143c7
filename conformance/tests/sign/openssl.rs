//! Keys that OpenSSL makes: signed and verified by ours alone, as the C tool that is installed lacks these types.

use super::Site;
use osier_conformance::openssl_keys::{KeyPair, ready};
use osier_conformance::{Scratch, commit, text};
use osier_testkit::tool::Tool;
use std::fs;

const ALGORITHMS: [(&str, &[&str]); 4] = [
    ("ed25519", &["-algorithm", "ed25519"]),
    ("spki", &["-algorithm", "ed25519"]),
    (
        "spki",
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    ),
    (
        "spki",
        &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    ),
];

#[test]
fn keys_of_every_kind_sign_and_verify() {
    if !ready() {
        return;
    }
    let ours = Tool::ours();
    let dir = Scratch::new();
    for (n, (kind, algorithm)) in ALGORITHMS.into_iter().enumerate() {
        let site = Site::new(&ours);
        let tool = ours.repo(&site.repo);
        let [good, wrong] = [0, 1].map(|_| KeyPair::new(&dir, kind, algorithm));
        let ty = format!("--sign-type={kind}");
        let verify = |more: &[&str]| tool.run([&["sign", &ty, "--verify", "main"], more].concat());
        let success = format!("{kind}: Signature verified successfully with key '");

        verify(&[&good.public]).expect_fail();
        assert_eq!(tool.ok(["sign", &ty, "main", &good.secret]), "");
        let line = verify(&[&good.public]).expect_ok().stdout_trimmed();
        assert!(line.starts_with(&success), "{line}");
        assert!(verify(&[&wrong.public, &good.public]).code == 0);
        let refused = verify(&[&wrong.public]).expect_fail();
        assert!(
            refused.stderr.contains("No valid signatures found"),
            "{refused}"
        );
        verify(&["not a key"]).expect_fail();

        // Keys in files.
        let keys = dir.file("keys", &wrong.public_file);
        let keys_file = format!("--keys-file={}", text(&keys));
        let refused = verify(&[&keys_file]).expect_fail();
        let words = format!("{kind}: Signature couldn't be verified with: key '");
        assert!(refused.stderr.contains(&words), "{refused}");
        assert!(verify(&[&keys_file, &good.public]).code == 0);
        let both = [&wrong.public_file[..], &good.public_file].concat();
        dir.file("keys", &both);
        assert!(verify(&[&keys_file]).code == 0);
        dir.file("keys", "");
        verify(&[&keys_file]).expect_fail();
        verify(&["--keys-file=/none"]).expect_fail();

        // In folders, which also take keys back.
        let base = dir.path(format!("dir-{n}"));
        fs::create_dir_all(base.join(format!("trusted.{kind}.d"))).unwrap();
        let keys_dir = format!("--keys-dir={}", text(&base));
        let put = |name: &str, pair: &KeyPair| {
            fs::write(base.join(name), &pair.public_file).unwrap();
        };
        verify(&[&keys_dir]).expect_fail();
        put(&format!("trusted.{kind}"), &wrong);
        verify(&[&keys_dir]).expect_fail();
        put(&format!("trusted.{kind}.d/good"), &good);
        verify(&[&keys_dir]).expect_ok();
        put(&format!("revoked.{kind}"), &good);
        verify(&[&keys_dir]).expect_fail();

        // Secret keys in files; and what is deleted is gone.
        let deleted = tool.ok(["sign", &ty, "-d", "main", &good.public]);
        assert_eq!(deleted, "Signatures deleted: 1");
        verify(&[&good.public]).expect_fail();
        let secret = dir.file("secret", &good.secret_file);
        let file = format!("--keys-file={}", text(&secret));
        tool.ok(["sign", &ty, &file, "main"]);
        verify(&[&good.public]).expect_ok();
        let from_file = format!("--sign-from-file={}", text(&secret));
        commit(
            &ours,
            &site.repo,
            "main",
            site.tree.path(),
            &[&from_file, &ty],
        );
        verify(&[&good.public]).expect_ok();
        verify(&[&wrong.public]).expect_fail();
        tool.ok(["fsck"]);

        // A bit of the commit, then of the signature.
        let meta = site.commitmeta("main");
        let mut bytes = fs::read(&meta).unwrap();
        let at = bytes.len() - 10;
        bytes[at] ^= 1;
        fs::write(&meta, bytes).unwrap();
        verify(&[&good.public]).expect_fail();
    }
}

#[test]
fn pulls_verify_with_the_keys_of_the_remote() {
    if !ready() {
        return;
    }
    let ours = Tool::ours();
    let dir = Scratch::new();
    for (n, (kind, algorithm)) in ALGORITHMS.into_iter().enumerate() {
        let site = Site::new(&ours);
        let [good, wrong] = [0, 1].map(|_| KeyPair::new(&dir, kind, algorithm));
        let sign = [
            format!("--sign={}", good.secret),
            format!("--sign-type={kind}"),
        ];
        let sign = sign.each_ref().map(String::as_str);
        commit(&ours, &site.repo, "signed", site.tree.path(), &sign);
        ours.repo(&site.repo)
            .ok([&["summary", "-u"], &sign[..]].concat());
        let url = format!("file://{}", text(&site.repo));
        let repo = dir.init(&ours, &format!("repo-{n}"), "archive");
        let tool = ours.repo(&repo);
        let add = |name: &str, more: &[&str]| {
            tool.ok([
                &["remote", "add", "--set=gpg-verify=false"],
                more,
                &[name, &url],
            ]
            .concat());
        };
        let inline = |pair: &KeyPair| format!("--sign-verify={kind}=inline:{}", pair.public);
        let file = dir.file("public", &good.public_file);
        let file = format!("--sign-verify={kind}=file:{}", text(&file));
        let summary = format!("--set=sign-verify-summary={kind}");
        let any = format!("--set=verification-{kind}-key={}", good.public);
        add("inline", &[&inline(&good), &summary]);
        add("file", &[&file]);
        add("both", &[&inline(&wrong), &file]);
        add(
            "any",
            &[
                "--set=sign-verify=true",
                "--set=sign-verify-summary=true",
                &any,
            ],
        );
        add("wrong", &[&inline(&wrong)]);
        add("none", &["--set=sign-verify=true"]);
        for (remote, branch, words) in [
            ("inline", "signed", ""),
            ("file", "signed", ""),
            ("both", "signed", ""),
            ("any", "signed", ""),
            ("inline", "main", "Can't verify commit"),
            ("any", "main", "Can't verify commit"),
            (
                "wrong",
                "signed",
                "Signature couldn't be verified with: key '",
            ),
            ("none", "signed", "no keys loaded"),
        ] {
            let outcome = tool.run(["pull", remote, branch]);
            assert_eq!(
                outcome.code == 0,
                words.is_empty(),
                "{kind} {remote}\n{outcome}"
            );
            assert!(outcome.stderr.contains(words), "{kind} {remote}\n{outcome}");
            let there = tool.run(["rev-parse", &format!("{remote}:{branch}")]).code == 0;
            assert_eq!(there, words.is_empty(), "{kind} {remote}");
        }
        tool.ok(["fsck"]);
    }
}
