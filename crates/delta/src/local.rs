//! Deltas of another repository on the same machine.

use crate::apply::apply_parts;
use crate::choose::{Choice, choose, is_whole};
use crate::error::{Context, Error, Result};
use crate::files::DeltaFiles;
use crate::format::superblock::Superblock;
use crate::format::{index, signed};
use osier_gv::Dict;
use osier_object::summary::key;
use osier_object::{Checksum, CommitId, Summary, hash};
use osier_store::parallel::Cancel;
use osier_store::static_deltas::{DeltaName, index_path};
use osier_store::{RefKey, Repo, RepoMode, TransactionOptions};
use rustix::fs::{Mode, OFlags};
use std::io::Read;
use std::os::fd::AsFd;

/// Largest index that is read; the largest summary is no larger.
const MAX_INDEX: u64 = crate::format::superblock::MAX_SIZE;

/// Says why a superblock with these signatures is not accepted.
pub type Accept<'a> = dyn Fn(&[u8], Option<&Dict>) -> std::result::Result<(), String> + 'a;

/// What was taken.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct LocalDeltas {
    /// Deltas, each to one commit.
    pub deltas: u64,
    /// Parts.
    pub parts: u64,
    /// Indexes and superblocks.
    pub files: u64,
    /// Bytes of all of these.
    pub bytes: u64,
}

/// Fails where deltas cannot be had: this repository has no use for them, or `source` says of none.
///
/// # Errors
/// In the words of the C tool.
pub fn require_deltas(repo: &Repo, source: &Repo) -> Result<()> {
    offer(repo, source).map(drop)
}

fn offer<'a>(repo: &Repo, source: &'a Repo) -> Result<Offer<'a>> {
    if repo.mode() == RepoMode::Archive {
        return Err(Error::refused("Can't use static deltas in an archive repo"));
    }
    let offer = Offer::read(source)?;
    if offer.indexed || !offer.in_summary.is_empty() {
        return Ok(offer);
    }
    Err(Error::refused(
        "Fetch configured to require static deltas, but no summary deltas or delta index found",
    ))
}

/// Takes what deltas of `source` hold of the commits, each with the ref it is wanted for. Only objects of parts are taken:
/// an ordinary pull then takes the commits, what deltas leave out, and sets refs. `accept` judges each superblock and the
/// signatures around it before anything in it is looked at.
///
/// # Errors
/// When there is no delta for a commit that is not here, or one is damaged or not accepted. What earlier ones held stays.
pub fn take_deltas(
    repo: &Repo,
    source: &Repo,
    targets: &[(Option<String>, CommitId)],
    remote: Option<&str>,
    accept: &Accept<'_>,
    cancel: &Cancel,
) -> Result<LocalDeltas> {
    let offer = offer(repo, source)?;
    let mut out = LocalDeltas::default();
    for (name, to) in targets {
        cancel.check()?;
        let offered = offer.to(to, &mut out)?;
        let local = match name {
            None => None,
            Some(name) => repo.read_ref(&match remote {
                Some(remote) => RefKey::Remote(remote.to_owned(), name.clone()),
                None => RefKey::Local(name.clone()),
            })?,
        };
        // One from nothing is of no use beside what is here, but here it is the only one allowed.
        let from_nothing = match local {
            None => true,
            Some(from) => !is_whole(repo, &from)?,
        };
        match choose(repo, to, &offered, from_nothing)? {
            Choice::Nothing => {}
            Choice::Delta(delta, digest) => {
                take(repo, source, &delta, &digest, accept, &mut out, cancel)
                    .at(|| format!("static delta {delta}"))?;
            }
            Choice::None => {
                let name = name.as_deref().unwrap_or_default();
                return Err(Error::refused(format!(
                    "Static deltas required, but none found for {name} to {to}"
                )));
            }
        }
    }
    Ok(out)
}

/// The deltas a repository says it has.
struct Offer<'a> {
    source: &'a Repo,
    indexed: bool,
    in_summary: Vec<(DeltaName, Checksum)>,
}

impl<'a> Offer<'a> {
    fn read(source: &'a Repo) -> Result<Offer<'a>> {
        let metadata = match osier_store::summary::read_summary(source)? {
            None => Dict::new(),
            Some(bytes) => {
                Summary::decode(&bytes)
                    .map_err(|e| Error::malformed(format!("reading the summary: {e}")))?
                    .metadata
            }
        };
        let config = source.config().indexed_deltas()?;
        Ok(Offer {
            source,
            indexed: config || metadata.get_bool(key::INDEXED_DELTAS) == Some(true),
            in_summary: index::decode(&metadata.encode())?,
        })
    }

    fn to(&self, to: &CommitId, out: &mut LocalDeltas) -> Result<Vec<(DeltaName, Checksum)>> {
        let mut offered = self.in_summary.clone();
        if self.indexed
            && let Some(bytes) = read_index(self.source, to)?
        {
            out.files += 1;
            out.bytes += bytes.len() as u64;
            offered.extend(index::decode(&bytes)?);
        }
        Ok(offered)
    }
}

fn read_index(source: &Repo, to: &CommitId) -> Result<Option<Vec<u8>>> {
    let path = index_path(to);
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let fd = match rustix::fs::openat(source.dir(), &path, flags, Mode::empty()) {
        Ok(fd) => fd,
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        Err(e) => return Err(e).at(|| format!("openat({path})")),
    };
    let mut bytes = Vec::new();
    std::fs::File::from(fd)
        .take(MAX_INDEX)
        .read_to_end(&mut bytes)
        .at(|| format!("reading {path}"))?;
    Ok(Some(bytes))
}

fn take(
    repo: &Repo,
    source: &Repo,
    name: &DeltaName,
    digest: &Checksum,
    accept: &Accept<'_>,
    out: &mut LocalDeltas,
    cancel: &Cancel,
) -> Result<()> {
    let files = DeltaFiles::open_at(source.dir().as_fd(), &name.path())?;
    let bytes = files.superblock()?;
    if hash(&bytes) != *digest {
        return Err(Error::refused(format!(
            "Invalid checksum for static delta {name}"
        )));
    }
    out.files += 1;
    out.bytes += bytes.len() as u64;
    let (plain, signatures) = signed::unwrap(bytes)?;
    if let Err(problem) = accept(&plain, signatures.as_ref()) {
        return Err(Error::refused(format!(
            "Can't verify static delta {name}: {problem}"
        )));
    }
    let superblock = Superblock::decode(plain)?;
    if superblock.name != *name {
        return Err(Error::malformed(format!(
            "the superblock is that of {}",
            superblock.name
        )));
    }
    let tx = repo.begin(&TransactionOptions::default())?;
    let applied = apply_parts(&tx, &files, &superblock, cancel)?;
    tx.commit()?;
    out.deltas += 1;
    out.parts += applied.parts;
    out.bytes += applied.bytes;
    Ok(())
}
