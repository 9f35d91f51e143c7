//! Deltas put together by hand.

use osier_delta::format::compression;
use osier_delta::format::ops::Op;
use osier_delta::format::part::Dictionaries;
use osier_delta::format::superblock::{ENDIANNESS, Endianness, NewSuperblock, PartHeader};
use osier_gv::{Dict, Value};
use osier_object::{ContentId, FileHeader, ObjectName, ObjectType, hash};
use osier_store::static_deltas::DeltaName;
use osier_store::{ReadObjects, Repo};
use std::fs;
use std::path::Path;

/// How the payload lies in its file.
#[derive(Clone, Copy, Debug, Default)]
pub enum Packing {
    #[default]
    Xz,
    Stored,
}

/// How the numbers of the superblock are written, and what it says of that.
#[derive(Clone, Copy, Debug, Default)]
pub enum Order {
    #[default]
    Little,
    Big,
    /// As before 2016.
    None,
    BigUnstated,
}

/// What does not change what a delta makes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Form {
    pub packing: Packing,
    pub order: Order,
    pub inline: bool,
}

#[derive(Clone, Debug)]
enum Piece {
    Op(Op),
    Raw(Vec<u8>),
}

/// A part that grows.
#[derive(Clone, Debug)]
pub struct PartBuilder {
    blob: Vec<u8>,
    pieces: Vec<Piece>,
    objects: Vec<ObjectName>,
    unpacked: u64,
    old: Option<ContentId>,
    /// Where in the blob its checksum is.
    pub source: u64,
    overlong: bool,
}

fn header() -> FileHeader {
    FileHeader::regular(0, 0, 0o644)
}

fn content_id(header: &FileHeader, content: &[u8]) -> ContentId {
    ContentId(hash(&[&header.hash_framing(), content].concat()))
}

impl PartBuilder {
    /// Nothing.
    pub fn empty() -> PartBuilder {
        PartBuilder {
            blob: Vec::new(),
            pieces: Vec::new(),
            objects: Vec::new(),
            unpacked: 0,
            old: None,
            source: 0,
            overlong: false,
        }
    }

    /// The listing of the new version's root. The old version has one file, a source.
    pub fn new(repo: &Path, old: &str, new: &str) -> PartBuilder {
        let repo = Repo::open(repo).unwrap();
        let tree = |id: &str| repo.load_commit(&id.parse().unwrap()).unwrap().root_dirtree;
        let file = repo.load_dirtree(&tree(old)).unwrap().files[0].1;
        let mut part = PartBuilder::empty();
        part.old = Some(file);
        let root = tree(new);
        let bytes = repo.read_metadata(ObjectType::Dirtree, &root.0).unwrap();
        let (offset, size) = part.put(&bytes);
        part.op(Op::SpliceMetadata { size, offset });
        part.objects
            .push(ObjectName::new(root.0, ObjectType::Dirtree));
        part.unpacked += size;
        part
    }

    /// Appends to the blob; where, and how much.
    pub fn put(&mut self, bytes: &[u8]) -> (u64, u64) {
        let offset = self.blob.len() as u64;
        self.blob.extend_from_slice(bytes);
        (offset, bytes.len() as u64)
    }

    /// Appends the checksum of the old version's file.
    pub fn source(&mut self) -> u64 {
        let old = self.old.unwrap();
        self.source = self.put(old.as_bytes()).0;
        self.source
    }

    /// Appends the checksum of a file.
    pub fn checksum_of(&mut self, content: &str) -> u64 {
        let id = content_id(&header(), content.as_bytes());
        self.put(id.as_bytes()).0
    }

    pub fn op(&mut self, op: Op) {
        self.pieces.push(Piece::Op(op));
    }

    pub fn raw(&mut self, bytes: &[u8]) {
        self.pieces.push(Piece::Raw(bytes.to_vec()));
    }

    fn announce(&mut self, content: &str) {
        let id = content_id(&header(), content.as_bytes());
        self.objects.push(id.object_name());
        self.unpacked += content.len() as u64;
    }

    /// A file that is in the blob as a whole.
    pub fn splice(&mut self, content: &str) {
        let (offset, size) = self.put(content.as_bytes());
        self.splice_op(0, 0, size, offset);
        self.announce(content);
    }

    pub fn splice_op(&mut self, mode: u64, xattrs: u64, size: u64, offset: u64) {
        self.op(Op::SpliceFile {
            mode,
            xattrs,
            size,
            offset,
        });
    }

    pub fn link(&mut self, target: &str) {
        let (offset, size) = self.put(target.as_bytes());
        self.splice_op(1, 0, size, offset);
        let id = content_id(&FileHeader::symlink(0, 0, target), b"");
        self.objects.push(id.object_name());
    }

    /// Begins a file that will have this content.
    pub fn open(&mut self, content: &str) {
        self.op(Op::Open {
            mode: 0,
            xattrs: 0,
            size: content.len() as u64,
        });
        self.announce(content);
    }

    pub fn drop_last(&mut self) {
        self.pieces.pop();
    }

    /// Puts operations before the last one.
    pub fn before_close(&mut self, ops: &[Op]) {
        let close = self.pieces.pop().unwrap();
        for op in ops {
            self.op(*op);
        }
        self.pieces.push(close);
    }

    pub fn change_open(&mut self, change: fn(&mut u64, &mut u64, &mut u64)) {
        for piece in &mut self.pieces {
            if let Piece::Op(Op::Open { mode, xattrs, size }) = piece {
                change(mode, xattrs, size);
            }
        }
    }

    /// Announces another file instead of the last one.
    pub fn change_objects(&mut self) {
        self.objects.pop();
        self.announce("another");
    }

    /// The same with numbers of ten bytes.
    pub fn overlong(&self) -> PartBuilder {
        PartBuilder {
            overlong: true,
            ..self.clone()
        }
    }

    fn ops(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for piece in &self.pieces {
            let mut one = Vec::new();
            match piece {
                Piece::Raw(bytes) => one.extend_from_slice(bytes),
                Piece::Op(op) => op.encode(&mut one),
            }
            out.push(one[0]);
            match piece {
                Piece::Op(_) if self.overlong => {
                    let mut length = 0;
                    for byte in &one[1..] {
                        length += 1;
                        if byte & 0x80 != 0 {
                            out.push(*byte);
                            continue;
                        }
                        out.push(byte | 0x80);
                        out.extend(std::iter::repeat_n(0x80, 9 - length));
                        out.push(0);
                        length = 0;
                    }
                }
                _ => out.extend_from_slice(&one[1..]),
            }
        }
        out
    }

    fn file(&self, packing: Packing) -> Vec<u8> {
        let scratch = std::env::temp_dir();
        let mut dictionaries = Dictionaries::default();
        dictionaries.numbers(&header());
        dictionaries.numbers(&FileHeader::symlink(0, 0, ""));
        let stored = [&[0], &self.blob[..]].concat();
        let blob = compression::unpack(&stored[..], u64::MAX, &scratch).unwrap();
        let ops = self.ops();
        match packing {
            Packing::Xz => compression::pack(Vec::new(), compression::Packing::Thorough, |out| {
                dictionaries.write_payload(&blob, &ops, out)
            })
            .unwrap(),
            Packing::Stored => {
                let mut out = vec![0];
                dictionaries.write_payload(&blob, &ops, &mut out).unwrap();
                out
            }
        }
    }
}

/// Writes a delta of one part into a folder.
pub fn write(repo: &Path, old: &str, new: &str, part: &PartBuilder, form: &Form, dir: &Path) {
    write_parts(repo, old, new, &[part], form, dir);
}

/// Puts a delta of one part where a repository keeps it.
pub fn publish(repo: &Path, old: &str, new: &str, part: &PartBuilder, form: &Form) {
    let name = DeltaName {
        from: Some(old.parse().unwrap()),
        to: new.parse().unwrap(),
    };
    let dir = repo.join(name.path());
    fs::create_dir_all(&dir).unwrap();
    write(repo, old, new, part, form, &dir);
}

/// Writes a delta into a folder.
pub fn write_parts(
    repo: &Path,
    old: &str,
    new: &str,
    parts: &[&PartBuilder],
    form: &Form,
    dir: &Path,
) {
    let repo = Repo::open(repo).unwrap();
    let name = DeltaName {
        from: Some(old.parse().unwrap()),
        to: new.parse().unwrap(),
    };
    let (endianness, stated) = match form.order {
        Order::Little => (Endianness::Little, true),
        Order::Big => (Endianness::Big, true),
        Order::None => (Endianness::Little, false),
        Order::BigUnstated => (Endianness::Big, false),
    };
    let mut metadata = Dict::new();
    if stated {
        metadata.push(ENDIANNESS, Value::Byte(endianness.letter()));
    }
    let mut headers = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let file = part.file(form.packing);
        headers.push(PartHeader {
            version: 0,
            checksum: hash(&file),
            size: file.len() as u64,
            unpacked: part.unpacked,
            objects: part.objects.clone(),
        });
        if form.inline {
            let value = vec![Value::Byte(file[0]), Value::Bytes(file[1..].to_vec())];
            metadata.push(format!("{}/{index}", name.path()), Value::Tuple(value));
        } else {
            fs::write(dir.join(index.to_string()), file).unwrap();
        }
    }
    let commit = repo.read_metadata(ObjectType::Commit, &name.to.0).unwrap();
    let superblock = NewSuperblock {
        metadata: &metadata,
        timestamp: 1_700_000_002,
        name,
        commit: &commit,
        endianness,
        parts: &headers,
        fallbacks: &[],
    };
    fs::write(dir.join("superblock"), superblock.encode()).unwrap();
}
