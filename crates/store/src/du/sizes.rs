//! How large objects are: one look at each folder of the repository, on all threads.

use super::Usage;
use super::graph::{Graph, counts};
use crate::content;
use crate::enumerate::{list_prefix, open_prefix, prefixes};
use crate::error::{IoContext, Result};
use crate::mode::RepoMode;
use crate::parallel::{self, Cancel, Progress};
use crate::read::ReadObjects;
use crate::repo::Repo;
use osier_object::{ContentId, ObjectName, ObjectType};
use rayon::prelude::*;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Sizes by number of the object.
pub(super) struct Sizes {
    stored: Vec<AtomicU64>,
    allocated: Vec<AtomicU64>,
    unpacked: Vec<AtomicU64>,
    pub(super) unreached: Usage,
    pub(super) missing: u64,
}

/// What no object's file has as its size.
const UNKNOWN: u64 = u64::MAX;

impl Sizes {
    pub(super) fn measure(
        repo: &Repo,
        graph: &Graph,
        progress: &dyn Progress,
        cancel: &Cancel,
    ) -> Result<Sizes> {
        let column = |value| (0..graph.len()).map(|_| AtomicU64::new(value)).collect();
        let mut sizes = Sizes {
            stored: column(UNKNOWN),
            allocated: column(0),
            unpacked: column(0),
            unreached: Usage::default(),
            missing: 0,
        };
        let unreached = Mutex::new(Usage::default());
        progress.total(graph.len() as u64);
        parallel::run(|| {
            let prefixes: Vec<String> = prefixes().collect();
            prefixes.par_iter().try_for_each(|prefix| {
                cancel.check()?;
                let Some(fd) = open_prefix(repo.objects_dir(), prefix)? else {
                    return Ok(());
                };
                let rest = sizes.folder(repo, graph, &fd, prefix, progress)?;
                unreached.lock().expect("no panic while locked").add(rest);
                Ok::<(), crate::Error>(())
            })
        })?;
        sizes.unreached = unreached.into_inner().expect("no panic while locked");
        sizes.elsewhere(repo, graph)?;
        Ok(sizes)
    }

    /// Measures what is in one folder; gives what nothing reaches.
    fn folder(
        &self,
        repo: &Repo,
        graph: &Graph,
        fd: &OwnedFd,
        prefix: &str,
        progress: &dyn Progress,
    ) -> Result<Usage> {
        let mut unreached = Usage::default();
        for name in list_prefix(repo, fd, prefix)? {
            if !counts(name.ty) {
                continue;
            }
            let path = name.loose_path(repo.mode().is_archive());
            let st = match rustix::fs::statat(fd, &path[3..], AtFlags::SYMLINK_NOFOLLOW) {
                Ok(st) => st,
                // Pruned since it was listed.
                Err(rustix::io::Errno::NOENT) => continue,
                Err(e) => return Err(e).at(|| format!("stat objects/{path}")),
            };
            let size = Usage {
                objects: 1,
                unpacked: match name.ty {
                    ObjectType::File => unpacked(repo, fd, &path[3..], &name, &st),
                    _ => 0,
                },
                stored: st.st_size as u64,
                // Blocks are 512 bytes, whatever those of the file system are.
                allocated: (st.st_blocks as u64).saturating_mul(512),
            };
            match graph.number(&name) {
                None => unreached.add(size),
                Some(number) => {
                    let at = number as usize;
                    self.stored[at].store(size.stored, Ordering::Relaxed);
                    self.allocated[at].store(size.allocated, Ordering::Relaxed);
                    self.unpacked[at].store(size.unpacked, Ordering::Relaxed);
                    progress.object_done(size.stored);
                }
            }
        }
        Ok(unreached)
    }

    /// What is not stored here may be in the parent repository.
    fn elsewhere(&mut self, repo: &Repo, graph: &Graph) -> Result<()> {
        for (name, number) in graph.names() {
            let at = number as usize;
            if *self.stored[at].get_mut() != UNKNOWN {
                continue;
            }
            let found = match repo.parent() {
                Some(parent) => parent.has_object(name)?,
                None => false,
            };
            if !found {
                self.missing += 1;
                continue;
            }
            *self.stored[at].get_mut() = 0;
            if name.ty == ObjectType::File
                && let Ok(content) = repo.open_content(&ContentId(name.checksum))
            {
                *self.unpacked[at].get_mut() = content.size;
            }
        }
        Ok(())
    }

    /// One object; nothing where it is missing.
    pub(super) fn of(&self, number: u32) -> Usage {
        let at = number as usize;
        match self.stored[at].load(Ordering::Relaxed) {
            UNKNOWN => Usage::default(),
            stored => Usage {
                objects: 1,
                unpacked: self.unpacked[at].load(Ordering::Relaxed),
                stored,
                allocated: self.allocated[at].load(Ordering::Relaxed),
            },
        }
    }
}

/// Bytes of a file's content; none of a link's. Of a damaged object, which is the business of a check, those of its file.
fn unpacked(repo: &Repo, dir: &OwnedFd, file: &str, name: &ObjectName, st: &Stat) -> u64 {
    let stored = st.st_size as u64;
    if FileType::from_raw_mode(st.st_mode) == FileType::Symlink {
        return 0;
    }
    match repo.mode() {
        RepoMode::Bare | RepoMode::BareUserOnly | RepoMode::BareSplitXattrs => stored,
        RepoMode::Archive => archived(dir, file).unwrap_or(stored),
        // Whether it is a link is in an attribute.
        RepoMode::BareUser => {
            match content::open(repo, repo.objects_dir(), &ContentId(name.checksum)) {
                Ok(Some(content)) => content.size,
                _ => stored,
            }
        }
    }
}

/// The size in front of a `.filez`: the first member of its header, big-endian, behind eight bytes of framing.
fn archived(dir: &OwnedFd, file: &str) -> std::io::Result<u64> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let fd = rustix::fs::openat(dir, file, flags, Mode::empty())?;
    let mut bytes = [0; 16];
    std::fs::File::from(fd).read_exact(&mut bytes)?;
    let [.., a, b, c, d, e, f, g, h] = bytes;
    Ok(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
}
