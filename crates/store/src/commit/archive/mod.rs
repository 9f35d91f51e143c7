//! Committing archives: their entries are laid over a tree.
//!
//! The calling thread unpacks and reads; contents go to the store's threads, which hash, compress and write them. What
//! waits in between is bounded, so memory does not grow with the archive.

mod links;
mod path;
mod pattern;
mod queue;
mod rename;
mod tree;

pub use rename::PathnameFilter;

use super::MutableTree;
use super::modifier::{Attributes, Modifier};
use crate::content::WHOLE_FILE_MAX;
use crate::error::{Error, Result, ResultExt};
use crate::mode::RepoMode;
use crate::parallel::{self, Spawner};
use crate::read::ReadObjects;
use crate::transaction::Transaction;
use crossbeam_channel::{Receiver, Sender};
use links::Links;
use osier_archive::{Archive, Entry, Kind};
use osier_object::header::{S_IFDIR, S_IFLNK, S_IFREG};
use osier_object::{Checksum, ContentId, FileHeader, Xattrs};
use queue::Budget;
use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use tree::Tree;

/// How much of what follows an archive's end is read, for the sake of a program that writes it.
const MAX_TRAILER: u64 = 16 * 1024 * 1024;

/// How an archive's entries become a tree.
#[derive(Clone, Debug, Default)]
pub struct ArchiveOptions {
    /// Make directories that entries lie in and the archive does not have.
    pub autocreate_parents: bool,
    /// Rewrites paths, also those of hard links' targets.
    pub pathname_filter: Option<PathnameFilter>,
}

/// Reads an archive (tar, cpio, compressed or not) over what `tree` has, and writes its content objects. `name` is for
/// messages; `-` is standard input.
///
/// Not to be called on one of the store's own threads.
///
/// # Errors
/// When the archive is damaged, has an entry that no tree can hold, or one whose directory is nowhere.
pub(super) fn add_archive(
    tx: &Transaction<'_>,
    tree: &mut MutableTree,
    reader: impl Read + Send + 'static,
    name: &str,
    options: &ArchiveOptions,
    modifier: &Modifier,
) -> Result<()> {
    // The functions' names are what scripts know.
    let (name, open) = match name {
        "-" => ("standard input", "archive_read_open_fd"),
        name => (name, "archive_read_open_filename"),
    };
    let archive = Archive::open(reader).map_err(|e| match e {
        osier_archive::Error::Io(e) if e.raw_os_error().is_some() => {
            Error::other(format!("{open}: Error reading '{name}': {e}"))
        }
        e => Error::other(format!("{name}: {open}: {e}")),
    })?;
    let (sender, results) = crossbeam_channel::unbounded();
    let import = Import {
        tree: Tree { tx, root: tree },
        options,
        modifier,
        links: Links::default(),
        pending: HashMap::new(),
        bodies: BTreeMap::new(),
        sequence: 0,
        results,
        failed: None,
    };
    import.run(archive, sender).within(|| name.to_owned())
}

/// Where an object goes once its checksum is known.
#[derive(Clone)]
enum Place {
    /// To a path of the tree.
    Path(Box<str>),
    /// To the target of hard links.
    Target(Box<str>),
}

/// A written object, and which entry it is from.
struct Written {
    place: Place,
    sequence: u64,
    result: Result<ContentId>,
}

struct Import<'a, 't> {
    tree: Tree<'a, 't>,
    options: &'a ArchiveOptions,
    modifier: &'a Modifier,
    links: Links,
    /// Paths whose objects are being written, with the last entry of each: it is the one that counts.
    pending: HashMap<Box<str>, u64>,
    /// Contents that came with hard links, by target: last entry, and the object once it is written.
    bodies: BTreeMap<Box<str>, (u64, Option<ContentId>)>,
    sequence: u64,
    results: Receiver<Written>,
    /// The first entry whose object could not be written.
    failed: Option<(u64, Error)>,
}

impl<'t> Import<'_, 't> {
    fn run(mut self, mut archive: Archive, sender: Sender<Written>) -> Result<()> {
        let tx = self.tree.tx;
        let budget = Budget::default();
        let read = parallel::scope(|spawner| {
            let writers = Writers {
                tx,
                spawner,
                budget: &budget,
                sender,
            };
            self.read(&mut archive, &writers)
        });
        self.collect();
        // Whatever the reading ended with came after this.
        if let Some((_, error)) = self.failed {
            return Err(error);
        }
        read?;
        archive.finish(MAX_TRAILER).map_err(damaged)?;
        for (target, (_, id)) in &self.bodies {
            if let Some(id) = id {
                self.tree
                    .put(target, *id)
                    .map_err(|e| links::deferred(target, e.within("Failed importing hardlink")))?;
            }
        }
        std::mem::take(&mut self.links).resolve(&mut self.tree)?;
        if self.options.autocreate_parents && self.tree.root.dirmeta().is_none() {
            self.make_root()?;
        }
        Ok(())
    }

    fn read<'s>(&mut self, archive: &mut Archive, writers: &Writers<'_, 's>) -> Result<()>
    where
        't: 's,
    {
        while let Some(entry) = archive.next_entry().map_err(damaged)? {
            self.collect();
            if self.failed.is_some() {
                break;
            }
            self.sequence += 1;
            self.entry(entry, archive, writers)?;
        }
        Ok(())
    }

    /// Takes in what has been written meanwhile.
    fn collect(&mut self) {
        while let Ok(written) = self.results.try_recv() {
            let id = match written.result {
                Ok(id) => id,
                Err(error) => {
                    if self
                        .failed
                        .as_ref()
                        .is_none_or(|(n, _)| *n > written.sequence)
                    {
                        self.failed = Some((written.sequence, error));
                    }
                    continue;
                }
            };
            match written.place {
                Place::Path(path) => {
                    if self.pending.get(&path) == Some(&written.sequence) {
                        self.pending.remove(&path);
                        if let Err(error) = self.tree.put(&path, id) {
                            self.failed = Some((written.sequence, error));
                        }
                    }
                }
                Place::Target(target) => {
                    if let Some((n, slot)) = self.bodies.get_mut(&target)
                        && *n == written.sequence
                    {
                        *slot = Some(id);
                    }
                }
            }
        }
    }

    fn entry<'s>(
        &mut self,
        mut entry: Entry,
        archive: &mut Archive,
        writers: &Writers<'_, 's>,
    ) -> Result<()>
    where
        't: 's,
    {
        let path = std::str::from_utf8(&entry.path)
            .map_err(|_| Error::other("Archive entry pathname is not valid UTF-8"))?;
        let path = self.renamed(path)?;
        let is_dir = entry.kind == Kind::Directory;
        let (parents, name) = path::split(&path).within(|| match is_dir {
            true => "ostree-tar: Failed to handle directory".into(),
            false => "ostree-tar: Failed to handle file: ostree-tar: Failed to import file".into(),
        })?;
        let full = match parents.is_empty() {
            true => name.to_owned(),
            false => format!("{}/{name}", parents.join("/")),
        };
        let link_mode = match self.tree.tx.repo().mode() {
            // A link on disk has no mode of its own, and must hash to its name there.
            RepoMode::Bare | RepoMode::BareUserOnly => 0o777,
            _ => entry.mode & 0o777,
        };
        let mut a = Attributes {
            uid: entry.uid,
            gid: entry.gid,
            mode: match &entry.kind {
                Kind::Directory => S_IFDIR | entry.mode,
                Kind::Symlink(_) => S_IFLNK | link_mode,
                _ => S_IFREG | entry.mode,
            },
            xattrs: Xattrs::default(),
        };
        let mode = self.tree.tx.repo().mode();
        let keep_xattrs = self.modifier.apply_to_archive(
            &format!("/{full}"),
            &mut a,
            mode == RepoMode::BareUserOnly,
        );
        let Some(keep_xattrs) = keep_xattrs else {
            return Ok(());
        };
        if entry.kind == Kind::Other {
            return Err(Error::other(format!(
                "Unsupported file type for path \"{full}\""
            )));
        }
        if name.is_empty() && !is_dir {
            return Err(Error::other(format!(
                "Invalid empty filename: entry \"{}\" is no directory",
                String::from_utf8_lossy(&entry.path)
            )));
        }
        if let Err(missing) = self.tree.dir(&parents) {
            if !self.options.autocreate_parents {
                return Err(missing);
            }
            let owner = (entry.uid, entry.gid);
            self.tree.make_parents(&parents, owner, self.modifier)?;
        }
        if keep_xattrs {
            if mode == RepoMode::Bare {
                // Attributes on disk that have no value are read as none.
                entry.xattrs.retain(|(_, value)| !value.is_empty());
            }
            // A bare repository keeps an attribute once; so does a directory anywhere.
            a.xattrs =
                xattrs(entry.xattrs, is_dir || mode == RepoMode::Bare).within(|| full.clone())?;
        }
        self.modifier.label(&format!("/{full}"), &mut a)?;
        let header = |symlink_target| FileHeader {
            uid: a.uid,
            gid: a.gid,
            mode: a.mode,
            symlink_target,
            xattrs: a.xattrs.clone(),
        };
        match entry.kind {
            Kind::Directory => self
                .directory(&parents, name, a)
                .within(|| "ostree-tar: Failed to handle directory".into()),
            Kind::Hardlink(target) => {
                let target = self.renamed(&String::from_utf8_lossy(&target))?;
                path::split(&target)
                    .map_err(|e| links::deferred(&target, e.within("Failed to find object")))?;
                self.links.push(&full, &target);
                if entry.size > 0 {
                    let target: Box<str> = target.into();
                    self.bodies.insert(target.clone(), (self.sequence, None));
                    let place = Place::Target(target);
                    writers.write(place, self.sequence, header(None), entry.size, archive)?;
                }
                Ok(())
            }
            Kind::File | Kind::Symlink(_) => {
                let target = match entry.kind {
                    Kind::Symlink(target) => Some(String::from_utf8(target).map_err(|_| {
                        Error::other("Archive entry symlink target is not valid UTF-8")
                    })?),
                    _ => None,
                };
                // The checksum follows; that the name is free must be known now.
                let unknown = ContentId(Checksum([0; 32]));
                self.tree
                    .dir(&parents)?
                    .put_file(name, unknown)
                    .within(|| {
                        "ostree-tar: Failed to handle file: ostree-tar: Failed to import file"
                            .into()
                    })?;
                let path: Box<str> = full.into();
                self.pending.insert(path.clone(), self.sequence);
                let place = Place::Path(path);
                writers.write(place, self.sequence, header(target), entry.size, archive)
            }
            Kind::Other => Ok(()),
        }
    }

    /// A path of the archive, relative and rewritten.
    fn renamed(&self, path: &str) -> Result<String> {
        let path = path::relative(path)?;
        match &self.options.pathname_filter {
            Some(filter) => filter.apply(path),
            None => Ok(path.to_owned()),
        }
    }

    /// Makes the root that nothing in the archive spoke of. Unlike other made directories it goes through the options.
    fn make_root(&mut self) -> Result<()> {
        let mut a = Attributes {
            uid: 0,
            gid: 0,
            mode: S_IFDIR | 0o755,
            xattrs: Xattrs::default(),
        };
        let bare = self.tree.tx.repo().mode() == RepoMode::BareUserOnly;
        // There must be one, even if it is on the list of what to skip.
        let _ = self.modifier.apply_to_archive("/", &mut a, bare);
        self.modifier.label("/", &mut a)?;
        self.directory(&[], "", a)
    }

    fn directory(&mut self, parents: &[&str], name: &str, a: Attributes) -> Result<()> {
        let meta = self.tree.tx.write_dirmeta(&a.into_dirmeta())?;
        let parent = self.tree.dir(parents)?;
        match name {
            "" => parent.set_dirmeta(meta),
            _ => parent.ensure_dir(name)?.set_dirmeta(meta),
        }
        Ok(())
    }
}

/// The way to the threads that write objects.
struct Writers<'a, 's> {
    tx: &'s Transaction<'s>,
    spawner: &'a Spawner<'a, 's>,
    budget: &'s Budget,
    sender: Sender<Written>,
}

impl Writers<'_, '_> {
    fn write(
        &self,
        place: Place,
        sequence: u64,
        header: FileHeader,
        size: u64,
        archive: &mut Archive,
    ) -> Result<()> {
        let tx = self.tx;
        let what = match &place {
            Place::Path(path) | Place::Target(path) => format!("Writing content object of /{path}"),
        };
        let sender = self.sender.clone();
        let finish = move |result: Result<ContentId>| {
            let result = result.map_err(|e| e.within(what));
            // Nobody listens only when all is lost anyway.
            let _ = sender.send(Written {
                place,
                sequence,
                result,
            });
        };
        if size <= WHOLE_FILE_MAX {
            let mut content = Vec::with_capacity(size as usize);
            archive
                .body()
                .read_to_end(&mut content)
                .map_err(|e| damaged(e.into()))?;
            let held = self.budget.hold(content.len());
            self.spawner.spawn(move || {
                finish(tx.write_content_bytes(None, &header, &content));
                drop(held);
            });
        } else if self.spawner.is_inline() {
            finish(tx.write_content(None, &header, size, &mut archive.body()));
        } else {
            let (pieces, mut reader) = queue::pieces();
            self.spawner
                .spawn(move || finish(tx.write_content(None, &header, size, &mut reader)));
            pieces
                .send_all(&mut archive.body())
                .map_err(|e| damaged(e.into()))?;
        }
        Ok(())
    }
}

/// Sorted as they are stored. Later ones stand before earlier ones of the same name, as in the reference tool, unless
/// each name may be there `once` only. Archives of bsdtar have each attribute twice.
///
/// # Errors
/// When one has several values and may have one only.
fn xattrs(mut found: Vec<(Vec<u8>, Vec<u8>)>, once: bool) -> Result<Xattrs> {
    found.reverse();
    if once {
        found.sort();
        found.dedup();
        if let Some(pair) = found.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            let name = String::from_utf8_lossy(&pair[0].0);
            return Err(Error::other(format!(
                "Duplicate xattr name: {name} has several values"
            )));
        }
    }
    Ok(Xattrs::from_pairs(found))
}

fn damaged(error: osier_archive::Error) -> Error {
    match error {
        osier_archive::Error::Io(source) => Error::Io {
            action: "reading the archive".into(),
            source,
        },
        error => Error::other(error.to_string()),
    }
}
