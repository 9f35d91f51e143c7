//! Files on disk, seen as the objects a commit would make of them.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::Path;

use anyhow::{Context, Result, bail};
use osier_object::{Checksum, Dirmeta, FileHeader, Xattrs};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};
use sha2::{Digest, Sha256};

/// The checksum of one file system entry: of a directory, that of its metadata.
///
/// # Errors
/// When the entry is not there, cannot be read, or is neither file, symbolic link nor directory.
pub fn checksum(path: &Path, with_xattrs: bool) -> Result<Checksum> {
    let stat = rustix::fs::statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW)
        .map_err(io::Error::from)
        .with_context(|| {
            format!(
                "Error when getting information for file “{}”",
                absolute(path)
            )
        })?;
    let (uid, gid, mode) = (stat.st_uid, stat.st_gid, stat.st_mode);
    match FileType::from_raw_mode(mode) {
        FileType::Directory => {
            let dir = open(path, OFlags::DIRECTORY)?;
            let meta = Dirmeta {
                uid,
                gid,
                mode,
                xattrs: xattrs(&dir, path, with_xattrs)?,
            };
            Ok(*meta.id().checksum())
        }
        FileType::RegularFile => {
            let file = open(path, OFlags::NOFOLLOW)?;
            let xattrs = xattrs(&file, path, with_xattrs)?;
            let header = FileHeader {
                uid,
                gid,
                mode,
                symlink_target: None,
                xattrs,
            };
            hash(&header, file).with_context(|| format!("reading {}", path.display()))
        }
        FileType::Symlink => {
            let target =
                std::fs::read_link(path).with_context(|| format!("reading {}", path.display()))?;
            let Some(target) = target.to_str() else {
                bail!("the target of {} is not UTF-8", path.display())
            };
            let pairs = match with_xattrs {
                true => link_xattrs(path)?,
                false => Vec::new(),
            };
            let header = FileHeader {
                uid,
                gid,
                mode,
                symlink_target: Some(target.to_owned()),
                xattrs: canonical(pairs),
            };
            Ok(hash(&header, io::empty())?)
        }
        _ => bail!(
            "{} is neither a file, nor a symbolic link, nor a directory",
            path.display()
        ),
    }
}

fn open(path: &Path, flags: OFlags) -> Result<File> {
    let fd = rustix::fs::open(
        path,
        flags | OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK,
        Mode::empty(),
    )
    .map_err(io::Error::from)
    .with_context(|| format!("openat({})", path.display()))?;
    Ok(fd.into())
}

fn xattrs(file: &File, path: &Path, wanted: bool) -> Result<Xattrs> {
    if !wanted {
        return Ok(Xattrs::EMPTY);
    }
    let pairs = osier_sys::xattr::read_fd(file.as_fd())
        .with_context(|| format!("reading extended attributes of {}", path.display()))?;
    Ok(canonical(pairs))
}

/// Attributes of a symbolic link, which cannot be opened: by way of its directory.
fn link_xattrs(path: &Path) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let parent = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or(path.as_os_str());
    osier_sys::xattr::read_at(
        open(parent, OFlags::DIRECTORY)?.as_fd(),
        name.as_encoded_bytes(),
    )
    .with_context(|| format!("reading extended attributes of {}", path.display()))
}

/// Attributes without a value do not count.
fn canonical(mut pairs: Vec<(Vec<u8>, Vec<u8>)>) -> Xattrs {
    pairs.retain(|(_, value)| !value.is_empty());
    Xattrs::from_pairs(pairs)
}

fn hash(header: &FileHeader, mut content: impl Read) -> io::Result<Checksum> {
    let mut hasher = Sha256::new();
    hasher.update(header.hash_framing());
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match content.read(&mut buffer)? {
            0 => break,
            n => hasher.update(&buffer[..n]),
        }
    }
    Ok(Checksum(hasher.finalize().into()))
}

fn absolute(path: &Path) -> String {
    std::path::absolute(path)
        .unwrap_or_else(|_| path.to_owned())
        .display()
        .to_string()
}
