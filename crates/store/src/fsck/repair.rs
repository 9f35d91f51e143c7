//! Putting good objects from elsewhere in the place of damaged and missing ones.
//!
//! An object is fetched, checked against its name while it is written into the staging folder of a transaction, read
//! back from there, and renamed over the damaged one when the check is through. Until then the damaged one stays.

use super::event::{Event, FsckSink};
use super::object::verify_object;
use super::report::shows_damage;
use super::source::{ObjectSource, SourceContent};
use crate::content::WHOLE_FILE_MAX;
use crate::error::{Error, Result};
use crate::parallel::{self, Cancel};
use crate::prune::mark_partial_by_fsck;
use crate::read::ReadObjects;
use crate::repo::Repo;
use crate::transaction::Transaction;
use osier_gv::Dict;
use osier_object::{CommitId, ContentId, ObjectName, ObjectType};
use rayon::prelude::*;
use rustix::fs::{AtFlags, FileType};
use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Mutex;

/// A repaired object.
struct Repaired {
    name: ObjectName,
    /// Number of the source it came from.
    source: usize,
    other_links: u64,
}

pub(super) struct Repairer<'a, 'r> {
    pub(super) tx: Transaction<'r>,
    sources: &'a [&'a dyn ObjectSource],
    sink: &'a dyn FsckSink,
    done: Mutex<Vec<Repaired>>,
}

impl<'a, 'r> Repairer<'a, 'r> {
    pub(super) fn begin(
        repo: &'r Repo,
        sources: &'a [&'a dyn ObjectSource],
        sink: &'a dyn FsckSink,
    ) -> Result<Repairer<'a, 'r>> {
        Ok(Repairer {
            tx: repo.begin_repair()?,
            sources,
            sink,
            done: Mutex::default(),
        })
    }

    /// Publishes what was repaired and tells of it. Gives the number of objects.
    pub(super) fn finish(self) -> Result<u64> {
        self.tx.commit()?;
        let mut done = self.done.into_inner().expect("no panic while locked");
        done.sort_by_key(|repaired| repaired.name);
        for repaired in &done {
            self.sink.event(&Event::Repaired {
                name: repaired.name,
                source: self.sources[repaired.source].name(),
                other_links: repaired.other_links,
            });
        }
        Ok(done.len() as u64)
    }

    /// Whether a good object could be staged. What the sources lack is told at once.
    ///
    /// # Errors
    /// When this repository has no room, or the work is cancelled.
    pub(super) fn repair(&self, name: &ObjectName) -> Result<bool> {
        let other_links = self.other_links(name);
        let mut reasons = Vec::new();
        for (at, source) in self.sources.iter().enumerate() {
            self.tx.replace(name);
            let fetched = self.fetch(*source, name);
            if !matches!(fetched, Ok(true)) {
                self.tx.keep(name);
            }
            match fetched {
                Ok(true) => {
                    self.done
                        .lock()
                        .expect("no panic while locked")
                        .push(Repaired {
                            name: *name,
                            source: at,
                            other_links,
                        });
                    return Ok(true);
                }
                Ok(false) => reasons.push(format!("{} does not have it", source.name())),
                // No other source would help.
                Err(e @ (Error::Cancelled | Error::MinFreeSpace { .. })) => return Err(e),
                Err(e) => reasons.push(format!("{}: {e}", source.name())),
            }
        }
        self.sink.event(&Event::NotRepaired {
            name: *name,
            reasons: &reasons,
        });
        Ok(false)
    }

    /// Stages an object from one source; false when it is not there.
    fn fetch(&self, source: &dyn ObjectSource, name: &ObjectName) -> Result<bool> {
        if name.ty == ObjectType::File {
            let id = ContentId(name.checksum);
            let Some(content) = source.content(&id)? else {
                return Ok(false);
            };
            self.write(&id, content)?;
        } else {
            let Some(bytes) = source.metadata(name.ty, &name.checksum)? else {
                return Ok(false);
            };
            self.tx
                .write_metadata(name.ty, Some(&name.checksum), &bytes)?;
        }
        // A mode that cannot hold it all, or a disk that does not keep what it is given, must not pass for a repair.
        verify_object(&self.tx, name)?;
        Ok(true)
    }

    fn write(&self, id: &ContentId, content: SourceContent) -> Result<()> {
        match content {
            SourceContent::Opened(content) => {
                let header = content.header.clone();
                let size = content.size;
                self.tx
                    .write_content(Some(id), &header, size, &mut content.into_reader())?;
            }
            SourceContent::Packed { stored, stream } if stored <= WHOLE_FILE_MAX => {
                let mut bytes = Vec::new();
                stream
                    .take(WHOLE_FILE_MAX + 1)
                    .read_to_end(&mut bytes)
                    .map_err(|source| Error::Io {
                        action: format!("reading object {}", id.object_name()),
                        source,
                    })?;
                self.tx.write_archive_bytes(id, &bytes)?;
            }
            SourceContent::Packed { stored, mut stream } => {
                self.tx.write_archive_stream(id, stored, &mut stream)?;
            }
        }
        Ok(())
    }

    /// How many other names the damaged file has. Where checkouts are hard links, those keep what is in it.
    fn other_links(&self, name: &ObjectName) -> u64 {
        let path = name.loose_path(self.tx.repo().mode().is_archive());
        let found = rustix::fs::statat(
            self.tx.repo().objects_dir(),
            &path,
            AtFlags::SYMLINK_NOFOLLOW,
        );
        match found {
            Ok(st) if FileType::from_raw_mode(st.st_mode) == FileType::RegularFile => {
                // Narrower on other architectures.
                #[allow(clippy::unnecessary_cast)]
                let links = st.st_nlink as u64;
                links.saturating_sub(1)
            }
            _ => 0,
        }
    }

    /// Puts detached metadata where it is missing or cannot be decoded, if a source has it.
    fn commitmeta(&self, id: &CommitId) -> Result<()> {
        match self.tx.load_commitmeta(id) {
            Ok(Some(_)) => return Ok(()),
            Ok(None) => {}
            Err(e) if shows_damage(&e) => {}
            Err(e) => return Err(e),
        }
        for (at, source) in self.sources.iter().enumerate() {
            // Most commits have none, so that sources that cannot tell are no news.
            let Ok(Some(bytes)) = source.metadata(ObjectType::Commitmeta, &id.0) else {
                continue;
            };
            if bytes.is_empty() || Dict::decode(&bytes).is_err() {
                continue;
            }
            self.tx.write_commitmeta_bytes(id, &bytes)?;
            self.done
                .lock()
                .expect("no panic while locked")
                .push(Repaired {
                    name: ObjectName::new(id.0, ObjectType::Commitmeta),
                    source: at,
                    other_links: 0,
                });
            return Ok(());
        }
        Ok(())
    }
}

/// Repairs the commit objects that refs name or that are stored, and their detached metadata. They are published before
/// anything else is looked at, since all that follows starts from them. Gives the number of objects.
///
/// A commit that was not there at all is marked as partial before that: its tree may be missing as well.
pub(super) fn commits(
    repo: &Repo,
    refs: impl IntoIterator<Item = CommitId>,
    sources: &[&dyn ObjectSource],
    sink: &dyn FsckSink,
    cancel: &Cancel,
) -> Result<u64> {
    let mut ids: BTreeSet<CommitId> = repo.list_commits()?.into_iter().collect();
    ids.extend(refs);
    let repairer = Repairer::begin(repo, sources, sink)?;
    // In parallel for the sake of remotes, where each question is a round trip.
    let ids: Vec<CommitId> = ids.into_iter().collect();
    let look_at = |id: &CommitId| {
        cancel.check()?;
        let name = id.object_name();
        if let Err(e) = verify_object(repo, &name) {
            // What cannot be repaired is reported by the check itself.
            if !shows_damage(&e) || !repairer.repair(&name)? {
                return Ok(());
            }
            let missing = e.missing_object() == Some(&name);
            if missing && !repo.commit_state(id)?.partial {
                mark_partial_by_fsck(repo, id)?;
            }
        }
        repairer.commitmeta(id)
    };
    parallel::run(|| ids.par_iter().try_for_each(look_at))?;
    repairer.finish()
}
