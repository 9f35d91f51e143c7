//! Why a tree cannot be an image.

/// A tree that the image format cannot hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An empty name, `.`, `..`, or one with a slash or a NUL.
    #[error("invalid file name ‘{0}’")]
    InvalidName(String),
    /// A name of more than 255 bytes.
    #[error("file name of {length} bytes is longer than 255: ‘{name}’")]
    NameTooLong {
        /// Its beginning.
        name: String,
        /// Its bytes.
        length: usize,
    },
    /// Two entries of one name in a directory.
    #[error("file name ‘{0}’ occurs twice in its directory")]
    DuplicateName(String),
    /// A symbolic link without a target, or with one of more than 4095 bytes.
    #[error("symbolic link ‘{name}’ has a target of {length} bytes, not 1 to 4095")]
    InvalidTarget {
        /// The link's name.
        name: String,
        /// Bytes of its target.
        length: usize,
    },
    /// An attribute whose name or value is too long, or a file with too many.
    #[error("extended attributes of ‘{0}’ do not fit")]
    XattrsTooLarge(String),
    /// More inodes or blocks than their numbers can count.
    #[error("tree is too large for a composefs image")]
    TooLarge,
}
