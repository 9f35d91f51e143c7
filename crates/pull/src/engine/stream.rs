//! A content object on its way from the network to a writer.
//!
//! Most objects are small: they are collected and written by a worker in one go. One that grows past a limit gets a
//! writer of its own at once, fed through a short queue, so that memory stays flat whatever the object's size.

use super::kept::{Keep, Kept};
use super::{Engine, Finished};
use crate::fetch::{Chunk, Head, Resume, Sink};
use crate::progress::Counters;
use osier_object::ContentId;
use osier_store::Transaction;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread::Scope;
use tokio::sync::{mpsc, oneshot};

/// Bytes (as served) that are collected before an object gets its own writer.
pub(super) const COLLECT_MAX: u64 = 1 << 20;

/// Chunks that may wait for a writer; one is at most a socket buffer.
const QUEUE: usize = 4;

enum Piece {
    Chunk(Chunk),
    End,
}

/// Where the body of a content object goes.
pub(super) struct ContentSink<'s, 'e> {
    scope: &'s Scope<'s, 'e>,
    tx: &'s Transaction<'s>,
    id: ContentId,
    unchecked: bool,
    counters: &'s Counters,
    holding: Holding<'s>,
    head: Head,
    collected: Vec<Chunk>,
    size: u64,
    writer: Option<Writer>,
    keep: Option<&'s Keep>,
    /// What is kept for a later pull. Before the first byte: what an earlier pull left.
    kept: Option<Kept>,
    resumed: bool,
}

/// What one body adds to what is held of all, until it ends.
struct Holding<'s> {
    all: &'s AtomicUsize,
    own: usize,
}

impl Holding<'_> {
    fn add(&mut self, bytes: usize) {
        self.own += bytes;
        self.all.fetch_add(bytes, Relaxed);
    }

    fn clear(&mut self) {
        self.all.fetch_sub(self.own, Relaxed);
        self.own = 0;
    }
}

impl Drop for Holding<'_> {
    fn drop(&mut self) {
        self.clear();
    }
}

struct Writer {
    queue: mpsc::Sender<Piece>,
    result: oneshot::Receiver<Result<(), osier_store::Error>>,
}

/// What became of a body.
pub(super) enum Collected {
    /// It is here, to be written by a worker. True when it came in several pieces.
    Small(Vec<Chunk>, bool),
    /// It is written.
    Written,
    /// It came in several pieces, and they do not fit.
    Again,
}

/// The name that the rest of an object is kept by.
fn key(id: &ContentId) -> String {
    format!("{id}.filez")
}

/// What a content object unpacks to, by the header that its archive form begins with: the header's length in 4 bytes, 4
/// of padding, and the size in big endian. Only for an object that was found good.
pub(super) fn unpacked_size(form: &[Chunk]) -> u64 {
    let mut start = [0; 16];
    for (to, from) in start
        .iter_mut()
        .zip(form.iter().flat_map(|chunk| chunk.iter()))
    {
        *to = *from;
    }
    u64::from_be_bytes([
        start[8], start[9], start[10], start[11], start[12], start[13], start[14], start[15],
    ])
}

/// Whether bytes are wrong, and not the repository or the disk.
pub(super) fn is_damage(error: &osier_store::Error) -> bool {
    matches!(
        error,
        osier_store::Error::ChecksumMismatch { .. } | osier_store::Error::Invalid { .. }
    )
}

impl<'s, 'e> ContentSink<'s, 'e> {
    pub fn new(
        scope: &'s Scope<'s, 'e>,
        engine: &'s Engine<'s>,
        id: ContentId,
        keep: Option<&'s Keep>,
    ) -> Self {
        ContentSink {
            scope,
            tx: engine.tx,
            id,
            unchecked: engine.unchecked,
            counters: engine.counters,
            holding: Holding {
                all: &engine.held,
                own: 0,
            },
            head: Head::default(),
            collected: Vec::new(),
            size: 0,
            writer: None,
            keep,
            kept: None,
            resumed: false,
        }
    }

    /// Goes on where an earlier pull had to stop, if it left something.
    pub fn with_what_is_left(mut self) -> Self {
        self.kept = self.keep.and_then(|keep| keep.take(&key(&self.id)));
        self
    }

    /// The body has ended.
    pub async fn finish(self) -> Result<Collected, Finished> {
        let Some(writer) = self.writer else {
            if let Some(kept) = self.kept {
                kept.discard();
            }
            return Ok(Collected::Small(self.collected, self.resumed));
        };
        // A writer that is gone has said why.
        let _ = writer.queue.send(Piece::End).await;
        let result = writer.result.await;
        // Written or wrong: no later pull has a use for it.
        if let (Some(kept), Ok(_)) = (self.kept, &result) {
            kept.discard();
        }
        match result {
            Ok(Ok(())) => Ok(Collected::Written),
            // Maybe what was there and what came do not belong together.
            Ok(Err(cause)) if self.resumed && is_damage(&cause) => Ok(Collected::Again),
            Ok(Err(cause)) => Err(Finished::Refused(cause)),
            Err(_) => Err(Finished::Refused(osier_store::Error::other(format!(
                "writing object {}: the writer died",
                self.id
            )))),
        }
    }

    fn spawn_writer(&mut self) -> Option<Writer> {
        let (queue, receiver) = mpsc::channel(QUEUE);
        let (done, result) = oneshot::channel();
        let (tx, id, unchecked) = (self.tx, self.id, self.unchecked);
        let (counters, size) = (self.counters, unpacked_size(&self.collected));
        let mut reader = QueueReader {
            first: std::mem::take(&mut self.collected).into(),
            queue: receiver,
            current: Chunk::new(),
            ended: false,
        };
        std::thread::Builder::new()
            .name("osier-pull-writer".to_owned())
            .spawn_scoped(self.scope, move || {
                // The length is not known beforehand, so it cannot bound the header here.
                let written = match unchecked {
                    true => tx.write_archive_unchecked(&id, &mut reader),
                    false => tx
                        .write_archive_stream(&id, u64::MAX, &mut reader)
                        .map(|_| counters.wrote_content(size)),
                };
                let _ = done.send(written);
            })
            .ok()?;
        Some(Writer { queue, result })
    }
}

impl ContentSink<'_, '_> {
    /// Passes a piece on.
    async fn push(&mut self, chunk: Chunk) -> bool {
        self.size += chunk.len() as u64;
        if let Some(writer) = &self.writer {
            return writer.queue.send(Piece::Chunk(chunk)).await.is_ok();
        }
        self.holding.add(chunk.len());
        self.collected.push(chunk);
        if self.size > COLLECT_MAX {
            // Without a thread there is still memory.
            self.writer = self.spawn_writer();
        }
        true
    }
}

impl Sink for ContentSink<'_, '_> {
    fn begin(&mut self, head: &Head) {
        self.collected.clear();
        self.holding.clear();
        self.size = 0;
        // Its reader sees the queue end without an end mark, and gives up.
        self.writer = None;
        self.resumed = false;
        self.head = head.clone();
        // The lock of the old one must be gone first.
        self.kept = None;
        self.kept = self.keep.and_then(|keep| keep.begin(&key(&self.id), head));
    }

    fn broken_off(&self) -> Option<Resume> {
        match (self.size, &self.kept) {
            (0, Some(kept)) => kept.resume(),
            (size, _) => Resume::new(size, &self.head),
        }
    }

    async fn go_on(&mut self) -> bool {
        self.resumed = true;
        if self.size > 0 {
            return true;
        }
        let Some(mut kept) = self.kept.take() else {
            return false;
        };
        self.head = kept.head().clone();
        loop {
            match kept.read(self.size) {
                Ok(Some(chunk)) => {
                    if !self.push(chunk).await {
                        // The writer knows why; the rest is of no use to it.
                        break;
                    }
                }
                Ok(None) => break,
                Err(_) => return false,
            }
        }
        self.kept = Some(kept);
        true
    }

    async fn chunk(&mut self, chunk: Chunk) -> bool {
        // Keeping is a favour to a later pull: it must not fail this one.
        if self
            .kept
            .as_mut()
            .is_some_and(|kept| kept.append(&chunk).is_err())
            && let Some(kept) = self.kept.take()
        {
            kept.discard();
        }
        self.push(chunk).await
    }
}

/// Reads chunks from a queue. The end of the queue is an error unless it was announced.
struct QueueReader {
    first: VecDeque<Chunk>,
    queue: mpsc::Receiver<Piece>,
    current: Chunk,
    ended: bool,
}

impl Read for QueueReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            if self.ended {
                return Ok(0);
            }
            match self
                .first
                .pop_front()
                .map(Piece::Chunk)
                .or_else(|| self.queue.blocking_recv())
            {
                Some(Piece::Chunk(chunk)) => self.current = chunk,
                Some(Piece::End) => self.ended = true,
                None => {
                    return Err(io::Error::new(
                        io::ErrorKind::UnexpectedEof,
                        "the transfer was interrupted",
                    ));
                }
            }
        }
        let n = buf.len().min(self.current.len());
        buf[..n].copy_from_slice(&self.current.split_to(n));
        Ok(n)
    }
}
