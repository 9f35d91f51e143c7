//! The one error type of this crate.

use crate::ObjectType;

/// Why bytes or a name are no valid OSTree object, summary, ref or id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not 64 lowercase hexadecimal digits (or not the 43 characters of modified base64).
    #[error("Invalid rev {0}")]
    InvalidRev(String),
    /// A binary checksum whose length is not 32.
    #[error("invalid checksum of length {0}, expected 32")]
    ChecksumLength(usize),
    /// Not an object name like `HEX.commit`.
    #[error("invalid object name '{0}'")]
    ObjectName(String),
    /// The serialised form is broken.
    #[error("invalid {what}: {source}")]
    Format {
        /// What was being read.
        what: &'static str,
        /// What is wrong with its bytes.
        source: osier_gv::Error,
    },
    /// The serialised form is sound, its content is not allowed.
    #[error("invalid {what}: {reason}")]
    Content {
        /// What was being read.
        what: &'static str,
        /// Which rule it breaks.
        reason: String,
    },
    /// Larger than any object may be.
    #[error("{what} of {size} bytes exceeds the limit of {limit}")]
    TooLarge {
        /// What was being read.
        what: &'static str,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// Objects of that type have no structure to check.
    #[error("no structure is defined for objects of type {0}")]
    NoStructure(ObjectType),
    /// Not a ref name.
    #[error("Invalid ref name {0}")]
    RefName(String),
    /// Not `REMOTE:REF` or `REF`.
    #[error("Invalid refspec {0}")]
    Refspec(String),
    /// Not a remote name.
    #[error("Invalid remote name {0}")]
    RemoteName(String),
    /// Not a collection id.
    #[error("Invalid collection ID {0}")]
    CollectionId(String),
}

impl Error {
    pub(crate) fn format(what: &'static str) -> impl FnOnce(osier_gv::Error) -> Error {
        move |source| Error::Format { what, source }
    }

    pub(crate) fn content(what: &'static str, reason: impl Into<String>) -> Error {
        Error::Content {
            what,
            reason: reason.into(),
        }
    }
}
