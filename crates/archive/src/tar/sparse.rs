//! Files with holes, in the four ways that GNU tar has written them.

use super::header::BLOCK;
use super::number::{decimal, number};
use crate::entry::Chunk;
use crate::error::{Error, Result};
use crate::input::Input;

/// Most stretches that a map may have: each takes memory.
const MAX_CHUNKS: usize = 1024 * 1024;

/// What is known of a sparse file before its content is read.
#[derive(Default)]
pub(super) struct Map {
    version: (i64, i64),
    /// The file's path; the header has one made up for programs that do not know sparse files.
    pub(super) name: Option<Vec<u8>>,
    /// The file's size with its holes.
    pub(super) size: Option<i64>,
    offset: Option<i64>,
    chunks: Vec<Chunk>,
    mapped: bool,
}

impl Map {
    /// Takes a pax record, if it is one of these.
    pub(super) fn set(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        let n = decimal(value);
        match key {
            b"GNU.sparse.major" => self.version.0 = n,
            b"GNU.sparse.minor" => self.version.1 = n,
            b"GNU.sparse.name" => self.name = Some(super::header::text(value).to_vec()),
            b"GNU.sparse.size" | b"GNU.sparse.realsize" | b"SCHILY.realsize" => self.size = Some(n),
            b"GNU.sparse.offset" => self.offset = Some(n),
            b"GNU.sparse.numbytes" => {
                let offset = self.offset.take().ok_or_else(malformed)?;
                self.push(offset, n)?;
            }
            b"GNU.sparse.map" => {
                let mut numbers = value.split(|b| *b == b',');
                while let (Some(offset), Some(len)) = (numbers.next(), numbers.next()) {
                    self.push(decimal(offset), decimal(len))?;
                }
            }
            b"SUN.holesdata" => {
                return Err(Error::damaged("sparse files of Sun's tar are not read"));
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes one stretch; they must come in order.
    fn push(&mut self, offset: i64, len: i64) -> Result<()> {
        self.mapped = true;
        let (Ok(offset), Ok(len)) = (u64::try_from(offset), u64::try_from(len)) else {
            return Err(malformed());
        };
        let end = offset
            .checked_add(len)
            .filter(|end| *end <= i64::MAX as u64);
        let before = self.chunks.last().map_or(0, |c| c.offset + c.len);
        if end.is_none() || offset < before {
            return Err(malformed());
        }
        if self.chunks.len() == MAX_CHUNKS {
            return Err(Error::damaged(format!(
                "sparse map of more than {MAX_CHUNKS} stretches"
            )));
        }
        if len > 0 {
            self.chunks.push(Chunk { offset, len });
        }
        Ok(())
    }

    /// Reads the map of the old GNU format: four stretches in the header, more in the blocks behind it.
    pub(super) fn read_old(
        &mut self,
        input: &mut Input,
        (map, more, size): (&[u8], bool, i64),
    ) -> Result<()> {
        self.size = Some(size);
        self.mapped = true;
        self.push_old(map)?;
        let mut more = more;
        while more {
            let mut block = [0; BLOCK];
            if input.read_full(&mut block)? < BLOCK {
                return Err(Error::Truncated {
                    format: "tar",
                    what: "sparse header data",
                });
            }
            self.push_old(&block[..504])?;
            more = block[504] != 0;
        }
        Ok(())
    }

    fn push_old(&mut self, map: &[u8]) -> Result<()> {
        for pair in map.chunks_exact(24) {
            if pair[0] == 0 {
                break;
            }
            self.push(number(&pair[..12]), number(&pair[12..]))?;
        }
        Ok(())
    }

    /// Reads the map that the newest format has in front of the content: lines with the number of stretches, then
    /// offset and length of each, filled up to whole blocks. `stored` becomes what is left of the body.
    pub(super) fn read_new(&mut self, input: &mut Input, stored: &mut u64) -> Result<()> {
        if self.version != (1, 0) {
            return Ok(());
        }
        let before = *stored;
        let count = line(input, stored)?;
        self.mapped = true;
        for _ in 0..count {
            let offset = line(input, stored)?;
            let len = line(input, stored)?;
            self.push(offset, len)?;
        }
        let used = before - *stored;
        let fill = used.next_multiple_of(BLOCK as u64) - used;
        if fill > *stored || input.skip(fill)? < fill {
            return Err(malformed());
        }
        *stored -= fill;
        Ok(())
    }

    /// Size of the file and its stretches, of which the archive has `stored` bytes.
    pub(super) fn finish(self, stored: u64) -> Result<(u64, Vec<Chunk>)> {
        let size = match self.size {
            Some(size) => u64::try_from(size).map_err(|_| malformed())?,
            None => stored,
        };
        if !self.mapped {
            let len = stored.min(size);
            return Ok((size, vec![Chunk { offset: 0, len }]));
        }
        let fits = self.chunks.last().is_none_or(|c| c.offset + c.len <= size);
        let mapped: u64 = self.chunks.iter().map(|c| c.len).sum();
        match fits && mapped >= stored {
            true => Ok((size, self.chunks)),
            false => Err(malformed()),
        }
    }
}

/// A decimal number on a line of its own.
fn line(input: &mut Input, stored: &mut u64) -> Result<i64> {
    let head = input.peek((*stored).min(32) as usize)?;
    let Some(end) = head.iter().position(|b| *b == b'\n') else {
        return Err(malformed());
    };
    let digits = &head[..end];
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(malformed());
    }
    let n = decimal(digits);
    std::io::BufRead::consume(input, end + 1);
    *stored -= end as u64 + 1;
    Ok(n)
}

fn malformed() -> Error {
    Error::damaged("Malformed sparse map data")
}
