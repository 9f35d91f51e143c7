//! Reading objects.
//!
//! [`ReadObjects`] is the one way to read; the repository and an open transaction (which also sees what it has
//! staged) both offer it.

use crate::content::{self, Content};
use crate::error::{Error, IoContext, Result};
use crate::mode::RepoMode;
use crate::repo::Repo;
use osier_gv::Dict;
use osier_object::{
    Checksum, Commit, CommitId, ContentId, Dirmeta, DirmetaId, Dirtree, DirtreeId, FileHeader,
    MAX_METADATA_SIZE, ObjectName, ObjectType,
};
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What is known of a commit beside its object.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct CommitState {
    /// Some of its objects are missing.
    pub partial: bool,
    /// They are missing because a check found them damaged.
    pub partial_by_fsck: bool,
}

/// Access to objects by name.
pub trait ReadObjects: Sync {
    /// The repository whose mode and configuration rule.
    fn repo(&self) -> &Repo;

    /// Folders holding objects as `XX/REST.TYPE`, searched in order.
    fn object_dirs(&self) -> Vec<BorrowedFd<'_>>;

    /// Whether the object is stored, here or in the parent repository.
    fn has_object(&self, name: &ObjectName) -> Result<bool> {
        let path = name.loose_path(self.repo().mode().is_archive());
        for dir in self.object_dirs() {
            if exists(dir, &path)? {
                return Ok(true);
            }
        }
        match self.repo().parent() {
            Some(parent) => parent.has_object(name),
            None => Ok(false),
        }
    }

    /// The bytes of a metadata object, `None` when it is not there. They are not checked.
    fn read_metadata_opt(&self, ty: ObjectType, checksum: &Checksum) -> Result<Option<Vec<u8>>> {
        let name = ObjectName {
            checksum: *checksum,
            ty,
        };
        let path = name.loose_path(self.repo().mode().is_archive());
        for dir in self.object_dirs() {
            if let Some(bytes) = read_limited(dir, &path, &name)? {
                return Ok(Some(bytes));
            }
        }
        match self.repo().parent() {
            Some(parent) => parent.read_metadata_opt(ty, checksum),
            None => Ok(None),
        }
    }

    /// The bytes of a metadata object.
    ///
    /// # Errors
    /// [`Error::MissingObject`] when it is not there.
    fn read_metadata(&self, ty: ObjectType, checksum: &Checksum) -> Result<Vec<u8>> {
        self.read_metadata_opt(ty, checksum)?
            .ok_or(Error::MissingObject(ObjectName {
                checksum: *checksum,
                ty,
            }))
    }

    /// A decoded commit.
    fn load_commit(&self, id: &CommitId) -> Result<Commit> {
        let bytes = self.read_metadata(ObjectType::Commit, &id.0)?;
        Commit::decode(&bytes).map_err(|e| invalid(ObjectType::Commit, &id.0, e))
    }

    /// A decoded directory listing.
    fn load_dirtree(&self, id: &DirtreeId) -> Result<Dirtree> {
        let bytes = self.read_metadata(ObjectType::Dirtree, &id.0)?;
        Dirtree::decode(&bytes).map_err(|e| invalid(ObjectType::Dirtree, &id.0, e))
    }

    /// A directory's decoded owner, mode and attributes.
    fn load_dirmeta(&self, id: &DirmetaId) -> Result<Dirmeta> {
        let bytes = self.read_metadata(ObjectType::Dirmeta, &id.0)?;
        Dirmeta::decode(&bytes).map_err(|e| invalid(ObjectType::Dirmeta, &id.0, e))
    }

    /// A commit's detached metadata, `None` when it has none.
    fn load_commitmeta(&self, id: &CommitId) -> Result<Option<Dict>> {
        match self.read_metadata_opt(ObjectType::Commitmeta, &id.0)? {
            None => Ok(None),
            Some(bytes) if bytes.is_empty() => Ok(Some(Dict::new())),
            Some(bytes) => Dict::decode(&bytes)
                .map(Some)
                .map_err(|e| invalid(ObjectType::Commitmeta, &id.0, e)),
        }
    }

    /// Opens a file or symbolic link.
    ///
    /// # Errors
    /// [`Error::MissingObject`] when it is not there.
    fn open_content(&self, id: &ContentId) -> Result<Content> {
        for dir in self.object_dirs() {
            if let Some(content) = content::open(self.repo(), dir, id)? {
                return Ok(content);
            }
        }
        match self.repo().parent() {
            Some(parent) => parent.open_content(id),
            None => Err(Error::MissingObject(ObjectName {
                checksum: id.0,
                ty: ObjectType::File,
            })),
        }
    }

    /// Owner, mode, size and target of a file or symbolic link; its attributes as well only with `xattrs`, without which
    /// a bare repository need not open it.
    ///
    /// # Errors
    /// As [`ReadObjects::open_content`].
    fn content_header(&self, id: &ContentId, xattrs: bool) -> Result<(FileHeader, u64)> {
        if !xattrs && self.repo().mode() == RepoMode::Bare {
            for dir in self.object_dirs() {
                if let Some(found) = content::stat_bare(dir, id)? {
                    return Ok(found);
                }
            }
        }
        let content = self.open_content(id)?;
        Ok((content.header, content.size))
    }

    /// Whether a commit is whole.
    fn commit_state(&self, id: &CommitId) -> Result<CommitState> {
        let path = format!("state/{id}.commitpartial");
        let repo = self.repo();
        let fd = match rustix::fs::openat(
            repo.dir(),
            &path,
            OFlags::RDONLY | OFlags::CLOEXEC,
            Mode::empty(),
        ) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(CommitState::default()),
            Err(e) => return Err(e).at(|| format!("openat({path})")),
        };
        let mut first = [0u8; 1];
        let n = std::fs::File::from(fd)
            .read(&mut first)
            .at(|| format!("reading {path}"))?;
        Ok(CommitState {
            partial: true,
            partial_by_fsck: n == 1 && first[0] == b'f',
        })
    }

    /// Size in bytes of an object's file as stored.
    fn stored_size(&self, name: &ObjectName) -> Result<u64> {
        let path = name.loose_path(self.repo().mode().is_archive());
        for dir in self.object_dirs() {
            match rustix::fs::statat(dir, &path, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(st) => return Ok(st.st_size as u64),
                Err(Errno::NOENT) => {}
                Err(e) => return Err(e).at(|| format!("stat objects/{path}")),
            }
        }
        match self.repo().parent() {
            Some(parent) => parent.stored_size(name),
            None => Err(Error::MissingObject(*name)),
        }
    }
}

impl ReadObjects for Repo {
    fn repo(&self) -> &Repo {
        self
    }

    fn object_dirs(&self) -> Vec<BorrowedFd<'_>> {
        vec![self.objects_dir()]
    }
}

pub(crate) fn invalid(ty: ObjectType, checksum: &Checksum, cause: impl std::fmt::Display) -> Error {
    Error::Invalid {
        name: ObjectName {
            checksum: *checksum,
            ty,
        },
        cause: cause.to_string(),
    }
}

pub(crate) fn exists(dir: BorrowedFd<'_>, path: &str) -> Result<bool> {
    match rustix::fs::statat(dir, path, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(_) => Ok(true),
        Err(Errno::NOENT) => Ok(false),
        Err(e) => Err(e).at(|| format!("stat objects/{path}")),
    }
}

/// Opens an object's file without following links; `None` when it is not there.
pub(crate) fn open_object(dir: BorrowedFd<'_>, path: &str) -> Result<Option<OwnedFd>> {
    match rustix::fs::openat(
        dir,
        path,
        // Not blocking, lest a pipe in an object's place wait for a writer.
        OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK,
        Mode::empty(),
    ) {
        Ok(fd) => Ok(Some(fd)),
        Err(Errno::NOENT) => Ok(None),
        Err(e) => Err(e).at(|| format!("openat(objects/{path})")),
    }
}

fn read_limited(dir: BorrowedFd<'_>, path: &str, name: &ObjectName) -> Result<Option<Vec<u8>>> {
    let Some(fd) = open_object(dir, path)? else {
        return Ok(None);
    };
    let size = rustix::fs::fstat(fd.as_fd())
        .at(|| format!("fstat(objects/{path})"))?
        .st_size as u64;
    if size > MAX_METADATA_SIZE {
        return Err(invalid(
            name.ty,
            &name.checksum,
            format!("{size} bytes are more than metadata may have"),
        ));
    }
    let mut bytes = Vec::new();
    read_known(
        &mut std::fs::File::from(fd),
        size,
        MAX_METADATA_SIZE,
        &mut bytes,
    )
    .at(|| format!("reading objects/{path}"))?;
    Ok(Some(bytes))
}

/// Reads a file whose size was just asked for, at most `limit` bytes: with one call unless it changed since.
pub(crate) fn read_known(
    file: &mut std::fs::File,
    size: u64,
    limit: u64,
    bytes: &mut Vec<u8>,
) -> std::io::Result<()> {
    let room = size.min(limit) as usize + 1;
    bytes.clear();
    bytes.resize(room, 0);
    let mut filled = 0;
    loop {
        let n = match file.read(&mut bytes[filled..]) {
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        filled += n;
        // The buffer had room for one byte more: there is none.
        if n == 0 || filled as u64 == size {
            bytes.truncate(filled);
            return Ok(());
        }
        if filled as u64 > limit {
            return Err(std::io::Error::other("file grew beyond what may be read"));
        }
        if filled == bytes.len() {
            bytes.resize((filled * 2).min(limit as usize + 1), 0);
        }
    }
}
