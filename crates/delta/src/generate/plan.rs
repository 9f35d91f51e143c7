//! Which objects a delta holds, and from what each may be made.

use super::similar::{self, Candidate, Names};
use super::sketch::{self, Sketches};
use super::tree::Tree;
use super::{GenerateOptions, Phase, Progress, encode, ordered};
use crate::error::Result;
use crate::format::superblock::Fallback;
use osier_object::{CommitId, ContentId, FileHeader, ObjectName, ObjectType};
use osier_store::parallel::{self, Cancel};
use osier_store::{ReadObjects, Repo};
use rayon::prelude::*;
use std::collections::HashSet;

/// Bit of a mode: everybody may read. Clients may have to read a source without privileges.
const OTHERS_READ: u32 = 0o004;
/// Files of these sizes are looked for by content.
const SKETCHED: std::ops::RangeInclusive<u64> = 2048..=64 << 20;
/// How many sources of each kind are tried with much effort.
const TRIED: usize = 3;

/// A regular file or symbolic link.
#[derive(Clone, Debug)]
pub(super) struct File {
    pub(super) id: ContentId,
    pub(super) header: FileHeader,
    pub(super) size: u64,
}

/// A file of the old tree.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    pub(super) id: ContentId,
    pub(super) size: u64,
}

/// A file that may be made from others.
#[derive(Clone, Debug)]
pub(super) struct Derived {
    pub(super) file: File,
    pub(super) sources: Vec<Source>,
}

/// All that is new, in the order it goes into parts.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Listings, then directories' metadata.
    pub(super) metadata: Vec<ObjectName>,
    /// Files with sources.
    pub(super) derived: Vec<Derived>,
    /// Files and then symbolic links, as they are.
    pub(super) plain: Vec<File>,
    /// Files left out.
    pub(super) fallbacks: Vec<Fallback>,
    pub(super) new_files: usize,
    pub(super) new_links: usize,
}

impl Plan {
    /// Bytes of the files that go into parts.
    pub(super) fn bytes(&self) -> u64 {
        let derived = self.derived.iter().map(|d| &d.file);
        derived.chain(&self.plain).map(|file| file.size).sum()
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
    let mut ids: Vec<ContentId> = new
        .files
        .keys()
        .filter(|id| !old.files.contains_key(id))
        .copied()
        .collect();
    // Alike next to alike.
    ids.sort_by_cached_key(|id| {
        let path = first_path(new, id);
        (similar::kind(path), path, *id)
    });
    let (links, files): (Vec<File>, Vec<File>) = open_all(repo, &ids, cancel)?
        .into_iter()
        .partition(|file| file.header.is_symlink());
    (plan.new_files, plan.new_links) = (files.len(), links.len());
    let sources = match from {
        Some(_) => sources(repo, &files, new, &old, options, progress, cancel)?,
        None => vec![Vec::new(); files.len()],
    };
    for (file, sources) in files.into_iter().zip(sources) {
        if !sources.is_empty() {
            plan.derived.push(Derived { file, sources });
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
    plan.fallbacks.sort_unstable_by_key(|f| f.name.checksum);
    plan.plain.extend(links);
    Ok(plan)
}

fn first_path<'t>(tree: &'t Tree, id: &ContentId) -> &'t str {
    let paths = tree.files.get(id).into_iter().flatten();
    paths.map(|path| &**path).next().unwrap_or_default()
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

/// For each file what to try to make it from, the likeliest first.
fn sources(
    repo: &Repo,
    files: &[File],
    new: &Tree,
    old: &Tree,
    options: &GenerateOptions,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Vec<Vec<Source>>> {
    let ids: Vec<ContentId> = old.files.keys().copied().collect();
    let opened: Vec<File> = open_all(repo, &ids, cancel)?
        .into_iter()
        .filter(|file| !file.header.is_symlink() && file.header.mode & OTHERS_READ != 0)
        .collect();
    let wanted = candidates(new, files);
    let there = candidates(old, &opened);
    let names = Names::new(&there);
    let most = if options.max_effort { TRIED } else { 1 };
    let mut found: Vec<Vec<usize>> = parallel::run(|| {
        wanted
            .par_iter()
            .map(|file| match file.size {
                0 => Vec::new(),
                _ => names.find(file, most),
            })
            .collect()
    });

    // What has no likely name is looked for by content, among what is gone and no other file's source.
    let used: HashSet<usize> = found.iter().flatten().copied().collect();
    let is_gone = |i: &usize| !used.contains(i) && !new.files.contains_key(&opened[*i].id);
    let lost: Vec<usize> = (0..files.len())
        .filter(|i| SKETCHED.contains(&files[*i].size))
        .filter(|i| options.max_effort || found[*i].is_empty())
        .collect();
    let gone: Vec<usize> = (0..opened.len())
        .filter(|i| SKETCHED.contains(&opened[*i].size))
        .filter(|i| options.max_effort || is_gone(i))
        .collect();
    if lost.is_empty() || gone.is_empty() {
        return Ok(as_sources(&found, &opened));
    }
    let pick = |all: &[File], some: &[usize]| some.iter().map(|i| all[*i].clone()).collect();
    let (lost_files, gone_files): (Vec<File>, Vec<File>) =
        (pick(files, &lost), pick(&opened, &gone));
    let sketch = |files: &[File]| sketches(repo, files, options, progress, cancel);
    let (lost_sketches, gone_sketches) = (sketch(&lost_files)?, sketch(&gone_files)?);
    let index = Sketches::new(gone_sketches.iter().map(Vec::as_slice));
    for (i, sketch) in lost.iter().zip(&lost_sketches) {
        for hit in index.find(sketch, most) {
            if !found[*i].contains(&gone[hit]) {
                found[*i].push(gone[hit]);
            }
        }
    }
    Ok(as_sources(&found, &opened))
}

fn candidates<'t>(tree: &'t Tree, files: &[File]) -> Vec<Candidate<'t>> {
    let of = |file: &File| Candidate {
        id: file.id,
        size: file.size,
        paths: tree
            .files
            .get(&file.id)
            .into_iter()
            .flatten()
            .map(|path| &**path)
            .collect(),
    };
    files.iter().map(of).collect()
}

fn as_sources(found: &[Vec<usize>], opened: &[File]) -> Vec<Vec<Source>> {
    let source = |i: &usize| Source {
        id: opened[*i].id,
        size: opened[*i].size,
    };
    found
        .iter()
        .map(|list| list.iter().map(source).collect())
        .collect()
}

fn sketches(
    repo: &Repo,
    files: &[File],
    options: &GenerateOptions,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Vec<Vec<u64>>> {
    progress.more(Phase::Comparing, files.iter().map(|file| file.size).sum());
    let mut out = Vec::with_capacity(files.len());
    let bounds = ordered::Bounds {
        threads: options.threads(),
        limit: options.memory() / 2,
        cost: |file: &File| file.size,
        kept: |_: &Vec<u64>| 0,
    };
    let work = |file: &File| {
        cancel.check()?;
        let bytes = encode::read(repo, &file.id)?;
        progress.done(Phase::Comparing, file.size);
        Ok(sketch::of(&bytes))
    };
    ordered::run(files, &bounds, work, |_, sketch| {
        out.push(sketch);
        Ok(())
    })?;
    Ok(out)
}
