//! Reading a request and writing an answer, as far as static files need it.

use std::fs::File;
use std::io::{self, BufRead, Read, Write};
use std::net::TcpStream;

/// A request as the server logged it.
#[derive(Clone, Debug)]
pub struct Logged {
    /// `GET`, `HEAD`, …
    pub method: String,
    /// The path and query as sent, without the leading slash.
    pub path: String,
    /// Header names in lower case, in the order sent.
    pub headers: Vec<(String, String)>,
    /// The status of the answer; 0 when it was none.
    pub status: u16,
}

impl Logged {
    pub(super) fn new(request: &Request, status: u16) -> Logged {
        Logged {
            method: request.method.clone(),
            path: request.path.clone(),
            headers: request.headers.clone(),
            status,
        }
    }

    /// The value of a header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

pub(super) struct Request {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    version_1_0: bool,
}

impl Request {
    /// The next request of a connection; none when the client closed it.
    pub fn read(input: &mut impl BufRead) -> io::Result<Option<Request>> {
        let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        let mut line = String::new();
        if input.by_ref().take(64 << 10).read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let mut words = line.split_whitespace();
        let (Some(method), Some(target), Some(version)) =
            (words.next(), words.next(), words.next())
        else {
            return Err(bad("malformed request line"));
        };
        // A proxy is sent the whole URL; only its path matters here.
        let target = target
            .strip_prefix("http://")
            .map_or(target, |t| t.find('/').map_or("/", |at| &t[at..]));
        let mut request = Request {
            method: method.to_owned(),
            path: target.strip_prefix('/').unwrap_or(target).to_owned(),
            headers: Vec::new(),
            version_1_0: version == "HTTP/1.0",
        };
        loop {
            let mut line = String::new();
            if input.by_ref().take(64 << 10).read_line(&mut line)? == 0 {
                return Err(bad("request ends in its headers"));
            }
            let line = line.trim_end();
            if line.is_empty() {
                return Ok(Some(request));
            }
            let (name, value) = line
                .split_once(':')
                .ok_or_else(|| bad("malformed header"))?;
            request
                .headers
                .push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    pub fn is_head(&self) -> bool {
        self.method == "HEAD"
    }

    pub fn keep_alive(&self) -> bool {
        match self.header("connection") {
            Some(value) => !value.eq_ignore_ascii_case("close"),
            None => !self.version_1_0,
        }
    }
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(n, _)| n == name)
        .map(|(_, v)| v.as_str())
}

pub(super) enum Body {
    Bytes(Vec<u8>),
    /// A file from its current position, this many bytes.
    File(File, u64),
    Zeros(u64),
}

impl Body {
    pub fn len(&self) -> u64 {
        match self {
            Body::Bytes(b) => b.len() as u64,
            Body::File(_, n) | Body::Zeros(n) => *n,
        }
    }

    pub fn into_bytes(self) -> io::Result<Vec<u8>> {
        match self {
            Body::Bytes(b) => Ok(b),
            Body::File(f, n) => {
                let mut out = Vec::new();
                f.take(n).read_to_end(&mut out)?;
                Ok(out)
            }
            Body::Zeros(n) => Ok(vec![0; usize::try_from(n).unwrap_or(usize::MAX)]),
        }
    }

    fn copy_to(self, mut to: &TcpStream) -> io::Result<()> {
        match self {
            Body::Bytes(b) => to.write_all(&b),
            // The standard library turns this into sendfile(2).
            Body::File(f, n) => io::copy(&mut f.take(n), &mut to).map(drop),
            Body::Zeros(n) => io::copy(&mut io::repeat(0).take(n), &mut to).map(drop),
        }
    }
}

/// An answer about to be sent.
pub(super) struct Outgoing {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Body,
    /// A `Content-Length` that is not the body's.
    pub claim: Option<u64>,
    pub until_close: bool,
    pub chunked: bool,
    pub close: bool,
}

impl Outgoing {
    pub fn bytes(status: u16, body: Vec<u8>) -> Outgoing {
        Outgoing::new(status, Body::Bytes(body))
    }

    pub fn new(status: u16, body: Body) -> Outgoing {
        Outgoing {
            status,
            headers: Vec::new(),
            body,
            claim: None,
            until_close: false,
            chunked: false,
            close: false,
        }
    }

    pub fn with(mut self, name: &str, value: &str) -> Outgoing {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn head(&self) -> Vec<u8> {
        let mut head = format!(
            "HTTP/1.1 {} {}\r\nserver: osier-testkit\r\n",
            self.status,
            reason(self.status)
        );
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if self.chunked {
            head.push_str("transfer-encoding: chunked\r\n");
        } else if !self.until_close && self.status != 304 {
            head.push_str(&format!(
                "content-length: {}\r\n",
                self.claim.unwrap_or(self.body.len())
            ));
        }
        if self.close {
            head.push_str("connection: close\r\n");
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    /// The head, and the whole body in memory.
    pub fn into_parts(self) -> io::Result<(Vec<u8>, Vec<u8>)> {
        let head = self.head();
        Ok((head, self.body.into_bytes()?))
    }

    /// The bytes that [`Outgoing::send`] writes for an answer of known length.
    pub fn length(&self, head_only: bool) -> u64 {
        let body = if head_only || self.status == 304 {
            0
        } else {
            self.body.len()
        };
        self.head().len() as u64 + body
    }

    /// Sends the answer; false when the connection must be closed after it.
    pub fn send(self, stream: &TcpStream, head_only: bool) -> io::Result<bool> {
        let mut to = stream;
        let keep = !self.close;
        let mut head = self.head();
        if head_only || self.status == 304 {
            to.write_all(&head)?;
            return Ok(keep);
        }
        if self.chunked {
            to.write_all(&head)?;
            for chunk in self.body.into_bytes()?.chunks(1000) {
                to.write_all(format!("{:x}\r\n", chunk.len()).as_bytes())?;
                to.write_all(chunk)?;
                to.write_all(b"\r\n")?;
            }
            to.write_all(b"0\r\n\r\n")?;
            return Ok(keep);
        }
        // One packet for a small answer.
        if self.body.len() <= 16 << 10 {
            head.extend(self.body.into_bytes()?);
            to.write_all(&head)?;
        } else {
            to.write_all(&head)?;
            self.body.copy_to(to)?;
        }
        Ok(keep)
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        410 => "Gone",
        416 => "Range Not Satisfiable",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Status",
    }
}
