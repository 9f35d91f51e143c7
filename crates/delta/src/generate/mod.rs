//! Making deltas.
//!
//! A `plan` says which objects are new and from which old files each may be made; `encode` chooses how a file is told best;
//! `fill` puts that into parts, which `pack` compresses meanwhile. The same commits and options give the same bytes,
//! whatever the machine and however many threads.
//!
//! Memory: files that are compared are in memory, as many as the bound allows; a part that is filled lies on disk once it is
//! large; packing takes a multiple of its dictionary. Names and headers of files are kept; contents are not.

mod build;
mod copies;
mod encode;
mod fill;
mod ordered;
mod output;
mod pack;
mod plan;
mod progress;
mod similar;
mod sketch;
mod tree;
mod windows;

use crate::error::{Context, Error, Result};
use crate::format::compression::{DICTIONARY, Packing};
use crate::format::superblock::{
    ENDIANNESS, Endianness, NewSuperblock, PartHeader, commitmeta_key,
};
use crate::signatures;
use build::Builder;
use fill::{Fill, Made};
use osier_gv::{Dict, Value};
use osier_object::{CommitId, ObjectType};
use osier_sign::api::SecretKey;
use osier_store::parallel::{self, Cancel};
use osier_store::static_deltas::DeltaName;
use osier_store::{ReadObjects, Repo};
use output::Output;
use pack::Place;
pub use progress::{Phase, Progress};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use tree::Tree;

/// What is held in memory at once, unless told otherwise.
const MEMORY: u64 = 1 << 30;
/// Parts up to this size are packed as the C tool does: there is no time to be gained.
const SMALL: u64 = 2 << 20;

/// How to make a delta. Sizes are in bytes.
#[derive(Clone, Debug)]
pub struct GenerateOptions {
    /// Put the parts into the superblock.
    pub inline: bool,
    /// Patch files.
    pub bsdiff: bool,
    /// Patch only where old and new file together are not larger.
    pub max_bsdiff_size: u64,
    /// Leave out files larger than this, to be fetched by themselves; 0 for none.
    pub min_fallback_size: u64,
    /// End a part before it would grow beyond this.
    pub max_chunk_size: u64,
    /// Order of numbers in the superblock.
    pub endianness: Endianness,
    /// Write the superblock as this file, and parts beside it, instead of into the repository.
    pub filename: Option<PathBuf>,
    /// UTC seconds to put into the superblock.
    pub timestamp: u64,
    /// Sign the superblock with these; none leaves it plain.
    pub signing_keys: Arc<[SecretKey]>,
    /// How many threads work; none for one a core. The result does not depend on it.
    pub threads: Option<NonZero<usize>>,
    /// What may be held in memory at once, about; none for what is usual. A single file may need more.
    pub max_memory: Option<u64>,
    /// Take much longer to find a smaller delta.
    pub max_effort: bool,
}

impl Default for GenerateOptions {
    fn default() -> Self {
        GenerateOptions {
            inline: false,
            bsdiff: true,
            max_bsdiff_size: 128_000_000,
            min_fallback_size: 4_000_000,
            max_chunk_size: 32_000_000,
            endianness: Endianness::HOST,
            filename: None,
            timestamp: 0,
            signing_keys: Arc::default(),
            threads: None,
            max_memory: None,
            max_effort: false,
        }
    }
}

impl GenerateOptions {
    fn threads(&self) -> usize {
        let all = || std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.map_or_else(all, usize::from)
    }

    fn memory(&self) -> u64 {
        self.max_memory.unwrap_or(MEMORY)
    }

    /// How a part of some kind of content is packed.
    fn packing(&self, kind: Kind, size: u64) -> Packing {
        // A dictionary that packing has the memory for.
        let mut dictionary = DICTIONARY;
        while dictionary > 1 << 20 && Packing::Within(dictionary).memory(u64::MAX) > self.memory() {
            dictionary /= 2;
        }
        match kind {
            _ if self.max_effort => Packing::Smallest(dictionary),
            Kind::Packed if size > SMALL => Packing::Packed,
            Kind::Derived if size > SMALL => Packing::Patches,
            _ if dictionary == DICTIONARY => Packing::Thorough,
            _ => Packing::Within(dictionary),
        }
    }
}

/// What a part holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    /// Metadata, and files made from others.
    Derived,
    Plain,
    /// What has been compressed by somebody else.
    Packed,
}

/// What a delta turned out to be.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Files for which an old one was found to start from.
    pub modified: usize,
    /// New metadata objects, the commit among them.
    pub metadata: usize,
    /// New regular files.
    pub files: usize,
    /// New symbolic links.
    pub links: usize,
    /// Files made of pieces of old ones, found by cutting both.
    pub copied: usize,
    /// Bytes of those pieces.
    pub copied_bytes: u64,
    /// Files made by patches, or of the pieces that a patch would leave as they are.
    pub patched: usize,
    /// Files left out, with their sizes.
    pub fallbacks: Vec<(osier_object::Checksum, u64)>,
    /// The parts.
    pub parts: Vec<PartHeader>,
}

/// Makes the delta of that name.
///
/// # Errors
/// When a commit or an object of it is not there, or writing fails. Nothing that reads deltas sees anything then.
pub fn generate(
    repo: &Repo,
    name: &DeltaName,
    options: &GenerateOptions,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Outcome> {
    Generator::new(repo, options, progress, cancel)?.generate(name)
}

/// Makes deltas one after another. Those to the same commit share what is read of it.
pub struct Generator<'a> {
    repo: &'a Repo,
    options: &'a GenerateOptions,
    progress: &'a dyn Progress,
    cancel: &'a Cancel,
    threads: Option<rayon::ThreadPool>,
    /// The tree of the commit that the last delta led to.
    new: Option<(CommitId, Tree)>,
}

impl<'a> Generator<'a> {
    /// # Errors
    /// When the threads that are asked for are not to be had.
    pub fn new(
        repo: &'a Repo,
        options: &'a GenerateOptions,
        progress: &'a dyn Progress,
        cancel: &'a Cancel,
    ) -> Result<Generator<'a>> {
        let threads = options.threads.map(|n| parallel::threads(n.get()));
        let threads = threads.transpose().at(|| "starting threads".into())?;
        Ok(Generator {
            repo,
            options,
            progress,
            cancel,
            threads,
            new: None,
        })
    }

    /// Makes the delta of that name, as [`generate`] does.
    ///
    /// # Errors
    /// As [`generate`]; others can be made afterwards.
    pub fn generate(&mut self, name: &DeltaName) -> Result<Outcome> {
        let new = match self.new.take() {
            Some((commit, tree)) if commit == name.to => tree,
            _ => Tree::read(self.repo, &name.to, self.progress, self.cancel)?,
        };
        let make = || {
            make(
                self.repo,
                name,
                &new,
                self.options,
                self.progress,
                self.cancel,
            )
        };
        let made = match &self.threads {
            Some(threads) => threads.install(make),
            None => make(),
        };
        self.new = Some((name.to, new));
        made
    }
}

fn make(
    repo: &Repo,
    name: &DeltaName,
    new: &Tree,
    options: &GenerateOptions,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Outcome> {
    let commit = repo.read_metadata(ObjectType::Commit, &name.to.0)?;
    let commitmeta = repo.read_metadata_opt(ObjectType::Commitmeta, &name.to.0)?;
    let plan = plan::plan(repo, name.from.as_ref(), new, options, progress, cancel)?;
    progress.more(Phase::Packing, plan.bytes());

    let sync = repo.config().fsync;
    let output = match &options.filename {
        Some(path) => Output::as_file(path, sync)?,
        None => {
            repo.require_writable()?;
            Output::in_repo(repo)?
        }
    };
    let scratch = scratch(repo, options);
    let mut filled = Made::default();
    let packed = pack::run(
        &output,
        options.inline,
        options.threads(),
        options.memory() - encode_memory(options),
        |packer| {
            let builder = Builder::new(options.max_chunk_size, &scratch);
            filled = Fill::new(repo, options, progress, cancel, builder, packer).run(&plan)?;
            Ok(())
        },
    )?;
    let mut fallbacks = plan.fallbacks;
    fallbacks.append(&mut filled.fallbacks);
    fallbacks.sort_unstable_by_key(|f| f.name.checksum);

    let mut metadata = Dict::new();
    metadata.push(ENDIANNESS, Value::Byte(options.endianness.letter()));
    let (mut parts, mut files) = (Vec::new(), Vec::new());
    for (i, part) in packed.into_iter().enumerate() {
        parts.push(part.header);
        match part.place {
            Place::File(new) => files.push((i, new)),
            Place::Inline(bytes) => {
                let key = format!("{}/{i}", name.path());
                metadata.push(key, inline_value(bytes)?);
            }
        }
    }
    if let Some(bytes) = commitmeta {
        let meta = if bytes.is_empty() {
            Ok(Dict::new())
        } else {
            Dict::decode(&bytes)
        };
        let meta = meta.map_err(|e| {
            Error::malformed(format!("detached metadata of commit {}: {e}", name.to))
        })?;
        metadata.push(commitmeta_key(name), meta.to_value());
    }
    let superblock = NewSuperblock {
        metadata: &metadata,
        timestamp: options.timestamp,
        name: *name,
        commit: &commit,
        endianness: options.endianness,
        parts: &parts,
        fallbacks: &fallbacks,
    };
    let mut superblock = superblock.encode();
    if !options.signing_keys.is_empty() {
        superblock = signatures::sign(&options.signing_keys, superblock)?;
    }
    output.publish(repo, name, files, &superblock)?;
    Ok(Outcome {
        modified: plan.derived.len(),
        // The commit itself is new, too, but travels in the superblock.
        metadata: plan.metadata.len() + usize::from(name.from != Some(name.to)),
        files: plan.new_files,
        links: plan.new_links,
        copied: filled.copied,
        copied_bytes: filled.copied_bytes,
        patched: filled.patched,
        fallbacks: fallbacks
            .iter()
            .map(|f| (f.name.checksum, f.unpacked))
            .collect(),
        parts,
    })
}

/// Where parts lie while they are filled: a repository that is only read may have no room for them.
fn scratch(repo: &Repo, options: &GenerateOptions) -> PathBuf {
    match &options.filename {
        Some(path) => match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        },
        None => repo.path().join("tmp"),
    }
}

/// A part file as `(yay)`.
fn inline_value(mut bytes: Vec<u8>) -> Result<Value> {
    match bytes.is_empty() {
        true => Err(Error::malformed("a delta part is empty")),
        false => {
            let kind = bytes.remove(0);
            Ok(Value::Tuple(vec![Value::Byte(kind), Value::Bytes(bytes)]))
        }
    }
}

/// What encoding may take; the rest is for packing.
fn encode_memory(options: &GenerateOptions) -> u64 {
    options.memory() / 8
}
