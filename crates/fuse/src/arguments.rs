//! The command line of the C program: `rofiles-fuse [--copyup] [-o OPTIONS] [-f] [-d] [-s] DIR MOUNTPOINT`.

use crate::serve::Caching;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

/// What to do.
#[derive(Debug)]
pub enum Wanted {
    /// Mount.
    Mount(Box<Arguments>),
    /// Print the help.
    Help,
    /// Print the version.
    Version,
}

/// What to mount, and how.
#[derive(Debug, Default)]
pub struct Arguments {
    /// The tree to show.
    pub base: PathBuf,
    /// Where to show it.
    pub mount_point: Option<PathBuf>,
    /// Copy shared files before they change.
    pub copy_up: bool,
    /// Stay in the foreground.
    pub foreground: bool,
    /// Print each request.
    pub debug: bool,
    /// One thread only.
    pub single: bool,
    /// What the kernel may remember.
    pub caching: Caching,
    /// How it is mounted.
    pub mount: MountOptions,
}

/// How it is mounted.
#[derive(Clone, Debug, Default)]
pub struct MountOptions {
    /// Flags of the mount that are set (`true`) or cleared, in the order given: the last one counts.
    pub flags: Vec<(Flag, bool)>,
    /// Let every user in.
    pub allow_other: bool,
    /// Let the kernel check permissions.
    pub default_permissions: bool,
    /// Unmount when the program ends, however it ends.
    pub auto_unmount: bool,
    /// The source that the mount table shows.
    pub source: Option<String>,
    /// The kind of file system that it shows, after `fuse.`.
    pub kind: Option<String>,
    /// The most that one request may read.
    pub max_read: Option<u32>,
    /// A device handle of its own for each thread.
    pub clone_device: bool,
}

/// A flag of a mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    /// `ro`
    ReadOnly,
    /// `nosuid`
    NoSetUserId,
    /// `nodev`
    NoDevices,
    /// `noexec`
    NoExecution,
    /// `sync`
    Synchronous,
    /// `dirsync`
    SynchronousDirs,
    /// `noatime`
    NoAccessTime,
}

/// A wrong command line: what to say, and the exit code.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Wrong {
    /// What is wrong.
    pub text: String,
    /// The C program's exit code for it.
    pub code: u8,
}

impl Wrong {
    fn usage(text: &str) -> Wrong {
        let hint = "see `rofiles-fuse -h' for usage";
        Wrong {
            text: if text.is_empty() {
                hint.to_owned()
            } else {
                format!("{text}\n{hint}")
            },
            code: 1,
        }
    }

    fn unknown(option: &str) -> Wrong {
        Wrong {
            text: format!("fuse: unknown option(s): `{option}'"),
            code: 3,
        }
    }
}

/// The help.
pub const HELP: &str = "\
usage: rofiles-fuse basepath mountpoint [options]

   Makes basepath visible at mountpoint such that files are read-only, directories are writable

general options:
   -o opt,[opt...]     mount options
   -h  --help          print help
       --version       print version
       --copyup        copy hard-linked files before they change, instead of refusing the change
   -f                  stay in the foreground
   -d                  stay in the foreground and print each request
   -s                  use one thread only

mount options:
   ro, nosuid, nodev, noexec, sync, dirsync, noatime, and their opposites
   allow_other         let every user in; the kernel checks permissions then
   default_permissions let the kernel check permissions
   auto_unmount        unmount when the program ends, however it ends
   fsname=NAME, subtype=NAME, max_read=N, clone_fd
   entry_timeout=T, negative_timeout=T, attr_timeout=T
                       seconds for which the kernel may remember names, missing names, attributes
   kernel_cache, direct_io
                       keep content from one open to the next, or not at all

Example:
   ostree --repo=repo checkout -H os/stable root
   rofiles-fuse --copyup root mnt
   chroot mnt dpkg --configure --pending
   fusermount3 -u mnt
   ostree --repo=repo commit --branch=os/custom --link-checkout-speedup root
";

/// Reads a command line without the program's name.
///
/// # Errors
/// What the C program refuses, in its words and with its exit code.
pub fn read(words: &[OsString]) -> Result<Wanted, Wrong> {
    let mut arguments = Arguments::default();
    let mut places: Vec<&OsStr> = Vec::new();
    let mut unknown: Option<Wrong> = None;
    let mut words = words.iter();
    let mut only_places = false;
    while let Some(word) = words.next() {
        let bytes = word.as_bytes();
        if only_places || !bytes.starts_with(b"-") || bytes == b"-" {
            places.push(word);
            continue;
        }
        match bytes {
            b"--" => only_places = true,
            b"-h" | b"--help" => return Ok(Wanted::Help),
            b"--version" => return Ok(Wanted::Version),
            b"-V" => return Err(Wrong::usage("")),
            b"--copyup" => arguments.copy_up = true,
            b"-f" => arguments.foreground = true,
            b"-d" => arguments.debug = true,
            b"-s" => arguments.single = true,
            b"-o" => match words.next() {
                Some(list) => options(&mut arguments, list, &mut unknown)?,
                None => {
                    return Err(Wrong::usage(
                        "fuse: missing argument after `-o'\nInvalid arguments",
                    ));
                }
            },
            _ => match bytes.strip_prefix(b"-o") {
                Some(list) => options(&mut arguments, OsStr::from_bytes(list), &mut unknown)?,
                None => {
                    unknown.get_or_insert_with(|| Wrong::unknown(&word.to_string_lossy()));
                }
            },
        }
    }
    let mut places = places.into_iter();
    arguments.base = places
        .next()
        .ok_or_else(|| Wrong::usage("Missing basepath"))?
        .into();
    arguments.mount_point = places.next().map(PathBuf::from);
    if let Some(third) = places.next() {
        return Err(Wrong {
            text: format!("fuse: invalid argument `{}'", third.to_string_lossy()),
            code: 1,
        });
    }
    match unknown {
        Some(wrong) => Err(wrong),
        None => Ok(Wanted::Mount(Box::new(arguments))),
    }
}

fn options(
    arguments: &mut Arguments,
    list: &OsStr,
    unknown: &mut Option<Wrong>,
) -> Result<(), Wrong> {
    let list = list.to_string_lossy();
    for option in list.split(',').filter(|option| !option.is_empty()) {
        if !plain(arguments, option) && !valued(arguments, option)? {
            unknown.get_or_insert_with(|| Wrong::unknown(&format!("-o {option}")));
        }
    }
    Ok(())
}

fn plain(arguments: &mut Arguments, option: &str) -> bool {
    let mount = &mut arguments.mount;
    let flag = match option {
        "ro" => (Flag::ReadOnly, true),
        "rw" => (Flag::ReadOnly, false),
        "nosuid" => (Flag::NoSetUserId, true),
        "suid" => (Flag::NoSetUserId, false),
        "nodev" => (Flag::NoDevices, true),
        "dev" => (Flag::NoDevices, false),
        "noexec" => (Flag::NoExecution, true),
        "exec" => (Flag::NoExecution, false),
        "sync" => (Flag::Synchronous, true),
        "async" => (Flag::Synchronous, false),
        "dirsync" => (Flag::SynchronousDirs, true),
        "noatime" => (Flag::NoAccessTime, true),
        "atime" => (Flag::NoAccessTime, false),
        "allow_other" => {
            mount.allow_other = true;
            return true;
        }
        "default_permissions" => {
            mount.default_permissions = true;
            return true;
        }
        "auto_unmount" => {
            mount.auto_unmount = true;
            return true;
        }
        "clone_fd" => {
            mount.clone_device = true;
            return true;
        }
        "kernel_cache" => {
            arguments.caching.content = true;
            return true;
        }
        "direct_io" => {
            arguments.caching.direct = true;
            return true;
        }
        "debug" => {
            arguments.debug = true;
            return true;
        }
        _ => return false,
    };
    mount.flags.push(flag);
    true
}

fn valued(arguments: &mut Arguments, option: &str) -> Result<bool, Wrong> {
    let Some((name, value)) = option.split_once('=') else {
        return Ok(false);
    };
    let bad = || Wrong {
        text: format!("fuse: invalid parameter in option `{option}'"),
        code: 3,
    };
    let seconds = || {
        value
            .parse::<f64>()
            .ok()
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .ok_or_else(bad)
    };
    match name {
        "fsname" => arguments.mount.source = Some(value.to_owned()),
        "subtype" => arguments.mount.kind = Some(value.to_owned()),
        "max_read" => arguments.mount.max_read = Some(value.parse().map_err(|_| bad())?),
        "entry_timeout" => arguments.caching.entry = seconds()?,
        "negative_timeout" => arguments.caching.negative = seconds()?,
        "attr_timeout" => arguments.caching.attributes = seconds()?,
        _ => return Ok(false),
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Result<Wanted, Wrong> {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        read(&words)
    }

    fn mount(line: &str) -> Arguments {
        match words(line) {
            Ok(Wanted::Mount(arguments)) => *arguments,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn options_stand_anywhere() {
        let arguments = mount("-f a --copyup -oro,noexec b -o allow_other,entry_timeout=2.5 -s");
        assert!(arguments.foreground && arguments.copy_up && arguments.single && !arguments.debug);
        assert_eq!(
            (arguments.base, arguments.mount_point),
            ("a".into(), Some("b".into()))
        );
        assert_eq!(
            arguments.mount.flags,
            [(Flag::ReadOnly, true), (Flag::NoExecution, true)]
        );
        assert!(arguments.mount.allow_other);
        assert_eq!(arguments.caching.entry, Duration::from_millis(2500));
        assert_eq!(mount("-- -f -o").base, PathBuf::from("-f"));
    }

    #[test]
    fn what_is_unknown_is_refused() {
        for (line, code) in [
            ("", 1),
            ("--copyup", 1),
            ("a b c", 1),
            ("a b -o", 1),
            ("-x a b", 3),
            ("-df a b", 3),
            ("--copyup=1 a b", 3),
            ("-o use_ino a b", 3),
            ("-o entry_timeout=x a b", 3),
            ("-o attr_timeout=-1 a b", 3),
        ] {
            match words(line) {
                Err(wrong) => assert_eq!(wrong.code, code, "{line}"),
                Ok(other) => panic!("{line}: {other:?}"),
            }
        }
    }
}
