//! Names of refs, remotes and collections.
//!
//! A ref is made of fragments `[\w\d][-._\w\d]*` joined by `/`, where `\w` knows Unicode; a
//! remote's name is one fragment; a refspec is `REF` or `REMOTE:REF`.

use std::fmt;
use std::str::FromStr;

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::{Checksum, Error};

/// Whether the text looks like a checksum: 64 lowercase hexadecimal digits.
pub fn is_checksum(text: &str) -> bool {
    Checksum::from_hex(text.as_bytes()).is_some()
}

/// `\w` as PCRE2 10.43 and later have it: letters, numbers, nonspacing marks, connector
/// punctuation. Older ones, with older C tools, lack the last two except for `_`.
fn is_word(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    let group = c.general_category_group();
    matches!(
        group,
        GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number
    ) || matches!(
        c.general_category(),
        GeneralCategory::NonspacingMark | GeneralCategory::ConnectorPunctuation
    )
}

fn is_fragment(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(is_word) && chars.all(|c| is_word(c) || matches!(c, '-' | '.'))
}

fn is_ref(text: &str) -> bool {
    text.split('/').all(is_fragment)
}

/// Checks a ref name. One that looks like a checksum is well-formed here; see
/// [`is_checksum`].
///
/// # Errors
/// [`Error::RefName`].
pub fn validate_ref_name(name: &str) -> Result<(), Error> {
    if is_ref(name) {
        Ok(())
    } else {
        Err(Error::RefName(name.to_owned()))
    }
}

/// Checks the name of a remote.
///
/// # Errors
/// [`Error::RemoteName`].
pub fn validate_remote_name(name: &str) -> Result<(), Error> {
    if is_fragment(name) {
        Ok(())
    } else {
        Err(Error::RemoteName(name.to_owned()))
    }
}

/// Checks a collection id: at least two dot-separated elements `[A-Za-z_][A-Za-z0-9_]*`, at most
/// 255 bytes.
///
/// # Errors
/// [`Error::CollectionId`].
pub fn validate_collection_id(id: &str) -> Result<(), Error> {
    let element = |element: &str| {
        element
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
            && element
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    if id.len() <= 255 && id.contains('.') && id.split('.').all(element) {
        Ok(())
    } else {
        Err(Error::CollectionId(id.to_owned()))
    }
}

/// A ref of this repository or of a remote. As text `REF` or `REMOTE:REF`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Refspec {
    /// Name of the remote, if any
    pub remote: Option<String>,
    /// Name of the ref
    pub name: String,
}

/// Reads a refspec.
///
/// # Errors
/// [`Error::Refspec`].
pub fn parse_refspec(text: &str) -> Result<Refspec, Error> {
    let (remote, name) = match text.split_once(':') {
        Some((remote, name)) => (Some(remote), name),
        None => (None, text),
    };
    if remote.is_none_or(is_fragment) && is_ref(name) {
        Ok(Refspec {
            remote: remote.map(str::to_owned),
            name: name.to_owned(),
        })
    } else {
        Err(Error::Refspec(text.to_owned()))
    }
}

impl fmt::Display for Refspec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.remote {
            Some(remote) => write!(f, "{remote}:{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

impl FromStr for Refspec {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        parse_refspec(text)
    }
}
