//! What can be wrong with an archive.

use std::io;

/// Result of reading an archive.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an archive cannot be read. The words are libarchive's where scripts may look for them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Reading failed, or the compressed data is damaged.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The bytes are no archive.
    #[error("Unrecognized archive format")]
    Format,
    /// An archive of a kind that is known but not read.
    #[error("Unrecognized archive format: {0} is not read here; repack it as tar")]
    Foreign(&'static str),
    /// The archive ends too early.
    #[error("Truncated {format} archive detected while reading {what}")]
    Truncated {
        /// `tar` or `cpio`.
        format: &'static str,
        /// What should have come.
        what: &'static str,
    },
    /// The archive contradicts itself, or wants more than is taken.
    #[error("{0}")]
    Damaged(String),
}

impl Error {
    pub(crate) fn damaged(text: impl Into<String>) -> Error {
        Error::Damaged(text.into())
    }
}
