//! Making directories and spreading their entries over the threads.

use super::cache::UncompressedCache;
use super::{CheckoutOptions, Existing, Linking, Outcome};
use crate::error::{Error, IoContext, Result};
use crate::mode::RepoMode;
use crate::parallel::{Cancel, Progress};
use crate::read::ReadObjects;
use osier_object::{ContentId, Dirmeta, DirmetaId, Dirtree, DirtreeId};
use rayon::prelude::*;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT};
use rustix::io::Errno;
use rustix::path::Arg;
use std::collections::HashMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

const DIR: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOFOLLOW);

/// Stands for the deletion of everything that was in a directory.
const OPAQUE: &str = ".wh..wh..opq";

fn is_opaque(listing: &Dirtree) -> bool {
    listing.files.iter().any(|(name, _)| &**name == OPAQUE)
}

/// One run of a checkout.
pub(super) struct Checkout<'a> {
    pub(super) objects: &'a dyn ReadObjects,
    pub(super) options: &'a CheckoutOptions,
    pub(super) progress: &'a dyn Progress,
    pub(super) cancel: &'a Cancel,
    pub(super) mode: RepoMode,
    pub(super) user_mode: bool,
    /// Whether objects of this mode may be linked into such a checkout at all.
    pub(super) try_link: bool,
    pub(super) cache: Option<UncompressedCache>,
    /// What comes before paths when they are labelled.
    pub(super) label_base: String,
    /// A tree has thousands of directories and a handful of owners and modes.
    dirmetas: Mutex<HashMap<DirmetaId, Arc<Dirmeta>>>,
    pub(super) files: AtomicU64,
    pub(super) hardlinked: AtomicU64,
}

impl<'a> Checkout<'a> {
    pub(super) fn new(
        objects: &'a dyn ReadObjects,
        options: &'a CheckoutOptions,
        progress: &'a dyn Progress,
        cancel: &'a Cancel,
    ) -> Result<Checkout<'a>> {
        let mode = objects.repo().mode();
        let user_mode = options.user_mode || super::forces_user_mode(mode);
        let linkable = match mode {
            RepoMode::Bare => !user_mode,
            RepoMode::BareUser | RepoMode::BareUserOnly => user_mode,
            RepoMode::Archive | RepoMode::BareSplitXattrs => false,
        };
        let plain = !options.disable_cache
            && !options.whiteouts
            && !options.passthrough_whiteouts
            && !options.bareuseronly_dirs
            && options.linking == Linking::Auto
            && matches!(options.existing, Existing::Fail | Existing::Union)
            && options.skip.is_empty();
        let cache = match mode == RepoMode::Archive && user_mode && plain {
            true => UncompressedCache::open(objects.repo())?,
            false => None,
        };
        Ok(Checkout {
            objects,
            options,
            progress,
            cancel,
            mode,
            user_mode,
            try_link: linkable && options.linking != Linking::Never,
            cache,
            label_base: match &options.selinux {
                Some(labelling) => labelling.base(options.subpath.as_deref()),
                None => String::new(),
            },
            dirmetas: Mutex::default(),
            files: AtomicU64::new(0),
            hardlinked: AtomicU64::new(0),
        })
    }

    pub(super) fn outcome(&self) -> Outcome {
        Outcome {
            files: self.files.load(Ordering::Relaxed),
            hardlinked: self.hardlinked.load(Ordering::Relaxed),
        }
    }

    /// Folders that objects can be linked from.
    pub(super) fn link_dirs(&self) -> Vec<BorrowedFd<'_>> {
        self.objects.object_dirs()
    }

    /// Checks out a directory as `dest`.
    pub(super) fn root(
        &self,
        parent: BorrowedFd<'_>,
        dest: &Path,
        tree: DirtreeId,
        meta: DirmetaId,
    ) -> Result<()> {
        self.dir(parent, dest, tree, meta, "/")
    }

    /// Checks out a single file into the folder `dest`.
    pub(super) fn single(
        &self,
        parent: BorrowedFd<'_>,
        dest: &Path,
        name: &str,
        id: ContentId,
    ) -> Result<()> {
        if dest != Path::new(".") {
            match rustix::fs::mkdirat(parent, dest, Mode::from_raw_mode(0o700)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(e) => return Err(e).at(|| format!("mkdirat({})", dest.display())),
            }
        }
        let dir = rustix::fs::openat(parent, dest, DIR, Mode::empty())
            .at(|| format!("opendir({})", dest.display()))?;
        let labelled_as = self.labelled_as("", "");
        self.file(dir.as_fd(), name, &id, labelled_as.as_deref())
    }

    /// Where only links will do, says at once that there can be none.
    fn same_device(&self, dir: BorrowedFd<'_>) -> Result<()> {
        if self.options.linking != Linking::Require {
            return Ok(());
        }
        let device = |fd| {
            rustix::fs::fstat(fd)
                .map(|st| st.st_dev)
                .at(|| "fstat".into())
        };
        let (source, destination) = (device(self.objects.repo().objects_dir())?, device(dir)?);
        if source == destination {
            return Ok(());
        }
        Err(Error::NotAllowed(format!(
            "Unable to do hardlink checkout across devices (src={source} destination={destination})"
        )))
    }

    /// `path` is that of the directory in the tree and ends with a slash.
    fn dir(
        &self,
        parent: BorrowedFd<'_>,
        name: impl Arg + Copy,
        tree: DirtreeId,
        meta: DirmetaId,
        path: &str,
    ) -> Result<()> {
        self.cancel.check()?;
        let shown = || name.to_string_lossy().into_owned();
        let meta = self.dirmeta(&meta)?;
        let listing = self.objects.load_dirtree(&tree)?;
        let (dir, made) = self.make_dir(parent, name)?;
        self.same_device(dir.as_fd())?;
        if path == "/" {
            self.refuse_unlinkable(&tree)?;
        }
        if made && !self.user_mode {
            let labelled_as = self.labelled_as(path.trim_end_matches('/'), "");
            let xattrs = self.with_label(&meta.xattrs, labelled_as.as_deref(), meta.mode)?;
            for (key, value) in xattrs.iter() {
                osier_sys::xattr::set_fd(dir.as_fd(), key, value)
                    .at(|| format!("fsetxattr({}, {})", shown(), String::from_utf8_lossy(key)))?;
            }
        }
        let opaque = self.options.whiteouts && is_opaque(&listing);
        if opaque {
            self.empty_dir(dir.as_fd())?;
        }
        self.entries(dir.as_fd(), listing, path)?;
        if made || opaque {
            self.dress_dir(dir.as_fd(), &meta)
                .at(|| format!("setting owner and mode of {}", shown()))?;
        }
        if self.options.fsync {
            rustix::fs::fsync(&dir).at(|| format!("fsync({})", shown()))?;
        }
        Ok(())
    }

    fn dirmeta(&self, id: &DirmetaId) -> Result<Arc<Dirmeta>> {
        if let Some(known) = self.dirmetas.lock().expect("no panic while locked").get(id) {
            return Ok(Arc::clone(known));
        }
        let meta = Arc::new(self.objects.load_dirmeta(id)?);
        let mut known = self.dirmetas.lock().expect("no panic while locked");
        known.insert(*id, Arc::clone(&meta));
        Ok(meta)
    }

    fn make_dir(&self, parent: BorrowedFd<'_>, name: impl Arg + Copy) -> Result<(OwnedFd, bool)> {
        let shown = || name.to_string_lossy().into_owned();
        let made = match rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o700)) {
            Ok(()) => true,
            Err(Errno::EXIST) if self.options.existing != Existing::Fail => {
                let st = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)
                    .at(|| format!("stat({})", shown()))?;
                let is_dir = FileType::from_raw_mode(st.st_mode) == FileType::Directory;
                if !is_dir && self.options.whiteouts {
                    rustix::fs::unlinkat(parent, name, AtFlags::empty())
                        .at(|| format!("unlinkat({})", shown()))?;
                    rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o700))
                        .at(|| format!("mkdirat({})", shown()))?;
                    true
                } else {
                    false
                }
            }
            Err(e) => return Err(e).at(|| format!("mkdirat({})", shown())),
        };
        let dir = rustix::fs::openat(parent, name, DIR, Mode::empty())
            .at(|| format!("opendir({})", shown()))?;
        Ok((dir, made))
    }

    fn entries(&self, dir: BorrowedFd<'_>, listing: Dirtree, path: &str) -> Result<()> {
        let Dirtree { files, dirs } = listing;
        let files = self.act_on_whiteouts(dir, files)?;
        let wanted = |name: &str, slash: &str| {
            self.options.skip.is_empty()
                || !self.options.skip.contains(&format!("{path}{name}{slash}"))
        };
        let (a, b) = rayon::join(
            || {
                dirs.into_par_iter().with_max_len(1).try_for_each(
                    |(name, tree, meta)| match wanted(&name, "/") {
                        true => self.dir(dir, &*name, tree, meta, &format!("{path}{name}/")),
                        false => Ok(()),
                    },
                )
            },
            || {
                // Links into one folder wait for each other in the kernel; copies do not.
                let chunk = if self.try_link { 128 } else { 4 };
                files
                    .into_par_iter()
                    .with_min_len(chunk)
                    .try_for_each(|(name, id)| match wanted(&name, "") {
                        true => {
                            let labelled_as = self.labelled_as(path, &name);
                            self.file(dir, &name, &id, labelled_as.as_deref())
                        }
                        false => Ok(()),
                    })
            },
        );
        a.and(b)
    }

    /// Takes the entries that stand for deletions out of a listing and acts on them.
    fn act_on_whiteouts(
        &self,
        dir: BorrowedFd<'_>,
        files: Vec<(Box<str>, ContentId)>,
    ) -> Result<Vec<(Box<str>, ContentId)>> {
        if !self.options.whiteouts && !self.options.passthrough_whiteouts {
            return Ok(files);
        }
        let mut rest = Vec::with_capacity(files.len());
        for (name, id) in files {
            let whiteout = self.options.whiteouts && name.starts_with(".wh.");
            let passed = self.options.passthrough_whiteouts && name.starts_with(".ostree-wh.");
            // A symbolic link of such a name is a link like any other.
            if (whiteout || passed) && self.objects.content_header(&id, false)?.0.is_symlink() {
                rest.push((name, id));
            } else if whiteout {
                let hidden = &name[4..];
                if &*name == OPAQUE {
                    continue;
                }
                osier_object::dirtree::check_file_name(hidden)
                    .map_err(|_| Error::other(format!("Invalid empty whiteout '{name}'")))?;
                if hidden.is_empty() {
                    return Err(Error::other(format!("Invalid empty whiteout '{name}'")));
                }
                crate::remove_tree::remove_all(dir, hidden).at(|| format!("removing {hidden}"))?;
            } else if passed {
                self.make_whiteout(dir, &name, &id)?;
            } else {
                rest.push((name, id));
            }
        }
        Ok(rest)
    }

    fn empty_dir(&self, dir: BorrowedFd<'_>) -> Result<()> {
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(dir).at(|| "reading an opaque directory".into())? {
            let entry = entry.at(|| "reading an opaque directory".into())?;
            let name = entry.file_name();
            if name != c"." && name != c".." {
                names.push(name.to_owned());
            }
        }
        for name in names {
            crate::remove_tree::remove_all(dir, &*name)
                .at(|| format!("removing {}", name.to_string_lossy()))?;
        }
        Ok(())
    }

    fn make_whiteout(&self, dir: BorrowedFd<'_>, name: &str, id: &ContentId) -> Result<()> {
        let hidden = &name[".ostree-wh.".len()..];
        if hidden.is_empty() || osier_object::dirtree::check_file_name(hidden).is_err() {
            return Err(Error::other(format!(
                "Invalid empty overlayfs whiteout '{name}'"
            )));
        }
        let header = self.objects.open_content(id)?.header;
        let mode = Mode::from_raw_mode(header.mode & 0o7777);
        match rustix::fs::mknodat(dir, hidden, FileType::CharacterDevice, mode, 0) {
            Ok(()) => {}
            Err(Errno::EXIST) if self.options.existing == Existing::UnionAdd => return Ok(()),
            Err(e) => return Err(e).at(|| format!("mknodat({hidden})")),
        }
        if !self.user_mode {
            crate::owner::lchownat(dir, hidden, header.uid, header.gid)
                .at(|| format!("fchownat({hidden})"))?;
            for (key, value) in header.xattrs.iter() {
                osier_sys::xattr::set_at(dir, hidden.as_bytes(), key, value)
                    .at(|| format!("lsetxattr({hidden})"))?;
            }
        }
        rustix::fs::chmodat(dir, hidden, mode, AtFlags::empty())
            .at(|| format!("fchmodat({hidden})"))?;
        self.files.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Mode, owner and time come last: writing the entries changes the time and needs the permission.
    fn dress_dir(&self, dir: BorrowedFd<'_>, meta: &Dirmeta) -> rustix::io::Result<()> {
        let mode = match self.options.bareuseronly_dirs || self.mode == RepoMode::BareUserOnly {
            true => meta.mode & 0o775,
            false => meta.mode & 0o7777,
        };
        if !self.user_mode {
            crate::owner::fchown(dir, meta.uid, meta.gid)?;
        }
        rustix::fs::fchmod(dir, Mode::from_raw_mode(mode))?;
        if self.options.linking != Linking::Never {
            rustix::fs::futimens(
                dir,
                &Timestamps {
                    last_access: Timespec {
                        tv_sec: 0,
                        tv_nsec: UTIME_OMIT,
                    },
                    last_modification: Timespec {
                        tv_sec: 0,
                        tv_nsec: 0,
                    },
                },
            )?;
        }
        Ok(())
    }
}
