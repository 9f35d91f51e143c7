//! Giving files to owners that somebody else's metadata names.

use rustix::fs::{AtFlags, Gid, Uid};
use rustix::io::Errno;
use rustix::path::Arg;
use std::os::fd::AsFd;

/// Owner and group as the kernel takes them.
///
/// # Errors
/// `EINVAL` for the number that stands for "leave it as it is": no file can belong to it.
fn ids(uid: u32, gid: u32) -> rustix::io::Result<(Option<Uid>, Option<Gid>)> {
    match uid == u32::MAX || gid == u32::MAX {
        true => Err(Errno::INVAL),
        false => Ok((Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))),
    }
}

/// Changes the owner of an open file or directory.
pub(crate) fn fchown(fd: impl AsFd, uid: u32, gid: u32) -> rustix::io::Result<()> {
    let (uid, gid) = ids(uid, gid)?;
    rustix::fs::fchown(fd, uid, gid)
}

/// Changes the owner of an entry of `dir`, of a symbolic link itself.
pub(crate) fn lchownat(
    dir: impl AsFd,
    name: impl Arg,
    uid: u32,
    gid: u32,
) -> rustix::io::Result<()> {
    let (uid, gid) = ids(uid, gid)?;
    rustix::fs::chownat(dir, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_owns_the_number_that_changes_nothing() {
        assert_eq!(ids(u32::MAX, 0).unwrap_err(), Errno::INVAL);
        assert_eq!(ids(0, u32::MAX).unwrap_err(), Errno::INVAL);
        assert!(ids(u32::MAX - 1, 0).is_ok());
    }
}
