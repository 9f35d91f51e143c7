//! Filling parts, one after another.

use super::copies::Match;
use super::plan::File;
use crate::error::{Context, Result};
use crate::format::compression::Packing;
use crate::format::ops::Op;
use crate::format::part::Dictionaries;
use crate::spool::{Bytes, Spool};
use osier_object::{Checksum, ContentId, ObjectName, ObjectType};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// A part that is full, not yet packed.
#[derive(Debug)]
pub(super) struct Filled {
    pub(super) dictionaries: Dictionaries,
    pub(super) blob: Bytes,
    pub(super) ops: Vec<u8>,
    pub(super) objects: Vec<ObjectName>,
    pub(super) unpacked: u64,
    pub(super) packing: Packing,
    /// About how many bytes are to be packed.
    pub(super) size: u64,
}

/// The part being filled.
#[derive(Debug)]
pub(super) struct Builder {
    dictionaries: Dictionaries,
    blob: Spool,
    ops: Vec<u8>,
    objects: Vec<ObjectName>,
    unpacked: u64,
    max: u64,
    scratch: PathBuf,
}

impl Builder {
    /// Parts of about `max` bytes; large ones lie in files in `scratch` while they are filled.
    pub(super) fn new(max: u64, scratch: &Path) -> Builder {
        Builder {
            dictionaries: Dictionaries::default(),
            blob: Spool::new(scratch, u64::MAX),
            ops: Vec::new(),
            objects: Vec::new(),
            unpacked: 0,
            max,
            scratch: scratch.to_owned(),
        }
    }

    /// Ends the part.
    pub(super) fn finish(&mut self, packing: Packing) -> Result<Filled> {
        let fresh = Builder::new(self.max, &self.scratch);
        let full = std::mem::replace(self, fresh);
        Ok(Filled {
            size: full.size(),
            dictionaries: full.dictionaries,
            blob: full.blob.finish().at(|| "writing a delta part".into())?,
            ops: full.ops,
            objects: full.objects,
            unpacked: full.unpacked,
            packing,
        })
    }

    /// Bytes so far.
    pub(super) fn size(&self) -> u64 {
        self.blob.len() + self.ops.len() as u64 + self.dictionaries.size()
    }

    /// Whether the next object, with so many plain bytes, belongs into another part.
    pub(super) fn is_full(&self, next: u64) -> bool {
        !self.objects.is_empty() && self.size().saturating_add(next) > self.max
    }

    fn append(&mut self, bytes: &[u8]) -> Result<u64> {
        let offset = self.blob.len();
        self.blob
            .write_all(bytes)
            .at(|| "writing a delta part".into())?;
        Ok(offset)
    }

    fn push(&mut self, op: Op) {
        op.encode(&mut self.ops);
    }

    fn made(&mut self, name: ObjectName, unpacked: u64) {
        self.objects.push(name);
        self.unpacked += unpacked;
    }

    /// A metadata object as it is.
    pub(super) fn add_metadata(&mut self, name: ObjectName, bytes: &[u8]) -> Result<()> {
        let offset = self.append(bytes)?;
        let size = bytes.len() as u64;
        self.push(Op::SpliceMetadata { size, offset });
        self.made(name, size);
        Ok(())
    }

    /// A file or symbolic link as it is.
    pub(super) fn add_plain(&mut self, file: &File, content: &mut dyn Read) -> Result<()> {
        let offset = self.blob.len();
        let size = match &file.header.symlink_target {
            Some(target) => {
                self.append(target.as_bytes())?;
                target.len() as u64
            }
            None => io::copy(content, &mut self.blob).at(|| reading(file))?,
        };
        let (mode, xattrs) = self.dictionaries.numbers(&file.header);
        self.push(Op::SpliceFile {
            mode,
            xattrs,
            size,
            offset,
        });
        self.made(ObjectName::new(file.id, ObjectType::File), file.size);
        Ok(())
    }

    fn open(&mut self, file: &File) {
        let (mode, xattrs) = self.dictionaries.numbers(&file.header);
        self.push(Op::Open {
            mode,
            xattrs,
            size: file.size,
        });
    }

    fn append_source(&mut self, source: &ContentId) -> Result<u64> {
        let checksum: &Checksum = source.checksum();
        self.append(checksum.as_bytes())
    }

    /// A file that a patch makes.
    pub(super) fn add_patched(
        &mut self,
        file: &File,
        source: &ContentId,
        patch: &[u8],
    ) -> Result<()> {
        let source = self.append_source(source)?;
        self.push(Op::SetReadSource { offset: source });
        self.open(file);
        let offset = self.append(patch)?;
        self.push(Op::BsPatch {
            offset,
            size: patch.len() as u64,
        });
        self.push(Op::Close);
        self.push(Op::UnsetReadSource);
        self.made(ObjectName::new(file.id, ObjectType::File), file.size);
        Ok(())
    }

    /// A file of which pieces are copied. The matches ascend and do not overlap; `content` is the whole file.
    pub(super) fn add_copied(
        &mut self,
        file: &File,
        source: &ContentId,
        content: &mut dyn Read,
        matches: &[Match],
    ) -> Result<()> {
        let source = self.append_source(source)?;
        self.open(file);
        let mut at = 0;
        let mut set = false;
        for m in matches {
            if m.new > at {
                if set {
                    self.push(Op::UnsetReadSource);
                    set = false;
                }
                self.literal(file, content, m.new - at)?;
            }
            if !set {
                self.push(Op::SetReadSource { offset: source });
                set = true;
            }
            self.push(Op::Write {
                size: m.size,
                offset: m.old,
            });
            pass(content, m.size, &mut io::sink()).at(|| reading(file))?;
            at = m.new + m.size;
        }
        if set {
            self.push(Op::UnsetReadSource);
        }
        if at < file.size {
            self.literal(file, content, file.size - at)?;
        }
        self.push(Op::Close);
        self.made(ObjectName::new(file.id, ObjectType::File), file.size);
        Ok(())
    }

    /// The next bytes of the content, as they are.
    fn literal(&mut self, file: &File, content: &mut dyn Read, size: u64) -> Result<()> {
        let offset = self.blob.len();
        pass(content, size, &mut self.blob).at(|| reading(file))?;
        self.push(Op::Write { size, offset });
        Ok(())
    }
}

fn reading(file: &File) -> String {
    format!("reading object {}.file", file.id)
}

/// Exactly so many bytes from one to the other.
fn pass(from: &mut dyn Read, size: u64, to: &mut dyn Write) -> io::Result<()> {
    match io::copy(&mut from.take(size), to)? {
        n if n == size => Ok(()),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}
