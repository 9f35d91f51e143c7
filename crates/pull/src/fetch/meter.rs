//! Giving up on a transfer that is too slow for too long.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Watches one transfer. Only time spent waiting for the network counts: that we are busy is not the peer's fault.
pub(super) struct Meter {
    limit: u64,
    patience: Duration,
    sample: Duration,
    /// Of the sample under way.
    waited: Duration,
    bytes: u64,
    slow_for: Duration,
}

/// The transfer was slower than allowed for as long as allowed.
#[derive(Debug)]
pub(super) struct TooSlow;

impl Meter {
    /// Fails when fewer than `limit` bytes a second arrive for `patience`; never, if either is zero.
    pub fn new(limit: u64, patience: Duration) -> Meter {
        let sample = patience.clamp(Duration::from_millis(10), Duration::from_secs(1));
        Meter {
            limit,
            patience,
            sample,
            waited: Duration::ZERO,
            bytes: 0,
            slow_for: Duration::ZERO,
        }
    }

    pub fn received(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    /// Waits for the network.
    pub async fn wait<T>(&mut self, future: impl Future<Output = T>) -> Result<T, TooSlow> {
        if self.limit == 0 || self.patience.is_zero() {
            return Ok(future.await);
        }
        let mut future = pin!(future);
        loop {
            let start = Instant::now();
            let left = self
                .sample
                .saturating_sub(self.waited)
                .max(Duration::from_millis(1));
            let done = timeout(left, &mut future).await;
            self.waited += start.elapsed();
            if self.waited >= self.sample {
                self.judge();
            }
            match done {
                Ok(value) => return Ok(value),
                Err(_) if self.slow_for >= self.patience => return Err(TooSlow),
                Err(_) => {}
            }
        }
    }

    fn judge(&mut self) {
        let millis = u64::try_from(self.waited.as_millis())
            .unwrap_or(u64::MAX)
            .max(1);
        if self.bytes.saturating_mul(1000) / millis < self.limit {
            self.slow_for += self.waited;
        } else {
            self.slow_for = Duration::ZERO;
        }
        self.waited = Duration::ZERO;
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(future)
    }

    #[test]
    fn silence_ends_a_transfer() {
        run(async {
            let mut meter = Meter::new(1000, Duration::from_secs(30));
            let start = Instant::now();
            assert!(meter.wait(std::future::pending::<()>()).await.is_err());
            assert_eq!(start.elapsed().as_secs(), 30);
        });
    }

    #[test]
    fn a_trickle_ends_and_a_stream_does_not() {
        run(async {
            for (bytes, ends) in [(400, true), (600, false)] {
                let mut meter = Meter::new(1000, Duration::from_secs(30));
                let mut failed = false;
                for _ in 0..200 {
                    failed |= meter
                        .wait(tokio::time::sleep(Duration::from_millis(500)))
                        .await
                        .is_err();
                    meter.received(bytes);
                }
                // The last chunk of a trickle still counts, so the verdict may come one wait later.
                failed |= meter
                    .wait(tokio::time::sleep(Duration::from_secs(2)))
                    .await
                    .is_err()
                    && ends;
                assert_eq!(failed, ends, "{bytes} bytes every half second");
            }
        });
    }

    #[test]
    fn zero_switches_it_off() {
        run(async {
            let mut meter = Meter::new(0, Duration::from_secs(1));
            assert!(
                meter
                    .wait(tokio::time::sleep(Duration::from_secs(100)))
                    .await
                    .is_ok()
            );
        });
    }
}
