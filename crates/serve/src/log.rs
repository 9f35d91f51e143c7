//! What happened, one record a request.

use std::net::SocketAddr;

/// One answered request.
#[derive(Clone, Debug)]
pub struct Record {
    /// Who asked.
    pub peer: SocketAddr,
    /// `GET`, `HEAD` or what was refused.
    pub method: String,
    /// The target as it was sent. It cannot hold control characters or spaces.
    pub target: String,
    /// The status of the answer.
    pub status: u16,
    /// Bytes of the body that were handed to the network.
    pub bytes: u64,
    /// The client's `User-Agent`, control characters and quotes left out.
    pub agent: String,
    /// What went wrong here, when something did. Clients are not told.
    pub failure: Option<String>,
}

/// Where records go. Called from many threads.
pub trait AccessLog: Send + Sync {
    /// One more request was answered, or its client went away in the middle of it.
    fn record(&self, record: &Record);
}

/// Forgets them.
#[derive(Copy, Clone, Debug, Default)]
pub struct NoLog;

impl AccessLog for NoLog {
    fn record(&self, _record: &Record) {}
}
