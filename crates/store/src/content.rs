//! Opening the content objects of each mode: header and bytes.

use crate::error::{Error, IoContext, Result};
use crate::mode::RepoMode;
use crate::read::{invalid, open_object};
use crate::repo::Repo;
use flate2::read::DeflateDecoder;
use osier_object::{ContentId, FileHeader, ObjectName, ObjectType, Xattrs};
use rustix::fs::{AtFlags, FileType};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::fd::{AsFd, BorrowedFd};

/// Files up to this size are handled whole, in memory; larger ones stream.
pub const WHOLE_FILE_MAX: u64 = 4 * 1024 * 1024;

/// A header may hold a name and attributes, never content.
pub(crate) const MAX_HEADER: u32 = 16 * 1024 * 1024;

/// An opened file or symbolic link.
#[derive(Debug)]
pub struct Content {
    /// Owner, mode, attributes, and the target of a symbolic link.
    pub header: FileHeader,
    /// Bytes of content; 0 for a symbolic link.
    pub size: u64,
    /// The bytes.
    pub body: Body,
}

/// Where the bytes of a content object come from.
#[derive(Debug)]
pub enum Body {
    /// A symbolic link has none.
    None,
    /// The object's file is the content.
    File(File),
    /// The file's rest is DEFLATE data; the second member is that data when it is small.
    Deflate(BufReader<File>),
}

impl Content {
    /// A reader of the content that ends in an error unless exactly [`Content::size`] bytes come.
    pub fn into_reader(self) -> ContentReader {
        let inner: Box<dyn Read + Send> = match self.body {
            Body::None => Box::new(io::empty()),
            Body::File(file) => Box::new(file),
            Body::Deflate(r) => Box::new(DeflateDecoder::new(r)),
        };
        ContentReader {
            inner,
            left: self.size,
        }
    }

    /// The content as one buffer.
    ///
    /// # Errors
    /// When it is not exactly as long as announced, or damaged. Memory grows with what is really there, never with
    /// what a header claims.
    pub fn read_whole(self, buf: &mut Vec<u8>) -> io::Result<()> {
        buf.clear();
        let size = self.size;
        match self.body {
            Body::None => Ok(()),
            Body::Deflate(mut r) if size <= WHOLE_FILE_MAX => {
                let stored = r.get_ref().metadata()?.len();
                // DEFLATE cannot expand more than 1032 times.
                if stored <= WHOLE_FILE_MAX && size <= stored.saturating_mul(1032) {
                    let mut packed = Vec::with_capacity(stored as usize);
                    r.read_to_end(&mut packed)?;
                    return inflate_whole(&packed, size as usize, buf);
                }
                ContentReader {
                    inner: Box::new(DeflateDecoder::new(r)),
                    left: size,
                }
                .read_to_end(buf)?;
                Ok(())
            }
            _ => {
                self.into_reader().read_to_end(buf)?;
                Ok(())
            }
        }
    }
}

/// Inflates data of known size in one go.
pub(crate) fn inflate_whole(packed: &[u8], size: usize, out: &mut Vec<u8>) -> io::Result<()> {
    out.resize(size, 0);
    let n = libdeflater::Decompressor::new()
        .deflate_decompress(packed, out)
        .map_err(|e| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!("compressed content is damaged: {e}"),
            )
        })?;
    if n != size {
        return Err(wrong_length());
    }
    Ok(())
}

fn wrong_length() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "content is not as long as its header says",
    )
}

/// Reader made by [`Content::into_reader`].
pub struct ContentReader {
    inner: Box<dyn Read + Send>,
    left: u64,
}

impl Read for ContentReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        let n = self.inner.read(buf)?;
        if n as u64 > self.left || (n == 0 && self.left > 0) {
            return Err(wrong_length());
        }
        self.left -= n as u64;
        Ok(n)
    }
}

/// Opens the content object `id` below `dir`; `None` when it is not there.
pub(crate) fn open(repo: &Repo, dir: BorrowedFd<'_>, id: &ContentId) -> Result<Option<Content>> {
    let name = ObjectName {
        checksum: id.0,
        ty: ObjectType::File,
    };
    let path = name.loose_path(repo.mode().is_archive());
    let fd = match open_object(dir, &path) {
        Ok(Some(fd)) => fd,
        Ok(None) => return Ok(None),
        Err(Error::Io { source, .. })
            if source.raw_os_error() == Some(Errno::LOOP.raw_os_error()) =>
        {
            return open_link(repo, dir, &path, id).map(Some);
        }
        Err(e) => return Err(e),
    };
    let st = rustix::fs::fstat(&fd).at(|| format!("fstat(objects/{path})"))?;
    if FileType::from_raw_mode(st.st_mode) != FileType::RegularFile {
        return Err(opening(id, "Not a regular file or symlink"));
    }
    let size = st.st_size as u64;
    let file = File::from(fd);
    let header = match repo.mode() {
        RepoMode::Archive => return open_archive(file, size, id).map(Some),
        RepoMode::Bare => {
            let xattrs = match repo.config().disable_xattrs {
                true => Xattrs::default(),
                false => read_xattrs(osier_sys::xattr::read_fd(file.as_fd()), &path)?,
            };
            FileHeader {
                uid: st.st_uid,
                gid: st.st_gid,
                mode: st.st_mode,
                symlink_target: None,
                xattrs,
            }
        }
        RepoMode::BareSplitXattrs => FileHeader {
            uid: st.st_uid,
            gid: st.st_gid,
            mode: st.st_mode,
            symlink_target: None,
            xattrs: split_xattrs(dir, id)?,
        },
        RepoMode::BareUserOnly => FileHeader {
            uid: 0,
            gid: 0,
            mode: st.st_mode,
            symlink_target: None,
            xattrs: Xattrs::default(),
        },
        RepoMode::BareUser => {
            let meta = osier_sys::xattr::get_fd(file.as_fd(), "user.ostreemeta")
                .at(|| format!("reading user.ostreemeta of objects/{path}"))?
                .ok_or_else(|| opening(id, "fgetxattr(user.ostreemeta): No data available"))?;
            let mut header = FileHeader::decode_ostreemeta(&meta)
                .map_err(|e| invalid(ObjectType::File, &id.0, e))?;
            match FileType::from_raw_mode(header.mode) {
                FileType::Symlink => {
                    let mut target = Vec::new();
                    file.take(libc_path_max())
                        .read_to_end(&mut target)
                        .at(|| format!("reading objects/{path}"))?;
                    if let Some(end) = target.iter().position(|b| *b == 0) {
                        target.truncate(end);
                    }
                    let target = String::from_utf8(target).map_err(|_| {
                        invalid(
                            ObjectType::File,
                            &id.0,
                            "has a link target that is not UTF-8",
                        )
                    })?;
                    header.symlink_target = Some(target);
                    return Ok(Some(Content {
                        header,
                        size: 0,
                        body: Body::None,
                    }));
                }
                FileType::RegularFile => header,
                _ => {
                    return Err(invalid(
                        ObjectType::File,
                        &id.0,
                        format!("has mode 0{:o}", header.mode),
                    ));
                }
            }
        }
    };
    Ok(Some(Content {
        header,
        size,
        body: Body::File(file),
    }))
}

/// What a regular file of a bare repository says without being opened: all but its attributes.
pub(crate) fn stat_bare(dir: BorrowedFd<'_>, id: &ContentId) -> Result<Option<(FileHeader, u64)>> {
    let path = id.object_name().loose_path(false);
    let st = match rustix::fs::statat(dir, &path, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(st) => st,
        Err(Errno::NOENT) => return Ok(None),
        Err(e) => return Err(e).at(|| format!("stat objects/{path}")),
    };
    let regular = FileType::from_raw_mode(st.st_mode) == FileType::RegularFile;
    Ok(regular.then(|| {
        let header = FileHeader {
            uid: st.st_uid,
            gid: st.st_gid,
            mode: st.st_mode,
            symlink_target: None,
            xattrs: Xattrs::default(),
        };
        (header, st.st_size as u64)
    }))
}

/// The words scripts know for objects that are not what they should be on disk.
fn opening(id: &ContentId, cause: &str) -> Error {
    Error::other(format!("Opening content object {id}: {cause}"))
}

fn libc_path_max() -> u64 {
    // PATH_MAX with its NUL; the kernel makes no longer links.
    4097
}

fn open_link(repo: &Repo, dir: BorrowedFd<'_>, path: &str, id: &ContentId) -> Result<Content> {
    let st = rustix::fs::statat(dir, path, AtFlags::SYMLINK_NOFOLLOW)
        .at(|| format!("stat objects/{path}"))?;
    let target = rustix::fs::readlinkat(dir, path, Vec::new())
        .at(|| format!("readlinkat(objects/{path})"))?;
    let (uid, gid, xattrs) = match repo.mode() {
        RepoMode::Bare if repo.config().disable_xattrs => (st.st_uid, st.st_gid, Xattrs::default()),
        RepoMode::Bare => (
            st.st_uid,
            st.st_gid,
            read_xattrs(osier_sys::xattr::read_at(dir, path.as_bytes()), path)?,
        ),
        RepoMode::BareSplitXattrs => (st.st_uid, st.st_gid, split_xattrs(dir, id)?),
        RepoMode::BareUserOnly => (0, 0, Xattrs::default()),
        RepoMode::BareUser | RepoMode::Archive => {
            return Err(invalid(ObjectType::File, &id.0, "is a symbolic link"));
        }
    };
    let target = target.into_string().map_err(|_| {
        invalid(
            ObjectType::File,
            &id.0,
            "has a link target that is not UTF-8",
        )
    })?;
    let header = FileHeader {
        uid,
        gid,
        mode: st.st_mode,
        symlink_target: Some(target),
        xattrs,
    };
    Ok(Content {
        header,
        size: 0,
        body: Body::None,
    })
}

fn read_xattrs(pairs: io::Result<Vec<osier_sys::xattr::Pair>>, path: &str) -> Result<Xattrs> {
    Ok(disk_xattrs(pairs.at(|| {
        format!("reading extended attributes of objects/{path}")
    })?))
}

/// Attributes as they count: those without a value do not.
pub(crate) fn disk_xattrs(mut pairs: Vec<osier_sys::xattr::Pair>) -> Xattrs {
    pairs.retain(|(_, value)| !value.is_empty());
    Xattrs::from_pairs(pairs)
}

fn split_xattrs(dir: BorrowedFd<'_>, id: &ContentId) -> Result<Xattrs> {
    let name = ObjectName {
        checksum: id.0,
        ty: ObjectType::FileXattrsLink,
    };
    let path = name.loose_path(false);
    let fd = open_object(dir, &path)?.ok_or(Error::MissingObject(name))?;
    let mut bytes = Vec::new();
    File::from(fd)
        .take(u64::from(MAX_HEADER))
        .read_to_end(&mut bytes)
        .at(|| format!("reading objects/{path}"))?;
    Xattrs::decode(&bytes).map_err(|e| invalid(ObjectType::FileXattrsLink, &id.0, e))
}

fn open_archive(file: File, stored: u64, id: &ContentId) -> Result<Content> {
    let mut r = BufReader::with_capacity(
        if stored < 64 * 1024 {
            stored as usize + 1
        } else {
            64 * 1024
        },
        file,
    );
    let (header, size) =
        read_archive_header(&mut r, stored).map_err(|e| invalid(ObjectType::File, &id.0, e))?;
    let body = match header.is_symlink() {
        true => Body::None,
        false => Body::Deflate(r),
    };
    Ok(Content { header, size, body })
}

/// Reads the framed header at the start of archive content; `stored` bounds it.
pub(crate) fn read_archive_header(r: &mut dyn Read, stored: u64) -> io::Result<(FileHeader, u64)> {
    let bad = |text: String| io::Error::new(io::ErrorKind::InvalidData, text);
    let mut prefix = [0u8; 8];
    r.read_exact(&mut prefix)
        .map_err(|e| bad(format!("header is truncated: {e}")))?;
    let len = u32::from_be_bytes([prefix[0], prefix[1], prefix[2], prefix[3]]);
    if len == 0 || u64::from(len) > stored || len > MAX_HEADER {
        return Err(bad(format!(
            "header claims {len} bytes of an object of {stored}"
        )));
    }
    let mut variant = Vec::new();
    r.take(u64::from(len)).read_to_end(&mut variant)?;
    if variant.len() != len as usize {
        return Err(bad("header is truncated".into()));
    }
    FileHeader::parse_archive_header(&variant).map_err(|e| bad(e.to_string()))
}
