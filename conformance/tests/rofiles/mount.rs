//! Mounting either program over a tree of every kind of file.

use osier_testkit::skip;
use osier_testkit::snapshot::Snapshot;
use osier_testkit::tool::Tool;
use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The variable that names the C program, instead of `/usr/bin/rofiles-fuse`.
const PEER: &str = "OSIER_C_ROFILES_FUSE";
/// The C program; `None`, said aloud, where there is none.
pub fn c_program() -> Option<PathBuf> {
    let program =
        std::env::var_os(PEER).map_or_else(|| "/usr/bin/rofiles-fuse".into(), PathBuf::from);
    if program.is_file() {
        return Some(program);
    }
    skip::because(&format!(
        "no C rofiles-fuse at {} (Debian package ostree)",
        program.display()
    ));
    None
}

/// Our program: beside our `ostree`.
///
/// # Panics
/// When it is not built.
pub fn our_program() -> PathBuf {
    let program = Tool::ours().program().with_file_name("rofiles-fuse");
    assert!(
        program.is_file(),
        "{} does not exist: run `cargo build --package osier-fuse` first",
        program.display()
    );
    program
}

/// Whether the program taken for ours is the C program, put there to prove the tests.
pub fn ours_is_c() -> bool {
    let canonical = |path: PathBuf| path.canonicalize().ok();
    c_program().is_some_and(|c| canonical(c) == canonical(our_program()))
}

/// Runs a program in the background of nothing: both ends of it closed, its output taken.
pub fn run(program: &Path, args: &[&str]) -> Output {
    Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .env("LANG", "C.UTF-8")
        .output()
        .expect("starting rofiles-fuse")
}

/// A mount that goes away with the value.
pub struct Guard {
    /// Where it is mounted.
    pub mnt: PathBuf,
}

impl Guard {
    /// Mounts and waits until it is there: the program returns when it is.
    #[track_caller]
    pub fn mount(program: &Path, args: &[&str], base: &Path, mnt: &Path) -> Guard {
        let mut all: Vec<&str> = args.to_vec();
        all.extend([base.to_str().unwrap(), mnt.to_str().unwrap()]);
        let output = run(program, &all);
        assert!(
            output.status.success(),
            "{} {all:?}: {}",
            program.display(),
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(is_mounted(mnt), "{all:?} succeeded and mounted nothing");
        Guard {
            mnt: mnt.to_owned(),
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let done = Command::new("fusermount3")
            .arg("-u")
            .arg(&self.mnt)
            .output();
        if !done.is_ok_and(|o| o.status.success()) {
            let _ = rustix::mount::unmount(&self.mnt, rustix::mount::UnmountFlags::DETACH);
        }
    }
}

/// Whether something is mounted at exactly this place.
pub fn is_mounted(place: &Path) -> bool {
    fs::read_to_string("/proc/self/mounts")
        .expect("/proc")
        .lines()
        .any(|line| line.split(' ').nth(1) == place.to_str())
}

/// A store, a tree of hard links into it and of files of its own, and a place to mount it.
pub struct Fixture {
    dir: tempfile::TempDir,
    /// The tree.
    pub base: PathBuf,
    /// The mount point.
    pub mnt: PathBuf,
}

impl Fixture {
    /// Makes everything anew.
    pub fn new() -> Fixture {
        Fixture::sized(20)
    }

    /// The same with so many files in the directory of many.
    pub fn sized(many: usize) -> Fixture {
        let dir = tempfile::Builder::new()
            .prefix("osier-rofiles-")
            .tempdir()
            .unwrap();
        fs::set_permissions(
            dir.path(),
            std::os::unix::fs::PermissionsExt::from_mode(0o755),
        )
        .unwrap();
        let (store, base, mnt) = (
            dir.path().join("store"),
            dir.path().join("base"),
            dir.path().join("mnt"),
        );
        for made in [&store, &base, &mnt] {
            fs::create_dir(made).unwrap();
        }
        let mode =
            |path: &Path, mode: u32| rustix::fs::chmod(path, Mode::from_raw_mode(mode)).unwrap();
        let shared = |name: &str, text: &str, bits: u32| {
            fs::write(store.join(name), text).unwrap();
            mode(&store.join(name), bits);
            fs::hard_link(store.join(name), base.join(name)).unwrap();
        };
        shared("hard", "hard\n", 0o644);
        shared("hexec", "#!/bin/sh\necho ran\n", 0o755);
        let _ = osier_testkit::xattr::set(&store.join("hard"), "user.k", b"value");
        for (name, text) in [("own", "own\n"), ("twin-a", "twins\n"), ("old", "old\n")] {
            fs::write(base.join(name), text).unwrap();
        }
        let _ = osier_testkit::xattr::set(&base.join("own"), "user.k", b"value");
        fs::hard_link(base.join("twin-a"), base.join("twin-b")).unwrap();
        let big: Vec<u8> = (0..300_000u32).map(|n| (n % 251) as u8).collect();
        fs::write(base.join("big"), big).unwrap();
        let sparse = fs::File::create(base.join("sparse")).unwrap();
        sparse.set_len(1 << 20).unwrap();
        for (name, target) in [("link", "hard"), ("olink", "own"), ("dangling", "nowhere")] {
            rustix::fs::symlink(target, base.join(name)).unwrap();
        }
        rustix::fs::symlink("hard", store.join("hlink")).unwrap();
        rustix::fs::linkat(
            CWD,
            store.join("hlink"),
            CWD,
            base.join("hlink"),
            AtFlags::empty(),
        )
        .unwrap();
        for name in ["dir", "empty", "many", "closed"] {
            fs::create_dir(base.join(name)).unwrap();
        }
        fs::hard_link(store.join("hard"), base.join("dir/inner")).unwrap();
        fs::write(base.join("dir/own"), "inner own\n").unwrap();
        for n in 0..many {
            fs::write(base.join(format!("many/a-name-of-some-length-{n:05}")), "").unwrap();
        }
        mode(&base.join("closed"), 0);
        for (name, kind, device) in [
            ("fifo", FileType::Fifo, 0),
            ("socket", FileType::Socket, 0),
            (
                "device",
                FileType::CharacterDevice,
                rustix::fs::makedev(1, 3),
            ),
        ] {
            rustix::fs::mknodat(
                CWD,
                base.join(name),
                kind,
                Mode::from_raw_mode(0o644),
                device,
            )
            .unwrap();
        }
        rustix::fs::mknodat(
            CWD,
            store.join("hfifo"),
            FileType::Fifo,
            Mode::from_raw_mode(0o644),
            0,
        )
        .unwrap();
        fs::hard_link(store.join("hfifo"), base.join("hfifo")).unwrap();
        let past = |path: &Path, sec: i64, nsec| {
            let time = Timespec {
                tv_sec: sec,
                tv_nsec: nsec,
            };
            rustix::fs::utimensat(
                CWD,
                path,
                &Timestamps {
                    last_access: time,
                    last_modification: time,
                },
                AtFlags::SYMLINK_NOFOLLOW,
            )
            .unwrap();
        };
        for name in ["hard", "own", "link", "dir", "twin-a", "hexec"] {
            past(&base.join(name), 1_500_000_000, 7);
        }
        past(&base.join("old"), -10, 500_000_000);
        Fixture { dir, base, mnt }
    }

    /// A path in the fixture's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// All that lies in the tree and in the store, without times and inode numbers.
    pub fn left(&self) -> String {
        let mut text = String::new();
        for name in ["base", "store"] {
            let top = self.path(name);
            for (path, entry) in settled(&top).entries {
                if path.starts_with("many") && path.as_os_str().len() > 4 {
                    continue;
                }
                let links = fs::symlink_metadata(top.join(&path)).unwrap();
                let _ = writeln!(
                    text,
                    "{name}/{} {:?} {:o} {}:{} links {} {:?}",
                    path.display(),
                    entry.kind,
                    entry.mode,
                    entry.uid,
                    entry.gid,
                    std::os::unix::fs::MetadataExt::nlink(&links),
                    entry.xattrs.keys().collect::<Vec<_>>(),
                );
            }
        }
        text
    }
}

/// A tree once libfuse has removed what it renamed away instead of removing it: it does so while it ends.
fn settled(top: &Path) -> Snapshot {
    for _ in 0..1000 {
        if let Ok(snapshot) = Snapshot::of(top) {
            let hidden = |path: &PathBuf| path.to_string_lossy().contains(".fuse_hidden");
            if !snapshot.entries.keys().any(hidden) {
                return snapshot;
            }
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("{} does not come to rest", top.display());
}
