//! Extended attributes of open files and of directory entries (symbolic links never followed).
//!
//! The kernel has no `*at` calls for attributes, so an entry is named through `/proc/self/fd/DIRFD/NAME`.

use rustix::io::Errno;
use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Name (without the final NUL) and value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// All attributes of an open file, in the kernel's order. A file system without attributes has none.
pub fn read_fd(fd: BorrowedFd<'_>) -> io::Result<Vec<Pair>> {
    read_with(
        |buf| rustix::fs::flistxattr(fd, buf),
        |name, buf| rustix::fs::fgetxattr(fd, name, buf),
    )
}

/// All attributes of the entry `name` of `dir`.
pub fn read_at(dir: BorrowedFd<'_>, name: &[u8]) -> io::Result<Vec<Pair>> {
    let path = entry_path(dir, name)?;
    let path = path.as_c_str();
    read_with(
        |buf| rustix::fs::llistxattr(path, buf),
        |name, buf| rustix::fs::lgetxattr(path, name, buf),
    )
}

/// One attribute of an open file; `None` when it has none of that name.
pub fn get_fd(fd: BorrowedFd<'_>, name: &str) -> io::Result<Option<Vec<u8>>> {
    grow(|buf| rustix::fs::fgetxattr(fd, name, buf))
}

/// One attribute of the entry `name` of `dir`; `None` when it has none of that name.
pub fn get_at(dir: BorrowedFd<'_>, name: &[u8], attribute: &str) -> io::Result<Option<Vec<u8>>> {
    let path = entry_path(dir, name)?;
    grow(|buf| rustix::fs::lgetxattr(path.as_c_str(), attribute, buf))
}

/// Sets an attribute of an open file.
pub fn set_fd(fd: BorrowedFd<'_>, name: &[u8], value: &[u8]) -> io::Result<()> {
    let name = CString::new(name)?;
    Ok(rustix::fs::fsetxattr(
        fd,
        name.as_c_str(),
        value,
        rustix::fs::XattrFlags::empty(),
    )?)
}

/// Sets an attribute of the entry `name` of `dir`.
pub fn set_at(dir: BorrowedFd<'_>, entry: &[u8], name: &[u8], value: &[u8]) -> io::Result<()> {
    let path = entry_path(dir, entry)?;
    let name = CString::new(name)?;
    Ok(rustix::fs::lsetxattr(
        path.as_c_str(),
        name.as_c_str(),
        value,
        rustix::fs::XattrFlags::empty(),
    )?)
}

/// Removes an attribute of an open file; one that is not there is no error.
pub fn remove_fd(fd: BorrowedFd<'_>, name: &[u8]) -> io::Result<()> {
    let name = CString::new(name)?;
    match rustix::fs::fremovexattr(fd, name.as_c_str()) {
        Err(Errno::NODATA) => Ok(()),
        other => Ok(other?),
    }
}

fn entry_path(dir: BorrowedFd<'_>, name: &[u8]) -> io::Result<CString> {
    let mut path = format!("/proc/self/fd/{}/", dir.as_raw_fd()).into_bytes();
    path.extend_from_slice(name);
    Ok(CString::new(path)?)
}

fn read_with(
    list: impl Fn(&mut [u8]) -> rustix::io::Result<usize>,
    get: impl Fn(&std::ffi::CStr, &mut [u8]) -> rustix::io::Result<usize>,
) -> io::Result<Vec<Pair>> {
    let Some(names) = grow(|b| match list(b) {
        Err(Errno::OPNOTSUPP) => Ok(0),
        other => other,
    })?
    else {
        return Ok(Vec::new());
    };
    let mut pairs = Vec::new();
    for name in names.split(|b| *b == 0).filter(|n| !n.is_empty()) {
        let cname = CString::new(name)?;
        // An attribute removed between the two calls is simply not there.
        if let Some(value) = grow(|b| get(&cname, b))? {
            pairs.push((name.to_vec(), value));
        }
    }
    Ok(pairs)
}

/// Calls with a growing buffer until the value fits. `None` for "no such attribute".
fn grow(f: impl Fn(&mut [u8]) -> rustix::io::Result<usize>) -> io::Result<Option<Vec<u8>>> {
    let mut small = [0u8; 512];
    match f(&mut small) {
        Ok(n) => return Ok(Some(small[..n].to_vec())),
        Err(Errno::RANGE) => {}
        Err(Errno::NODATA) => return Ok(None),
        Err(e) => return Err(e.into()),
    }
    // The kernel bounds names and values at 64 KiB each.
    let mut buf = vec![0u8; 64 * 1024];
    loop {
        match f(&mut buf) {
            Ok(n) => {
                buf.truncate(n);
                return Ok(Some(buf));
            }
            Err(Errno::RANGE) if buf.len() < 16 * 1024 * 1024 => buf.resize(buf.len() * 2, 0),
            Err(Errno::NODATA) => return Ok(None),
            Err(e) => return Err(e.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    #[test]
    fn round_trip_on_file_and_entry() {
        let dir = tempfile::tempdir().unwrap();
        let f = std::fs::File::create(dir.path().join("a b")).unwrap();
        if set_fd(f.as_fd(), b"user.x", b"1").is_err() {
            eprintln!("SKIPPED: the temporary folder's file system has no user attributes");
            return;
        }
        let d = std::fs::File::open(dir.path()).unwrap();
        set_at(d.as_fd(), b"a b", b"user.y", &vec![7; 2000]).unwrap();
        let got = read_at(d.as_fd(), b"a b").unwrap();
        assert!(got.contains(&(b"user.x".to_vec(), b"1".to_vec())));
        assert!(got.contains(&(b"user.y".to_vec(), vec![7; 2000])));
        assert_eq!(read_fd(f.as_fd()).unwrap().len(), got.len());
        assert_eq!(get_fd(f.as_fd(), "user.zzz").unwrap(), None);
        remove_fd(f.as_fd(), b"user.x").unwrap();
        remove_fd(f.as_fd(), b"user.x").unwrap();
        assert_eq!(get_fd(f.as_fd(), "user.x").unwrap(), None);
    }
}
