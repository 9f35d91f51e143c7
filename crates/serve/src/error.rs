//! Why a repository cannot be served.

use std::io;
use std::net::SocketAddr;

/// An error of the server as a whole; what is wrong with one request is told to its client only.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address cannot be listened at.
    #[error("Listening at {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The threads of the server could not be started.
    #[error("Starting the server: {0}")]
    Start(#[source] io::Error),
}
