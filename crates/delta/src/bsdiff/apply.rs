//! Applying a patch as a stream: the new file comes out piece by piece, nothing is held but one buffer.

use super::{MAX_LENGTH, STEP, number};
use std::io::{self, Read};

/// The file a patch starts from.
pub trait OldFile {
    /// Its length.
    fn size(&self) -> u64;
    /// Fills `buf` from `offset` on; the range is inside the file.
    ///
    /// # Errors
    /// When reading fails.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()>;
}

impl OldFile for &[u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let there = usize::try_from(offset)
            .ok()
            .and_then(|from| self.get(from..)?.get(..buf.len()));
        buf.copy_from_slice(there.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// The new file, as a reader.
#[derive(Debug)]
pub struct PatchReader<O, P> {
    old: O,
    patch: P,
    /// Bytes of the new file still to come.
    left: u64,
    /// Place in the old file; may lie outside it.
    at: i64,
    /// What is left of the current step.
    diff: u64,
    extra: u64,
    seek: i64,
    scratch: Vec<u8>,
}

impl<O: OldFile, P: Read> PatchReader<O, P> {
    /// A reader of the `new_size` bytes that `patch` makes of `old`. It ends there, whatever else is in the patch.
    pub fn new(old: O, patch: P, new_size: u64) -> Self {
        PatchReader {
            old,
            patch,
            left: new_size,
            at: 0,
            diff: 0,
            extra: 0,
            seek: 0,
            scratch: Vec::new(),
        }
    }

    fn next_step(&mut self) -> io::Result<()> {
        self.at = (self.at.checked_add(self.seek)).ok_or_else(|| failed("seeks too far"))?;
        let mut raw = [0u8; STEP];
        self.patch
            .read_exact(&mut raw)
            .map_err(|e| failed(&format!("ends early: {e}")))?;
        let [diff, extra, seek] = [0, 8, 16].map(|at| {
            let mut n = [0u8; 8];
            n.copy_from_slice(&raw[at..at + 8]);
            number(n)
        });
        if !(0..=MAX_LENGTH).contains(&diff)
            || !(0..=MAX_LENGTH).contains(&extra)
            || (diff + extra) as u64 > self.left
        {
            return Err(failed("makes more than the new file"));
        }
        (self.diff, self.extra, self.seek) = (diff as u64, extra as u64, seek);
        Ok(())
    }

    /// Adds the old file's bytes at the current place; those outside it count as 0.
    fn add_old(&mut self, buf: &mut [u8]) -> io::Result<()> {
        let size = self.old.size();
        let wanted = buf.len() as i64;
        let end = (self.at.checked_add(wanted)).ok_or_else(|| failed("seeks too far"))?;
        let from = self.at.max(0);
        let to = end.min(i64::try_from(size).unwrap_or(i64::MAX));
        if from < to {
            self.scratch.resize((to - from) as usize, 0);
            self.old.read_at(&mut self.scratch, from as u64)?;
            let skip = (from - self.at) as usize;
            for (new, old) in buf[skip..].iter_mut().zip(&self.scratch) {
                *new = new.wrapping_add(*old);
            }
        }
        self.at = end;
        Ok(())
    }
}

fn failed(why: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("bsdiff patch failed: it {why}"),
    )
}

impl<O: OldFile, P: Read> Read for PatchReader<O, P> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 || buf.is_empty() {
            return Ok(0);
        }
        // Steps of no length use up the patch, so this ends.
        while self.diff == 0 && self.extra == 0 {
            self.next_step()?;
        }
        let in_diff = self.diff > 0;
        let part = if in_diff { self.diff } else { self.extra };
        let n = buf.len().min(64 * 1024).min(part as usize);
        let buf = &mut buf[..n];
        self.patch
            .read_exact(buf)
            .map_err(|e| failed(&format!("ends early: {e}")))?;
        if in_diff {
            self.add_old(buf)?;
            self.diff -= n as u64;
        } else {
            self.extra -= n as u64;
        }
        self.left -= n as u64;
        Ok(n)
    }
}
