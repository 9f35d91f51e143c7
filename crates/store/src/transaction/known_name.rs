//! Whether an object's name is found by hashing, checked, or taken on trust.

use crate::error::{Error, Result};
use osier_object::{Checksum, ContentId, FileHeader, ObjectName, ObjectType};
use sha2::{Digest, Sha256};

/// What is known of an object's name before it is written.
#[derive(Clone, Copy)]
pub(super) enum Name<'a> {
    /// Nothing: hashing tells.
    New,
    /// It must hash to this.
    Checked(&'a ContentId),
    /// It is this, as whoever keeps it says.
    Trusted(&'a ContentId),
}

impl<'a> From<Option<&'a ContentId>> for Name<'a> {
    fn from(expected: Option<&'a ContentId>) -> Self {
        expected.map_or(Name::New, Name::Checked)
    }
}

impl<'a> Name<'a> {
    pub(super) fn known(self) -> Option<&'a ContentId> {
        match self {
            Name::New => None,
            Name::Checked(id) | Name::Trusted(id) => Some(id),
        }
    }

    /// A hasher, where the content decides on the name.
    pub(super) fn hasher(self, header: &FileHeader) -> Option<Sha256> {
        match self {
            Name::Trusted(_) => None,
            _ => Some(Sha256::new_with_prefix(header.hash_framing())),
        }
    }

    /// The name, once all content went through the hasher.
    pub(super) fn settle(self, hasher: Option<Sha256>) -> Result<ContentId> {
        match (self, hasher) {
            (Name::Trusted(id), _) => Ok(*id),
            (name, hasher) => {
                let id = finish(hasher.expect("all others have one"));
                check_expected(name.known(), id)?;
                Ok(id)
            }
        }
    }
}

pub(super) fn finish(hasher: Sha256) -> ContentId {
    ContentId(Checksum(hasher.finalize().into()))
}

pub(super) fn check_expected(expected: Option<&ContentId>, actual: ContentId) -> Result<()> {
    match expected {
        Some(expected) if *expected != actual => Err(Error::ChecksumMismatch {
            name: ObjectName {
                checksum: expected.0,
                ty: ObjectType::File,
            },
            expected: expected.0,
            actual: actual.0,
        }),
        _ => Ok(()),
    }
}
