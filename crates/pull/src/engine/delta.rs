//! Static deltas: which one leads to a commit, its superblock, and its parts.
//!
//! A delta only saves requests. The commit it leads to is checked like any other before it is stored, every object it
//! makes is checked against its name, and in the end the tree is walked: what a delta left out is fetched as objects.

use super::kept::{Keep, Kept};
use super::{Answer, Engine, Finished, Found, Needs, work::Shop};
use crate::Error;
use crate::fetch::{Chunk, FetchError, Head, Resume, Sink, Want};
use crate::resolve::Goal;
use osier_delta::apply::{execute, payload_limit};
use osier_delta::choose::{Choice, choose};
use osier_delta::format::part::Part;
use osier_delta::format::superblock::{self, ByteOrder, PartHeader, Superblock};
use osier_delta::format::{index, signed};
use osier_object::{Checksum, CommitId, hash};
use osier_store::static_deltas::{DeltaName, index_path};
use osier_store::{ReadObjects, Repo};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufReader, Seek, Write};
use std::sync::Arc;

/// What is known of a server's deltas.
#[derive(Clone, Debug, Default)]
pub(crate) struct Offer {
    /// There is an index for each commit that deltas lead to.
    pub indexed: bool,
    /// Those that the summary lists.
    pub listed: Vec<(DeltaName, Checksum)>,
    /// The summary must be signed: what it does not list is nobody's word.
    pub only_listed: bool,
    /// Objects are no way out.
    pub required: bool,
    /// Nothing is written.
    pub dry_run: bool,
}

/// Which delta to take.
pub(super) enum Chosen {
    /// The commit is here.
    Nothing,
    /// Objects.
    None,
    Delta(Arc<Superblock>),
}

/// The body of a part file, or why there is none.
pub(super) enum Body {
    Inline,
    File(File),
    Absent(Error),
}

/// Looks for the delta that leads to a goal.
pub(super) async fn look(engine: &Engine<'_>, offer: &Offer, goal: Goal) -> Result<Answer, Error> {
    let repo = engine.tx.repo();
    let to = goal.commit;
    let mut requests = 0;
    let known = offer.indexed || !offer.listed.is_empty();
    let choice = if known || offer.only_listed {
        let mut offered: Vec<_> = offer
            .listed
            .iter()
            .filter(|(name, _)| name.to == to)
            .copied()
            .collect();
        if offer.indexed && !offer.only_listed {
            requests += 1;
            let path = index_path(&to);
            if let Some(bytes) = engine.fetcher.get(engine.content_base, &path).await? {
                match index::decode(&bytes) {
                    Ok(indexed) => offered.extend(indexed),
                    Err(error) => engine.warn(format!("passing over {path}: {error}")),
                }
            }
        }
        // One from nothing is of no use beside what is here, unless it is the only one allowed.
        let from_nothing = match goal.from {
            None => true,
            Some(from) => offer.required && !is_whole(repo, &from)?,
        };
        match choose(repo, &to, &offered, from_nothing).map_err(delta_error)? {
            Choice::Nothing => Some(None),
            Choice::Delta(name, digest) => Some(Some((name, Some(digest)))),
            Choice::None => None,
        }
    } else if is_whole(repo, &to)? {
        Some(None)
    } else {
        let from = match goal.from {
            Some(from) if from != to && is_whole(repo, &from)? => Some(from),
            _ => None,
        };
        Some(Some((DeltaName { from, to }, None)))
    };
    let chosen = match choice {
        Some(None) => Chosen::Nothing,
        Some(Some((name, digest))) => {
            requests += 1;
            match superblock(engine, &name, digest, offer.required).await? {
                Some(superblock) => Chosen::Delta(Arc::new(superblock)),
                None => Chosen::None,
            }
        }
        None => Chosen::None,
    };
    if offer.required && matches!(chosen, Chosen::None) {
        let name = goal.name.as_ref().map_or("", |name| &name.name);
        return Err(Error::StaticDeltas(format!(
            "Static deltas required, but none found for {name} to {to}"
        )));
    }
    Ok(Answer::Delta {
        goal,
        requests,
        chosen,
    })
}

fn is_whole(repo: &Repo, id: &CommitId) -> Result<bool, Error> {
    Ok(repo.has_object(&id.object_name())? && !repo.commit_state(id)?.partial)
}

/// Fetches a superblock, signed or not. One that nothing lists is absent when it is none: some servers answer everything with a page.
async fn superblock(
    engine: &Engine<'_>,
    name: &DeltaName,
    digest: Option<Checksum>,
    required: bool,
) -> Result<Option<Superblock>, Error> {
    let path = format!("{}/superblock", name.path());
    let want = Want {
        max_size: Some(superblock::MAX_SIZE),
        ..Want::small(engine.content_base, &path)
    };
    let mut bytes = Vec::new();
    match engine.fetcher.fetch(&want, &mut bytes).await {
        Ok(_) => {}
        Err(e) if e.is_not_found() => return Ok(None),
        Err(e) => return Err(e.into()),
    }
    if digest.is_some_and(|digest| digest != hash(&bytes)) {
        return Err(Error::StaticDeltas(format!(
            "Invalid checksum for static delta {name}"
        )));
    }
    let (plain, found) = match signed::unwrap(bytes) {
        Ok(opened) => opened,
        Err(_) if digest.is_none() => return Ok(None),
        Err(cause) => return Err(Error::StaticDeltas(format!("static delta {name}: {cause}"))),
    };
    if let Err(problem) = engine.signatures.check_delta(&plain, found.as_ref()) {
        let text = format!("Can't verify static delta {name}: {problem}");
        if required {
            return Err(Error::StaticDeltas(text));
        }
        // Objects need no such signature.
        engine.warn(format!("{text}; fetching objects instead"));
        return Ok(None);
    }
    match Superblock::decode(plain) {
        Ok(superblock) if superblock.name == *name => Ok(Some(superblock)),
        Ok(_) | Err(_) if digest.is_none() => Ok(None),
        Ok(other) => Err(Error::StaticDeltas(format!(
            "static delta {name}: the superblock is that of {}",
            other.name
        ))),
        Err(cause) => Err(Error::StaticDeltas(format!("static delta {name}: {cause}"))),
    }
}

/// Fetches a part file. What is only missing or wrong is an answer; a network that fails is not.
pub(super) async fn part(
    engine: &Engine<'_>,
    superblock: Arc<Superblock>,
    index: usize,
) -> Result<Answer, Error> {
    let header = &superblock.parts[index];
    let path = format!("{}/{index}", superblock.name.path());
    let want = Want {
        max_size: match superblock.order {
            ByteOrder::Stated(_) => Some(header.size),
            // Where the order of the numbers is a guess, so are they.
            _ => None,
        },
        ..Want::small(engine.content_base, &path)
    };
    let mut afresh = false;
    let body = loop {
        let mut sink = PartSink::new(engine, format!("{}.part", header.checksum), afresh);
        match engine.fetcher.fetch(&want, &mut sink).await {
            Ok(_) => {}
            Err(e @ (FetchError::Status { .. } | FetchError::TooLarge { .. })) => {
                break Body::Absent(e.into());
            }
            Err(e) => return Err(e.into()),
        }
        let resumed = sink.resumed;
        let (file, actual) = sink.finish().map_err(|cause| Error::System {
            action: "keeping a delta part in tmp",
            cause,
        })?;
        if actual == header.checksum {
            break Body::File(file);
        }
        // Maybe what was there and what came do not belong together.
        if !resumed || afresh {
            break Body::Absent(Error::StaticDeltas(format!(
                "Checksum mismatch in static delta part; expected={} actual={actual}",
                header.checksum
            )));
        }
        afresh = true;
    };
    Ok(Answer::Part {
        superblock,
        index,
        body,
    })
}

/// Where a part goes, hashed on the way: a file that waits for the next pull if this one fails, or one without a name.
struct PartSink<'s> {
    repo: &'s Repo,
    keep: Option<&'s Keep>,
    /// The name to keep it by.
    key: String,
    /// Before the first byte: what an earlier pull left.
    kept: Option<Kept>,
    nameless: Option<File>,
    hasher: Sha256,
    head: Head,
    size: u64,
    resumed: bool,
    failed: Option<io::Error>,
}

impl<'s> PartSink<'s> {
    /// `afresh` takes up nothing that is here.
    fn new(engine: &Engine<'s>, key: String, afresh: bool) -> Self {
        let keep = engine.keep.filter(|_| !afresh);
        PartSink {
            repo: engine.tx.repo(),
            keep,
            kept: keep.and_then(|keep| keep.take(&key)),
            key,
            nameless: None,
            hasher: Sha256::new(),
            head: Head::default(),
            size: 0,
            resumed: false,
            failed: None,
        }
    }

    /// The file, ready to be read, and the checksum of what is in it.
    fn finish(self) -> io::Result<(File, Checksum)> {
        if let Some(cause) = self.failed {
            return Err(cause);
        }
        let checksum = Checksum(self.hasher.finalize().into());
        let file = match (self.kept, self.nameless) {
            (Some(kept), _) => kept.into_file()?,
            (None, Some(mut file)) => {
                file.rewind()?;
                file
            }
            (None, None) => crate::objects::spool_file_in(self.repo)?,
        };
        Ok((file, checksum))
    }

    fn start(&mut self, head: &Head) -> io::Result<()> {
        // The lock of the old one must be gone first.
        self.kept = None;
        self.kept = self.keep.and_then(|keep| keep.begin(&self.key, head));
        self.nameless = match self.kept {
            Some(_) => None,
            None => Some(crate::objects::spool_file_in(self.repo)?),
        };
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match (&mut self.kept, &mut self.nameless) {
            (Some(kept), _) => kept.append(bytes),
            (None, Some(file)) => file.write_all(bytes),
            (None, None) => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Hashes what an earlier pull left.
    fn take_up(&mut self) -> io::Result<()> {
        let Some(kept) = &mut self.kept else {
            return Err(io::ErrorKind::NotFound.into());
        };
        self.head = kept.head().clone();
        while let Some(chunk) = kept.read(self.size)? {
            self.hasher.update(&chunk);
            self.size += chunk.len() as u64;
        }
        Ok(())
    }
}

impl Sink for PartSink<'_> {
    fn begin(&mut self, head: &Head) {
        self.hasher = Sha256::new();
        self.head = head.clone();
        self.size = 0;
        self.resumed = false;
        self.failed = self.start(head).err();
    }

    fn broken_off(&self) -> Option<Resume> {
        match (self.size, &self.kept) {
            (0, Some(kept)) => kept.resume(),
            (size, _) => Resume::new(size, &self.head),
        }
    }

    async fn go_on(&mut self) -> bool {
        self.resumed = true;
        self.size > 0 || self.take_up().is_ok()
    }

    async fn chunk(&mut self, chunk: Chunk) -> bool {
        self.hasher.update(&chunk);
        self.size += chunk.len() as u64;
        if self.failed.is_none() {
            self.failed = self.write(&chunk).err();
        }
        self.failed.is_none()
    }
}

/// What a dry run says.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct DeltaPlan {
    /// Parts, and objects that are not in parts, whose content is here.
    pub parts_here: u64,
    /// All of them.
    pub parts: u64,
    /// Bytes of those that are here, as they are served.
    pub bytes_here: u64,
    /// Bytes of all of them.
    pub bytes: u64,
    /// Bytes of all objects, unpacked.
    pub unpacked: u64,
}

impl DeltaPlan {
    pub(super) fn add(
        &mut self,
        engine: &Engine<'_>,
        superblock: &Superblock,
    ) -> Result<(), Error> {
        for header in &superblock.parts {
            self.one(all_there(engine, header)?, header.size, header.unpacked);
        }
        for fallback in &superblock.fallbacks {
            let here = engine.tx.has_object(&fallback.name)?;
            self.one(here, fallback.stored, fallback.unpacked);
        }
        Ok(())
    }

    fn one(&mut self, here: bool, bytes: u64, unpacked: u64) {
        self.parts += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        self.unpacked = self.unpacked.saturating_add(unpacked);
        if here {
            self.parts_here += 1;
            self.bytes_here = self.bytes_here.saturating_add(bytes);
        }
    }
}

fn all_there(engine: &Engine<'_>, header: &PartHeader) -> Result<bool, osier_store::Error> {
    for name in &header.objects {
        if !engine.tx.has_object(name)? {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Shop<'_> {
    /// What a delta must bring: its parts that make something new, and what is in none of them. Fails where there is no
    /// room for all of it.
    pub(super) fn delta_needs(&self, superblock: &Superblock) -> Result<Found, Finished> {
        let mut found = Found::default();
        let (mut room, mut bytes) = (0u64, 0u64);
        for (index, header) in superblock.parts.iter().enumerate() {
            let mut there = true;
            for name in &header.objects {
                there &= self.tx.has_object(name)?;
            }
            if there {
                continue;
            }
            if header.version != 0 {
                return Err(Error::StaticDeltas(format!(
                    "Delta part has too new version {}",
                    header.version
                ))
                .into());
            }
            room = room.saturating_add(header.unpacked);
            if let Ok(None) = superblock.inline_part(index) {
                bytes = bytes.saturating_add(header.size);
            }
            found.parts.push(index);
        }
        let mut needs = Needs::default();
        for fallback in &superblock.fallbacks {
            if fallback.name.ty.is_metadata() {
                return Err(Error::StaticDeltas(format!(
                    "static delta {}: {} is no content",
                    superblock.name, fallback.name
                ))
                .into());
            }
            let before = needs.content.len();
            self.need_content(osier_object::ContentId(fallback.name.checksum), &mut needs)?;
            if needs.content.len() > before {
                room = room.saturating_add(fallback.unpacked);
                bytes = bytes.saturating_add(fallback.stored);
            }
        }
        // Sizes in an order that is a guess prove nothing.
        if matches!(superblock.order, ByteOrder::Stated(_)) {
            self.tx.check_space(room)?;
            self.counters.expect(bytes);
        } else {
            self.counters.expect_anything();
        }
        found.needs = needs;
        Ok(found)
    }

    /// Makes the objects of a part. An error of the part itself is an answer.
    pub(super) fn part(
        &self,
        superblock: &Superblock,
        index: usize,
        body: Body,
    ) -> Result<Found, Finished> {
        let header = &superblock.parts[index];
        let scratch = self.tx.repo().path().join("tmp");
        let limit = payload_limit(header);
        let run = || -> Result<(), osier_delta::Error> {
            let payload = match body {
                Body::File(file) => self
                    .decoders
                    .unpack(BufReader::new(file), limit, &scratch)?,
                _ => match superblock.inline_part(index)? {
                    Some(bytes) if hash(bytes) == header.checksum => {
                        self.decoders.unpack(bytes, limit, &scratch)?
                    }
                    _ => {
                        return Err(osier_delta::Error::Malformed(
                            "Checksum mismatch in static delta part".to_owned(),
                        ));
                    }
                },
            };
            let part = Part::decode(payload)?;
            execute(
                self.tx,
                &part,
                &header.objects,
                &superblock.name.to,
                &scratch,
            )
        };
        match run() {
            Ok(()) => Ok(Found::default()),
            Err(cause) if is_ours(&cause) => Err(Finished::Failed(delta_error(cause))),
            Err(cause) => Ok(Found {
                bad_part: Some(Error::StaticDeltas(format!(
                    "Executing delta part {index}: {cause}"
                ))),
                ..Found::default()
            }),
        }
    }
}

/// Whether this machine is at fault, and not the delta.
fn is_ours(error: &osier_delta::Error) -> bool {
    match error {
        osier_delta::Error::Store(cause) => !super::stream::is_damage(cause),
        osier_delta::Error::Io { source, .. } => source.raw_os_error().is_some(),
        osier_delta::Error::Context { source, .. } => is_ours(source),
        _ => false,
    }
}

fn delta_error(error: osier_delta::Error) -> Error {
    match error {
        osier_delta::Error::Store(cause) => Error::Store(cause),
        other => Error::StaticDeltas(other.to_string()),
    }
}
