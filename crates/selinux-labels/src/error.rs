//! What can be wrong with a policy's files.

/// A policy whose labels cannot be known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A line with a path and nothing else.
    #[error("{file} line {line} is missing fields")]
    MissingFields {
        /// Name of the file.
        file: &'static str,
        /// Counted from 1.
        line: usize,
    },
    /// A type of file that is none of `-b -c -d -p -l -s --`.
    #[error("{file} line {line} has invalid file type {found}")]
    FileType {
        /// Name of the file.
        file: &'static str,
        /// Counted from 1.
        line: usize,
        /// What stands there.
        found: String,
    },
    /// Bytes other than ASCII.
    #[error("{file} line {line}: Non-ASCII characters found")]
    NotAscii {
        /// Name of the file.
        file: &'static str,
        /// Counted from 1.
        line: usize,
    },
    /// A regular expression that is none, or that needs what is not offered. Known only once a path needs it.
    #[error("{file} line {line}: regular expression ‘{pattern}’: {cause}")]
    Pattern {
        /// Name of the file.
        file: &'static str,
        /// Counted from 1.
        line: usize,
        /// As it stands there.
        pattern: String,
        /// Why.
        cause: String,
    },
}
