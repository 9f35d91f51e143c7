//! `ostree push` to an object store: what arrives is a repository that both tools pull from over plain HTTP, at every moment.

#[path = "gpg/home.rs"]
#[allow(dead_code, reason = "made for the tests of GPG")]
mod home;
#[path = "push/s3.rs"]
mod s3;

use osier_conformance::{MODES, Scratch, commit, pair, text};
use osier_testkit::httpd::Server;
use osier_testkit::tool::Tool;
use osier_testkit::{skip, trees};
use s3::{Fault, S3};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

const DESTINATION: &str = "s3://bucket/os/repo";

/// The modes that this process can commit to.
fn modes() -> impl Iterator<Item = &'static str> {
    MODES
        .into_iter()
        .filter(|mode| *mode != "bare" || skip::is_root())
}

/// Pulls a ref over HTTP into a new repository and checks all of it.
#[track_caller]
fn pulls(tool: &Tool, scratch: &Scratch, url: &str, name: &str, refs: &[(&str, &str)]) {
    let client = scratch.init(tool, name, "bare-user-only");
    let tool = tool.repo(&client);
    tool.ok(["remote", "add", "--no-gpg-verify", "origin", url]);
    for (name, commit) in refs {
        tool.ok(["pull", "origin", name]);
        assert_eq!(tool.ok(["rev-parse", name]), *commit);
    }
    tool.ok(["fsck"]);
}

/// Refs in a served folder, by name.
fn refs_in(folder: &Path) -> BTreeMap<String, String> {
    fn walk(folder: &Path, prefix: &str, found: &mut BTreeMap<String, String>) {
        let Ok(entries) = std::fs::read_dir(folder) else {
            return;
        };
        for entry in entries {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            match entry.file_type().unwrap().is_dir() {
                true => walk(&entry.path(), &format!("{name}/"), found),
                false => {
                    let text = std::fs::read_to_string(entry.path()).unwrap();
                    found.insert(name, text.trim().to_owned());
                }
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(&folder.join("refs/heads"), "", &mut found);
    found
}

fn push(tool: &Tool, repo: &Path, args: &[&str]) -> String {
    tool.repo(repo).ok(["push", DESTINATION].iter().chain(args))
}

#[test]
fn every_mode_arrives_as_an_archive() {
    let Some((ours, c)) = pair() else { return };
    for mode in modes() {
        let scratch = Scratch::new();
        let s3 = S3::start(&scratch.path("s3"));
        let tool = s3.with_credentials(&ours);
        let repo = scratch.init(&ours, "repo", mode);
        let tree = trees::os(&scratch.path("tree"), "1", "6.1").unwrap();
        // Large enough to go in parts.
        let noise: Vec<u8> = (0..20_000_000u64)
            .map(|n| (n.wrapping_mul(6_364_136_223_846_793_005) >> 56) as u8)
            .collect();
        tree.file("usr/large", noise).unwrap();
        let version = "--add-metadata-string=version=1";
        let first = commit(&ours, &repo, "os/main", tree.path(), &[version]);
        commit(&ours, &repo, "other", tree.path(), &[]);
        let said = push(&tool, &repo, &["os/main"]);
        assert!(
            said.starts_with(&format!("os/main: {first} (new)\n")),
            "{said}"
        );
        let served = s3.bucket().join("os/repo");
        assert_eq!(
            refs_in(&served).into_keys().collect::<Vec<_>>(),
            ["os/main"]
        );
        // Before anything that leads to them, objects; before their commit, all others; last the summary.
        let writes = s3.writes();
        let at = |what: &str| {
            let found: Vec<usize> = (0..writes.len())
                .filter(|n| writes[*n].contains(what))
                .collect();
            (found[0], found[found.len() - 1])
        };
        assert!(at(".filez").1 < at(".commit").0 && at(".dirtree").1 < at(".commit").0);
        assert!(at(".commit").1 < at("/config").0 && at("/config").1 < at("/refs/").0);
        assert!(at("/refs/").1 < at("/summary").0);

        let server = Server::serve(&served).unwrap();
        pulls(&c, &scratch, &server.url(), "of-c", &[("os/main", &first)]);
        pulls(
            &ours,
            &scratch,
            &server.url(),
            "of-ours",
            &[("os/main", &first)],
        );
        // Nothing to do the second time.
        assert!(push(&tool, &repo, &["os/main"]).starts_with("0 of "));
        assert_eq!(s3.writes(), [""; 0]);

        // Only what is new is brought, with a delta to it.
        let two = trees::os(&scratch.path("two"), "2", "6.1").unwrap();
        let second = commit(&ours, &repo, "os/main", two.path(), &[]);
        ours.repo(&repo).ok([
            "static-delta",
            "generate",
            "--from=os/main^",
            "--to=os/main",
        ]);
        let said = push(&tool, &repo, &[]);
        assert!(
            said.contains(&format!("os/main: {first} -> {second}\n")),
            "{said}"
        );
        assert!(said.contains(" static deltas"), "{said}");
        let without = ["push", "--disable-static-deltas", "s3://bucket/without"];
        tool.repo(&repo).ok(without);
        assert!(s3.bucket().join("without/refs/heads/os/main").exists());
        assert!(!s3.bucket().join("without/deltas").exists());
        let client = c.repo(scratch.path("of-c"));
        let log = client.ok(["pull", "origin", "os/main"]);
        assert_eq!(client.ok(["rev-parse", "os/main"]), second);
        assert!(
            log.contains("delta parts"),
            "the C tool takes the delta: {log}"
        );
        pulls(
            &c,
            &scratch,
            &server.url(),
            "fresh",
            &[("os/main", &second)],
        );
    }
}

#[test]
fn a_signed_summary_is_kept_or_nothing_is_done() {
    let ours = Tool::ours();
    let scratch = Scratch::new();
    let s3 = S3::start(&scratch.path("s3"));
    let tool = s3.with_credentials(&ours);
    let repo = scratch.init(&ours, "repo", "archive");
    let tree = trees::os(&scratch.path("tree"), "1", "6.1").unwrap();
    commit(&ours, &repo, "main", tree.path(), &[]);
    ours.repo(&repo).ok(["summary", "--update"]);
    // Only its bytes matter here.
    std::fs::write(repo.join("summary.sig"), "signature").unwrap();
    push(&tool, &repo, &[]);
    let served = s3.bucket().join("os/repo");
    for name in ["summary", "summary.sig"] {
        assert_eq!(
            std::fs::read(served.join(name)).unwrap(),
            std::fs::read(repo.join(name)).unwrap()
        );
    }
    s3.writes();
    commit(&ours, &repo, "main", tree.path(), &[]);
    let error = tool.repo(&repo).fail(["push", DESTINATION]);
    assert!(
        error.contains("it is signed") && error.contains("\nhint: "),
        "{error}"
    );
    assert_eq!(s3.writes(), [""; 0], "refused before anything was sent");
    push(&tool, &repo, &["--unsigned-summary"]);
    assert!(!served.join("summary.sig").exists());
}

#[test]
fn what_is_signed_is_verified_from_there() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let Some(home) = home::Home::new(scratch.path("gnupg")) else {
        return;
    };
    home.old_key("builder", "ed25519", "never");
    let key = home.fingerprint("builder");
    let public = scratch.path("key.gpg");
    std::fs::write(&public, home.gpg(&["--export", &key])).unwrap();
    let s3 = S3::start(&scratch.path("s3"));
    let tool = s3.with_credentials(&ours);
    let repo = scratch.init(&ours, "repo", "archive");
    let sign = [
        format!("--gpg-sign={key}"),
        format!("--gpg-homedir={}", home.path()),
    ];
    let sign: Vec<&str> = sign.iter().map(String::as_str).collect();
    let one = trees::os(&scratch.path("one"), "1", "6.1").unwrap();
    commit(&ours, &repo, "main", one.path(), &sign);
    ours.repo(&repo)
        .ok(["summary", "--update"].iter().chain(&sign));
    push(&tool, &repo, &[]);
    let server = Server::serve(&s3.bucket().join("os/repo")).unwrap();
    for (tool, name) in [(&c, "of-c"), (&ours, "of-ours")] {
        let client = scratch.init(tool, name, "archive");
        let tool = tool.repo(&client);
        let import = format!("--gpg-import={}", text(&public));
        let verify = "--set=gpg-verify-summary=true";
        tool.ok(["remote", "add", &import, verify, "origin", &server.url()]);
        tool.ok(["pull", "origin", "main"]);
    }
    // The next version reaches them as well; unsigned ones would not.
    commit(
        &ours,
        &repo,
        "main",
        one.path(),
        &[&["--body=again"], &sign[..]].concat(),
    );
    ours.repo(&repo)
        .ok(["summary", "--update"].iter().chain(&sign));
    push(&tool, &repo, &[]);
    for (tool, name) in [(&c, "of-c"), (&ours, "of-ours")] {
        tool.repo(scratch.path(name)).ok(["pull", "origin", "main"]);
    }
}

#[test]
fn refs_move_forward_only() {
    let ours = Tool::ours();
    let scratch = Scratch::new();
    let s3 = S3::start(&scratch.path("s3"));
    let tool = s3.with_credentials(&ours);
    let one = scratch.init(&ours, "one", "archive");
    let two = scratch.init(&ours, "two", "archive");
    let tree = trees::os(&scratch.path("tree"), "1", "6.1").unwrap();
    let first = commit(&ours, &one, "main", tree.path(), &[]);
    let other = commit(&ours, &two, "main", tree.path(), &["--body=other"]);
    push(&tool, &one, &[]);
    let error = tool.repo(&two).fail(["push", DESTINATION]);
    assert!(
        error.contains(&format!(
            "Cannot move main at the destination from {first} to {other}"
        )),
        "{error}"
    );
    assert_eq!(refs_in(&s3.bucket().join("os/repo"))["main"], first);
    let said = push(&tool, &two, &["--force", "--dry-run"]);
    assert!(
        said.contains(&format!("main: {first} -> {other}\nWould send ")),
        "{said}"
    );
    assert_eq!(refs_in(&s3.bucket().join("os/repo"))["main"], first);
    push(&tool, &two, &["--force"]);
    assert_eq!(refs_in(&s3.bucket().join("os/repo"))["main"], other);
}

#[test]
fn pushes_at_the_same_time_see_each_other() {
    let ours = Tool::ours();
    let scratch = Scratch::new();
    let s3 = S3::start(&scratch.path("s3"));
    let tool = s3.with_credentials(&ours);
    let repo = scratch.init(&ours, "repo", "archive");
    let tree = trees::os(&scratch.path("tree"), "1", "6.1").unwrap();
    commit(&ours, &repo, "main", tree.path(), &[]);
    push(&tool, &repo, &[]);
    let served = s3.bucket().join("os/repo");
    let theirs = scratch.init(&ours, "theirs", "archive");
    commit(&ours, &theirs, "theirs", tree.path(), &["--body=theirs"]);
    let moved = commit(&ours, &theirs, "main", tree.path(), &["--body=theirs"]);
    let other = |args: &[&str]| {
        let mut command = tool.repo(&theirs).command(["push", DESTINATION]);
        command.args(args).stdout(Stdio::null());
        command
    };
    // Another one brings a ref when this one has looked already.
    commit(&ours, &repo, "main", tree.path(), &["--body=again"]);
    s3.meanwhile(".commit", other(&["theirs"]));
    push(&tool, &repo, &[]);
    let server = Server::serve(&served).unwrap();
    let client = scratch.init(&ours, "client", "archive");
    let client = ours.repo(&client);
    client.ok(["remote", "add", "--no-gpg-verify", "origin", &server.url()]);
    assert_eq!(
        client.ok(["remote", "refs", "origin"]),
        "origin:main\norigin:theirs"
    );
    // Or moves the same ref.
    commit(&ours, &repo, "main", tree.path(), &["--body=third"]);
    s3.meanwhile(".commit", other(&["--force", "main"]));
    let error = tool.repo(&repo).fail(["push", DESTINATION]);
    assert!(
        error.contains("Cannot move main") && error.contains("meanwhile"),
        "{error}"
    );
    assert_eq!(refs_in(&served)["main"], moved);
}

#[test]
fn stale_objects_go_and_nothing_else() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let s3 = S3::start(&scratch.path("s3"));
    let tool = s3.with_credentials(&ours);
    let (one, two) = (
        scratch.init(&ours, "one", "archive"),
        scratch.init(&ours, "two", "archive"),
    );
    let old = trees::os(&scratch.path("old"), "1", "6.1").unwrap();
    let new = trees::os(&scratch.path("new"), "2", "6.2").unwrap();
    let kept = commit(&ours, &one, "kept", old.path(), &[]);
    let history = commit(&ours, &one, "kept", new.path(), &[]);
    old.file("usr/only-gone", "gone\n").unwrap();
    commit(&ours, &one, "gone", old.path(), &[]);
    push(&tool, &one, &["--depth=-1"]);
    // Somebody else's ref, of which this repository knows nothing.
    new.file("usr/foreign", "foreign\n").unwrap();
    commit(&ours, &two, "foreign", new.path(), &[]);
    push(&tool, &two, &["foreign"]);
    let served = s3.bucket().join("os/repo");
    std::fs::write(served.join("objects/mine.txt"), "not an object").unwrap();
    ours.repo(&one).ok(["refs", "--delete", "gone"]);
    ours.repo(&one).ok(["prune", "--refs-only"]);

    // Only objects when refs are named; but all refs still need them.
    let said = push(&tool, &one, &["--delete-stale", "--stale-age=0", "kept"]);
    assert!(!said.contains("stale"), "{said}");
    assert_eq!(refs_in(&served).len(), 3);
    // Its age keeps all of it.
    let said = push(&tool, &two, &["--delete-stale", "foreign"]);
    assert!(!said.contains("stale"), "{said}");
    // Without names, refs that are not here go, with what only they need.
    std::fs::remove_file(served.join("refs/heads/foreign")).unwrap();
    let dry = push(
        &tool,
        &one,
        &["--delete-stale", "--stale-age=0", "--dry-run"],
    );
    let before = refs_in(&served);
    assert_eq!(before.len(), 2, "{dry}");
    let said = push(&tool, &one, &["--delete-stale", "--stale-age=0"]);
    assert!(
        said.contains("gone: ") && said.contains("(deleted)"),
        "{said}"
    );
    let count = |said: &str| {
        let at = said.find("; ").unwrap() + 2;
        said[at..].split(' ').next().unwrap().parse::<u64>().ok()
    };
    assert!(count(dry.lines().last().unwrap()).unwrap() > 0, "{dry}");
    assert_eq!(refs_in(&served).into_keys().collect::<Vec<_>>(), ["kept"]);
    assert!(served.join("objects/mine.txt").exists());
    let server = Server::serve(&served).unwrap();
    pulls(&c, &scratch, &server.url(), "client", &[("kept", &history)]);
    let client = c.repo(scratch.path("client"));
    client.ok(["pull", "--depth=-1", "origin", "kept"]);
    client.ok(["show", &kept]);
    client.ok(["fsck"]);
    // A destination whose refs cannot be followed is left alone.
    push(&tool, &two, &["foreign"]);
    let objects = |ty: &str| -> Vec<PathBuf> {
        let prefixes = std::fs::read_dir(served.join("objects")).unwrap();
        let folders = prefixes
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_dir());
        folders
            .flat_map(|folder| std::fs::read_dir(folder).unwrap())
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|found| found == ty))
            .collect()
    };
    let unknown = |path: &PathBuf| !one.join(path.strip_prefix(&served).unwrap()).exists();
    let args = [
        "push",
        "--delete-stale",
        "--stale-age=0",
        DESTINATION,
        "kept",
    ];
    for ty in ["dirtree", "commit"] {
        let path = objects(ty).into_iter().find(unknown).unwrap();
        std::fs::remove_file(&path).unwrap();
        s3.writes();
        let error = tool.repo(&one).fail(args);
        let rest = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(
            error.contains(&rest) && error.contains("is missing"),
            "{error}"
        );
        assert_eq!(s3.writes(), [""; 0], "nothing was deleted");
    }
}

#[test]
fn killed_pushes_leave_whole_refs_and_go_on() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let repo = scratch.init(&ours, "repo", "archive");
    let one = trees::os(&scratch.path("one"), "1", "6.1").unwrap();
    let two = trees::os(&scratch.path("two"), "2", "6.2").unwrap();
    let first = commit(&ours, &repo, "main", one.path(), &[]);
    let s3 = S3::start(&scratch.path("s3"));
    let tool = s3.with_credentials(&ours);
    push(&tool, &repo, &[]);
    let second = commit(&ours, &repo, "main", two.path(), &["--bind-ref=new"]);
    ours.repo(&repo).ok(["refs", "--create=new", "main"]);
    // How many requests a whole push takes.
    let fresh = scratch.path("counted");
    let counted = S3::start(&fresh);
    copy(&s3.bucket(), &counted.bucket());
    counted.set(Fault::None);
    push(&counted.with_credentials(&ours), &repo, &[]);
    let all = counted.requests();
    assert!(all > 20, "{all}");
    for (round, at) in (1..all)
        .step_by((all as usize / 12).max(1))
        .chain([all - 1, all])
        .enumerate()
    {
        let s3 = S3::start(&scratch.path(format!("s3-{round}")));
        copy(&scratch.path("s3/bucket"), &s3.bucket());
        let tool = s3.with_credentials(&ours);
        s3.set(Fault::Hang(at));
        let mut child = tool
            .repo(&repo)
            .command(["push", "--jobs=3", DESTINATION])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        while s3.requests() < at {
            assert!(
                child.try_wait().unwrap().is_none(),
                "ended before request {at}"
            );
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let served = s3.bucket().join("os/repo");
        let server = Server::serve(&served).unwrap();
        for (n, (name, id)) in refs_in(&served).iter().enumerate() {
            assert!([&first, &second].contains(&id), "{name}: {id}");
            // By its file, as without a summary; then whatever the summary says.
            let client = scratch.init(&ours, &format!("killed-{round}-{n}"), "archive");
            let client = ours.repo(&client);
            client.ok(["remote", "add", "--no-gpg-verify", "origin", &server.url()]);
            client.ok(["pull", "origin", id]);
            client.ok(["fsck"]);
        }
        let client = scratch.init(&c, &format!("killed-{round}-c"), "archive");
        let client = c.repo(&client);
        client.ok(["remote", "add", "--no-gpg-verify", "origin", &server.url()]);
        client.ok(["pull", "--mirror", "origin"]);
        client.ok(["fsck"]);
        s3.set(Fault::None);
        push(&tool, &repo, &[]);
        let refs = [("main", second.as_str()), ("new", &second)];
        pulls(
            &c,
            &scratch,
            &server.url(),
            &format!("after-{round}"),
            &refs,
        );
    }
}

fn copy(from: &Path, to: &Path) {
    let status = std::process::Command::new("cp")
        .arg("-a")
        .arg(format!("{}/.", text(from)))
        .arg(to)
        .status();
    assert!(status.unwrap().success());
}

#[test]
fn a_failing_store_is_tried_again_or_said() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let repo = scratch.init(&ours, "repo", "archive");
    let tree = trees::os(&scratch.path("tree"), "1", "6.1").unwrap();
    let id = commit(&ours, &repo, "main", tree.path(), &[]);
    for (n, fault) in [Fault::Unavailable(5), Fault::Cut(7)]
        .into_iter()
        .enumerate()
    {
        let s3 = S3::start(&scratch.path(format!("s3-{n}")));
        s3.set(fault);
        push(&s3.with_credentials(&ours), &repo, &[]);
        let server = Server::serve(&s3.bucket().join("os/repo")).unwrap();
        pulls(
            &c,
            &scratch,
            &server.url(),
            &format!("client-{n}"),
            &[("main", &id)],
        );
    }
    let s3 = S3::start(&scratch.path("s3-broken"));
    s3.set(Fault::Broken(30));
    let tool = s3.with_credentials(&ours);
    let error = tool
        .repo(&repo)
        .fail(["push", "--network-retries=1", DESTINATION]);
    assert!(
        error.contains("s3://bucket/os/repo/") && error.contains("500"),
        "{error}"
    );
    assert!(refs_in(&s3.bucket().join("os/repo")).is_empty());
    let s3 = S3::start(&scratch.path("s3-wrong"));
    let wrong = s3
        .with_credentials(&ours)
        .env("AWS_SECRET_ACCESS_KEY", "wrong");
    let error = wrong.repo(&repo).fail(["push", DESTINATION]);
    assert!(error.contains("s3://bucket/os/repo"), "{error}");
    assert!(!error.contains("wrong"), "no secrets in errors: {error}");
    let missing = s3.with_credentials(&ours);
    let error = missing.repo(&repo).fail(["push", "s3://nowhere/x"]);
    assert!(error.contains("s3://nowhere/x"), "{error}");
}

#[test]
fn damage_is_not_published() {
    let ours = Tool::ours();
    let scratch = Scratch::new();
    for mode in ["archive", "bare-user-only"] {
        let repo = scratch.init(&ours, mode, mode);
        let tree = trees::os(&scratch.path(format!("tree-{mode}")), "1", "6.1").unwrap();
        tree.file("usr/file", "some content\n").unwrap();
        commit(&ours, &repo, "main", tree.path(), &[]);
        let listing = ours.repo(&repo).ok(["ls", "-C", "main", "/usr/file"]);
        let id = listing.split_whitespace().nth(4).unwrap().to_owned();
        let ending = if mode == "archive" { "filez" } else { "file" };
        let object = repo.join(format!("objects/{}/{}.{ending}", &id[..2], &id[2..]));
        let mut bytes = std::fs::read(&object).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        std::fs::write(&object, bytes).unwrap();
        let s3 = S3::start(&scratch.path(format!("s3-{mode}")));
        let error = s3
            .with_credentials(&ours)
            .repo(&repo)
            .fail(["push", DESTINATION]);
        assert!(error.contains(&id), "{error}");
        let served: PathBuf = s3.bucket().join("os/repo");
        assert!(refs_in(&served).is_empty());
        assert!(
            !served
                .join(format!("objects/{}/{}.filez", &id[..2], &id[2..]))
                .exists()
        );
    }
}
