//! Running a part's operations. Everything an object's operations say is checked before the object is begun: numbers,
//! ranges, that its pieces make exactly the announced size. Then it is written as a stream and checked against its name.

use super::content::{BlobReader, ContentReader, source_id};
use super::source::{Source, Sources};
use crate::error::{Context, Error, Result};
use crate::format::ops::Op;
use crate::format::part::Part;
use osier_object::{CommitId, ContentId, FileHeader, MAX_METADATA_SIZE, ObjectName, ObjectType};
use osier_store::{ReadObjects, Transaction};
use std::path::Path;
use std::rc::Rc;

/// Longest target of a symbolic link that any system can have.
const MAX_TARGET: u64 = 4096;

/// Makes the objects of a part in a transaction. `target` is the commit the delta leads to, the only one it may hold;
/// `scratch` a folder for large data.
///
/// # Errors
/// When an operation is not allowed where it stands, names what is not there, an object does not hash to its name, or not
/// all objects are made. What was made before stays in the transaction.
pub fn execute(
    tx: &Transaction<'_>,
    part: &Part,
    objects: &[ObjectName],
    target: &CommitId,
    scratch: &Path,
) -> Result<()> {
    let sources = Sources::new(tx, scratch);
    let mut run = Run {
        tx,
        part,
        objects,
        target,
        sources: &sources,
        made: 0,
        source: None,
        open: None,
    };
    let mut ops = part.ops();
    loop {
        let start = ops.position();
        let Some(op) = ops.next(run.next_object().map(|o| o.ty))? else {
            break;
        };
        run.one(op, start, ops.position()).at(|| match op {
            Op::BsPatch { .. } => "bspatch".to_owned(),
            op => format!("opcode {}", op.name()),
        })?;
    }
    if run.open.is_some() {
        return Err(Error::malformed("delta part ends inside an object"));
    }
    if run.made != objects.len() {
        return Err(Error::malformed(format!(
            "delta part makes {} objects of {}",
            run.made,
            objects.len()
        )));
    }
    Ok(())
}

struct Run<'a, 'r> {
    tx: &'a Transaction<'r>,
    part: &'a Part,
    objects: &'a [ObjectName],
    target: &'a CommitId,
    sources: &'a Sources<'a, 'r>,
    made: usize,
    source: Option<Rc<Source>>,
    open: Option<Open>,
}

/// An object between `o` and `c`.
struct Open {
    header: FileHeader,
    size: u64,
    written: u64,
    patched: bool,
    /// Where its operations begin.
    ops: u64,
    /// The read source they begin with.
    source: Option<Rc<Source>>,
}

impl Run<'_, '_> {
    fn next_object(&self) -> Option<ObjectName> {
        self.objects.get(self.made).copied()
    }

    fn one(&mut self, op: Op, start: u64, end: u64) -> Result<()> {
        match op {
            Op::SpliceMetadata { size, offset } => self.splice_metadata(size, offset),
            Op::SpliceFile {
                mode,
                xattrs,
                size,
                offset,
            } => {
                let header = self.part.header(mode, xattrs)?;
                self.splice_file(header, size, offset)
            }
            Op::Open { mode, xattrs, size } => {
                let header = self.part.header(mode, xattrs)?;
                self.begin(header, size, end)
            }
            Op::Write { size, offset } => self.write(size, offset),
            Op::SetReadSource { offset } => {
                let id = source_id(self.part, offset)?;
                self.source = Some(self.sources.open(&id)?);
                Ok(())
            }
            Op::UnsetReadSource => {
                self.source = None;
                Ok(())
            }
            Op::Close => self.close(start),
            Op::BsPatch { offset, size } => self.patch(offset, size),
        }
    }

    /// The object to make; no other may be open.
    fn take_next(&self) -> Result<ObjectName> {
        if self.open.is_some() {
            return Err(Error::malformed("another object is open"));
        }
        self.next_object()
            .ok_or_else(|| Error::malformed("more objects than the part announces"))
    }

    fn splice_metadata(&mut self, size: u64, offset: u64) -> Result<()> {
        let name = self.take_next()?;
        self.part.check_range(offset, size)?;
        if size > MAX_METADATA_SIZE {
            return Err(Error::malformed(format!(
                "object {name} takes {size} bytes"
            )));
        }
        // A commit whose tree nobody looked at would count as whole.
        if name.ty == ObjectType::Commit && name.checksum != self.target.0 {
            return Err(Error::malformed(format!(
                "object {name} is not the commit the delta leads to"
            )));
        }
        self.made += 1;
        if self.tx.has_object(&name)? {
            return Ok(());
        }
        let mut bytes = vec![0; size as usize];
        self.part
            .read_blob(&mut bytes, offset)
            .at(|| "reading a delta part".into())?;
        self.tx
            .write_metadata(name.ty, Some(&name.checksum), &bytes)?;
        Ok(())
    }

    fn splice_file(&mut self, mut header: FileHeader, size: u64, offset: u64) -> Result<()> {
        let name = self.take_next()?;
        self.part.check_range(offset, size)?;
        self.made += 1;
        if header.is_symlink() {
            header.symlink_target = Some(self.target_of_link(size, offset)?);
        }
        if self.tx.has_object(&name)? {
            return Ok(());
        }
        let size = if header.is_symlink() { 0 } else { size };
        let mut content = BlobReader::new(self.part, offset, size);
        self.tx
            .write_content(Some(&ContentId(name.checksum)), &header, size, &mut content)?;
        Ok(())
    }

    fn target_of_link(&self, size: u64, offset: u64) -> Result<String> {
        if size > MAX_TARGET {
            return Err(Error::malformed(format!(
                "a symbolic link's target takes {size} bytes"
            )));
        }
        let mut target = vec![0; size as usize];
        self.part
            .read_blob(&mut target, offset)
            .at(|| "reading a delta part".into())?;
        match String::from_utf8(target) {
            Ok(target) if !target.contains('\0') => Ok(target),
            _ => Err(Error::malformed(
                "a symbolic link's target is no UTF-8 text",
            )),
        }
    }

    fn begin(&mut self, header: FileHeader, size: u64, ops: u64) -> Result<()> {
        let name = self.take_next()?;
        if name.ty != ObjectType::File || header.is_symlink() {
            return Err(Error::malformed(format!(
                "object {name} of mode 0{:o} is no regular file",
                header.mode
            )));
        }
        self.open = Some(Open {
            header,
            size,
            written: 0,
            patched: false,
            ops,
            source: self.source.clone(),
        });
        Ok(())
    }

    fn write(&mut self, size: u64, offset: u64) -> Result<()> {
        let open = self.open.as_mut().ok_or_else(no_object)?;
        match &self.source {
            None => self.part.check_range(offset, size)?,
            Some(source) => match offset.checked_add(size) {
                Some(end) if end <= source.size() => {}
                _ => {
                    return Err(Error::malformed(format!(
                        "Invalid offset/length {offset}/{size} in a source of {} bytes",
                        source.size()
                    )));
                }
            },
        }
        open.add(size)
    }

    fn patch(&mut self, offset: u64, size: u64) -> Result<()> {
        let open = self.open.as_mut().ok_or_else(no_object)?;
        if self.source.is_none() {
            return Err(Error::malformed("no read source is set"));
        }
        self.part.check_range(offset, size)?;
        // The patch makes the whole object.
        if open.written > 0 || open.patched {
            return Err(Error::malformed("the object has content already"));
        }
        open.patched = true;
        open.add(open.size)
    }

    fn close(&mut self, end: u64) -> Result<()> {
        let open = self.open.take().ok_or_else(no_object)?;
        self.source = None;
        if open.written != open.size {
            return Err(Error::malformed(format!(
                "the object has {} bytes of {}",
                open.written, open.size
            )));
        }
        let name = self.take_next()?;
        self.made += 1;
        if self.tx.has_object(&name)? {
            return Ok(());
        }
        let ops = self.part.ops_between(open.ops, end);
        let mut content = ContentReader::new(self.part, self.sources, ops, open.source, open.size);
        self.tx.write_content(
            Some(&ContentId(name.checksum)),
            &open.header,
            open.size,
            &mut content,
        )?;
        Ok(())
    }
}

impl Open {
    fn add(&mut self, size: u64) -> Result<()> {
        match self.written.checked_add(size) {
            Some(written) if written <= self.size => {
                self.written = written;
                Ok(())
            }
            _ => Err(Error::malformed(format!(
                "the object gets more than its {} bytes",
                self.size
            ))),
        }
    }
}

fn no_object() -> Error {
    Error::malformed("no object is open")
}
