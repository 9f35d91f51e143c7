//! Which objects a delta holds, and in which way each.

use super::rollsum::{self, Match};
use super::similar::{self, Candidate};
use super::tree::Tree;
use super::{GenerateOptions, Phase, Progress, batch};
use crate::error::{Context, Result};
use crate::format::superblock::Fallback;
use osier_object::{CommitId, ContentId, FileHeader, ObjectName, ObjectType};
use osier_store::parallel::{self, Cancel};
use osier_store::{ReadObjects, Repo};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Two files up to this many bytes together are compared as wholes in memory.
const COMPARED_MAX: u64 = 1 << 30;
/// A suffix array of more bytes would need wider numbers.
const PATCHED_MAX: u64 = i32::MAX as u64 - 1;
/// What the comparisons that run at once may take together.
const COMPARED_AT_ONCE: u64 = 256 << 20;
/// Bit of a mode: everybody may read. Clients may have to read a source without privileges.
const OTHERS_READ: u32 = 0o004;

/// A regular file or symbolic link.
#[derive(Clone, Debug)]
pub(super) struct File {
    pub(super) id: ContentId,
    pub(super) header: FileHeader,
    pub(super) size: u64,
}

/// A file that is made from another one.
#[derive(Clone, Debug)]
pub(super) struct Derived {
    pub(super) file: File,
    pub(super) source: ContentId,
    pub(super) source_size: u64,
}

/// All that is new, in the order it goes into parts, each list by checksum.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Listings, then directories' metadata.
    pub(super) metadata: Vec<ObjectName>,
    /// Files made of pieces of another.
    pub(super) copied: Vec<(Derived, Vec<Match>)>,
    /// Files made by patching another.
    pub(super) patched: Vec<Derived>,
    /// Files and then symbolic links, as they are.
    pub(super) plain: Vec<File>,
    /// Files left out.
    pub(super) fallbacks: Vec<Fallback>,
    /// Files for which a source was found.
    pub(super) modified: usize,
    pub(super) new_files: usize,
    pub(super) new_links: usize,
}

impl Plan {
    /// Bytes of the files that go into parts.
    pub(super) fn bytes(&self) -> u64 {
        let copied = self.copied.iter().map(|(d, _)| &d.file);
        let patched = self.patched.iter().map(|d| &d.file);
        let files = copied.chain(patched).chain(&self.plain);
        files.map(|file| file.size).sum()
    }
}

pub(super) fn plan(
    repo: &Repo,
    from: Option<&CommitId>,
    new: &Tree,
    options: &GenerateOptions,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Plan> {
    let old = match from {
        Some(from) => Tree::read(repo, from, progress, cancel)?,
        None => Tree::default(),
    };
    let mut plan = Plan {
        metadata: new.metadata.difference(&old.metadata).copied().collect(),
        ..Default::default()
    };
    plan.metadata
        .sort_unstable_by_key(|name| (name.ty, name.checksum));
    let ids: Vec<ContentId> = new
        .files
        .keys()
        .filter(|id| !old.files.contains_key(id))
        .copied()
        .collect();
    let (links, files): (Vec<File>, Vec<File>) = open_all(repo, &ids, cancel)?
        .into_iter()
        .partition(|file| file.header.is_symlink());
    (plan.new_files, plan.new_links) = (files.len(), links.len());

    let derived = derive(repo, &files, new, &old, &mut plan, cancel)?;
    let derived_ids = split(repo, derived, options, &mut plan, progress, cancel)?;
    for file in files {
        if derived_ids.contains(&file.id) {
            continue;
        }
        let whole = file
            .size
            .saturating_add(file.header.hash_framing().len() as u64);
        if options.min_fallback_size > 0 && whole > options.min_fallback_size {
            let name = ObjectName::new(file.id, ObjectType::File);
            plan.fallbacks.push(Fallback {
                name,
                stored: repo.stored_size(&name)?,
                unpacked: file.size,
            });
        } else {
            plan.plain.push(file);
        }
    }
    plan.plain.extend(links);
    Ok(plan)
}

fn open_all(repo: &Repo, ids: &[ContentId], cancel: &Cancel) -> Result<Vec<File>> {
    parallel::run(|| {
        ids.par_iter()
            .map(|id| {
                cancel.check()?;
                let content = repo.open_content(id)?;
                Ok(File {
                    id: *id,
                    header: content.header,
                    size: content.size,
                })
            })
            .collect()
    })
}

/// The files that have a source.
fn derive(
    repo: &Repo,
    files: &[File],
    new: &Tree,
    old: &Tree,
    plan: &mut Plan,
    cancel: &Cancel,
) -> Result<Vec<Derived>> {
    let names_of = |tree: &Tree, id: &ContentId| -> Vec<Box<str>> {
        tree.files.get(id).into_iter().flatten().cloned().collect()
    };
    let candidate = |tree: &Tree, file: &File| Candidate {
        id: file.id,
        size: file.size,
        names: names_of(tree, &file.id),
    };
    let wanted: Vec<Candidate> = files.iter().map(|file| candidate(new, file)).collect();
    // Only old files that share a name are opened to learn their size.
    let mut names: BTreeSet<&str> = BTreeSet::new();
    for name in wanted.iter().flat_map(|file| &file.names) {
        names.insert(name);
        names.extend(similar::stem(name));
    }
    let ids: Vec<ContentId> = old
        .files
        .iter()
        .filter(|(_, held)| {
            held.iter().any(|name| {
                names.contains(&**name) || similar::stem(name).is_some_and(|s| names.contains(s))
            })
        })
        .map(|(id, _)| *id)
        .collect();
    let opened = open_all(repo, &ids, cancel)?;
    let there: Vec<Candidate> = opened
        .iter()
        .filter(|file| !file.header.is_symlink())
        .map(|file| candidate(old, file))
        .collect();
    let by_id: BTreeMap<ContentId, &File> = opened.iter().map(|file| (file.id, file)).collect();
    let mut out = Vec::new();
    for (file, source) in files.iter().zip(similar::sources(&wanted, &there)) {
        let Some(source) = source.and_then(|id| by_id.get(&id)) else {
            continue;
        };
        plan.modified += 1;
        if source.header.mode & OTHERS_READ != 0 {
            out.push(Derived {
                file: file.clone(),
                source: source.id,
                source_size: source.size,
            });
        }
    }
    Ok(out)
}

/// Sorts derived files into copied and patched ones; gives the ids of both. The others are as if they had no source.
fn split(
    repo: &Repo,
    derived: Vec<Derived>,
    options: &GenerateOptions,
    plan: &mut Plan,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<HashSet<ContentId>> {
    let mut ids = HashSet::new();
    let both = |d: &Derived| d.file.size.saturating_add(d.source_size);
    progress.more(Phase::Comparing, derived.iter().map(both).sum());
    for batch in batch::by_cost(&derived, COMPARED_AT_ONCE, both) {
        let compared: Vec<Option<Vec<Match>>> = parallel::run(|| {
            batch
                .par_iter()
                .map(|d| {
                    cancel.check()?;
                    if both(d) > COMPARED_MAX {
                        progress.done(Phase::Comparing, both(d));
                        return Ok(None);
                    }
                    let old = read(repo, &d.source)?;
                    let new = read(repo, &d.file.id)?;
                    let matches = rollsum::matches(&old, &new);
                    progress.done(Phase::Comparing, both(d));
                    Ok(matches)
                })
                .collect::<Result<_>>()
        })?;
        for (d, matches) in batch.iter().zip(compared) {
            match matches {
                Some(matches) => plan.copied.push((d.clone(), matches)),
                None if options.bsdiff && both(d) <= options.max_bsdiff_size.min(PATCHED_MAX) => {
                    plan.patched.push(d.clone());
                }
                None => continue,
            }
            ids.insert(d.file.id);
        }
    }
    Ok(ids)
}

/// A file's whole content.
pub(super) fn read(repo: &Repo, id: &ContentId) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    repo.open_content(id)?
        .read_whole(&mut bytes)
        .at(|| format!("reading object {id}.file"))?;
    Ok(bytes)
}
