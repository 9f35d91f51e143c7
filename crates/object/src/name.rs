//! Object types and names, and where a loose object lies under `objects/`.

use std::fmt;
use std::str::FromStr;

use crate::{Checksum, Error};

/// The kinds of objects, numbered as in serialised names.
#[repr(u8)]
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub enum ObjectType {
    /// Regular file or symlink; named by the hash of header and payload
    File = 1,
    /// Names in a directory
    Dirtree = 2,
    /// Owner, mode, xattrs of a directory
    Dirmeta = 3,
    /// Root directory, parent, message
    Commit = 4,
    /// What is left of a deleted commit; named by that commit
    TombstoneCommit = 5,
    /// Detached metadata such as signatures; named by its commit
    Commitmeta = 6,
    /// Symlink from the hash of a payload to a file that has it
    PayloadLink = 7,
    /// xattrs of files in a bare-split-xattrs repository
    FileXattrs = 8,
    /// Which file-xattrs object a file has; named by the file
    FileXattrsLink = 9,
}

impl ObjectType {
    /// Every type, in numerical order.
    pub const ALL: [ObjectType; 9] = [
        ObjectType::File,
        ObjectType::Dirtree,
        ObjectType::Dirmeta,
        ObjectType::Commit,
        ObjectType::TombstoneCommit,
        ObjectType::Commitmeta,
        ObjectType::PayloadLink,
        ObjectType::FileXattrs,
        ObjectType::FileXattrsLink,
    ];

    /// The name, which is also the extension of the object's file.
    pub fn name(self) -> &'static str {
        match self {
            ObjectType::File => "file",
            ObjectType::Dirtree => "dirtree",
            ObjectType::Dirmeta => "dirmeta",
            ObjectType::Commit => "commit",
            ObjectType::TombstoneCommit => "tombstone-commit",
            ObjectType::Commitmeta => "commitmeta",
            ObjectType::PayloadLink => "payload-link",
            ObjectType::FileXattrs => "file-xattrs",
            ObjectType::FileXattrsLink => "file-xattrs-link",
        }
    }

    /// The type of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ty| ty.name() == name)
    }

    /// The type of that number.
    pub fn from_id(id: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|ty| *ty as u8 == id)
    }

    /// Whether objects of the type are stored alike in every repository mode.
    pub fn is_metadata(self) -> bool {
        matches!(
            self,
            ObjectType::Dirtree
                | ObjectType::Dirmeta
                | ObjectType::Commit
                | ObjectType::TombstoneCommit
                | ObjectType::Commitmeta
        )
    }
}

impl fmt::Display for ObjectType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// An object: its checksum and type. As text `HEX.TYPE`.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct ObjectName {
    /// Usually the hash of the object; see [`ObjectType`] for what names the others.
    pub checksum: Checksum,
    /// Type
    pub ty: ObjectType,
}

impl ObjectName {
    /// Puts the two together.
    pub fn new(checksum: impl Into<Checksum>, ty: ObjectType) -> Self {
        ObjectName {
            checksum: checksum.into(),
            ty,
        }
    }

    /// Path of the loose object below `objects/`: `ab/cdef….file`, `….filez` in an archive.
    pub fn loose_path(&self, archive: bool) -> String {
        let extension = self.ty.name();
        let mut path = String::with_capacity(Checksum::HEX_LEN + extension.len() + 3);
        self.checksum.with_hex(|hex| {
            path.push_str(&hex[..2]);
            path.push('/');
            path.push_str(&hex[2..]);
        });
        path.push('.');
        path.push_str(extension);
        if archive && !self.ty.is_metadata() {
            path.push('z');
        }
        path
    }

    /// Reads the folder and file name of a loose object back.
    ///
    /// The flag tells whether the name has the `z` of an archive's non-metadata objects. `None`
    /// for every other file, such as one being written.
    pub fn from_loose(prefix: &str, file_name: &str) -> Option<(ObjectName, bool)> {
        let (rest, extension) = file_name.split_once('.')?;
        if prefix.len() != 2 || rest.len() != 62 {
            return None;
        }
        let mut hex = [0; 64];
        hex[..2].copy_from_slice(prefix.as_bytes());
        hex[2..].copy_from_slice(rest.as_bytes());
        let checksum = Checksum::from_hex(&hex)?;
        if let Some(ty) = ObjectType::from_name(extension) {
            return Some((ObjectName { checksum, ty }, false));
        }
        let ty = ObjectType::from_name(extension.strip_suffix('z')?)?;
        (!ty.is_metadata()).then_some((ObjectName { checksum, ty }, true))
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.checksum, self.ty)
    }
}

impl FromStr for ObjectName {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        let parse = || {
            let (hex, extension) = text.split_once('.')?;
            Some(ObjectName {
                checksum: Checksum::from_hex(hex.as_bytes())?,
                ty: ObjectType::from_name(extension)?,
            })
        };
        parse().ok_or_else(|| Error::ObjectName(text.to_owned()))
    }
}
