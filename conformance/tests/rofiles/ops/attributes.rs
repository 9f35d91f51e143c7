//! What changes attributes.

use super::{FILES, Op, python, sorted};
use rustix::fs::{AtFlags, CWD, Gid, Mode, Timespec, Timestamps, Uid, XattrFlags};
use std::fs::{self};
use std::os::unix::fs::MetadataExt;

/// The operations.
pub const OPS: &[(&str, Op)] = &[
    ("chmod", |mnt, told| {
        for name in FILES
            .iter()
            .chain(&["link", "dir", "dangling", "fifo", "hfifo"])
        {
            let path = mnt.join(name);
            told.errno(name, rustix::fs::chmod(&path, Mode::from_raw_mode(0o4711)));
            told.stat(&path);
        }
    }),
    ("chown", |mnt, told| {
        let (uid, gid) = (Some(Uid::from_raw(12)), Some(Gid::from_raw(34)));
        for name in FILES
            .iter()
            .chain(&["link", "hlink", "olink", "dir", "fifo", "hfifo"])
        {
            let path = mnt.join(name);
            for (text, uid, gid) in [
                ("both", uid, gid),
                ("group", None, Some(Gid::from_raw(5))),
                ("none", None, None),
            ] {
                told.errno(
                    &format!("{name} itself {text}"),
                    rustix::fs::chownat(CWD, &path, uid, gid, AtFlags::SYMLINK_NOFOLLOW),
                );
                told.stat(&path);
            }
            told.errno(
                &format!("{name} followed"),
                rustix::fs::chownat(CWD, &path, uid, gid, AtFlags::empty()),
            );
            told.stat(&path);
        }
    }),
    ("utimes", |mnt, told| {
        let times = Timestamps {
            last_access: Timespec {
                tv_sec: 1000,
                tv_nsec: 5,
            },
            last_modification: Timespec {
                tv_sec: 2000,
                tv_nsec: 123_456_789,
            },
        };
        let omit = Timestamps {
            last_access: Timespec {
                tv_sec: 0,
                tv_nsec: rustix::fs::UTIME_OMIT,
            },
            last_modification: Timespec {
                tv_sec: -5,
                tv_nsec: 250_000_000,
            },
        };
        for name in FILES
            .iter()
            .chain(&["link", "hlink", "olink", "dir", "fifo", "hfifo"])
        {
            let path = mnt.join(name);
            for (text, times) in [("set", &times), ("omit", &omit)] {
                told.errno(
                    &format!("{name} {text}"),
                    rustix::fs::utimensat(CWD, &path, times, AtFlags::SYMLINK_NOFOLLOW),
                );
                told.line(
                    "times",
                    path.symlink_metadata()
                        .map(|m| (m.atime(), m.atime_nsec(), m.mtime(), m.mtime_nsec())),
                );
            }
        }
    }),
    ("touch now", |mnt, told| {
        let now = Timestamps {
            last_access: Timespec {
                tv_sec: 0,
                tv_nsec: rustix::fs::UTIME_NOW,
            },
            last_modification: Timespec {
                tv_sec: 0,
                tv_nsec: rustix::fs::UTIME_NOW,
            },
        };
        for name in ["hard", "own", "dir", "old"] {
            let path = mnt.join(name);
            told.errno(
                name,
                rustix::fs::utimensat(CWD, &path, &now, AtFlags::empty()),
            );
            told.line(
                "recent",
                path.symlink_metadata().map(|m| m.mtime() > 1_600_000_000),
            );
        }
    }),
    ("xattrs", |mnt, told| {
        let mut buffer = vec![0; 4096];
        for name in FILES.iter().chain(&["dir"]) {
            let path = mnt.join(name);
            told.errno(
                &format!("{name} get"),
                rustix::fs::getxattr(&path, "user.k", &mut buffer[..])
                    .map(|n| buffer[..n].to_vec()),
            );
            told.errno(
                "size",
                rustix::fs::getxattr(&path, "user.k", &mut [0u8; 0][..]),
            );
            told.errno(
                "too small",
                rustix::fs::getxattr(&path, "user.k", &mut [0u8; 1][..]),
            );
            told.errno(
                "set",
                rustix::fs::setxattr(&path, "user.new", b"new", XattrFlags::empty()),
            );
            told.errno(
                "create",
                rustix::fs::setxattr(&path, "user.new", b"new", XattrFlags::CREATE),
            );
            told.errno(
                "replace",
                rustix::fs::setxattr(&path, "user.absent", b"new", XattrFlags::REPLACE),
            );
            told.errno(
                "empty",
                rustix::fs::setxattr(&path, "user.empty", b"", XattrFlags::empty()),
            );
            told.errno(
                "trusted",
                rustix::fs::setxattr(&path, "trusted.t", b"t", XattrFlags::empty()),
            );
            told.errno(
                "bad name",
                rustix::fs::setxattr(&path, "nonsense", b"t", XattrFlags::empty()),
            );
            told.errno(
                "list",
                rustix::fs::listxattr(&path, &mut buffer[..]).map(|n| sorted(&buffer[..n])),
            );
            told.errno(
                "list too small",
                rustix::fs::listxattr(&path, &mut [0u8; 2][..]),
            );
        }
        for name in ["own", "dir"] {
            let path = mnt.join(name);
            told.errno("remove", rustix::fs::removexattr(&path, "user.k"));
            told.errno("remove again", rustix::fs::removexattr(&path, "user.k"));
            told.errno(
                "list",
                rustix::fs::listxattr(&path, &mut buffer[..]).map(|n| sorted(&buffer[..n])),
            );
        }
    }),
    ("umask and modes", |mnt, told| {
        let script = "import os,sys\nos.chdir(sys.argv[1])\nfor u in (0o077,0o000,0o027):\n os.umask(u)\n os.mkdir('d%o'%u,0o777)\n os.close(os.open('f%o'%u,os.O_CREAT|os.O_WRONLY,0o666))\n os.mkfifo('p%o'%u,0o666)\n print(oct(os.stat('d%o'%u).st_mode),oct(os.stat('f%o'%u).st_mode),oct(os.stat('p%o'%u).st_mode))";
        told.line("umask", python(script, mnt));
    }),
    ("directories with the set-group-id bit", |mnt, told| {
        let dir = mnt.join("sgid");
        fs::create_dir(&dir).unwrap();
        rustix::fs::chownat(CWD, &dir, None, Some(Gid::from_raw(77)), AtFlags::empty()).unwrap();
        rustix::fs::chmod(&dir, Mode::from_raw_mode(0o2775)).unwrap();
        fs::write(dir.join("f"), "f").unwrap();
        fs::create_dir(dir.join("d")).unwrap();
        told.stat(&dir.join("f"));
        told.stat(&dir.join("d"));
    }),
];
