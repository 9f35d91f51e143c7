//! Files and directories of a commit, as `ls` and `show` print them.

use osier_object::{Dirmeta, FileHeader};
use serde::Serialize;

use super::value::{Xattr, mode, xattrs};

/// Owner, permissions and attributes.
#[derive(Debug, Serialize)]
pub struct Inode {
    uid: u32,
    gid: u32,
    mode: String,
    xattrs: Vec<Xattr>,
}

impl Inode {
    /// Those of a directory.
    #[must_use]
    pub fn of_dirmeta(meta: &Dirmeta) -> Self {
        Self {
            uid: meta.uid,
            gid: meta.gid,
            mode: mode(meta.mode),
            xattrs: xattrs(&meta.xattrs),
        }
    }
}

/// A file or symbolic link: a link has a target and no size.
#[derive(Debug, Serialize)]
pub struct FileFields {
    pub r#type: &'static str,
    checksum: String,
    #[serde(flatten)]
    inode: Inode,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
}

impl FileFields {
    #[must_use]
    pub fn new(checksum: String, header: &FileHeader, size: u64) -> Self {
        let link = header.is_symlink();
        Self {
            r#type: if link { "symlink" } else { "file" },
            checksum,
            inode: Inode {
                uid: header.uid,
                gid: header.gid,
                mode: mode(header.mode),
                xattrs: xattrs(&header.xattrs),
            },
            size: (!link).then_some(size),
            target: header.symlink_target.clone(),
        }
    }
}
