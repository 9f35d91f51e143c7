//! What can go wrong with static deltas.

use osier_object::Checksum;
use std::io;

/// Result of working with deltas.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of this crate. As in the store, the cause is in the text: these errors are shown on one line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The repository failed.
    #[error(transparent)]
    Store(#[from] osier_store::Error),
    /// A system call failed.
    #[error("{action}: {source}")]
    Io {
        /// What was being done, and to what.
        action: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Bytes that are no delta, or one that asks for what no delta may.
    #[error("{0}")]
    Malformed(String),
    /// A part's bytes are not those its superblock names.
    #[error("Checksum mismatch in static delta part; expected={expected} actual={actual}")]
    PartChecksum {
        /// What the superblock says.
        expected: Checksum,
        /// What the file hashes to.
        actual: Checksum,
    },
    /// The request cannot be met: a complete sentence.
    #[error("{0}")]
    Refused(String),
    /// An error with the action that led to it in front.
    #[error("{context}: {source}")]
    Context {
        /// What was being done.
        context: String,
        /// The cause.
        #[source]
        source: Box<Error>,
    },
}

impl Error {
    pub(crate) fn malformed(text: impl Into<String>) -> Error {
        Error::Malformed(text.into())
    }

    pub(crate) fn refused(text: impl Into<String>) -> Error {
        Error::Refused(text.into())
    }
}

/// Puts an action in front of an error.
pub(crate) trait Context<T> {
    fn at(self, action: impl FnOnce() -> String) -> Result<T>;
}

impl<T> Context<T> for io::Result<T> {
    fn at(self, action: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|source| Error::Io {
            action: action(),
            source,
        })
    }
}

impl<T> Context<T> for rustix::io::Result<T> {
    fn at(self, action: impl FnOnce() -> String) -> Result<T> {
        self.map_err(io::Error::from).at(action)
    }
}

impl<T> Context<T> for Result<T> {
    fn at(self, action: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|source| Error::Context {
            context: action(),
            source: Box::new(source),
        })
    }
}
