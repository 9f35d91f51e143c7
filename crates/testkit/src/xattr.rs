//! Extended attributes of a path itself, never of what a symbolic link points to.

use anyhow::{Context, Result};
use rustix::fs::{XattrFlags, lgetxattr, llistxattr, lsetxattr};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::path::Path;

/// All extended attributes of `path` by name; none where the file system has none.
pub fn list(path: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut names = vec![0; 64 * 1024];
    let length = match llistxattr(path, &mut names[..]) {
        Ok(length) => length,
        Err(Errno::NOTSUP) => 0,
        Err(error) => {
            return Err(error).with_context(|| format!("listing xattrs of {}", path.display()));
        }
    };
    let mut xattrs = BTreeMap::new();
    for name in names[..length]
        .split(|&byte| byte == 0)
        .filter(|name| !name.is_empty())
    {
        let mut value = vec![0; 64 * 1024];
        let length = lgetxattr(path, name, &mut value[..]).with_context(|| {
            format!(
                "reading xattr {} of {}",
                String::from_utf8_lossy(name),
                path.display()
            )
        })?;
        value.truncate(length);
        xattrs.insert(String::from_utf8_lossy(name).into_owned(), value);
    }
    Ok(xattrs)
}

/// Sets one extended attribute of `path`.
pub fn set(path: &Path, name: &str, value: &[u8]) -> Result<()> {
    lsetxattr(path, name, value, XattrFlags::empty())
        .with_context(|| format!("setting xattr {name} of {}", path.display()))
}

/// Whether files in `dir` take `user.` attributes.
pub fn supported(dir: &Path) -> bool {
    let probe = dir.join(".osier-xattr-probe");
    let supported = std::fs::write(&probe, "").is_ok() && set(&probe, "user.osier", b"1").is_ok();
    let _ = std::fs::remove_file(probe);
    supported
}
