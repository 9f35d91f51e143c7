//! The sending side.

use super::frame::{self, Kind};
use super::protocol::{Done, Hello, Move, NAME, RefLine, VERSION, Welcome, encode_name};
use crate::destination::SshDestination;
use crate::error::{Error, Result};
use crate::options::{PushOptions, PushOutcome, RefChange};
use crate::selection::{Selection, leads_to, select};
use osier_object::{CommitId, ContentId, ObjectName, ObjectType};
use osier_store::archive_form::write_archive_form;
use osier_store::fsck::verify_object;
use osier_store::parallel::{Cancel, Progress};
use osier_store::{ReadObjects, Repo, WHOLE_FILE_MAX};
use std::collections::BTreeMap;
use std::io::{self, BufReader, BufWriter, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;

/// How to reach the other machine.
#[derive(Clone, Debug)]
pub struct SshSettings {
    /// The program with its first arguments: `ssh`, or what behaves like it.
    pub command: Vec<String>,
    /// The `ostree` of the other machine.
    pub remote_program: String,
}

impl Default for SshSettings {
    fn default() -> SshSettings {
        SshSettings {
            command: vec!["ssh".into()],
            remote_program: "ostree".into(),
        }
    }
}

/// Names asked for at a time.
const ASKED: usize = 4096;

/// Refs of the system's own deployments, which are no business of a push.
pub(super) const DEPLOYMENTS: &str = "ostree/";

/// Pushes to another machine. Blocks until it is done.
///
/// # Errors
/// When it cannot be reached, the other side refuses, or the source lacks something.
pub fn push(
    repo: &Repo,
    there: &SshDestination,
    settings: &SshSettings,
    options: &PushOptions,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<PushOutcome> {
    let _lock = match repo.is_writable() {
        true => Some(repo.lock_shared()?),
        false => None,
    };
    // What is wrong here is found before anybody is bothered.
    let selection = select(repo, options, cancel)?;
    let mut line = Line::open(there, settings)?;
    let result = Sender {
        repo,
        line: &mut line,
        options,
        progress,
        cancel,
    }
    .run(&selection);
    match result {
        Ok(outcome) => {
            line.close()?;
            Ok(outcome)
        }
        Err(e) => Err(line.explain(e)),
    }
}

/// The connection to a receiver.
struct Line {
    host: String,
    child: Child,
    to: Option<BufWriter<ChildStdin>>,
    from: BufReader<ChildStdout>,
    buffer: Vec<u8>,
    sent: u64,
}

impl Line {
    fn open(there: &SshDestination, settings: &SshSettings) -> Result<Line> {
        let (program, first) = settings
            .command
            .split_first()
            .ok_or_else(|| Error::Other("No ssh command is given".into()))?;
        let mut command = Command::new(program);
        command.args(first);
        if let Some(port) = there.port {
            command.arg("-p").arg(port.to_string());
        }
        command.arg(&there.host).arg(format!(
            "{} receive {}",
            quote(&settings.remote_program),
            quote(&format!("--repo={}", there.path))
        ));
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(Error::io(format!("starting {program}")))?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::Other(format!("starting {program}: no pipes")));
        };
        Ok(Line {
            host: there.host.clone(),
            child,
            to: Some(BufWriter::with_capacity(256 * 1024, to)),
            from: BufReader::new(from),
            buffer: Vec::new(),
            sent: 0,
        })
    }

    fn to(&mut self) -> Result<&mut BufWriter<ChildStdin>> {
        self.to
            .as_mut()
            .ok_or_else(|| Error::Other("the connection is closed".into()))
    }

    fn write(&mut self, kind: Kind, payload: &[u8]) -> Result<()> {
        self.sent += payload.len() as u64;
        frame::write(self.to()?, kind, payload).map_err(sending)
    }

    fn flush(&mut self) -> Result<()> {
        self.to()?.flush().map_err(sending)
    }

    /// The next frame; what the other side says in place of it is an error.
    fn read(&mut self) -> Result<Kind> {
        match frame::read(&mut self.from, &mut self.buffer)? {
            Some(Kind::Failed) => Err(self.failed()),
            Some(kind) => Ok(kind),
            None => Err(sending(io::ErrorKind::UnexpectedEof.into())),
        }
    }

    fn expect(&mut self, kind: Kind) -> Result<()> {
        match self.read()? == kind {
            true => Ok(()),
            false => Err(Error::Protocol {
                action: "reading from the other side",
                cause: "that is no answer to what was asked".into(),
            }),
        }
    }

    fn failed(&self) -> Error {
        // What a server says must not speak to the terminal.
        let text = String::from_utf8_lossy(&self.buffer);
        let text: String = text
            .chars()
            .take(2000)
            .map(|c| {
                if c.is_control() && c != '\n' {
                    '\u{fffd}'
                } else {
                    c
                }
            })
            .collect();
        Error::Remote {
            host: self.host.clone(),
            text,
        }
    }

    fn close(mut self) -> Result<()> {
        drop(self.to.take());
        let status = self.child.wait().map_err(Error::io("waiting for ssh"))?;
        match status.success() {
            true => Ok(()),
            false => Err(Error::Remote {
                host: self.host.clone(),
                text: format!("the other side failed after all was published ({status})"),
            }),
        }
    }

    /// Finds out why writing or reading failed: the other side may have said so before it ended.
    fn explain(mut self, error: Error) -> Error {
        drop(self.to.take());
        let broken = matches!(&error, Error::Io { source, .. }
            if matches!(source.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof));
        if !broken {
            let _ = self.child.kill();
            let _ = self.child.wait();
            return error;
        }
        while let Ok(Some(kind)) = frame::read(&mut self.from, &mut self.buffer) {
            if kind == Kind::Failed {
                let failed = self.failed();
                let _ = self.child.wait();
                return failed;
            }
        }
        let text = match self.child.wait() {
            Ok(status) if status.code() == Some(127) => {
                "there is no such ostree program there\nhint: --remote-ostree=PATH names it"
                    .to_owned()
            }
            Ok(status) => format!(
                "the connection ended early ({status})\nhint: see whether `ssh {} ostree --version` works",
                self.host
            ),
            Err(e) => e.to_string(),
        };
        Error::Remote {
            host: self.host.clone(),
            text,
        }
    }
}

fn sending(source: io::Error) -> Error {
    Error::Io {
        action: "sending to the other side".into(),
        source,
    }
}

/// A word for the shell that `ssh` hands its command to.
fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

struct Sender<'a> {
    repo: &'a Repo,
    line: &'a mut Line,
    options: &'a PushOptions,
    progress: &'a dyn Progress,
    cancel: &'a Cancel,
}

impl Sender<'_> {
    fn run(mut self, selection: &Selection) -> Result<PushOutcome> {
        let there = self.greet()?;
        let (changes, unchanged_refs) = self.plan(selection, &there)?;
        let mut outcome = PushOutcome {
            unchanged_refs,
            objects: (selection.trees.len() + selection.contents.len() + selection.commits.len())
                as u64,
            ..PushOutcome::default()
        };
        let contents = selection.contents.iter().map(ContentId::object_name);
        let others = selection.trees.iter().copied().chain(contents).collect();
        let others = self.lacking(others)?;
        let commits = selection.commits.iter().map(|c| c.id.object_name());
        let commits = self.lacking(commits.collect())?;
        outcome.objects_sent = (others.len() + commits.len()) as u64;
        outcome.refs = changes;
        if self.options.dry_run {
            return Ok(outcome);
        }
        self.progress.total(outcome.objects_sent);
        self.send_all(&others)?;
        for commit in &selection.commits {
            let name = ObjectName {
                checksum: commit.id.0,
                ty: ObjectType::Commitmeta,
            };
            if let Some(bytes) = self.repo.read_metadata_opt(name.ty, &name.checksum)? {
                self.send(&name, &bytes)?;
            }
        }
        self.send_all(&commits)?;
        let moves: Vec<Move> = outcome
            .refs
            .iter()
            .map(|change| Move {
                name: change.name.clone(),
                old: change.old.map(|id| id.to_string()),
                new: change.new.map(|id| id.to_string()),
            })
            .collect();
        frame::write_list(self.line.to()?, Kind::Moves, &moves).map_err(sending)?;
        self.line.write(Kind::Commit, &[])?;
        self.line.flush()?;
        self.line.expect(Kind::Done)?;
        let done: Done = frame::parse(&self.line.buffer)?;
        outcome.objects_deleted = done.objects_deleted;
        outcome.deltas_deleted = done.deltas_deleted;
        outcome.summary_written = done.summary_written;
        outcome.bytes_sent = self.line.sent;
        Ok(outcome)
    }

    fn greet(&mut self) -> Result<BTreeMap<String, CommitId>> {
        let hello = Hello {
            osier_push: VERSION,
            force: self.options.force,
            dry_run: self.options.dry_run,
            delete_stale: self.options.delete_stale,
        };
        frame::write_json(self.line.to()?, Kind::Hello, &hello).map_err(sending)?;
        self.line.flush()?;
        self.line.expect(Kind::Hello)?;
        let welcome: Welcome = frame::parse(&self.line.buffer)?;
        if welcome.osier_push != VERSION {
            return Err(Error::Remote {
                host: self.line.host.clone(),
                text: format!(
                    "it speaks version {} of the protocol, this is {VERSION}",
                    welcome.osier_push
                ),
            });
        }
        let mut refs = BTreeMap::new();
        loop {
            self.line.expect(Kind::Refs)?;
            let list: Vec<RefLine> = frame::parse(&self.line.buffer)?;
            if list.is_empty() {
                return Ok(refs);
            }
            for line in list {
                let id = line.commit.parse().map_err(|_| Error::Protocol {
                    action: "reading from the other side",
                    cause: "a ref leads to no commit".into(),
                })?;
                refs.insert(line.name, id);
            }
        }
    }

    fn plan(
        &self,
        selection: &Selection,
        there: &BTreeMap<String, CommitId>,
    ) -> Result<(Vec<RefChange>, u64)> {
        let mut changes = Vec::new();
        let mut unchanged = 0;
        for (name, ours) in &selection.refs {
            let old = there.get(name).copied();
            if old == Some(*ours) {
                unchanged += 1;
                continue;
            }
            if let Some(old) = old
                && !self.options.force
                && !leads_to(self.repo, ours, &old, self.cancel)?
            {
                return Err(Error::NotFastForward {
                    name: name.clone(),
                    there: old,
                    ours: *ours,
                });
            }
            changes.push(RefChange {
                name: name.clone(),
                old,
                new: Some(*ours),
            });
        }
        if self.options.delete_stale && selection.all_refs {
            let stale = there.iter().filter(|(name, _)| {
                !selection.refs.contains_key(*name) && !name.starts_with(DEPLOYMENTS)
            });
            changes.extend(stale.map(|(name, id)| RefChange {
                name: name.clone(),
                old: Some(*id),
                new: None,
            }));
        }
        Ok((changes, unchanged))
    }

    fn lacking(&mut self, names: Vec<ObjectName>) -> Result<Vec<ObjectName>> {
        let mut lacking = Vec::new();
        for some in names.chunks(ASKED) {
            self.cancel.check()?;
            let mut question = Vec::with_capacity(some.len() * NAME);
            for name in some {
                question.extend_from_slice(&encode_name(name));
            }
            self.line.write(Kind::Have, &question)?;
            self.line.flush()?;
            self.line.expect(Kind::Has)?;
            let has = &self.line.buffer;
            if has.len() != some.len() {
                return Err(Error::Protocol {
                    action: "reading from the other side",
                    cause: "another number of answers than of questions".into(),
                });
            }
            lacking.extend(
                some.iter()
                    .zip(has)
                    .filter(|(_, has)| **has == 0)
                    .map(|(name, _)| *name),
            );
        }
        Ok(lacking)
    }

    /// Sends objects in any order. Threads make of them what is sent, this one sends it.
    fn send_all(&mut self, names: &[ObjectName]) -> Result<()> {
        let (repo, cancel) = (self.repo, self.cancel);
        let next = AtomicUsize::new(0);
        let (to, made) = sync_channel::<(ObjectName, Result<Option<Vec<u8>>>)>(8);
        std::thread::scope(|scope| {
            let threads = std::thread::available_parallelism().map_or(2, usize::from);
            for _ in 0..threads.min(names.len()) {
                let (to, next) = (to.clone(), &next);
                scope.spawn(move || {
                    while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let bytes = cancel.check().map_err(Error::from);
                        let bytes = bytes.and_then(|()| small(repo, name));
                        // The other end is gone when sending failed.
                        if to.send((*name, bytes)).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(to);
            // Dropped with an early return, which ends the threads.
            let made = made;
            for (name, bytes) in &made {
                match bytes? {
                    Some(bytes) => self.send(&name, &bytes)?,
                    None => self.send_large(&ContentId(name.checksum))?,
                }
                self.progress.object_done(0);
            }
            Ok(())
        })
    }

    fn send(&mut self, name: &ObjectName, bytes: &[u8]) -> Result<()> {
        self.line.write(Kind::Object, &encode_name(name))?;
        for piece in bytes.chunks(frame::LONGEST) {
            self.line.write(Kind::Data, piece)?;
        }
        self.line.write(Kind::Data, &[])
    }

    fn send_large(&mut self, id: &ContentId) -> Result<()> {
        self.line
            .write(Kind::Object, &encode_name(&id.object_name()))?;
        let mut pieces = BufWriter::with_capacity(
            frame::LONGEST,
            Pieces {
                line: &mut *self.line,
            },
        );
        write_archive_form(self.repo, id, &mut pieces)?;
        pieces.flush().map_err(sending)?;
        drop(pieces);
        self.line.write(Kind::Data, &[])
    }
}

/// What is sent of an object, checked; none for a large file.
fn small(repo: &Repo, name: &ObjectName) -> Result<Option<Vec<u8>>> {
    if name.ty != ObjectType::File {
        verify_object(repo, name)?;
        return Ok(Some(repo.read_metadata(name.ty, &name.checksum)?));
    }
    let id = ContentId(name.checksum);
    let size = match repo.mode().is_archive() {
        true => repo.stored_size(name)?,
        false => repo.content_header(&id, false)?.1,
    };
    if size > WHOLE_FILE_MAX {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    write_archive_form(repo, &id, &mut bytes)?;
    Ok(Some(bytes))
}

/// A writer of data frames.
struct Pieces<'a> {
    line: &'a mut Line,
}

impl Write for Pieces<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let n = buf.len().min(frame::LONGEST);
        if n > 0 {
            self.line
                .write(Kind::Data, &buf[..n])
                .map_err(|e| match e {
                    Error::Io { source, .. } => source,
                    e => io::Error::other(e.to_string()),
                })?;
        }
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_the_shell() {
        assert_eq!(quote("--repo=/srv/a b"), "'--repo=/srv/a b'");
        assert_eq!(quote("x'; rm -rf /; '"), "'x'\\''; rm -rf /; '\\'''");
    }
}
