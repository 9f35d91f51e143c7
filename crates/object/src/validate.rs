//! What fsck and pull demand of a metadata object besides its checksum.

use osier_gv::Dict;

use crate::header::MAX_METADATA_SIZE;
use crate::{Commit, Dirmeta, Dirtree, Error, ObjectType, Xattrs, tombstone};

/// Checks that the bytes are the normal form of an object of that type and keep its rules.
///
/// # Errors
/// As the type's decoder; [`Error::TooLarge`]; [`Error::NoStructure`] for [`ObjectType::File`] and
/// the two link types, which are no GVariants.
pub fn structure(ty: ObjectType, bytes: &[u8]) -> Result<(), Error> {
    let size = bytes.len() as u64;
    if size > MAX_METADATA_SIZE {
        return Err(Error::TooLarge {
            what: ty.name(),
            size,
            limit: MAX_METADATA_SIZE,
        });
    }
    match ty {
        ObjectType::Dirtree => Dirtree::decode(bytes).map(drop),
        ObjectType::Dirmeta => Dirmeta::decode(bytes).map(drop),
        ObjectType::Commit => Commit::decode(bytes).map(drop),
        ObjectType::TombstoneCommit => tombstone::decode(bytes).map(drop),
        ObjectType::Commitmeta => Dict::decode(bytes)
            .map(drop)
            .map_err(Error::format("commitmeta")),
        ObjectType::FileXattrs => Xattrs::check_canonical(bytes),
        ObjectType::File | ObjectType::PayloadLink | ObjectType::FileXattrsLink => {
            Err(Error::NoStructure(ty))
        }
    }
}
