//! FUSE's requests, turned into operations of the view and their outcome into replies.

use crate::nodes::Node;
use crate::view::{Caller, Change, View};
use fuser::{
    AccessFlags, BsdFileFlags, CopyFileRangeFlags, Errno, FileAttr, FileHandle, Filesystem,
    FopenFlags, Generation, INodeNo, InitFlags, KernelConfig, LockOwner, Notifier, OpenFlags,
    RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory, ReplyDirectoryPlus, ReplyEmpty,
    ReplyEntry, ReplyLseek, ReplyOpen, ReplyStatfs, ReplyWrite, ReplyXattr, Request, TimeOrNow,
    WriteFlags,
};
use rustix::fs::{
    Access, AtFlags, FileType, OFlags, SeekFrom, Stat, Timespec, Timestamps, XattrFlags,
};
use std::cell::RefCell;
use std::ffi::OsStr;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What the kernel may remember, and for how long. A second is what the C program allows: so late may a change made
/// below the mount be seen through it.
#[derive(Clone, Copy, Debug)]
pub struct Caching {
    /// That a name is there.
    pub entry: Duration,
    /// That a name is not there.
    pub negative: Duration,
    /// Attributes.
    pub attributes: Duration,
    /// Content, from one open to the next.
    pub content: bool,
    /// Nothing of the content at all.
    pub direct: bool,
}

impl Default for Caching {
    fn default() -> Self {
        let second = Duration::from_secs(1);
        Caching {
            entry: second,
            negative: Duration::ZERO,
            attributes: second,
            content: false,
            direct: false,
        }
    }
}

/// The guarded tree as FUSE has it.
#[derive(Debug)]
pub struct Service {
    view: Arc<View>,
    caching: Caching,
    notifier: Arc<OnceLock<Notifier>>,
}

impl Service {
    /// Serves `view`. The notifier comes when there is a session.
    pub fn new(view: Arc<View>, caching: Caching, notifier: Arc<OnceLock<Notifier>>) -> Service {
        Service {
            view,
            caching,
            notifier,
        }
    }

    fn entry(&self, outcome: rustix::io::Result<(Arc<Node>, Stat)>, reply: ReplyEntry) {
        match outcome {
            Ok((node, stat)) => {
                let attr = attributes(node.number, &stat);
                reply.entry_with_ttls(
                    &self.caching.attributes,
                    &self.caching.entry,
                    &attr,
                    Generation(0),
                );
            }
            Err(error) => reply.error(errno(error)),
        }
    }

    fn attr(&self, ino: INodeNo, outcome: rustix::io::Result<Stat>, reply: ReplyAttr) {
        match outcome {
            Ok(stat) => reply.attr(&self.caching.attributes, &attributes(ino.0, &stat)),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn open_flags(&self) -> FopenFlags {
        let mut flags = FopenFlags::empty();
        flags.set(FopenFlags::FOPEN_KEEP_CACHE, self.caching.content);
        flags.set(FopenFlags::FOPEN_DIRECT_IO, self.caching.direct);
        flags
    }
}

impl Filesystem for Service {
    fn init(&mut self, _: &Request, config: &mut KernelConfig) -> io::Result<()> {
        // Each by itself: an old kernel lacks some, and does without.
        for wanted in [
            InitFlags::FUSE_ATOMIC_O_TRUNC,
            InitFlags::FUSE_AUTO_INVAL_DATA,
            InitFlags::FUSE_DO_READDIRPLUS,
            InitFlags::FUSE_READDIRPLUS_AUTO,
            InitFlags::FUSE_PARALLEL_DIROPS,
            InitFlags::FUSE_CACHE_SYMLINKS,
            InitFlags::FUSE_ASYNC_DIO,
        ] {
            if let Err(missing) = config.add_capabilities(wanted) {
                log::debug!("this kernel has no {missing:?}");
            }
        }
        Ok(())
    }

    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        match self.view.look_up(parent.0, name) {
            Err(rustix::io::Errno::NOENT) if !self.caching.negative.is_zero() => {
                // Number 0 says that there is no such name, for as long as may be remembered.
                reply.entry(
                    &self.caching.negative,
                    &blank(0, FileType::RegularFile),
                    Generation(0),
                );
            }
            outcome => self.entry(outcome, reply),
        }
    }

    fn forget(&self, _: &Request, ino: INodeNo, nlookup: u64) {
        self.view.nodes.forget(ino.0, nlookup);
    }

    fn getattr(&self, _: &Request, ino: INodeNo, fh: Option<FileHandle>, reply: ReplyAttr) {
        self.attr(ino, self.view.attributes(ino.0, fh.map(|fh| fh.0)), reply);
    }

    fn setattr(
        &self,
        _: &Request,
        ino: INodeNo,
        mode: Option<u32>,
        uid: Option<u32>,
        gid: Option<u32>,
        size: Option<u64>,
        atime: Option<TimeOrNow>,
        mtime: Option<TimeOrNow>,
        _ctime: Option<SystemTime>,
        fh: Option<FileHandle>,
        _crtime: Option<SystemTime>,
        _chgtime: Option<SystemTime>,
        _bkuptime: Option<SystemTime>,
        _flags: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let times = (atime.is_some() || mtime.is_some()).then(|| Timestamps {
            last_access: timespec(atime),
            last_modification: timespec(mtime),
        });
        let change = Change {
            mode,
            uid,
            gid,
            size,
            times,
        };
        self.attr(
            ino,
            self.view.change(ino.0, &change, fh.map(|fh| fh.0)),
            reply,
        );
    }

    fn readlink(&self, _: &Request, ino: INodeNo, reply: ReplyData) {
        match self.view.target(ino.0) {
            Ok(target) => reply.data(target.as_bytes()),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn mknod(
        &self,
        req: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _umask: u32,
        _rdev: u32,
        reply: ReplyEntry,
    ) {
        self.entry(
            self.view.make_node(parent.0, name, mode, caller(req)),
            reply,
        );
    }

    fn mkdir(
        &self,
        req: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _umask: u32,
        reply: ReplyEntry,
    ) {
        self.entry(self.view.make_dir(parent.0, name, mode, caller(req)), reply);
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        done(self.view.remove(parent.0, name, AtFlags::empty()), reply);
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        done(self.view.remove(parent.0, name, AtFlags::REMOVEDIR), reply);
    }

    fn symlink(
        &self,
        req: &Request,
        parent: INodeNo,
        link_name: &OsStr,
        target: &Path,
        reply: ReplyEntry,
    ) {
        let outcome = self
            .view
            .make_symlink(parent.0, link_name, target.as_os_str(), caller(req));
        self.entry(outcome, reply);
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        newparent: INodeNo,
        newname: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let flags = rustix::fs::RenameFlags::from_bits_retain(flags.bits());
        done(
            self.view
                .rename((parent.0, name), (newparent.0, newname), flags),
            reply,
        );
    }

    fn link(
        &self,
        _: &Request,
        ino: INodeNo,
        newparent: INodeNo,
        newname: &OsStr,
        reply: ReplyEntry,
    ) {
        let outcome = self.view.link(ino.0, newparent.0, newname);
        if outcome.is_ok()
            && let Some(notifier) = self.notifier.get()
        {
            // The old name's link count rose, which the kernel does not know: attributes only, no content. A failure
            // means that it has forgotten them already.
            let _ = notifier.inval_inode(ino, -1, 0);
        }
        self.entry(outcome, reply);
    }

    fn open(&self, _: &Request, ino: INodeNo, flags: OpenFlags, reply: ReplyOpen) {
        match self
            .view
            .open(ino.0, OFlags::from_bits_retain(flags.0.cast_unsigned()))
        {
            Ok(file) => reply.opened(FileHandle(file), self.open_flags()),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn create(
        &self,
        req: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _umask: u32,
        flags: i32,
        reply: ReplyCreate,
    ) {
        let flags = OFlags::from_bits_retain(flags.cast_unsigned());
        match self.view.create(parent.0, name, mode, flags, caller(req)) {
            Ok((node, stat, file)) => {
                let attr = attributes(node.number, &stat);
                // One time for both: the shorter.
                let ttl = self.caching.attributes.min(self.caching.entry);
                reply.created(
                    &ttl,
                    &attr,
                    Generation(0),
                    FileHandle(file),
                    self.open_flags(),
                );
            }
            Err(error) => reply.error(errno(error)),
        }
    }

    fn read(
        &self,
        _: &Request,
        _ino: INodeNo,
        fh: FileHandle,
        offset: u64,
        size: u32,
        _flags: OpenFlags,
        _lock_owner: Option<LockOwner>,
        reply: ReplyData,
    ) {
        thread_local! {
            static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        }
        BUFFER.with_borrow_mut(|buffer| {
            let size = size as usize;
            if buffer.len() < size {
                buffer.resize(size, 0);
            }
            let outcome = self
                .view
                .files
                .get(fh.0)
                .and_then(|file| fill(file.as_fd(), &mut buffer[..size], offset));
            match outcome {
                Ok(length) => reply.data(&buffer[..length]),
                Err(error) => reply.error(errno(error)),
            }
        });
    }

    fn write(
        &self,
        _: &Request,
        _ino: INodeNo,
        fh: FileHandle,
        offset: u64,
        data: &[u8],
        _write_flags: WriteFlags,
        _flags: OpenFlags,
        _lock_owner: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let outcome = self.view.files.get(fh.0);
        match outcome
            .and_then(|file| rustix::io::retry_on_intr(|| rustix::io::pwrite(&*file, data, offset)))
        {
            Ok(written) => reply.written(u32::try_from(written).unwrap_or(u32::MAX)),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn release(
        &self,
        _: &Request,
        _ino: INodeNo,
        fh: FileHandle,
        _flags: OpenFlags,
        _lock_owner: Option<LockOwner>,
        _flush: bool,
        reply: ReplyEmpty,
    ) {
        self.view.files.remove(fh.0);
        reply.ok();
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        // Nothing is held back: the kernel need not ask at each close.
        reply.error(Errno::ENOSYS);
    }

    fn fsync(&self, _: &Request, _ino: INodeNo, fh: FileHandle, datasync: bool, reply: ReplyEmpty) {
        let outcome = self
            .view
            .files
            .get(fh.0)
            .and_then(|file| sync(file.as_fd(), datasync));
        done(outcome, reply);
    }

    fn opendir(&self, _: &Request, ino: INodeNo, _flags: OpenFlags, reply: ReplyOpen) {
        match self.view.open_dir(ino.0) {
            Ok(listing) => reply.opened(FileHandle(listing), FopenFlags::empty()),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn readdir(
        &self,
        _: &Request,
        _ino: INodeNo,
        fh: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        // Numbers are given when a name is looked up; a listing has none to tell.
        let unknown = INodeNo(u64::from(u32::MAX));
        let outcome = self.view.listings.get(fh.0).and_then(|listing| {
            listing.read(offset, |entry| {
                reply.add(unknown, entry.next, kind(entry.kind), entry.name)
            })
        });
        match outcome {
            Ok(()) => reply.ok(),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn readdirplus(
        &self,
        _: &Request,
        ino: INodeNo,
        fh: FileHandle,
        offset: u64,
        mut reply: ReplyDirectoryPlus,
    ) {
        let ttl = self.caching.attributes.min(self.caching.entry);
        let outcome = self.view.nodes.get(ino.0).and_then(|parent| {
            self.view.listings.get(fh.0)?.read(offset, |entry| {
                let (attr, ttl) = if entry.name == "." || entry.name == ".." {
                    // The kernel looks at the name only, and counts nothing.
                    (blank(ino.0, FileType::Directory), Duration::ZERO)
                } else {
                    match self.view.nodes.look_up(&parent, entry.name) {
                        Ok((node, stat)) => (attributes(node.number, &stat), ttl),
                        Err(_) => (blank(self.view.nodes.phantom(), entry.kind), Duration::ZERO),
                    }
                };
                let full = reply.add(attr.ino, entry.next, entry.name, &ttl, &attr, Generation(0));
                if full && attr.ino != ino {
                    self.view.nodes.forget(attr.ino.0, 1);
                }
                full
            })
        });
        match outcome {
            Ok(()) => reply.ok(),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn releasedir(
        &self,
        _: &Request,
        _ino: INodeNo,
        fh: FileHandle,
        _flags: OpenFlags,
        reply: ReplyEmpty,
    ) {
        self.view.listings.remove(fh.0);
        reply.ok();
    }

    fn fsyncdir(
        &self,
        _: &Request,
        _ino: INodeNo,
        fh: FileHandle,
        datasync: bool,
        reply: ReplyEmpty,
    ) {
        let outcome = self.view.listings.get(fh.0);
        done(
            outcome.and_then(|listing| listing.with(|dir| sync(dir.as_fd(), datasync))),
            reply,
        );
    }

    fn statfs(&self, _: &Request, _ino: INodeNo, reply: ReplyStatfs) {
        let narrow = |wide: u64| u32::try_from(wide).unwrap_or(u32::MAX);
        match self.view.file_system() {
            Ok(s) => reply.statfs(
                s.f_blocks,
                s.f_bfree,
                s.f_bavail,
                s.f_files,
                s.f_ffree,
                narrow(s.f_bsize),
                narrow(s.f_namemax),
                narrow(s.f_frsize),
            ),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn setxattr(
        &self,
        _: &Request,
        ino: INodeNo,
        name: &OsStr,
        value: &[u8],
        flags: i32,
        _position: u32,
        reply: ReplyEmpty,
    ) {
        let flags = XattrFlags::from_bits_retain(flags.cast_unsigned());
        done(self.view.set_attribute(ino.0, name, value, flags), reply);
    }

    fn getxattr(&self, _: &Request, ino: INodeNo, name: &OsStr, size: u32, reply: ReplyXattr) {
        attribute(
            self.view.attribute(ino.0, Some(name), size as usize),
            size,
            reply,
        );
    }

    fn listxattr(&self, _: &Request, ino: INodeNo, size: u32, reply: ReplyXattr) {
        attribute(self.view.attribute(ino.0, None, size as usize), size, reply);
    }

    fn removexattr(&self, _: &Request, ino: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        done(self.view.remove_attribute(ino.0, name), reply);
    }

    fn access(&self, _: &Request, ino: INodeNo, mask: AccessFlags, reply: ReplyEmpty) {
        let access = Access::from_bits_retain(mask.bits().cast_unsigned());
        done(self.view.access(ino.0, access), reply);
    }

    fn fallocate(
        &self,
        _: &Request,
        _ino: INodeNo,
        fh: FileHandle,
        offset: u64,
        length: u64,
        mode: i32,
        reply: ReplyEmpty,
    ) {
        done(self.view.allocate(fh.0, mode, offset, length), reply);
    }

    fn lseek(
        &self,
        _: &Request,
        _ino: INodeNo,
        fh: FileHandle,
        offset: i64,
        whence: i32,
        reply: ReplyLseek,
    ) {
        // The kernel counts the rest itself: only data and holes are the file system's to know.
        let to = match (whence, u64::try_from(offset)) {
            (SEEK_DATA, Ok(offset)) => SeekFrom::Data(offset),
            (SEEK_HOLE, Ok(offset)) => SeekFrom::Hole(offset),
            _ => return reply.error(Errno::EINVAL),
        };
        match self.view.seek(fh.0, to) {
            Ok(at) => reply.offset(i64::try_from(at).unwrap_or(i64::MAX)),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn copy_file_range(
        &self,
        _: &Request,
        _ino_in: INodeNo,
        fh_in: FileHandle,
        offset_in: u64,
        _ino_out: INodeNo,
        fh_out: FileHandle,
        offset_out: u64,
        len: u64,
        _flags: CopyFileRangeFlags,
        reply: ReplyWrite,
    ) {
        let (mut from, mut to) = (offset_in, offset_out);
        // The reply has 32 bits for the length; the caller goes on where it ended.
        let len = usize::try_from(len).unwrap_or(usize::MAX).min(1 << 30);
        let outcome = self.view.files.get(fh_in.0).and_then(|source| {
            let target = self.view.files.get(fh_out.0)?;
            rustix::fs::copy_file_range(&*source, Some(&mut from), &*target, Some(&mut to), len)
        });
        match outcome {
            Ok(copied) => reply.written(u32::try_from(copied).unwrap_or(u32::MAX)),
            Err(error) => reply.error(errno(error)),
        }
    }
}

const SEEK_DATA: i32 = 3;
const SEEK_HOLE: i32 = 4;

/// Reads until the buffer is full or the file ends: the kernel takes less for the end.
fn fill(
    file: std::os::fd::BorrowedFd<'_>,
    buffer: &mut [u8],
    offset: u64,
) -> rustix::io::Result<usize> {
    let mut done = 0;
    while done < buffer.len() {
        match rustix::io::pread(file, &mut buffer[done..], offset + done as u64) {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

fn sync(fd: std::os::fd::BorrowedFd<'_>, data_only: bool) -> rustix::io::Result<()> {
    if data_only {
        rustix::fs::fdatasync(fd)
    } else {
        rustix::fs::fsync(fd)
    }
}

fn done(outcome: rustix::io::Result<()>, reply: ReplyEmpty) {
    match outcome {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(errno(error)),
    }
}

fn attribute(outcome: rustix::io::Result<(usize, Vec<u8>)>, size: u32, reply: ReplyXattr) {
    match outcome {
        Ok((length, _)) if size == 0 => reply.size(u32::try_from(length).unwrap_or(u32::MAX)),
        Ok((_, bytes)) => reply.data(&bytes),
        Err(error) => reply.error(errno(error)),
    }
}

fn errno(error: rustix::io::Errno) -> Errno {
    Errno::from_i32(error.raw_os_error())
}

fn caller(req: &Request) -> Caller {
    Caller {
        uid: req.uid(),
        gid: req.gid(),
    }
}

fn kind(kind: FileType) -> fuser::FileType {
    match kind {
        FileType::Directory => fuser::FileType::Directory,
        FileType::Symlink => fuser::FileType::Symlink,
        FileType::Fifo => fuser::FileType::NamedPipe,
        FileType::Socket => fuser::FileType::Socket,
        FileType::CharacterDevice => fuser::FileType::CharDevice,
        FileType::BlockDevice => fuser::FileType::BlockDevice,
        FileType::RegularFile | FileType::Unknown => fuser::FileType::RegularFile,
    }
}

fn attributes(number: u64, stat: &Stat) -> FileAttr {
    FileAttr {
        size: u64::try_from(stat.st_size).unwrap_or(0),
        blocks: u64::try_from(stat.st_blocks).unwrap_or(0),
        atime: system_time(stat.st_atime, stat.st_atime_nsec as u32),
        mtime: system_time(stat.st_mtime, stat.st_mtime_nsec as u32),
        ctime: system_time(stat.st_ctime, stat.st_ctime_nsec as u32),
        perm: (stat.st_mode & 0o7777) as u16,
        nlink: u32::try_from(stat.st_nlink).unwrap_or(u32::MAX),
        uid: stat.st_uid,
        gid: stat.st_gid,
        rdev: device(stat.st_rdev),
        blksize: u32::try_from(stat.st_blksize).unwrap_or(4096),
        ..blank(number, FileType::from_raw_mode(stat.st_mode))
    }
}

/// Attributes that nobody is to see.
fn blank(number: u64, of: FileType) -> FileAttr {
    FileAttr {
        ino: INodeNo(number),
        size: 0,
        blocks: 0,
        atime: UNIX_EPOCH,
        mtime: UNIX_EPOCH,
        ctime: UNIX_EPOCH,
        crtime: UNIX_EPOCH,
        kind: kind(of),
        perm: 0,
        nlink: 1,
        uid: 0,
        gid: 0,
        rdev: 0,
        blksize: 4096,
        flags: 0,
    }
}

/// A device number as the kernel's 32 bits have it.
fn device(dev: u64) -> u32 {
    let (major, minor) = (rustix::fs::major(dev), rustix::fs::minor(dev));
    (minor & 0xff) | (major << 8) | ((minor & !0xff) << 12)
}

fn system_time(seconds: i64, nanoseconds: u32) -> SystemTime {
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let base = if seconds < 0 {
        UNIX_EPOCH.checked_sub(whole)
    } else {
        UNIX_EPOCH.checked_add(whole)
    };
    base.and_then(|time| time.checked_add(Duration::from_nanos(nanoseconds.into())))
        .unwrap_or(UNIX_EPOCH)
}

fn timespec(time: Option<TimeOrNow>) -> Timespec {
    match time {
        None => Timespec {
            tv_sec: 0,
            tv_nsec: rustix::fs::UTIME_OMIT,
        },
        Some(TimeOrNow::Now) => Timespec {
            tv_sec: 0,
            tv_nsec: rustix::fs::UTIME_NOW,
        },
        Some(TimeOrNow::SpecificTime(time)) => match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Timespec {
                tv_sec: i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: after.subsec_nanos().into(),
            },
            // fuser 0.18 goes back by the nanoseconds too, which count forwards from the second: undone here. The
            // test of `utimes` against the C program tells when it no longer does.
            Err(before) => Timespec {
                tv_sec: i64::try_from(before.duration().as_secs())
                    .map_or(i64::MIN, |seconds| -seconds),
                tv_nsec: before.duration().subsec_nanos().into(),
            },
        },
    }
}
