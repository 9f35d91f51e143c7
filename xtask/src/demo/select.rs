//! Which files of the machine go into the demo's tree: always the same ones on the same machine, never more than asked.

use std::fs::{self, DirEntry, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// How large a tree may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Regular files and symbolic links.
    pub files: u64,
    /// Bytes in regular files.
    pub bytes: u64,
}

impl Limits {
    /// As large as a desktop system's `/usr`, small enough to be shipped twice in three minutes.
    pub const NORMAL: Limits = Limits {
        files: 38_000,
        bytes: 1_150_000_000,
    };
    /// For tests.
    pub const QUICK: Limits = Limits {
        files: 400,
        bytes: 12_000_000,
    };

    fn part(self, files: u64, bytes: u64, of: u64) -> Limits {
        Limits {
            files: self.files * files / of,
            bytes: self.bytes * bytes / of,
        }
    }

    fn minus(self, used: Limits) -> Limits {
        Limits {
            files: self.files.saturating_sub(used.files),
            bytes: self.bytes.saturating_sub(used.bytes),
        }
    }

    fn plus(self, more: Limits) -> Limits {
        Limits {
            files: self.files + more.files,
            bytes: self.bytes + more.bytes,
        }
    }
}

/// Files and folders to copy, named relative to `root` and in UTF-8, as all names in a commit.
pub struct Plan {
    /// Where they are.
    pub root: PathBuf,
    /// Each before those in it.
    pub folders: Vec<String>,
    /// Regular files and symbolic links.
    pub files: Vec<String>,
    taken: Limits,
}

/// The folders of `/usr` with their share of the files and of the bytes, in per cent. What one leaves goes to those
/// behind it, so a machine that keeps its libraries in `lib64` fills the tree as well as one that has none.
const USR: [(&str, u64, u64); 8] = [
    ("sbin", 2, 3),
    ("bin", 5, 15),
    ("libexec", 2, 5),
    ("lib64", 14, 20),
    ("lib", 28, 32),
    ("share", 42, 20),
    ("include", 4, 3),
    ("local", 3, 2),
];

/// Never taken: the kernel's folder is filled apart, the others hold what a package manager keeps.
const LEFT_OUT: [&str; 3] = ["lib/modules", "lib/ostree-boot", "lib64/modules"];

/// A file that anything with room left has room for.
const SMALL: u64 = 1 << 20;

/// What tells this machine from others, or what the deployment would want to run a policy compiler for.
const LEFT_OUT_ETC: [&str; 8] = [
    "hostname",
    "hosts",
    "machine-id",
    "mtab",
    "ostree",
    "resolv.conf",
    "selinux",
    ".updated",
];

/// The chosen part of `/usr`.
pub fn usr(limits: Limits) -> Plan {
    let mut plan = Plan::new("/usr");
    let mut left_over = Limits { files: 0, bytes: 0 };
    for (area, files, bytes) in USR {
        let budget = limits.part(files, bytes, 100).plus(left_over);
        let before = plan.taken;
        if plan.add_folder(area) {
            // No single package may push the others out.
            let at_most = budget.part(1, 1, 3);
            for (name, entry) in sorted(&plan.root.join(area)) {
                let path = format!("{area}/{name}");
                let spent = plan.taken.minus(before);
                let mut room = budget.minus(spent);
                room.files = room.files.min(at_most.files);
                room.bytes = room.bytes.min(at_most.bytes);
                plan.add(&path, &entry, &LEFT_OUT, &mut room, |_| true);
            }
        }
        left_over = budget.minus(plan.taken.minus(before));
    }
    plan
}

/// The chosen part of `/etc`: what everybody may read.
pub fn etc(limits: Limits) -> Plan {
    let mut plan = Plan::new("/etc");
    let mut room = limits.part(4, 1, 100);
    for (name, entry) in sorted(Path::new("/etc")) {
        plan.add(&name, &entry, &LEFT_OUT_ETC, &mut room, |meta| {
            let needed = if meta.is_dir() { 0o005 } else { 0o004 };
            meta.is_symlink() || meta.mode() & needed == needed
        });
    }
    plan
}

impl Plan {
    fn new(root: &str) -> Plan {
        Plan {
            root: root.into(),
            folders: Vec::new(),
            files: Vec::new(),
            taken: Limits { files: 0, bytes: 0 },
        }
    }

    fn add_folder(&mut self, path: &str) -> bool {
        let is_folder = fs::symlink_metadata(self.root.join(path)).is_ok_and(|meta| meta.is_dir());
        if is_folder {
            self.folders.push(path.to_owned());
        }
        is_folder
    }

    /// Adds an entry, and what is below it, as far as there is room.
    fn add(
        &mut self,
        path: &str,
        entry: &DirEntry,
        left_out: &[&str],
        room: &mut Limits,
        may: impl Fn(&Metadata) -> bool + Copy,
    ) {
        let Ok(meta) = entry.metadata() else { return };
        if left_out.contains(&path) || !may(&meta) || room.files == 0 {
            return;
        }
        if meta.is_dir() {
            self.folders.push(path.to_owned());
            for (name, entry) in sorted(&self.root.join(path)) {
                self.add(&format!("{path}/{name}"), &entry, left_out, room, may);
            }
            return;
        }
        let bytes = if meta.is_file() { meta.len() } else { 0 };
        let readable = meta.is_symlink()
            || meta.is_file()
                && rustix::fs::access(entry.path(), rustix::fs::Access::READ_OK).is_ok();
        if bytes > room.bytes {
            // Where even a small file does not fit, what follows would be empty folders.
            if bytes < SMALL {
                room.files = 0;
            }
        } else if readable {
            room.files -= 1;
            room.bytes -= bytes;
            self.taken = self.taken.plus(Limits { files: 1, bytes });
            self.files.push(path.to_owned());
        }
    }
}

/// The entries of a folder by name, without names that are not UTF-8; none when it cannot be read.
fn sorted(dir: &Path) -> Vec<(String, DirEntry)> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let mut entries: Vec<(String, DirEntry)> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry)))
        .collect();
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_stays_within_its_limits_and_is_the_same_each_time() {
        let plan = usr(Limits::QUICK);
        let taken = plan.taken;
        assert!(taken.files > 0 && taken.files <= Limits::QUICK.files);
        assert!(taken.bytes <= Limits::QUICK.bytes);
        assert_eq!(taken.files, plan.files.len() as u64);
        assert_eq!(plan.files, usr(Limits::QUICK).files);
    }

    #[test]
    fn nothing_private_is_taken_from_etc() {
        let plan = etc(Limits::NORMAL);
        for file in &plan.files {
            assert!(
                !["shadow", "gshadow", "machine-id"].contains(&file.as_str()),
                "{file}"
            );
        }
    }
}
