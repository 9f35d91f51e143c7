//! What can be seen: attributes, content, listings, programs that run.

use super::{FILES, Op, open, python};
use rustix::fs::{OFlags, SeekFrom, XattrFlags};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

/// The operations.
pub const OPS: &[(&str, Op)] = &[
    ("stat", |mnt, told| {
        let mut names: Vec<_> = fs::read_dir(mnt)
            .unwrap()
            .map(|e| e.unwrap().path())
            .collect();
        names.sort();
        for path in &names {
            told.stat(path);
            told.line("kind", path.symlink_metadata().map(|m| m.file_type()));
        }
        told.stat(mnt);
        told.stat(&mnt.join("absent"));
        told.stat(&mnt.join("hard/below"));
        told.stat(&mnt.join("n".repeat(255)));
        told.stat(&mnt.join("n".repeat(256)));
    }),
    ("times", |mnt, told| {
        for name in ["hard", "own", "old", "link", "dir"] {
            told.line(
                name,
                mnt.join(name)
                    .symlink_metadata()
                    .map(|m| (m.atime(), m.atime_nsec(), m.mtime(), m.mtime_nsec())),
            );
        }
    }),
    ("read", |mnt, told| {
        for name in FILES {
            told.content(&mnt.join(name));
        }
        for name in ["link", "hlink", "dangling"] {
            told.line(name, fs::read_link(mnt.join(name)));
        }
        let big = fs::read(mnt.join("big")).unwrap();
        told.line(
            "big",
            io::Result::Ok((big.len(), big.iter().map(|&b| u64::from(b)).sum::<u64>())),
        );
        let file = File::open(mnt.join("big")).unwrap();
        let mut some = [0; 7];
        told.line(
            "pread",
            file.read_at(&mut some, 299_995).map(|n| some[..n].to_vec()),
        );
        told.line("pread at the end", file.read_at(&mut some, 300_000));
        told.line("pread past the end", file.read_at(&mut some, 400_000));
        told.line("read a directory", fs::read(mnt.join("dir")));
    }),
    ("xattrs as programs read them", |mnt, told| {
        // The standard library of python asks for the size first, as getfattr does.
        let script = "import os,sys\nfor n in ('hard','own','dir','link','twin-a'):\n p=sys.argv[1]+'/'+n\n print(n,[(a,os.getxattr(p,a)) for a in sorted(os.listxattr(p))])";
        told.line("all", python(script, mnt));
        fs::write(mnt.join("new"), "new").unwrap();
        told.errno(
            "large",
            rustix::fs::setxattr(
                mnt.join("new"),
                "user.large",
                &[b'l'; 3000],
                XattrFlags::empty(),
            ),
        );
        told.line(
            "large",
            python(
                "import os,sys\nprint(len(os.getxattr(sys.argv[1],'user.large')))",
                &mnt.join("new"),
            ),
        );
    }),
    ("readdir", |mnt, told| {
        let list = |path: &Path| -> io::Result<Vec<String>> {
            let mut names: Vec<String> = fs::read_dir(path)?
                .map(|e| {
                    e.map(|e| format!("{} {:?}", e.file_name().display(), e.file_type().unwrap()))
                })
                .collect::<io::Result<_>>()?;
            names.sort();
            Ok(names)
        };
        for name in [".", "dir", "empty", "absent", "hard", "closed"] {
            told.line(name, list(&mnt.join(name)));
        }
        told.line(
            "many",
            list(&mnt.join("many"))
                .map(|names| (names.len(), names.first().cloned(), names.last().cloned())),
        );
        // Removing while listing, as `rm -r` does, neither skips nor repeats.
        let mut count = 0;
        for entry in fs::read_dir(mnt.join("many")).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
            count += 1;
        }
        told.line("removed", io::Result::Ok(count));
        told.line("left", list(&mnt.join("many")));
    }),
    ("statfs", |mnt, told| {
        let base = rustix::fs::statvfs(mnt.parent().unwrap().join("base")).unwrap();
        told.errno(
            "statfs",
            rustix::fs::statvfs(mnt).map(|s| {
                (
                    s.f_bsize == base.f_bsize,
                    s.f_frsize == base.f_frsize,
                    s.f_blocks == base.f_blocks,
                    s.f_files == base.f_files,
                    s.f_namemax,
                )
            }),
        );
    }),
    ("access", |mnt, told| {
        use rustix::fs::Access;
        for name in FILES
            .iter()
            .chain(&["dir", "closed", "absent", "link", "dangling"])
        {
            for access in [
                Access::EXISTS,
                Access::READ_OK,
                Access::WRITE_OK,
                Access::EXEC_OK,
            ] {
                told.errno(
                    &format!("{name} {access:?}"),
                    rustix::fs::access(mnt.join(name), access),
                );
            }
        }
    }),
    ("lseek", |mnt, told| {
        let fd = open(&mnt.join("sparse"), OFlags::RDONLY).unwrap();
        told.errno("end", rustix::fs::seek(&fd, SeekFrom::End(-4)));
        told.errno("bad", rustix::fs::seek(&fd, SeekFrom::Current(-2_000_000)));
        told.errno(
            "data past the end",
            rustix::fs::seek(&fd, SeekFrom::Data(9_000_000)),
        );
    }),
    ("special files", |mnt, told| {
        told.line("device", File::open(mnt.join("device")).map(drop));
        told.open("fifo", &mnt.join("fifo"), OFlags::RDONLY | OFlags::NONBLOCK);
        told.open("socket", &mnt.join("socket"), OFlags::RDONLY);
        told.line(
            "bind",
            std::os::unix::net::UnixListener::bind(mnt.join("bound")).map(drop),
        );
        told.stat(&mnt.join("bound"));
    }),
    ("execute", |mnt, told| {
        for name in ["hexec", "own", "dir", "absent"] {
            told.line(
                name,
                std::process::Command::new(mnt.join(name))
                    .output()
                    .map(|o| {
                        (
                            o.status.code(),
                            String::from_utf8_lossy(&o.stdout).into_owned(),
                        )
                    }),
            );
        }
        // A program, not a script: the kernel maps its pages.
        fs::copy("/bin/echo", mnt.join("echo")).unwrap();
        told.line(
            "echo",
            std::process::Command::new(mnt.join("echo"))
                .arg("hi")
                .output()
                .map(|o| o.stdout),
        );
    }),
    ("mmap", |mnt, told| {
        for name in ["own", "hard"] {
            let shared = "import mmap,sys\nf=open(sys.argv[1],'r+b')\nm=mmap.mmap(f.fileno(),2)\nm[0:2]=b'MM'\nm.flush()\nprint(m[:])";
            told.line(&format!("{name} shared"), python(shared, &mnt.join(name)));
            let private = "import mmap,sys\nf=open(sys.argv[1],'rb')\nm=mmap.mmap(f.fileno(),0,access=mmap.ACCESS_READ)\nprint(m[:])";
            told.line(&format!("{name} private"), python(private, &mnt.join(name)));
            told.content(&mnt.join(name));
        }
    }),
    ("locks", |mnt, told| {
        use rustix::fs::FlockOperation;
        for name in ["own", "hard"] {
            let (a, b) = (
                open(&mnt.join(name), OFlags::RDONLY).unwrap(),
                open(&mnt.join(name), OFlags::RDONLY).unwrap(),
            );
            told.errno(
                "first",
                rustix::fs::flock(&a, FlockOperation::NonBlockingLockExclusive),
            );
            told.errno(
                "second",
                rustix::fs::flock(&b, FlockOperation::NonBlockingLockExclusive),
            );
            told.errno(
                "posix",
                rustix::fs::fcntl_lock(&a, FlockOperation::NonBlockingLockShared),
            );
        }
    }),
    ("working directory", |mnt, told| {
        let script = "import os,sys\nos.chdir(sys.argv[1]+'/dir')\nprint(sorted(os.listdir('.')), os.path.basename(os.getcwd()))\nos.rename('../dir','../renamed')\nprint(sorted(os.listdir('.')), os.path.basename(os.getcwd()))\nopen('x','w').write('1')\nos.remove('x')\n";
        told.line("cwd", python(script, mnt));
    }),
];
