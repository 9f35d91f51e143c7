//! The operations on the guarded tree.

use crate::guard::{self, Content, is_shared};
use crate::handles::{Handles, Listing};
use crate::nodes::{Found, Identity, Node, Nodes, identity};
use rustix::fs::{
    Access, AtFlags, FallocateFlags, FileType, Gid, Mode, OFlags, RenameFlags, SeekFrom, Stat,
    StatVfs, Timestamps, Uid, XattrFlags,
};
use rustix::io::{Errno, Result};
use std::ffi::{CString, OsStr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

/// What the guard does.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// Copy a shared file before it changes, instead of refusing the change.
    pub copy_up: bool,
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// Changes of attributes; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Permission bits.
    pub mode: Option<u32>,
    /// Owner.
    pub uid: Option<u32>,
    /// Group.
    pub gid: Option<u32>,
    /// Length.
    pub size: Option<u64>,
    /// Times of access and modification, either of which may be "leave it".
    pub times: Option<Timestamps>,
}

impl Change {
    /// Whether more than times changes. Times are no part of an object, and builds set them often: the C program lets
    /// them through, and so do we.
    fn touches_object(&self) -> bool {
        self.mode.is_some() || self.uid.is_some() || self.gid.is_some() || self.size.is_some()
    }
}

/// The guarded tree.
#[derive(Debug)]
pub struct View {
    /// What the kernel knows.
    pub nodes: Nodes,
    /// Open files.
    pub files: Handles<OwnedFd>,
    /// Open directories.
    pub listings: Handles<Listing>,
    settings: Settings,
    me: Caller,
}

impl View {
    /// The guarded view of the tree below `top`.
    pub fn new(nodes: Nodes, settings: Settings) -> View {
        let me = Caller {
            uid: rustix::process::geteuid().as_raw(),
            gid: rustix::process::getegid().as_raw(),
        };
        View {
            nodes,
            files: Handles::default(),
            listings: Handles::default(),
            settings,
            me,
        }
    }

    /// `lookup`.
    pub fn look_up(&self, parent: u64, name: &OsStr) -> Result<(Arc<Node>, Stat)> {
        let parent = self.nodes.get(parent)?;
        self.nodes.look_up(&parent, name)
    }

    /// `getattr`.
    pub fn attributes(&self, number: u64, file: Option<u64>) -> Result<Stat> {
        let node = self.nodes.get(number)?;
        match (self.nodes.find(&node), file) {
            (Ok(found), _) => Ok(found.stat),
            (Err(_), Some(file)) => rustix::fs::fstat(&*self.files.get(file)?),
            (Err(error), None) => Err(error),
        }
    }

    /// `readlink`.
    pub fn target(&self, number: u64) -> Result<CString> {
        let found = self.find(number)?;
        rustix::fs::readlinkat(found.as_fd(), "", Vec::new())
    }

    /// `setattr`: the attributes afterwards.
    pub fn change(&self, number: u64, change: &Change, file: Option<u64>) -> Result<Stat> {
        let node = self.nodes.get(number)?;
        let found = match self.nodes.find(&node) {
            Err(error) => {
                // Its name is gone, but it is open.
                let file = self.files.get(file.ok_or(error)?)?;
                return self.change_open(&file, change);
            }
            Ok(found) => found,
        };
        if !change.touches_object() || !is_shared(&found.stat) {
            let file = file.and_then(|file| self.files.get(file).ok());
            return self.apply(&found, change, file.as_deref());
        }
        let content = if change.size == Some(0) {
            Content::Dropped
        } else {
            Content::Kept
        };
        let copy = self.unshare(&node, content)?;
        // The handle that came along is of the shared file.
        self.apply(&copy, change, None)
    }

    fn change_open(&self, file: &OwnedFd, change: &Change) -> Result<Stat> {
        if change.touches_object() && is_shared(&rustix::fs::fstat(file)?) {
            return Err(Errno::ROFS);
        }
        if change.uid.is_some() || change.gid.is_some() {
            rustix::fs::fchown(
                file,
                change.uid.map(Uid::from_raw),
                change.gid.map(Gid::from_raw),
            )?;
        }
        if let Some(mode) = change.mode {
            rustix::fs::fchmod(file, Mode::from_raw_mode(mode & 0o7777))?;
        }
        if let Some(size) = change.size {
            rustix::fs::ftruncate(file, size)?;
        }
        if let Some(times) = &change.times {
            rustix::fs::futimens(file, times)?;
        }
        rustix::fs::fstat(file)
    }

    fn apply(&self, found: &Found, change: &Change, file: Option<&OwnedFd>) -> Result<Stat> {
        let fd = found.as_fd();
        if change.uid.is_some() || change.gid.is_some() {
            let (uid, gid) = (change.uid.map(Uid::from_raw), change.gid.map(Gid::from_raw));
            rustix::fs::chownat(fd, "", uid, gid, AtFlags::EMPTY_PATH)?;
        }
        if let Some(mode) = change.mode {
            // There is no chmod by handle before Linux 6.6 but this one.
            rustix::fs::chmod(guard::proc_path(fd), Mode::from_raw_mode(mode & 0o7777))?;
        }
        if let Some(size) = change.size {
            // A handle from before the file was copied up is another file's by now.
            let file = file.filter(|file| {
                rustix::fs::fstat(file).is_ok_and(|s| identity(&s) == identity(&found.stat))
            });
            match file {
                Some(file) => rustix::fs::ftruncate(file, size)?,
                None => rustix::fs::ftruncate(
                    guard::reopen(fd, OFlags::WRONLY | OFlags::NONBLOCK)?,
                    size,
                )?,
            }
        }
        if let Some(times) = &change.times {
            rustix::fs::utimensat(fd, "", times, AtFlags::EMPTY_PATH)?;
        }
        rustix::fs::fstat(fd)
    }

    /// `open`: the number of the open file.
    pub fn open(&self, number: u64, flags: OFlags) -> Result<u64> {
        let node = self.nodes.get(number)?;
        let found = self.nodes.find(&node)?;
        let cuts = flags.contains(OFlags::TRUNC);
        let found = if is_shared(&found.stat) && writes(flags) {
            self.unshare(
                &node,
                if cuts {
                    Content::Dropped
                } else {
                    Content::Kept
                },
            )?
        } else {
            found
        };
        let file = guard::reopen(found.as_fd(), passed_on(flags))?;
        // Links may have been made since: the file that is open is the one that counts, before anything is cut.
        if writes(flags) && is_shared(&rustix::fs::fstat(&file)?) {
            return Err(Errno::ROFS);
        }
        if cuts {
            if access_mode(flags) == OFlags::RDONLY {
                rustix::fs::ftruncate(guard::reopen(found.as_fd(), OFlags::WRONLY)?, 0)?;
            } else {
                rustix::fs::ftruncate(&file, 0)?;
            }
        }
        Ok(self.files.insert(file))
    }

    /// `create`: the node, its attributes, the number of the open file.
    pub fn create(
        &self,
        parent: u64,
        name: &OsStr,
        mode: u32,
        flags: OFlags,
        caller: Caller,
    ) -> Result<(Arc<Node>, Stat, u64)> {
        let parent = self.nodes.get(parent)?;
        let dir = parent.dir()?;
        let made =
            passed_on(flags) | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::openat(dir, name, made, Mode::from_raw_mode(mode & 0o7777)) {
            Ok(file) => {
                self.give(&file, dir, mode, caller)?;
                let (node, stat) = self.nodes.look_up(&parent, name)?;
                Ok((node, stat, self.files.insert(file)))
            }
            // The kernel believed that there was none, or it came meanwhile: then it is opened, with all that guards it.
            Err(Errno::EXIST) if !flags.contains(OFlags::EXCL) => {
                let (node, _) = self.nodes.look_up(&parent, name)?;
                let opened = self
                    .open(node.number, flags)
                    .and_then(|file| Ok((file, self.nodes.find(&node)?.stat)));
                match opened {
                    Ok((file, stat)) => Ok((node, stat, file)),
                    Err(error) => {
                        self.nodes.forget(node.number, 1);
                        Err(error)
                    }
                }
            }
            Err(error) => Err(error),
        }
    }

    /// `mkdir`.
    pub fn make_dir(
        &self,
        parent: u64,
        name: &OsStr,
        mode: u32,
        caller: Caller,
    ) -> Result<(Arc<Node>, Stat)> {
        let parent = self.nodes.get(parent)?;
        let dir = parent.dir()?;
        rustix::fs::mkdirat(dir, name, Mode::from_raw_mode(mode & 0o7777))?;
        self.give_named(&parent, name, mode, caller)
    }

    /// `mknod`: only regular files, as with the C program.
    pub fn make_node(
        &self,
        parent: u64,
        name: &OsStr,
        mode: u32,
        caller: Caller,
    ) -> Result<(Arc<Node>, Stat)> {
        if FileType::from_raw_mode(mode) != FileType::RegularFile {
            return Err(Errno::ROFS);
        }
        let parent = self.nodes.get(parent)?;
        let permissions = Mode::from_raw_mode(mode & 0o7777);
        rustix::fs::mknodat(parent.dir()?, name, FileType::RegularFile, permissions, 0)?;
        self.give_named(&parent, name, mode, caller)
    }

    /// `symlink`.
    pub fn make_symlink(
        &self,
        parent: u64,
        name: &OsStr,
        target: &OsStr,
        caller: Caller,
    ) -> Result<(Arc<Node>, Stat)> {
        let parent = self.nodes.get(parent)?;
        rustix::fs::symlinkat(target, parent.dir()?, name)?;
        self.give_named(&parent, name, 0, caller)
    }

    /// `link`.
    pub fn link(&self, number: u64, parent: u64, name: &OsStr) -> Result<(Arc<Node>, Stat)> {
        let node = self.nodes.get(number)?;
        let parent = self.nodes.get(parent)?;
        let (from, old) = node.spot().ok_or(Errno::NOENT)?;
        rustix::fs::linkat(from.dir()?, old, parent.dir()?, name, AtFlags::empty())?;
        self.nodes.look_up(&parent, name)
    }

    /// `unlink` and `rmdir`.
    pub fn remove(&self, parent: u64, name: &OsStr, flags: AtFlags) -> Result<()> {
        let parent = self.nodes.get(parent)?;
        let dir = parent.dir()?;
        self.nodes
            .remove(&parent, name, || rustix::fs::unlinkat(dir, name, flags))
    }

    /// `rename`.
    pub fn rename(&self, from: (u64, &OsStr), to: (u64, &OsStr), flags: RenameFlags) -> Result<()> {
        let (from_dir, to_dir) = (self.nodes.get(from.0)?, self.nodes.get(to.0)?);
        let exchange = flags.contains(RenameFlags::EXCHANGE);
        self.nodes
            .rename((&from_dir, from.1), (&to_dir, to.1), exchange, || {
                rustix::fs::renameat_with(from_dir.dir()?, from.1, to_dir.dir()?, to.1, flags)
            })
    }

    /// `opendir`.
    pub fn open_dir(&self, number: u64) -> Result<u64> {
        let node = self.nodes.get(number)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rustix::fs::openat(node.dir()?, ".", flags, Mode::empty())?;
        Ok(self.listings.insert(Listing::new(dir)))
    }

    /// `access`.
    pub fn access(&self, number: u64, access: Access) -> Result<()> {
        let found = self.find(number)?;
        match rustix::fs::accessat(
            found.as_fd(),
            "",
            access,
            AtFlags::EACCESS | AtFlags::EMPTY_PATH,
        ) {
            // Before Linux 5.8.
            Err(Errno::NOSYS | Errno::INVAL) => {
                rustix::fs::access(guard::proc_path(found.as_fd()), access)
            }
            other => other,
        }
    }

    /// `statfs`.
    pub fn file_system(&self) -> Result<StatVfs> {
        let top = self.nodes.get(crate::nodes::ROOT)?;
        rustix::fs::fstatvfs(top.dir()?)
    }

    /// `getxattr` and `listxattr`: what the kernel writes into a buffer of `size`, or how much that is when it is 0.
    pub fn attribute(
        &self,
        number: u64,
        name: Option<&OsStr>,
        size: usize,
    ) -> Result<(usize, Vec<u8>)> {
        let node = self.nodes.get(number)?;
        let found = self.nodes.find(&node)?;
        // Asked for the size alone: rustix does not pass an empty buffer's answer on, and the kernel's bound is this.
        let mut buffer = vec![0; if size == 0 { 64 * 1024 } else { size }];
        let length = match (Named::of(&node, &found)?, name) {
            (Named::File(path), Some(name)) => rustix::fs::getxattr(path, name, &mut buffer[..])?,
            (Named::File(path), None) => rustix::fs::listxattr(path, &mut buffer[..])?,
            (Named::Symlink(path), Some(name)) => {
                rustix::fs::lgetxattr(path.as_c_str(), name, &mut buffer[..])?
            }
            (Named::Symlink(path), None) => {
                rustix::fs::llistxattr(path.as_c_str(), &mut buffer[..])?
            }
        };
        buffer.truncate(length);
        Ok((length, buffer))
    }

    /// `setxattr`.
    pub fn set_attribute(
        &self,
        number: u64,
        name: &OsStr,
        value: &[u8],
        flags: XattrFlags,
    ) -> Result<()> {
        let node = self.nodes.get(number)?;
        match Named::of(&node, &self.writable(&node)?)? {
            Named::File(path) => rustix::fs::setxattr(path, name, value, flags),
            Named::Symlink(path) => rustix::fs::lsetxattr(path.as_c_str(), name, value, flags),
        }
    }

    /// `removexattr`.
    pub fn remove_attribute(&self, number: u64, name: &OsStr) -> Result<()> {
        let node = self.nodes.get(number)?;
        match Named::of(&node, &self.writable(&node)?)? {
            Named::File(path) => rustix::fs::removexattr(path, name),
            Named::Symlink(path) => rustix::fs::lremovexattr(path.as_c_str(), name),
        }
    }

    /// `fallocate`.
    pub fn allocate(&self, file: u64, mode: i32, offset: u64, length: u64) -> Result<()> {
        let flags = FallocateFlags::from_bits_retain(mode.cast_unsigned());
        rustix::fs::fallocate(&*self.files.get(file)?, flags, offset, length)
    }

    /// `lseek`, for data and holes.
    pub fn seek(&self, file: u64, to: SeekFrom) -> Result<u64> {
        rustix::fs::seek(&*self.files.get(file)?, to)
    }

    /// Gives up a file that only one name has; otherwise copies it or refuses.
    fn unshare(&self, node: &Arc<Node>, content: Content) -> Result<Found> {
        if self.settings.copy_up {
            guard::copy_up(&self.nodes, node, content)
        } else {
            Err(Errno::ROFS)
        }
    }

    /// The node's file, ready to be changed.
    fn writable(&self, node: &Arc<Node>) -> Result<Found> {
        let found = self.nodes.find(node)?;
        if is_shared(&found.stat) {
            self.unshare(node, Content::Kept)
        } else {
            Ok(found)
        }
    }

    fn find(&self, number: u64) -> Result<Found> {
        self.nodes.find(&self.nodes.get(number)?)
    }

    /// What another user makes through the mount is his, not the mount's owner's.
    fn give(&self, made: &OwnedFd, dir: BorrowedFd<'_>, mode: u32, caller: Caller) -> Result<()> {
        let Some((uid, gid)) = self.new_owner(dir, caller)? else {
            return Ok(());
        };
        rustix::fs::fchown(made, Some(uid), gid)?;
        if mode & 0o6000 != 0 {
            // Giving it away cleared them.
            rustix::fs::fchmod(made, Mode::from_raw_mode(mode & 0o7777))?;
        }
        Ok(())
    }

    fn give_named(
        &self,
        parent: &Arc<Node>,
        name: &OsStr,
        mode: u32,
        caller: Caller,
    ) -> Result<(Arc<Node>, Stat)> {
        let (node, stat) = self.nodes.look_up(parent, name)?;
        let Some((uid, gid)) = self.new_owner(parent.dir()?, caller)? else {
            return Ok((node, stat));
        };
        let change = Change {
            uid: Some(uid.as_raw()),
            gid: gid.map(Gid::as_raw),
            mode: (mode & 0o6000 != 0).then_some(mode),
            ..Change::default()
        };
        let given = self.nodes.find(&node).and_then(|found| {
            // Made a moment ago; only if it still is what was made.
            self.same(&found, identity(&stat))?;
            self.apply(&found, &change, None)
        });
        match given {
            Ok(stat) => Ok((node, stat)),
            Err(error) => {
                self.nodes.forget(node.number, 1);
                Err(error)
            }
        }
    }

    fn same(&self, found: &Found, made: Identity) -> Result<()> {
        if identity(&found.stat) == made {
            Ok(())
        } else {
            Err(Errno::STALE)
        }
    }

    fn new_owner(&self, dir: BorrowedFd<'_>, caller: Caller) -> Result<Option<(Uid, Option<Gid>)>> {
        if self.me.uid != 0 || (caller.uid, caller.gid) == (self.me.uid, self.me.gid) {
            return Ok(None);
        }
        let inherits = rustix::fs::fstat(dir)?.st_mode & 0o2000 != 0;
        let gid = (!inherits).then(|| Gid::from_raw(caller.gid));
        Ok(Some((Uid::from_raw(caller.uid), gid)))
    }
}

/// How the calls on attributes, which take no bare handle, are told of a file.
enum Named {
    /// Through its handle, which nothing can replace.
    File(String),
    /// Symbolic links would be followed there: by name, below their directory's handle, with the calls that do not.
    Symlink(CString),
}

impl Named {
    fn of(node: &Node, found: &Found) -> Result<Named> {
        if FileType::from_raw_mode(found.stat.st_mode) != FileType::Symlink {
            return Ok(Named::File(guard::proc_path(found.as_fd())));
        }
        let (parent, name) = node.spot().ok_or(Errno::STALE)?;
        let mut path = format!("{}/", guard::proc_path(parent.dir()?)).into_bytes();
        path.extend_from_slice(name.as_bytes());
        Ok(Named::Symlink(
            CString::new(path).map_err(|_| Errno::INVAL)?,
        ))
    }
}

/// The flags that mean something for the file below: how to access it and how to write. The rest is the kernel's.
fn passed_on(flags: OFlags) -> OFlags {
    let kept = OFlags::APPEND | OFlags::SYNC | OFlags::DSYNC | OFlags::NOATIME;
    access_mode(flags) | (flags & kept)
}

fn access_mode(flags: OFlags) -> OFlags {
    flags & OFlags::RWMODE
}

/// Whether an open may change the file. `O_RDONLY | O_TRUNC` does.
fn writes(flags: OFlags) -> bool {
    access_mode(flags) != OFlags::RDONLY || flags.contains(OFlags::TRUNC)
}
