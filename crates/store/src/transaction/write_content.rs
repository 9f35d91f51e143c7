//! Writing content objects in the form each mode keeps them.

use super::{Counters, Transaction};
use crate::content::{WHOLE_FILE_MAX, read_archive_header};
use crate::error::{Error, IoContext, Result};
use crate::mode::RepoMode;
use crate::read::invalid;
use crate::replace_file::temp_name;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use osier_object::{Checksum, ContentId, FileHeader, ObjectName, ObjectType};
use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, RenameFlags, Timespec, Timestamps, UTIME_OMIT, Uid,
};
use rustix::io::Errno;
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// A file being written that nobody else sees yet.
pub(super) struct NewFile {
    pub(super) file: File,
    /// Its name, on file systems where a file cannot be without one.
    name: Option<String>,
}

/// How an object of another repository was taken over.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Import {
    /// It was here before.
    Present,
    /// As another name of the same file.
    Hardlink,
    /// As a copy or in another form.
    Written,
}

thread_local! {
    /// One buffer a thread for whole small files, and one for them compressed.
    static BUFFERS: RefCell<(Vec<u8>, Vec<u8>)> = const { RefCell::new((Vec::new(), Vec::new())) };
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
        Counters::add(&self.counters.content_total, 1);
        self.check_storable(header, expected)?;
        if header.is_symlink() {
            return self.write_link(expected, header);
        }
        if size > WHOLE_FILE_MAX {
            return self.write_streamed(expected, header, size, content);
        }
        BUFFERS.with_borrow_mut(|(whole, packed)| {
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
            self.write_whole(expected, header, whole, packed)
        })
    }

    /// Writes a file whose content is in memory.
    pub fn write_content_bytes(
        &self,
        expected: Option<&ContentId>,
        header: &FileHeader,
        content: &[u8],
    ) -> Result<ContentId> {
        Counters::add(&self.counters.content_total, 1);
        self.check_storable(header, expected)?;
        if header.is_symlink() {
            return self.write_link(expected, header);
        }
        BUFFERS.with_borrow_mut(|(_, packed)| self.write_whole(expected, header, content, packed))
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
        let (header, size) = read_archive_header(stream, stored)
            .map_err(|e| invalid(ObjectType::File, &expected.0, e))?;
        if header.is_symlink() {
            return self.write_content(Some(expected), &header, 0, &mut io::empty());
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
        BUFFERS.with_borrow_mut(|(whole, packed)| {
            crate::content::inflate_whole(rest, size as usize, whole)
                .map_err(|e| invalid(ObjectType::File, &expected.0, e))?;
            self.write_whole(Some(expected), &header, whole, packed)
        })
    }

    fn write_whole(
        &self,
        expected: Option<&ContentId>,
        header: &FileHeader,
        whole: &[u8],
        packed: &mut Vec<u8>,
    ) -> Result<ContentId> {
        let mut hasher = Sha256::new();
        hasher.update(header.hash_framing());
        hasher.update(whole);
        let id = finish(hasher);
        check_expected(expected, id)?;
        let path = self.content_name(&id);
        if self.is_stored_at(&path)? {
            return Ok(id);
        }
        let blocks = self.take_space(whole.len() as u64)?;
        let mut tmp = self.new_file(&path)?;
        let context = || format!("writing object {path}");
        if self.repo.mode().is_archive() {
            let level = libdeflater::CompressionLvl::new(self.repo.config().zlib_level as i32)
                .unwrap_or_default();
            let framing = header.archive_framing(whole.len() as u64);
            let mut compressor = libdeflater::Compressor::new(level);
            packed.clear();
            packed.extend_from_slice(&framing);
            packed.resize(
                framing.len() + compressor.deflate_compress_bound(whole.len()),
                0,
            );
            let n = compressor
                .deflate_compress(whole, &mut packed[framing.len()..])
                .map_err(|e| Error::other(format!("compressing object {path}: {e:?}")))?;
            packed.truncate(framing.len() + n);
            tmp.file.write_all(packed).at(context)?;
        } else {
            tmp.file.write_all(whole).at(context)?;
        }
        self.finish_file(tmp, header, &path, whole.len() as u64, blocks)?;
        Ok(id)
    }

    fn write_streamed(
        &self,
        expected: Option<&ContentId>,
        header: &FileHeader,
        size: u64,
        content: &mut dyn Read,
    ) -> Result<ContentId> {
        if let Some(expected) = expected
            && self.is_stored_at(&self.content_name(expected))?
        {
            return Ok(*expected);
        }
        let what = || expected.map_or_else(|| "new content".to_owned(), |e| format!("object {e}"));
        let blocks = self.take_space(size)?;
        let tmp = self.new_file(&what())?;
        let mut hasher = Sha256::new();
        hasher.update(header.hash_framing());
        let file = if self.repo.mode().is_archive() {
            let mut out = BufWriter::with_capacity(CHUNK, &tmp.file);
            out.write_all(&header.archive_framing(size))
                .at(|| format!("writing {}", what()))?;
            let mut deflate =
                DeflateEncoder::new(out, Compression::new(self.repo.config().zlib_level));
            copy_hashing(content, size, &mut hasher, &mut deflate)?;
            deflate
                .finish()
                .and_then(|mut out| out.flush())
                .at(|| format!("writing {}", what()))?;
            tmp
        } else {
            copy_hashing(content, size, &mut hasher, &mut &tmp.file)?;
            tmp
        };
        let id = finish(hasher);
        if let Err(e) = check_expected(expected, id) {
            self.free.give_back(blocks);
            self.discard(file);
            return Err(e);
        }
        let path = self.content_name(&id);
        if self.is_stored_at(&path)? {
            self.free.give_back(blocks);
            self.discard(file);
            return Ok(id);
        }
        self.finish_file(file, header, &path, size, blocks)?;
        Ok(id)
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
        let blocks = self.take_space(target.len() as u64)?;
        match self.repo.mode() {
            RepoMode::Archive => {
                let mut tmp = self.new_file(&path)?;
                tmp.file
                    .write_all(&header.archive_framing(0))
                    .at(|| format!("writing object {path}"))?;
                self.finish_file(tmp, header, &path, 0, blocks)?;
            }
            RepoMode::BareUser => {
                let mut tmp = self.new_file(&path)?;
                tmp.file
                    .write_all(target)
                    .and_then(|()| tmp.file.write_all(b"\0"))
                    .at(|| format!("writing object {path}"))?;
                self.finish_file(tmp, header, &path, target.len() as u64, blocks)?;
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
                rustix::fs::chownat(
                    dir,
                    &tmp,
                    Some(Uid::from_raw(header.uid)),
                    Some(Gid::from_raw(header.gid)),
                    AtFlags::SYMLINK_NOFOLLOW,
                )
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

    /// Gives a written file the owner, mode, attributes and time its mode keeps, and links it into place.
    fn finish_file(
        &self,
        tmp: NewFile,
        header: &FileHeader,
        path: &str,
        size: u64,
        blocks: u64,
    ) -> Result<()> {
        let fd = tmp.file.as_fd();
        match self.repo.mode() {
            RepoMode::Archive => chmod(fd, 0o644, path)?,
            RepoMode::BareUser => {
                let mode = if header.is_symlink() {
                    0o644
                } else {
                    (header.mode & 0o775) | 0o400
                };
                chmod(fd, mode, path)?;
                osier_sys::xattr::set_fd(fd, b"user.ostreemeta", &header.encode_ostreemeta())
                    .at(|| format!("setting user.ostreemeta of object {path}"))?;
                zero_mtime(fd, path)?;
            }
            RepoMode::BareUserOnly => {
                chmod(fd, header.mode & 0o7777, path)?;
                zero_mtime(fd, path)?;
            }
            RepoMode::Bare => {
                // Owner first: changing it clears the set-id bits and file capabilities.
                rustix::fs::fchown(
                    fd,
                    Some(Uid::from_raw(header.uid)),
                    Some(Gid::from_raw(header.gid)),
                )
                .at(|| format!("fchown of object {path} to {}:{}", header.uid, header.gid))?;
                chmod(fd, header.mode & 0o7777, path)?;
                for (name, value) in header.xattrs.iter() {
                    osier_sys::xattr::set_fd(fd, name, value).at(|| {
                        format!(
                            "setting extended attribute {} of object {path}",
                            String::from_utf8_lossy(name)
                        )
                    })?;
                }
                zero_mtime(fd, path)?;
            }
            RepoMode::BareSplitXattrs => unreachable!("refused by check_storable"),
        }
        if self.fsync && self.repo.config().per_object_fsync {
            tmp.file
                .sync_all()
                .at(|| format!("fsync of object {path}"))?;
        }
        if self.link_into_place(tmp, path, false)? {
            Counters::add(&self.counters.content_written, 1);
            Counters::add(&self.counters.content_bytes_written, size);
        } else {
            self.free.give_back(blocks);
        }
        Ok(())
    }

    /// Refuses what the repository's mode has no room for.
    fn check_storable(&self, header: &FileHeader, id: Option<&ContentId>) -> Result<()> {
        match self.repo.mode() {
            RepoMode::BareSplitXattrs => {
                Err(Error::NotAllowed("Not allowed due to repo mode".into()))
            }
            RepoMode::BareUserOnly if !header.is_symlink() => {
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

    fn take_space(&self, bytes: u64) -> Result<u64> {
        self.free.take(bytes).inspect_err(|_| {
            self.out_of_space
                .store(true, std::sync::atomic::Ordering::Relaxed)
        })
    }

    /// A file in the staging folder, without a name where the file system can do that.
    pub(super) fn new_file(&self, for_what: &str) -> Result<NewFile> {
        let dir = self.target_dir();
        let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
        match rustix::fs::openat(dir, ".", flags, Mode::from_raw_mode(0o600)) {
            Ok(fd) => {
                return Ok(NewFile {
                    file: File::from(fd),
                    name: None,
                });
            }
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => {}
            Err(e) => return Err(e).at(|| format!("creating a temporary file for {for_what}")),
        }
        let name = temp_name(".tmp");
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(dir, &name, flags, Mode::from_raw_mode(0o600))
            .at(|| format!("creating a temporary file for {for_what}"))?;
        Ok(NewFile {
            file: File::from(fd),
            name: Some(name),
        })
    }

    fn discard(&self, tmp: NewFile) {
        if let Some(name) = &tmp.name {
            let _ = rustix::fs::unlinkat(self.target_dir(), name, AtFlags::empty());
        }
    }

    fn make_prefix(&self, path: &str) -> Result<()> {
        match rustix::fs::mkdirat(self.target_dir(), &path[..2], Mode::from_raw_mode(0o777)) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(e) => Err(e).at(|| format!("mkdirat({})", &path[..2])),
        }
    }

    /// Gives a finished file its name; `false` when there is such an object already, which is as good.
    pub(super) fn link_into_place(&self, tmp: NewFile, path: &str, replace: bool) -> Result<bool> {
        let dir = self.target_dir();
        let mut made_prefix = false;
        loop {
            let linked = match (&tmp.name, replace) {
                (Some(name), false) => {
                    rustix::fs::renameat_with(dir, name, dir, path, RenameFlags::NOREPLACE)
                }
                (Some(name), true) => rustix::fs::renameat(dir, name, dir, path),
                (None, _) => {
                    let own = format!("/proc/self/fd/{}", tmp.file.as_raw_fd());
                    rustix::fs::linkat(rustix::fs::CWD, &own, dir, path, AtFlags::SYMLINK_FOLLOW)
                }
            };
            match linked {
                Ok(()) => return Ok(true),
                Err(Errno::NOENT) if !made_prefix => {
                    self.make_prefix(path)?;
                    made_prefix = true;
                }
                Err(Errno::EXIST) if replace => {
                    // linkat cannot replace: give it another name first.
                    let other = format!("{}/{}", &path[..2], temp_name(".tmp"));
                    let own = format!("/proc/self/fd/{}", tmp.file.as_raw_fd());
                    rustix::fs::linkat(rustix::fs::CWD, &own, dir, &other, AtFlags::SYMLINK_FOLLOW)
                        .and_then(|()| rustix::fs::renameat(dir, &other, dir, path))
                        .at(|| format!("replacing object {path}"))?;
                    return Ok(true);
                }
                Err(Errno::EXIST) => {
                    self.discard(tmp);
                    return Ok(false);
                }
                Err(e) => {
                    self.discard(tmp);
                    return Err(e).at(|| format!("linkat of object {path}"));
                }
            }
        }
    }

    /// Takes an object over from another repository as a further name of the same file.
    ///
    /// `None` when that cannot be done (another file system, too many names, not ours to link).
    pub fn import_hardlink(
        &self,
        source: &crate::Repo,
        name: &ObjectName,
    ) -> Result<Option<Import>> {
        let from = name.loose_path(source.mode().is_archive());
        let to = name.loose_path(self.repo.mode().is_archive());
        if self.is_stored_at(&to)? {
            return Ok(Some(Import::Present));
        }
        let mut made_prefix = false;
        loop {
            match rustix::fs::linkat(
                source.objects_dir(),
                &from,
                self.target_dir(),
                &to,
                AtFlags::empty(),
            ) {
                Ok(()) => return Ok(Some(Import::Hardlink)),
                Err(Errno::EXIST) => return Ok(Some(Import::Present)),
                Err(Errno::XDEV | Errno::MLINK | Errno::PERM) => return Ok(None),
                Err(Errno::NOENT) if !made_prefix => {
                    self.make_prefix(&to)?;
                    made_prefix = true;
                }
                Err(Errno::NOENT) => return Err(Error::MissingObject(*name)),
                Err(e) => return Err(e).at(|| format!("linkat of object {name}")),
            }
        }
    }
}

fn chmod(fd: BorrowedFd<'_>, mode: u32, path: &str) -> Result<()> {
    rustix::fs::fchmod(fd, Mode::from_raw_mode(mode)).at(|| format!("fchmod of object {path}"))
}

/// Files of one content have one time, whatever tree they came from.
fn zero_mtime(fd: BorrowedFd<'_>, path: &str) -> Result<()> {
    let times = Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        },
    };
    rustix::fs::futimens(fd, &times).at(|| format!("futimens of object {path}"))
}

fn finish(hasher: Sha256) -> ContentId {
    ContentId(Checksum(hasher.finalize().into()))
}

fn check_expected(expected: Option<&ContentId>, actual: ContentId) -> Result<()> {
    match expected {
        Some(expected) if *expected != actual => Err(Error::ChecksumMismatch {
            name: ObjectName {
                checksum: expected.0,
                ty: ObjectType::File,
            },
            expected: expected.0,
            actual: actual.0,
        }),
        _ => Ok(()),
    }
}

/// Copies exactly `size` bytes, hashing them on the way.
fn copy_hashing(
    from: &mut dyn Read,
    size: u64,
    hasher: &mut Sha256,
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
        hasher.update(&buf[..n]);
        to.write_all(&buf[..n]).at(|| "writing content".into())?;
        left -= n as u64;
    }
}

/// Whether a mode is that of something a repository can hold.
pub(crate) fn is_storable_kind(mode: u32) -> bool {
    matches!(
        FileType::from_raw_mode(mode),
        FileType::RegularFile | FileType::Symlink
    )
}
