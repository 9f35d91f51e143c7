//! What can go wrong in a repository.

use osier_object::{Checksum, CommitId, ObjectName};
use std::io;
use std::path::PathBuf;

/// Result of a repository operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the store. The text names the action and its object; the cause is in the text too, since these
/// errors are shown on one line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A system call failed.
    #[error("{action}: {source}")]
    Io {
        /// What was being done, and to what.
        action: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The folder holds no repository.
    #[error("opening repo: opendir({}): {source}", path.display())]
    NotARepo {
        /// The folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The repository's `config` is unusable.
    #[error("{0}")]
    Config(String),
    /// An object is not there. The words are those scripts look for.
    #[error("{}", missing_text(.0))]
    MissingObject(ObjectName),
    /// An object's bytes do not hash to its name.
    #[error("Corrupted {} object; checksum expected='{expected}' actual='{actual}'", .name.ty.name())]
    ChecksumMismatch {
        /// The object.
        name: ObjectName,
        /// What it should hash to.
        expected: Checksum,
        /// What it hashes to.
        actual: Checksum,
    },
    /// An object's bytes cannot be decoded.
    #[error("object {name}: {cause}")]
    Invalid {
        /// The object.
        name: ObjectName,
        /// Why.
        cause: String,
    },
    /// A reference does not resolve.
    #[error("Refspec '{0}' not found")]
    RefNotFound(String),
    /// An abbreviated checksum fits several commits.
    #[error("Refspec {0} not unique")]
    NotUnique(String),
    /// `REV^` of a commit without a parent.
    #[error("Commit {0} has no parent")]
    NoParent(CommitId),
    /// A name for a ref, remote or collection that is not allowed.
    #[error("{0}")]
    InvalidName(String),
    /// An operation that the repository's mode forbids.
    #[error("{0}")]
    NotAllowed(String),
    /// The lock stayed taken until the time-out.
    #[error("Locking repo {kind} failed: {source}")]
    Locked {
        /// `shared` or `exclusive`.
        kind: &'static str,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Writing would leave less room than configured.
    #[error("{setting} {value} would be exceeded, at least {needed} requested")]
    MinFreeSpace {
        /// The configuration key.
        setting: &'static str,
        /// Its value.
        value: String,
        /// Bytes asked for, formatted.
        needed: String,
    },
    /// The operation was cancelled by its caller.
    #[error("Operation was cancelled")]
    Cancelled,
    /// Anything else: a complete sentence naming action, object and cause.
    #[error("{0}")]
    Other(String),
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

fn missing_text(name: &ObjectName) -> String {
    if name.ty.is_metadata() {
        format!("No such metadata object {name}")
    } else {
        format!("Couldn't find file object '{}'", name.checksum)
    }
}

impl Error {
    /// A free-text error.
    pub fn other(text: impl Into<String>) -> Error {
        Error::Other(text.into())
    }

    /// The same error with an action in front.
    pub fn within(self, context: impl Into<String>) -> Error {
        Error::Context {
            context: context.into(),
            source: Box::new(self),
        }
    }

    /// Whether the root cause is an object that is not there.
    pub fn missing_object(&self) -> Option<&ObjectName> {
        match self {
            Error::MissingObject(name) => Some(name),
            Error::Context { source, .. } => source.missing_object(),
            _ => None,
        }
    }
}

/// Puts an action in front of an I/O error.
pub(crate) trait IoContext<T> {
    fn at(self, action: impl FnOnce() -> String) -> Result<T>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn at(self, action: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|source| Error::Io {
            action: action(),
            source,
        })
    }
}

impl<T> IoContext<T> for rustix::io::Result<T> {
    fn at(self, action: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|e| Error::Io {
            action: action(),
            source: e.into(),
        })
    }
}

/// Puts an action in front of a store error.
pub trait ResultExt<T> {
    /// Adds `context` in front of the error's text.
    fn within(self, context: impl FnOnce() -> String) -> Result<T>;
}

impl<T> ResultExt<T> for Result<T> {
    fn within(self, context: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|e| e.within(context()))
    }
}
