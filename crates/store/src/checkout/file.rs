//! Placing one file or symbolic link, and what to do when something is in the way.

use super::cache::UncompressedCache;
use super::dir::Checkout;
use super::place::write_new;
use super::{Existing, Linking};
use crate::content::Content;
use crate::error::{Error, IoContext, Result};
use crate::mode::RepoMode;
use crate::replace_file::temp_name;
use osier_object::{ContentId, DirtreeId, FileHeader, ObjectName, ObjectType};
use rustix::fs::{AtFlags, FileType};
use rustix::io::Errno;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::io::Read;
use std::os::fd::BorrowedFd;
use std::sync::atomic::Ordering;

impl Checkout<'_> {
    /// Places the file `id` as `name` in `dir`; `labelled_as` is its path for the SELinux policy, if there is one.
    pub(super) fn file(
        &self,
        dir: BorrowedFd<'_>,
        name: &str,
        id: &ContentId,
        labelled_as: Option<&str>,
    ) -> Result<()> {
        self.cancel.check()?;
        let placed = match self.options.existing {
            Existing::Fail => self.put(dir, name, id, labelled_as),
            _ => self.put_over(dir, name, id, labelled_as),
        };
        let linked =
            placed.map_err(|e| e.within(format!("Processing file {name} (object {id})")))?;
        self.files.fetch_add(1, Ordering::Relaxed);
        if linked {
            self.hardlinked.fetch_add(1, Ordering::Relaxed);
        }
        self.progress.object_done(0);
        Ok(())
    }

    /// Fails before the folder is filled if links are demanded and some file of the tree cannot be one.
    pub(super) fn refuse_unlinkable(&self, tree: &DirtreeId) -> Result<()> {
        let everything_is_made = self.options.existing == Existing::Fail
            && self.options.skip.is_empty()
            && !self.options.whiteouts
            && !self.options.passthrough_whiteouts;
        if self.options.linking != Linking::Require || self.try_link || !everything_is_made {
            return Ok(());
        }
        self.cancel.check()?;
        let listing = self.objects.load_dirtree(tree)?;
        for (name, id) in &listing.files {
            self.made_anew(id)
                .map_err(|e| e.within(format!("Processing file {name} (object {id})")))?;
        }
        listing
            .dirs
            .iter()
            .try_for_each(|(_, tree, _)| self.refuse_unlinkable(tree))
    }

    /// A file that is written even where links are demanded and objects of this mode cannot be linked.
    fn made_anew(&self, id: &ContentId) -> Result<Content> {
        let content = self.objects.open_content(id)?;
        let is_link = content.header.is_symlink();
        let user = matches!(self.mode, RepoMode::BareUser | RepoMode::BareUserOnly);
        // Empty files always are. Links are where they are files in the repository.
        if (content.size == 0 && !is_link) || (is_link && user) {
            return Ok(content);
        }
        Err(Error::NotAllowed(match user {
            true => "User repository mode requires user checkout mode to hardlink".into(),
            false => "Bare repository mode cannot hardlink in user checkout mode".into(),
        }))
    }

    /// Puts the file where nothing is; `true` when it is a link to the object.
    fn put(
        &self,
        dir: BorrowedFd<'_>,
        name: &str,
        id: &ContentId,
        labelled_as: Option<&str>,
    ) -> Result<bool> {
        if self.try_link {
            match self.link(dir, name, id)? {
                Linked::Yes => return Ok(true),
                Linked::NotThisOne => {}
                Linked::Refused(e) if self.options.linking == Linking::Require => {
                    return Err(e).at(|| format!("linkat({name})"));
                }
                Linked::Refused(_) => {}
            }
        } else if self.options.linking == Linking::Require {
            let content = self.made_anew(id)?;
            self.write(dir, name, content, labelled_as)?;
            return Ok(false);
        }
        if let Some(cache) = &self.cache {
            let path = UncompressedCache::path(id);
            if !cache.has(&path)? {
                let content = self.objects.open_content(id)?;
                // As with links to objects: links, empty files and those their owner may not read are made anew.
                let mode = content.header.mode;
                if content.header.is_symlink() || content.size == 0 || mode & 0o400 == 0 {
                    self.write(dir, name, content, labelled_as)?;
                    return Ok(false);
                }
                cache.add(&path, content)?;
            }
            match rustix::fs::linkat(cache.dir(), &path, dir, name, AtFlags::empty()) {
                Ok(()) => return Ok(true),
                Err(Errno::XDEV | Errno::MLINK | Errno::PERM) => {}
                Err(e) => return Err(e).at(|| format!("linkat({name})")),
            }
        }
        self.write(dir, name, self.objects.open_content(id)?, labelled_as)?;
        Ok(false)
    }

    /// Links the object's file, unless it is one of those that are always made anew.
    fn link(&self, dir: BorrowedFd<'_>, name: &str, id: &ContentId) -> Result<Linked> {
        let path = ObjectName {
            checksum: id.0,
            ty: ObjectType::File,
        }
        .loose_path(false);
        for objects in self.link_dirs() {
            let st = match rustix::fs::statat(objects, &path, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(st) => st,
                Err(Errno::NOENT) => continue,
                Err(e) => return Err(e).at(|| format!("stat objects/{path}")),
            };
            let anew = match FileType::from_raw_mode(st.st_mode) {
                FileType::Symlink => self.mode != RepoMode::Bare,
                FileType::RegularFile => {
                    st.st_size == 0
                        || self.user_mode && st.st_mode & 0o400 == 0
                        || self.mode == RepoMode::BareUser
                            && !self.bare_user_links(objects, &path)?
                }
                _ => {
                    return Err(crate::read::invalid(
                        ObjectType::File,
                        &id.0,
                        "is neither file nor symbolic link",
                    ));
                }
            };
            if anew {
                return Ok(Linked::NotThisOne);
            }
            return match rustix::fs::linkat(objects, &path, dir, name, AtFlags::empty()) {
                Ok(()) => Ok(Linked::Yes),
                Err(e @ (Errno::XDEV | Errno::MLINK | Errno::PERM)) => Ok(Linked::Refused(e)),
                Err(e) => Err(e).at(|| format!("linkat({name})")),
            };
        }
        // Perhaps the parent repository has it.
        Ok(Linked::NotThisOne)
    }

    /// Whether a file of a bare-user repository may be linked: not if it stands for a symbolic link, or if nobody could
    /// read it in the tree. Only its attribute tells.
    fn bare_user_links(&self, objects: BorrowedFd<'_>, path: &str) -> Result<bool> {
        let full = osier_sys::xattr::get_at(objects, path.as_bytes(), "user.ostreemeta")
            .at(|| format!("reading user.ostreemeta of objects/{path}"))?;
        match full {
            Some(meta) if meta.len() >= 12 => {
                let mode = u32::from_be_bytes([meta[8], meta[9], meta[10], meta[11]]);
                Ok(FileType::from_raw_mode(mode) == FileType::RegularFile && mode & 0o400 != 0)
            }
            _ => Ok(false),
        }
    }

    /// Makes a file or link of its own.
    fn write(
        &self,
        dir: BorrowedFd<'_>,
        name: &str,
        content: Content,
        labelled_as: Option<&str>,
    ) -> Result<()> {
        let mut header = content.header.clone();
        if let Cow::Owned(xattrs) = self.with_label(&header.xattrs, labelled_as, header.mode)? {
            header.xattrs = xattrs;
        }
        if let Some(target) = &header.symlink_target {
            rustix::fs::symlinkat(target.as_str(), dir, name)
                .at(|| format!("symlinkat({name})"))?;
            return self.dress_link(dir, name, &header);
        }
        match self.user_mode {
            // Whoever made the checkout must be able to read it.
            true => {
                let mode = header.mode & 0o1777 | 0o400;
                write_new(dir, name, content, mode, None, self.options.fsync)
            }
            false => write_new(
                dir,
                name,
                content,
                header.mode,
                Some(&header),
                self.options.fsync,
            ),
        }
    }

    fn dress_link(&self, dir: BorrowedFd<'_>, name: &str, header: &FileHeader) -> Result<()> {
        if self.user_mode {
            return Ok(());
        }
        crate::owner::lchownat(dir, name, header.uid, header.gid)
            .at(|| format!("fchownat({name})"))?;
        for (key, value) in header.xattrs.iter() {
            osier_sys::xattr::set_at(dir, name.as_bytes(), key, value)
                .at(|| format!("lsetxattr({name}, {})", String::from_utf8_lossy(key)))?;
        }
        Ok(())
    }

    /// Places a file where something may be, by the union rules.
    fn put_over(
        &self,
        dir: BorrowedFd<'_>,
        name: &str,
        id: &ContentId,
        labelled_as: Option<&str>,
    ) -> Result<bool> {
        let there = match rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(st) => st,
            Err(Errno::NOENT) => return self.put(dir, name, id, labelled_as),
            Err(e) => return Err(e).at(|| format!("stat({name})")),
        };
        let is_dir = FileType::from_raw_mode(there.st_mode) == FileType::Directory;
        match self.options.existing {
            Existing::UnionAdd => return Ok(false),
            Existing::UnionIdentical => {
                if !is_dir && self.is_identical(dir, name, &there, id)? {
                    return Ok(false);
                }
                return Err(Errno::EXIST).at(|| format!("linkat({name})"));
            }
            // What would become a link to the same content is left alone; a copy is always made anew.
            Existing::Union if (self.try_link || self.cache.is_some()) && !is_dir => {
                if self.is_identical(dir, name, &there, id)? {
                    return Ok(false);
                }
            }
            Existing::Union | Existing::Fail => {}
        }
        if is_dir {
            if !self.options.whiteouts {
                return Err(Errno::ISDIR).at(|| format!("renameat({name})"));
            }
            crate::remove_tree::remove_all(dir, name).at(|| format!("removing {name}"))?;
            return self.put(dir, name, id, labelled_as);
        }
        // Under another name first, so that the old file is there until the new one is complete.
        let tmp = temp_name(".ostree-tmp");
        let linked = self.put(dir, &tmp, id, labelled_as)?;
        let renamed = rustix::fs::renameat(dir, &tmp, dir, name).at(|| format!("renameat({name})"));
        // Renaming a file onto another name of itself does nothing.
        match rustix::fs::unlinkat(dir, &tmp, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(e) => return Err(e).at(|| format!("unlinkat({tmp})")),
        }
        renamed.map(|()| linked)
    }

    fn is_identical(
        &self,
        dir: BorrowedFd<'_>,
        name: &str,
        there: &rustix::fs::Stat,
        id: &ContentId,
    ) -> Result<bool> {
        let path = ObjectName {
            checksum: id.0,
            ty: ObjectType::File,
        }
        .loose_path(false);
        for objects in self.link_dirs() {
            if let Ok(st) = rustix::fs::statat(objects, &path, AtFlags::SYMLINK_NOFOLLOW)
                && (st.st_dev, st.st_ino) == (there.st_dev, there.st_ino)
            {
                return Ok(true);
            }
        }
        let content = self.objects.open_content(id)?;
        let kind = FileType::from_raw_mode(there.st_mode);
        let mut hasher = Sha256::new();
        // In user mode the owner on disk is whoever made the checkout.
        let (uid, gid, xattrs) = match self.user_mode {
            true => (
                content.header.uid,
                content.header.gid,
                content.header.xattrs.clone(),
            ),
            false => {
                let pairs = osier_sys::xattr::read_at(dir, name.as_bytes())
                    .at(|| format!("reading attributes of {name}"))?;
                (
                    there.st_uid,
                    there.st_gid,
                    crate::content::disk_xattrs(pairs),
                )
            }
        };
        let mut header = FileHeader {
            uid,
            gid,
            mode: there.st_mode,
            symlink_target: None,
            xattrs,
        };
        if kind == FileType::Symlink {
            let target = rustix::fs::readlinkat(dir, name, Vec::new())
                .at(|| format!("readlinkat({name})"))?;
            header.symlink_target = Some(target.to_string_lossy().into_owned());
            hasher.update(header.hash_framing());
        } else if kind == FileType::RegularFile && there.st_size as u64 == content.size {
            hasher.update(header.hash_framing());
            let flags = rustix::fs::OFlags::RDONLY
                | rustix::fs::OFlags::NOFOLLOW
                | rustix::fs::OFlags::CLOEXEC;
            let fd = rustix::fs::openat(dir, name, flags, rustix::fs::Mode::empty())
                .at(|| format!("openat({name})"))?;
            let mut file = std::fs::File::from(fd);
            let mut chunk = vec![0u8; 128 * 1024];
            loop {
                let n = file.read(&mut chunk).at(|| format!("reading {name}"))?;
                if n == 0 {
                    break;
                }
                hasher.update(&chunk[..n]);
            }
        } else {
            return Ok(false);
        }
        let digest: [u8; 32] = hasher.finalize().into();
        Ok(digest == id.0.0)
    }
}

enum Linked {
    Yes,
    /// This object is never linked.
    NotThisOne,
    /// The kernel would not.
    Refused(Errno),
}
