//! The kernel of a tree: where it lies, its boot checksum, and its copy under `boot/ostree`.
//!
//! Source: docs/formats/sysroot.md.

use std::fs::File;
use std::io::{self, Read, Write};

use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, RenameFlags, Uid};
use rustix::io::Errno;
use sha2::{Digest, Sha256};

use crate::dir::{Beneath, Dir, Entry, lossy};
use crate::error::{Error, IoAction, Result};

/// One file to install: its name in the tree's kernel folder and under `boot/ostree/SR-K`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct KernelFile {
    source: String,
    target: String,
}

/// The kernel files of a tree.
#[derive(Debug)]
pub(crate) struct Kernel {
    /// The folder all of them are in.
    dir: Dir,
    /// SHA-256 of the files that boot, as 64 hex digits: two trees with equal kernels share one
    /// copy in `/boot`.
    pub(crate) bootcsum: String,
    kernel: KernelFile,
    initramfs: Option<KernelFile>,
    devicetree: Option<KernelFile>,
    /// A folder of device trees, named `dtb` in both places.
    has_dtb_dir: bool,
    hmac: Option<KernelFile>,
    aboot: Option<KernelFile>,
}

/// Where the kernel of a deployment stands, for its boot entry: paths below `/boot`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KernelPaths {
    pub(crate) linux: String,
    pub(crate) initrd: Option<String>,
    pub(crate) devicetree: Option<String>,
    pub(crate) fdtdir: Option<String>,
    pub(crate) aboot: Option<String>,
}

/// What a search does besides finding.
#[derive(Clone, Copy)]
struct Search {
    /// Compute the boot checksum.
    hashed: bool,
    /// Take notice of a folder of device trees.
    with_dtb: bool,
}

const MODULES: &str = "usr/lib/modules";
const LEGACY: [&str; 2] = ["usr/lib/ostree-boot", "boot"];
const DTB_DIR: &str = "dtb";

impl Kernel {
    /// Finds the kernel of the tree `root` and computes its boot checksum.
    pub(crate) fn find(root: &Dir, with_dtb: bool) -> Result<Kernel> {
        Kernel::find_in(
            root,
            Search {
                hashed: true,
                with_dtb,
            },
        )
    }

    /// As [`Kernel::find`], of a deployment whose boot checksum is known: kernels are not read.
    pub(crate) fn find_known(root: &Dir, with_dtb: bool, bootcsum: &str) -> Result<Kernel> {
        let mut kernel = Kernel::find_in(
            root,
            Search {
                hashed: false,
                with_dtb,
            },
        )?;
        bootcsum.clone_into(&mut kernel.bootcsum);
        Ok(kernel)
    }

    fn find_in(root: &Dir, search: Search) -> Result<Kernel> {
        let modules = find_in_modules(root, search)?;
        // The legacy folders are used only if they alone have an initramfs.
        if let Some(kernel) = modules {
            if kernel.initramfs.is_some() {
                return Ok(kernel);
            }
            return Ok(match find_legacy(root)? {
                Some(legacy) if legacy.initramfs.is_some() => legacy,
                _ => kernel,
            });
        }
        find_legacy(root)?.ok_or_else(|| {
            Error::invalid(
                "Failed to find kernel in /usr/lib/modules, /usr/lib/ostree-boot or /boot",
            )
        })
    }

    pub(crate) fn has_initramfs(&self) -> bool {
        self.initramfs.is_some()
    }

    /// Paths of the installed files below `boot`, for stateroot `stateroot`.
    pub(crate) fn paths(&self, stateroot: &str) -> KernelPaths {
        let dir = format!("/ostree/{stateroot}-{}", self.bootcsum);
        let path = |file: &KernelFile| format!("{dir}/{}", file.target);
        KernelPaths {
            linux: path(&self.kernel),
            initrd: self.initramfs.as_ref().map(path),
            devicetree: self.devicetree.as_ref().map(path),
            fdtdir: self.has_dtb_dir.then(|| format!("{dir}/{DTB_DIR}")),
            aboot: self.aboot.as_ref().map(path),
        }
    }

    /// Puts the files into `target` (`boot/ostree/SR-K`) where they are missing.
    pub(crate) fn install(&self, target: &Dir) -> Result<()> {
        let files = [
            Some(&self.kernel),
            self.initramfs.as_ref(),
            self.devicetree.as_ref(),
            self.hmac.as_ref(),
            self.aboot.as_ref(),
        ];
        for file in files.into_iter().flatten() {
            if !target.exists(&file.target)? {
                link_or_copy(
                    &self.dir,
                    file.source.as_bytes(),
                    target,
                    file.target.as_bytes(),
                )?;
            }
        }
        if self.has_dtb_dir {
            self.install_dtb(target)?;
        }
        Ok(())
    }

    /// The folder may already serve a bootable entry with the same checksum: it is replaced only if
    /// it differs, and then by a whole one in a single step.
    fn install_dtb(&self, target: &Dir) -> Result<()> {
        const TEMPORARY: &str = ".dtb.tmp";
        let source = self.dir.open_entry(DTB_DIR.as_bytes())?;
        let (mut wanted, mut present) = (Sha256::new(), Sha256::new());
        if let Some(old) = target.open_opt(Beneath::Sysroot, DTB_DIR)? {
            hash_names(&source, &mut wanted)?;
            // A damaged copy may not even be readable: that is a difference, not a failure.
            if hash_names(&old, &mut present).is_ok() && wanted.finalize() == present.finalize() {
                return Ok(());
            }
        }
        copy_dir(&source, target, TEMPORARY)?;
        let action = || format!("renameat({}/{DTB_DIR})", target.path());
        if target.exists(DTB_DIR)? {
            let flags = RenameFlags::EXCHANGE;
            rustix::fs::renameat_with(target, TEMPORARY, target, DTB_DIR, flags).action(action)?;
            target.remove_tree(TEMPORARY.as_bytes())?;
            return Ok(());
        }
        target.rename(TEMPORARY, DTB_DIR)
    }
}

/// The first real folder of `usr/lib/modules`, in the order the file system gives, with a kernel.
fn find_in_modules(root: &Dir, search: Search) -> Result<Option<Kernel>> {
    let Some(modules) = root.open_opt(Beneath::Tree, MODULES)? else {
        return Ok(None);
    };
    for entry in modules.entries()? {
        if entry.file_type != FileType::Directory {
            continue;
        }
        let dir = modules.open_entry(&entry.name)?;
        if !is_regular(&dir, "vmlinuz")? {
            continue;
        }
        let version = entry
            .utf8()
            .filter(|version| !version.contains(char::is_control))
            .ok_or_else(|| {
                Error::invalid(format!(
                    "kernel version '{}' is no text",
                    lossy(&entry.name)
                ))
            })?;
        return kernel_of_module_dir(dir, version, search).map(Some);
    }
    Ok(None)
}

fn kernel_of_module_dir(dir: Dir, version: &str, search: Search) -> Result<Kernel> {
    let file = |source: &str, target: String| KernelFile {
        source: source.to_owned(),
        target,
    };
    let mut hash = Sha256::new();
    let mut add = |name: &str| match search.hashed {
        true => hash_file(&dir, name, &mut hash),
        false => dir.exists(name),
    };
    add("vmlinuz")?;
    let mut initramfs = None;
    for name in ["initramfs.img", "initramfs"] {
        if add(name)? {
            initramfs = Some(file(name, format!("initramfs-{version}.img")));
            break;
        }
    }
    let mut devicetree = None;
    let mut has_dtb_dir = false;
    if add("devicetree")? {
        devicetree = Some(file("devicetree", format!("devicetree-{version}")));
    } else if search.with_dtb
        && let Some(stat) = dir.stat_entry(DTB_DIR.as_bytes())?
        && FileType::from_raw_mode(stat.st_mode) == FileType::Directory
    {
        if search.hashed {
            hash_tree(&dir.open_entry(DTB_DIR.as_bytes())?, &mut hash)?;
        }
        has_dtb_dir = true;
    }
    let optional = |source: &str, target: String| {
        Ok::<_, Error>(dir.exists(source)?.then(|| file(source, target)))
    };
    Ok(Kernel {
        kernel: file("vmlinuz", format!("vmlinuz-{version}")),
        initramfs,
        devicetree,
        has_dtb_dir,
        hmac: optional(".vmlinuz.hmac", format!(".vmlinuz-{version}.hmac"))?,
        aboot: optional("aboot.img", format!("aboot-{version}.img"))?,
        bootcsum: hex(hash),
        dir,
    })
}

/// Files named `KIND-...-SHA`, where SHA is the boot checksum.
fn find_legacy(root: &Dir) -> Result<Option<Kernel>> {
    for path in LEGACY {
        let Some(dir) = root.open_opt(Beneath::Tree, path)? else {
            continue;
        };
        let entries = dir.sorted_entries()?;
        let Some((kernel, bootcsum)) = legacy_file(&entries, "vmlinuz-") else {
            return Ok(None);
        };
        let initramfs = legacy_file(&entries, "initramfs-");
        if initramfs.as_ref().is_some_and(|(_, sum)| *sum != bootcsum) {
            return Err(Error::invalid("Mismatched kernel checksum vs initrd"));
        }
        let devicetree = legacy_file(&entries, "devicetree-");
        if devicetree.as_ref().is_some_and(|(_, sum)| *sum != bootcsum) {
            return Err(Error::invalid(
                "Mismatched kernel checksum vs device tree in tree",
            ));
        }
        return Ok(Some(Kernel {
            dir,
            bootcsum,
            kernel,
            initramfs: initramfs.map(|(file, _)| file),
            devicetree: devicetree.map(|(file, _)| file),
            has_dtb_dir: false,
            hmac: None,
            aboot: None,
        }));
    }
    Ok(None)
}

fn legacy_file(entries: &[Entry], prefix: &str) -> Option<(KernelFile, String)> {
    entries.iter().find_map(|entry| {
        let name = entry.utf8().filter(|name| name.starts_with(prefix))?;
        let (target, sum) = name.rsplit_once('-')?;
        if !is_checksum(sum) || name.contains(char::is_control) {
            return None;
        }
        let file = KernelFile {
            source: name.to_owned(),
            target: target.to_owned(),
        };
        Some((file, sum.to_owned()))
    })
}

pub(crate) fn is_checksum(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn hex(hash: Sha256) -> String {
    use std::fmt::Write as _;
    hash.finalize()
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

fn is_regular(dir: &Dir, name: &str) -> Result<bool> {
    Ok(dir
        .stat_entry(name.as_bytes())?
        .is_some_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile))
}

/// Adds the file's content; `false` if there is no such file.
fn hash_file(dir: &Dir, name: &str, hash: &mut Sha256) -> Result<bool> {
    let Some(file) = dir.open_file(Beneath::Tree, name)? else {
        return Ok(false);
    };
    hash_content(file, hash).action(|| format!("reading {}/{name}", dir.path()))?;
    Ok(true)
}

fn hash_content(mut file: File, hash: &mut Sha256) -> io::Result<()> {
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => hash.update(&buffer[..n]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Adds all files below `top`, names sorted in each folder, folders in their place among the files,
/// links to files followed (inside `top`).
fn hash_tree(top: &Dir, hash: &mut Sha256) -> Result<()> {
    fn walk(top: &Dir, dir: &Dir, prefix: &str, hash: &mut Sha256) -> Result<()> {
        for entry in dir.sorted_entries()? {
            let name = entry.utf8().ok_or_else(|| {
                Error::invalid(format!("file name '{}' is no text", lossy(&entry.name)))
            })?;
            let path = format!("{prefix}{name}");
            if entry.file_type == FileType::Directory {
                walk(
                    top,
                    &dir.open_entry(&entry.name)?,
                    &format!("{path}/"),
                    hash,
                )?;
            } else if !hash_file(top, &path, hash)? {
                return Err(io::Error::from(io::ErrorKind::NotFound))
                    .action(|| format!("open({}/{path})", top.path()));
            }
        }
        Ok(())
    }
    walk(top, top, "", hash)
}

/// Adds names and content of all below `dir`, to compare two folders.
fn hash_names(dir: &Dir, hash: &mut Sha256) -> Result<()> {
    for entry in dir.sorted_entries()? {
        hash.update((entry.name.len() as u64).to_le_bytes());
        hash.update(&entry.name);
        match entry.file_type {
            FileType::Directory => {
                hash.update(b"d");
                hash_names(&dir.open_entry(&entry.name)?, hash)?;
                hash.update(b"e");
            }
            FileType::Symlink => {
                hash.update(b"l");
                hash.update(dir.read_link(&entry.name)?.unwrap_or_default());
            }
            _ => {
                let mut content = Sha256::new();
                hash_content(dir.open_file_entry(&entry.name)?, &mut content)
                    .action(|| format!("reading {}/{}", dir.path(), lossy(&entry.name)))?;
                hash.update(b"f");
                hash.update(content.finalize());
            }
        }
    }
    Ok(())
}

/// Hard-links the file, or copies it (owner, mode) where that cannot be.
pub(crate) fn link_or_copy(source: &Dir, from: &[u8], target: &Dir, to: &[u8]) -> Result<()> {
    let linked = rustix::fs::linkat(source, from, target, to, AtFlags::empty());
    match linked {
        Ok(()) => Ok(()),
        Err(Errno::XDEV | Errno::MLINK | Errno::PERM) => copy_file(source, from, target, to),
        Err(error) => Err(error).action(|| format!("linkat({})", lossy(to))),
    }
}

/// Copies a regular file with owner and mode: written in full and synced under another name, then
/// renamed, so that a file of this name is always whole.
fn copy_file(source: &Dir, from: &[u8], target: &Dir, to: &[u8]) -> Result<()> {
    let action = || format!("copying {} to {}", lossy(from), target.path());
    let mut input = source.open_file_entry(from)?;
    let stat = rustix::fs::fstat(&input).action(action)?;
    let temporary = format!(".{}.tmp", lossy(to));
    target.remove_file(&temporary)?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let fd =
        rustix::fs::openat(target, &temporary, flags, Mode::RUSR | Mode::WUSR).action(action)?;
    let mut output = File::from(fd);
    io::copy(&mut input, &mut output).action(action)?;
    output.flush().action(action)?;
    set_owner(&output, stat.st_uid, stat.st_gid).action(action)?;
    rustix::fs::fchmod(&output, Mode::from_raw_mode(stat.st_mode)).action(action)?;
    rustix::fs::fdatasync(&output).action(action)?;
    rustix::fs::renameat(target, &temporary, target, to).action(action)
}

/// Owner and group; an ordinary user's copy stays the user's (vfat has no owners at all).
fn set_owner(file: &File, uid: u32, gid: u32) -> rustix::io::Result<()> {
    match rustix::fs::fchown(file, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid))) {
        Err(Errno::PERM) => Ok(()),
        other => other,
    }
}

/// Copies the folder `source` to `name` in `target` anew, without extended attributes.
fn copy_dir(source: &Dir, target: &Dir, name: &str) -> Result<()> {
    let stat = source.stat()?;
    target.remove_tree(name.as_bytes())?;
    let copy = target.make_new_dir(name, 0o700)?;
    for entry in source.entries()? {
        let child = entry.utf8().ok_or_else(|| {
            Error::invalid(format!("file name '{}' is no text", lossy(&entry.name)))
        })?;
        match entry.file_type {
            FileType::Directory => copy_dir(&source.open_entry(&entry.name)?, &copy, child)?,
            FileType::Symlink => {
                let link = source.read_link(&entry.name)?.unwrap_or_default();
                rustix::fs::symlinkat(&*link, &copy, &*entry.name)
                    .action(|| format!("symlinkat({}/{child})", copy.path()))?;
            }
            _ => copy_file(source, &entry.name, &copy, &entry.name)?,
        }
    }
    let file = copy.as_file()?;
    set_owner(&file, stat.st_uid, stat.st_gid).action(|| format!("fchown({})", copy.path()))?;
    copy.chmod(stat.st_mode & 0o7777)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn sum(parts: &[&str]) -> String {
        hex(Sha256::new_with_prefix(parts.concat()))
    }

    #[test]
    fn modules_layout() {
        let tmp = tempfile::tempdir().unwrap();
        let root = Dir::open_path(tmp.path()).unwrap();
        assert!(Kernel::find(&root, true).is_err());
        write(tmp.path(), "usr/lib/modules/1.0/vmlinuz", "K");
        write(tmp.path(), "usr/lib/modules/empty/x", "");
        std::os::unix::fs::symlink("1.0", tmp.path().join("usr/lib/modules/link")).unwrap();
        assert_eq!(Kernel::find(&root, true).unwrap().bootcsum, sum(&["K"]));
        write(tmp.path(), "usr/lib/modules/1.0/initramfs", "j");
        write(tmp.path(), "usr/lib/modules/1.0/initramfs.img", "I");
        let kernel = Kernel::find(&root, true).unwrap();
        assert_eq!(kernel.bootcsum, sum(&["K", "I"]));
        for (path, text) in [
            ("a", "a"),
            ("b/x", "bx"),
            ("c", "c"),
            ("d.a", "da"),
            ("d/x", "d"),
        ] {
            write(tmp.path(), &format!("usr/lib/modules/1.0/dtb/{path}"), text);
        }
        let link = tmp.path().join("usr/lib/modules/1.0/dtb/b/z");
        std::os::unix::fs::symlink("../c", link).unwrap();
        let kernel = Kernel::find(&root, true).unwrap();
        assert_eq!(
            kernel.bootcsum,
            sum(&["K", "I", "a", "bx", "c", "c", "d", "da"])
        );
        assert_eq!(
            kernel.paths("os").fdtdir.unwrap(),
            format!("/ostree/os-{}/dtb", kernel.bootcsum)
        );
        write(tmp.path(), "usr/lib/modules/1.0/devicetree", "D");
        write(tmp.path(), "usr/lib/modules/1.0/.vmlinuz.hmac", "H");
        let kernel = Kernel::find(&root, true).unwrap();
        assert_eq!(kernel.bootcsum, sum(&["K", "I", "D"]));

        let boot = tmp.path().join("kernels");
        fs::create_dir(&boot).unwrap();
        let boot = Dir::open_path(&boot).unwrap();
        kernel.install(&boot).unwrap();
        kernel.install(&boot).unwrap();
        let names: Vec<_> = boot
            .sorted_entries()
            .unwrap()
            .into_iter()
            .map(|e| lossy(&e.name))
            .collect();
        assert_eq!(
            names,
            [
                ".vmlinuz-1.0.hmac",
                "devicetree-1.0",
                "initramfs-1.0.img",
                "vmlinuz-1.0"
            ]
        );
    }

    #[test]
    fn dtb_links_do_not_lead_out() {
        let tmp = tempfile::tempdir().unwrap();
        write(tmp.path(), "t/usr/lib/modules/1.0/vmlinuz", "K");
        write(tmp.path(), "secret", "s");
        fs::create_dir(tmp.path().join("t/usr/lib/modules/1.0/dtb")).unwrap();
        std::os::unix::fs::symlink(
            tmp.path().join("secret"),
            tmp.path().join("t/usr/lib/modules/1.0/dtb/z"),
        )
        .unwrap();
        let root = Dir::open_path(&tmp.path().join("t")).unwrap();
        assert!(Kernel::find(&root, true).is_err());
    }

    #[test]
    fn legacy_layout() {
        let tmp = tempfile::tempdir().unwrap();
        let root = Dir::open_path(tmp.path()).unwrap();
        let (k, other) = ("a".repeat(64), "b".repeat(64));
        write(tmp.path(), &format!("boot/vmlinuz-6-{k}"), "K");
        write(tmp.path(), "boot/vmlinuz-5", "old");
        let kernel = Kernel::find(&root, true).unwrap();
        assert_eq!(kernel.bootcsum, k);
        assert_eq!(kernel.paths("o").linux, format!("/ostree/o-{k}/vmlinuz-6"));
        write(tmp.path(), "usr/lib/modules/1.0/vmlinuz", "M");
        assert_eq!(Kernel::find(&root, true).unwrap().bootcsum, sum(&["M"]));
        write(tmp.path(), &format!("boot/initramfs-6.img-{k}"), "I");
        let kernel = Kernel::find(&root, true).unwrap();
        assert_eq!(kernel.bootcsum, k);
        assert_eq!(
            kernel.paths("o").initrd.unwrap(),
            format!("/ostree/o-{k}/initramfs-6.img")
        );
        write(tmp.path(), &format!("boot/devicetree-x-{other}"), "D");
        assert_eq!(
            Kernel::find(&root, true).unwrap_err().to_string(),
            "Mismatched kernel checksum vs device tree in tree"
        );
    }
}
