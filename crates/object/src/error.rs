//! The one error type of this crate.

use crate::ObjectType;

/// Why bytes or a name are no valid OSTree object, summary, ref or id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not 64 lowercase hexadecimal digits.
    #[error("{}", invalid_rev(.0))]
    InvalidRev(String),
    /// A binary checksum whose length is not 32.
    #[error("Invalid checksum of length {0} expected 32")]
    ChecksumLength(usize),
    /// Not an object name like `HEX.commit`.
    #[error("invalid object name '{0}'")]
    ObjectName(String),
    /// The serialised form is broken.
    #[error("Not normal form: {what}: {source}")]
    Format {
        /// What was being read.
        what: &'static str,
        /// What is wrong with its bytes.
        source: osier_gv::Error,
    },
    /// The serialised form is sound, its content is not allowed.
    ///
    /// Where the C tool has words for the rule, these are its words.
    #[error("{0}")]
    Content(String),
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

    pub(crate) fn content(reason: impl Into<String>) -> Error {
        Error::Content(reason.into())
    }
}

fn invalid_rev(text: &str) -> String {
    let strange = |byte: &u8| !matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    match text.bytes().find(strange) {
        Some(byte) if text.len() == 64 => format!("Invalid character '{byte}' in rev '{text}'"),
        _ => format!("Invalid rev {text}"),
    }
}
