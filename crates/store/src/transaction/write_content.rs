//! Writing content objects in the form each mode keeps them.

use super::free_space::Room;
use super::known_name::{Name, check_expected, finish};
use super::new_file::NewFile;
use super::payload::Hashing;
use super::{Counters, Transaction, pack};
use crate::content::{WHOLE_FILE_MAX, read_archive_header};
use crate::error::{Error, IoContext, Result};
use crate::mode::RepoMode;
use crate::read::{invalid, read_known};
use crate::replace_file::temp_name;
use osier_object::{Checksum, ContentId, FileHeader, ObjectType};
use rustix::fs::{AtFlags, FileType, RenameFlags};
use rustix::io::Errno;
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, Write};

thread_local! {
    /// One buffer a thread for whole small files.
    static WHOLE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

const CHUNK: usize = 256 * 1024;

impl Transaction<'_> {
    /// Writes a file (`size` bytes from `content`) or symbolic link (size 0) and gives its checksum. An object that is
    /// there already is not written again.
    ///
    /// # Errors
    /// [`Error::ChecksumMismatch`] when it should hash to `expected` and does not; [`Error::NotAllowed`] when the mode
    /// cannot hold it; an I/O error when `content` is not exactly `size` bytes long.
    pub fn write_content(
        &self,
        expected: Option<&ContentId>,
        header: &FileHeader,
        size: u64,
        content: &mut dyn Read,
    ) -> Result<ContentId> {
        self.write_named(expected.into(), header, size, content)
    }

    /// As [`Transaction::write_content`], of an object that another repository keeps under this name, without hashing it:
    /// for sources that are trusted or were checked.
    pub fn write_trusted_content(
        &self,
        id: &ContentId,
        header: &FileHeader,
        size: u64,
        content: &mut dyn Read,
    ) -> Result<()> {
        self.write_named(Name::Trusted(id), header, size, content)
            .map(drop)
    }

    fn write_named(
        &self,
        name: Name<'_>,
        header: &FileHeader,
        size: u64,
        content: &mut dyn Read,
    ) -> Result<ContentId> {
        Counters::add(&self.counters.content_total, 1);
        self.check_storable(header, name.known())?;
        if header.is_symlink() {
            return self.write_link(name.known(), header);
        }
        if size > WHOLE_FILE_MAX {
            return self.write_streamed(name, header, size, content);
        }
        WHOLE.with_borrow_mut(|whole| {
            whole.clear();
            // Grows with what really comes: the size may be somebody else's claim.
            content
                .take(size + 1)
                .read_to_end(whole)
                .at(|| "reading content".into())?;
            if whole.len() as u64 != size {
                return Err(Error::other(format!(
                    "content changed while it was read: {size} bytes announced, {} or more found",
                    whole.len()
                )));
            }
            self.write_whole(name, header, whole)
        })
    }

    /// As [`Transaction::write_content`], of a file on disk. A large one is hashed before it is compressed: where it is
    /// stored already, compressing it would be the greater part of the work.
    pub fn write_content_file(
        &self,
        header: &FileHeader,
        size: u64,
        file: &mut File,
    ) -> Result<ContentId> {
        if size > WHOLE_FILE_MAX && self.repo.mode().is_archive() {
            let mut hasher = Sha256::new_with_prefix(header.hash_framing());
            copy_hashing(file, size, Some(&mut hasher), &mut io::sink())?;
            let id = finish(hasher);
            if self.is_stored_at(&self.content_name(&id))? {
                Counters::add(&self.counters.content_total, 1);
                return Ok(id);
            }
            file.rewind().at(|| "reading content".into())?;
        }
        if size > WHOLE_FILE_MAX {
            return self.write_content(None, header, size, file);
        }
        Counters::add(&self.counters.content_total, 1);
        self.check_storable(header, None)?;
        WHOLE.with_borrow_mut(|whole| {
            read_known(file, size, WHOLE_FILE_MAX, whole).at(|| "reading content".into())?;
            if whole.len() as u64 != size {
                return Err(Error::other(format!(
                    "content changed while it was read: {size} bytes announced, {} found",
                    whole.len()
                )));
            }
            self.write_whole(Name::New, header, whole)
        })
    }

    /// Writes a file whose content is in memory.
    pub fn write_content_bytes(
        &self,
        expected: Option<&ContentId>,
        header: &FileHeader,
        content: &[u8],
    ) -> Result<ContentId> {
        self.write_named_bytes(expected.into(), header, content)
    }

    /// As [`Transaction::write_trusted_content`], of a file whose content is in memory, and which is not stored yet.
    pub fn write_trusted_bytes(
        &self,
        id: &ContentId,
        header: &FileHeader,
        content: &[u8],
    ) -> Result<()> {
        self.write_named_bytes(Name::Trusted(id), header, content)
            .map(drop)
    }

    fn write_named_bytes(
        &self,
        name: Name<'_>,
        header: &FileHeader,
        content: &[u8],
    ) -> Result<ContentId> {
        Counters::add(&self.counters.content_total, 1);
        self.check_storable(header, name.known())?;
        if header.is_symlink() {
            return self.write_link(name.known(), header);
        }
        self.write_whole(name, header, content)
    }

    /// Writes what an archive repository serves as `.filez`, checking that it hashes to `expected`. `stored` bounds the
    /// bytes of the stream.
    ///
    /// # Errors
    /// [`Error::ChecksumMismatch`], or [`Error::Invalid`] when it cannot be decoded.
    pub fn write_archive_stream(
        &self,
        expected: &ContentId,
        stored: u64,
        stream: &mut dyn Read,
    ) -> Result<ContentId> {
        let mut framing = Framing {
            stream,
            seen: Vec::new(),
        };
        let (header, size) = read_archive_header(&mut framing, stored)
            .map_err(|e| invalid(ObjectType::File, &expected.0, e))?;
        if header.is_symlink() {
            return self.write_content(Some(expected), &header, 0, &mut io::empty());
        }
        let Framing { stream, seen } = framing;
        if self.repo.mode().is_archive() && seen == header.archive_framing(size) {
            return self.keep_packed_stream(expected, &header, size, stream);
        }
        let mut inflate = flate2::read::DeflateDecoder::new(stream);
        // A damaged stream is the object's fault, not the disk's.
        self.write_content(Some(expected), &header, size, &mut inflate)
            .map_err(|e| match e {
                Error::Io { source, action } if action == "reading content" => {
                    invalid(ObjectType::File, &expected.0, source)
                }
                Error::Other(cause) => invalid(ObjectType::File, &expected.0, cause),
                other => other,
            })
    }

    /// As [`Transaction::write_archive_stream`], of an object that is in memory as a whole.
    pub fn write_archive_bytes(&self, expected: &ContentId, stored: &[u8]) -> Result<ContentId> {
        if self.repo.mode().is_archive() && self.keep_packed(expected, stored)? {
            return Ok(*expected);
        }
        let mut rest = stored;
        let (header, size) = read_archive_header(&mut rest, stored.len() as u64)
            .map_err(|e| invalid(ObjectType::File, &expected.0, e))?;
        if header.is_symlink()
            || size > WHOLE_FILE_MAX
            || size > (rest.len() as u64).saturating_mul(1032)
        {
            let mut all = stored;
            return self.write_archive_stream(expected, stored.len() as u64, &mut all);
        }
        Counters::add(&self.counters.content_total, 1);
        self.check_storable(&header, Some(expected))?;
        WHOLE.with_borrow_mut(|whole| {
            crate::content::inflate_whole(rest, size as usize, whole)
                .map_err(|e| invalid(ObjectType::File, &expected.0, e))?;
            self.write_whole(Name::Checked(expected), &header, whole)
        })
    }

    fn write_whole(&self, name: Name<'_>, header: &FileHeader, whole: &[u8]) -> Result<ContentId> {
        let mut hasher = name.hasher(header);
        if let Some(hasher) = &mut hasher {
            hasher.update(whole);
        }
        let id = name.settle(hasher)?;
        let path = self.content_name(&id);
        // Whoever brings a trusted object has looked before reading it; should it have come since, linking tells.
        if !matches!(name, Name::Trusted(_)) && self.is_stored_at(&path)? {
            return Ok(id);
        }
        let room = self.take_space(whole.len() as u64)?;
        let mut tmp = self.new_file(&path)?;
        let context = || format!("writing object {path}");
        if self.repo.mode().is_archive() {
            let framing = header.archive_framing(whole.len() as u64);
            pack::whole(self.repo.config().zlib_level, &framing, whole, |packed| {
                tmp.file.write_all(packed)
            })
            .at(context)?;
        } else {
            tmp.file.write_all(whole).at(context)?;
        }
        let payload = match self.links_payload(whole.len() as u64, name.known().is_none()) {
            true => Some(Checksum::from(<[u8; 32]>::from(Sha256::digest(whole)))),
            false => None,
        };
        self.finish_shared(tmp, header, &path, whole.len() as u64, room, payload)?;
        Ok(id)
    }

    fn write_streamed(
        &self,
        name: Name<'_>,
        header: &FileHeader,
        size: u64,
        content: &mut dyn Read,
    ) -> Result<ContentId> {
        let known = name.known();
        if let Some(id) = known
            && self.is_stored_at(&self.content_name(id))?
        {
            return Ok(*id);
        }
        let what = || known.map_or_else(|| "new content".to_owned(), |e| format!("object {e}"));
        let room = self.take_space(size)?;
        let tmp = self.new_file(&what())?;
        let mut hasher = name.hasher(header);
        let mut payload = None;
        let file = if self.repo.mode().is_archive() {
            let mut out = BufWriter::with_capacity(CHUNK, &tmp.file);
            out.write_all(&header.archive_framing(size))
                .at(|| format!("writing {}", what()))?;
            let level = self.repo.config().zlib_level;
            pack_hashing(level, content, size, hasher.as_mut(), &mut out)?;
            out.flush().at(|| format!("writing {}", what()))?;
            drop(out);
            tmp
        } else {
            let wanted = self.links_payload(size, known.is_none());
            let mut out = Hashing::new(&tmp.file, wanted);
            copy_hashing(content, size, hasher.as_mut(), &mut out)?;
            payload = out.checksum();
            tmp
        };
        let id = name.settle(hasher)?;
        let path = self.content_name(&id);
        if self.is_stored_at(&path)? {
            return Ok(id);
        }
        self.finish_shared(file, header, &path, size, room, payload)?;
        Ok(id)
    }

    /// Finishes a regular file whose bytes may be those of an older one. Blocks that are shared take no room.
    fn finish_shared<'t>(
        &'t self,
        tmp: NewFile<'t>,
        header: &FileHeader,
        path: &str,
        size: u64,
        room: Room<'t>,
        payload: Option<Checksum>,
    ) -> Result<()> {
        let Some(checksum) = payload else {
            return self.finish_file(tmp, header, path, size, room);
        };
        // One at a time: of two equal files written at once, the second is to find the first.
        let _turn = self.payloads.lock().expect("no panic while locked");
        let payload = self.share_payload(&tmp, checksum)?;
        let room = match payload.shared {
            true => self.take_space(0)?,
            false => room,
        };
        self.finish_file(tmp, header, path, size, room)?;
        self.link_payload(&payload, path)
    }

    fn write_link(&self, expected: Option<&ContentId>, header: &FileHeader) -> Result<ContentId> {
        let id = finish(Sha256::new_with_prefix(header.hash_framing()));
        check_expected(expected, id)?;
        let path = self.content_name(&id);
        if self.is_stored_at(&path)? {
            return Ok(id);
        }
        let target = header
            .symlink_target
            .as_deref()
            .unwrap_or_default()
            .as_bytes();
        let room = self.take_space(target.len() as u64)?;
        match self.repo.mode() {
            RepoMode::Archive => {
                let mut tmp = self.new_file(&path)?;
                tmp.file
                    .write_all(&header.archive_framing(0))
                    .at(|| format!("writing object {path}"))?;
                self.finish_file(tmp, header, &path, 0, room)?;
            }
            RepoMode::BareUser => {
                let mut tmp = self.new_file(&path)?;
                tmp.file
                    .write_all(target)
                    .and_then(|()| tmp.file.write_all(b"\0"))
                    .at(|| format!("writing object {path}"))?;
                // The reference tool does not count a link as content written.
                self.finish_file(tmp, header, &path, 0, room)?;
            }
            RepoMode::Bare | RepoMode::BareUserOnly | RepoMode::BareSplitXattrs => {
                self.write_real_link(header, target, &path)?;
                Counters::add(&self.counters.content_written, 1);
            }
        }
        Ok(id)
    }

    /// A symbolic link cannot be made without a name, so it gets a temporary one first.
    fn write_real_link(&self, header: &FileHeader, target: &[u8], path: &str) -> Result<()> {
        let dir = self.target_dir();
        self.make_prefix(path)?;
        let tmp = format!("{}/{}", &path[..2], temp_name(".link"));
        rustix::fs::symlinkat(target, dir, &tmp).at(|| format!("symlinkat for object {path}"))?;
        let finish = || -> Result<bool> {
            if self.repo.mode() == RepoMode::Bare {
                crate::owner::lchownat(dir, &tmp, header.uid, header.gid)
                    .at(|| format!("chown of object {path} to {}:{}", header.uid, header.gid))?;
                for (name, value) in header.xattrs.iter() {
                    osier_sys::xattr::set_at(dir, tmp.as_bytes(), name, value).at(|| {
                        format!(
                            "setting extended attribute {} of object {path}",
                            String::from_utf8_lossy(name)
                        )
                    })?;
                }
            }
            match rustix::fs::renameat_with(dir, &tmp, dir, path, RenameFlags::NOREPLACE) {
                Ok(()) => Ok(true),
                Err(Errno::EXIST) => Ok(false),
                Err(e) => Err(e).at(|| format!("renameat of object {path}")),
            }
        };
        let done = finish();
        if !matches!(done, Ok(true)) {
            let _ = rustix::fs::unlinkat(dir, &tmp, AtFlags::empty());
        }
        done.map(drop)
    }

    /// Refuses what the repository's mode has no room for, or what [`Transaction::refuse_unusual_modes`] excludes.
    ///
    /// # Errors
    /// [`Error::NotAllowed`].
    pub fn check_storable(&self, header: &FileHeader, id: Option<&ContentId>) -> Result<()> {
        match self.repo.mode() {
            RepoMode::BareSplitXattrs => {
                Err(Error::NotAllowed("Not allowed due to repo mode".into()))
            }
            _ if self.refuse_modes && !header.is_symlink() => {
                let perms = header.mode & 0o7777;
                let invalid = perms & !0o775;
                if invalid == 0 {
                    return Ok(());
                }
                let what = id.map_or_else(String::new, |id| format!("Content object {id}: "));
                Err(Error::NotAllowed(format!(
                    "{what}invalid mode 0{:04o} with bits 0{invalid:04o}",
                    header.mode
                )))
            }
            _ => Ok(()),
        }
    }

    /// Whether there is room for so many bytes of content beside the configured reserve.
    ///
    /// # Errors
    /// [`Error::MinFreeSpace`].
    pub fn check_space(&self, bytes: u64) -> Result<()> {
        self.take_space(bytes).map(drop)
    }

    pub(super) fn take_space(&self, bytes: u64) -> Result<Room<'_>> {
        self.free.take(bytes).inspect_err(|_| {
            self.out_of_space
                .store(true, std::sync::atomic::Ordering::Relaxed)
        })
    }
}

/// Remembers what was read; headers are small.
struct Framing<'a> {
    stream: &'a mut dyn Read,
    seen: Vec<u8>,
}

impl Read for Framing<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.stream.read(buf)?;
        self.seen.extend_from_slice(&buf[..n]);
        Ok(n)
    }
}

/// Copies exactly `size` bytes, hashing them on the way.
fn copy_hashing(
    from: &mut dyn Read,
    size: u64,
    mut hasher: Option<&mut Sha256>,
    to: &mut dyn Write,
) -> Result<()> {
    let mut buf = vec![0u8; CHUNK];
    let mut left = size;
    loop {
        let n = match from.read(&mut buf) {
            Ok(n) => n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e).at(|| "reading content".into()),
        };
        if n == 0 && left == 0 {
            return Ok(());
        }
        if n == 0 || n as u64 > left {
            return Err(Error::other(format!(
                "content changed while it was read: it is not {size} bytes long"
            )));
        }
        if let Some(hasher) = &mut hasher {
            hasher.update(&buf[..n]);
        }
        to.write_all(&buf[..n]).at(|| "writing content".into())?;
        left -= n as u64;
    }
}

/// Compresses exactly `size` bytes, hashing them on the way.
fn pack_hashing(
    level: u32,
    from: &mut dyn Read,
    size: u64,
    mut hasher: Option<&mut Sha256>,
    to: &mut (dyn Write + Send),
) -> Result<()> {
    let changed = || {
        Error::other(format!(
            "content changed while it was read: it is not {size} bytes long"
        ))
    };
    let mut stream = pack::Stream::new(level, to);
    let mut batch = Vec::new();
    let mut left = size;
    loop {
        let wanted = left.min(pack::BATCH as u64);
        batch.clear();
        from.take(wanted)
            .read_to_end(&mut batch)
            .at(|| "reading content".into())?;
        left -= batch.len() as u64;
        if (batch.len() as u64) < wanted {
            return Err(changed());
        }
        stream
            .batch(&batch, left == 0, || {
                if let Some(hasher) = &mut hasher {
                    hasher.update(&batch);
                }
            })
            .at(|| "writing content".into())?;
        if left == 0 {
            break;
        }
    }
    match from
        .take(1)
        .read_to_end(&mut batch)
        .at(|| "reading content".into())?
    {
        0 => Ok(()),
        _ => Err(changed()),
    }
}

/// Whether a mode is that of something a repository can hold.
pub(crate) fn is_storable_kind(mode: u32) -> bool {
    matches!(
        FileType::from_raw_mode(mode),
        FileType::RegularFile | FileType::Symlink
    )
}
