//! Files that get their name when they are finished.

use super::free_space::Room;
use super::{Counters, Transaction};
use crate::config::Tristate;
use crate::error::{Error, IoContext, Result};
use crate::mode::RepoMode;
use crate::replace_file::temp_name;
use osier_object::{FileHeader, ObjectName};
use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags, Timespec, Timestamps, UTIME_OMIT};
use rustix::io::Errno;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::atomic::Ordering;

/// A file being written that nobody else sees yet. It is gone again unless it is linked into place.
pub(super) struct NewFile<'t> {
    pub(super) file: File,
    /// Its name, on file systems where a file cannot be without one.
    name: Option<String>,
    dir: BorrowedFd<'t>,
}

impl Drop for NewFile<'_> {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            let _ = rustix::fs::unlinkat(self.dir, name, AtFlags::empty());
        }
    }
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

impl Transaction<'_> {
    /// Gives a written file the owner, mode, attributes and time its mode keeps, and links it into place.
    pub(super) fn finish_file(
        &self,
        tmp: NewFile<'_>,
        header: &FileHeader,
        path: &str,
        size: u64,
        room: Room<'_>,
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
                crate::owner::fchown(fd, header.uid, header.gid)
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

    /// A file in the staging folder, without a name where the file system can do that.
    pub(super) fn new_file(&self, for_what: &str) -> Result<NewFile<'_>> {
        let dir = self.target_dir();
        let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
        match rustix::fs::openat(dir, ".", flags, Mode::from_raw_mode(0o600)) {
            Ok(fd) => {
                return Ok(NewFile {
                    file: File::from(fd),
                    name: None,
                    dir,
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
            dir,
        })
    }

    pub(super) fn make_prefix(&self, path: &str) -> Result<()> {
        match rustix::fs::mkdirat(self.target_dir(), &path[..2], Mode::from_raw_mode(0o777)) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(e) => Err(e).at(|| format!("mkdirat({})", &path[..2])),
        }
    }

    /// Gives a finished file its name; `false` when there is such an object already, which is as good.
    pub(super) fn link_into_place(
        &self,
        mut tmp: NewFile<'_>,
        path: &str,
        replace: bool,
    ) -> Result<bool> {
        self.seal(&mut tmp, path)?;
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
                Ok(()) => {
                    tmp.name = None;
                    return Ok(true);
                }
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
                Err(Errno::EXIST) => return Ok(false),
                Err(e) => return Err(e).at(|| format!("linkat of object {path}")),
            }
        }
    }

    /// Has the kernel check the finished file at each read from now on, if the repository wants that.
    fn seal(&self, tmp: &mut NewFile<'_>, path: &str) -> Result<()> {
        let wanted = self.repo.config().fsverity;
        if wanted == Tristate::No || self.no_verity.load(Ordering::Relaxed) {
            return Ok(());
        }
        let own = format!("/proc/self/fd/{}", tmp.file.as_raw_fd());
        let reader = rustix::fs::open(own, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .at(|| format!("opening object {path} anew"))?;
        // The kernel seals what nobody may write: the writer goes with this.
        tmp.file = File::from(reader);
        match osier_sys::verity::enable(tmp.file.as_fd()) {
            Ok(()) => Ok(()),
            Err(e) if e.raw_os_error() == Some(Errno::EXIST.raw_os_error()) => Ok(()),
            Err(e)
                if [Errno::NOTTY, Errno::OPNOTSUPP]
                    .map(|e| Some(e.raw_os_error()))
                    .contains(&e.raw_os_error()) =>
            {
                if wanted == Tristate::Yes {
                    return Err(Error::NotAllowed(
                        "fsverity required but filesystem does not support it".into(),
                    ));
                }
                self.no_verity.store(true, Ordering::Relaxed);
                Ok(())
            }
            Err(e) => Err(e).at(|| format!("enabling fs-verity of object {path}")),
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
