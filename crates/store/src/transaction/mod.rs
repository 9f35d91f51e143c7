//! Adding to a repository: objects are staged, synced, and published together with the refs that need them.
//!
//! A staging folder lies in `tmp/` on the same file system and is named after this boot. An interrupted transaction
//! leaves it behind; the next one of the same boot takes it over, so that finished objects need not be made again.
//! Those of earlier boots may hold files whose bytes never reached the disk and are deleted.

mod adopt;
mod free_space;
mod import;
mod known_name;
mod new_file;
pub(crate) mod pack;
mod packed;
mod payload;
mod publish;
mod staging;
mod write_content;
mod write_metadata;

use crate::error::{Error, Result};
use crate::mode::RepoMode;
use crate::read::ReadObjects;
use crate::refs::RefKey;
use crate::repo::Repo;
use crate::repo_lock::{RefsLock, RepoLock};
use free_space::FreeSpace;
use osier_object::{CommitId, ContentId, ObjectName, ObjectType};
use staging::Staging;
use std::collections::{BTreeMap, HashSet};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

pub use new_file::Import;
pub(crate) use write_content::is_storable_kind;

/// How a transaction behaves.
#[derive(Clone, Debug, Default)]
pub struct TransactionOptions {
    /// Overrides `core.fsync`.
    pub fsync: Option<bool>,
    /// Overrides `core.per-object-fsync`.
    pub per_object_fsync: Option<bool>,
}

/// What a transaction did.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct Stats {
    /// Metadata objects that were asked for.
    pub metadata_total: u64,
    /// Metadata objects that were new.
    pub metadata_written: u64,
    /// Content objects that were asked for.
    pub content_total: u64,
    /// Content objects that were new.
    pub content_written: u64,
    /// Bytes of new content, unpacked.
    pub content_bytes_written: u64,
    /// Files whose checksum a devino cache knew.
    pub devino_cache_hits: u64,
}

/// Counters that many threads add to.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    metadata_total: AtomicU64,
    metadata_written: AtomicU64,
    content_total: AtomicU64,
    content_written: AtomicU64,
    content_bytes_written: AtomicU64,
    devino_cache_hits: AtomicU64,
}

impl Counters {
    fn add(counter: &AtomicU64, n: u64) {
        counter.fetch_add(n, Ordering::Relaxed);
    }

    fn stats(&self) -> Stats {
        let get = |c: &AtomicU64| c.load(Ordering::Relaxed);
        Stats {
            metadata_total: get(&self.metadata_total),
            metadata_written: get(&self.metadata_written),
            content_total: get(&self.content_total),
            content_written: get(&self.content_written),
            content_bytes_written: get(&self.content_bytes_written),
            devino_cache_hits: get(&self.devino_cache_hits),
        }
    }
}

/// An open transaction. Shared by reference between threads; [`Transaction::commit`] publishes, dropping it leaves the
/// staged objects for the next transaction of this boot and changes no ref.
#[derive(Debug)]
pub struct Transaction<'r> {
    repo: &'r Repo,
    _lock: RepoLock,
    refs_lock: Option<RefsLock>,
    staging: Option<Staging>,
    free: FreeSpace,
    fsync: bool,
    per_object_fsync: bool,
    counters: Counters,
    refs: Mutex<BTreeMap<RefKey, Option<CommitId>>>,
    completed: Mutex<Vec<CommitId>>,
    consumed: Mutex<Vec<PathBuf>>,
    out_of_space: AtomicBool,
    /// A tree was taken from a commit that lacks objects.
    from_partial: AtomicBool,
    /// Regular files must be fit for a bare-user-only repository, whatever this one's mode.
    refuse_modes: bool,
    /// Paths of objects that are written although they are there, and put in their place; none in ordinary
    /// transactions.
    replacing: Option<Mutex<HashSet<String>>>,
    /// Whether the file system shares blocks between files, once that was asked.
    clones: std::sync::OnceLock<bool>,
    /// Held from looking for an older file with the same bytes until this one can be found.
    payloads: Mutex<()>,
    /// The file system was found to have no fs-verity.
    no_verity: AtomicBool,
}

impl Repo {
    /// Starts a transaction.
    ///
    /// # Errors
    /// When the repository is not writable, locked for deletion, or its file system is full beyond the configured
    /// reserve.
    pub fn begin(&self, options: &TransactionOptions) -> Result<Transaction<'_>> {
        self.require_writable()?;
        let lock = self.lock_shared()?;
        let fsync = options.fsync.unwrap_or(self.config().fsync);
        let free = FreeSpace::measure(self)?;
        // Without syncing there is nothing to stage for: a crash may damage what was published before as well.
        let per_object_fsync = options
            .per_object_fsync
            .unwrap_or(self.config().per_object_fsync);
        let direct = !fsync || per_object_fsync;
        let staging = if direct {
            None
        } else {
            Some(Staging::acquire(self)?)
        };
        Ok(Transaction {
            repo: self,
            _lock: lock,
            refs_lock: None,
            staging,
            free,
            fsync,
            per_object_fsync,
            replacing: None,
            clones: std::sync::OnceLock::new(),
            payloads: Mutex::default(),
            no_verity: AtomicBool::new(false),
            counters: Counters::default(),
            refs: Mutex::default(),
            completed: Mutex::default(),
            consumed: Mutex::default(),
            out_of_space: AtomicBool::new(false),
            from_partial: AtomicBool::new(false),
            refuse_modes: self.mode() == RepoMode::BareUserOnly,
        })
    }
}

impl Repo {
    /// Starts a transaction that may put good objects in the place of damaged ones. It stages in any case, and in a
    /// folder of its own: what an interrupted transaction left must not be taken for what is stored.
    pub(crate) fn begin_repair(&self) -> Result<Transaction<'_>> {
        let mut tx = self.begin(&TransactionOptions {
            fsync: Some(false),
            per_object_fsync: Some(false),
        })?;
        tx.fsync = self.config().fsync;
        tx.staging = Some(Staging::create(self)?);
        tx.replacing = Some(Mutex::default());
        Ok(tx)
    }
}

impl ReadObjects for Transaction<'_> {
    fn repo(&self) -> &Repo {
        self.repo
    }

    fn object_dirs(&self) -> Vec<BorrowedFd<'_>> {
        match &self.staging {
            // What was repaired hides what it will replace.
            Some(s) if self.replacing.is_some() => vec![s.dir(), self.repo.objects_dir()],
            Some(s) => vec![self.repo.objects_dir(), s.dir()],
            None => vec![self.repo.objects_dir()],
        }
    }
}

impl Transaction<'_> {
    /// Refuses regular files with mode bits outside 0775, as a bare-user-only repository always does.
    pub fn refuse_unusual_modes(&mut self) {
        self.refuse_modes = true;
    }

    /// Keeps refs from being moved by other transactions until this one ends. What depends on where a ref is, as a commit
    /// on its parent, is to be decided after this: otherwise two writers may follow one parent, and the later ref drops
    /// the other's commit.
    ///
    /// # Errors
    /// [`Error::Locked`] when another holds them for longer than `core.lock-timeout-secs`.
    pub fn hold_refs(&mut self) -> Result<()> {
        if self.refs_lock.is_none() {
            self.refs_lock = Some(self.repo.lock_refs()?);
        }
        Ok(())
    }

    /// Sets a ref when the transaction is committed; `None` deletes it.
    pub fn set_ref(&self, key: RefKey, value: Option<CommitId>) {
        self.refs
            .lock()
            .expect("no panic while locked")
            .insert(key, value);
    }

    /// As [`Transaction::set_ref`], by refspec.
    ///
    /// # Errors
    /// When it is no valid refspec.
    pub fn set_refspec(&self, refspec: &str, value: Option<CommitId>) -> Result<()> {
        self.set_ref(RefKey::from_refspec(refspec)?, value);
        Ok(())
    }

    /// Sets a ref of a collection: under `heads` when the collection is the repository's own.
    ///
    /// # Errors
    /// When a name is not valid.
    pub fn set_collection_ref(
        &self,
        collection: &str,
        name: &str,
        value: Option<CommitId>,
    ) -> Result<()> {
        osier_object::refs::validate_collection_id(collection)
            .map_err(|e| Error::InvalidName(e.to_string()))?;
        osier_object::refs::validate_ref_name(name)
            .map_err(|e| Error::InvalidName(e.to_string()))?;
        let key = match self.repo.config().collection_id.as_deref() == Some(collection) {
            true => RefKey::Local(name.to_owned()),
            false => RefKey::Mirror(collection.to_owned(), name.to_owned()),
        };
        self.set_ref(key, value);
        Ok(())
    }

    /// The value a ref will have once the transaction is committed.
    pub fn resolve_pending(&self, key: &RefKey) -> Result<Option<CommitId>> {
        match self.refs.lock().expect("no panic while locked").get(key) {
            Some(value) => Ok(*value),
            None => self.repo.read_ref(key),
        }
    }

    /// Deletes a source file, or a folder if it is empty by then, when the transaction has been committed. A folder comes
    /// after what is in it.
    pub(crate) fn remove_once_published(&self, path: PathBuf) {
        self.consumed
            .lock()
            .expect("no panic while locked")
            .push(path);
    }

    /// Notes that a commit's tree is taken over: what is made of a partial one is partial, too.
    pub(crate) fn takes_tree_of(&self, id: &CommitId) -> Result<()> {
        if self.commit_state(id)?.partial {
            self.from_partial.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Whether a tree of a partial commit was taken over.
    pub(crate) fn is_from_partial(&self) -> bool {
        self.from_partial.load(Ordering::Relaxed)
    }

    /// What has been done so far.
    pub fn stats(&self) -> Stats {
        self.counters.stats()
    }

    /// Counts content objects that were asked for and are there.
    pub(crate) fn count_content(&self, n: u64) {
        Counters::add(&self.counters.content_total, n);
    }

    /// Counts a file whose checksum was known without reading it.
    pub(crate) fn count_devino_hit(&self) {
        Counters::add(&self.counters.devino_cache_hits, 1);
    }

    /// Folder new objects are linked into.
    fn target_dir(&self) -> BorrowedFd<'_> {
        match &self.staging {
            Some(s) => s.dir(),
            None => self.repo.objects_dir(),
        }
    }

    fn content_name(&self, id: &ContentId) -> String {
        ObjectName {
            checksum: id.0,
            ty: ObjectType::File,
        }
        .loose_path(self.repo.mode().is_archive())
    }

    /// Whether an object is in this repository or staged; the parent repository does not count.
    pub fn is_stored(&self, name: &ObjectName) -> Result<bool> {
        self.is_stored_at(&name.loose_path(self.repo.mode().is_archive()))
    }

    fn is_stored_at(&self, path: &str) -> Result<bool> {
        if !self.replaces(path) && crate::read::exists(self.repo.objects_dir(), path)? {
            return Ok(true);
        }
        match &self.staging {
            Some(s) => crate::read::exists(s.dir().as_fd(), path),
            None => Ok(false),
        }
    }
    /// Has an object written although it is there, and put in its place when the transaction is committed.
    pub(crate) fn replace(&self, name: &ObjectName) {
        if let Some(paths) = &self.replacing {
            paths
                .lock()
                .expect("no panic while locked")
                .insert(name.loose_path(self.repo.mode().is_archive()));
        }
    }

    /// Takes back [`Transaction::replace`] and what was written since.
    pub(crate) fn keep(&self, name: &ObjectName) {
        let path = name.loose_path(self.repo.mode().is_archive());
        if let Some(paths) = &self.replacing {
            paths.lock().expect("no panic while locked").remove(&path);
        }
        if let Some(staging) = &self.staging {
            // An object that is left is one more copy, which loses to the one that is there.
            let _ = rustix::fs::unlinkat(staging.dir(), &path, rustix::fs::AtFlags::empty());
        }
    }

    fn replaces(&self, path: &str) -> bool {
        self.replacing
            .as_ref()
            .is_some_and(|paths| paths.lock().expect("no panic while locked").contains(path))
    }
}
