//! Writing GNU tar, byte for byte as libarchive does for the C tool: archives
//! of the two can be compared and cached by their digest, which the usual
//! crate's headers do not give (`@LongName`, checksum and owner fields differ).

use std::io::{self, Read, Write};

const BLOCK: usize = 512;
/// Blocks of a tape record.
const RECORD: u64 = 20;
/// Room for a name in a header; longer ones get an entry of their own in front.
const NAME: usize = 100;

/// What an entry is.
#[derive(Clone, Copy)]
pub(super) enum Kind<'a> {
    File,
    Directory,
    Symlink(&'a str),
    /// A further name of an earlier entry.
    Hardlink(&'a str),
}

/// An entry's header.
pub(super) struct Entry<'a> {
    pub name: &'a str,
    pub kind: Kind<'a>,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// Bytes of content that follow.
    pub size: u64,
}

/// An archive being written.
pub(super) struct Writer<'a> {
    out: &'a mut dyn Write,
    mtime: u64,
    blocks: u64,
}

impl<'a> Writer<'a> {
    /// All entries get the same time, seconds since 1970.
    pub(super) fn new(out: &'a mut dyn Write, mtime: u64) -> Self {
        Self {
            out,
            mtime,
            blocks: 0,
        }
    }

    pub(super) fn entry(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        let mut name = entry.name.as_bytes().to_vec();
        let (flag, target) = match entry.kind {
            Kind::File => (b'0', ""),
            Kind::Directory => {
                if name.last() != Some(&b'/') {
                    name.push(b'/');
                }
                (b'5', "")
            }
            Kind::Symlink(target) => (b'2', target),
            Kind::Hardlink(target) => (b'1', target),
        };
        let target = target.as_bytes();
        if target.len() > NAME {
            self.long(b'K', b"././@LongLink", target, target)?;
        }
        if name.len() > NAME {
            self.long(b'L', b"././@LongName", &name, target)?;
        }
        let mut header = Header::new(&name, flag);
        header.put(157, NAME, target);
        header.numbers(
            entry.mode & 0o7777,
            entry.uid,
            entry.gid,
            entry.size,
            self.mtime,
        );
        self.blocks += 1;
        self.out.write_all(&header.sealed())
    }

    /// Exactly `size` bytes of content for the entry just written.
    pub(super) fn content(&mut self, reader: &mut dyn Read, size: u64) -> anyhow::Result<()> {
        let copied = io::copy(reader, self.out)?;
        anyhow::ensure!(copied == size, "content has {copied} bytes, not {size}");
        Ok(self.pad(size)?)
    }

    /// The end mark, and with `whole_records` what the last record of a tape lacks.
    pub(super) fn finish(&mut self, whole_records: bool) -> io::Result<()> {
        self.blocks += 2;
        let fill = if whole_records {
            self.blocks.next_multiple_of(RECORD) - self.blocks
        } else {
            0
        };
        for _ in 0..2 + fill {
            self.out.write_all(&[0; BLOCK])?;
        }
        Ok(())
    }

    /// The full text of a name or target that has no room in its header.
    fn long(&mut self, flag: u8, name: &[u8], text: &[u8], target: &[u8]) -> io::Result<()> {
        let mut header = Header::new(name, flag);
        header.put(157, NAME, target);
        let size = text.len() as u64 + 1;
        header.numbers(0, 0, 0, size, 0);
        header.put(265, 32, b"root");
        header.put(297, 32, b"wheel");
        self.blocks += 1;
        self.out.write_all(&header.sealed())?;
        self.out.write_all(text)?;
        self.out.write_all(&[0])?;
        self.pad(size)
    }

    fn pad(&mut self, size: u64) -> io::Result<()> {
        self.blocks += size.div_ceil(BLOCK as u64);
        let over = (size % BLOCK as u64) as usize;
        let fill = if over == 0 { 0 } else { BLOCK - over };
        self.out.write_all(&[0; BLOCK][..fill])
    }
}

struct Header([u8; BLOCK]);

impl Header {
    fn new(name: &[u8], flag: u8) -> Self {
        let mut header = Self([0; BLOCK]);
        header.put(0, NAME, name);
        header.0[156] = flag;
        header.put(257, 8, b"ustar  ");
        header
    }

    /// As much of `bytes` as fits.
    fn put(&mut self, at: usize, room: usize, bytes: &[u8]) {
        let len = bytes.len().min(room);
        self.0[at..at + len].copy_from_slice(&bytes[..len]);
    }

    fn numbers(&mut self, mode: u32, uid: u32, gid: u32, size: u64, mtime: u64) {
        self.number(100, 8, mode.into());
        self.number(108, 8, uid.into());
        self.number(116, 8, gid.into());
        self.number(124, 12, size);
        self.number(136, 12, mtime);
    }

    /// Octal with a final NUL; what does not fit is binary with the top bit set.
    fn number(&mut self, at: usize, room: usize, value: u64) {
        let digits = room - 1;
        if value < 1 << (3 * digits) {
            self.put(at, room, format!("{value:0digits$o}\0").as_bytes());
        } else {
            self.put(at + room - 8, 8, &value.to_be_bytes());
            self.0[at] |= 0x80;
        }
    }

    /// With the checksum, which counts its own field as spaces.
    fn sealed(mut self) -> [u8; BLOCK] {
        self.put(148, 8, b"        ");
        let sum: u32 = self.0.iter().map(|b| u32::from(*b)).sum();
        self.put(148, 8, format!("{sum:06o}\0 ").as_bytes());
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_hold_what_they_should() {
        let mut bytes = Vec::new();
        let mut tar = Writer::new(&mut bytes, 1_700_000_000);
        let entry = Entry {
            name: "b",
            kind: Kind::File,
            mode: 0o100644,
            uid: 3_000_000,
            gid: 3_000_001,
            size: 5,
        };
        tar.entry(&entry).unwrap();
        tar.content(&mut &b"same\n"[..], 5).unwrap();
        tar.finish(false).unwrap();
        assert_eq!(bytes.len(), 4 * BLOCK);
        // Taken from an archive of the C tool.
        assert_eq!(&bytes[100..108], b"0000644\0");
        assert_eq!(&bytes[108..116], b"\x80\0\0\0\0\x2d\xc6\xc0");
        assert_eq!(&bytes[124..136], b"00000000005\0");
        assert_eq!(&bytes[136..148], b"14524770400\0");
        assert_eq!(&bytes[148..156], b"007015\0 ");
        assert_eq!(&bytes[512..518], b"same\n\0");
    }

    #[test]
    fn long_names_and_targets_come_first() {
        let (name, target) = ("n".repeat(150), "t".repeat(101));
        let mut bytes = Vec::new();
        let mut tar = Writer::new(&mut bytes, 0);
        let entry = Entry {
            name: &name,
            kind: Kind::Symlink(&target),
            mode: 0o777,
            uid: 0,
            gid: 0,
            size: 0,
        };
        tar.entry(&entry).unwrap();
        let flags: Vec<u8> = [156, 2 * BLOCK + 156, 4 * BLOCK + 156]
            .iter()
            .map(|at| bytes[*at])
            .collect();
        assert_eq!(flags, b"KL2");
        assert_eq!(bytes.len(), 5 * BLOCK);
    }

    #[test]
    fn records_are_filled_up_on_request() {
        for (files, blocks) in [(0, 20), (18, 20), (19, 40)] {
            let mut bytes = Vec::new();
            let mut tar = Writer::new(&mut bytes, 0);
            for _ in 0..files {
                let entry = Entry {
                    name: "f",
                    kind: Kind::File,
                    mode: 0,
                    uid: 0,
                    gid: 0,
                    size: 0,
                };
                tar.entry(&entry).unwrap();
            }
            tar.finish(true).unwrap();
            assert_eq!(bytes.len(), blocks * BLOCK, "{files} files");
        }
    }

    #[test]
    fn a_short_reader_is_an_error() {
        let mut bytes = Vec::new();
        assert!(
            Writer::new(&mut bytes, 0)
                .content(&mut &b"ab"[..], 3)
                .is_err()
        );
    }
}
