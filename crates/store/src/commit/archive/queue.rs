//! Bodies on their way from the thread that reads an archive to those that hash and compress.

use crossbeam_channel::{Receiver, Sender, bounded};
use std::io::{self, Read};
use std::sync::{Condvar, Mutex, PoisonError};

/// Bytes of file contents that may wait in memory.
const MAX_WAITING: usize = 8 * 1024 * 1024;
/// What each entry counts beyond its content: its name and attributes wait too.
const ENTRY: usize = 1024;

/// Keeps account of what waits.
#[derive(Default)]
pub(super) struct Budget {
    waiting: Mutex<usize>,
    freed: Condvar,
}

impl Budget {
    /// Waits until there is room for `bytes` more. They count until what this gives is dropped.
    pub(super) fn hold(&self, bytes: usize) -> Held<'_> {
        let bytes = bytes + ENTRY;
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        while *waiting > 0 && *waiting + bytes > MAX_WAITING {
            waiting = self
                .freed
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
        *waiting += bytes;
        Held {
            budget: self,
            bytes,
        }
    }
}

/// Bytes that count as waiting.
pub(super) struct Held<'a> {
    budget: &'a Budget,
    bytes: usize,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let waiting = self.budget.waiting.lock();
        *waiting.unwrap_or_else(PoisonError::into_inner) -= self.bytes;
        self.budget.freed.notify_one();
    }
}

/// Size of the pieces that large bodies are passed on in.
const PIECE: usize = 256 * 1024;
/// How many of them may wait.
const PIECES: usize = 8;

/// The reading thread's end of a large body.
pub(super) struct PieceSender(Sender<io::Result<Vec<u8>>>);

/// The worker's end: a reader.
pub(super) struct PieceReader {
    pieces: Receiver<io::Result<Vec<u8>>>,
    current: io::Cursor<Vec<u8>>,
}

pub(super) fn pieces() -> (PieceSender, PieceReader) {
    let (sender, pieces) = bounded(PIECES);
    let reader = PieceReader {
        pieces,
        current: io::Cursor::default(),
    };
    (PieceSender(sender), reader)
}

impl PieceSender {
    /// Passes on all that `from` has. Stops early when the worker has given up: it has the better error.
    pub(super) fn send_all(self, from: &mut dyn Read) -> io::Result<()> {
        loop {
            let mut piece = Vec::with_capacity(PIECE);
            let sent = match from.take(PIECE as u64).read_to_end(&mut piece) {
                Ok(0) => return Ok(()),
                Ok(_) => self.0.send(Ok(piece)),
                Err(e) => {
                    // The worker must not take a part for the whole.
                    let again = io::Error::new(e.kind(), e.to_string());
                    let _ = self.0.send(Err(again));
                    return Err(e);
                }
            };
            if sent.is_err() {
                return Ok(());
            }
        }
    }
}

impl Read for PieceReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let n = self.current.read(out)?;
            if n > 0 || out.is_empty() {
                return Ok(n);
            }
            match self.pieces.recv() {
                Ok(piece) => self.current = io::Cursor::new(piece?),
                Err(_) => return Ok(0),
            }
        }
    }
}
