//! Writing one file under a new name.

use crate::content::{Body, Content};
use crate::error::{IoContext, Result};
use osier_object::FileHeader;
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use rustix::path::Arg;
use std::cell::RefCell;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Content up to this size is moved through memory; above, the kernel copies or shares blocks.
const SMALL: u64 = 128 * 1024;

/// Writes `content` as the new file `name` of `dir`; an error of the kind "exists" when there is one. `owner` carries
/// owner and attributes to apply.
pub(super) fn write_new(
    dir: BorrowedFd<'_>,
    name: impl Arg + Copy,
    content: Content,
    mode: u32,
    owner: Option<&FileHeader>,
    fsync: bool,
) -> Result<()> {
    let shown = || name.to_string_lossy().into_owned();
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(dir, name, flags, Mode::from_raw_mode(0o600))
        .at(|| format!("openat({})", shown()))?;
    let write = || -> Result<()> {
        let mut out = File::from(fd);
        fill(&mut out, content).at(|| format!("writing {}", shown()))?;
        if let Some(h) = owner {
            crate::owner::fchown(&out, h.uid, h.gid).at(|| format!("fchown({})", shown()))?;
        }
        rustix::fs::fchmod(&out, Mode::from_raw_mode(mode & 0o7777))
            .at(|| format!("fchmod({})", shown()))?;
        for (key, value) in owner.iter().flat_map(|h| h.xattrs.iter()) {
            osier_sys::xattr::set_fd(out.as_fd(), key, value)
                .at(|| format!("fsetxattr({}, {})", shown(), String::from_utf8_lossy(key)))?;
        }
        if fsync {
            out.sync_all().at(|| format!("fsync({})", shown()))?;
        }
        Ok(())
    };
    write().inspect_err(|_| {
        // A half-written file must not be taken for a whole one.
        let _ = rustix::fs::unlinkat(dir, name, AtFlags::empty());
    })
}

fn fill(out: &mut File, content: Content) -> std::io::Result<()> {
    let size = content.size;
    match content.body {
        Body::None => Ok(()),
        Body::File(mut from) if size <= SMALL => BUFFER.with_borrow_mut(|buf| {
            buf.clear();
            (&mut from).take(size + 1).read_to_end(buf)?;
            out.write_all(buf)
        }),
        Body::File(from) => copy_file(&from, out, size),
        Body::Deflate(_) if size <= crate::WHOLE_FILE_MAX => BUFFER.with_borrow_mut(|buf| {
            content.read_whole(buf)?;
            out.write_all(buf)
        }),
        Body::Deflate(_) => {
            let mut reader = content.into_reader();
            let mut chunk = vec![0u8; 256 * 1024];
            loop {
                let n = reader.read(&mut chunk)?;
                if n == 0 {
                    return Ok(());
                }
                out.write_all(&chunk[..n])?;
            }
        }
    }
}

/// Shares the blocks where the file system can, else has the kernel copy them.
fn copy_file(from: &File, to: &mut File, size: u64) -> std::io::Result<()> {
    if rustix::fs::ioctl_ficlone(&*to, from).is_ok() {
        return Ok(());
    }
    let mut left = size;
    while left > 0 {
        match rustix::fs::copy_file_range(from, None, &*to, None, left.min(1 << 30) as usize) {
            Ok(0) => break,
            Ok(n) => left -= n as u64,
            Err(Errno::INTR) => {}
            // Older kernels copy only within a file system, and some not at all; both ends kept their offsets.
            Err(
                Errno::XDEV
                | Errno::INVAL
                | Errno::NOSYS
                | Errno::OPNOTSUPP
                | Errno::IO
                | Errno::PERM,
            ) => {
                let copied = std::io::copy(&mut from.take(left), to)?;
                left -= copied;
                break;
            }
            Err(e) => return Err(e.into()),
        }
    }
    match left {
        0 => Ok(()),
        _ => Err(std::io::Error::new(
            std::io::ErrorKind::UnexpectedEof,
            "object became shorter while it was copied",
        )),
    }
}
