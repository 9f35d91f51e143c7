//! Finding a tree's SELinux policy and the label of each path.
//!
//! Nothing is asked of the running system: a tree can be labelled where SELinux is off.

use crate::commit::Root;
use crate::error::{Error, IoContext, Result};
use crate::read::ReadObjects;
use osier_object::{Checksum, ContentId, DirtreeId};
use osier_selinux_labels::{Config, Labels, Sources};
use rustix::fs::{FileType, Mode, OFlags};
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// Where a root file system may have its policy.
const HOMES: [&str; 2] = ["etc/selinux", "usr/etc/selinux"];
/// Where a stored tree has it: one that can be deployed has no `etc`, and the C tool looks nowhere else.
const STORED_HOMES: [&str; 1] = ["usr/etc/selinux"];

/// A policy's text may be this long; real ones have less than one MiB.
const MAX_TEXT: u64 = 64 * 1024 * 1024;

/// The attribute that holds a label.
pub const XATTR: &[u8] = b"security.selinux";

/// Which files are labelled as which others.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub enum Epoch {
    /// Every path as itself.
    #[default]
    Zero,
    /// `/usr/etc` and what is below as `/etc`, which it becomes when deployed.
    One,
}

/// A policy in force.
#[derive(Debug)]
pub struct Policy {
    labels: Labels,
    /// Where its files are, for errors.
    shown: String,
    epoch: Epoch,
}

impl Policy {
    /// The policy of the root file system `path`; `None` when it has none, or its `etc/selinux/config` has it disabled.
    ///
    /// # Errors
    /// The folder cannot be opened, or the policy that the configuration names is not whole: `file_contexts`, a binary
    /// policy, and a label for `/` must be there.
    pub fn of_folder(path: &Path) -> Result<Option<Self>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rustix::fs::open(path, flags, Mode::empty())
            .at(|| format!("opendir({})", path.display()))?;
        Self::find(&Folder(dir), &HOMES, path.display())
    }

    /// The policy below `usr/etc` of a stored tree.
    ///
    /// # Errors
    /// As [`Policy::of_folder`], or an object is missing.
    pub fn of_tree(objects: &dyn ReadObjects, root: Root) -> Result<Option<Self>> {
        let shown = format!("dirtree {}", root.dirtree);
        Self::find(&Stored(objects, root.dirtree), &STORED_HOMES, shown)
    }

    /// The same policy, for paths taken so.
    #[must_use]
    pub fn with_epoch(self, epoch: Epoch) -> Self {
        Self { epoch, ..self }
    }

    fn find(
        files: &dyn Files,
        homes: &[&str],
        shown: impl std::fmt::Display,
    ) -> Result<Option<Self>> {
        let mut home = None;
        for candidate in homes {
            if files.names(candidate)?.is_some() {
                home = Some(candidate);
                break;
            }
        }
        let Some(home) = home else { return Ok(None) };
        let Some(config) = files.text(&format!("{home}/config"))? else {
            return Ok(None);
        };
        let config = Config::parse(&config);
        if !config.enabled {
            return Ok(None);
        }
        let name = config.policy.unwrap_or_default();
        if matches!(&*name, "" | "." | "..") || name.contains(['/', '\0']) {
            return Err(Error::other(format!(
                "Reading {shown}/{home}/config: SELINUXTYPE is no name of a folder: '{name}'"
            )));
        }
        let folder = format!("{home}/{name}");
        let shown = format!("{shown}/{folder}");
        Self::load(files, &folder, &shown)
            .map(Some)
            .map_err(|e| e.within(format!("With policy root '{shown}'")))
    }

    fn load(files: &dyn Files, folder: &str, shown: &str) -> Result<Self> {
        let base = format!("{folder}/contexts/files/file_contexts");
        let optional = |extension: &str| -> Result<String> {
            let text = files.text(&format!("{base}.{extension}"))?;
            Ok(text.unwrap_or_default())
        };
        let main = files.text(&base)?.ok_or_else(|| {
            Error::other("opening contexts/files/file_contexts: No such file or directory")
        })?;
        let labels = Labels::parse(Sources {
            file_contexts: &main,
            homedirs: &optional("homedirs")?,
            local: &optional("local")?,
            subs: &optional("subs")?,
            subs_dist: &optional("subs_dist")?,
        })
        .map_err(|e| Error::other(e.to_string()))?;
        let policy = Self {
            labels,
            shown: shown.to_owned(),
            epoch: Epoch::Zero,
        };
        if policy.label("/", 0o040_755)?.is_none() {
            return Err(Error::other(
                "Failed to look up context of /: No such file or directory",
            ));
        }
        // Its content does not matter here, but a system without it would not boot enforcing.
        let binary = files.names(&format!("{folder}/policy"))?;
        let found = binary.into_iter().flatten().any(|(name, is_file)| {
            let version = name.strip_prefix("policy.");
            is_file
                && version.is_some_and(|v| !v.is_empty() && v.bytes().all(|b| b.is_ascii_digit()))
        });
        match found {
            true => Ok(policy),
            false => Err(Error::other("Could not find binary policy file")),
        }
    }

    /// The label of a path, which starts with a slash; of the mode only the type counts. `None` where the policy
    /// leaves the path alone.
    ///
    /// # Errors
    /// A regular expression of the policy that cannot be used.
    pub fn label(&self, path: &str, mode: u32) -> Result<Option<&str>> {
        let as_etc;
        let path = match (self.epoch, path.strip_prefix("/usr/etc")) {
            (Epoch::One, Some(rest)) if rest.is_empty() || rest.starts_with('/') => {
                as_etc = format!("/etc{rest}");
                &as_etc
            }
            // Policies give it none, as the kernel labels what is mounted there; the empty folder is a mount point.
            _ if path == "/proc" => "/mnt",
            _ => path,
        };
        self.labels.of(path, mode).map_err(|e| {
            Error::other(format!(
                "Looking up the SELinux label of {path}: {}: {e}",
                self.shown
            ))
        })
    }
}

/// Files of a tree, wherever it is. What is not there is `None`.
trait Files {
    fn text(&self, path: &str) -> Result<Option<String>>;
    /// Names in a folder, each with whether it is a regular file.
    fn names(&self, path: &str) -> Result<Option<Vec<(String, bool)>>>;
}

struct Folder(OwnedFd);

impl Files for Folder {
    fn text(&self, path: &str) -> Result<Option<String>> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let fd = match rustix::fs::openat(&self.0, path, flags, Mode::empty()) {
            Ok(fd) => fd,
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            Err(e) => return Err(e).at(|| format!("openat({path})")),
        };
        text_of(std::fs::File::from(fd), path).map(Some)
    }

    fn names(&self, path: &str) -> Result<Option<Vec<(String, bool)>>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = match rustix::fs::openat(&self.0, path, flags, Mode::empty()) {
            Ok(dir) => dir,
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => return Ok(None),
            Err(e) => return Err(e).at(|| format!("opendir({path})")),
        };
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(dir.as_fd()).at(|| format!("reading {path}"))? {
            let entry = entry.at(|| format!("reading {path}"))?;
            let is_file = match entry.file_type() {
                FileType::Unknown => {
                    let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
                    rustix::fs::statat(dir.as_fd(), entry.file_name(), flags).is_ok_and(|st| {
                        FileType::from_raw_mode(st.st_mode) == FileType::RegularFile
                    })
                }
                kind => kind == FileType::RegularFile,
            };
            names.push((entry.file_name().to_string_lossy().into_owned(), is_file));
        }
        Ok(Some(names))
    }
}

struct Stored<'a>(&'a dyn ReadObjects, DirtreeId);

/// Links followed from one path before it counts as a loop.
const MAX_LINKS: usize = 40;

impl Stored<'_> {
    fn find(&self, path: &str) -> Result<Option<Found>> {
        let mut left: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut above: Vec<DirtreeId> = vec![self.1];
        let mut links = 0;
        while let Some(name) = left.pop() {
            match &*name {
                "" | "." => continue,
                ".." => {
                    // The root is its own parent.
                    above.truncate(above.len().saturating_sub(1).max(1));
                    continue;
                }
                _ => {}
            }
            let Some(here) = above.last() else { break };
            let listing = self.0.load_dirtree(here)?;
            if let Some((_, dir, _)) = listing.dirs.iter().find(|(n, _, _)| **n == *name) {
                above.push(*dir);
                continue;
            }
            let Some((_, id)) = listing.files.iter().find(|(n, _)| **n == *name) else {
                return Ok(None);
            };
            let target = self.0.open_content(id)?.header.symlink_target;
            match target {
                Some(target) => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(Error::other(format!("{path}: too many symbolic links")));
                    }
                    if target.starts_with('/') {
                        above.truncate(1);
                    }
                    left.extend(target.split('/').rev().map(str::to_owned));
                }
                None if left.is_empty() => return Ok(Some(Found::File(*id))),
                None => return Ok(None),
            }
        }
        Ok(above.last().map(|dir| Found::Dir(*dir)))
    }
}

enum Found {
    File(ContentId),
    Dir(DirtreeId),
}

impl Files for Stored<'_> {
    fn text(&self, path: &str) -> Result<Option<String>> {
        match self.find(path)? {
            Some(Found::File(id)) => {
                let content = self.0.open_content(&id)?;
                text_of(content.into_reader(), path).map(Some)
            }
            Some(Found::Dir(_)) => Err(Error::other(format!("reading {path}: Is a directory"))),
            None => Ok(None),
        }
    }

    fn names(&self, path: &str) -> Result<Option<Vec<(String, bool)>>> {
        let Some(Found::Dir(id)) = self.find(path)? else {
            return Ok(None);
        };
        let is_file = |id: &Checksum| -> Result<bool> {
            let header = self.0.open_content(&ContentId(*id))?.header;
            Ok(header.symlink_target.is_none())
        };
        let listing = self.0.load_dirtree(&id)?;
        let mut names = Vec::with_capacity(listing.files.len());
        for (name, id) in listing.files {
            names.push((name.into_string(), is_file(&id.0)?));
        }
        Ok(Some(names))
    }
}

fn text_of(reader: impl Read, path: &str) -> Result<String> {
    let mut bytes = Vec::new();
    let read = reader.take(MAX_TEXT + 1).read_to_end(&mut bytes);
    read.at(|| format!("reading {path}"))?;
    if bytes.len() as u64 > MAX_TEXT {
        return Err(io::Error::from(io::ErrorKind::FileTooLarge)).at(|| format!("reading {path}"));
    }
    // What is not UTF-8 is not ASCII either, and refused as such where it matters.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
