//! Whether what the demo told is what lies on the disk.

use anyhow::{Context, Result, bail, ensure};
use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What was asked and answered, in the order of the story.
#[derive(Default)]
pub struct Checks {
    results: Vec<(String, Result<()>)>,
}

impl Checks {
    /// Keeps a result for the end; a failure does not stop the story.
    pub fn add(&mut self, what: impl Into<String>, result: Result<()>) {
        self.results.push((what.into(), result));
    }

    /// All results.
    pub fn results(&self) -> &[(String, Result<()>)] {
        &self.results
    }
}

/// One entry of the boot menu, as the Boot Loader Specification has it.
pub struct BootEntry {
    /// The file's name.
    pub file: String,
    title: Option<String>,
    version: u64,
    linux: String,
    options: String,
}

impl BootEntry {
    /// The menu of a sysroot, the default first.
    pub fn menu(sysroot: &Path) -> Result<Vec<BootEntry>> {
        let folder = sysroot.join("boot/loader/entries");
        let mut entries = Vec::new();
        for entry in
            fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?
        {
            let entry = entry?;
            let text = fs::read_to_string(entry.path())?;
            let field = |name: &str| {
                text.lines()
                    .filter_map(|line| line.split_once(' '))
                    .find_map(|(key, value)| (key == name).then(|| value.to_owned()))
            };
            let path = entry.path();
            let needed = |name: &str| {
                field(name).with_context(|| format!("{} has no {name}", path.display()))
            };
            entries.push(BootEntry {
                file: entry.file_name().to_string_lossy().into_owned(),
                title: field("title"),
                version: needed("version")?.parse()?,
                linux: needed("linux")?,
                options: needed("options")?,
            });
        }
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.version));
        Ok(entries)
    }

    /// What the menu shows.
    pub fn title(&self) -> &str {
        self.title.as_deref().unwrap_or("(no title)")
    }

    /// The folder that the initramfs would make the root file system, found as it does: by `ostree=` of the kernel's
    /// command line.
    pub fn deployment(&self, sysroot: &Path) -> Result<PathBuf> {
        let target = self
            .options
            .split(' ')
            .find_map(|option| option.strip_prefix("ostree="))
            .with_context(|| format!("{} has no ostree= among its options", self.file))?;
        let link = below(sysroot, target);
        fs::canonicalize(&link).with_context(|| format!("following {}", link.display()))
    }

    /// The kernel that the boot loader would start.
    pub fn kernel(&self, sysroot: &Path) -> PathBuf {
        below(&sysroot.join("boot"), &self.linux)
    }
}

fn below(root: &Path, absolute: &str) -> PathBuf {
    root.join(absolute.trim_start_matches('/'))
}

/// The menu leads to these deployments, the default first, and each kernel is the tree's.
pub fn boots(sysroot: &Path, deployments: &[&Path], kernel: &Path) -> Result<()> {
    let menu = BootEntry::menu(sysroot)?;
    ensure!(
        menu.len() == deployments.len(),
        "{} boot entries, expected {}",
        menu.len(),
        deployments.len()
    );
    for (entry, expected) in menu.iter().zip(deployments) {
        let found = entry.deployment(sysroot)?;
        ensure!(
            found == fs::canonicalize(expected)?,
            "{} leads to {}, expected {}",
            entry.file,
            found.display(),
            expected.display()
        );
        same_content(&entry.kernel(sysroot), kernel)?;
    }
    Ok(())
}

/// Both files hold the same bytes.
pub fn same_content(one: &Path, two: &Path) -> Result<()> {
    let read = |path: &Path| fs::read(path).with_context(|| format!("reading {}", path.display()));
    ensure!(
        read(one)? == read(two)?,
        "{} differs from {}",
        one.display(),
        two.display()
    );
    Ok(())
}

/// The file holds exactly this text, or does not exist.
pub fn holds(path: &Path, expected: Option<&str>) -> Result<()> {
    match (fs::read_to_string(path), expected) {
        (Ok(found), Some(expected)) => ensure!(
            found == expected,
            "{} holds {found:?}, expected {expected:?}",
            path.display()
        ),
        (Err(error), None) if error.kind() == std::io::ErrorKind::NotFound => {}
        (Ok(_), None) => bail!("{} is there", path.display()),
        (Err(error), _) => bail!("reading {}: {error}", path.display()),
    }
    Ok(())
}

/// Space on the disk, each file counted once however many names it has.
#[derive(Clone, Copy, Default, Debug)]
pub struct DiskUse {
    /// In files and symbolic links.
    pub files: u64,
    /// In directories.
    pub folders: u64,
}

impl DiskUse {
    /// What `dir` takes with all below it.
    pub fn of(dir: &Path) -> Result<DiskUse> {
        let mut total = DiskUse::default();
        let mut seen = HashSet::new();
        let mut pending = vec![dir.to_owned()];
        while let Some(dir) = pending.pop() {
            for entry in fs::read_dir(&dir).with_context(|| format!("reading {}", dir.display()))? {
                let entry = entry?;
                let meta = entry.metadata()?;
                let bytes = meta.blocks() * 512;
                if meta.is_dir() {
                    total.folders += bytes;
                    pending.push(entry.path());
                } else if meta.nlink() == 1 || seen.insert(meta.ino()) {
                    total.files += bytes;
                }
            }
        }
        Ok(total)
    }

    /// What came on top of an earlier measurement.
    pub fn since(self, before: DiskUse) -> DiskUse {
        DiskUse {
            files: self.files.saturating_sub(before.files),
            folders: self.folders.saturating_sub(before.folders),
        }
    }

    /// All of it.
    pub fn total(self) -> u64 {
        self.files + self.folders
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use osier_testkit::tree::Tree;

    #[test]
    fn a_menu_is_read_as_a_boot_loader_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let tree = Tree::create(dir.path().join("sysroot")).unwrap();
        tree.file("k1", "kernel").unwrap();
        for (number, deployment) in [(9, "a.0"), (10, "b.0")] {
            tree.dir(&format!("ostree/deploy/x/deploy/{deployment}"), 0o755)
                .unwrap();
            tree.symlink(
                &format!("ostree/boot.0/x/k/{number}"),
                &format!("../../../deploy/x/deploy/{deployment}"),
            )
            .unwrap();
            tree.file(
                &format!("boot/loader/entries/ostree-{number}.conf"),
                format!(
                    "title T\nversion {number}\noptions rw ostree=/ostree/boot.0/x/k/{number}\nlinux /ostree/vmlinuz\n"
                ),
            )
            .unwrap();
        }
        tree.file("boot/ostree/vmlinuz", "kernel").unwrap();
        let (a, b) = (
            tree.join("ostree/deploy/x/deploy/a.0"),
            tree.join("ostree/deploy/x/deploy/b.0"),
        );
        let kernel = tree.join("k1");
        boots(tree.path(), &[&b, &a], &kernel).unwrap();
        assert!(boots(tree.path(), &[&a, &b], &kernel).is_err());
        assert!(boots(tree.path(), &[&b], &kernel).is_err());
        tree.file("k1", "another").unwrap();
        assert!(boots(tree.path(), &[&b, &a], &kernel).is_err());
    }

    #[test]
    fn a_file_with_two_names_is_counted_once() {
        let dir = tempfile::tempdir().unwrap();
        let tree = Tree::create(dir.path().join("t")).unwrap();
        tree.file("one", vec![7; 100_000]).unwrap();
        let before = DiskUse::of(tree.path()).unwrap();
        tree.hardlink("two", "one").unwrap();
        let after = DiskUse::of(tree.path()).unwrap();
        assert_eq!(after.files, before.files);
        assert!(before.files >= 100_000);
    }
}
