//! What changes content.

use super::{FILES, Op, python};
use rustix::fs::{Mode, OFlags};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::FileExt;

/// The operations.
pub const OPS: &[(&str, Op)] = &[
    ("open flags", |mnt, told| {
        for name in FILES
            .iter()
            .chain(&["link", "hlink", "dangling", "dir", "absent", "own/x"])
        {
            for (text, flags) in [
                ("rdonly", OFlags::RDONLY),
                ("wronly", OFlags::WRONLY),
                ("rdwr", OFlags::RDWR),
                ("append", OFlags::WRONLY | OFlags::APPEND),
                ("rdonly append", OFlags::RDONLY | OFlags::APPEND),
                ("wronly trunc", OFlags::WRONLY | OFlags::TRUNC),
                ("creat excl", OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL),
                ("rdonly creat", OFlags::RDONLY | OFlags::CREATE),
                ("nofollow", OFlags::RDONLY | OFlags::NOFOLLOW),
                ("directory", OFlags::RDONLY | OFlags::DIRECTORY),
                ("path", OFlags::PATH | OFlags::NOFOLLOW),
                ("direct", OFlags::RDONLY | OFlags::DIRECT),
                ("tmpfile", OFlags::RDWR | OFlags::TMPFILE),
                ("sync", OFlags::WRONLY | OFlags::SYNC),
                ("noatime", OFlags::RDONLY | OFlags::NOATIME),
            ] {
                told.open(&format!("{name} {text}"), &mnt.join(name), flags);
            }
            told.stat(&mnt.join(name));
        }
    }),
    ("open read-only and create", |mnt, told| {
        for name in ["hard", "own", "new"] {
            told.open(name, &mnt.join(name), OFlags::RDONLY | OFlags::CREATE);
            told.content(&mnt.join(name));
        }
    }),
    ("open read-only and truncate", |mnt, told| {
        told.open("own", &mnt.join("own"), OFlags::RDONLY | OFlags::TRUNC);
        told.content(&mnt.join("own"));
    }),
    ("write in place", |mnt, told| {
        for name in FILES {
            let path = mnt.join(name);
            told.line(
                name,
                OpenOptions::new()
                    .write(true)
                    .open(&path)
                    .and_then(|mut f| {
                        f.write_all(b"HA")?;
                        f.seek(io::SeekFrom::Start(8))?;
                        f.write_all(b"RD")
                    }),
            );
            told.content(&path);
            told.stat(&path);
        }
    }),
    ("write through a link", |mnt, told| {
        for name in ["link", "olink", "dangling"] {
            let path = mnt.join(name);
            told.line(name, fs::write(&path, "through"));
            told.content(&path);
        }
        told.stat(&mnt.join("hard"));
        told.stat(&mnt.join("nowhere"));
    }),
    ("append", |mnt, told| {
        for name in FILES {
            let path = mnt.join(name);
            told.line(
                name,
                OpenOptions::new()
                    .append(true)
                    .open(&path)
                    .and_then(|mut f| {
                        f.write_all(b"one")?;
                        f.write_all(b"two")
                    }),
            );
            told.content(&path);
        }
        // Two who append to one file do not overwrite each other.
        let open = || {
            OpenOptions::new()
                .append(true)
                .open(mnt.join("own"))
                .unwrap()
        };
        let (mut first, mut second) = (open(), open());
        for _ in 0..3 {
            told.line("first", first.write_all(b"1"));
            told.line("second", second.write_all(b"2"));
        }
        told.content(&mnt.join("own"));
    }),
    ("read and write, one handle", |mnt, told| {
        for name in ["own", "hard", "fresh"] {
            let path = mnt.join(name);
            let opened = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path);
            let mut file = match opened {
                Ok(file) => file,
                Err(error) => {
                    told.line(name, io::Result::<()>::Err(error));
                    continue;
                }
            };
            told.line("write", file.write_all(b"abcdef"));
            let mut back = String::new();
            told.line("rewind", file.rewind());
            told.line("read", file.read_to_string(&mut back).map(|_| back.clone()));
            told.line("set_len", file.set_len(3));
            told.line("len", file.metadata().map(|m| m.len()));
            told.line("grow", file.set_len(10));
            told.line("sync", file.sync_all());
            told.line("datasync", file.sync_data());
            told.content(&path);
        }
    }),
    ("truncate by path", |mnt, told| {
        for name in FILES.iter().chain(&["link", "dir", "absent"]) {
            let path = mnt.join(name);
            // The standard library has no truncate(2); coreutils' program opens first, so python speaks for it.
            told.line(
                name,
                python("import os,sys\nos.truncate(sys.argv[1], 2)", &path),
            );
            told.content(&path);
        }
    }),
    ("copy", |mnt, told| {
        for (from, to) in [
            ("big", "copy"),
            ("hard", "copy2"),
            ("own", "hard"),
            ("hard", "own"),
        ] {
            told.line(
                &format!("{from} to {to}"),
                fs::copy(mnt.join(from), mnt.join(to)),
            );
            told.stat(&mnt.join(to));
        }
        told.content(&mnt.join("hard"));
        told.content(&mnt.join("own"));
    }),
    ("copied up and further", |mnt, told| {
        let path = mnt.join("hard");
        told.errno(
            "chmod",
            rustix::fs::chmod(&path, Mode::from_raw_mode(0o600)),
        );
        told.stat(&path);
        told.errno(
            "again",
            rustix::fs::chmod(&path, Mode::from_raw_mode(0o640)),
        );
        told.line(
            "append",
            OpenOptions::new()
                .append(true)
                .open(&path)
                .and_then(|mut f| f.write_all(b"+")),
        );
        told.content(&path);
        told.stat(&path);
        told.line(
            "twin",
            OpenOptions::new()
                .append(true)
                .open(mnt.join("twin-a"))
                .and_then(|mut f| f.write_all(b"+")),
        );
        told.content(&mnt.join("twin-a"));
        told.content(&mnt.join("twin-b"));
        told.stat(&mnt.join("twin-b"));
    }),
    ("a reader while it is copied up", |mnt, told| {
        let before = File::open(mnt.join("big")).unwrap();
        let hard = File::open(mnt.join("hard")).unwrap();
        told.line("write", fs::write(mnt.join("hard"), "changed entirely"));
        let mut bytes = [0; 32];
        told.line(
            "old handle",
            hard.read_at(&mut bytes, 0)
                .map(|n| String::from_utf8_lossy(&bytes[..n]).into_owned()),
        );
        told.content(&mnt.join("hard"));
        drop(before);
    }),
    ("replace as editors do", |mnt, told| {
        fs::write(mnt.join(".hard.tmp"), "second").unwrap();
        told.errno(
            "rename",
            rustix::fs::rename(mnt.join(".hard.tmp"), mnt.join("hard")),
        );
        told.content(&mnt.join("hard"));
        told.line(
            "write",
            OpenOptions::new()
                .write(true)
                .open(mnt.join("hard"))
                .and_then(|mut f| f.write_all(b"S")),
        );
        told.content(&mnt.join("hard"));
    }),
];
