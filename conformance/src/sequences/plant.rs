//! Small trees full of what trees can hold. Names come from a small pool, so that trees laid over each other meet.

use super::dice::Dice;
use osier_testkit::xattr;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};

const FILES: [&str; 12] = [
    "f0",
    "f1",
    "f2",
    "f3",
    "f4",
    "f5",
    "f6",
    "a b",
    "ü",
    "back\\slash",
    "new\nline",
    "-dash",
];
const ODD: [&str; 7] = [
    ".wh.f0",
    ".wh.f3",
    ".wh.d0",
    ".wh..wh..opq",
    ".ostree-wh.f1",
    ".ostree-wh.d1",
    "f0.file",
];
const DIRS: [&str; 4] = ["d0", "d1", "d2", "usr"];

/// Makes the tree of a seed at `root`.
pub fn plant(root: &Path, seed: u64) -> io::Result<()> {
    let mut dice = Dice::new(seed);
    fs::create_dir_all(root)?;
    let mut dirs = vec![root.to_owned()];
    for _ in 0..dice.below(6) {
        let dir = dice.pick(&dirs).join(dice.pick(&DIRS));
        if !dir.exists() {
            fs::create_dir(&dir)?;
            dirs.push(dir);
        }
    }
    let mut files: Vec<PathBuf> = Vec::new();
    for _ in 0..dice.below(12) {
        let dir = dice.pick(&dirs).clone();
        file(&dir, &mut files, &mut dice)?;
    }
    if dice.chance(8) {
        let kernel = root.join("usr/lib/modules/6.1.0");
        fs::create_dir_all(&kernel)?;
        fs::write(kernel.join("vmlinuz"), "a kernel")?;
    }
    if dice.chance(2) {
        rustix::fs::mknodat(
            rustix::fs::CWD,
            root.join("fifo"),
            rustix::fs::FileType::Fifo,
            0o644.into(),
            0,
        )?;
    }
    for dir in &dirs {
        let mode = dice.weighted(&[
            (70, 0o755),
            (6, 0o700),
            (6, 0o775),
            (4, 0o1777),
            (4, 0o2755),
            (3, 0o777),
        ]);
        own(dir, &mut dice, mode)?;
    }
    Ok(())
}

/// Changes what is at `root` a little: new content, files gone, files more.
pub fn edit(root: &Path, seed: u64) -> io::Result<()> {
    if !root.is_dir() {
        return Ok(());
    }
    let mut dice = Dice::new(seed);
    let (mut dirs, mut files) = (vec![root.to_owned()], Vec::new());
    let mut at = 0;
    while at < dirs.len() {
        let mut names: Vec<PathBuf> = fs::read_dir(&dirs[at])?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<_>>()?;
        names.sort();
        for path in names {
            match path.symlink_metadata()?.is_dir() {
                true => dirs.push(path),
                false => files.push(path),
            }
        }
        at += 1;
    }
    for _ in 0..1 + dice.below(3) {
        if !files.is_empty() && dice.chance(60) {
            // Replaced, not written into: it may be another name of an object.
            let path = files.swap_remove(dice.below(files.len()));
            fs::remove_file(&path)?;
            if dice.chance(50) {
                fs::write(&path, dice.text(20))?;
            }
        } else {
            let dir = dice.pick(&dirs).clone();
            file(&dir, &mut Vec::new(), &mut dice)?;
        }
    }
    Ok(())
}

fn file(dir: &Path, files: &mut Vec<PathBuf>, dice: &mut Dice) -> io::Result<()> {
    let name = match dice.chance(4) {
        true => *dice.pick(&ODD),
        false => *dice.pick(&FILES),
    };
    let path = dir.join(name);
    if path.symlink_metadata().is_ok() {
        return Ok(());
    }
    match dice.below(12) {
        0 | 1 => {
            let target = dice.pick(&["f0", "../f1", "/etc/nope", "d0", "x", "/usr/d0/f2"]);
            symlink(target, &path)?;
            if dice.chance(10) {
                lchown(&path, Some(7), Some(8))?;
            }
            return Ok(());
        }
        2 if !files.is_empty() => return fs::hard_link(dice.pick(files), &path),
        3 => fs::write(&path, "")?,
        4 => fs::write(&path, dice.text(70_000))?,
        5..=8 => fs::write(&path, format!("content {}\n", dice.below(4)))?,
        _ => {
            let length = dice.below(300);
            fs::write(&path, dice.text(length))?;
        }
    }
    let mode = dice.weighted(&[
        (60, 0o644),
        (20, 0o755),
        (4, 0o600),
        (4, 0o775),
        (2, 0o444),
        (2, 0o000),
        (2, 0o4755),
        (2, 0o2755),
        (1, 0o1644),
        (2, 0o666),
    ]);
    own(&path, dice, mode)?;
    files.push(path);
    Ok(())
}

/// Gives owner, then mode (a change of owner clears set-id bits), then attributes.
fn own(path: &Path, dice: &mut Dice, mode: u32) -> io::Result<()> {
    let (uid, gid) = dice.weighted(&[(80, (0, 0)), (8, (1, 2)), (8, (1000, 1000)), (2, (0, 5))]);
    lchown(path, Some(uid), Some(gid))?;
    fs::set_permissions(path, Permissions::from_mode(mode))?;
    if dice.chance(8) {
        let (name, value) = dice.weighted(&[
            (4, ("user.a", "one")),
            (3, ("user.b", "")),
            (2, ("trusted.c", "three\0")),
            (
                1,
                (
                    "user.very.long",
                    "a value that is somewhat longer than the others",
                ),
            ),
        ]);
        xattr::set(path, name, value.as_bytes()).map_err(io::Error::other)?;
    }
    Ok(())
}
