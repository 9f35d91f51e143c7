//! An operating system tree made of the machine's own files, in the layout that OSTree deploys: everything in `/usr`,
//! the defaults of `/etc` in `/usr/etc`, kernel and initramfs in `/usr/lib/modules/VERSION`, links for the rest.

use super::kernel::Kernel;
use super::select::{self, Limits, Plan};
use anyhow::{Context, Result};
use osier_testkit::tree::Tree;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// What a tree holds.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Size {
    /// Regular files and symbolic links.
    pub files: u64,
    /// Directories.
    pub folders: u64,
    /// Content of the regular files.
    pub bytes: u64,
}

impl Size {
    /// Counts what lies below `dir`.
    pub fn of(dir: &Path) -> Result<Size> {
        let mut size = Size::default();
        let mut pending = vec![dir.to_owned()];
        while let Some(dir) = pending.pop() {
            let entries =
                fs::read_dir(&dir).with_context(|| format!("reading {}", dir.display()))?;
            for entry in entries {
                let entry = entry?;
                let meta = entry.metadata()?;
                if meta.is_dir() {
                    size.folders += 1;
                    pending.push(entry.path());
                } else {
                    size.files += 1;
                    size.bytes += if meta.is_file() { meta.len() } else { 0 };
                }
            }
        }
        Ok(size)
    }
}

/// Makes a tree at `path` from the machine's `/usr` and `/etc`, within `limits`.
pub fn from_this_machine(path: &Path, limits: Limits) -> Result<Kernel> {
    let kernel = Kernel::of_this_machine();
    let tree = Tree::create(path)?;
    copy(&select::usr(limits), &tree.join("usr"))?;
    copy(&select::etc(limits), &tree.join("usr/etc"))?;
    kernel.install(path)?;
    top_level(&tree, Path::new("/"))?;
    Ok(kernel)
}

/// The folders and links of a root file system around `/usr`. Links into `/usr` are those that `machine` has.
pub fn top_level(tree: &Tree, machine: &Path) -> Result<()> {
    for name in ["bin", "sbin", "lib", "lib32", "lib64", "libx32"] {
        let target = format!("usr/{name}");
        if fs::symlink_metadata(machine.join(name)).is_ok()
            && fs::symlink_metadata(tree.join(name)).is_err()
            && tree.join(&target).exists()
        {
            tree.symlink(name, &target)?;
        }
    }
    for name in ["boot", "dev", "proc", "run", "sys", "sysroot", "var"] {
        tree.dir(name, 0o755)?;
    }
    for (name, target) in [
        ("ostree", "sysroot/ostree"),
        ("home", "var/home"),
        ("root", "var/roothome"),
        ("srv", "var/srv"),
        ("opt", "var/opt"),
        ("mnt", "var/mnt"),
        ("media", "run/media"),
        ("tmp", "sysroot/tmp"),
    ] {
        tree.symlink(name, target)?;
    }
    // It names the system in the boot menu, and may not have been among the files chosen.
    if fs::symlink_metadata(tree.join("usr/lib/os-release")).is_err() {
        let text = fs::read_to_string(machine.join("usr/lib/os-release"))
            .unwrap_or_else(|_| "ID=demo\nPRETTY_NAME=\"Demo OS\"\n".to_owned());
        tree.file("usr/lib/os-release", text)?;
    }
    Ok(())
}

/// Sets permission bits.
pub fn set_mode(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, Permissions::from_mode(mode))
        .with_context(|| format!("setting the mode of {}", path.display()))
}

/// Copies what was planned, several files at once; files that vanish or cannot be read meanwhile are left out.
fn copy(plan: &Plan, to: &Path) -> Result<()> {
    let keep_owner = rustix::process::geteuid().is_root();
    fs::create_dir_all(to).with_context(|| format!("creating {}", to.display()))?;
    for folder in &plan.folders {
        let target = to.join(folder);
        fs::create_dir_all(&target).with_context(|| format!("creating {}", target.display()))?;
        let meta = fs::symlink_metadata(plan.root.join(folder));
        let mode = meta.as_ref().map_or(0o755, |meta| meta.mode() & 0o7777);
        if let (true, Ok(meta)) = (keep_owner, &meta) {
            lchown(&target, Some(meta.uid()), Some(meta.gid()))?;
        }
        // Whoever makes the tree must be able to fill and to remove it.
        set_mode(&target, mode | 0o700)?;
    }
    let (next, lost) = (AtomicUsize::new(0), AtomicU64::new(0));
    let workers = std::thread::available_parallelism().map_or(2, |n| n.get().clamp(2, 8));
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(file) = plan.files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (source, target) = (plan.root.join(file), to.join(file));
                    if copy_one(&source, &target, keep_owner).is_err() {
                        let _ = fs::remove_file(&target);
                        lost.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let lost = lost.into_inner();
    let all = plan.files.len() as u64;
    anyhow::ensure!(
        lost * 10 <= all,
        "{lost} of {all} files of {} could not be copied to {}: is there room?",
        plan.root.display(),
        to.display()
    );
    Ok(())
}

fn copy_one(source: &Path, target: &Path, keep_owner: bool) -> Result<()> {
    let meta = fs::symlink_metadata(source)?;
    if meta.is_symlink() {
        symlink(fs::read_link(source)?, target)?;
    } else {
        fs::copy(source, target)?;
    }
    if keep_owner {
        lchown(target, Some(meta.uid()), Some(meta.gid()))?;
    }
    if meta.is_file() {
        // After the owner: the kernel clears setuid when a file is given away.
        set_mode(target, meta.mode() & 0o7777)?;
    }
    Ok(())
}
