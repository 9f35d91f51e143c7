//! What changes names.

use super::{FILES, Op};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RenameFlags};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{FileExt, MetadataExt};

/// The operations.
pub const OPS: &[(&str, Op)] = &[
    ("create", |mnt, told| {
        for (name, mode) in [
            ("new", 0o644),
            ("new-suid", 0o4755),
            ("new-ro", 0o400),
            ("dir/new", 0o666),
            ("absent/new", 0o644),
            ("hard/new", 0o644),
        ] {
            let path = mnt.join(name);
            told.errno(
                name,
                rustix::fs::open(
                    &path,
                    OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL,
                    Mode::from_raw_mode(mode),
                )
                .map(|fd| {
                    let mut file = File::from(fd);
                    file.write_all(b"content").unwrap();
                }),
            );
            told.stat(&path);
        }
        told.line(
            "set-user-id survives no write",
            OpenOptions::new()
                .write(true)
                .open(mnt.join("new-suid"))
                .and_then(|mut f| f.write_all(b"x")),
        );
        told.stat(&mnt.join("new-suid"));
    }),
    ("mkdir and rmdir", |mnt, told| {
        for name in ["made", "dir", "hard", "absent/made", "dir/made"] {
            told.errno(
                name,
                rustix::fs::mkdir(mnt.join(name), Mode::from_raw_mode(0o1777)),
            );
            told.stat(&mnt.join(name));
        }
        for name in ["made", "dir", "hard", "absent", "empty", "link"] {
            told.errno(name, rustix::fs::rmdir(mnt.join(name)));
        }
    }),
    ("symlink", |mnt, told| {
        for name in ["made", "hard", "dir/made", "absent/made"] {
            told.errno(name, rustix::fs::symlink("some/target", mnt.join(name)));
            told.line("target", fs::read_link(mnt.join(name)));
            told.stat(&mnt.join(name));
        }
        told.errno(
            "long",
            rustix::fs::symlink("t".repeat(4000), mnt.join("long")),
        );
        told.line(
            "long",
            fs::read_link(mnt.join("long")).map(|t| t.as_os_str().len()),
        );
    }),
    ("mknod", |mnt, told| {
        for (name, kind, dev) in [
            ("a-fifo", FileType::Fifo, 0),
            ("a-socket", FileType::Socket, 0),
            (
                "a-device",
                FileType::CharacterDevice,
                rustix::fs::makedev(1, 3),
            ),
            (
                "a-block",
                FileType::BlockDevice,
                rustix::fs::makedev(7, 300),
            ),
            ("a-file", FileType::RegularFile, 0),
            ("hard", FileType::RegularFile, 0),
        ] {
            told.errno(
                name,
                rustix::fs::mknodat(CWD, mnt.join(name), kind, Mode::from_raw_mode(0o640), dev),
            );
            told.stat(&mnt.join(name));
        }
    }),
    ("link", |mnt, told| {
        for name in FILES
            .iter()
            .chain(&["link", "hlink", "dir", "absent", "fifo"])
        {
            let to = mnt.join(format!("linked-{name}"));
            told.errno(
                name,
                rustix::fs::linkat(CWD, mnt.join(name), CWD, &to, AtFlags::empty()),
            );
            told.stat(&to);
        }
        told.errno(
            "onto",
            rustix::fs::linkat(
                CWD,
                mnt.join("own"),
                CWD,
                mnt.join("hard"),
                AtFlags::empty(),
            ),
        );
        // What has become a hard link is guarded from now on.
        told.line(
            "write",
            OpenOptions::new()
                .write(true)
                .open(mnt.join("own"))
                .and_then(|mut f| f.write_all(b"x")),
        );
        told.line(
            "write",
            OpenOptions::new()
                .write(true)
                .open(mnt.join("linked-own"))
                .and_then(|mut f| f.write_all(b"x")),
        );
        told.content(&mnt.join("own"));
        told.content(&mnt.join("linked-own"));
        told.errno(
            "chmod",
            rustix::fs::chmod(mnt.join("linked-own"), Mode::from_raw_mode(0o600)),
        );
        told.errno("drop", rustix::fs::unlink(mnt.join("own")));
        told.line(
            "write",
            OpenOptions::new()
                .write(true)
                .open(mnt.join("linked-own"))
                .and_then(|mut f| f.write_all(b"y")),
        );
        told.content(&mnt.join("linked-own"));
    }),
    ("link while open", |mnt, told| {
        let mut file = OpenOptions::new()
            .write(true)
            .open(mnt.join("own"))
            .unwrap();
        told.errno(
            "link",
            rustix::fs::linkat(
                CWD,
                mnt.join("own"),
                CWD,
                mnt.join("second"),
                AtFlags::empty(),
            ),
        );
        told.line("write", file.write_all(b"later"));
        told.line(
            "fchmod",
            file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600)),
        );
        told.line("ftruncate", file.set_len(2));
        told.content(&mnt.join("own"));
    }),
    ("unlink", |mnt, told| {
        for name in FILES.iter().chain(&[
            "link", "hlink", "dangling", "dir", "absent", "fifo", "hfifo", "device", "twin-b",
        ]) {
            told.errno(name, rustix::fs::unlink(mnt.join(name)));
            told.stat(&mnt.join(name));
        }
    }),
    ("unlink while open", |mnt, told| {
        for name in ["own", "hard"] {
            let path = mnt.join(name);
            let mut file = File::open(&path).unwrap();
            told.errno("unlink", rustix::fs::unlink(&path));
            told.stat(&path);
            let mut text = String::new();
            told.line("read", file.read_to_string(&mut text).map(|_| text.clone()));
            told.line("size", file.metadata().map(|m| m.len()));
        }
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(mnt.join("temporary"))
            .unwrap();
        told.errno("unlink", rustix::fs::unlink(mnt.join("temporary")));
        told.line("write", file.write_at(b"still here", 0));
        told.line("set_len", file.set_len(5));
        told.line(
            "fchmod",
            file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600)),
        );
        told.line("mode", file.metadata().map(|m| (m.len(), m.mode() & 0o777)));
        let mut back = [0; 20];
        told.line(
            "read",
            file.read_at(&mut back, 0).map(|n| back[..n].to_vec()),
        );
    }),
    ("rename", |mnt, told| {
        for (from, to) in [
            ("hard", "moved"),
            ("own", "twin-b"),
            ("new", "own"),
            ("dir", "moved-dir"),
            ("moved-dir", "empty"),
            ("empty", "empty/below"),
            ("link", "empty/link"),
            ("absent", "elsewhere"),
            ("moved", "empty"),
            ("empty", "moved"),
            ("big", "absent/big"),
            ("twin-a", "twin-b"),
        ] {
            told.errno(
                &format!("{from} to {to}"),
                rustix::fs::rename(mnt.join(from), mnt.join(to)),
            );
            told.stat(&mnt.join(from));
            told.stat(&mnt.join(to));
        }
        told.content(&mnt.join("moved"));
        told.content(&mnt.join("empty/inner"));
        told.line(
            "write a moved one",
            OpenOptions::new()
                .write(true)
                .open(mnt.join("moved"))
                .and_then(|mut f| f.write_all(b"x")),
        );
    }),
    ("rename flags", |mnt, told| {
        for (from, to, flags) in [
            ("hard", "own", RenameFlags::NOREPLACE),
            ("hard", "fresh", RenameFlags::NOREPLACE),
            ("own", "big", RenameFlags::EXCHANGE),
            ("own", "dir", RenameFlags::EXCHANGE),
            ("own", "absent", RenameFlags::EXCHANGE),
            ("big", "wh", RenameFlags::WHITEOUT),
        ] {
            told.errno(
                &format!("{from} {to} {flags:?}"),
                rustix::fs::renameat_with(CWD, mnt.join(from), CWD, mnt.join(to), flags),
            );
            told.stat(&mnt.join(from));
            told.stat(&mnt.join(to));
        }
    }),
];
