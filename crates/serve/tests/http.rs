//! The server over real connections: what it answers, what it refuses, and that it ends.

use osier_serve::{AccessLog, NoLog, Record, ServeOptions, Server, Stopper};
use osier_store::commit::{self, CommitOptions, Source};
use osier_store::{CreateOptions, OpenOptions, ReadObjects, Repo, RepoMode, TransactionOptions};
use osier_testkit::tree::Tree;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;

/// What must never be in an answer.
const SECRET: &str = "hunter2-never-served";

struct Running {
    dir: TempDir,
    address: SocketAddr,
    stopper: Stopper,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Kept(Mutex<Vec<Record>>);

impl AccessLog for Kept {
    fn record(&self, record: &Record) {
        self.0.lock().unwrap().push(record.clone());
    }
}

/// An archive with a commit of small files and a large one, an alias, and files that are none of the clients' business.
fn repository(dir: &Path, mode: RepoMode) -> PathBuf {
    let tree = Tree::create(dir.join("tree")).unwrap();
    tree.file("small", "hello\n").unwrap();
    // Incompressible, so that the object is large as well.
    let mut state = 1u32;
    let noise: Vec<u8> = (0..if mode.is_archive() {
        3_000_000
    } else {
        6_000_000
    })
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect();
    tree.file("large", &noise).unwrap();
    let path = dir.join("repo");
    let options = CreateOptions {
        mode,
        collection_id: None,
    };
    let repo = Repo::create(&path, &options).unwrap();
    let tx = repo.begin(&TransactionOptions::default()).unwrap();
    let root = commit::build_tree(&tx, &[Source::Dir(dir.join("tree"))], &Default::default());
    let options = CommitOptions {
        timestamp: 1,
        ..Default::default()
    };
    let id = commit::write(&tx, root.unwrap(), &options).unwrap();
    tx.set_refspec("os/main", Some(id)).unwrap();
    tx.commit().unwrap();
    repo.set_alias("stable/now", "os/main").unwrap();
    std::fs::write(path.join("summary"), "a summary").unwrap();
    let config = std::fs::read_to_string(path.join("config")).unwrap();
    std::fs::write(
        path.join("config"),
        format!("{config}[remote \"up\"]\nurl=https://me:{SECRET}@example.org/\n"),
    )
    .unwrap();
    for name in [
        "up.trustedkeys.gpg",
        "up.cookies.txt",
        "state/x",
        "tmp/x",
        ".hidden",
        "../outside",
    ] {
        std::fs::write(path.join(name), SECRET).unwrap();
    }
    // Links that lead out of the repository, or to what is not served in it.
    let out = path.parent().unwrap().join("outside");
    symlink(&out, path.join("refs/heads/out")).unwrap();
    symlink("../../config", path.join("refs/heads/conf")).unwrap();
    symlink(&out, path.join("summary.sig")).unwrap();
    symlink("/etc", path.join("refs/heads/etc")).unwrap();
    let hex = "ab".repeat(31);
    std::fs::create_dir_all(path.join("objects/ab")).unwrap();
    symlink(&out, path.join(format!("objects/ab/{hex}.dirtree"))).unwrap();
    path
}

impl Running {
    fn of_mode(mode: RepoMode) -> Running {
        Running::start_mode(mode, ServeOptions::default(), Arc::new(NoLog))
    }

    fn start(options: ServeOptions, log: Arc<dyn AccessLog>) -> Running {
        Running::start_mode(RepoMode::Archive, options, log)
    }

    fn start_mode(mode: RepoMode, options: ServeOptions, log: Arc<dyn AccessLog>) -> Running {
        let dir = tempfile::tempdir().unwrap();
        let path = repository(dir.path(), mode);
        let repo = Repo::open_with(&path, &OpenOptions::default()).unwrap();
        let server = Server::bind(repo, "127.0.0.1:0".parse().unwrap(), options).unwrap();
        let (address, stopper) = (server.address(), server.stopper());
        let thread = std::thread::spawn(move || server.run(log).unwrap());
        Running {
            dir,
            address,
            stopper,
            thread: Some(thread),
        }
    }

    fn plain() -> Running {
        Running::start(ServeOptions::default(), Arc::new(NoLog))
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        stream
    }

    fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask("GET", path, headers)
    }

    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut stream = self.connect();
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        Answer::parse(&bytes)
    }

    /// Path and bytes of the largest object.
    fn large(&self) -> (String, Vec<u8>) {
        let objects = self.dir.path().join("repo/objects");
        let mut found: Vec<(u64, PathBuf)> = Vec::new();
        for prefix in std::fs::read_dir(&objects).unwrap() {
            for file in std::fs::read_dir(prefix.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                found.push((path.symlink_metadata().unwrap().len(), path));
            }
        }
        found.sort();
        let path = found.pop().unwrap().1;
        let below = path.strip_prefix(self.dir.path().join("repo")).unwrap();
        (
            format!("/{}", below.display()),
            std::fs::read(&path).unwrap(),
        )
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stopper.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Answer {
        let end = bytes
            .windows(4)
            .position(|w| w == b"\r\n\r\n")
            .unwrap_or_else(|| panic!("no head: {:?}", String::from_utf8_lossy(bytes)));
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        Answer {
            status: status.parse().unwrap(),
            headers: lines
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
                .collect(),
            body: bytes[end + 4..].to_vec(),
        }
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

#[test]
fn files_have_their_types_lengths_and_versions() {
    let server = Running::plain();
    let (path, bytes) = server.large();
    let answer = server.get(&path, &[]);
    assert_eq!(answer.status, 200);
    assert!(answer.body == bytes, "the object's bytes");
    assert_eq!(answer.header("content-length"), bytes.len().to_string());
    assert_eq!(answer.header("content-type"), "application/octet-stream");
    assert_eq!(answer.header("accept-ranges"), "bytes");
    assert!(answer.header("cache-control").contains("immutable"));
    let etag = answer.header("etag").to_owned();
    assert!(etag.starts_with('"') && etag.ends_with('"'));
    assert!(answer.header("last-modified").ends_with(" GMT"));

    let head = server.ask("HEAD", &path, &[]);
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), bytes.len().to_string());

    let same = server.get(&path, &[("If-None-Match", &etag)]);
    assert_eq!((same.status, same.body.len()), (304, 0));
    assert_eq!(same.header("etag"), etag);
    let modified = answer.header("last-modified");
    assert_eq!(
        server.get(&path, &[("If-Modified-Since", modified)]).status,
        304
    );

    let config = server.get("/config", &[]);
    assert_eq!(config.header("content-type"), "text/plain; charset=utf-8");
    let text = String::from_utf8(config.body).unwrap();
    assert_eq!(text, "[core]\nrepo_version=1\nmode=archive-z2\n");
    let tip = server.get("/refs/heads/os/main", &[]);
    assert_eq!(tip.body.len(), 65);
    let alias = server.get("/refs/heads/stable/now", &[]);
    assert_eq!((alias.status, alias.body), (200, tip.body));
    assert_eq!(server.get("/summary", &[]).body, b"a summary");
    // As some clients join addresses.
    assert_eq!(server.get("//summary?x=y", &[]).status, 200);
    assert_eq!(server.ask("PUT", "/summary", &[]).status, 405);
    assert_eq!(
        server.ask("DELETE", "/summary", &[]).header("allow"),
        "GET, HEAD"
    );
}

#[test]
fn ranges_are_cut_out_exactly() {
    let server = Running::plain();
    let (path, bytes) = server.large();
    let size = bytes.len();
    let etag = server.ask("HEAD", &path, &[]).header("etag").to_owned();
    for (range, from, to) in [
        ("bytes=0-0".to_owned(), 0, 1),
        ("bytes=1000000-".to_owned(), 1_000_000, size),
        ("bytes=131071-262145".to_owned(), 131_071, 262_146),
        ("bytes=-5".to_owned(), size - 5, size),
        (format!("bytes=5-{}", size * 2), 5, size),
    ] {
        let answer = server.get(&path, &[("Range", &range), ("If-Range", &etag)]);
        assert_eq!(answer.status, 206, "{range}");
        assert!(answer.body == bytes[from..to], "{range}");
        assert_eq!(
            answer.header("content-range"),
            format!("bytes {from}-{}/{size}", to - 1)
        );
    }
    let behind = server.get(&path, &[("Range", &format!("bytes={size}-"))]);
    assert_eq!(behind.status, 416);
    assert_eq!(behind.header("content-range"), format!("bytes */{size}"));
    let other = [("Range", "bytes=5-"), ("If-Range", "\"other\"")];
    assert_eq!(server.get(&path, &other).status, 200);
    let small = server.get("/summary", &[("Range", "bytes=2-4")]);
    assert_eq!((small.status, &small.body[..]), (206, &b"sum"[..]));
}

#[test]
fn nothing_else_is_served() {
    let server = Running::plain();
    let hex = "ab".repeat(31);
    for path in [
        "/",
        "/.lock",
        "/.hidden",
        "/tmp/x",
        "/state/x",
        "/up.trustedkeys.gpg",
        "/up.cookies.txt",
        "/summary.sig",
        "/refs/heads/out",
        "/refs/heads/conf",
        "/refs/heads/etc/passwd",
        "/refs/heads/os",
        "/refs/heads/../../config",
        "/refs/heads/%2e%2e/%2e%2e/config",
        "/refs/heads/..%2f..%2fconfig",
        "/objects/../up.cookies.txt",
        "/../outside",
        "/%2e%2e/outside",
        "/..%2foutside",
        "/%2e%2e%2foutside",
        "/..%5coutside",
        "/%252e%252e/outside",
        "//etc/passwd",
        "/config%00",
        "/config%00.filez",
        "/%ff%fe",
        &format!("/objects/ab/{hex}.dirtree"),
        &format!("/objects/ab/{hex}.filez"),
        "http://x/../outside",
    ] {
        let answer = server.get(path, &[]);
        assert_eq!(answer.status, 404, "{path}");
        assert!(
            !String::from_utf8_lossy(&answer.body).contains(SECRET),
            "{path}"
        );
    }
}

/// Asks for the summary over a kept connection; false when the server ended it before it answered.
fn ask_again(stream: &mut TcpStream) -> bool {
    let ask = b"GET /summary HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut seen = Vec::new();
    let mut byte = [0];
    if stream.write_all(ask).is_err() {
        return false;
    }
    while !seen.ends_with(b"\r\n\r\na summary") {
        match stream.read(&mut byte) {
            Ok(1) => seen.push(byte[0]),
            _ => {
                assert!(seen.is_empty(), "half an answer");
                return false;
            }
        }
    }
    true
}

#[test]
fn connections_are_kept() {
    let server = Running::plain();
    let mut stream = server.connect();
    for _ in 0..100 {
        assert!(ask_again(&mut stream));
    }
}

#[test]
fn idle_connections_make_way() {
    let options = ServeOptions {
        connections: 8,
        // Far beyond what the test's clients wait for.
        head_timeout: Duration::from_secs(600),
        idle_timeout: Duration::from_secs(600),
        ..ServeOptions::default()
    };
    let server = Running::start(options, Arc::new(NoLog));
    let (path, bytes) = server.large();
    std::thread::scope(|scope| {
        for n in 0..40 {
            let (server, path, bytes) = (&server, &path, &bytes);
            scope.spawn(move || {
                if n % 2 == 0 {
                    assert!(server.get(path, &[]).body == *bytes);
                    return;
                }
                let mut stream = server.connect();
                let mut answered = 0;
                while answered < 20 {
                    match ask_again(&mut stream) {
                        true => answered += 1,
                        false => stream = server.connect(),
                    }
                }
                // Left open, and of no more use to anybody.
                std::mem::forget(stream);
            });
        }
    });
    assert_eq!(server.get("/summary", &[]).status, 200);
}

#[test]
fn silent_and_stalled_clients_are_dropped() {
    let server = Running::start(
        ServeOptions {
            connections: 4,
            head_timeout: Duration::from_millis(300),
            idle_timeout: Duration::from_millis(600),
            ..ServeOptions::default()
        },
        Arc::new(NoLog),
    );
    let (path, _) = server.large();
    // One says nothing, one sends a head for ever, two take nothing of what they asked for: no place is left.
    let silent = server.connect();
    let slow = server.connect();
    let mut slow_writer = slow.try_clone().unwrap();
    let feeder = std::thread::spawn(move || {
        let _ = slow_writer.write_all(b"GET /summary HTTP/1.1\r\n");
        while slow_writer.write_all(b"X-A: b\r\n").is_ok() {
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let stalled: Vec<TcpStream> = (0..2)
        .map(|_| {
            let mut stream = server.connect();
            let ask = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
            for _ in 0..8 {
                stream.write_all(ask.as_bytes()).unwrap();
            }
            stream
        })
        .collect();
    // Answered as soon as one of them is gone.
    assert_eq!(server.get("/summary", &[]).status, 200);
    feeder.join().unwrap();
    for mut stream in [silent, slow].into_iter().chain(stalled) {
        // Whatever had been sent may still be read; then comes the end, not a time-out of ours.
        let mut rest = Vec::new();
        match stream.read_to_end(&mut rest) {
            Ok(_) => {}
            Err(e) => assert_eq!(e.kind(), std::io::ErrorKind::ConnectionReset, "{e}"),
        }
    }
}

#[test]
fn a_stopped_server_finishes_what_it_sends() {
    let mut server = Running::plain();
    let (path, bytes) = server.large();
    let mut busy = server.connect();
    busy.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes())
        .unwrap();
    let mut first = [0; 1];
    busy.read_exact(&mut first).unwrap();
    let mut idle = server.connect();
    idle.write_all(b"GET /summary HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    let mut some = [0; 64];
    assert!(idle.read(&mut some).unwrap() > 0);
    server.stopper.stop();
    let mut rest = Vec::new();
    busy.read_to_end(&mut rest).unwrap();
    assert!(rest.ends_with(&bytes), "the whole object came");
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).unwrap();
    server.thread.take().unwrap().join().unwrap();
    assert!(TcpStream::connect(server.address).is_err());
}

#[test]
fn each_request_leaves_a_record() {
    let log = Arc::new(Kept::default());
    let server = Running::start(
        ServeOptions::default(),
        Arc::clone(&log) as Arc<dyn AccessLog>,
    );
    server.get("/summary", &[("User-Agent", "x\"y")]);
    server.get("/nothing", &[]);
    drop(server);
    let records = log.0.lock().unwrap();
    let short: Vec<(&str, u16, u64, &str)> = records
        .iter()
        .map(|r| (r.target.as_str(), r.status, r.bytes, r.agent.as_str()))
        .collect();
    assert_eq!(
        short,
        [("/summary", 200, 9, "xy"), ("/nothing", 404, 10, "")]
    );
}

/// As a client reads it: chunks put together.
fn unchunked(body: &[u8]) -> Vec<u8> {
    let (mut rest, mut out) = (body, Vec::new());
    loop {
        let end = rest.windows(2).position(|w| w == b"\r\n").unwrap();
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            return out;
        }
        out.extend_from_slice(&rest[end + 2..end + 2 + length]);
        rest = &rest[end + 2 + length + 2..];
    }
}

#[test]
fn other_modes_are_served_as_archives() {
    for mode in [RepoMode::BareUser, RepoMode::BareUserOnly] {
        let server = Running::of_mode(mode);
        let config = server.get("/config", &[]);
        assert!(config.body.ends_with(b"mode=archive-z2\n"));
        let repo = Repo::open(&server.dir.path().join("repo")).unwrap();
        let archive = Repo::create(
            &server.dir.path().join("archive"),
            &CreateOptions {
                mode: RepoMode::Archive,
                collection_id: None,
            },
        )
        .unwrap();
        let tx = archive.begin(&TransactionOptions::default()).unwrap();
        let id = repo.resolve_rev("os/main").unwrap();
        let root = repo.load_commit(&id).unwrap().root_dirtree;
        for (name, id) in repo.load_dirtree(&root).unwrap().files {
            let path = format!("/objects/{}", id.object_name().loose_path(true));
            let answer = server.get(&path, &[]);
            assert_eq!(answer.status, 200, "{name}");
            let etag = answer.header("etag").to_owned();
            let bytes = match answer.header("transfer-encoding") {
                "chunked" => unchunked(&answer.body),
                _ => {
                    assert_eq!(
                        answer.header("content-length"),
                        answer.body.len().to_string()
                    );
                    let part = server.get(&path, &[("Range", "bytes=5-"), ("If-Range", &etag)]);
                    assert_eq!((part.status, &part.body[..]), (206, &answer.body[5..]));
                    answer.body
                }
            };
            assert!(&*name != "large" || bytes.len() > 5_000_000);
            assert_eq!(server.get(&path, &[("If-None-Match", &etag)]).status, 304);
            assert_eq!(server.ask("HEAD", &path, &[]).status, 200);
            tx.write_archive_bytes(&id, &bytes).unwrap();
            // Not as it lies on the disk.
            let bare = path.replace(".filez", ".file");
            assert_eq!(server.get(&bare, &[]).status, 404);
            // A damaged one never looks whole.
            let stored = repo.path().join(&bare[1..]);
            let mut changed = std::fs::read(&stored).unwrap();
            if changed.is_empty() {
                continue;
            }
            changed[0] ^= 1;
            std::fs::write(&stored, changed).unwrap();
            let mut stream = server.connect();
            let ask = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            stream.write_all(ask.as_bytes()).unwrap();
            let mut bytes = Vec::new();
            let ended = stream.read_to_end(&mut bytes);
            let whole = bytes.starts_with(b"HTTP/1.1 200") && bytes.ends_with(b"0\r\n\r\n");
            assert!(ended.is_err() || !whole, "{name}");
            assert!(
                bytes.starts_with(b"HTTP/1.1 500") || &*name == "large",
                "{name}"
            );
        }
    }
}

fn part() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("..".to_owned()),
        Just(".".to_owned()),
        Just("%2e%2e".to_owned()),
        Just("%2e%2e%2f%2e%2e".to_owned()),
        Just("%2f".to_owned()),
        Just("%00".to_owned()),
        Just("%5c".to_owned()),
        Just(String::new()),
        Just("refs".to_owned()),
        Just("heads".to_owned()),
        Just("mirrors".to_owned()),
        Just("objects".to_owned()),
        Just("ab".to_owned()),
        Just(format!("{}.dirtree", "ab".repeat(31))),
        Just("deltas".to_owned()),
        Just("state".to_owned()),
        Just("tmp".to_owned()),
        Just("x".to_owned()),
        Just("out".to_owned()),
        Just("conf".to_owned()),
        Just("outside".to_owned()),
        Just("etc".to_owned()),
        Just("passwd".to_owned()),
        Just("up.cookies.txt".to_owned()),
        Just("config".to_owned()),
        "[!-~]{0,6}".prop_filter("no request target", |s| !s.contains([' ', '#'])),
    ]
}

#[test]
fn no_path_reaches_what_is_not_served() {
    let server = Running::plain();
    let paths =
        prop::collection::vec(part(), 1..7).prop_map(|parts| format!("/{}", parts.join("/")));
    let config = ProptestConfig {
        cases: 1500,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    runner
        .run(&paths, |path| {
            let answer = server.get(&path, &[]);
            prop_assert!(
                [200, 400, 404].contains(&answer.status),
                "{path}: {}",
                answer.status
            );
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            prop_assert!(!body.contains(SECRET), "{path}");
            prop_assert!(!body.contains("root:"), "{path}");
            if answer.status == 200 {
                let plain: String = path.split('?').next().unwrap_or_default().to_owned();
                prop_assert!(
                    plain.contains("config") || plain.contains("refs") || plain.contains("objects"),
                    "{path}"
                );
            }
            Ok(())
        })
        .unwrap();
}
