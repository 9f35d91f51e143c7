//! An opened sysroot: its repository and its list of deployments.

use std::path::{Path, PathBuf};

use osier_keyfile::KeyFile;
use osier_store::Repo;
use rustix::fs::FileType;

use crate::bls::{BootCount, BootEntry};
use crate::booted::{self, RootInode};
use crate::deployment::{BootTries, Deployment, DeploymentId, Unlocked};
use crate::dir::{Beneath, Dir, lossy};
use crate::error::{Context, Error, IoAction, Result};
use crate::kernel::is_checksum;
use crate::lock::SysrootLock;
use crate::options::Options;
use crate::strverscmp::strverscmp;

/// A boot entry is a few lines of text.
const ENTRY_LIMIT: u64 = 1024 * 1024;
const ORIGIN_LIMIT: u64 = 1024 * 1024;

/// A sysroot as it was when it was loaded. Cannot be changed; see [`LockedSysroot`].
#[derive(Debug)]
pub struct Sysroot {
    pub(crate) path: PathBuf,
    pub(crate) root: Dir,
    pub(crate) repo: Repo,
    pub(crate) options: Options,
    /// Which of `boot/loader.0` and `.1` is active.
    pub(crate) bootversion: u8,
    /// Which of `ostree/boot.N.0` and `.1` is active.
    pub(crate) subbootversion: u8,
    pub(crate) deployments: Vec<Deployment>,
    pub(crate) booted: Option<usize>,
}

impl Sysroot {
    /// Opens the sysroot at `path` and loads its deployments.
    ///
    /// # Errors
    /// When there is no sysroot, or one of its boot entries cannot be understood: nothing is
    /// decided on half a list.
    pub fn load(path: &Path, options: Options) -> Result<Sysroot> {
        let root = open_root(path)?;
        Sysroot::load_root(path, root, options)
    }

    fn load_root(path: &Path, root: Dir, options: Options) -> Result<Sysroot> {
        check_repo_device(&root)
            .context("Opening sysroot repo")
            .context("loading sysroot")?;
        let repo = Repo::open_with(&path.join("ostree/repo"), &options.repo)?;
        let mut sysroot = Sysroot {
            path: path.to_owned(),
            root,
            repo,
            options,
            bootversion: 0,
            subbootversion: 0,
            deployments: Vec::new(),
            booted: None,
        };
        sysroot.reload().context("loading sysroot")?;
        Ok(sysroot)
    }

    /// Reads the list of deployments again.
    pub(crate) fn reload(&mut self) -> Result<()> {
        self.bootversion = read_bootversion(&self.root)?;
        self.subbootversion = read_subbootversion(&self.root, self.bootversion)?;
        let running = booted::find(&self.root, &self.options)?;
        let (deployments, booted) = self.read_deployments(running)?;
        self.deployments = deployments;
        self.booted = booted;
        Ok(())
    }

    fn read_deployments(
        &self,
        running: Option<RootInode>,
    ) -> Result<(Vec<Deployment>, Option<usize>)> {
        let has_loader = self
            .root
            .stat_path(Beneath::Sysroot, "boot/loader")?
            .is_some();
        if running.is_some() && !has_loader {
            return Err(Error::invalid(
                "Unexpected state: /run/ostree-booted found, but no /boot/loader directory",
            ));
        }
        let mut deployments = Vec::new();
        let mut booted = None;
        for (entry, tries) in self.read_entries(self.bootversion)? {
            let (deployment, inode) = self.read_deployment(entry, tries)?;
            if running.is_some() && running == Some(inode) && booted.is_none() {
                booted = Some(deployments.len());
            }
            deployments.push(deployment);
        }
        if running.is_some() && booted.is_none() {
            return Err(Error::invalid(
                "Unexpected state: /run/ostree-booted found and in / sysroot, but bootloader entry not found",
            ));
        }
        Ok((deployments, booted))
    }

    /// The boot entries of a boot version, the default first.
    pub(crate) fn read_entries(&self, bootversion: u8) -> Result<Vec<(BootEntry, BootTries)>> {
        let path = format!("boot/loader.{bootversion}/entries");
        let Some(dir) = self.root.open_opt(Beneath::Sysroot, &path)? else {
            return Ok(Vec::new());
        };
        let mut entries: Vec<(BootEntry, BootTries)> = self
            .entry_files(&dir)?
            .into_iter()
            .map(|(name, entry)| {
                let stem = name.strip_suffix(".conf").unwrap_or(&name);
                (
                    entry,
                    BootCount::parse(stem).map_or(BootTries::None, BootTries::Counted),
                )
            })
            .collect();
        let version = |entry: &BootEntry| entry.get("version").unwrap_or_default().to_owned();
        entries.sort_by(|(a, _), (b, _)| strverscmp(version(b).as_bytes(), version(a).as_bytes()));
        Ok(entries)
    }

    /// Our files in a folder of entries: regular ones named `ostree-*.conf`, sorted by name.
    pub(crate) fn entry_files(&self, dir: &Dir) -> Result<Vec<(String, BootEntry)>> {
        let mut entries = Vec::new();
        for file in dir.sorted_entries()? {
            let Some(name) = file.utf8() else { continue };
            if name.starts_with("ostree-")
                && name.ends_with(".conf")
                && file.file_type == FileType::RegularFile
            {
                let text = dir
                    .read_text(Beneath::Sysroot, name, ENTRY_LIMIT)?
                    .unwrap_or_default();
                entries.push((name.to_owned(), BootEntry::parse(&text)));
            }
        }
        Ok(entries)
    }

    fn read_deployment(
        &self,
        entry: BootEntry,
        tries: BootTries,
    ) -> Result<(Deployment, RootInode)> {
        let target = entry
            .ostree_arg()
            .ok_or_else(|| Error::invalid("No ostree= kernel argument found"))?;
        let link = BootLink::parse(target)?;
        let to = self.read_boot_link(&link).context(format!(
            "Parsing deployment {target} in stateroot '{}'",
            link.stateroot
        ))?;
        let to = lossy(&to);
        let name = to.rsplit('/').next().unwrap_or_default();
        let id = DeploymentId::from_name(&link.stateroot, name)?;
        let root = self.root.open(Beneath::Sysroot, &id.path())?;
        let origin = self.read_origin(&id)?;
        let unlocked = self.read_unlocked(&id, origin.as_ref());
        let deployment = Deployment {
            id,
            bootcsum: link.bootcsum,
            bootserial: link.bootserial,
            entry,
            origin,
            unlocked,
            staged: false,
            tries,
        };
        Ok((deployment, RootInode::of(&root.stat()?)))
    }

    fn read_boot_link(&self, link: &BootLink) -> Result<Vec<u8>> {
        let dir = self.root.open(Beneath::Sysroot, link.dir_path())?;
        let serial = link.bootserial.to_string();
        dir.read_link(serial.as_bytes())?
            .ok_or(rustix::io::Errno::NOENT)
            .action(|| "readlinkat".to_owned())
    }

    fn read_origin(&self, id: &DeploymentId) -> Result<Option<KeyFile>> {
        let path = format!("{}.origin", id.path());
        match self.root.read(Beneath::Sysroot, &path, ORIGIN_LIMIT)? {
            Some(bytes) => Ok(Some(
                KeyFile::parse(&bytes).context(format!("Parsing {path}"))?,
            )),
            None => Ok(None),
        }
    }

    fn read_unlocked(&self, id: &DeploymentId, origin: Option<&KeyFile>) -> Unlocked {
        if origin.is_some_and(crate::origin::is_hotfix) {
            return Unlocked::Hotfix;
        }
        let state = self
            .options
            .run_dir
            .join("ostree/deployment-state")
            .join(id.name());
        let has =
            |flag: &str| rustix::fs::access(state.join(flag), rustix::fs::Access::EXISTS).is_ok();
        if has("unlocked-development") {
            Unlocked::Development
        } else if has("unlocked-transient") {
            Unlocked::Transient
        } else {
            Unlocked::None
        }
    }

    /// The sysroot's path, as opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its repository.
    pub fn repo(&self) -> &Repo {
        &self.repo
    }

    /// Its deployments in boot order, the default first.
    pub fn deployments(&self) -> &[Deployment] {
        &self.deployments
    }

    /// The index of the running deployment.
    pub fn booted_index(&self) -> Option<usize> {
        self.booted
    }

    /// The running deployment.
    pub fn booted(&self) -> Option<&Deployment> {
        self.booted.and_then(|at| self.deployments.get(at))
    }

    /// The active boot version N and the active version n of its bootlinks.
    pub fn bootversions(&self) -> (u8, u8) {
        (self.bootversion, self.subbootversion)
    }

    /// The deployment at `index`.
    ///
    /// # Errors
    /// An index out of range.
    pub fn deployment(&self, index: usize) -> Result<&Deployment> {
        self.deployments.get(index).ok_or_else(|| {
            Error::invalid(format!(
                "Out of range deployment index {index}, expected < {}",
                self.deployments.len()
            ))
        })
    }

    /// The deployment whose `/etc` and arguments a new one of `stateroot` takes over: the running
    /// one if it is of that stateroot, else the first.
    pub fn merge_deployment(&self, stateroot: &str) -> Option<&Deployment> {
        self.booted()
            .filter(|booted| booted.id.stateroot == stateroot)
            .or_else(|| {
                self.deployments
                    .iter()
                    .find(|deployment| deployment.id.stateroot == stateroot)
            })
    }

    /// The stateroot to work on: `requested`, else the running deployment's.
    ///
    /// # Errors
    /// Neither.
    pub fn stateroot_or_booted(&self, requested: Option<&str>) -> Result<String> {
        match (requested, self.booted()) {
            (Some(""), _) => Err(Error::invalid("Invalid empty osname")),
            (Some(name), _) => Ok(name.to_owned()),
            (None, Some(booted)) => Ok(booted.id.stateroot.clone()),
            (None, None) => Err(Error::invalid(
                "Not currently booted into an OSTree system and no OS specified",
            )),
        }
    }

    pub(crate) fn deployment_dir(&self, id: &DeploymentId) -> Result<Dir> {
        self.root.open(Beneath::Sysroot, &id.path())
    }

    /// What the user changed in a deployment's `/etc`.
    ///
    /// # Errors
    /// Folders that cannot be read.
    pub fn etc_changes(&self, deployment: &Deployment) -> Result<crate::etc::Changes> {
        let root = self.deployment_dir(&deployment.id)?;
        crate::etc::diff(
            &root.open(Beneath::Tree, "usr/etc")?,
            &root.open(Beneath::Tree, "etc")?,
        )
    }
}

/// A sysroot that nobody else changes meanwhile.
#[derive(Debug)]
pub struct LockedSysroot {
    pub(crate) sysroot: Sysroot,
    // Released after everything else.
    _lock: SysrootLock,
}

impl LockedSysroot {
    /// Waits for the sysroot's lock, then loads it. If it is the running system's, the calling thread gets a mount
    /// namespace of its own, in which `/sysroot` and `/boot` can be written.
    ///
    /// # Errors
    /// As [`Sysroot::load`].
    pub fn load(path: &Path, options: Options) -> Result<LockedSysroot> {
        crate::writable::ensure(path, &options).context("Initializing sysroot")?;
        let root = open_root(path)?;
        let lock = SysrootLock::acquire(&root, &*options.notices)?;
        let sysroot = Sysroot::load_root(path, root, options)?;
        Ok(LockedSysroot {
            sysroot,
            _lock: lock,
        })
    }
}

impl std::ops::Deref for LockedSysroot {
    type Target = Sysroot;

    fn deref(&self) -> &Sysroot {
        &self.sysroot
    }
}

/// The value of an `ostree=` argument: `/ostree/boot.N/STATEROOT/BOOTCSUM/BOOTSERIAL`.
#[derive(Debug, PartialEq, Eq)]
struct BootLink {
    dir: String,
    stateroot: String,
    bootcsum: String,
    bootserial: u32,
}

impl BootLink {
    fn parse(target: &str) -> Result<BootLink> {
        let parse = || {
            let (dir, serial) = target.strip_prefix('/')?.rsplit_once('/')?;
            let parts: Vec<&str> = dir.split('/').collect();
            let ["ostree", "boot.0" | "boot.1", stateroot, bootcsum] = parts.as_slice() else {
                return None;
            };
            if !crate::init::is_stateroot_name(stateroot)
                || !is_checksum(bootcsum)
                || !serial.bytes().all(|byte| byte.is_ascii_digit())
            {
                return None;
            }
            Some(BootLink {
                dir: dir.to_owned(),
                stateroot: (*stateroot).to_owned(),
                bootcsum: (*bootcsum).to_owned(),
                bootserial: serial.parse().ok()?,
            })
        };
        parse().ok_or_else(|| {
            Error::invalid(format!("Invalid ostree= argument '{target}', expected ostree=/ostree/boot.BOOTVERSION/OSNAME/BOOTCSUM/TREESERIAL"))
        })
    }

    fn dir_path(&self) -> &str {
        &self.dir
    }
}

fn open_root(path: &Path) -> Result<Dir> {
    // Messages name paths below the sysroot as the C tool does: relative to it.
    Ok(Dir::open_path(path)
        .context("Initializing sysroot")?
        .named("."))
}

/// Hard links from the repository into deployments need one file system.
fn check_repo_device(root: &Dir) -> Result<()> {
    let ostree = root.open(Beneath::Sysroot, "ostree")?.stat()?;
    let repo = root.open(Beneath::Sysroot, "ostree/repo")?.stat()?;
    if ostree.st_dev != repo.st_dev {
        return Err(Error::invalid(
            "ostree/repo is on another device than ostree",
        ));
    }
    Ok(())
}

fn read_bootversion(root: &Dir) -> Result<u8> {
    let Some(boot) = root.open_opt(Beneath::Sysroot, "boot")? else {
        return Ok(0);
    };
    let Some(stat) = boot.stat_entry(b"loader")? else {
        return Ok(0);
    };
    if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
        return Err(Error::invalid("Not a symbolic link: boot/loader"));
    }
    let target = lossy(&boot.read_link(b"loader")?.unwrap_or_default());
    match target.as_str() {
        "loader.0" => Ok(0),
        "loader.1" => Ok(1),
        _ => Err(Error::invalid(format!(
            "Invalid target '{target}' in boot/loader"
        ))),
    }
}

/// `ostree/boot.N` is a link to `boot.N.n`; without it n is 0.
pub(crate) fn read_subbootversion(root: &Dir, bootversion: u8) -> Result<u8> {
    let ostree = root.open(Beneath::Sysroot, "ostree")?;
    let name = format!("boot.{bootversion}");
    let Some(target) = ostree.read_link(name.as_bytes())? else {
        return Ok(0);
    };
    let target = lossy(&target);
    match target.strip_prefix(name.as_str()) {
        Some(".0") => Ok(0),
        Some(".1") => Ok(1),
        _ => Err(Error::invalid(format!(
            "Invalid target '{target}' in ostree/{name}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boot_links() {
        let sum = "0a".repeat(32);
        let link = BootLink::parse(&format!("/ostree/boot.1/os/{sum}/10")).unwrap();
        assert_eq!((link.stateroot.as_str(), link.bootserial), ("os", 10));
        assert_eq!(link.dir_path(), format!("ostree/boot.1/os/{sum}"));
        for bad in [
            format!("ostree/boot.1/os/{sum}/0"),
            format!("/ostree/boot.2/os/{sum}/0"),
            format!("/ostree/boot.1/{sum}/0"),
            format!("/ostree/boot.1/os/{sum}/"),
            format!("/ostree/boot.1/os/{sum}/x"),
            format!("/ostree/boot.1/../{sum}/0"),
        ] {
            assert!(BootLink::parse(&bad).is_err(), "{bad}");
        }
    }
}
