//! dirmeta: owner, mode and xattrs of a directory.

use crate::header::{
    check_mode_bits, encode_owner_mode_xattrs, is_directory, split_owner_mode_xattrs,
};
use crate::{DirmetaId, Error, Xattrs, hash};

const WHAT: &str = "dirmeta";

/// Owner, mode and xattrs of a directory, serialised as `(uuua(ayay))`; all `u` are big-endian.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Dirmeta {
    /// Owner
    pub uid: u32,
    /// Group
    pub gid: u32,
    /// Permission bits and `S_IFDIR`, nothing else
    pub mode: u32,
    /// Extended attributes
    pub xattrs: Xattrs,
}

impl Dirmeta {
    /// A directory without xattrs; `mode` may leave out `S_IFDIR`.
    pub fn new(uid: u32, gid: u32, mode: u32) -> Self {
        Dirmeta {
            uid,
            gid,
            mode: 0o040_000 | (mode & 0o7777),
            xattrs: Xattrs::EMPTY,
        }
    }

    /// The object's bytes.
    pub fn encode(&self) -> Vec<u8> {
        encode_owner_mode_xattrs(self.uid, self.gid, self.mode, &self.xattrs)
    }

    /// The id of the encoded object.
    pub fn id(&self) -> DirmetaId {
        DirmetaId(hash(&self.encode()))
    }

    /// Reads and validates an object.
    ///
    /// # Errors
    /// [`Error::Format`] for bytes not in normal form; [`Error::Content`] for a mode that is not
    /// a directory's, or xattrs that are not canonical.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let (uid, gid, mode, xattrs) = split_owner_mode_xattrs(bytes, WHAT)?;
        if !is_directory(mode) {
            let message = format!("Invalid directory metadata mode {mode}; not a directory");
            return Err(Error::content(message));
        }
        check_mode_bits(mode)?;
        Xattrs::check_canonical(xattrs)?;
        Ok(Dirmeta {
            uid,
            gid,
            mode,
            xattrs: Xattrs::decode(xattrs)?,
        })
    }
}
