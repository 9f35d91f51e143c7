//! A content object on its way from the network to a writer.
//!
//! Most objects are small: they are collected and written by a worker in one go. One that grows past a limit gets a
//! writer of its own at once, fed through a short queue, so that memory stays flat whatever the object's size.

use super::Finished;
use crate::fetch::{Chunk, Sink};
use osier_object::ContentId;
use osier_store::Transaction;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::thread::Scope;
use tokio::sync::{mpsc, oneshot};

/// Bytes (as served) that are collected before an object gets its own writer.
pub(super) const COLLECT_MAX: usize = 1 << 20;

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
    collected: Vec<Chunk>,
    size: usize,
    writer: Option<Writer>,
}

struct Writer {
    queue: mpsc::Sender<Piece>,
    result: oneshot::Receiver<Result<(), osier_store::Error>>,
}

/// What became of a body.
pub(super) enum Collected {
    /// It is here, to be written by a worker.
    Small(Vec<Chunk>),
    /// It is written.
    Written,
}

impl<'s, 'e> ContentSink<'s, 'e> {
    pub fn new(
        scope: &'s Scope<'s, 'e>,
        tx: &'s Transaction<'s>,
        id: ContentId,
        unchecked: bool,
    ) -> Self {
        ContentSink {
            scope,
            tx,
            id,
            unchecked,
            collected: Vec::new(),
            size: 0,
            writer: None,
        }
    }

    /// The body has ended.
    pub async fn finish(self) -> Result<Collected, Finished> {
        let Some(writer) = self.writer else {
            return Ok(Collected::Small(self.collected));
        };
        // A writer that is gone has said why.
        let _ = writer.queue.send(Piece::End).await;
        match writer.result.await {
            Ok(Ok(())) => Ok(Collected::Written),
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
        let mut reader = QueueReader {
            first: std::mem::take(&mut self.collected).into(),
            queue: receiver,
            current: Chunk::new(),
            ended: false,
        };
        let (tx, id, unchecked) = (self.tx, self.id, self.unchecked);
        std::thread::Builder::new()
            .name("osier-pull-writer".to_owned())
            .spawn_scoped(self.scope, move || {
                // The length is not known beforehand, so it cannot bound the header here.
                let written = match unchecked {
                    true => tx.write_archive_unchecked(&id, &mut reader),
                    false => tx
                        .write_archive_stream(&id, u64::MAX, &mut reader)
                        .map(drop),
                };
                let _ = done.send(written);
            })
            .ok()?;
        Some(Writer { queue, result })
    }
}

impl Sink for ContentSink<'_, '_> {
    fn begin(&mut self) {
        self.collected.clear();
        self.size = 0;
        // Its reader sees the queue end without an end mark, and gives up.
        self.writer = None;
    }

    async fn chunk(&mut self, chunk: Chunk) -> bool {
        if let Some(writer) = &self.writer {
            return writer.queue.send(Piece::Chunk(chunk)).await.is_ok();
        }
        self.size += chunk.len();
        self.collected.push(chunk);
        if self.size > COLLECT_MAX {
            // Without a thread there is still memory.
            self.writer = self.spawn_writer();
        }
        true
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
