//! Work done by several threads whose results are taken in order, within a bound of memory.

use crate::error::Result;
use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

struct State<R> {
    next: usize,
    in_flight: u64,
    done: BTreeMap<usize, (Result<R>, u64)>,
    stopped: bool,
}

struct Shared<R> {
    state: Mutex<State<R>>,
    changed: Condvar,
}

impl<R> Shared<R> {
    fn lock(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'g>(&self, state: MutexGuard<'g, State<R>>) -> MutexGuard<'g, State<R>> {
        self.changed
            .wait(state)
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the work when the taking thread is gone, by an error or a panic even.
struct Stop<'s, R>(&'s Shared<R>);

impl<R> Drop for Stop<'_, R> {
    fn drop(&mut self) {
        self.0.lock().stopped = true;
        self.0.changed.notify_all();
    }
}

/// How to share work out.
pub(super) struct Bounds<C, K> {
    pub(super) threads: usize,
    /// What may be in flight: being worked on, or waiting to be taken. One item always may.
    pub(super) limit: u64,
    /// What an item takes while it is worked on.
    pub(super) cost: C,
    /// What its result takes until it is taken.
    pub(super) kept: K,
}

/// Works on all items and has `take` see the results in their order, whatever thread was first.
pub(super) fn run<T: Sync, R: Send>(
    items: &[T],
    bounds: &Bounds<impl Fn(&T) -> u64 + Sync, impl Fn(&R) -> u64 + Sync>,
    work: impl Fn(&T) -> Result<R> + Sync,
    mut take: impl FnMut(&T, R) -> Result<()>,
) -> Result<()> {
    let shared = Shared {
        state: Mutex::new(State {
            next: 0,
            in_flight: 0,
            done: BTreeMap::new(),
            stopped: false,
        }),
        changed: Condvar::new(),
    };
    std::thread::scope(|scope| {
        let _stop = Stop(&shared);
        for _ in 0..bounds.threads.clamp(1, items.len().max(1)) {
            scope.spawn(|| {
                // A panic in here must not leave the taking thread waiting.
                let on_panic = Stop(&shared);
                worker(items, bounds, &work, &shared);
                std::mem::forget(on_panic);
            });
        }
        for (i, item) in items.iter().enumerate() {
            let mut state = shared.lock();
            let (result, kept) = loop {
                if let Some(done) = state.done.remove(&i) {
                    break done;
                }
                if state.stopped {
                    // Joining the threads passes the panic on.
                    return Ok(());
                }
                state = shared.wait(state);
            };
            drop(state);
            take(item, result?)?;
            shared.lock().in_flight -= kept;
            shared.changed.notify_all();
        }
        Ok(())
    })
}

fn worker<T: Sync, R: Send>(
    items: &[T],
    bounds: &Bounds<impl Fn(&T) -> u64 + Sync, impl Fn(&R) -> u64 + Sync>,
    work: &(impl Fn(&T) -> Result<R> + Sync),
    shared: &Shared<R>,
) {
    loop {
        let mut state = shared.lock();
        let (index, cost) = loop {
            let Some(item) = items.get(state.next) else {
                return;
            };
            if state.stopped {
                return;
            }
            let cost = (bounds.cost)(item);
            if state.in_flight == 0 || state.in_flight.saturating_add(cost) <= bounds.limit {
                break (state.next, cost);
            }
            state = shared.wait(state);
        };
        state.next += 1;
        state.in_flight += cost;
        drop(state);
        let result = work(&items[index]);
        let kept = result.as_ref().map_or(0, &bounds.kept).min(cost);
        let mut state = shared.lock();
        state.in_flight -= cost - kept;
        state.done.insert(index, (result, kept));
        drop(state);
        shared.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn in_order_and_within_the_bound() {
        let items: Vec<u64> = (0..200).map(|i| (i * 37) % 50 + 1).collect();
        for threads in [1, 2, 7] {
            let (now, most) = (AtomicU64::new(0), AtomicU64::new(0));
            let mut seen = Vec::new();
            let bounds = Bounds {
                threads,
                limit: 60,
                cost: |n: &u64| *n,
                kept: |_: &u64| 1,
            };
            let work = |n: &u64| {
                let sum = now.fetch_add(*n, Ordering::SeqCst) + n;
                most.fetch_max(sum, Ordering::SeqCst);
                std::thread::yield_now();
                now.fetch_sub(*n, Ordering::SeqCst);
                Ok(*n)
            };
            run(&items, &bounds, work, |item, n| {
                assert_eq!(*item, n);
                seen.push(n);
                Ok(())
            })
            .unwrap();
            assert_eq!(seen, items);
            assert!(most.into_inner() <= 60);
        }
    }

    #[test]
    fn an_error_ends_it_on_either_side() {
        let items: Vec<u64> = (0..100).collect();
        let bounds = Bounds {
            threads: 3,
            limit: 10,
            cost: |_: &u64| 3,
            kept: |_: &u64| 3,
        };
        let failed = run(
            &items,
            &bounds,
            |n| match n {
                7 => Err(Error::refused("seven")),
                n => Ok(*n),
            },
            |_, _| Ok(()),
        );
        assert!(failed.unwrap_err().to_string().contains("seven"));
        let failed = run(
            &items,
            &bounds,
            |n| Ok(*n),
            |_, n| match n {
                9 => Err(Error::refused("nine")),
                _ => Ok(()),
            },
        );
        assert!(failed.unwrap_err().to_string().contains("nine"));
    }
}
