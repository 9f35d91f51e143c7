//! What can be wrong with a key file, in GLib's words, because scripts read them.

/// A key file that cannot be read, or that lacks what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A line of no known kind.
    #[error("Key file contains line “{0}” which is not a key-value pair, group, or comment")]
    Line(String),
    /// A group name that is empty or has brackets or control characters.
    #[error("Invalid group name: {0}")]
    GroupName(String),
    /// A key name with a bracket or `=` in it, or blanks around it.
    #[error("Invalid key name: {0}")]
    KeyName(String),
    /// A pair before the first group header.
    #[error("Key file does not start with a group")]
    NoStartGroup,
    /// `Encoding=` something else than UTF-8 in the first group.
    #[error("Key file contains unsupported encoding “{0}”")]
    Encoding(String),
    /// There is no such group.
    #[error("Key file does not have group “{0}”")]
    GroupNotFound(String),
    /// The group has no such key.
    #[error("Key file does not have key “{key}” in group “{group}”")]
    KeyNotFound {
        /// The group asked for.
        group: String,
        /// The key asked for.
        key: String,
    },
    /// A string asked for that is not UTF-8.
    #[error("Key file contains key “{key}” with value “{value}” which is not UTF-8")]
    NotUtf8 {
        /// The key asked for.
        key: String,
        /// Its value, bad bytes replaced.
        value: String,
    },
    /// No boolean, or a string with a bad escape.
    #[error("Key file contains key “{key}” which has a value that cannot be interpreted.")]
    InvalidValue {
        /// The key asked for.
        key: String,
    },
    /// No 32-bit number.
    #[error(
        "Key file contains key “{key}” in group “{group}” which has a value that cannot be interpreted."
    )]
    InvalidInteger {
        /// The group asked for.
        group: String,
        /// The key asked for.
        key: String,
    },
    /// No 64-bit number.
    #[error("Key “{key}” in group “{group}” has value “{value}” where {ty} was expected")]
    Expected {
        /// The group asked for.
        group: String,
        /// The key asked for.
        key: String,
        /// Its value, bad bytes replaced.
        value: String,
        /// `int64` or `uint64`.
        ty: &'static str,
    },
    /// A raw value to set that would end its line early.
    #[error("cannot set key “{key}”: the value has a line break or NUL in it")]
    LineBreak {
        /// The key to set.
        key: String,
    },
}

impl Error {
    /// Whether the group or key is simply not there, as opposed to being wrong.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Error::GroupNotFound(_) | Error::KeyNotFound { .. })
    }
}

/// Turns "not there" into `None`, for keys with a default.
pub trait Optional<T> {
    /// `Ok(None)` if the group or key is missing; other errors stay errors.
    ///
    /// # Errors
    /// Whatever is wrong with a value that is there.
    fn optional(self) -> Result<Option<T>, Error>;
}

impl<T> Optional<T> for Result<T, Error> {
    fn optional(self) -> Result<Option<T>, Error> {
        match self {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}
