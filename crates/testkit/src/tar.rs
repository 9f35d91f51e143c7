//! Archives made byte by byte: those that no program would write, but that a program may be given.

/// What ends a tar archive.
pub const END: [u8; 1024] = [0; 1024];

/// A tar entry being put together.
#[derive(Clone)]
pub struct Entry {
    header: [u8; 512],
    data: Vec<u8>,
    checksum: Option<u32>,
}

impl Entry {
    /// An entry of any type; root's, without time.
    pub fn new(typeflag: u8, name: &[u8]) -> Entry {
        let mut entry = Entry {
            header: [0; 512],
            data: Vec::new(),
            checksum: None,
        };
        entry.put(0, 100, name);
        entry.header[156] = typeflag;
        entry.put(257, 8, b"ustar\x0000");
        entry.mode(0o644).uid(0).gid(0).size(0)
    }

    fn put(&mut self, at: usize, room: usize, bytes: &[u8]) {
        let len = bytes.len().min(room);
        self.header[at..at + room].fill(0);
        self.header[at..at + len].copy_from_slice(&bytes[..len]);
    }

    fn field(mut self, at: usize, room: usize, bytes: &[u8]) -> Entry {
        self.put(at, room, bytes);
        self
    }

    fn number(self, at: usize, room: usize, value: u64) -> Entry {
        let digits = room - 1;
        self.field(at, room, format!("{value:0digits$o}").as_bytes())
    }

    /// Permission bits.
    #[must_use]
    pub fn mode(self, mode: u32) -> Entry {
        self.number(100, 8, mode.into())
    }

    /// Owner.
    #[must_use]
    pub fn uid(self, uid: u64) -> Entry {
        self.number(108, 8, uid)
    }

    /// Owner, as the bytes of the field.
    #[must_use]
    pub fn raw_uid(self, field: &[u8]) -> Entry {
        self.field(108, 8, field)
    }

    /// Group.
    #[must_use]
    pub fn gid(self, gid: u64) -> Entry {
        self.number(116, 8, gid)
    }

    /// The size that the header claims.
    #[must_use]
    pub fn size(self, size: u64) -> Entry {
        self.number(124, 12, size)
    }

    /// The size, as the bytes of the field.
    #[must_use]
    pub fn raw_size(self, field: &[u8]) -> Entry {
        self.field(124, 12, field)
    }

    /// Content, with its size.
    #[must_use]
    pub fn data(self, data: &[u8]) -> Entry {
        let mut entry = self.size(data.len() as u64);
        entry.data = data.to_vec();
        entry
    }

    /// The magic bytes: none for old tar, `ustar  ` for GNU's.
    #[must_use]
    pub fn magic(self, magic: &[u8]) -> Entry {
        self.field(257, 8, magic)
    }

    /// What a link points to.
    #[must_use]
    pub fn target(self, target: &[u8]) -> Entry {
        self.field(157, 100, target)
    }

    /// What stands in front of the name.
    #[must_use]
    pub fn prefix(self, prefix: &[u8]) -> Entry {
        self.field(345, 155, prefix)
    }

    /// The last fields, which each dialect uses in its own way.
    #[must_use]
    pub fn tail(self, bytes: &[u8]) -> Entry {
        self.field(345, 167, bytes)
    }

    /// A checksum that need not be right.
    #[must_use]
    pub fn checksum(mut self, checksum: u32) -> Entry {
        self.checksum = Some(checksum);
        self
    }

    /// Header and content, filled up to whole blocks.
    pub fn bytes(mut self) -> Vec<u8> {
        self.put(148, 8, b"        ");
        let sum = self
            .checksum
            .unwrap_or_else(|| self.header.iter().map(|b| u32::from(*b)).sum());
        self.put(148, 8, format!("{sum:06o}\0 ").as_bytes());
        let mut bytes = self.header.to_vec();
        bytes.extend_from_slice(&self.data);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes
    }
}

/// A regular file.
pub fn file(name: &str, data: &str) -> Entry {
    Entry::new(b'0', name.as_bytes()).data(data.as_bytes())
}

/// A directory.
pub fn dir(name: &str) -> Entry {
    Entry::new(b'5', name.as_bytes()).mode(0o755)
}

/// A symbolic link.
pub fn symlink(name: &str, target: &str) -> Entry {
    Entry::new(b'2', name.as_bytes())
        .mode(0o777)
        .target(target.as_bytes())
}

/// A hard link.
pub fn hardlink(name: &str, target: &str) -> Entry {
    Entry::new(b'1', name.as_bytes()).target(target.as_bytes())
}

/// A record of an extended header.
pub fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut len = rest + 1;
    while len != rest + len.to_string().len() {
        len = rest + len.to_string().len();
    }
    let mut bytes = format!("{len} {key}=").into_bytes();
    bytes.extend_from_slice(value);
    bytes.push(b'\n');
    bytes
}

/// An extended header with any bytes for records.
pub fn extended(typeflag: u8, records: &[u8]) -> Vec<u8> {
    Entry::new(typeflag, b"PaxHeaders/x").data(records).bytes()
}

/// An extended header for the next entry.
pub fn pax(records: &[(&str, &[u8])]) -> Vec<u8> {
    let records: Vec<u8> = records
        .iter()
        .flat_map(|(key, value)| record(key, value))
        .collect();
    extended(b'x', &records)
}

/// GNU's record for a long name (`L`) or target (`K`).
pub fn long(typeflag: u8, text: &str) -> Vec<u8> {
    let text = [text.as_bytes(), b"\0"].concat();
    Entry::new(typeflag, b"././@LongLink")
        .magic(b"ustar  \0")
        .data(&text)
        .bytes()
}

/// An old GNU sparse file of `size` bytes, with the stretches `map` in `data`.
pub fn gnu_sparse(name: &str, map: &[(u64, u64)], size: u64, data: &[u8]) -> Vec<u8> {
    let mut tail = vec![0; 41];
    for (offset, len) in map {
        tail.extend_from_slice(format!("{offset:011o}\0{len:011o}\0").as_bytes());
    }
    tail.resize(138, 0);
    tail.extend_from_slice(format!("{size:011o}\0").as_bytes());
    Entry::new(b'S', name.as_bytes())
        .magic(b"ustar  \0")
        .tail(&tail)
        .data(data)
        .bytes()
}

/// An entry of a new portable cpio archive: file mode with type, inode, number of links.
pub fn newc(name: &str, mode: u32, inode: u32, links: u32, data: &[u8]) -> Vec<u8> {
    let fields = [
        inode,
        mode,
        0,
        0,
        links,
        0,
        data.len() as u32,
        0,
        0,
        0,
        0,
        name.len() as u32 + 1,
        0,
    ];
    let mut bytes = b"070701".to_vec();
    for field in fields {
        bytes.extend_from_slice(format!("{field:08X}").as_bytes());
    }
    bytes.extend_from_slice(name.as_bytes());
    bytes.push(0);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes.extend_from_slice(data);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_count_themselves() {
        assert_eq!(record("uid", b"7"), b"8 uid=7\n");
        assert_eq!(record("path", b"12345"), b"14 path=12345\n");
        assert_eq!(record("k", &[b'x'; 94]).len(), 101);
    }

    #[test]
    fn headers_are_whole_blocks() {
        let bytes = file("f", "hello").bytes();
        assert_eq!(bytes.len(), 1024);
        assert_eq!(&bytes[124..136], b"00000000005\0");
        assert_eq!(pax(&[("uid", b"7")]).len(), 1024);
    }
}
