//! What can go wrong with a sysroot. Messages that scripts match keep the C tool's words.

use std::io;

use crate::kargs::KargsError;

/// Result with [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failed operation on a sysroot. The causes below are its `source`s.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What was being done when `source` happened.
    #[error("{action}")]
    Context {
        /// The action, such as `Deploying tree`.
        action: String,
        /// What failed inside.
        source: Box<Error>,
    },
    /// A system call failed.
    #[error("{action}")]
    Io {
        /// Call and object, such as `opendir(boot)`.
        action: String,
        /// The system's answer.
        source: io::Error,
    },
    /// The repository.
    #[error(transparent)]
    Store(#[from] osier_store::Error),
    /// Fetching commits.
    #[error(transparent)]
    Fetch(Box<dyn std::error::Error + Send + Sync>),
    /// A key file.
    #[error(transparent)]
    KeyFile(#[from] osier_keyfile::Error),
    /// Kernel arguments.
    #[error(transparent)]
    Kargs(#[from] KargsError),
    /// The sysroot, a tree or the request does not allow what was asked.
    #[error("{0}")]
    Invalid(String),
    /// The caller's cancel flag was raised.
    #[error("Operation was cancelled")]
    Cancelled,
}

impl Error {
    pub(crate) fn invalid(text: impl Into<String>) -> Error {
        Error::Invalid(text.into())
    }

    /// The system error at the bottom, if it is one of this level.
    pub(crate) fn errno(&self) -> Option<rustix::io::Errno> {
        match self {
            Error::Io { source, .. } => rustix::io::Errno::from_io_error(source),
            Error::Context { source, .. } => source.errno(),
            _ => None,
        }
    }
}

/// Names the action of a failed system call.
pub(crate) trait IoAction<T> {
    fn action(self, action: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<io::Error>> IoAction<T> for std::result::Result<T, E> {
    fn action(self, action: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|source| Error::Io {
            action: action(),
            source: source.into(),
        })
    }
}

/// Puts the larger action before an error.
pub(crate) trait Context<T> {
    fn context(self, action: impl Into<String>) -> Result<T>;
}

impl<T, E: Into<Error>> Context<T> for std::result::Result<T, E> {
    fn context(self, action: impl Into<String>) -> Result<T> {
        self.map_err(|source| Error::Context {
            action: action.into(),
            source: Box::new(source.into()),
        })
    }
}
