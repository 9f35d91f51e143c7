//! Signed static deltas. The C tools that are installed have only `dummy`, so that is what both are compared by; the other
//! types are asked of ours, with keys that OpenSSL makes.

use osier_conformance::openssl_keys::{KeyPair, ready};
use osier_conformance::{Scratch, commit, ours_is_c, pair, text};
use osier_testkit::httpd::Server;
use osier_testkit::tool::{Outcome, Tool};
use std::fs;
use std::path::{Path, PathBuf};

/// Both tools, with `dummy` switched on.
fn dummies() -> Option<[Tool; 2]> {
    let (ours, c) = pair()?;
    Some([ours, c].map(|tool| tool.env("OSTREE_DUMMY_SIGN_ENABLED", "1")))
}

/// An archive with two commits of `main`.
struct Site {
    repo: PathBuf,
    commits: [String; 2],
}

impl Site {
    fn new(scratch: &Scratch, tool: &Tool) -> Site {
        let repo = scratch.init(tool, "site", "archive");
        let tree = scratch.path("tree");
        fs::create_dir(&tree).unwrap();
        let commits = ["one", "two"].map(|version| {
            fs::write(tree.join("file"), format!("{version}\n").repeat(50)).unwrap();
            commit(tool, &repo, "main", &tree, &[])
        });
        Site { repo, commits }
    }

    fn id(&self) -> String {
        self.commits.join("-")
    }

    /// Makes the delta anew.
    fn generate(&self, tool: &Tool, more: &[&str]) -> Outcome {
        let _ = fs::remove_dir_all(self.repo.join("deltas"));
        tool.repo(&self.repo)
            .run([&["static-delta", "generate", "main"], more].concat())
    }

    fn verify(&self, tool: &Tool, more: &[&str]) -> Outcome {
        let id = self.id();
        let [options, keys] = [0, 1].map(|wanted| {
            let option = |arg: &&&str| usize::from(!arg.starts_with("--")) == wanted;
            more.iter().filter(option).copied().collect::<Vec<_>>()
        });
        let args = [&["static-delta", "verify"], &options[..], &[&id], &keys].concat();
        tool.repo(&self.repo).run(args)
    }

    /// The folder of the only delta.
    fn delta(&self) -> PathBuf {
        let inside = |dir: &Path| fs::read_dir(dir).unwrap().next().unwrap().unwrap().path();
        inside(&inside(&self.repo.join("deltas")))
    }

    /// A repository with the first commit, and what applying the delta to it says.
    fn apply(&self, tool: &Tool, name: &str, config: &[&str], args: &[&str]) -> Outcome {
        let client = self.repo.parent().unwrap().join(name);
        let _ = fs::remove_dir_all(&client);
        let client_arg = format!("--repo={}", text(&client));
        tool.ok(["init", "--mode=bare-user", &client_arg]);
        let client_tool = tool.repo(&client);
        client_tool.ok(["pull-local", text(&self.repo), &self.commits[0]]);
        for pair in config {
            let (key, value) = pair.split_once('=').unwrap();
            client_tool.ok(["config", "set", key, value]);
        }
        let delta = self.delta();
        let (options, keys): (Vec<&str>, Vec<&str>) =
            args.iter().partition(|arg| arg.starts_with("--"));
        let args = [
            &["static-delta", "apply-offline"],
            &options[..],
            &[text(&delta)],
            &keys,
        ]
        .concat();
        let outcome = client_tool.run(args);
        let there = client_tool.run(["ls", &self.commits[1]]).code == 0;
        assert_eq!(there, outcome.code == 0, "{outcome}");
        client_tool.ok(["fsck"]);
        outcome
    }
}

/// The line that begins with `error: `.
fn error(outcome: &Outcome) -> &str {
    let line = |line: &&str| line.starts_with("error: ");
    outcome.stderr.lines().find(line).unwrap_or_default()
}

#[track_caller]
fn same(ours: &Outcome, c: &Outcome) {
    assert_eq!(ours.code, c.code, "\n{ours}\n{c}");
    assert_eq!(ours.stdout, c.stdout, "\n{ours}\n{c}");
    assert_eq!(error(ours), error(c), "\n{ours}\n{c}");
}

#[test]
fn signed_superblocks_are_those_of_the_c_tool() {
    let Some([ours, c]) = dummies() else { return };
    let scratch = Scratch::new();
    let site = Site::new(&scratch, &c);
    for more in [
        &["--sign-type=dummy", "--sign=foo"][..],
        &["--sign-type=dummy", "--sign=foo", "--sign=bar", "--inline"],
        &["--sign-type=dummy", "--sign=foo", "--set-endianness=B"],
        &["--sign-type=nope"],
    ] {
        let [our, their] = [&ours, &c].map(|tool| {
            let outcome = site.generate(tool, more);
            let mut bytes = fs::read(site.delta().join("superblock")).unwrap();
            // The moment: 8 bytes before the first commit's 32, in either kind.
            let from: Vec<u8> = (0..32)
                .map(|i| u8::from_str_radix(&site.commits[0][2 * i..2 * i + 2], 16).unwrap())
                .collect();
            let at = |needle: &[u8]| {
                bytes
                    .windows(needle.len())
                    .position(|w| w == needle)
                    .unwrap()
            };
            let at = at(&from);
            bytes[at - 8..at].fill(0);
            // Each reads what either wrote.
            let show = [&ours, &c].map(|reader| {
                let out = reader
                    .repo(&site.repo)
                    .run(["static-delta", "show", &site.id()]);
                out.stdout
            });
            // The C tool looks for parts in files alone.
            assert!(show[0].starts_with(&show[1]), "{more:?} {show:?}");
            assert!(
                show[0] == show[1] || more.contains(&"--inline"),
                "{more:?} {show:?}"
            );
            assert!(show[1].contains("\nPartMeta0: "), "{show:?}");
            (outcome, bytes)
        });
        same(&our.0, &their.0);
        // Our part is smaller than the C tool's, so that its digest and size differ; what is around them does not.
        if !more.contains(&"--inline") {
            assert_eq!(our.1.len(), their.1.len(), "{more:?}");
            let differing = our.1.iter().zip(&their.1).filter(|(a, b)| a != b).count();
            assert!(differing <= 32 + 8, "{more:?}: {differing} bytes");
        }
    }
    let [our, their] =
        [&ours, &c].map(|tool| site.generate(tool, &["--sign-type=nope", "--sign=foo"]));
    same(&our, &their);
}

#[test]
fn verdicts_are_those_of_the_c_tool() {
    let Some([ours, c]) = dummies() else { return };
    let scratch = Scratch::new();
    let site = Site::new(&scratch, &c);
    for writer in [&ours, &c] {
        for options in [&[][..], &["--sign-type=dummy", "--sign=foo", "--sign=bar"]] {
            assert_eq!(site.generate(writer, options).code, 0);
            for keys in [
                &[][..],
                &["foo"],
                &["bar"],
                &["baz"],
                &["foo", "bar"],
                &["baz", "foo"],
            ] {
                let args = [&["--sign-type=dummy"], keys].concat();
                let [our, their] = [&ours, &c].map(|tool| site.verify(tool, &args));
                same(&our, &their);
                // Without a signature the C tool takes everything; with the type that it lacks, too.
                if options.is_empty() && !keys.is_empty() {
                    let refused = site.apply(&ours, "client", &[], &args);
                    if !ours_is_c() {
                        assert!(
                            error(&refused).contains("no signatures in static-delta"),
                            "{refused}"
                        );
                    }
                    continue;
                }
                for config in [&[][..], &["core.sign-verify-deltas=true"]] {
                    if options.is_empty() && !config.is_empty() {
                        continue;
                    }
                    let [our, their] =
                        [&ours, &c].map(|tool| site.apply(tool, "client", config, &args));
                    same(&our, &their);
                }
            }
            // The C tool takes the last key for the only one.
            let both = ["--sign-type=dummy", "foo", "baz"];
            let verdict = site.verify(&ours, &both);
            if !ours_is_c() {
                assert_eq!(verdict.code == 0, !options.is_empty(), "{verdict}");
            }
            let [our, their] =
                [&ours, &c].map(|tool| site.verify(tool, &["--sign-type=nope", "foo"]));
            same(&our, &their);
        }
        // Switched off, nothing signed by `dummy` counts.
        let [our, their] = [&ours, &c].map(|tool| {
            let off = tool.env("OSTREE_DUMMY_SIGN_ENABLED", "0");
            let args = ["--sign-type=dummy", "foo"];
            (
                site.verify(&off, &args),
                site.apply(&off, "client", &[], &args),
            )
        });
        same(&our.0, &their.0);
        same(&our.1, &their.1);
    }
}

const ALGORITHMS: [(&str, &[&str]); 7] = [
    ("ed25519", &["-algorithm", "ed25519"]),
    ("spki", &["-algorithm", "ed25519"]),
    ("spki", &["-algorithm", "ed448"]),
    (
        "spki",
        &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    ),
    (
        "spki",
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    ),
    (
        "spki",
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    ),
    (
        "spki",
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
    ),
];

#[test]
fn keys_of_every_kind_guard_deltas() {
    if !ready() {
        return;
    }
    let ours = Tool::ours();
    let scratch = Scratch::new();
    let site = Site::new(&scratch, &ours);
    for (kind, algorithm) in ALGORITHMS {
        let [good, wrong] = [0, 1].map(|_| KeyPair::new(&scratch, kind, algorithm));
        let ty = format!("--sign-type={kind}");
        let secret_file = scratch.file("secret", &good.secret_file);
        let from_file = format!("--keys-file={}", text(&secret_file));
        let sign = format!("--sign={}", good.secret);
        let both = [&[&ty, &sign[..]][..], &[&ty, &from_file, "--inline"]];
        // OpenSSL's slower keys differ in nothing but how they sign.
        let ways = if kind == "ed25519" { 2 } else { 1 };
        for signing in both.into_iter().rev().take(ways) {
            let made = site.generate(&ours, signing);
            assert_eq!(made.code, 0, "{made}");
            let [good_file, wrong_file] =
                [("good", &good), ("wrong", &wrong)].map(|(name, pair)| {
                    let file = scratch.file(name, &pair.public_file);
                    format!("--keys-file={}", text(&file))
                });
            let dir = scratch.path(format!("keys-{kind}"));
            let _ = fs::remove_dir_all(&dir);
            fs::create_dir(&dir).unwrap();
            let keys_dir = format!("--keys-dir={}", text(&dir));
            fs::write(dir.join(format!("trusted.{kind}")), &good.public_file).unwrap();
            let (good, wrong) = (&good.public[..], &wrong.public[..]);
            for (keys, valid) in [
                (&[good][..], true),
                (&[wrong], false),
                (&[wrong, good], true),
                (&[good, wrong], true),
                (&[&good_file], true),
                (&[&wrong_file], false),
                (&[&keys_dir], true),
                (&["--keys-file=/none"], false),
                (&["not a key"], false),
                (&["AAAA"], false),
            ] {
                let args = [&[&ty[..]], keys].concat();
                let verdict = site.verify(&ours, &args);
                assert_eq!(verdict.code == 0, valid, "{kind} {keys:?} {verdict}");
                assert_eq!(verdict.stdout == "Verification OK\n", valid, "{verdict}");
                if keys.len() == 2 || !valid {
                    let applied = site.apply(&ours, "client", &[], &args);
                    assert_eq!(applied.code == 0, valid, "{kind} {keys:?} {applied}");
                }
            }
            // Taken back.
            let trusted = dir.join(format!("trusted.{kind}"));
            fs::copy(&trusted, dir.join(format!("revoked.{kind}"))).unwrap();
            let refused = site.verify(&ours, &[&ty, &keys_dir]);
            assert_eq!(refused.stdout, "Verification fails\n", "{refused}");

            // A bit of the commit in the superblock.
            let superblock = site.delta().join("superblock");
            let mut bytes = fs::read(&superblock).unwrap();
            let at = bytes.windows(8).position(|w| w == b"OSTSGNDT").unwrap() + 120;
            bytes[at] ^= 1;
            fs::write(&superblock, bytes).unwrap();
            let refused = site.verify(&ours, &[&ty, good]);
            assert_eq!(refused.code, 1, "{refused}");
            assert_eq!(site.apply(&ours, "client", &[], &[&ty, good]).code, 1);
        }
    }
}

#[test]
fn pulls_take_signed_deltas() {
    if !ready() {
        return;
    }
    let ours = Tool::ours();
    let scratch = Scratch::new();
    let site = Site::new(&scratch, &ours);
    let [good, wrong] = [0, 1].map(|_| KeyPair::new(&scratch, "ed25519", ALGORITHMS[0].1));
    let sign = format!("--sign={}", good.secret);
    let server = Server::serve(&site.repo).unwrap();
    let pull = |name: &str, url: &str, config: &[(&str, &str)], more: &[&str]| {
        let client = scratch.path(name);
        let _ = fs::remove_dir_all(&client);
        let client = scratch.init(&ours, name, "bare-user");
        let tool = ours.repo(&client);
        tool.ok(["remote", "add", "--no-sign-verify", "origin", url]);
        let first = format!("main@{}", site.commits[0]);
        tool.ok(["pull", "--disable-static-deltas", "origin", &first]);
        for (key, value) in config {
            tool.ok(["config", "set", key, value]);
        }
        server.clear_log();
        let outcome = tool.run([&["pull"], more, &["origin", "main"]].concat());
        tool.ok(["fsck"]);
        let there = tool.run(["ls", &site.commits[1]]).code == 0;
        assert_eq!(there, outcome.code == 0, "{outcome}");
        let parts = server
            .paths()
            .iter()
            .filter(|path| path.ends_with("/0"))
            .count();
        (outcome, parts)
    };
    let demand = ("core.sign-verify-deltas", "true");
    let key = "remote \"origin\".verification-ed25519-key";
    for signed in [true, false] {
        let more: &[&str] = if signed { &[&sign] } else { &[] };
        assert_eq!(site.generate(&ours, more).code, 0);
        ours.repo(&site.repo).ok(["summary", "-u"]);
        for url in [server.url(), format!("file://{}", text(&site.repo))] {
            let over_http = url.starts_with("http");
            for (config, takes) in [
                (&[][..], true),
                (&[demand, (key, &good.public)], signed),
                (&[demand, (key, &wrong.public)], false),
                (&[demand], false),
            ] {
                let label = format!("signed {signed} {url} {config:?}");
                let (outcome, parts) = pull("client", &url, config, &[]);
                assert_eq!(outcome.code, 0, "{label} {outcome}");
                if over_http {
                    assert_eq!(parts > 0, takes, "{label} {outcome}");
                }
                let (outcome, _) = pull("client", &url, config, &["--require-static-deltas"]);
                assert_eq!(outcome.code == 0, takes, "{label} {outcome}");
                if !takes {
                    let refused = error(&outcome).contains("Can't verify static delta");
                    assert!(refused, "{label} {outcome}");
                }
            }
        }
        // The same from a repository on this machine: without a remote only the system's keys count.
        let remote = "--remote=origin";
        for (config, more, takes) in [
            (&[][..], &[][..], true),
            (&[], &[remote], true),
            (&[demand], &[], false),
            (&[demand, (key, &good.public)], &[], false),
            (&[demand, (key, &good.public)], &[remote], signed),
            (&[demand, (key, &wrong.public)], &[remote], false),
        ] {
            let client = scratch.path("local");
            let _ = fs::remove_dir_all(&client);
            let tool = ours.repo(scratch.init(&ours, "local", "bare-user"));
            tool.ok([
                &["pull-local", text(&site.repo)],
                more,
                &[site.commits[0].as_str()],
            ]
            .concat());
            for (key, value) in config {
                tool.ok(["config", "set", key, value]);
            }
            let pull = ["pull-local", "--require-static-deltas", text(&site.repo)];
            let outcome = tool.run([&pull, more, &["main"]].concat());
            let label = format!("signed {signed} {config:?} {more:?}");
            assert_eq!(outcome.code == 0, takes, "{label} {outcome}");
            assert_eq!(
                tool.run(["ls", &site.commits[1]]).code == 0,
                takes,
                "{label}"
            );
            if !takes {
                let refused = error(&outcome).contains("Can't verify static delta");
                assert!(refused, "{label} {outcome}");
            }
            tool.ok(["fsck"]);
        }
    }
}
