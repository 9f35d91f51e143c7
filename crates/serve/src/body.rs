//! The body of an answer: a few bytes, or a file read piece by piece while the network takes it.

use crate::log::{AccessLog, Record};
use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Frame, SizeHint};
use osier_object::ContentId;
use osier_store::Repo;
use osier_store::archive_form::write_archive_form;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::JoinHandle;

/// What is read, and so what one connection holds in memory, at a time.
const PIECE: u64 = 128 * 1024;

/// A body that says when it ends, however it ends.
pub(crate) struct Answer {
    source: Source,
    /// Bytes that are still to come.
    left: u64,
    record: Record,
    log: Arc<dyn AccessLog>,
    /// A place among the answers that are made, while this one takes memory.
    place: Option<OwnedSemaphorePermit>,
}

enum Source {
    Bytes(Bytes),
    File { file: File, at: u64 },
    Reading { task: JoinHandle<Piece>, at: u64 },
    Made(mpsc::Receiver<io::Result<Bytes>>),
    Done,
}

type Piece = (File, io::Result<Bytes>);

impl Answer {
    pub(crate) fn of_bytes(bytes: Bytes, record: Record, log: Arc<dyn AccessLog>) -> Answer {
        Answer {
            left: bytes.len() as u64,
            source: Source::Bytes(bytes),
            record,
            log,
            place: None,
        }
    }

    pub(crate) fn of_file(
        file: File,
        from: u64,
        to: u64,
        record: Record,
        log: Arc<dyn AccessLog>,
    ) -> Answer {
        Answer {
            left: to - from,
            source: Source::File { file, at: from },
            record,
            log,
            place: None,
        }
    }

    /// An object in the form of an archive, made while it is sent.
    pub(crate) fn of_made(
        repo: Arc<Repo>,
        id: ContentId,
        record: Record,
        log: Arc<dyn AccessLog>,
    ) -> Answer {
        let (to, from) = mpsc::channel(4);
        tokio::task::spawn_blocking(move || {
            let mut out = BufWriter::with_capacity(PIECE as usize, Pieces(to.clone()));
            let made = write_archive_form(&*repo, &id, &mut out).map_err(|e| e.to_string());
            let made = made.and_then(|()| out.flush().map_err(|e| e.to_string()));
            if let Err(e) = made {
                // Breaks the connection: half an object must not look like a whole one.
                let _ = to.blocking_send(Err(io::Error::other(e)));
            }
        });
        Answer {
            left: u64::MAX,
            source: Source::Made(from),
            record,
            log,
            place: None,
        }
    }

    /// Keeps a place until the answer has been sent.
    pub(crate) fn holding(mut self, place: Option<OwnedSemaphorePermit>) -> Answer {
        self.place = place;
        self
    }

    /// An answer whose body is not sent.
    pub(crate) fn empty(record: Record, log: Arc<dyn AccessLog>) -> Answer {
        Answer::of_bytes(Bytes::new(), record, log)
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.log.record(&self.record);
    }
}

/// A file that became shorter cannot be what the head announced: the connection must break.
fn read_piece(file: &File, at: u64, length: u64) -> io::Result<Bytes> {
    let mut buffer = BytesMut::zeroed(usize::try_from(length).unwrap_or(0));
    file.read_exact_at(&mut buffer, at)?;
    Ok(buffer.freeze())
}

impl Body for Answer {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        loop {
            if this.left == 0 {
                return Poll::Ready(None);
            }
            match std::mem::replace(&mut this.source, Source::Done) {
                Source::Done => return Poll::Ready(None),
                Source::Bytes(bytes) => {
                    this.left = 0;
                    this.record.bytes += bytes.len() as u64;
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                Source::File { file, at } => {
                    let length = this.left.min(PIECE);
                    let task = tokio::task::spawn_blocking(move || {
                        let piece = read_piece(&file, at, length);
                        (file, piece)
                    });
                    this.source = Source::Reading { task, at };
                }
                Source::Made(mut from) => {
                    let Poll::Ready(piece) = from.poll_recv(cx) else {
                        this.source = Source::Made(from);
                        return Poll::Pending;
                    };
                    let Some(piece) = piece else {
                        this.left = 0;
                        return Poll::Ready(None);
                    };
                    let piece = piece?;
                    this.record.bytes += piece.len() as u64;
                    this.source = Source::Made(from);
                    return Poll::Ready(Some(Ok(Frame::data(piece))));
                }
                Source::Reading { mut task, at } => {
                    let Poll::Ready(done) = Pin::new(&mut task).poll(cx) else {
                        this.source = Source::Reading { task, at };
                        return Poll::Pending;
                    };
                    let (file, piece) = done.map_err(io::Error::other)?;
                    let piece = piece?;
                    let length = piece.len() as u64;
                    this.left -= length;
                    this.record.bytes += length;
                    this.source = Source::File {
                        file,
                        at: at + length,
                    };
                    return Poll::Ready(Some(Ok(Frame::data(piece))));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Made(_) => SizeHint::default(),
            _ => SizeHint::with_exact(self.left),
        }
    }
}

/// A writer whose bytes are sent.
struct Pieces(mpsc::Sender<io::Result<Bytes>>);

impl Write for Pieces {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0
            .blocking_send(Ok(Bytes::copy_from_slice(buf)))
            .map(|()| buf.len())
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
