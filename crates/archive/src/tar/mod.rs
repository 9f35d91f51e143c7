//! Tar: 512-byte headers, each followed by its content.

mod acl;
mod header;
mod number;
mod pax;
mod sparse;

use crate::MAX_NAME;
use crate::entry::{BodyState, Entry, Kind};
use crate::error::{Error, Result};
use crate::input::Input;
use header::{BLOCK, Dialect, Header};
use pax::{Attributes, Scope};
use std::io::BufRead;

const FORMAT: &str = "tar";

/// Largest size that is believed.
const MAX_SIZE: i64 = i64::MAX - 2 * BLOCK as i64;

/// Whether bytes begin as a tar archive does: with a header, or with the zeros that end it.
pub(crate) fn is_tar(head: &[u8]) -> bool {
    let Some(block) = head.first_chunk::<BLOCK>() else {
        return false;
    };
    block.iter().all(|b| *b == 0) || Header::new(block).is_some()
}

/// State that outlives an entry.
pub(crate) struct Tar {
    /// Whether an extended header was seen and no GNU or old header since: hard links may have content then.
    pax: bool,
}

/// What stands in front of an entry and speaks of it.
#[derive(Default)]
struct Prelude {
    attributes: Attributes,
    seen_entry: bool,
    seen_global: bool,
    /// Anything at all.
    any: bool,
}

impl Tar {
    pub(crate) fn new() -> Tar {
        Tar { pax: false }
    }

    pub(crate) fn next(&mut self, input: &mut Input) -> Result<Option<(Entry, BodyState)>> {
        let mut prelude = Prelude::default();
        loop {
            let head = input.peek(BLOCK)?;
            if head.is_empty() {
                return match prelude.any {
                    true => Err(Error::damaged(
                        "Damaged tar archive (end-of-archive within a sequence of headers)",
                    )),
                    // Archives that lack their end mark are in use.
                    false => Ok(None),
                };
            }
            let Some(block) = head.first_chunk::<BLOCK>() else {
                return Err(Error::Truncated {
                    format: FORMAT,
                    what: "next header",
                });
            };
            if block.iter().all(|b| *b == 0) {
                return Ok(None);
            }
            let block = *block;
            let Some(header) = Header::new(&block) else {
                return Err(Error::damaged("Damaged tar archive (bad header checksum)"));
            };
            input.consume(BLOCK);
            if !self.prelude(input, &header, &mut prelude)? {
                return self.entry(input, &header, prelude.attributes).map(Some);
            }
            prelude.any = true;
        }
    }

    /// Takes a header that only says something about others; `false` if it is an entry's.
    fn prelude(
        &mut self,
        input: &mut Input,
        header: &Header,
        prelude: &mut Prelude,
    ) -> Result<bool> {
        let scope = match header.typeflag() {
            // Sun's name for the same.
            b'x' | b'X' => Scope::Entry,
            b'g' => Scope::Global,
            b'L' | b'K' => {
                let size = size_of(header.size())?;
                let text = long_text(input, size)?;
                pad(input, size)?;
                let place = match header.typeflag() {
                    b'L' => &mut prelude.attributes.path,
                    _ => &mut prelude.attributes.link,
                };
                if !text.is_empty() {
                    *place = Some(text);
                }
                return Ok(true);
            }
            // A volume's label; a list for Solaris.
            b'V' | b'A' => {
                let size = size_of(header.size())?;
                skip(input, size)?;
                pad(input, size)?;
                return Ok(true);
            }
            _ => return Ok(false),
        };
        let (seen, name) = match scope {
            Scope::Entry => (&mut prelude.seen_entry, 'x'),
            Scope::Global => (&mut prelude.seen_global, 'g'),
        };
        if std::mem::replace(seen, true) {
            return Err(Error::damaged(format!("Redundant '{name}' header")));
        }
        self.pax = true;
        let size = size_of(header.size())?;
        if size == 0 {
            let global = if scope == Scope::Global {
                "global "
            } else {
                ""
            };
            return Err(Error::damaged(format!(
                "Invalid empty pax {global}extended header"
            )));
        }
        prelude.attributes.read(input, size, scope)?;
        pad(input, size)?;
        Ok(true)
    }

    fn entry(
        &mut self,
        input: &mut Input,
        header: &Header,
        attributes: Attributes,
    ) -> Result<(Entry, BodyState)> {
        if header.dialect() != Dialect::Ustar {
            self.pax = false;
        }
        let size = match attributes.size {
            Some(size) if size < 0 => return Err(Error::damaged("Tar size attribute overflow")),
            Some(size) => size,
            None => header.size(),
        };
        let mut stored = size_of(size)?;
        let mut map = attributes.sparse;
        let path = map
            .name
            .take()
            .or(attributes.path)
            .unwrap_or_else(|| header.path());
        let link = || {
            attributes
                .link
                .clone()
                .unwrap_or_else(|| header.link().to_vec())
        };
        let kind = match header.typeflag() {
            b'1' => Kind::Hardlink(link()),
            b'2' => Kind::Symlink(link()),
            b'3' | b'4' | b'6' | b'M' => Kind::Other,
            b'5' | b'D' => Kind::Directory,
            // Old programs told a directory by the slash alone.
            _ if path.ends_with(b"/") => Kind::Directory,
            _ => Kind::File,
        };
        if header.typeflag() == b'S' {
            map.read_old(input, header.gnu_sparse())?;
        }
        let has_body = match (&kind, header.typeflag()) {
            (Kind::File, _) | (_, b'D' | b'M') => true,
            // Only POSIX's interchange format has hard links with content; in others the size means nothing.
            (Kind::Hardlink(_), _) => self.pax,
            _ => false,
        };
        if !has_body {
            stored = 0;
        }
        let padding = fill(stored);
        let body = match kind {
            Kind::File | Kind::Hardlink(_) if stored > 0 || map.size.is_some() => {
                map.read_new(input, &mut stored)?;
                let (size, chunks) = map.finish(stored)?;
                BodyState::sparse(FORMAT, stored, padding, size, chunks)
            }
            _ => BodyState::ignored(FORMAT, stored, padding),
        };
        let mode = match &attributes.acl {
            Some(list) => acl::mode(header.mode(), list),
            None => header.mode(),
        };
        let entry = Entry {
            path,
            kind,
            mode,
            uid: number::id(attributes.uid.unwrap_or_else(|| header.uid())),
            gid: number::id(attributes.gid.unwrap_or_else(|| header.gid())),
            size: body.size(),
            xattrs: attributes.xattrs,
        };
        Ok((entry, body))
    }
}

fn size_of(size: i64) -> Result<u64> {
    match u64::try_from(size) {
        Err(_) => Err(Error::damaged("Tar entry has negative file size")),
        Ok(_) if size > MAX_SIZE => Err(Error::damaged("Tar entry size overflow")),
        Ok(size) => Ok(size),
    }
}

/// Reads a name or target that is too long for a header.
fn long_text(input: &mut Input, size: u64) -> Result<Vec<u8>> {
    // One byte more for the NUL at the end.
    if size > MAX_NAME + 1 {
        return Err(Error::damaged(format!(
            "path or link target of {size} bytes is too long"
        )));
    }
    let mut text = vec![0; size as usize];
    if input.read_full(&mut text)? < text.len() {
        return Err(Error::Truncated {
            format: FORMAT,
            what: "long name",
        });
    }
    text.truncate(header::text(&text).len());
    Ok(text)
}

/// What fills `size` bytes up to whole blocks.
fn fill(size: u64) -> u64 {
    size.next_multiple_of(BLOCK as u64) - size
}

fn pad(input: &mut Input, size: u64) -> Result<()> {
    skip(input, fill(size))
}

fn skip(input: &mut Input, n: u64) -> Result<()> {
    match input.skip(n)? < n {
        true => Err(Error::Truncated {
            format: FORMAT,
            what: "data",
        }),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests;
