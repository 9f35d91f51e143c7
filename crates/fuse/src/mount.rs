//! Making the mount and taking it away.

use crate::arguments::{Flag, MountOptions};
use crate::serve::Service;
use fuser::{Config, MountOption, Session, SessionACL};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags};
use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The name that the mount table shows.
const NAME: &str = "rofiles-fuse";

/// Why nothing was mounted.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The mount point cannot be one.
    #[error("fuse: bad mount point `{}': {}", .0.display(), words(.1))]
    Place(PathBuf, io::Error),
    /// There is no `/dev/fuse`.
    #[error("fuse: device /dev/fuse cannot be opened: {}\nhint: is the kernel module loaded? Try `modprobe fuse'", words(.0))]
    Device(io::Error),
    /// The kernel refused.
    #[error("fuse: mount failed: {}", words(.0))]
    Refused(io::Error),
}

impl Failed {
    /// The C program's exit code.
    pub fn code(&self) -> u8 {
        match self {
            Failed::Place(..) => 1,
            Failed::Device(_) | Failed::Refused(_) => 4,
        }
    }
}

/// The cause without its number, as C programs print it.
pub fn words(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error")
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// A mount that was made.
#[derive(Clone, Debug)]
pub struct Mounted {
    place: PathBuf,
    device: Option<u64>,
}

impl Mounted {
    /// The mount's device number.
    pub fn device(&self) -> Option<u64> {
        self.device
    }

    /// Takes the mount away, now for new users and at last for those who are in it. Does nothing when something else is
    /// mounted there by now.
    ///
    /// # Errors
    /// When neither the kernel nor `fusermount3` does it.
    pub fn unmount(&self) -> io::Result<()> {
        if self.device.is_none() || device_at(&self.place) != self.device {
            return Ok(());
        }
        match rustix::mount::unmount(&self.place, UnmountFlags::DETACH) {
            Err(Errno::PERM) => {
                let mut helper = Command::new("fusermount3");
                helper
                    .args(["-u", "-q", "-z", "--"])
                    .arg(&self.place)
                    .stdin(Stdio::null());
                if helper.status()?.success() {
                    Ok(())
                } else {
                    Err(Errno::PERM.into())
                }
            }
            other => Ok(other?),
        }
    }
}

/// Mounts at `place` and begins the session, in which nothing is served until it runs. Where the kernel does not let
/// us mount, `fusermount3` does it for us.
///
/// # Errors
/// A place that is no directory, no FUSE, no permission.
pub fn mount(
    service: Service,
    place: &Path,
    options: &MountOptions,
    threads: usize,
) -> Result<(Session<Service>, Mounted), Failed> {
    let bad = |error: io::Error| Failed::Place(place.to_owned(), error);
    let place = place.canonicalize().map_err(bad)?;
    let kind = place.metadata().map_err(bad)?;
    if !kind.is_dir() {
        return Err(bad(Errno::NOTDIR.into()));
    }
    let mut config = Config::default();
    config.n_threads = Some(threads);
    config.clone_fd = options.clone_device;
    let by_ourselves = if options.auto_unmount {
        Err(Errno::PERM)
    } else {
        direct(&place, options)?
    };
    let session = match by_ourselves {
        // The kernel lets in only the owner where the mount says so: no second check here.
        Ok(device) => Session::from_fd(service, device, SessionACL::All, config),
        Err(Errno::PERM) => {
            helped(&mut config, options);
            Session::new(service, &place, &config)
        }
        Err(error) => return Err(Failed::Refused(error.into())),
    };
    let session = session.map_err(Failed::Refused)?;
    let device = device_at(&place);
    Ok((session, Mounted { place, device }))
}

/// `mount(2)`; the inner error is the kernel's answer to that.
fn direct(place: &Path, options: &MountOptions) -> Result<Result<OwnedFd, Errno>, Failed> {
    let device = rustix::fs::open("/dev/fuse", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
        .map_err(|error| Failed::Device(error.into()))?;
    let mut data = format!(
        "fd={},rootmode={:o},user_id={},group_id={}",
        device.as_raw_fd(),
        FileType::Directory.as_raw_mode(),
        rustix::process::getuid().as_raw(),
        rustix::process::getgid().as_raw()
    );
    if options.allow_other {
        data.push_str(",allow_other");
    }
    if checks_permissions(options) {
        data.push_str(",default_permissions");
    }
    if let Some(most) = options.max_read {
        data.push_str(&format!(",max_read={most}"));
    }
    let mut flags = MountFlags::NOSUID | MountFlags::NODEV;
    for (flag, on) in &options.flags {
        flags.set(kernel_flag(*flag), *on);
    }
    let kind = shown_kind(options).map_or_else(|| "fuse".to_owned(), |kind| format!("fuse.{kind}"));
    let source = shown_source(options);
    let Ok(data) = CString::new(data) else {
        return Ok(Err(Errno::INVAL));
    };
    Ok(rustix::mount::mount(source, place, kind, flags, Some(data.as_c_str())).map(|()| device))
}

/// The kind that the mount table shows behind `fuse.`: who names the source names the kind too, or has none.
fn shown_kind(options: &MountOptions) -> Option<&str> {
    let unnamed = options.source.is_none().then_some(NAME);
    options.kind.as_deref().or(unnamed)
}

fn shown_source(options: &MountOptions) -> &str {
    options
        .source
        .as_deref()
        .or(options.kind.as_deref())
        .unwrap_or(NAME)
}

/// Who lets others in lets them do what the files' owners and modes allow. The C program would let them do all that it
/// may itself.
fn checks_permissions(options: &MountOptions) -> bool {
    options.default_permissions || options.allow_other
}

fn kernel_flag(flag: Flag) -> MountFlags {
    match flag {
        Flag::ReadOnly => MountFlags::RDONLY,
        Flag::NoSetUserId => MountFlags::NOSUID,
        Flag::NoDevices => MountFlags::NODEV,
        Flag::NoExecution => MountFlags::NOEXEC,
        Flag::Synchronous => MountFlags::SYNCHRONOUS,
        Flag::SynchronousDirs => MountFlags::DIRSYNC,
        Flag::NoAccessTime => MountFlags::NOATIME,
    }
}

/// The same options in `fusermount3`'s words.
fn helped(config: &mut Config, options: &MountOptions) {
    config.acl = match (options.allow_other, options.auto_unmount) {
        (true, _) => SessionACL::All,
        // fusermount3 unmounts by itself only what root may enter too.
        (false, true) => SessionACL::RootAndOwner,
        (false, false) => SessionACL::Owner,
    };
    let list = &mut config.mount_options;
    list.push(MountOption::FSName(shown_source(options).to_owned()));
    if let Some(kind) = shown_kind(options) {
        list.push(MountOption::Subtype(kind.to_owned()));
    }
    if options.auto_unmount {
        list.push(MountOption::AutoUnmount);
    }
    if checks_permissions(options) || options.auto_unmount {
        list.push(MountOption::DefaultPermissions);
    }
    if let Some(most) = options.max_read {
        list.push(MountOption::CUSTOM(format!("max_read={most}")));
    }
    for (at, (flag, on)) in options.flags.iter().enumerate() {
        if options.flags[at + 1..]
            .iter()
            .any(|(later, _)| later == flag)
        {
            continue;
        }
        list.push(match (flag, on) {
            (Flag::ReadOnly, true) => MountOption::RO,
            (Flag::ReadOnly, false) => MountOption::RW,
            (Flag::NoSetUserId, true) => MountOption::NoSuid,
            (Flag::NoSetUserId, false) => MountOption::Suid,
            (Flag::NoDevices, true) => MountOption::NoDev,
            (Flag::NoDevices, false) => MountOption::Dev,
            (Flag::NoExecution, true) => MountOption::NoExec,
            (Flag::NoExecution, false) => MountOption::Exec,
            (Flag::Synchronous, true) => MountOption::Sync,
            (Flag::Synchronous, false) => MountOption::Async,
            (Flag::SynchronousDirs, _) => MountOption::DirSync,
            (Flag::NoAccessTime, true) => MountOption::NoAtime,
            (Flag::NoAccessTime, false) => MountOption::Atime,
        });
    }
}

/// The device number of what is mounted on top at `place`, from the mount table: asking the place itself would ask us.
fn device_at(place: &Path) -> Option<u64> {
    let table = std::fs::read("/proc/self/mountinfo").ok()?;
    table.split(|&byte| byte == b'\n').rev().find_map(|line| {
        let mut fields = line.split(|&byte| byte == b' ');
        let device = fields.nth(2)?;
        let at = fields.nth(1)?;
        if unescaped(at) != place.as_os_str() {
            return None;
        }
        let (major, minor) = std::str::from_utf8(device).ok()?.split_once(':')?;
        Some(rustix::fs::makedev(
            major.parse().ok()?,
            minor.parse().ok()?,
        ))
    })
}

/// The mount table writes spaces and the like as `\ooo`.
fn unescaped(text: &[u8]) -> OsString {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let octal = (*first == b'\\').then(|| after.get(..3)).flatten();
        let value =
            octal.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        match value {
            Some(byte) => {
                plain.push(byte);
                rest = &after[3..];
            }
            None => {
                plain.push(*first);
                rest = after;
            }
        }
    }
    OsString::from_vec(plain)
}

/// Opens the tree to show, before anything is mounted over it.
///
/// # Errors
/// Those of `open`, for something that is no directory too.
pub fn open_base(path: &OsStr) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    if path.as_bytes().is_empty() {
        return Err(Errno::NOENT.into());
    }
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_table_names() {
        assert_eq!(unescaped(br"/a\040b\134c\12"), OsStr::new(r"/a b\c\12"));
    }

    #[test]
    fn the_root_is_mounted() {
        assert!(device_at(Path::new("/")).is_some());
        assert_eq!(device_at(Path::new("/nowhere at all")), None);
    }
}
