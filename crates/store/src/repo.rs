//! Opening and creating a repository.

use crate::config::RepoConfig;
use crate::error::{Error, IoContext, Result};
use crate::mode::RepoMode;
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// What the caller knows of the world that the library does not look up itself.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    /// The identity of this boot, naming staging folders; the kernel's when `None`.
    pub boot_id: Option<String>,
}

/// How to create a repository.
#[derive(Clone, Debug)]
pub struct CreateOptions {
    /// The storage mode.
    pub mode: RepoMode,
    /// The collection the repository's own refs belong to.
    pub collection_id: Option<String>,
}

/// An opened repository. Shared by reference between threads.
///
/// ```
/// use osier_store::{CreateOptions, Repo, RepoMode};
/// let dir = tempfile::tempdir().unwrap();
/// let repo = Repo::create(&dir.path().join("repo"), &CreateOptions { mode: RepoMode::Archive, collection_id: None }).unwrap();
/// assert_eq!(repo.mode(), RepoMode::Archive);
/// assert!(repo.resolve_rev("main").is_err());
/// ```
#[derive(Debug)]
pub struct Repo {
    path: PathBuf,
    dir: OwnedFd,
    objects: OwnedFd,
    config: RepoConfig,
    parent: Option<Box<Repo>>,
    boot_id: String,
    writable: bool,
}

const DIR: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

impl Repo {
    /// Opens the repository in the folder `path`.
    ///
    /// # Errors
    /// [`Error::NotARepo`] when there is none, [`Error::Config`] when its configuration is unusable.
    pub fn open(path: &Path) -> Result<Repo> {
        Repo::open_with(path, &OpenOptions::default())
    }

    /// As [`Repo::open`].
    pub fn open_with(path: &Path, options: &OpenOptions) -> Result<Repo> {
        Repo::open_depth(path, options, 0)
    }

    fn open_depth(path: &Path, options: &OpenOptions, depth: u32) -> Result<Repo> {
        let dir = rustix::fs::open(path, DIR, Mode::empty()).map_err(|e| Error::NotARepo {
            path: path.into(),
            source: e.into(),
        })?;
        let objects = rustix::fs::openat(&dir, "objects", DIR, Mode::empty()).map_err(|e| {
            Error::NotARepo {
                path: "objects".into(),
                source: e.into(),
            }
        })?;
        let opening = |e: Error| e.within("opening repo");
        let bytes = read_small(dir.as_fd(), "config")
            .at(|| "openat(config)".into())
            .map_err(opening)?;
        let config = RepoConfig::parse(&bytes).map_err(opening)?;
        let writable = rustix::fs::accessat(
            &objects,
            ".",
            rustix::fs::Access::WRITE_OK,
            AtFlags::EACCESS,
        )
        .is_ok();
        let parent = open_parent(path, &config, options, depth).map_err(opening)?;
        let boot_id = match &options.boot_id {
            Some(id) => id.clone(),
            None => std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
                .unwrap_or_default()
                .trim()
                .to_owned(),
        };
        if writable {
            for d in ["tmp", "tmp/cache"] {
                match rustix::fs::mkdirat(&dir, d, Mode::from_raw_mode(0o775)) {
                    Ok(()) | Err(Errno::EXIST | Errno::ROFS | Errno::ACCESS | Errno::PERM) => {}
                    Err(e) => return Err(e).at(|| format!("creating {d} in {}", path.display())),
                }
            }
        }
        Ok(Repo {
            path: path.into(),
            dir,
            objects,
            config,
            parent,
            boot_id,
            writable,
        })
    }

    /// Creates a repository in the folder `path`, which is made when its parent is there. Where there is one
    /// already it is opened as it is.
    ///
    /// # Errors
    /// When the folders cannot be made, or the file system has no attributes and the mode needs them.
    pub fn create(path: &Path, options: &CreateOptions) -> Result<Repo> {
        match rustix::fs::mkdir(path, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(e) => return Err(e).at(|| format!("mkdir({})", path.display())),
        }
        let dir = rustix::fs::open(path, DIR, Mode::empty())
            .at(|| format!("opendir({})", path.display()))?;
        if rustix::fs::statat(&dir, "objects", AtFlags::empty()).is_ok() {
            return Repo::open(path);
        }
        if let Some(id) = &options.collection_id {
            osier_object::refs::validate_collection_id(id)
                .map_err(|e| Error::InvalidName(e.to_string()))?;
        }
        if options.mode == RepoMode::BareUser {
            let probe = rustix::fs::openat(
                &dir,
                ".",
                OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC,
                Mode::from_raw_mode(0o600),
            );
            if let Ok(probe) = probe {
                osier_sys::xattr::set_fd(probe.as_fd(), b"user.ostreemeta", b"").at(|| {
                    format!(
                        "setting extended attributes in {}, which mode bare-user needs",
                        path.display()
                    )
                })?;
            }
        }
        let mut text = format!("[core]\nrepo_version=1\nmode={}\n", options.mode);
        if let Some(id) = &options.collection_id {
            text.push_str(&format!("collection-id={id}\n"));
        }
        crate::replace_file::replace(dir.as_fd(), "config", text.as_bytes(), 0o644, true)
            .at(|| format!("writing config in {}", path.display()))?;
        // `objects` comes last: its presence marks a complete repository.
        for d in [
            "tmp",
            "extensions",
            "state",
            "refs",
            "refs/heads",
            "refs/mirrors",
            "refs/remotes",
            "objects",
        ] {
            match rustix::fs::mkdirat(&dir, d, Mode::from_raw_mode(0o775)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(e) => return Err(e).at(|| format!("mkdirat({d})")),
            }
        }
        Repo::open(path)
    }

    /// The folder it was opened from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The repository's folder.
    pub fn dir(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }

    /// The folder `objects`.
    pub fn objects_dir(&self) -> BorrowedFd<'_> {
        self.objects.as_fd()
    }

    /// The storage mode.
    pub fn mode(&self) -> RepoMode {
        self.config.mode
    }

    /// The configuration as it was when opened.
    pub fn config(&self) -> &RepoConfig {
        &self.config
    }

    /// The repository that missing objects and refs may come from.
    pub fn parent(&self) -> Option<&Repo> {
        self.parent.as_deref()
    }

    /// Whether this process may write objects.
    pub fn is_writable(&self) -> bool {
        self.writable
    }

    /// The boot that staging folders are named after.
    pub fn boot_id(&self) -> &str {
        &self.boot_id
    }

    /// Replaces `config` atomically. The opened repository keeps using what it read before.
    ///
    /// # Errors
    /// When the new text would make the repository unusable, or on I/O failure.
    pub fn write_config(&self, keyfile: &osier_keyfile::KeyFile) -> Result<()> {
        let config = RepoConfig::from_keyfile(keyfile.clone())?;
        if config.parent != self.config.parent {
            let options = OpenOptions {
                boot_id: Some(self.boot_id.clone()),
            };
            open_parent(&self.path, &config, &options, 0)?;
        }
        crate::replace_file::replace(
            self.dir(),
            "config",
            &keyfile.to_bytes(),
            0o644,
            self.config.fsync,
        )
        .at(|| format!("writing {}/config", self.path.display()))
    }

    /// Gives an error unless objects can be written.
    pub fn require_writable(&self) -> Result<()> {
        if self.writable {
            return Ok(());
        }
        Err(Error::NotAllowed(format!(
            "Cannot write to repository {}: objects/ is not writable",
            self.path.display()
        )))
    }
}

/// Opens the repository that `config` names as the parent of the one at `path`.
fn open_parent(
    path: &Path,
    config: &RepoConfig,
    options: &OpenOptions,
    depth: u32,
) -> Result<Option<Box<Repo>>> {
    let Some(parent) = &config.parent else {
        return Ok(None);
    };
    if depth >= 16 {
        return Err(Error::Config(format!(
            "core.parent of {} leads in a circle",
            path.display()
        )));
    }
    // A relative path starts where the program does, as with the reference tool.
    let parent = std::path::absolute(parent).at(|| format!("core.parent of {}", path.display()))?;
    let opened = Repo::open_depth(&parent, options, depth + 1).map_err(|e| {
        e.within(format!(
            "While checking parent repository '{}'",
            parent.display()
        ))
    })?;
    Ok(Some(Box::new(opened)))
}

/// Reads a file that is small by nature.
pub(crate) fn read_small(dir: BorrowedFd<'_>, name: &str) -> std::io::Result<Vec<u8>> {
    const LIMIT: u64 = 16 * 1024 * 1024;
    let fd = rustix::fs::openat(dir, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let mut bytes = Vec::new();
    std::fs::File::from(fd)
        .take(LIMIT + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LIMIT {
        return Err(std::io::Error::other("file is larger than 16 MiB"));
    }
    Ok(bytes)
}
