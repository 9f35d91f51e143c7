//! The operations that both mounts are asked for, each on a fresh fixture, told as text.

mod attributes;
mod content;
mod names;
mod seeing;

use rustix::fs::{Mode, OFlags};
use std::fmt::{Debug, Write as _};
use std::fs::{self};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What an operation left to say, line by line.
pub struct Told(pub String);

impl Told {
    fn line(&mut self, what: &str, result: io::Result<impl Debug>) {
        let _ = match result {
            Ok(value) => writeln!(self.0, "{what}: {value:?}"),
            // The text without the number: the tests are read by people.
            Err(error) => writeln!(self.0, "{what}: {error}"),
        };
    }

    fn errno<T: Debug>(&mut self, what: &str, result: rustix::io::Result<T>) {
        self.line(what, result.map_err(io::Error::from));
    }

    /// An open whose file is dropped at once.
    fn open(&mut self, what: &str, path: &Path, flags: OFlags) {
        self.errno(what, open(path, flags).map(drop));
    }

    /// Mode, owner, size and links of a path, itself.
    fn stat(&mut self, path: &Path) {
        let name = path.file_name().unwrap_or_default().to_owned();
        self.line(
            &format!("stat {}", name.display()),
            path.symlink_metadata().map(|m| {
                (
                    format!("{:o}", m.mode()),
                    m.uid(),
                    m.gid(),
                    if m.is_dir() { 0 } else { m.size() },
                    m.nlink(),
                    m.rdev(),
                )
            }),
        );
    }

    fn content(&mut self, path: &Path) {
        self.line(
            "content",
            fs::read(path).map(|b| String::from_utf8_lossy(&b).into_owned()),
        );
    }
}

fn open(path: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    rustix::fs::open(path, flags | OFlags::CLOEXEC, Mode::from_raw_mode(0o644))
}

/// Files of the fixture that share their inode with the store, and those that do not.
const FILES: [&str; 4] = ["hard", "own", "twin-a", "hexec"];

/// An operation below a mount.
pub type Op = fn(&Path, &mut Told);

/// Every operation by name.
pub fn all() -> impl Iterator<Item = &'static (&'static str, Op)> {
    [seeing::OPS, content::OPS, attributes::OPS, names::OPS]
        .into_iter()
        .flatten()
}

/// Names of attributes as the kernel lists them, in order.
fn sorted(names: &[u8]) -> Vec<String> {
    let mut names: Vec<String> = names
        .split(|&b| b == 0)
        .filter(|n| !n.is_empty())
        .map(|n| String::from_utf8_lossy(n).into_owned())
        .collect();
    names.sort();
    names
}

/// What a python program prints, its error's last line included.
fn python(program: &str, path: &Path) -> io::Result<(String, String)> {
    let output = std::process::Command::new("python3")
        .args(["-c", program])
        .arg(path)
        .output()?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    // The message without the path, which differs.
    let last = stderr.lines().last().unwrap_or_default();
    let last = last.split(": '").next().unwrap_or_default().to_owned();
    Ok((String::from_utf8_lossy(&output.stdout).into_owned(), last))
}
