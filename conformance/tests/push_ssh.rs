//! `ostree push` over ssh: through a real `sshd`, and through a stand-in for it where the other side is to misbehave.

use osier_conformance::{MODES, Scratch, commit, pair, text};
use osier_testkit::tool::Tool;
use osier_testkit::{skip, trees};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// An `sshd` for this test alone, with keys of its own.
struct Sshd {
    child: Child,
    port: u16,
    ssh: String,
}

impl Sshd {
    fn start(scratch: &Scratch) -> Option<Sshd> {
        let program = Path::new("/usr/sbin/sshd");
        if !program.exists() {
            skip::because("no /usr/sbin/sshd (Debian package openssh-server)");
            return None;
        }
        if !skip::is_root() {
            skip::because("needs root: sshd");
            return None;
        }
        // Where it puts what it separates from itself.
        fs::create_dir_all("/run/sshd").unwrap();
        let dir = scratch.path("ssh");
        fs::create_dir(&dir).unwrap();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).unwrap();
        for key in ["host", "user"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(dir.join(key))
                .status();
            assert!(made.unwrap().success());
        }
        fs::copy(dir.join("user.pub"), dir.join("authorized")).unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let config = format!(
            "ListenAddress 127.0.0.1\nPort {port}\nHostKey {dir}/host\nAuthorizedKeysFile {dir}/authorized\n\
             PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n\
             LogLevel ERROR\n",
            dir = text(&dir)
        );
        fs::write(dir.join("sshd_config"), config).unwrap();
        let child = Command::new(program)
            .args(["-D", "-e", "-f"])
            .arg(dir.join("sshd_config"))
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let server = Sshd {
            child,
            port,
            ssh: format!(
                "ssh -F none -i {dir}/user -o IdentitiesOnly=yes -o StrictHostKeyChecking=no \
                 -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o BatchMode=yes",
                dir = text(&dir)
            ),
        };
        for _ in 0..600 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(server);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("sshd does not listen");
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program in the place of `ssh` that runs the command here.
fn stand_in(scratch: &Scratch) -> String {
    let path = scratch.file("stand-in", "#!/bin/sh\nshift\nexec sh -c \"$1\"\n");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    text(&path).to_owned()
}

fn options(ours: &Tool, ssh: &str) -> [String; 2] {
    [
        format!("--ssh={ssh}"),
        format!("--remote-ostree={}", text(ours.program())),
    ]
}

fn push(ours: &Tool, scratch: &Scratch, repo: &Path, to: &Path, more: &[&str]) -> String {
    let [ssh, remote] = options(ours, &stand_in(scratch));
    let to = format!("there:{}", text(to));
    ours.repo(repo)
        .ok(["push", &ssh, &remote, &to].iter().chain(more))
}

#[test]
fn through_a_real_sshd() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let Some(sshd) = Sshd::start(&scratch) else {
        return;
    };
    let repo = scratch.init(&ours, "repo", "archive");
    let one = trees::os(&scratch.path("one"), "1", "6.1").unwrap();
    one.file("usr/large", vec![7; 9_000_000]).unwrap();
    let first = commit(&ours, &repo, "os/main", one.path(), &[]);
    // A name that a shell would take apart.
    let there = scratch.init(&ours, "it's there", "archive");
    let [ssh, remote] = options(&ours, &sshd.ssh);
    let url = format!(
        "ssh://root@127.0.0.1:{}{}",
        sshd.port,
        text(&there).replace(' ', "%20")
    );
    let push = |more: &[&str]| {
        ours.repo(&repo)
            .run(["push", &ssh, &remote, &url].iter().chain(more))
    };
    let said = push(&[]).expect_ok().stdout;
    assert!(
        said.starts_with(&format!("os/main: {first} (new)\n")),
        "{said}"
    );
    for tool in [&ours, &c] {
        assert_eq!(tool.repo(&there).ok(["rev-parse", "os/main"]), first);
        tool.repo(&there).ok(["fsck"]);
    }
    let two = trees::os(&scratch.path("two"), "2", "6.2").unwrap();
    let second = commit(&ours, &repo, "os/main", two.path(), &[]);
    let dry = push(&["--dry-run"]).expect_ok().stdout;
    assert!(dry.contains("\nWould send "), "{dry}");
    assert_eq!(ours.repo(&there).ok(["rev-parse", "os/main"]), first);
    push(&[]).expect_ok();
    assert_eq!(ours.repo(&there).ok(["rev-parse", "os/main"]), second);
    assert!(push(&[]).expect_ok().stdout.starts_with("0 of "));
    // A key that may do this and nothing else.
    let authorized = scratch.path("ssh/authorized");
    let key = fs::read_to_string(&authorized).unwrap();
    let forced = format!(
        "restrict,command=\"{} receive \\\"--repo={}\\\"\" {key}",
        text(ours.program()),
        text(&there)
    );
    fs::write(&authorized, forced).unwrap();
    let third = commit(&ours, &repo, "os/main", one.path(), &[]);
    let elsewhere = format!("ssh://root@127.0.0.1:{}/somewhere/else", sshd.port);
    ours.repo(&repo).ok(["push", &ssh, &remote, &elsewhere]);
    assert_eq!(ours.repo(&there).ok(["rev-parse", "os/main"]), third);
    c.repo(&there).ok(["fsck"]);
}

#[test]
fn between_all_modes() {
    let Some((ours, c)) = pair() else { return };
    let modes: Vec<&str> = MODES
        .into_iter()
        .filter(|mode| *mode != "bare" || skip::is_root())
        .collect();
    for from in &modes {
        for to in &modes {
            let scratch = Scratch::new();
            let repo = scratch.init(&ours, "repo", from);
            let there = scratch.init(&ours, "there", to);
            let tree = trees::os(&scratch.path("tree"), "1", "6.1").unwrap();
            let args = [
                "--canonical-permissions",
                "--add-detached-metadata-string=k=v",
            ];
            let id = commit(&ours, &repo, "main", tree.path(), &args);
            push(&ours, &scratch, &repo, &there, &[]);
            let there = c.repo(&there);
            assert_eq!(there.ok(["rev-parse", "main"]), id, "{from} to {to}");
            there.ok(["fsck"]);
            there.ok(["show", "--print-detached-metadata-key=k", "main"]);
        }
    }
}

#[test]
fn refs_are_guarded() {
    let ours = Tool::ours();
    let scratch = Scratch::new();
    let (one, two) = (
        scratch.init(&ours, "one", "archive"),
        scratch.init(&ours, "two", "archive"),
    );
    let there = scratch.init(&ours, "there", "archive");
    let tree = trees::os(&scratch.path("tree"), "1", "6.1").unwrap();
    let first = commit(&ours, &one, "main", tree.path(), &[]);
    commit(&ours, &one, "gone", tree.path(), &["--body=gone"]);
    let other = commit(&ours, &two, "main", tree.path(), &["--body=other"]);
    push(&ours, &scratch, &one, &there, &[]);
    let [ssh, remote] = options(&ours, &stand_in(&scratch));
    let to = format!("there:{}", text(&there));
    let error = ours.repo(&two).fail(["push", &ssh, &remote, &to]);
    assert!(
        error.contains(&format!("from {first} to {other}")) && error.contains("\nhint: "),
        "{error}"
    );
    push(&ours, &scratch, &two, &there, &["--force"]);
    assert_eq!(ours.repo(&there).ok(["rev-parse", "main"]), other);
    // A ref of a deployment there is none of ours.
    ours.repo(&there)
        .ok(["refs", "--create=ostree/0/1/0", "gone"]);
    let said = push(&ours, &scratch, &two, &there, &["--delete-stale"]);
    assert!(
        said.contains("gone: ") && said.contains("stale objects"),
        "{said}"
    );
    assert_eq!(ours.repo(&there).ok(["refs"]), "main\nostree/0/1/0");
    ours.repo(&there).ok(["fsck"]);
    let by_environment = ours.env("OSTREE_SSH", &stand_in(&scratch)).repo(&two);
    let said = by_environment.ok(["push", &remote, &to]);
    assert!(said.starts_with("0 of "), "{said}");
    // A commit made for another ref.
    ours.repo(&two).ok(["refs", "--create=alien", "main"]);
    let error = ours.repo(&two).fail(["push", &ssh, &remote, &to, "alien"]);
    assert!(error.contains("no requested ref"), "{error}");
    // What is not there.
    let nowhere = format!("there:{}", text(&scratch.path("nowhere")));
    let error = ours.repo(&one).fail(["push", &ssh, &remote, &nowhere]);
    assert!(error.contains("nowhere"), "{error}");
    let error = ours
        .repo(&one)
        .fail(["push", &ssh, "--remote-ostree=/no/ostree", &to]);
    assert!(error.contains("--remote-ostree"), "{error}");
}

#[test]
fn killed_pushes_go_on() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let repo = scratch.init(&ours, "repo", "archive");
    let one = trees::os(&scratch.path("one"), "1", "6.1").unwrap();
    let id = commit(&ours, &repo, "main", one.path(), &[]);
    for bytes in [1, 200, 5_000, 50_000, 400_000, 2_000_000] {
        let there = scratch.init(&ours, &format!("there-{bytes}"), "archive");
        // Staged, as it is where syncs are on.
        let config = fs::read_to_string(there.join("config")).unwrap();
        fs::write(there.join("config"), config.replace("fsync=false\n", "")).unwrap();
        // The line ends after so many bytes.
        let cut = scratch.file(
            &format!("cut-{bytes}"),
            &format!("#!/bin/sh\nshift\nstdbuf -o0 head -c {bytes} | sh -c \"$1\"\n"),
        );
        fs::set_permissions(&cut, fs::Permissions::from_mode(0o755)).unwrap();
        let [ssh, remote] = options(&ours, text(&cut));
        let to = format!("there:{}", text(&there));
        let outcome = ours.repo(&repo).run(["push", &ssh, &remote, &to]);
        if outcome.code != 0 {
            outcome.expect_fail();
            assert_eq!(ours.repo(&there).ok(["refs"]), "");
        }
        c.repo(&there).ok(["fsck"]);
        push(&ours, &scratch, &repo, &there, &[]);
        assert_eq!(c.repo(&there).ok(["rev-parse", "main"]), id);
        c.repo(&there).ok(["fsck"]);
    }
}

/// Talks to a receiver by hand.
struct Receiver {
    child: Child,
}

impl Receiver {
    fn start(ours: &Tool, repo: &Path) -> Receiver {
        let mut command = ours.repo(repo).command(["receive"]);
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Receiver { child }
    }

    fn send(&mut self, kind: u8, payload: &[u8]) {
        let mut bytes = vec![kind];
        bytes.extend((payload.len() as u32).to_be_bytes());
        bytes.extend(payload);
        // It may have had enough already.
        let _ = self.child.stdin.as_mut().unwrap().write_all(&bytes);
    }

    /// Ends it; what it said, and its exit code.
    fn end(mut self) -> (String, i32) {
        drop(self.child.stdin.take());
        let mut said = Vec::new();
        self.child
            .stdout
            .take()
            .unwrap()
            .read_to_end(&mut said)
            .unwrap();
        let code = self.child.wait().unwrap().code().unwrap();
        (String::from_utf8_lossy(&said).into_owned(), code)
    }
}

/// Everything that is not a temporary file.
fn files(repo: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![repo.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true if !path.ends_with("tmp") => open.push(path),
                true => {}
                false => found.push(path),
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_receiver_believes_nothing() {
    let ours = Tool::ours();
    let scratch = Scratch::new();
    let repo = scratch.init(&ours, "repo", "archive");
    let tree = trees::os(&scratch.path("tree"), "1", "6.1").unwrap();
    let id = commit(&ours, &repo, "main", tree.path(), &[]);
    let there = scratch.init(&ours, "there", "archive");
    let config = fs::read_to_string(there.join("config")).unwrap();
    fs::write(there.join("config"), config.replace("fsync=false\n", "")).unwrap();
    ours.repo(&there).ok(["refs"]);
    let before = files(&there);
    let hello = br#"{"osier_push":1}"#;
    let checksum: Vec<u8> = (0..32)
        .map(|n| u8::from_str_radix(&id[n * 2..n * 2 + 2], 16).unwrap())
        .collect();
    let name = |ty: u8| [&[ty][..], &checksum].concat();
    let body = fs::read(repo.join(format!("objects/{}/{}.commit", &id[..2], &id[2..]))).unwrap();
    let to_id = format!(r#"[{{"name":"main","old":null,"new":"{id}"}}]"#);
    type Frames<'a> = Vec<(u8, &'a [u8])>;
    let (commit_name, file_name) = (name(4), name(1));
    let long = vec![b'x'; 1 << 20];
    let cases: Vec<(&str, Frames<'_>)> = vec![
        ("no greeting", vec![(b'C', b"")]),
        ("nonsense", vec![(b'H', b"hello")]),
        ("another version", vec![(b'H', br#"{"osier_push":99}"#)]),
        ("an unknown kind", vec![(b'H', hello), (b'Z', b"")]),
        ("a cut name", vec![(b'H', hello), (b'?', b"abc")]),
        ("an unknown type", vec![(b'H', hello), (b'O', &[9; 33])]),
        (
            "a broken file",
            vec![
                (b'H', hello),
                (b'O', &file_name),
                (b'D', b"xx"),
                (b'D', b""),
            ],
        ),
        (
            "an endless file",
            vec![
                (b'H', hello),
                (b'O', &file_name),
                (b'D', &long),
                (b'D', &long),
            ],
        ),
        (
            "another commit",
            vec![
                (b'H', hello),
                (b'O', &commit_name),
                (b'D', &body[1..]),
                (b'D', b""),
            ],
        ),
        (
            "a commit without its tree",
            vec![
                (b'H', hello),
                (b'O', &commit_name),
                (b'D', &body),
                (b'D', b""),
                (b'M', to_id.as_bytes()),
                (b'C', b""),
            ],
        ),
        (
            "a ref to nothing",
            vec![(b'H', hello), (b'M', to_id.as_bytes()), (b'C', b"")],
        ),
        (
            "a ref elsewhere",
            vec![
                (b'H', hello),
                (b'M', br#"[{"name":"../../config","old":null,"new":null}]"#),
            ],
        ),
        (
            "a deletion that was not announced",
            vec![
                (b'H', hello),
                (b'M', br#"[{"name":"main","old":null,"new":null}]"#),
                (b'C', b""),
            ],
        ),
        (
            "an end in the middle",
            vec![(b'H', hello), (b'O', &commit_name), (b'D', b"x")],
        ),
    ];
    for (what, frames) in cases {
        let mut receiver = Receiver::start(&ours, &there);
        for (kind, payload) in frames {
            receiver.send(kind, payload);
        }
        let (said, code) = receiver.end();
        assert_eq!(code, 1, "{what}: {said}");
        assert!(said.contains('E'), "{what}: {said}");
        let after: Vec<PathBuf> = files(&there)
            .into_iter()
            // The mark of a commit that may be half here.
            .filter(|path| !path.ends_with(format!("state/{id}.commitpartial")))
            .filter(|path| path.file_name().is_none_or(|name| name != ".lock"))
            .collect();
        assert_eq!(after, before, "{what}");
    }
    // A length that nobody means.
    let mut receiver = Receiver::start(&ours, &there);
    let stdin = receiver.child.stdin.as_mut().unwrap();
    stdin.write_all(b"H\xff\xff\xff\xff").unwrap();
    let (said, code) = receiver.end();
    assert_eq!(code, 1);
    assert!(said.contains("a frame of 4294967295 bytes"), "{said}");
    // After all of that, an honest push is taken.
    push(&ours, &scratch, &repo, &there, &[]);
    ours.repo(&there).ok(["fsck"]);
}
