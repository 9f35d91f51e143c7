//! Files of the repository that a part copies from.

use crate::bsdiff::OldFile;
use crate::error::{Context, Error, Result};
use crate::spool::{Bytes, Spool};
use osier_object::{ContentId, ObjectType};
use osier_store::{Body, ReadObjects, Transaction};
use std::cell::RefCell;
use std::io;
use std::path::Path;
use std::rc::Rc;

/// An opened file object that is read at random.
#[derive(Debug)]
pub(super) struct Source {
    id: ContentId,
    bytes: Bytes,
}

impl Source {
    pub(super) fn size(&self) -> u64 {
        self.bytes.len()
    }
}

/// Opens sources, and keeps the last one: a part names the same file many times in a row.
#[derive(Debug)]
pub(super) struct Sources<'a, 'r> {
    tx: &'a Transaction<'r>,
    scratch: &'a Path,
    last: RefCell<Option<Rc<Source>>>,
}

impl<'a, 'r> Sources<'a, 'r> {
    pub(super) fn new(tx: &'a Transaction<'r>, scratch: &'a Path) -> Self {
        Sources {
            tx,
            scratch,
            last: RefCell::new(None),
        }
    }

    /// Opens a file in this transaction, the repository or its parents. What it hashes to is not checked: the object
    /// made from it is.
    pub(super) fn open(&self, id: &ContentId) -> Result<Rc<Source>> {
        if let Some(last) = &*self.last.borrow()
            && last.id == *id
        {
            return Ok(last.clone());
        }
        let content = self.tx.open_content(id)?;
        let reading = || format!("reading object {}.{}", id, ObjectType::File);
        let bytes = match content.body {
            Body::None => {
                return Err(Error::malformed(format!(
                    "object {id}.file is a symbolic link and no source to read from"
                )));
            }
            Body::File(file) => Bytes::File(file, content.size),
            // Packed content cannot be read at random.
            Body::Deflate(_) => {
                let mut spool = Spool::new(self.scratch, content.size);
                io::copy(&mut content.into_reader(), &mut spool).at(reading)?;
                spool.finish().at(reading)?
            }
        };
        let source = Rc::new(Source { id: *id, bytes });
        *self.last.borrow_mut() = Some(source.clone());
        Ok(source)
    }
}

impl OldFile for Rc<Source> {
    fn size(&self) -> u64 {
        self.bytes.len()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.bytes
            .read_exact_at(buf, offset)
            .map_err(|e| match e.kind() {
                io::ErrorKind::UnexpectedEof => io::Error::new(
                    e.kind(),
                    format!("Unexpected EOF reading object {}", self.id),
                ),
                _ => e,
            })
    }
}
