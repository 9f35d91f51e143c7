//! The 512 bytes in front of every entry.

use super::number::number;

/// Size of a header, and of what contents are filled up to.
pub(super) const BLOCK: usize = 512;

/// Which of tar's dialects a header is written in.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Before POSIX.
    Old,
    /// POSIX, with a prefix for long paths.
    Ustar,
    /// GNU.
    Gnu,
}

/// A header with a sound checksum.
pub(super) struct Header<'a>(&'a [u8; BLOCK]);

impl<'a> Header<'a> {
    /// `None` when the checksum is wrong.
    pub(super) fn new(block: &'a [u8; BLOCK]) -> Option<Header<'a>> {
        let stored = number(&block[148..156]);
        let blank = |at: usize| (148..156).contains(&at);
        let (mut unsigned, mut signed) = (0i64, 0i64);
        for (at, byte) in block.iter().enumerate() {
            let byte = if blank(at) { b' ' } else { *byte };
            unsigned += i64::from(byte);
            // Some old programs summed signed characters.
            signed += i64::from(byte as i8);
        }
        (stored == unsigned || stored == signed).then_some(Header(block))
    }

    pub(super) fn typeflag(&self) -> u8 {
        self.0[156]
    }

    pub(super) fn dialect(&self) -> Dialect {
        match &self.0[257..265] {
            b"ustar  \0" => Dialect::Gnu,
            [b'u', b's', b't', b'a', b'r', ..] => Dialect::Ustar,
            _ => Dialect::Old,
        }
    }

    pub(super) fn mode(&self) -> u32 {
        (number(&self.0[100..108]) & 0o7777) as u32
    }

    pub(super) fn uid(&self) -> i64 {
        number(&self.0[108..116])
    }

    pub(super) fn gid(&self) -> i64 {
        number(&self.0[116..124])
    }

    pub(super) fn size(&self) -> i64 {
        number(&self.0[124..136])
    }

    /// The path; POSIX headers have its beginning in another field.
    pub(super) fn path(&self) -> Vec<u8> {
        let name = text(&self.0[..100]);
        let prefix = match self.dialect() {
            Dialect::Ustar => text(&self.0[345..500]),
            _ => b"",
        };
        if prefix.is_empty() {
            return name.to_vec();
        }
        let mut path = prefix.to_vec();
        if path.last() != Some(&b'/') {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        path
    }

    pub(super) fn link(&self) -> &'a [u8] {
        text(&self.0[157..257])
    }

    /// The fields that an old GNU sparse file has at the end: its map, whether that goes on, and the file's size.
    pub(super) fn gnu_sparse(&self) -> (&'a [u8], bool, i64) {
        (
            &self.0[386..482],
            self.0[482] != 0,
            number(&self.0[483..495]),
        )
    }
}

/// Up to the first NUL.
pub(super) fn text(field: &[u8]) -> &[u8] {
    match field.iter().position(|b| *b == 0) {
        Some(end) => &field[..end],
        None => field,
    }
}
