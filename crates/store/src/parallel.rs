//! Threads, progress and cancelling shared by all long work.

use crate::error::{Error, Result};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// The store's threads: one a core, with stacks deep enough for deep trees.
fn pool() -> Option<&'static rayon::ThreadPool> {
    static POOL: OnceLock<Option<rayon::ThreadPool>> = OnceLock::new();
    let pool = POOL.get_or_init(|| threads(0).ok());
    pool.as_ref()
}

/// So many threads beside the store's, for a caller who is to use no more; 0 for one a core. What they do by [`run`]
/// they do among themselves.
///
/// # Errors
/// When the system gives none.
pub fn threads(number: usize) -> std::io::Result<rayon::ThreadPool> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(number)
        // Only address space until it is used; a tree nested thousands deep recurses as deep.
        .stack_size(256 * 1024 * 1024)
        .thread_name(|n| format!("osier-{n}"))
        .build()
        .map_err(std::io::Error::other)
}

/// Runs `work` on the store's threads, or on those of [`threads`] that the caller is one of.
pub fn run<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    if rayon::current_thread_index().is_some() {
        return work();
    }
    match pool() {
        Some(pool) => pool.install(work),
        // No threads to be had: the calling one does it all.
        None => work(),
    }
}

/// Where the calling thread leaves work for the store's threads.
pub(crate) struct Spawner<'a, 's>(Option<&'a rayon::Scope<'s>>);

impl<'s> Spawner<'_, 's> {
    /// Has `work` done by another thread, or at once where there is none.
    pub(crate) fn spawn(&self, work: impl FnOnce() + Send + 's) {
        match self.0 {
            Some(scope) => scope.spawn(|_| work()),
            None => work(),
        }
    }

    /// Whether [`Spawner::spawn`] does the work itself.
    pub(crate) fn is_inline(&self) -> bool {
        self.0.is_none()
    }
}

/// Runs `work` on this thread, which must not be one of the store's; ends when all that it spawned is done.
pub(crate) fn scope<'s, T>(work: impl FnOnce(&Spawner<'_, 's>) -> T) -> T {
    match pool() {
        Some(pool) => pool.in_place_scope(|scope| work(&Spawner(Some(scope)))),
        None => work(&Spawner(None)),
    }
}

/// Runs `work` with what it spawns, on the store's threads. A thread of theirs that calls this may do other waiting work
/// meanwhile, so the caller holds neither locks nor thread-local buffers.
pub(crate) fn side_by_side<'s, T: Send>(work: impl FnOnce(&Spawner<'_, 's>) -> T + Send) -> T {
    match pool() {
        Some(pool) => pool.scope(|scope| work(&Spawner(Some(scope)))),
        None => work(&Spawner(None)),
    }
}

/// A flag that stops long work at its next step.
#[derive(Debug, Default)]
pub struct Cancel(AtomicBool);

impl Cancel {
    /// Asks the work to stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// # Errors
    /// [`Error::Cancelled`] once [`Cancel::cancel`] was called.
    pub fn check(&self) -> Result<()> {
        match self.0.load(Ordering::Relaxed) {
            true => Err(Error::Cancelled),
            false => Ok(()),
        }
    }
}

/// Where long work reports how far it is. Called from many threads.
pub trait Progress: Sync {
    /// One more object of `bytes` unpacked bytes is done.
    fn object_done(&self, bytes: u64);
    /// The number of objects there will be, once known.
    fn total(&self, _objects: u64) {}
}

/// Reports nothing.
#[derive(Debug, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn object_done(&self, _bytes: u64) {}
}
