//! Headers of content objects: what of a file is hashed besides its bytes.

use osier_gv::frame::{self, Member, TupleWriter};

use crate::{Error, Xattrs};

/// Largest metadata object that is read, in bytes (128 MiB).
pub const MAX_METADATA_SIZE: u64 = 128 * 1024 * 1024;

/// Largest content header that is read, in bytes. A reader still must not allocate what a length
/// field claims before the bytes are there.
pub const MAX_HEADER_SIZE: u64 = MAX_METADATA_SIZE;

/// Bytes before the header's GVariant: big-endian length, four bytes of padding.
pub const FRAMING_PREFIX: usize = 8;

/// The bits of a mode that tell the file type.
pub const S_IFMT: u32 = 0o170_000;
/// Type of a regular file.
pub const S_IFREG: u32 = 0o100_000;
/// Type of a symlink.
pub const S_IFLNK: u32 = 0o120_000;
/// Type of a directory.
pub const S_IFDIR: u32 = 0o040_000;

const WHAT: &str = "file header";

/// Whether the mode is a regular file's.
pub fn is_regular(mode: u32) -> bool {
    mode & S_IFMT == S_IFREG
}

/// Whether the mode is a symlink's.
pub fn is_symlink(mode: u32) -> bool {
    mode & S_IFMT == S_IFLNK
}

/// Whether the mode is a directory's.
pub fn is_directory(mode: u32) -> bool {
    mode & S_IFMT == S_IFDIR
}

/// Owner, mode, symlink target and xattrs of a regular file or symlink.
///
/// Serialised as `(uuuusa(ayay))`: uid, gid, mode, rdev (always 0), target (empty for a regular
/// file), xattrs. All `u` are big-endian.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FileHeader {
    /// Owner
    pub uid: u32,
    /// Group
    pub gid: u32,
    /// Permission bits and `S_IFREG` or `S_IFLNK`
    pub mode: u32,
    /// Where a symlink points; `None` for a regular file
    pub symlink_target: Option<String>,
    /// Extended attributes
    pub xattrs: Xattrs,
}

impl FileHeader {
    /// A regular file without xattrs; `mode` may leave out `S_IFREG`.
    pub fn regular(uid: u32, gid: u32, mode: u32) -> Self {
        FileHeader {
            uid,
            gid,
            mode: S_IFREG | (mode & !S_IFMT),
            symlink_target: None,
            xattrs: Xattrs::EMPTY,
        }
    }

    /// A symlink without xattrs, of mode 0120777.
    pub fn symlink(uid: u32, gid: u32, target: impl Into<String>) -> Self {
        FileHeader {
            uid,
            gid,
            mode: S_IFLNK | 0o777,
            symlink_target: Some(target.into()),
            xattrs: Xattrs::EMPTY,
        }
    }

    /// Whether this is a symlink.
    pub fn is_symlink(&self) -> bool {
        is_symlink(self.mode)
    }

    /// What is hashed before the file's bytes: the framed `(uuuusa(ayay))`.
    pub fn hash_framing(&self) -> Vec<u8> {
        self.framing(None)
    }

    /// What a `.filez` starts with: the framed `(tuuuusa(ayay))`, whose `t` is the big-endian
    /// size in bytes of the uncompressed file (0 for a symlink).
    pub fn archive_framing(&self, size: u64) -> Vec<u8> {
        self.framing(Some(size))
    }

    fn framing(&self, size: Option<u64>) -> Vec<u8> {
        let target = self.symlink_target.as_deref().unwrap_or("");
        let mut out = Vec::with_capacity(FRAMING_PREFIX + 32 + target.len());
        out.resize(FRAMING_PREFIX, 0);
        if let Some(size) = size {
            out.extend_from_slice(&size.to_be_bytes());
        }
        for number in [self.uid, self.gid, self.mode, 0] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        out.extend_from_slice(target.as_bytes());
        out.push(0);
        let target_end = out.len() - FRAMING_PREFIX;
        if !self.xattrs.is_empty() {
            out.extend_from_slice(&self.xattrs.encode());
        }
        frame::push_offsets(&mut out, FRAMING_PREFIX, std::iter::once(target_end));
        let length = (out.len() - FRAMING_PREFIX) as u32;
        out[..4].copy_from_slice(&length.to_be_bytes());
        out
    }

    /// Reads the length of the header from the framing's first eight bytes.
    ///
    /// The padding is not looked at, as in the C tool.
    ///
    /// # Errors
    /// [`Error::Content`] for length 0, [`Error::TooLarge`] past [`MAX_HEADER_SIZE`].
    pub fn parse_prefix(prefix: [u8; FRAMING_PREFIX]) -> Result<usize, Error> {
        let [a, b, c, d, ..] = prefix;
        let size = u32::from_be_bytes([a, b, c, d]);
        if size == 0 {
            return Err(Error::content("File header size is zero"));
        }
        if u64::from(size) > MAX_HEADER_SIZE {
            return Err(Error::TooLarge {
                what: WHAT,
                size: size.into(),
                limit: MAX_HEADER_SIZE,
            });
        }
        Ok(size as usize)
    }

    /// Splits bytes that start with a framing into the header's GVariant and what follows.
    ///
    /// # Errors
    /// As [`FileHeader::parse_prefix`]; [`Error::Content`] when the bytes end too early.
    pub fn split_framing(bytes: &[u8]) -> Result<(&[u8], &[u8]), Error> {
        let (prefix, rest) = bytes
            .split_first_chunk()
            .ok_or_else(|| Error::content("file header ends too early"))?;
        let size = Self::parse_prefix(*prefix)?;
        rest.split_at_checked(size).ok_or_else(|| {
            let left = rest.len();
            Error::content(format!("File header size {size} exceeds size {left}"))
        })
    }

    /// Reads `(uuuusa(ayay))`, the header of an uncompressed content stream.
    ///
    /// # Errors
    /// [`Error::Format`] for bytes not in normal form, [`Error::Content`] for a mode that is
    /// neither a regular file's nor a symlink's or has other bits, or a device number. The target
    /// of a regular file is dropped, as in the C tool.
    pub fn parse_header(variant: &[u8]) -> Result<FileHeader, Error> {
        let u = Member::U32;
        let [uid, gid, mode, rdev, target, xattrs] =
            frame::tuple(variant, [u, u, u, u, Member::BYTES, Member::BYTES])
                .map_err(Error::format(WHAT))?;
        Self::from_members([uid, gid, mode, rdev], target, xattrs)
    }

    /// Reads `(tuuuusa(ayay))`, the header of a `.filez`; also returns the uncompressed size in
    /// bytes that it claims.
    ///
    /// # Errors
    /// As [`FileHeader::parse_header`].
    pub fn parse_archive_header(variant: &[u8]) -> Result<(FileHeader, u64), Error> {
        let u = Member::U32;
        let [size, uid, gid, mode, rdev, target, xattrs] = frame::tuple(
            variant,
            [Member::U64, u, u, u, u, Member::BYTES, Member::BYTES],
        )
        .map_err(Error::format(WHAT))?;
        let header = Self::from_members([uid, gid, mode, rdev], target, xattrs)?;
        Ok((header, be64(size)))
    }

    fn from_members(numbers: [&[u8]; 4], target: &[u8], xattrs: &[u8]) -> Result<Self, Error> {
        let [uid, gid, mode, rdev] = numbers.map(be32);
        if rdev != 0 {
            let message = format!("Corrupted archive file; invalid rdev {rdev}");
            return Err(Error::content(message));
        }
        check_file_mode(mode)?;
        let target = frame::str(target).map_err(Error::format(WHAT))?;
        let symlink_target = is_symlink(mode).then(|| target.to_owned());
        Ok(FileHeader {
            uid,
            gid,
            mode,
            symlink_target,
            xattrs: Xattrs::decode(xattrs)?,
        })
    }

    /// The xattr `user.ostreemeta` of a file in a bare-user repository: `(uuua(ayay))`, uid, gid,
    /// mode, xattrs, numbers big-endian.
    pub fn encode_ostreemeta(&self) -> Vec<u8> {
        encode_owner_mode_xattrs(self.uid, self.gid, self.mode, &self.xattrs)
    }

    /// Reads `user.ostreemeta`. For a symlink the target is still `None`: it is the file's
    /// content.
    ///
    /// # Errors
    /// As [`FileHeader::parse_header`].
    pub fn decode_ostreemeta(bytes: &[u8]) -> Result<FileHeader, Error> {
        let (uid, gid, mode, xattrs) = split_owner_mode_xattrs(bytes, "user.ostreemeta")?;
        check_file_mode(mode)?;
        Ok(FileHeader {
            uid,
            gid,
            mode,
            symlink_target: None,
            xattrs: Xattrs::decode(xattrs)?,
        })
    }
}

/// A regular file's or symlink's mode without bits that no mode has.
fn check_file_mode(mode: u32) -> Result<(), Error> {
    if !is_regular(mode) && !is_symlink(mode) {
        let message = format!("Corrupted archive file; invalid mode {mode}");
        return Err(Error::content(message));
    }
    check_mode_bits(mode)
}

/// Only type and permission bits.
pub(crate) fn check_mode_bits(mode: u32) -> Result<(), Error> {
    if mode & !(S_IFMT | 0o7777) == 0 {
        Ok(())
    } else {
        let message = format!("Invalid mode {mode}; invalid bits in mode");
        Err(Error::content(message))
    }
}

/// `(uuua(ayay))`, the shape of dirmeta and `user.ostreemeta`.
pub(crate) fn encode_owner_mode_xattrs(uid: u32, gid: u32, mode: u32, xattrs: &Xattrs) -> Vec<u8> {
    let mut out = TupleWriter::new();
    for number in [uid, gid, mode] {
        out.fixed(4, &number.to_be_bytes());
    }
    out.variable(1, &xattrs.encode());
    out.finish()
}

/// Takes `(uuua(ayay))` apart: uid, gid, mode, serialised xattrs.
pub(crate) fn split_owner_mode_xattrs<'a>(
    bytes: &'a [u8],
    what: &'static str,
) -> Result<(u32, u32, u32, &'a [u8]), Error> {
    let u = Member::U32;
    let [uid, gid, mode, xattrs] =
        frame::tuple(bytes, [u, u, u, Member::BYTES]).map_err(Error::format(what))?;
    Ok((be32(uid), be32(gid), be32(mode), xattrs))
}

/// A big-endian `u` that `frame::tuple` has cut to four bytes.
pub(crate) fn be32(bytes: &[u8]) -> u32 {
    bytes.try_into().map(u32::from_be_bytes).unwrap_or_default()
}

/// A big-endian `t` that `frame::tuple` has cut to eight bytes.
pub(crate) fn be64(bytes: &[u8]) -> u64 {
    bytes.try_into().map(u64::from_be_bytes).unwrap_or_default()
}
