//! Deleting a file or a whole folder below a directory handle, never following links.

use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

/// Deletes `name` below `dir`; nothing there is no error.
pub fn remove_all(dir: BorrowedFd<'_>, name: impl rustix::path::Arg + Copy) -> io::Result<()> {
    match rustix::fs::unlinkat(dir, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(e) => return Err(e.into()),
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = match rustix::fs::openat(dir, name, flags, Mode::empty()) {
        Ok(fd) => fd,
        Err(Errno::NOENT) => return Ok(()),
        // A file that may not be unlinked (immutable, or a sticky folder): say so.
        Err(Errno::NOTDIR | Errno::LOOP) => return Err(Errno::PERM.into()),
        Err(e) => return Err(e.into()),
    };
    for entry in rustix::fs::Dir::read_from(&fd)? {
        let entry = entry?;
        let child = entry.file_name();
        if child == c"." || child == c".." {
            continue;
        }
        match entry.file_type() {
            FileType::Directory | FileType::Unknown => remove_all(fd.as_fd(), child)?,
            _ => match rustix::fs::unlinkat(&fd, child, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(e) => return Err(e.into()),
            },
        }
    }
    match rustix::fs::unlinkat(dir, name, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(e) => Err(e.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removes_trees_and_spares_link_targets() {
        let dir = tempfile::tempdir().unwrap();
        let p = dir.path();
        std::fs::create_dir_all(p.join("a/b/c")).unwrap();
        std::fs::create_dir(p.join("keep")).unwrap();
        std::fs::write(p.join("keep/f"), "x").unwrap();
        std::os::unix::fs::symlink("../keep", p.join("a/link")).unwrap();
        let fd = std::fs::File::open(p).unwrap();
        remove_all(fd.as_fd(), "a").unwrap();
        remove_all(fd.as_fd(), "nothing").unwrap();
        assert!(!p.join("a").exists());
        assert!(p.join("keep/f").exists());
    }
}
