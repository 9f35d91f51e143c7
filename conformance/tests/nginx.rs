//! Both tools pull from a real nginx, in each of the ways in which a remote can be configured for one.

use osier_conformance::{Scratch, TIMESTAMP, ours_is_c, pair, text, tree_arg};
use osier_testkit::skip;
use osier_testkit::tool::{Outcome, Tool};
use osier_testkit::trees;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const NGINX: &str = "/usr/sbin/nginx";

/// What each name below the root shows: the same repository, served in another way.
const WAYS: [&str; 6] = ["plain", "auth", "gz", "packed", "meta", "content"];

struct Site {
    scratch: Scratch,
    dir: PathBuf,
    commit: String,
    http: u16,
    https: u16,
    mutual: u16,
    child: Child,
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn write(path: PathBuf, text: impl AsRef<[u8]>) {
    fs::write(path, text).unwrap();
}

/// An authority, a server and a client that it vouches for, as PEM files.
fn certificates(dir: &Path) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, "Authority");
    let key = KeyPair::generate().unwrap();
    write(dir.join("ca.pem"), params.self_signed(&key).unwrap().pem());
    let issuer = Issuer::new(params, key);
    for (name, host) in [("server", "127.0.0.1"), ("client", "client")] {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        let cert = params.signed_by(&key, &issuer).unwrap();
        write(dir.join(format!("{name}.pem")), cert.pem());
        write(dir.join(format!("{name}.key")), key.serialize_pem());
    }
}

fn config(dir: &Path, [http, https, mutual]: [u16; 3]) -> String {
    let dir = text(dir);
    let tls = format!("ssl_certificate {dir}/server.pem; ssl_certificate_key {dir}/server.key;");
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|name| format!("{name}_temp_path {dir}/temp-{name};\n"))
        .collect();
    format!(
        "daemon off;\nmaster_process off;\npid {dir}/pid;\nerror_log {dir}/error.log;\nevents {{}}\n\
         http {{\n{temporary}\
         log_format short '$server_protocol $status $request_uri $sent_http_content_encoding';\n\
         access_log {dir}/access.log short;\nroot {dir}/www;\n\
         server {{\n listen 127.0.0.1:{http};\n\
         location /auth/ {{ auth_basic closed; auth_basic_user_file {dir}/users; }}\n\
         location /gz/ {{ gzip on; gzip_types *; gzip_min_length 1; }}\n\
         location /packed/ {{ gzip_static always; }}\n\
         location /moved/ {{ rewrite ^/moved/(.*)$ /plain/$1 redirect; }}\n\
         location ~ ^/meta/objects/.*[.](filez|dirtree|dirmeta)$ {{ return 404; }}\n\
         location ~ ^/content/(summary|refs|config) {{ return 404; }}\n }}\n\
         server {{ listen 127.0.0.1:{https} ssl http2; {tls} }}\n\
         server {{ listen 127.0.0.1:{mutual} ssl http2; {tls}\n\
         ssl_client_certificate {dir}/ca.pem; ssl_verify_client on; }}\n}}\n"
    )
}

/// A repository with `main`, made by the C tool, behind nginx. `None`, said aloud, where there is no nginx.
fn site(c: &Tool) -> Option<Site> {
    if !Path::new(NGINX).is_file() {
        skip::because(&format!("no {NGINX} (Debian package nginx-light)"));
        return None;
    }
    let scratch = Scratch::new();
    let dir = scratch.path("nginx");
    fs::create_dir_all(dir.join("www")).unwrap();
    let source = scratch.init(c, "source", "archive");
    let tree = trees::hard_links(&scratch.path("tree")).unwrap();
    let commit = c
        .repo(&source)
        .ok(["commit", "-b", "main", TIMESTAMP, &tree_arg(tree.path())]);
    c.repo(&source).ok(["summary", "-u"]);
    // Its content matters to nobody who demands no signature; that it is there switches the cache on.
    let mut signatures = osier_gv::Dict::new();
    signatures.push("note", osier_gv::Value::str("none"));
    write(source.join("summary.sig"), signatures.encode());
    for way in WAYS.into_iter().filter(|way| *way != "packed") {
        symlink(&source, dir.join("www").join(way)).unwrap();
    }
    packed(&source, &dir.join("www/packed"));
    write(dir.join("users"), "some one:{PLAIN}pass/word\n");
    certificates(&dir);
    let (child, [http, https, mutual]) = start(&dir);
    Some(Site {
        scratch,
        dir,
        commit: commit.trim().to_owned(),
        http,
        https,
        mutual,
        child,
    })
}

/// Starts nginx on ports that are free. Somebody else may take one of them in between; then it ends, and others are tried.
fn start(dir: &Path) -> (Child, [u16; 3]) {
    for _ in 0..8 {
        let ports = [free_port(), free_port(), free_port()];
        write(dir.join("nginx.conf"), config(dir, ports));
        let mut child = Command::new("timeout")
            .args(["120", NGINX, "-c"])
            .arg(dir.join("nginx.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while child.try_wait().unwrap().is_none() {
            // It writes its number when it listens.
            if dir.join("pid").exists() {
                return (child, ports);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    let log = fs::read_to_string(dir.join("error.log")).unwrap_or_default();
    panic!("nginx does not start: {log}");
}

/// The same files as `from`, each compressed, and nothing else.
fn packed(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            packed(&entry.path(), &to.join(name));
            continue;
        }
        let file = fs::File::create(to.join(format!("{name}.gz"))).unwrap();
        let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        gzip.write_all(&fs::read(entry.path()).unwrap()).unwrap();
        gzip.finish().unwrap();
    }
}

impl Site {
    fn url(&self, way: &str) -> String {
        format!("http://127.0.0.1:{}/{way}", self.http)
    }

    /// What nginx logged since the last time: protocol, status, path, coding.
    fn log(&self) -> Vec<String> {
        let path = self.dir.join("access.log");
        let lines = fs::read_to_string(&path).unwrap();
        let file = fs::File::options().write(true).open(&path).unwrap();
        // It appends.
        file.set_len(0).unwrap();
        lines.lines().map(str::to_owned).collect()
    }

    fn client(&self, tool: &Tool, name: &str, url: &str, more: &[&str]) -> Tool {
        let path = self
            .scratch
            .init(tool, &format!("{}-{name}", tool.name()), "bare-user");
        let repo = tool.repo(path);
        let mut line = vec!["remote", "add", "--no-gpg-verify"];
        line.extend(more);
        line.extend(["origin", url]);
        repo.ok(line);
        self.log();
        repo
    }

    fn pull(&self, repo: &Tool) -> Outcome {
        repo.run(["pull", "--network-retries=0", "origin", "main"])
    }

    /// Pulls, and proves that all is there.
    fn pulls(&self, repo: &Tool) -> Vec<String> {
        self.pull(repo).expect_ok();
        let log = self.log();
        assert_eq!(repo.ok(["rev-parse", "origin:main"]).trim(), self.commit);
        repo.ok(["fsck", "--quiet"]);
        log
    }

    fn set(&self, key: &str, file: &str) -> String {
        format!("--set={key}={}", text(&self.dir.join(file)))
    }
}

fn all_speak(log: &[String], protocol: &str) {
    assert!(log.len() > 5, "{log:#?}");
    assert!(
        log.iter().all(|line| line.starts_with(protocol)),
        "{log:#?}"
    );
}

/// The status is told, and by ours (and by newer C tools) where it came from.
fn fails_with(tool: &Tool, outcome: &Outcome, status: u16, url: &str) {
    let message = format!("Server returned HTTP {status}");
    assert!(outcome.stderr.contains(&message), "{outcome}");
    if tool.name() == "ours" && !ours_is_c() {
        let message = format!("While fetching {url}/summary.sig: {message}");
        assert!(outcome.stderr.contains(&message), "{outcome}");
    }
}

#[test]
fn http_and_http2() {
    let Some((ours, c)) = pair() else { return };
    let Some(site) = site(&c) else { return };
    for tool in [&ours, &c] {
        let repo = site.client(tool, "http", &site.url("plain"), &[]);
        all_speak(&site.pulls(&repo), "HTTP/1.1 ");
        let url = format!("https://127.0.0.1:{}/plain", site.https);
        let ca = site.set("tls-ca-path", "ca.pem");
        let repo = site.client(tool, "two", &url, &[&ca]);
        all_speak(&site.pulls(&repo), "HTTP/2.0 ");
        let repo = site.client(tool, "one", &url, &[&ca, "--set=http2=false"]);
        let log = site.pulls(&repo);
        // Debian's 2022.7 leaves the choice to libcurl, which takes HTTP/2.
        if tool.name() == "ours" && !ours_is_c() {
            all_speak(&log, "HTTP/1.1 ");
        }
    }
}

#[test]
fn whom_to_trust_and_what_to_show() {
    let Some((ours, c)) = pair() else { return };
    let Some(site) = site(&c) else { return };
    let url = format!("https://127.0.0.1:{}/plain", site.https);
    let mutual = format!("https://127.0.0.1:{}/plain", site.mutual);
    let ca = site.set("tls-ca-path", "ca.pem");
    let cert = site.set("tls-client-cert-path", "client.pem");
    let key = site.set("tls-client-key-path", "client.key");
    for tool in [&ours, &c] {
        let repo = site.client(tool, "stranger", &url, &[]);
        let outcome = site.pull(&repo).expect_fail();
        assert!(outcome.stderr.contains("[60] "), "{outcome}");
        assert_eq!(site.log(), [""; 0]);
        assert_eq!(repo.ok(["refs"]), "");
        let repo = site.client(tool, "any", &url, &["--set=tls-permissive=true"]);
        site.pulls(&repo);
        let repo = site.client(tool, "unknown", &mutual, &[&ca]);
        let outcome = site.pull(&repo).expect_fail();
        fails_with(tool, &outcome, 400, &mutual);
        let repo = site.client(tool, "known", &mutual, &[&ca, &cert, &key]);
        site.pulls(&repo);
        let repo = site.client(tool, "half", &mutual, &[&ca, &cert]);
        site.pull(&repo).expect_fail();
    }
}

#[test]
fn user_and_password() {
    let Some((ours, c)) = pair() else { return };
    let Some(site) = site(&c) else { return };
    for tool in [&ours, &c] {
        let repo = site.client(tool, "nobody", &site.url("auth"), &[]);
        let outcome = site.pull(&repo).expect_fail();
        fails_with(tool, &outcome, 401, &site.url("auth"));
        // In a header of one's own: both.
        let basic = "--http-header=Authorization=Basic c29tZSBvbmU6cGFzcy93b3Jk";
        repo.ok(["pull", basic, "origin", "main"]);
        if tool.name() == "C" || ours_is_c() {
            // It sends `%20` as it is: differences.md.
            continue;
        }
        let url = site
            .url("auth")
            .replace("http://", "http://some%20one:pass%2Fword@");
        let repo = site.client(tool, "user", &url, &[]);
        site.pulls(&repo);
        let url = url.replace("word", "wrong");
        let repo = site.client(tool, "wrong", &url, &[]);
        let outcome = site.pull(&repo).expect_fail();
        assert!(
            outcome.stderr.contains("Server returned HTTP 401"),
            "{outcome}"
        );
    }
}

#[test]
fn redirects_and_content_elsewhere() {
    let Some((ours, c)) = pair() else { return };
    let Some(site) = site(&c) else { return };
    for tool in [&ours, &c] {
        let repo = site.client(tool, "moved", &site.url("moved"), &[]);
        let log = site.pulls(&repo);
        assert!(
            log.iter().any(|line| line.contains(" 302 /moved/summary")),
            "{log:#?}"
        );
        assert!(
            log.iter().any(|line| line.contains(" 200 /plain/summary")),
            "{log:#?}"
        );
        let elsewhere = format!("--contenturl={}", site.url("content"));
        let repo = site.client(tool, "split", &site.url("meta"), &[&elsewhere]);
        let log = site.pulls(&repo);
        let count = |what: &str| log.iter().filter(|line| line.contains(what)).count();
        assert_eq!(count(" 200 /meta/summary"), 2, "{log:#?}");
        assert!(count(" 200 /content/objects/") > 3, "{log:#?}");
        assert_eq!(
            count(".filez"),
            count(" 200 /content/objects/") - count("dir") - count(".commit "),
            "{log:#?}"
        );
    }
}

#[test]
fn a_summary_that_is_known_is_not_sent_again() {
    let Some((ours, c)) = pair() else { return };
    let Some(site) = site(&c) else { return };
    for tool in [&ours, &c] {
        let repo = site.client(tool, "cache", &site.url("plain"), &[]);
        let first = site.pulls(&repo);
        let asked = |log: &[String], what: &str| log.iter().any(|line| line.contains(what));
        assert!(asked(&first, " 200 /plain/summary.sig "), "{first:#?}");
        assert!(asked(&first, " 200 /plain/summary "), "{first:#?}");
        let second = site.pulls(&repo);
        assert!(asked(&second, " 304 /plain/summary.sig "), "{second:#?}");
        assert!(!asked(&second, "/plain/summary "), "{second:#?}");
    }
}

#[test]
fn what_the_server_compresses() {
    let Some((ours, c)) = pair() else { return };
    let Some(site) = site(&c) else { return };
    for tool in [&ours, &c] {
        // Only who reads a summary alone asks for it.
        let repo = site.client(tool, "gz", &site.url("gz"), &[]);
        assert_eq!(repo.ok(["remote", "refs", "origin"]).trim(), "origin:main");
        let log = site.log();
        assert!(
            log.iter().any(|line| line.ends_with("/gz/summary gzip")),
            "{log:#?}"
        );
        let log = site.pulls(&repo);
        assert!(log.iter().all(|line| line.ends_with(" -")), "{log:#?}");
    }
    if !ours_is_c() {
        // Nobody asked: 2026.4 takes what comes for the object.
        let repo = site.client(&ours, "packed", &site.url("packed"), &[]);
        let log = site.pulls(&repo);
        assert!(
            log.iter()
                .filter(|line| line.ends_with(".filez gzip"))
                .count()
                > 1,
            "{log:#?}"
        );
    }
}
