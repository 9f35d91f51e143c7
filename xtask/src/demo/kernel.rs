//! The kernel of the demo's tree: the machine's own where it can be read, else stand-ins that say so.

use anyhow::{Context, Result};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What stands for the version where the machine shows no kernel, as in most containers.
const STAND_IN: &str = "0-stand-in";
/// Bytes of a stand-in: enough to be seen in the figures, too few to distort them.
const STAND_IN_SIZE: usize = 1 << 20;

/// A kernel and its initramfs; a missing one is stood in for.
pub struct Kernel {
    /// The version, as the folder below `usr/lib/modules` is called.
    pub version: String,
    vmlinuz: Option<PathBuf>,
    initramfs: Option<PathBuf>,
}

impl Kernel {
    /// The newest kernel of the machine that this user can read.
    pub fn of_this_machine() -> Kernel {
        Kernel::below(Path::new("/"))
    }

    /// A kernel that nobody can boot.
    pub fn stand_in() -> Kernel {
        Kernel {
            version: STAND_IN.to_owned(),
            vmlinuz: None,
            initramfs: None,
        }
    }

    /// The newest readable kernel of the root folder `root`, in any of the places where distributions put it.
    pub fn below(root: &Path) -> Kernel {
        let mut versions: Vec<String> = ["usr/lib/modules", "lib/modules"]
            .iter()
            .flat_map(|dir| names(&root.join(dir)))
            .chain(
                names(&root.join("boot"))
                    .iter()
                    .filter_map(|name| name.strip_prefix("vmlinuz-"))
                    .map(str::to_owned),
            )
            .collect();
        versions.sort_by_key(|version| numbers(version));
        versions.dedup();
        let readable = |path: PathBuf| fs::File::open(&path).is_ok().then_some(path);
        for version in versions.into_iter().rev() {
            let first =
                |places: &[String]| places.iter().find_map(|place| readable(root.join(place)));
            let vmlinuz = first(&[
                format!("usr/lib/modules/{version}/vmlinuz"),
                format!("boot/vmlinuz-{version}"),
            ]);
            let initramfs = first(&[
                format!("usr/lib/modules/{version}/initramfs.img"),
                format!("boot/initrd.img-{version}"),
                format!("boot/initramfs-{version}.img"),
            ]);
            if vmlinuz.is_some() {
                return Kernel {
                    version,
                    vmlinuz,
                    initramfs,
                };
            }
        }
        Kernel::stand_in()
    }

    /// Puts both files into `usr/lib/modules/VERSION` of `tree`, where OSTree looks for them.
    pub fn install(&self, tree: &Path) -> Result<()> {
        let folder = self.folder(tree);
        fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        for (name, source) in [
            ("vmlinuz", &self.vmlinuz),
            ("initramfs.img", &self.initramfs),
        ] {
            let target = folder.join(name);
            match source {
                Some(source) => {
                    fs::copy(source, &target)
                        .with_context(|| format!("copying {}", source.display()))?;
                }
                None => write_stand_in(&target, name)
                    .with_context(|| format!("writing {}", target.display()))?,
            }
            super::tree::set_mode(&target, 0o644)?;
        }
        Ok(())
    }

    /// `usr/lib/modules/VERSION` in `tree`.
    pub fn folder(&self, tree: &Path) -> PathBuf {
        tree.join("usr/lib/modules").join(&self.version)
    }

    /// What to tell about it.
    pub fn describe(&self) -> String {
        match (&self.vmlinuz, &self.initramfs) {
            (Some(_), Some(_)) => format!("{}, with its initramfs", self.version),
            (Some(_), None) => format!(
                "{}, with a stand-in for its initramfs, which cannot be read",
                self.version
            ),
            (None, _) => "a stand-in that cannot boot: this machine shows no kernel".to_owned(),
        }
    }
}

/// Text that says what it is, then bytes that do not compress, as those of a kernel.
fn write_stand_in(path: &Path, name: &str) -> Result<()> {
    let mut file = fs::File::create(path)?;
    writeln!(
        file,
        "This is a stand-in for {name}, made by `cargo xtask demo`; it cannot boot."
    )?;
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15 ^ name.len() as u64;
    let mut noise = Vec::with_capacity(STAND_IN_SIZE);
    while noise.len() < STAND_IN_SIZE {
        // xorshift64: the same bytes on every machine.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise.extend_from_slice(&state.to_le_bytes());
    }
    file.write_all(&noise)?;
    Ok(())
}

fn names(dir: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect()
}

/// The numbers in a version, so that 6.10 comes after 6.9; the text last, to break ties the same way everywhere.
fn numbers(version: &str) -> (Vec<u64>, String) {
    let numbers = version
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
        .collect();
    (numbers, version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use osier_testkit::tree::Tree;

    #[test]
    fn the_newest_kernel_is_found_wherever_it_lies() {
        let dir = tempfile::tempdir().unwrap();
        let root = Tree::create(dir.path().join("root")).unwrap();
        assert_eq!(Kernel::below(root.path()).version, STAND_IN);
        root.file("boot/vmlinuz-6.9.1-x", "nine").unwrap();
        root.file("boot/vmlinuz-6.10.0-x", "ten").unwrap();
        root.file("boot/initrd.img-6.10.0-x", "ram").unwrap();
        // Modules without a kernel are no kernel.
        root.dir("usr/lib/modules/6.11.0-x/kernel", 0o755).unwrap();
        let kernel = Kernel::below(root.path());
        assert_eq!(kernel.version, "6.10.0-x");
        let tree = dir.path().join("tree");
        kernel.install(&tree).unwrap();
        let read = |name: &str| fs::read(kernel.folder(&tree).join(name)).unwrap();
        assert_eq!(
            (read("vmlinuz"), read("initramfs.img")),
            (b"ten".to_vec(), b"ram".to_vec())
        );
    }

    #[test]
    fn a_stand_in_says_what_it_is() {
        let dir = tempfile::tempdir().unwrap();
        Kernel::stand_in().install(dir.path()).unwrap();
        let text = fs::read(Kernel::stand_in().folder(dir.path()).join("vmlinuz")).unwrap();
        assert!(text.starts_with(b"This is a stand-in for vmlinuz"));
    }
}
