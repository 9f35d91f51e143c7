//! What every file has: mode, owner, attributes.

/// Mode, owner and extended attributes of one file.
///
/// There is no time: OSTree keeps none, and every file of an image has the time 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Type and permission bits (`st_mode`).
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Names, without a final NUL, and values. Any order; a name must not come twice.
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

const S_IFMT: u32 = 0o170_000;
pub(crate) const S_IFDIR: u32 = 0o040_000;
pub(crate) const S_IFREG: u32 = 0o100_000;
pub(crate) const S_IFLNK: u32 = 0o120_000;
pub(crate) const S_IFCHR: u32 = 0o020_000;

impl Attributes {
    /// A directory of root's.
    pub fn directory(permissions: u32) -> Self {
        Self::of(S_IFDIR | permissions)
    }

    /// A regular file of root's.
    pub fn file(permissions: u32) -> Self {
        Self::of(S_IFREG | permissions)
    }

    /// A symbolic link of root's.
    pub fn symlink() -> Self {
        Self::of(S_IFLNK | 0o777)
    }

    fn of(mode: u32) -> Self {
        Self {
            mode,
            ..Self::default()
        }
    }

    /// The same with the type that `kind` says, whatever the mode claimed.
    pub(crate) fn typed(mut self, kind: u32) -> Self {
        self.mode = kind | (self.mode & !S_IFMT & 0xffff);
        self
    }
}
