//! fs-verity: files whose content the kernel checks against a hash at each read, and lets nobody change any more.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// The kernel's `struct fsverity_enable_arg`.
#[repr(C)]
struct EnableArg {
    version: u32,
    hash_algorithm: u32,
    block_size: u32,
    salt_size: u32,
    salt_ptr: u64,
    sig_size: u32,
    reserved1: u32,
    sig_ptr: u64,
    reserved2: [u64; 11],
}

/// `_IOW('f', 133, struct fsverity_enable_arg)`
const FS_IOC_ENABLE_VERITY: libc::Ioctl = 0x4080_6685_u32 as libc::Ioctl;
const _: () = assert!(size_of::<EnableArg>() == 0x80);

/// Seals a file with SHA-256 over blocks of 4096 bytes, without salt or signature. It must be open for reading, and for
/// writing nowhere.
///
/// # Errors
/// `ENOTTY` or `EOPNOTSUPP` where the file system cannot, `ETXTBSY` when somebody may write, `EEXIST` when it is sealed.
pub fn enable(file: BorrowedFd<'_>) -> io::Result<()> {
    let arg = EnableArg {
        version: 1,
        hash_algorithm: 1,
        block_size: 4096,
        salt_size: 0,
        salt_ptr: 0,
        sig_size: 0,
        reserved1: 0,
        sig_ptr: 0,
        reserved2: [0; 11],
    };
    // SAFETY: the request reads one struct of exactly this layout (its size is part of the number, and asserted above)
    // through a pointer that outlives the call, and both pointers in it are null with length 0.
    let r = unsafe { libc::ioctl(file.as_raw_fd(), FS_IOC_ENABLE_VERITY, &raw const arg) };
    if r == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    #[test]
    fn sealed_or_refused_with_a_reason() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "content").unwrap();
        let path = file.into_temp_path();
        let reader = std::fs::File::open(&path).unwrap();
        match enable(reader.as_fd()) {
            Ok(()) => assert!(std::fs::OpenOptions::new().write(true).open(&path).is_err()),
            Err(e) => assert!(
                matches!(
                    e.raw_os_error(),
                    Some(libc::ENOTTY | libc::EOPNOTSUPP | libc::EINVAL)
                ),
                "{e}"
            ),
        }
    }
}
