//! Filling parts, kind after kind.

use super::build::Builder;
use super::copies::Match;
use super::encode::{self, Encoded};
use super::pack::Packer;
use super::plan::{Derived, File, Plan};
use super::{GenerateOptions, Kind, Phase, Progress, ordered};
use crate::error::{Context, Result};
use crate::format::superblock::Fallback;
use osier_object::{ContentId, ObjectName, ObjectType};
use osier_store::parallel::Cancel;
use osier_store::{ReadObjects, Repo};
use std::io::{self, Read};

/// Kinds of content share a part unless there is so much of one.
const PART_OF_ITS_OWN: u64 = 1 << 20;
/// Of a file so much is looked at to see whether it is compressed already.
const LOOKED_AT: u64 = 256 * 1024;
/// Compressing smaller ones costs little time, and several may be alike.
const SMALLEST_PACKED: u64 = 1 << 20;

/// How files were told.
#[derive(Debug, Default)]
pub(super) struct Made {
    pub(super) copied: usize,
    pub(super) copied_bytes: u64,
    pub(super) patched: usize,
    /// Files that turned out to be better fetched by themselves.
    pub(super) fallbacks: Vec<Fallback>,
}

/// The parts being filled.
pub(super) struct Fill<'a> {
    repo: &'a Repo,
    options: &'a GenerateOptions,
    progress: &'a dyn Progress,
    cancel: &'a Cancel,
    builder: Builder,
    kind: Kind,
    packer: &'a mut Packer,
}

impl<'a> Fill<'a> {
    pub(super) fn new(
        repo: &'a Repo,
        options: &'a GenerateOptions,
        progress: &'a dyn Progress,
        cancel: &'a Cancel,
        builder: Builder,
        packer: &'a mut Packer,
    ) -> Fill<'a> {
        Fill {
            repo,
            options,
            progress,
            cancel,
            builder,
            kind: Kind::Derived,
            packer,
        }
    }

    /// Fills them with all that is planned.
    pub(super) fn run(mut self, plan: &Plan) -> Result<Made> {
        for name in &plan.metadata {
            let bytes = self.repo.read_metadata(name.ty, &name.checksum)?;
            self.make_room(bytes.len() as u64)?;
            self.builder.add_metadata(*name, &bytes)?;
        }
        let mut made = Made::default();
        let unlike = self.derived(&plan.derived, &mut made)?;
        let (packed, plain): (Vec<(&File, bool)>, Vec<_>) = unlike
            .into_iter()
            .chain(&plan.plain)
            .map(|file| Ok((file, self.is_packed(file)?)))
            .collect::<Result<Vec<_>>>()?
            .into_iter()
            .partition(|(_, packed)| *packed);
        for (kind, files) in [(Kind::Plain, plain), (Kind::Packed, packed)] {
            let size: u64 = files.iter().map(|(file, _)| file.size).sum();
            if size > PART_OF_ITS_OWN && self.builder.size() > PART_OF_ITS_OWN {
                self.end_part()?;
            }
            // What little there is of another kind does not count.
            if size > self.builder.size() {
                self.kind = kind;
            }
            for (file, _) in files {
                self.plain(file)?;
            }
        }
        // There is always a part, even of nothing.
        self.end_part()?;
        Ok(made)
    }

    fn end_part(&mut self) -> Result<()> {
        let packing = self.options.packing(self.kind, self.builder.size());
        self.packer.pack(self.builder.finish(packing)?)
    }

    /// Ends the part if the next object, with so many plain bytes, does not belong into it.
    fn make_room(&mut self, next: u64) -> Result<()> {
        self.cancel.check()?;
        if self.builder.is_full(next) {
            self.end_part()?;
        }
        Ok(())
    }

    /// Files that are made from others; gives those that no source helps.
    fn derived<'p>(&mut self, all: &'p [Derived], made: &mut Made) -> Result<Vec<&'p File>> {
        let (repo, options, progress, cancel) =
            (self.repo, self.options, self.progress, self.cancel);
        progress.more(Phase::Patching, all.iter().map(|d| d.file.size).sum());
        let bounds = ordered::Bounds {
            threads: options.threads(),
            limit: super::encode_memory(options),
            cost: |d: &Derived| encode::memory(d, options),
            kept: Encoded::size,
        };
        let work = |d: &Derived| {
            let encoded = encode::encode(repo, d, options, cancel)?;
            progress.done(Phase::Patching, d.file.size);
            Ok(encoded)
        };
        // `take` is told no lifetime of its items: places in the list stand for them.
        let (mut unlike, mut at) = (Vec::new(), 0);
        ordered::run(all, &bounds, work, |derived, encoded| {
            let file = &derived.file;
            match encoded {
                Encoded::Plain if is_left_out(derived, options) => {
                    let name = ObjectName::new(file.id, ObjectType::File);
                    made.fallbacks.push(Fallback {
                        name,
                        stored: repo.stored_size(&name)?,
                        unpacked: file.size,
                    });
                    progress.done(Phase::Packing, file.size);
                }
                Encoded::Plain => unlike.push(at),
                Encoded::Copied(source, matches) => {
                    self.pieces(file, &source, &matches)?;
                    made.copied += 1;
                    made.copied_bytes += matches.iter().map(|m| m.size).sum::<u64>();
                }
                Encoded::Kept(source, matches) => {
                    self.pieces(file, &source, &matches)?;
                    made.patched += 1;
                }
                Encoded::Patched(source, patch) => {
                    self.make_room(0)?;
                    self.builder.add_patched(file, &source, &patch)?;
                    made.patched += 1;
                    progress.done(Phase::Packing, file.size);
                }
            }
            at += 1;
            Ok(())
        })?;
        Ok(unlike.into_iter().map(|i| &all[i].file).collect())
    }

    /// A file of which pieces are copied.
    fn pieces(&mut self, file: &File, source: &ContentId, matches: &[Match]) -> Result<()> {
        self.make_room(0)?;
        let mut content = self.repo.open_content(&file.id)?.into_reader();
        self.builder
            .add_copied(file, source, &mut content, matches)?;
        self.progress.done(Phase::Packing, file.size);
        Ok(())
    }

    fn plain(&mut self, file: &File) -> Result<()> {
        // The C tool cannot apply a part whose only content is an empty file, so those join what is there.
        if file.size > 0 || file.header.is_symlink() {
            self.make_room(file.size)?;
        }
        let content = self.repo.open_content(&file.id)?;
        self.builder.add_plain(file, &mut content.into_reader())?;
        self.progress.done(Phase::Packing, file.size);
        Ok(())
    }

    /// Whether compressing a file is in vain.
    fn is_packed(&self, file: &File) -> Result<bool> {
        if file.header.is_symlink() || file.size < SMALLEST_PACKED {
            return Ok(false);
        }
        self.cancel.check()?;
        let mut sample = Vec::new();
        let mut content = self.repo.open_content(&file.id)?.into_reader();
        // From the middle on: a kernel image, for one, begins with code that unpacks the rest.
        io::copy(&mut content.by_ref().take(file.size / 2), &mut io::sink())
            .and_then(|_| content.take(LOOKED_AT).read_to_end(&mut sample))
            .at(|| format!("reading object {}.file", file.id))?;
        Ok(encode::packed(&sample) > sample.len() / 100 * 97)
    }
}

/// Whether a file that no source helps is left out, to be fetched by itself: as the C tool does with those too large for
/// patches. Others it patches in vain, and the delta holds all there is to know.
fn is_left_out(derived: &Derived, options: &GenerateOptions) -> bool {
    let limit = options.min_fallback_size;
    let too_large = |size: u64| size.saturating_add(derived.file.size) > options.max_bsdiff_size;
    let patched = options.bsdiff && derived.sources.iter().any(|s| !too_large(s.size));
    limit > 0 && derived.file.size > limit && !patched
}
