//! The receiving side: a repository that takes what somebody sends, and believes none of it.
//!
//! Every object is checked against its name while it is staged. Refs move only when all is here that they lead to, and only
//! forward unless the sender forces it. Until then nothing but staged objects has changed, which the next push finds.

use super::frame::{self, Kind, LONGEST};
use super::protocol::{Done, Hello, Move, NAME, RefLine, VERSION, Welcome, decode_name};
use super::send::DEPLOYMENTS;
use crate::error::{Error, Result};
use crate::selection::leads_to;
use osier_object::refs::validate_ref_name;
use osier_object::{Commit, CommitId, ContentId, MAX_METADATA_SIZE, ObjectName, ObjectType};
use osier_store::parallel::Cancel;
use osier_store::prune::{PruneOptions, prune};
use osier_store::traverse::{Reached, TreeWalk, load_node};
use osier_store::{
    ListRefs, ReadObjects, RefKey, Repo, RepoMode, Transaction, TransactionOptions, bindings,
};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};

/// More refs are not moved by one push.
const MOST_MOVES: usize = 100_000;

/// Takes one push. What goes wrong is told to the sender, and returned.
///
/// # Errors
/// When the sender sends what it may not, an object is not what its name says, a ref may not move, or the repository fails.
pub fn receive(
    repo: &Repo,
    from: &mut dyn Read,
    to: &mut dyn Write,
    cancel: &Cancel,
) -> Result<()> {
    let result = Receiver {
        repo,
        from,
        to,
        buffer: Vec::new(),
        cancel,
        received: Vec::new(),
    }
    .run();
    if let Err(e) = &result {
        let mut text = e.to_string();
        if let Some(hint) = e.hint() {
            text.push_str(&format!("\nhint: {hint}"));
        }
        // It may be gone, which is why we fail.
        let _ = frame::write(to, Kind::Failed, text.as_bytes()).and_then(|()| to.flush());
    }
    result
}

/// Where refs are, as the sender saw them, and where they are to be.
type Moves = BTreeMap<String, (Option<CommitId>, Option<CommitId>)>;

struct Receiver<'a> {
    repo: &'a Repo,
    from: &'a mut dyn Read,
    to: &'a mut dyn Write,
    buffer: Vec<u8>,
    cancel: &'a Cancel,
    /// Commits that came.
    received: Vec<CommitId>,
}

fn protocol(cause: impl Into<String>) -> Error {
    Error::Protocol {
        action: "receiving a push",
        cause: cause.into(),
    }
}

fn answering(source: io::Error) -> Error {
    Error::Io {
        action: "answering the sender".into(),
        source,
    }
}

impl Receiver<'_> {
    fn next(&mut self) -> Result<Kind> {
        self.cancel.check()?;
        frame::read(self.from, &mut self.buffer)?
            .ok_or_else(|| protocol("the sender went away; nothing was published"))
    }

    fn run(&mut self) -> Result<()> {
        if self.next()? != Kind::Hello {
            return Err(protocol("it does not begin with a greeting"));
        }
        let hello: Hello = frame::parse(&self.buffer)?;
        if hello.osier_push != VERSION {
            return Err(protocol(format!(
                "the sender speaks version {} of the protocol, this is {VERSION}",
                hello.osier_push
            )));
        }
        if self.repo.mode() == RepoMode::BareSplitXattrs {
            return Err(
                osier_store::Error::NotAllowed("Not allowed due to repo mode".into()).into(),
            );
        }
        let there = self.welcome()?;
        if hello.dry_run {
            return self.answer_questions();
        }
        let mut tx = self.repo.begin(&TransactionOptions::default())?;
        let moves = self.take(&tx)?;
        // From here on nobody else moves a ref.
        tx.hold_refs()?;
        self.check_moves(&tx, &moves, &there, &hello)?;
        for (name, (_, new)) in &moves {
            tx.set_ref(RefKey::Local(name.clone()), *new);
        }
        let before = summary(self.repo);
        tx.commit()?;
        let mut done = Done {
            objects_deleted: 0,
            deltas_deleted: 0,
            summary_written: summary(self.repo) != before,
        };
        if hello.delete_stale {
            let options = PruneOptions {
                refs_only: true,
                ..PruneOptions::default()
            };
            let pruned = prune(self.repo, &options, self.cancel)?;
            done.objects_deleted = pruned.deleted;
            done.deltas_deleted = pruned.deltas_deleted;
        }
        frame::write_json(self.to, Kind::Done, &done).map_err(answering)?;
        self.to.flush().map_err(answering)
    }

    /// Says what is here.
    fn welcome(&mut self) -> Result<BTreeMap<String, CommitId>> {
        let mut refs = BTreeMap::new();
        let local = ListRefs {
            exclude_remotes: true,
            aliases_only: false,
        };
        for (key, id) in self.repo.list_ref_keys(local)? {
            if let RefKey::Local(name) = key {
                refs.insert(name, id);
            }
        }
        let welcome = Welcome {
            osier_push: VERSION,
            mode: self.repo.mode().to_string(),
        };
        let lines: Vec<RefLine> = refs
            .iter()
            .map(|(name, id)| RefLine {
                name: name.clone(),
                commit: id.to_string(),
            })
            .collect();
        let to = &mut *self.to;
        frame::write_json(to, Kind::Hello, &welcome)
            .and_then(|()| frame::write_list(to, Kind::Refs, &lines))
            .and_then(|()| frame::write_json(to, Kind::Refs, &[(); 0]))
            .and_then(|()| to.flush())
            .map_err(answering)?;
        Ok(refs)
    }

    /// Without anything to come.
    fn answer_questions(&mut self) -> Result<()> {
        while let Some(kind) = frame::read(self.from, &mut self.buffer)? {
            match kind {
                Kind::Have => self.answer(self.repo)?,
                _ => return Err(protocol("only questions belong into a dry run")),
            }
        }
        Ok(())
    }

    fn answer(&mut self, objects: &impl ReadObjects) -> Result<()> {
        if !self.buffer.len().is_multiple_of(NAME) {
            return Err(protocol("a name is cut off"));
        }
        let mut has = Vec::with_capacity(self.buffer.len() / NAME);
        for bytes in self.buffer.chunks(NAME) {
            let name = decode_name(bytes).ok_or_else(|| protocol("that is no object's name"))?;
            has.push(u8::from(objects.has_object(&name)?));
        }
        frame::write(self.to, Kind::Has, &has)
            .and_then(|()| self.to.flush())
            .map_err(answering)
    }

    /// Takes objects until refs are to be moved; gives the moves.
    fn take(&mut self, tx: &Transaction<'_>) -> Result<Moves> {
        let mut moves = BTreeMap::new();
        loop {
            match self.next()? {
                Kind::Have => self.answer(tx)?,
                Kind::Object => {
                    let name = decode_name(&self.buffer)
                        .ok_or_else(|| protocol("that is no object's name"))?;
                    self.object(tx, &name)?;
                }
                Kind::Moves => {
                    let list: Vec<Move> = frame::parse(&self.buffer)?;
                    for one in list {
                        validate_ref_name(&one.name).map_err(|e| protocol(e.to_string()))?;
                        let id = |text: Option<String>| {
                            text.map(|text| text.parse::<CommitId>())
                                .transpose()
                                .map_err(|e| protocol(e.to_string()))
                        };
                        moves.insert(one.name, (id(one.old)?, id(one.new)?));
                        if moves.len() > MOST_MOVES {
                            return Err(protocol("too many refs"));
                        }
                    }
                }
                Kind::Commit => return Ok(moves),
                _ => return Err(protocol("that does not belong here")),
            }
        }
    }

    /// Stages one object. What is left of its data after a failure is of no use to anybody.
    fn object(&mut self, tx: &Transaction<'_>, name: &ObjectName) -> Result<()> {
        let mut data = Data {
            from: self.from,
            buffer: Vec::new(),
            at: 0,
            ended: false,
        };
        match name.ty {
            ObjectType::File => {
                let id = ContentId(name.checksum);
                let mut first = Vec::new();
                data.by_ref()
                    .take(LONGEST as u64 + 1)
                    .read_to_end(&mut first)
                    .map_err(Error::io(format!("receiving object {name}")))?;
                if first.len() <= LONGEST {
                    tx.write_archive_bytes(&id, &first)?;
                } else {
                    let mut all = first.chain(&mut data);
                    tx.write_archive_stream(&id, u64::MAX, &mut all)?;
                }
            }
            ty => {
                let mut bytes = Vec::new();
                data.by_ref()
                    .take(MAX_METADATA_SIZE + 1)
                    .read_to_end(&mut bytes)
                    .map_err(Error::io(format!("receiving object {name}")))?;
                if bytes.len() as u64 > MAX_METADATA_SIZE {
                    return Err(protocol(format!("object {name} is too large")));
                }
                match ty {
                    ObjectType::Commitmeta => {
                        osier_object::validate::structure(ty, &bytes)
                            .map_err(|e| protocol(format!("object {name}: {e}")))?;
                        tx.write_commitmeta_bytes(&CommitId(name.checksum), &bytes)?;
                    }
                    ty => {
                        if ty == ObjectType::Commit && !tx.is_stored(name)? {
                            let id = CommitId(name.checksum);
                            // Until it is known that all is here that it needs.
                            tx.mark_partial(&id)?;
                            self.received.push(id);
                        }
                        tx.write_metadata(ty, Some(&name.checksum), &bytes)?;
                    }
                }
            }
        }
        // Bytes behind the end of the compressed data, which mean nothing.
        io::copy(&mut data, &mut io::sink())
            .map_err(Error::io(format!("receiving object {name}")))?;
        Ok(())
    }

    fn check_moves(
        &self,
        tx: &Transaction<'_>,
        moves: &Moves,
        there: &BTreeMap<String, CommitId>,
        hello: &Hello,
    ) -> Result<()> {
        let mut tips = BTreeSet::new();
        for (name, (old, new)) in moves {
            let now = self.repo.read_ref(&RefKey::Local(name.clone()))?;
            if now != *old || there.get(name).copied() != *old {
                return Err(Error::Moved { name: name.clone() });
            }
            let Some(new) = new else {
                if !hello.delete_stale || name.starts_with(DEPLOYMENTS) {
                    return Err(protocol(format!("{name} may not be deleted")));
                }
                continue;
            };
            let commit: Commit = tx.load_commit(new)?;
            let collection = self.repo.config().collection_id.as_deref();
            bindings::verify(new, &commit, collection, Some(name))?;
            if let Some(old) = old
                && !hello.force
                && !leads_to(tx, new, old, self.cancel)?
            {
                return Err(Error::NotFastForward {
                    name: name.clone(),
                    there: *old,
                    ours: *new,
                });
            }
            tips.insert(*new);
        }
        for tip in &tips {
            self.check_whole(tx, tip)?;
        }
        // Older commits that came along count as whole if they are.
        for id in self.received.iter().filter(|id| !tips.contains(id)) {
            match self.check_whole(tx, id) {
                Err(Error::Store(e)) if e.missing_object().is_some() => {}
                other => other?,
            }
        }
        Ok(())
    }

    /// Everything a commit needs is here, and it is no longer marked as partial.
    fn check_whole(&self, tx: &Transaction<'_>, id: &CommitId) -> Result<()> {
        let node = load_node(tx, id)?
            .ok_or_else(|| osier_store::Error::MissingObject(id.object_name()))?;
        let reached = Reached::new();
        TreeWalk::new(tx, &reached, self.cancel).commits(&[node])?;
        for name in reached.into_sorted() {
            if !tx.has_object(&name)? {
                return Err(osier_store::Error::MissingObject(name).into());
            }
        }
        if tx.commit_state(id)?.partial {
            tx.mark_complete(id);
        }
        Ok(())
    }
}

/// The summary as it is, to see whether it was written anew.
fn summary(repo: &Repo) -> Option<(u64, i64)> {
    let stat = rustix::fs::statat(repo.dir(), "summary", rustix::fs::AtFlags::empty()).ok()?;
    Some((stat.st_ino, stat.st_mtime))
}

/// The pieces of one object as a stream.
struct Data<'a> {
    from: &'a mut dyn Read,
    buffer: Vec<u8>,
    at: usize,
    ended: bool,
}

impl Read for Data<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.at == self.buffer.len() && !self.ended {
            self.at = 0;
            match frame::read(self.from, &mut self.buffer).map_err(io::Error::other)? {
                Some(Kind::Data) => self.ended = self.buffer.is_empty(),
                _ => {
                    self.buffer.clear();
                    return Err(io::Error::other("an object is cut off"));
                }
            }
        }
        let n = buf.len().min(self.buffer.len() - self.at);
        buf[..n].copy_from_slice(&self.buffer[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}
