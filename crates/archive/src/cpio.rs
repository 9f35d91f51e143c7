//! Cpio: binary, octal (`odc`) and hexadecimal (`newc`, `crc`) headers.

use crate::MAX_NAME;
use crate::entry::{BodyState, Entry, Kind};
use crate::error::{Error, Result};
use crate::input::Input;
use std::collections::HashMap;
use std::io::BufRead;

const FORMAT: &str = "cpio";

/// How headers are written.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// 16-bit words, the lower byte first.
    BinaryLittle,
    /// 16-bit words, the upper byte first.
    BinaryBig,
    /// Octal digits.
    Odc,
    /// Hexadecimal digits, contents filled up to four bytes.
    Newc,
}

impl Dialect {
    pub(crate) fn of(head: &[u8]) -> Option<Dialect> {
        match head {
            [b'0', b'7', b'0', b'7', b'0', b'1' | b'2', ..] => Some(Dialect::Newc),
            [b'0', b'7', b'0', b'7', b'0', b'7', ..] => Some(Dialect::Odc),
            [0xc7, 0x71, ..] => Some(Dialect::BinaryLittle),
            [0x71, 0xc7, ..] => Some(Dialect::BinaryBig),
            _ => None,
        }
    }

    fn header_len(self) -> usize {
        match self {
            Dialect::BinaryLittle | Dialect::BinaryBig => 26,
            Dialect::Odc => 76,
            Dialect::Newc => 110,
        }
    }

    /// What names (behind their header) and contents are filled up to.
    fn alignment(self) -> u64 {
        match self {
            Dialect::BinaryLittle | Dialect::BinaryBig => 2,
            Dialect::Odc => 1,
            Dialect::Newc => 4,
        }
    }
}

/// A decoded header.
struct Header {
    device: u64,
    inode: u64,
    mode: u32,
    uid: u32,
    gid: u32,
    links: u32,
    name_len: u64,
    size: u64,
}

impl Header {
    fn decode(dialect: Dialect, bytes: &[u8]) -> Option<Header> {
        match dialect {
            Dialect::BinaryLittle | Dialect::BinaryBig => {
                let word = |n: usize| {
                    let pair = [bytes[2 * n], bytes[2 * n + 1]];
                    u32::from(match dialect {
                        Dialect::BinaryLittle => u16::from_le_bytes(pair),
                        _ => u16::from_be_bytes(pair),
                    })
                };
                Some(Header {
                    device: word(1).into(),
                    inode: word(2).into(),
                    mode: word(3),
                    uid: word(4),
                    gid: word(5),
                    links: word(6),
                    name_len: word(10).into(),
                    size: u64::from(word(11)) << 16 | u64::from(word(12)),
                })
            }
            Dialect::Odc => {
                let field = |at: usize, len: usize| digits(&bytes[at..at + len], 8);
                Some(Header {
                    device: field(6, 6)?,
                    inode: field(12, 6)?,
                    mode: field(18, 6)? as u32,
                    uid: field(24, 6)? as u32,
                    gid: field(30, 6)? as u32,
                    links: field(36, 6)? as u32,
                    name_len: field(59, 6)?,
                    size: field(65, 11)?,
                })
            }
            Dialect::Newc => {
                let field = |n: usize| digits(&bytes[6 + 8 * n..14 + 8 * n], 16);
                Some(Header {
                    inode: field(0)?,
                    mode: field(1)? as u32,
                    uid: field(2)? as u32,
                    gid: field(3)? as u32,
                    links: field(4)? as u32,
                    size: field(6)?,
                    device: field(7)? << 32 | field(8)?,
                    name_len: field(11)?,
                })
            }
        }
    }
}

fn digits(field: &[u8], base: u32) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?;
    // Signs are no digits here.
    text.bytes().all(|b| b.is_ascii_hexdigit()).then_some(())?;
    u64::from_str_radix(text, base).ok()
}

/// State that outlives an entry.
pub(crate) struct Cpio {
    dialect: Dialect,
    /// Files whose further names are still to come: the first name, and how many there will be.
    linked: HashMap<(u64, u64), (Vec<u8>, u32)>,
}

impl Cpio {
    pub(crate) fn new(dialect: Dialect) -> Cpio {
        Cpio {
            dialect,
            linked: HashMap::new(),
        }
    }

    pub(crate) fn next(&mut self, input: &mut Input) -> Result<Option<(Entry, BodyState)>> {
        let len = self.dialect.header_len();
        let head = input.peek(len)?;
        if head.len() < len {
            return Err(truncated("next header"));
        }
        if Dialect::of(head) != Some(self.dialect) {
            return Err(Error::damaged("Damaged cpio archive (bad header magic)"));
        }
        let Some(header) = Header::decode(self.dialect, head) else {
            return Err(Error::damaged(
                "Damaged cpio archive (bad number in header)",
            ));
        };
        input.consume(len);
        if header.name_len > MAX_NAME {
            return Err(Error::damaged(
                "Rejecting malformed cpio archive: pathname exceeds 1 megabyte",
            ));
        }
        let path = self.text(input, header.name_len, len as u64, "path name")?;
        if path == b"TRAILER!!!" {
            return Ok(None);
        }
        let kind = match header.mode & 0o170_000 {
            0o100_000 => Kind::File,
            0o040_000 => Kind::Directory,
            0o120_000 => Kind::Symlink(Vec::new()),
            _ => Kind::Other,
        };
        self.entry(input, &header, path, kind).map(Some)
    }

    fn entry(
        &mut self,
        input: &mut Input,
        header: &Header,
        path: Vec<u8>,
        kind: Kind,
    ) -> Result<(Entry, BodyState)> {
        let padding = self.fill(header.size);
        let (kind, body) = match kind {
            Kind::Symlink(_) => {
                if header.size > MAX_NAME {
                    return Err(Error::damaged(
                        "Rejecting malformed cpio archive: symlink contents exceed 1 megabyte",
                    ));
                }
                let target = self.text(input, header.size, 0, "symlink target")?;
                (Kind::Symlink(target), BodyState::default())
            }
            Kind::File => (kind, BodyState::plain(FORMAT, header.size, padding)),
            _ => (kind, BodyState::ignored(FORMAT, header.size, padding)),
        };
        let kind = match kind {
            Kind::File | Kind::Symlink(_) if header.links > 1 => self.link(header, &path, kind),
            kind => kind,
        };
        let entry = Entry {
            path,
            kind,
            mode: header.mode & 0o7777,
            uid: header.uid,
            gid: header.gid,
            size: body.size(),
            xattrs: Vec::new(),
        };
        Ok((entry, body))
    }

    /// A file's first name stands for itself, each further one is a link to it.
    fn link(&mut self, header: &Header, path: &[u8], kind: Kind) -> Kind {
        use std::collections::hash_map::Entry as Slot;
        match self.linked.entry((header.device, header.inode)) {
            Slot::Vacant(slot) => {
                slot.insert((path.to_vec(), header.links - 1));
                kind
            }
            Slot::Occupied(mut slot) => {
                let (first, left) = slot.get_mut();
                *left -= 1;
                let kind = Kind::Hardlink(first.clone());
                if *left == 0 {
                    slot.remove();
                }
                kind
            }
        }
    }

    /// Reads `len` bytes up to a NUL, and what fills them up together with the `before` bytes in front.
    fn text(
        &self,
        input: &mut Input,
        len: u64,
        before: u64,
        what: &'static str,
    ) -> Result<Vec<u8>> {
        let mut text = vec![0; len as usize];
        if input.read_full(&mut text)? < text.len() {
            return Err(truncated(what));
        }
        let fill = self.fill(before + len);
        if input.skip(fill)? < fill {
            return Err(truncated(what));
        }
        let end = text.iter().position(|b| *b == 0).unwrap_or(text.len());
        text.truncate(end);
        Ok(text)
    }

    fn fill(&self, len: u64) -> u64 {
        len.next_multiple_of(self.dialect.alignment()) - len
    }
}

fn truncated(what: &'static str) -> Error {
    Error::Truncated {
        format: FORMAT,
        what,
    }
}

#[cfg(test)]
mod tests;
