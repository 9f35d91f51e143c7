//! Which objects commits need: walking histories and directory trees on all threads.
//!
//! A [`Reached`] set costs about 40 to 80 bytes an object and never holds names or content. Every directory listing is
//! read once, however many commits share it.

use crate::error::{Error, Result};
use crate::parallel::{self, Cancel};
use crate::read::{ReadObjects, invalid};
use osier_object::{
    Checksum, CommitId, DirmetaId, Dirtree, DirtreeId, ObjectName, ObjectType, hash,
};
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

/// How many parents of a commit to follow; `None` for all of them.
pub type Depth = Option<u32>;

/// A set of object names that many threads add to.
#[derive(Debug)]
pub struct Reached {
    // Sharded by the first byte, so that threads rarely meet at a lock.
    shards: Vec<Mutex<HashSet<ObjectName>>>,
}

impl Default for Reached {
    fn default() -> Self {
        Reached {
            shards: (0..256).map(|_| Mutex::default()).collect(),
        }
    }
}

impl Reached {
    /// An empty set.
    pub fn new() -> Reached {
        Reached::default()
    }

    fn shard(&self, name: &ObjectName) -> &Mutex<HashSet<ObjectName>> {
        &self.shards[usize::from(name.checksum.0[0])]
    }

    /// Adds a name; `true` when it is new.
    pub fn insert(&self, name: ObjectName) -> bool {
        self.shard(&name)
            .lock()
            .expect("no panic while locked")
            .insert(name)
    }

    /// Whether the name was added.
    pub fn contains(&self, name: &ObjectName) -> bool {
        self.shard(name)
            .lock()
            .expect("no panic while locked")
            .contains(name)
    }

    /// Number of names.
    pub fn len(&self) -> usize {
        self.shards
            .iter()
            .map(|s| s.lock().expect("no panic while locked").len())
            .sum()
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The names in order of checksum, in place of the set.
    pub fn into_sorted(self) -> Vec<ObjectName> {
        let mut out = Vec::with_capacity(self.len());
        for shard in self.shards {
            let start = out.len();
            out.extend(shard.into_inner().expect("no panic while locked"));
            out[start..].sort_unstable();
        }
        out
    }

    /// The names in order of checksum.
    pub fn to_sorted(&self) -> Vec<ObjectName> {
        let mut out = Vec::with_capacity(self.len());
        for shard in &self.shards {
            let start = out.len();
            out.extend(shard.lock().expect("no panic while locked").iter());
            out[start..].sort_unstable();
        }
        out
    }
}

/// What a walk needs of a commit.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct CommitNode {
    /// The commit.
    pub id: CommitId,
    /// The commit before it.
    pub parent: Option<CommitId>,
    /// UTC seconds since 1970.
    pub timestamp: u64,
    /// Contents of its root directory.
    pub root_dirtree: DirtreeId,
    /// Owner, mode and attributes of its root directory.
    pub root_dirmeta: DirmetaId,
}

/// Loads the part of a commit that walks need; `None` when it is not stored.
pub fn load_node(
    objects: &(impl ReadObjects + ?Sized),
    id: &CommitId,
) -> Result<Option<CommitNode>> {
    let Some(bytes) = objects.read_metadata_opt(ObjectType::Commit, &id.0)? else {
        return Ok(None);
    };
    let commit =
        osier_object::Commit::decode(&bytes).map_err(|e| invalid(ObjectType::Commit, &id.0, e))?;
    Ok(Some(CommitNode {
        id: *id,
        parent: commit.parent,
        timestamp: commit.timestamp,
        root_dirtree: commit.root_dirtree,
        root_dirmeta: commit.root_dirmeta,
    }))
}

/// The commits reached from `roots`, each followed through as many parents as its depth says; with overlapping
/// histories the union. A commit that is not stored ends its line without error. Sorted by id.
pub fn history<R: ReadObjects + ?Sized>(
    objects: &R,
    roots: impl IntoIterator<Item = (CommitId, Depth)>,
    cancel: &Cancel,
) -> Result<Vec<CommitNode>> {
    // Parents still to follow, by commit; `u32::MAX` stands for all.
    let mut left: HashMap<CommitId, u32> = HashMap::new();
    let mut nodes: HashMap<CommitId, Option<CommitNode>> = HashMap::new();
    let mut frontier: Vec<(CommitId, u32)> = roots
        .into_iter()
        .map(|(id, depth)| (id, depth.unwrap_or(u32::MAX)))
        .collect();
    while !frontier.is_empty() {
        cancel.check()?;
        // A commit reached again with more to go is followed again, so that the order of the roots does not matter.
        frontier.retain(|(id, depth)| match left.get(id) {
            Some(known) if known >= depth => false,
            _ => {
                left.insert(*id, *depth);
                true
            }
        });
        let new: Vec<CommitId> = frontier
            .iter()
            .map(|(id, _)| *id)
            .filter(|id| !nodes.contains_key(id))
            .collect();
        let load = |id: &CommitId| Ok((*id, load_node(objects, id)?));
        let loaded: Vec<(CommitId, Option<CommitNode>)> = match new.len() {
            0 | 1 => new.iter().map(load).collect::<Result<_>>()?,
            _ => parallel::run(|| new.par_iter().map(load).collect::<Result<_>>())?,
        };
        nodes.extend(loaded);
        frontier = frontier
            .into_iter()
            .filter_map(|(id, depth)| {
                let parent = nodes.get(&id)?.as_ref()?.parent?;
                match depth {
                    0 => None,
                    u32::MAX => Some((parent, u32::MAX)),
                    n => Some((parent, n - 1)),
                }
            })
            .collect();
    }
    let mut out: Vec<CommitNode> = nodes.into_values().flatten().collect();
    out.sort_unstable_by_key(|node| node.id);
    Ok(out)
}

/// Checks directory listings while they are walked, so that they are read once.
pub trait Inspect: Sync {
    /// Told of each listing that is missing, cannot be read or decoded, or does not hash to its name. May give its
    /// bytes from elsewhere, checked; otherwise its entries are not followed.
    ///
    /// # Errors
    /// Ends the walk.
    fn damaged(&self, id: &DirtreeId, error: Error) -> Result<Option<Vec<u8>>>;
}

/// Walks directory trees, adding what they need to a set.
pub struct TreeWalk<'a, R: ?Sized> {
    objects: &'a R,
    reached: &'a Reached,
    cancel: &'a Cancel,
    tolerant: bool,
    inspect: Option<&'a dyn Inspect>,
}

impl<R: ?Sized> std::fmt::Debug for TreeWalk<'_, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TreeWalk")
            .field("tolerant", &self.tolerant)
            .finish_non_exhaustive()
    }
}

impl<'a, R: ReadObjects + ?Sized> TreeWalk<'a, R> {
    /// A walk that adds to `reached` and skips what is in it already.
    pub fn new(objects: &'a R, reached: &'a Reached, cancel: &'a Cancel) -> Self {
        TreeWalk {
            objects,
            reached,
            cancel,
            tolerant: false,
            inspect: None,
        }
    }

    /// Takes a listing that is not stored as an empty one: for partial commits.
    #[must_use]
    pub fn tolerant(mut self) -> Self {
        self.tolerant = true;
        self
    }

    /// Hashes every listing on the way.
    #[must_use]
    pub fn inspecting(mut self, inspect: &'a dyn Inspect) -> Self {
        self.inspect = Some(inspect);
        self
    }

    /// Adds the trees of the commits, and the commits themselves.
    ///
    /// # Errors
    /// [`Error::MissingObject`] for a listing that is not stored, unless tolerant; [`Error::Invalid`] for one that
    /// cannot be decoded.
    pub fn commits(&self, commits: &[CommitNode]) -> Result<()> {
        parallel::run(|| {
            commits.par_iter().try_for_each(|commit| {
                self.reached.insert(commit.id.object_name());
                self.dir(&commit.root_dirtree, &commit.root_dirmeta)
            })
        })
    }

    fn dir(&self, tree: &DirtreeId, meta: &DirmetaId) -> Result<()> {
        self.reached.insert(meta.object_name());
        if !self.reached.insert(tree.object_name()) {
            return Ok(());
        }
        self.cancel.check()?;
        let Some(listing) = self.load(tree)? else {
            return Ok(());
        };
        for (_, id) in &listing.files {
            self.reached.insert(id.object_name());
        }
        match &listing.dirs[..] {
            [] => Ok(()),
            [(_, tree, meta)] => self.dir(tree, meta),
            many => many
                .par_iter()
                .try_for_each(|(_, tree, meta)| self.dir(tree, meta)),
        }
    }

    fn load(&self, id: &DirtreeId) -> Result<Option<Dirtree>> {
        let error = match self.read(id) {
            Ok(listing) => return Ok(Some(listing)),
            Err(Error::MissingObject(_)) if self.tolerant => return Ok(None),
            Err(e @ Error::Cancelled) => return Err(e),
            Err(e) => e,
        };
        let Some(inspect) = self.inspect else {
            return Err(error);
        };
        match inspect.damaged(id, error)? {
            None => Ok(None),
            Some(bytes) => decode(id, &bytes).map(Some),
        }
    }

    fn read(&self, id: &DirtreeId) -> Result<Dirtree> {
        let bytes = self.objects.read_metadata(ObjectType::Dirtree, &id.0)?;
        if self.inspect.is_some() {
            let actual = hash(&bytes);
            if actual != id.0 {
                return Err(Error::ChecksumMismatch {
                    name: id.object_name(),
                    expected: id.0,
                    actual,
                });
            }
        }
        decode(id, &bytes)
    }
}

fn decode(id: &DirtreeId, bytes: &[u8]) -> Result<Dirtree> {
    Dirtree::decode(bytes).map_err(|e| invalid(ObjectType::Dirtree, &id.0, e))
}

/// Every object that the commits need, the commits included. What a partial commit lacks is passed over.
///
/// # Errors
/// [`Error::MissingObject`] for a commit, or a directory listing of a commit that is not partial, that is not stored.
pub fn reachable<R: ReadObjects + ?Sized>(
    objects: &R,
    commits: &[CommitNode],
    cancel: &Cancel,
) -> Result<Reached> {
    let reached = Reached::new();
    let mut whole = Vec::new();
    let mut partial = Vec::new();
    for commit in commits {
        match objects.commit_state(&commit.id)?.partial {
            true => partial.push(*commit),
            false => whole.push(*commit),
        }
    }
    // Whole commits first: a listing that both kinds need and that is missing must be an error.
    let walk = TreeWalk::new(objects, &reached, cancel);
    walk.commits(&whole)?;
    walk.tolerant().commits(&partial)?;
    Ok(reached)
}

/// For each of the damaged objects the commits, of those given, that need it. Sorted by object.
///
/// Listings that are missing or damaged themselves count as empty.
pub(crate) fn owners<R: ReadObjects + ?Sized>(
    objects: &R,
    commits: &[CommitNode],
    wanted: &[ObjectName],
) -> Vec<(ObjectName, Vec<CommitId>)> {
    let index: HashMap<ObjectName, usize> =
        wanted.iter().enumerate().map(|(i, n)| (*n, i)).collect();
    let mut memo: HashMap<Checksum, Vec<usize>> = HashMap::new();
    let mut out: Vec<(ObjectName, Vec<CommitId>)> =
        wanted.iter().map(|n| (*n, Vec::new())).collect();
    for commit in commits {
        let mut found = Vec::new();
        found.extend(index.get(&commit.id.object_name()));
        found.extend(index.get(&commit.root_dirmeta.object_name()));
        found.extend(contains(objects, &commit.root_dirtree, &index, &mut memo));
        found.sort_unstable();
        found.dedup();
        for i in found {
            out[i].1.push(commit.id);
        }
    }
    out
}

/// Which of the objects are in the tree, by number, sorted.
fn contains<R: ReadObjects + ?Sized>(
    objects: &R,
    tree: &DirtreeId,
    index: &HashMap<ObjectName, usize>,
    memo: &mut HashMap<Checksum, Vec<usize>>,
) -> Vec<usize> {
    if let Some(known) = memo.get(&tree.0) {
        return known.clone();
    }
    // A damaged listing may name itself.
    memo.insert(tree.0, Vec::new());
    let mut found: Vec<usize> = index
        .get(&tree.object_name())
        .copied()
        .into_iter()
        .collect();
    if let Ok(listing) = objects.load_dirtree(tree) {
        for (_, id) in &listing.files {
            found.extend(index.get(&id.object_name()));
        }
        for (_, tree, meta) in &listing.dirs {
            found.extend(index.get(&meta.object_name()));
            found.extend(contains(objects, tree, index, memo));
        }
    }
    found.sort_unstable();
    found.dedup();
    memo.insert(tree.0, found.clone());
    found
}
