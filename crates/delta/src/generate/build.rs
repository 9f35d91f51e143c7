//! Filling parts, one after another.

use super::plan::{Derived, File};
use super::rollsum::Match;
use crate::error::{Context, Result};
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
    pub(super) fn finish(&mut self) -> Result<Filled> {
        let fresh = Builder::new(self.max, &self.scratch);
        let full = std::mem::replace(self, fresh);
        Ok(Filled {
            dictionaries: full.dictionaries,
            blob: full.blob.finish().at(|| "writing a delta part".into())?,
            ops: full.ops,
            objects: full.objects,
            unpacked: full.unpacked,
        })
    }

    /// Whether the next object, with so many plain bytes, belongs into another part.
    pub(super) fn is_full(&self, next: u64) -> bool {
        let size = self.blob.len() + self.ops.len() as u64 + self.dictionaries.size();
        !self.objects.is_empty() && size.saturating_add(next) > self.max
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
            None => io::copy(content, &mut self.blob)
                .at(|| format!("reading object {}.file", file.id))?,
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
    pub(super) fn add_patched(&mut self, derived: &Derived, patch: &[u8]) -> Result<()> {
        let source = self.append_source(&derived.source)?;
        self.push(Op::SetReadSource { offset: source });
        self.open(&derived.file);
        let offset = self.append(patch)?;
        self.push(Op::BsPatch {
            offset,
            size: patch.len() as u64,
        });
        self.push(Op::Close);
        self.push(Op::UnsetReadSource);
        let file = &derived.file;
        self.made(ObjectName::new(file.id, ObjectType::File), file.size);
        Ok(())
    }

    /// A file of which pieces are copied. The matches ascend and do not overlap.
    pub(super) fn add_copied(
        &mut self,
        derived: &Derived,
        content: &[u8],
        matches: &[Match],
    ) -> Result<()> {
        let source = self.append_source(&derived.source)?;
        self.open(&derived.file);
        let mut at = 0;
        let mut set = false;
        for m in matches {
            if m.new > at {
                if set {
                    self.push(Op::UnsetReadSource);
                    set = false;
                }
                self.literal(&content[at as usize..m.new as usize])?;
            }
            if !set {
                self.push(Op::SetReadSource { offset: source });
                set = true;
            }
            self.push(Op::Write {
                size: m.size,
                offset: m.old,
            });
            at = m.new + m.size;
        }
        self.push(Op::UnsetReadSource);
        if (at as usize) < content.len() {
            self.literal(&content[at as usize..])?;
        }
        self.push(Op::Close);
        let file = &derived.file;
        self.made(ObjectName::new(file.id, ObjectType::File), file.size);
        Ok(())
    }

    fn literal(&mut self, bytes: &[u8]) -> Result<()> {
        let offset = self.append(bytes)?;
        self.push(Op::Write {
            size: bytes.len() as u64,
            offset,
        });
        Ok(())
    }
}
