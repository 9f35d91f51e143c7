//! What a pull tells about itself while it works.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Where a pull stands. All numbers only grow, but `pending_*`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Progress {
    /// Metadata objects that arrived.
    pub fetched_metadata: u64,
    /// Content objects that arrived.
    pub fetched_content: u64,
    /// Metadata objects known to be needed and not here yet.
    pub pending_metadata: u64,
    /// Content objects known to be needed and not here yet.
    pub pending_content: u64,
    /// Bytes received since the objects began to be fetched, whatever for.
    pub bytes: u64,
    /// Objects taken from a local cache repository.
    pub from_cache: u64,
    /// Whether all of the tree is known, so that the pending numbers are whole.
    pub scanned: bool,
}

/// Hears about the progress of a pull, on the thread that fetches: it must return soon.
pub trait ProgressSink {
    /// Called a few times a second at most, and once at the end.
    fn update(&mut self, progress: &Progress);
}

/// Hears nothing.
impl ProgressSink for () {
    fn update(&mut self, _: &Progress) {}
}

/// Asks a pull, from another thread or a signal handler's thread, to stop.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Not cancelled.
    #[must_use]
    pub fn new() -> Cancel {
        Cancel::default()
    }

    /// Asks to stop; what was fetched stays for the next pull.
    pub fn cancel(&self) {
        self.0.store(true, Relaxed);
    }

    /// Whether it was asked for.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Relaxed)
    }
}

/// Counted from several threads.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    bytes: AtomicU64,
    repeated: AtomicU64,
}

impl Counters {
    pub fn received(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Relaxed);
    }

    pub fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// A request failed and is made again.
    pub fn repeat(&self) {
        self.repeated.fetch_add(1, Relaxed);
    }

    pub fn repeated(&self) -> u64 {
        self.repeated.load(Relaxed)
    }

    /// The objects' bytes are counted alone.
    pub fn restart(&self) {
        self.bytes.store(0, Relaxed);
    }
}
