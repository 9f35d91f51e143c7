//! What a pull tells about itself while it works.

use osier_object::CommitId;
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
    /// How many bytes the objects take in all, as deltas and `ostree.sizes` tell; nothing where some commit does not tell.
    pub expected_bytes: Option<u64>,
    /// Objects taken from a local cache repository.
    pub from_cache: u64,
    /// Whether all of the tree is known, so that the pending numbers are whole.
    pub scanned: bool,
}

/// A commit that is to be pulled.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PulledRef {
    /// The ref that names it, as its server has it; none for a commit that was asked for by its checksum.
    pub name: Option<String>,
    /// The ref's collection, where the summary tells it.
    pub collection: Option<String>,
    /// The commit.
    pub commit: CommitId,
    /// What the ref is here so far.
    pub old: Option<CommitId>,
}

/// Hears about the progress of a pull, on the thread that fetches: it must return soon.
pub trait ProgressSink {
    /// Called once, when it is known which commits are to be pulled, before any of them is fetched.
    fn resolved(&mut self, _: &[PulledRef]) {}

    /// Something is not as it should be, and the pull goes on without it.
    fn warning(&mut self, _: &str) {}

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
    expected: AtomicU64,
    unknown: AtomicBool,
    content_written: AtomicU64,
}

impl Counters {
    pub fn received(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Relaxed);
    }

    pub fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// Content was written that came as an object of its own. (What deltas make is not told.)
    pub fn wrote_content(&self, bytes: u64) {
        self.content_written.fetch_add(bytes, Relaxed);
    }

    pub fn content_written(&self) -> u64 {
        self.content_written.load(Relaxed)
    }

    /// So many bytes more will come.
    pub fn expect(&self, bytes: u64) {
        let _ = self.expected.fetch_update(Relaxed, Relaxed, |before| {
            Some(before.saturating_add(bytes))
        });
    }

    /// Something will come that nobody knows the size of.
    pub fn expect_anything(&self) {
        self.unknown.store(true, Relaxed);
    }

    /// What will have come in the end, if that is known.
    pub fn expected(&self) -> Option<u64> {
        let expected = self.expected.load(Relaxed);
        let known = expected > 0 && !self.unknown.load(Relaxed);
        known.then(|| expected.max(self.bytes()))
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
