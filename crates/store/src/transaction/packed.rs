//! Keeping the `.filez` of another archive as it came, where this repository is an archive too.
//!
//! How hard content was compressed is no part of an object, so the bytes that were fetched are as good as any that we
//! could make of them, and compressing is by far the dearest step of mirroring.

use super::free_space::Room;
use super::known_name::{check_expected, finish};
use super::new_file::NewFile;
use super::{Counters, Transaction};
use crate::content::{WHOLE_FILE_MAX, read_archive_header};
use crate::error::{Error, IoContext, Result};
use crate::read::invalid;
use flate2::{Decompress, FlushDecompress, Status};
use osier_object::{ContentId, FileHeader, ObjectType};
use rustix::fs::Mode;
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::io::{Read, Write};
use std::os::fd::AsFd;

const CHUNK: usize = 256 * 1024;

thread_local! {
    static UNPACKED: RefCell<(Option<Decompress>, Vec<u8>)> = RefCell::default();
}

impl Transaction<'_> {
    /// Stores what an archive serves as it is, without looking at it: for whoever asked not to have it checked. This
    /// repository must be an archive.
    ///
    /// # Errors
    /// [`Error::NotAllowed`] in other modes; an I/O error of either side; [`Error::MinFreeSpace`].
    pub fn write_archive_unchecked(&self, id: &ContentId, stream: &mut dyn Read) -> Result<()> {
        if !self.repo.mode().is_archive() {
            let mode = self.repo.mode();
            return Err(Error::NotAllowed(format!(
                "content must be checked in mode {mode}"
            )));
        }
        Counters::add(&self.counters.content_total, 1);
        let path = self.content_name(id);
        let mut room = self.take_space(0)?;
        let mut tmp = self.new_file(&path)?;
        let mut buffer = vec![0; CHUNK];
        loop {
            let n = match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e).at(|| format!("reading object {path}")),
            };
            room.add(self.take_space(n as u64)?);
            tmp.file
                .write_all(&buffer[..n])
                .at(|| format!("writing object {path}"))?;
        }
        self.finish_packed(tmp, &path, 0, room)
    }

    /// Checks what an archive serves and stores it as it is. False when it is not as a writer would make it (odd
    /// padding, bytes behind its end) or is not small: then it must be made anew.
    pub(super) fn keep_packed(&self, expected: &ContentId, stored: &[u8]) -> Result<bool> {
        let bad = |cause: &dyn std::fmt::Display| invalid(ObjectType::File, &expected.0, cause);
        let mut rest = stored;
        let (header, size) =
            read_archive_header(&mut rest, stored.len() as u64).map_err(|e| bad(&e))?;
        let framing = &stored[..stored.len() - rest.len()];
        if header.is_symlink()
            || size > WHOLE_FILE_MAX
            || *framing != header.archive_framing(size)[..]
        {
            return Ok(false);
        }
        let id = UNPACKED.with_borrow_mut(|(inflate, whole)| {
            let inflate = inflate.get_or_insert_with(|| Decompress::new(false));
            inflate.reset(false);
            whole.clear();
            // Grows with what comes, and never beyond what the header claims.
            whole.reserve((size as usize).min(rest.len().saturating_mul(1032)).max(1));
            let status = inflate
                .decompress_vec(rest, whole, FlushDecompress::Finish)
                .map_err(|e| bad(&e))?;
            if status != Status::StreamEnd
                || inflate.total_in() != rest.len() as u64
                || whole.len() as u64 != size
            {
                return Ok(None);
            }
            let mut hasher = Sha256::new_with_prefix(header.hash_framing());
            hasher.update(&whole[..]);
            Ok(Some(finish(hasher)))
        })?;
        let Some(id) = id else { return Ok(false) };
        check_expected(Some(expected), id)?;
        Counters::add(&self.counters.content_total, 1);
        self.check_storable(&header, Some(expected))?;
        let path = self.content_name(&id);
        let room = self.take_space(stored.len() as u64)?;
        let mut tmp = self.new_file(&path)?;
        tmp.file
            .write_all(stored)
            .at(|| format!("writing object {path}"))?;
        self.finish_packed(tmp, &path, size, room)?;
        Ok(true)
    }

    /// As [`Transaction::keep_packed`], of what is not in memory: its framing, which is as a writer makes it, was read, and
    /// `stream` holds the rest. Bytes behind the end of the compressed data are left out.
    pub(super) fn keep_packed_stream(
        &self,
        expected: &ContentId,
        header: &FileHeader,
        size: u64,
        stream: &mut dyn Read,
    ) -> Result<ContentId> {
        let bad = |cause: &dyn std::fmt::Display| invalid(ObjectType::File, &expected.0, cause);
        Counters::add(&self.counters.content_total, 1);
        self.check_storable(header, Some(expected))?;
        let path = self.content_name(expected);
        let framing = header.archive_framing(size);
        let mut room = self.take_space(framing.len() as u64)?;
        let mut tmp = self.new_file(&path)?;
        let writing = || format!("writing object {path}");
        tmp.file.write_all(&framing).at(writing)?;
        let mut hasher = Sha256::new_with_prefix(header.hash_framing());
        let mut inflate = Decompress::new(false);
        let (mut input, mut output) = (vec![0; CHUNK], vec![0; CHUNK]);
        let mut left = size;
        let mut ended = false;
        while !ended {
            let filled = match stream.read(&mut input) {
                Ok(0) => return Err(bad(&"the compressed data ends early")),
                Ok(n) => n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(bad(&e)),
            };
            let mut at = 0;
            loop {
                let (before_in, before_out) = (inflate.total_in(), inflate.total_out());
                let status = inflate
                    .decompress(&input[at..filled], &mut output, FlushDecompress::None)
                    .map_err(|e| bad(&e))?;
                at += (inflate.total_in() - before_in) as usize;
                let made = (inflate.total_out() - before_out) as usize;
                left = left
                    .checked_sub(made as u64)
                    .ok_or_else(|| bad(&format!("it unpacks to more than {size} bytes")))?;
                hasher.update(&output[..made]);
                ended = status == Status::StreamEnd;
                // A full buffer may leave more inside.
                if ended || (at == filled && made < output.len()) {
                    break;
                }
                if status == Status::BufError && made == 0 {
                    return Err(bad(&"the compressed data is damaged"));
                }
            }
            room.add(self.take_space(at as u64)?);
            tmp.file.write_all(&input[..at]).at(writing)?;
        }
        if left != 0 {
            return Err(bad(&format!(
                "it unpacks to {} bytes, its header says {size}",
                size - left
            )));
        }
        check_expected(Some(expected), finish(hasher))?;
        self.finish_packed(tmp, &path, size, room)?;
        Ok(*expected)
    }

    fn finish_packed(&self, tmp: NewFile<'_>, path: &str, size: u64, room: Room<'_>) -> Result<()> {
        rustix::fs::fchmod(tmp.file.as_fd(), Mode::from_raw_mode(0o644))
            .at(|| format!("fchmod of object {path}"))?;
        if self.fsync && self.per_object_fsync {
            tmp.file
                .sync_all()
                .at(|| format!("fsync of object {path}"))?;
        }
        if self.link_into_place(tmp, path, false)? {
            Counters::add(&self.counters.content_written, 1);
            Counters::add(&self.counters.content_bytes_written, size);
            room.keep();
        }
        Ok(())
    }
}
