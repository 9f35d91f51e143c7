//! `ostree serve` as a process: both tools pull from it, all at once too, and a signal ends it.

use osier_conformance::{MODES, Scratch, commit, pair, text};
use osier_testkit::tool::Tool;
use osier_testkit::{skip, trees};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};

/// A serving process, stopped when dropped.
struct Serving {
    child: Child,
    url: String,
}

impl Serving {
    fn start(tool: &Tool, repo: &Path, more: &[&str]) -> Serving {
        let mut command = tool.repo(repo).command(["serve", "--address=127.0.0.1:0"]);
        let mut child = command.args(more).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let url = line.trim_end().rsplit(' ').next().unwrap().to_owned();
        assert!(
            line.starts_with(&format!("Serving {} at http://127.0.0.1:", repo.display()))
                && !url.ends_with(":0/"),
            "{line}"
        );
        Serving { child, url }
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn pull_into(tool: &Tool, repo: &Path, url: &str, args: &[&str]) {
    let tool = tool.repo(repo);
    tool.ok(["remote", "add", "--no-gpg-verify", "origin", url]);
    tool.ok(["pull"].iter().chain(args));
}

#[test]
fn both_tools_pull_from_it() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let repo = scratch.init(&ours, "repo", "archive");
    let one = trees::os(&scratch.path("one"), "1", "6.1").unwrap();
    let two = trees::os(&scratch.path("two"), "2", "6.2").unwrap();
    let first = commit(&ours, &repo, "os/main", one.path(), &["--bind-ref=stable"]);
    let second = commit(&ours, &repo, "os/main", two.path(), &["--bind-ref=stable"]);
    ours.repo(&repo)
        .ok(["refs", "--create=stable", "--alias", "os/main"]);
    let log = scratch.path("log");
    let serving = Serving::start(&ours, &repo, &[&format!("--access-log={}", text(&log))]);
    for (tool, name) in [(&c, "of-c"), (&ours, "of-ours")] {
        // Without a summary, then with deltas by summary and index.
        let client = scratch.init(tool, name, "bare-user");
        pull_into(tool, &client, &serving.url, &["origin", "stable"]);
        assert_eq!(tool.repo(&client).ok(["rev-parse", "stable"]), second);
        tool.repo(&client).ok(["fsck"]);
    }
    ours.repo(&repo).ok([
        "static-delta",
        "generate",
        &format!("--from={first}"),
        &format!("--to={second}"),
    ]);
    ours.repo(&repo).ok(["summary", "--update"]);
    for (tool, name) in [(&c, "delta-of-c"), (&ours, "delta-of-ours")] {
        let client = scratch.init(tool, name, "bare-user");
        let wanted = format!("os/main@{first}");
        pull_into(tool, &client, &serving.url, &["origin", &wanted]);
        tool.repo(&client).ok(["pull", "origin", "os/main"]);
        assert_eq!(tool.repo(&client).ok(["rev-parse", "os/main"]), second);
        tool.repo(&client).ok(["fsck"]);
        let mirror = scratch.init(tool, &format!("mirror-{name}"), "archive");
        pull_into(tool, &mirror, &serving.url, &["--mirror", "origin"]);
        assert_eq!(
            std::fs::read(mirror.join("summary")).unwrap(),
            std::fs::read(repo.join("summary")).unwrap()
        );
    }
    drop(serving);
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("\"GET /refs/heads/stable HTTP/1.1\" 200 65 \"-\" \"libostree/"));
    assert!(
        log.contains("/superblock HTTP/1.1\" 200 "),
        "the C tool takes the delta: {log}"
    );
}

#[test]
fn repositories_of_all_modes_are_archives_to_clients() {
    let Some((ours, c)) = pair() else { return };
    for mode in MODES {
        if mode == "bare" && !skip::is_root() {
            continue;
        }
        let scratch = Scratch::new();
        let repo = scratch.init(&ours, "repo", mode);
        let tree = trees::os(&scratch.path("tree"), "1", "6.1").unwrap();
        tree.file("usr/large", vec![7; 9_000_000]).unwrap();
        let id = commit(&ours, &repo, "os/main", tree.path(), &[]);
        ours.repo(&repo).ok(["summary", "--update"]);
        let serving = Serving::start(&ours, &repo, &[]);
        for (tool, name) in [(&c, "of-c"), (&ours, "of-ours")] {
            let client = scratch.init(tool, name, "archive");
            pull_into(tool, &client, &serving.url, &["--mirror", "origin"]);
            assert_eq!(tool.repo(&client).ok(["rev-parse", "os/main"]), id);
            tool.repo(&client).ok(["fsck"]);
        }
    }
}

#[test]
fn many_clients_at_once() {
    let ours = Tool::ours();
    let scratch = Scratch::new();
    let repo = scratch.init(&ours, "repo", "archive");
    let tree = trees::os(&scratch.path("tree"), "1", "6.1").unwrap();
    let id = commit(&ours, &repo, "os/main", tree.path(), &[]);
    let serving = Serving::start(&ours, &repo, &["--max-connections=12"]);
    std::thread::scope(|scope| {
        for n in 0..12 {
            let (ours, scratch, url, id) = (&ours, &scratch, &serving.url, &id);
            scope.spawn(move || {
                let client = scratch.init(ours, &format!("client{n}"), "archive");
                pull_into(ours, &client, url, &["origin", "os/main"]);
                assert_eq!(ours.repo(&client).ok(["rev-parse", "os/main"]), *id);
            });
        }
    });
}

#[test]
fn signals_end_it() {
    use rustix::process::Signal;
    let ours = Tool::ours();
    let scratch = Scratch::new();
    let repo = scratch.init(&ours, "repo", "archive");
    for signal in [Signal::TERM, Signal::INT] {
        let mut serving = Serving::start(&ours, &repo, &[]);
        let address = serving.url["http://".len()..]
            .trim_end_matches('/')
            .to_owned();
        // A kept connection does not hold it up.
        let mut idle = TcpStream::connect(&address).unwrap();
        idle.write_all(b"GET /config HTTP/1.1\r\nHost: x\r\n\r\n")
            .unwrap();
        let mut some = [0; 16];
        idle.read_exact(&mut some).unwrap();
        serving.signal(signal);
        assert_eq!(serving.child.wait().unwrap().code(), Some(0));
        assert!(TcpStream::connect(&address).is_err());
    }
}

#[test]
fn what_cannot_be_served_is_said() {
    let ours = Tool::ours();
    let scratch = Scratch::new();
    let archive = scratch.init(&ours, "archive", "archive");
    let error = ours.repo(&archive).fail(["serve", "--address=nowhere"]);
    assert!(error.contains("Invalid --address=nowhere"), "{error}");
    let serving = Serving::start(&ours, &archive, &[]);
    let address = serving.url["http://".len()..].trim_end_matches('/');
    let taken = format!("--address={address}");
    let error = ours.repo(&archive).fail(["serve", &taken]);
    assert!(
        error.contains(&format!("Listening at {address}: Address already in use")),
        "{error}"
    );
}

#[test]
fn what_nobody_could_look_for_is_not_announced() {
    let ours = Tool::ours();
    let scratch = Scratch::new();
    let repo = scratch.init(&ours, "repo", "archive");
    let tool = ours.repo(&repo);
    let serve = ["serve", "--address=127.0.0.1:0", "--advertise"];
    let refused = tool.run(serve);
    assert_eq!(refused.code, 1);
    assert_eq!(
        refused.stderr,
        "error: Announcing the repository: it has no summary\nhint: `ostree summary --update` makes one\n"
    );
    tool.ok(["summary", "--update"]);
    let refused = tool.run(serve);
    assert_eq!(refused.code, 1);
    assert!(
        refused.stderr.contains("no refs of a collection"),
        "{}",
        refused.stderr
    );
}
