//! Faults: which requests they hit, and what they do to the answer.

use super::request::{Body, Outgoing};
use std::io::{self, Write};
use std::time::Duration;

/// What is done to the answer of a request that a [`Rule`] hits. Byte positions count in the body.
#[derive(Clone, Debug)]
pub enum Action {
    /// Answer rightly, after a while.
    Delay(Duration),
    /// Promise the whole body, send this many bytes of it, close the connection.
    Cut(usize),
    /// Promise the whole body, send this many bytes of it, then nothing for as long as the client stays.
    Stall(usize),
    /// Promise the whole body, send this many bytes of it at a time, with this pause between.
    Drip(usize, Duration),
    /// A complete answer whose body ends after this many bytes.
    Truncate(usize),
    /// Invert the byte at this position (counted from the end when it is past it: the last byte).
    Corrupt(usize),
    /// This status with this body.
    Status(u16, Vec<u8>),
    /// A 302 to this location.
    Redirect(String),
    /// A 200 with this body.
    Replace(Vec<u8>),
    /// A 200 with this many zero bytes.
    Zeros(u64),
    /// The right body, but a `Content-Length` of this value.
    ClaimLength(u64),
    /// The right body without `Content-Length`: the end of the connection ends it.
    UntilClose,
    /// The right body in chunked transfer coding.
    Chunked,
    /// The right body, gzip-compressed and declared so, although the client did not ask for it.
    Gzip,
    /// The right answer with one more header.
    Header(String, String),
    /// These bytes in place of a response, then the end of the connection; none at all if empty.
    Raw(Vec<u8>),
}

#[derive(Clone, Debug)]
enum Match {
    Exact(String),
    Prefix(String),
    Suffix(String),
    Contains(String),
    All,
}

/// Which requests are hit (a path pattern, and a count), and by what.
#[derive(Clone, Debug)]
pub struct Rule {
    matches: Match,
    skip: usize,
    times: Option<usize>,
    action: Action,
}

impl Rule {
    fn new(matches: Match) -> Rule {
        Rule {
            matches,
            skip: 0,
            times: None,
            action: Action::Truncate(usize::MAX),
        }
    }

    /// Requests for exactly this path (without the leading slash).
    #[must_use]
    pub fn on(path: &str) -> Rule {
        Rule::new(Match::Exact(path.to_owned()))
    }

    /// Requests whose path starts so.
    #[must_use]
    pub fn starting(prefix: &str) -> Rule {
        Rule::new(Match::Prefix(prefix.to_owned()))
    }

    /// Requests whose path ends so.
    #[must_use]
    pub fn ending(suffix: &str) -> Rule {
        Rule::new(Match::Suffix(suffix.to_owned()))
    }

    /// Requests whose path contains this.
    #[must_use]
    pub fn containing(part: &str) -> Rule {
        Rule::new(Match::Contains(part.to_owned()))
    }

    /// Every request.
    #[must_use]
    pub fn all() -> Rule {
        Rule::new(Match::All)
    }

    /// Lets the first `n` matching requests through.
    #[must_use]
    pub fn skip(mut self, n: usize) -> Rule {
        self.skip = n;
        self
    }

    /// Hits one request.
    #[must_use]
    pub fn once(self, action: Action) -> Rule {
        self.times(1, action)
    }

    /// Hits `n` requests.
    #[must_use]
    pub fn times(mut self, n: usize, action: Action) -> Rule {
        self.times = Some(n);
        self.action = action;
        self
    }

    /// Hits every request from now on.
    #[must_use]
    pub fn always(mut self, action: Action) -> Rule {
        self.times = None;
        self.action = action;
        self
    }

    /// The action, if this request is hit; counts it.
    pub(super) fn take(&mut self, path: &str) -> Option<Action> {
        let hit = match &self.matches {
            Match::Exact(p) => path == p,
            Match::Prefix(p) => path.starts_with(p.as_str()),
            Match::Suffix(p) => path.ends_with(p.as_str()),
            Match::Contains(p) => path.contains(p.as_str()),
            Match::All => true,
        };
        if !hit || self.times == Some(0) {
            return None;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        if let Some(times) = &mut self.times {
            *times -= 1;
        }
        Some(self.action.clone())
    }
}

/// Rewrites an answer; the actions that need the connection itself are the server's.
pub(super) fn apply(action: Action, out: Outgoing) -> io::Result<Outgoing> {
    let status = out.status;
    Ok(match action {
        Action::Truncate(at) => {
            let mut body = out.body.into_bytes()?;
            body.truncate(at);
            Outgoing::bytes(status, body)
        }
        Action::Corrupt(at) => {
            let mut body = out.body.into_bytes()?;
            let at = at.min(body.len().saturating_sub(1));
            if let Some(byte) = body.get_mut(at) {
                *byte = !*byte;
            }
            Outgoing::bytes(status, body)
        }
        Action::Status(status, body) => Outgoing::bytes(status, body),
        Action::Redirect(to) => Outgoing::bytes(302, b"moved".to_vec()).with("location", &to),
        Action::Replace(body) => Outgoing::bytes(200, body),
        Action::Zeros(n) => Outgoing {
            body: Body::Zeros(n),
            ..Outgoing::bytes(200, vec![])
        },
        Action::ClaimLength(n) => Outgoing {
            claim: Some(n),
            close: true,
            ..out
        },
        Action::UntilClose => Outgoing {
            until_close: true,
            close: true,
            ..out
        },
        Action::Chunked => Outgoing {
            chunked: true,
            ..out
        },
        Action::Gzip => {
            Outgoing::bytes(status, gzip(&out.body.into_bytes()?)?).with("content-encoding", "gzip")
        }
        Action::Header(name, value) => out.with(&name, &value),
        Action::Delay(_)
        | Action::Cut(_)
        | Action::Stall(_)
        | Action::Drip(..)
        | Action::Raw(_) => out,
    })
}

fn gzip(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}
