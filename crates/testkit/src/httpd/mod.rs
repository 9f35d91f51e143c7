//! A small HTTP/1.1 server for tests: static files with keep-alive, ranges and validators, and faults on demand.
//!
//! It stands in for "any static web server" in front of an archive repository, and for every way in which such
//! a server, or the network before it, can fail: slow, silent, cut, truncated, corrupted, redirecting, refusing,
//! or serving something else altogether. Every request is logged, so a test can say what was asked for.
//!
//! ```
//! use osier_testkit::httpd::{Action, Rule, Server};
//! let dir = tempfile::tempdir().unwrap();
//! std::fs::write(dir.path().join("config"), "[core]\n").unwrap();
//! let server = Server::serve(dir.path()).unwrap();
//! // The second request for `config` is answered with a 503.
//! server.fault(Rule::on("config").skip(1).once(Action::Status(503, b"busy".to_vec())));
//! assert!(server.url().starts_with("http://127.0.0.1:"));
//! ```

mod fault;
mod files;
mod request;

pub use fault::{Action, Rule};
pub use request::Logged;

use request::Request;
use std::io::{self, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

/// A running server; it stops, and closes its connections, when dropped.
pub struct Server {
    addr: SocketAddr,
    state: Arc<State>,
    acceptor: Option<JoinHandle<()>>,
}

struct State {
    root: PathBuf,
    rules: Mutex<Vec<Rule>>,
    log: Mutex<Vec<Logged>>,
    stopping: AtomicBool,
    in_flight: AtomicUsize,
    peak: AtomicUsize,
    connections: AtomicUsize,
    sent: AtomicU64,
    open: Mutex<Vec<TcpStream>>,
}

impl Server {
    /// Serves the files below `root` on a free port of the loopback address.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub fn serve(root: &Path) -> io::Result<Server> {
        Server::serve_on(root, SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// As [`Server::serve`], on an address of the caller's choice.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub fn serve_on(root: &Path, addr: SocketAddr) -> io::Result<Server> {
        let listener = TcpListener::bind(addr)?;
        let addr = listener.local_addr()?;
        let state = Arc::new(State {
            root: root.to_owned(),
            rules: Mutex::default(),
            log: Mutex::default(),
            stopping: AtomicBool::new(false),
            in_flight: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            sent: AtomicU64::new(0),
            open: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        let acceptor = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.stopping.load(Ordering::SeqCst) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                shared.connections.fetch_add(1, Ordering::SeqCst);
                if let Ok(twin) = stream.try_clone() {
                    lock(&shared.open).push(twin);
                }
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || {
                    // A client that goes away is the client's business.
                    let _ = shared.connection(&stream);
                    let _ = stream.shutdown(Shutdown::Both);
                });
            }
        });
        Ok(Server {
            addr,
            state,
            acceptor: Some(acceptor),
        })
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The address the server listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Adds a fault; rules are tried in the order they were added, the first that applies wins.
    pub fn fault(&self, rule: Rule) {
        lock(&self.state.rules).push(rule);
    }

    /// Removes every fault.
    pub fn clear_faults(&self) {
        lock(&self.state.rules).clear();
    }

    /// The requests served so far, in the order they arrived.
    #[must_use]
    pub fn log(&self) -> Vec<Logged> {
        lock(&self.state.log).clone()
    }

    /// The paths of [`Server::log`], without the leading slash.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        self.log().into_iter().map(|l| l.path).collect()
    }

    /// Forgets the requests logged so far.
    pub fn clear_log(&self) {
        lock(&self.state.log).clear();
    }

    /// The largest number of requests that were being answered at the same time.
    #[must_use]
    pub fn peak_in_flight(&self) -> usize {
        self.state.peak.load(Ordering::SeqCst)
    }

    /// Bytes of the answers given, their heads included, also of those that were cut. Answers that another fault delayed or
    /// changed do not count.
    #[must_use]
    pub fn bytes_sent(&self) -> u64 {
        self.state.sent.load(Ordering::SeqCst)
    }

    /// How many connections were accepted.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.state.stopping.store(true, Ordering::SeqCst);
        // Wakes the acceptor, which then sees the flag.
        let _ = TcpStream::connect(self.addr);
        for stream in lock(&self.state.open).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        if let Some(thread) = self.acceptor.take() {
            let _ = thread.join();
        }
    }
}

impl State {
    fn connection(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut input = BufReader::new(stream);
        while let Some(request) = Request::read(&mut input)? {
            let keep = request.keep_alive();
            let now = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
            self.peak.fetch_max(now, Ordering::SeqCst);
            let answered = self.answer(&request, stream);
            self.in_flight.fetch_sub(1, Ordering::SeqCst);
            if !answered? || !keep {
                break;
            }
        }
        Ok(())
    }

    /// Answers one request; false when the connection must not be used again.
    fn answer(&self, request: &Request, stream: &TcpStream) -> io::Result<bool> {
        let action = lock(&self.rules)
            .iter_mut()
            .find_map(|rule| rule.take(&request.path));
        let log = |status| lock(&self.log).push(Logged::new(request, status));
        let plain = || files::answer(&self.root, request);
        let Some(action) = action else {
            let out = plain();
            log(out.status);
            // Before the client can have seen it all, so that what it fetched is counted when it is done.
            self.sent
                .fetch_add(out.length(request.is_head()), Ordering::SeqCst);
            return out.send(stream, request.is_head());
        };
        match action {
            Action::Delay(time) => {
                self.wait(time);
                let out = plain();
                log(out.status);
                out.send(stream, request.is_head())
            }
            Action::Raw(bytes) => {
                log(0);
                (&mut &*stream).write_all(&bytes)?;
                Ok(false)
            }
            Action::Stall(at) => {
                let out = plain();
                log(out.status);
                let (head, body) = out.into_parts()?;
                let mut stream = stream;
                stream.write_all(&head)?;
                stream.write_all(&body[..body.len().min(at)])?;
                stream.flush()?;
                self.wait(Duration::from_secs(3600));
                Ok(false)
            }
            Action::Drip(size, pause) => {
                let out = plain();
                log(out.status);
                let (head, body) = out.into_parts()?;
                let mut stream = stream;
                stream.write_all(&head)?;
                for piece in body.chunks(size.max(1)) {
                    stream.write_all(piece)?;
                    self.wait(pause);
                    if self.stopping.load(Ordering::SeqCst) {
                        break;
                    }
                }
                Ok(false)
            }
            Action::Cut(at) => {
                let out = plain();
                log(out.status);
                let (head, body) = out.into_parts()?;
                let mut stream = stream;
                let part = &body[..body.len().min(at)];
                self.sent
                    .fetch_add((head.len() + part.len()) as u64, Ordering::SeqCst);
                stream.write_all(&head)?;
                stream.write_all(part)?;
                stream.flush()?;
                Ok(false)
            }
            other => {
                let out = fault::apply(other, plain())?;
                log(out.status);
                out.send(stream, request.is_head())
            }
        }
    }

    /// Sleeps, but not past the end of the server.
    fn wait(&self, time: Duration) {
        let end = std::time::Instant::now() + time;
        while std::time::Instant::now() < end && !self.stopping.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(5).min(time));
        }
    }
}

/// A panicking test thread must not hide its message behind a poisoned lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn get(server: &Server, head: &str) -> String {
        let mut stream = TcpStream::connect(server.addr()).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        let mut out = Vec::new();
        let _ = stream.read_to_end(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    fn server() -> (tempfile::TempDir, Server) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("f"), "0123456789").unwrap();
        let server = Server::serve(dir.path()).unwrap();
        (dir, server)
    }

    #[test]
    fn keeps_the_connection_and_answers_ranges() {
        let (_dir, server) = server();
        let text = get(
            &server,
            "GET /f HTTP/1.1\r\nHost: x\r\n\r\nGET /f HTTP/1.1\r\nRange: bytes=3-5\r\nConnection: close\r\n\r\n",
        );
        assert!(text.contains("HTTP/1.1 200 OK\r\n"), "{text}");
        assert!(text.contains("HTTP/1.1 206 Partial Content\r\n"), "{text}");
        assert!(text.contains("content-range: bytes 3-5/10"), "{text}");
        assert!(text.ends_with("\r\n\r\n345"), "{text}");
        assert_eq!(server.connections(), 1);
        assert_eq!(server.log().len(), 2);
    }

    #[test]
    fn answers_validators_with_304() {
        let (_dir, server) = server();
        let text = get(&server, "GET /f HTTP/1.1\r\nConnection: close\r\n\r\n");
        let etag = text
            .lines()
            .find_map(|l| l.strip_prefix("etag: "))
            .unwrap()
            .to_owned();
        let date = text
            .lines()
            .find_map(|l| l.strip_prefix("last-modified: "))
            .unwrap()
            .to_owned();
        for header in [
            format!("If-None-Match: {etag}"),
            format!("If-Modified-Since: {date}"),
        ] {
            let text = get(
                &server,
                &format!("GET /f HTTP/1.1\r\n{header}\r\nConnection: close\r\n\r\n"),
            );
            assert!(text.starts_with("HTTP/1.1 304 "), "{header}: {text}");
        }
        let text = get(
            &server,
            "GET /f HTTP/1.1\r\nIf-None-Match: \"other\"\r\nConnection: close\r\n\r\n",
        );
        assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
    }

    #[test]
    fn stays_below_its_root() {
        let (_dir, server) = server();
        for path in ["/../f", "/%2e%2e/etc/passwd", "//etc/passwd", "/no", "/"] {
            let text = get(
                &server,
                &format!("GET {path} HTTP/1.1\r\nConnection: close\r\n\r\n"),
            );
            assert!(text.starts_with("HTTP/1.1 404 "), "{path}: {text}");
        }
    }

    #[test]
    fn faults_count_skip_and_run_out() {
        let (_dir, server) = server();
        server.fault(
            Rule::on("f")
                .skip(1)
                .once(Action::Status(503, b"busy".to_vec())),
        );
        let one = "GET /f HTTP/1.1\r\nConnection: close\r\n\r\n";
        assert!(get(&server, one).starts_with("HTTP/1.1 200 "));
        assert!(get(&server, one).starts_with("HTTP/1.1 503 "));
        assert!(get(&server, one).starts_with("HTTP/1.1 200 "));
        server.fault(Rule::on("f").once(Action::Cut(4)));
        assert!(get(&server, one).ends_with("\r\n\r\n0123"));
        server.fault(Rule::on("f").once(Action::Corrupt(2)));
        assert!(get(&server, one).ends_with("\r\n\r\n01\u{fffd}3456789"));
        server.fault(Rule::ending(".none").always(Action::Status(500, vec![])));
        assert!(get(&server, one).starts_with("HTTP/1.1 200 "));
        assert!(
            get(
                &server,
                "GET /x/y.none HTTP/1.1\r\nConnection: close\r\n\r\n"
            )
            .starts_with("HTTP/1.1 500 ")
        );
    }
}
