//! The demo's folder: a place with enough room, and its removal.

use super::select::Limits;
use anyhow::{Context, Result, ensure};
use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The tree, the compressed repository, the device's repository, and what file systems round up.
const ROOM_PER_BYTE: u64 = 4;
/// Below this a demo shows nothing.
const LEAST: u64 = 200_000_000;

/// A new folder, and how large a tree may be for it.
pub struct Scratch {
    folder: TempDir,
    /// What was asked for, or less.
    pub limits: Limits,
}

impl Scratch {
    /// A folder in `parent`, or else in memory, where temporary files go, or in the target folder, whichever has the room.
    pub fn new(parent: Option<&Path>, wanted: Limits) -> Result<Scratch> {
        let needed = wanted.bytes * ROOM_PER_BYTE;
        let places = match parent {
            Some(parent) => vec![parent.to_owned()],
            // A disk may take minutes to remove what was made in one.
            None => vec![
                "/dev/shm".into(),
                std::env::temp_dir(),
                crate::paths::target(),
            ],
        };
        let mut best: Option<(u64, TempDir)> = None;
        for place in places {
            // The next place may do.
            let Ok(folder) = tempfile::Builder::new()
                .prefix("osier-demo-")
                .tempdir_in(&place)
            else {
                continue;
            };
            let room = room(folder.path())?;
            if best.as_ref().is_none_or(|(most, _)| room > *most) {
                best = Some((room, folder));
            }
            if room >= needed {
                break;
            }
        }
        let (room, folder) =
            best.context("no folder to work in can be made; name one with --dir")?;
        ensure!(
            room >= needed.min(LEAST),
            "{} has room for {} bytes only; name a larger place with --dir",
            folder.path().display(),
            room
        );
        Ok(Scratch {
            folder,
            limits: Limits {
                bytes: wanted.bytes.min(room / ROOM_PER_BYTE),
                ..wanted
            },
        })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Leaves everything there; gives the place.
    pub fn keep(self) -> PathBuf {
        self.folder.keep()
    }

    /// Removes everything.
    pub fn remove(self) -> Result<()> {
        let path = self.folder.path().to_owned();
        unlock(&path.join("sysroot"))?;
        self.folder
            .close()
            .with_context(|| format!("removing {}", path.display()))
    }
}

/// Bytes that can be written below `dir`. A file system in memory promises more than there may be.
fn room(dir: &Path) -> Result<u64> {
    let stat = rustix::fs::statvfs(dir)
        .with_context(|| format!("asking for the room in {}", dir.display()))?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    Ok(match available_memory() {
        Some(memory) if in_memory(dir) => free.min(memory / 2),
        _ => free,
    })
}

/// Whether files in `dir` take memory instead of room on a disk.
pub fn in_memory(dir: &Path) -> bool {
    const TMPFS: u64 = 0x0102_1994;
    rustix::fs::statfs(dir)
        .is_ok_and(|stat| u64::try_from(stat.f_type).is_ok_and(|kind| kind == TMPFS))
}

fn available_memory() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib * 1024)
}

/// Deployments are immutable on disk; a plain removal would stop there.
fn unlock(sysroot: &Path) -> Result<()> {
    for stateroot in subfolders(&sysroot.join("ostree/deploy")) {
        for deployment in subfolders(&stateroot.join("deploy")) {
            let folder = File::open(&deployment)?;
            // File systems without flags have none to clear.
            if let Ok(flags) = ioctl_getflags(&folder)
                && flags.contains(IFlags::IMMUTABLE)
            {
                ioctl_setflags(&folder, flags - IFlags::IMMUTABLE)
                    .with_context(|| format!("unlocking {}", deployment.display()))?;
            }
        }
    }
    Ok(())
}

fn subfolders(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir()))
        .collect()
}
