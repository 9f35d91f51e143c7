//! How far long work is: a bar for people, nothing (or what the C tool prints) for pipes.

use std::fmt;
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use indicatif::{DecimalBytes, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use osier_store::parallel::Progress;

/// Work shorter than this shows no bar.
const PATIENCE: Duration = Duration::from_millis(400);
/// Updates of a bar each second.
const RATE: u8 = 8;

/// A bar on standard error with counts, bytes, rate and time left; invisible
/// unless a terminal is there to show it and the work takes a while.
pub struct Bar {
    objects: ProgressBar,
    bytes: Arc<AtomicU64>,
    began: Instant,
    shown: AtomicBool,
}

impl Bar {
    /// A bar for `action`, as `Checking objects`.
    #[must_use]
    pub fn new(action: &'static str) -> Self {
        let objects =
            ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()).with_message(action);
        let bytes = Arc::new(AtomicU64::new(0));
        objects.set_style(style("{msg}: {pos}{amount}, {rate}", &bytes));
        // Without a terminal it counts as shown and stays hidden.
        let shown = AtomicBool::new(!std::io::stderr().is_terminal());
        Self {
            objects,
            bytes,
            began: Instant::now(),
            shown,
        }
    }

    /// Does `work` while the bar shows what `so_far` tells: objects and their bytes.
    pub fn watch<T>(self, so_far: impl Fn() -> (u64, u64) + Sync, work: impl FnOnce() -> T) -> T {
        if self.shown.load(Ordering::Relaxed) {
            return work();
        }
        std::thread::scope(|scope| {
            let (done, ended) = std::sync::mpsc::channel::<()>();
            scope.spawn(|| {
                let ended = ended;
                let period = Duration::from_secs(1) / u32::from(RATE);
                while ended.recv_timeout(period) == Err(RecvTimeoutError::Timeout) {
                    let (objects, bytes) = so_far();
                    self.bytes.store(bytes, Ordering::Relaxed);
                    self.objects.set_position(objects);
                    self.show_if_it_takes_a_while();
                }
            });
            let result = work();
            drop(done);
            result
        })
    }

    fn show_if_it_takes_a_while(&self) {
        if !self.shown.load(Ordering::Relaxed)
            && self.began.elapsed() >= PATIENCE
            && !self.shown.swap(true, Ordering::Relaxed)
        {
            self.objects
                .set_draw_target(ProgressDrawTarget::stderr_with_hz(RATE));
        }
    }

    /// Removes the bar.
    pub fn finish(&self) {
        self.objects.finish_and_clear();
    }

    /// Prints a line to standard error without breaking the bar.
    pub fn line_to_stderr(&self, line: &str) {
        // Nobody is left to tell if this fails.
        self.objects
            .suspend(|| drop(writeln!(std::io::stderr(), "{line}")));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Progress for Bar {
    fn object_done(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.objects.inc(1);
        self.show_if_it_takes_a_while();
    }

    fn total(&self, objects: u64) {
        self.objects.set_length(objects);
        let template = "{msg}: {wide_bar} {pos}/{len}{amount}, {rate}, {eta} left";
        self.objects.set_style(style(template, &self.bytes));
    }
}

/// `{amount}` is what was read or written so far, if anything; `{rate}` objects a second.
fn style(template: &str, bytes: &Arc<AtomicU64>) -> ProgressStyle {
    let bytes = Arc::clone(bytes);
    // A mistake in a template would show as a plain bar, never as a failed command.
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key(
            "amount",
            move |_: &ProgressState, out: &mut dyn fmt::Write| {
                // Links have no bytes to speak of.
                let bytes = bytes.load(Ordering::Relaxed);
                if bytes > 0 {
                    let _ = write!(out, ", {}", DecimalBytes(bytes));
                }
            },
        )
        .with_key("rate", |state: &ProgressState, out: &mut dyn fmt::Write| {
            let _ = write!(out, "{:.0}/s", state.per_sec());
        })
}

/// The bar of a pull: how much is known and how much is here.
pub struct PullBar {
    bar: ProgressBar,
    scanned: bool,
}

impl PullBar {
    /// A bar on standard error; invisible unless a terminal is there to show it.
    #[must_use]
    pub fn new() -> Self {
        let target = match std::io::stderr().is_terminal() {
            true => ProgressDrawTarget::stderr_with_hz(10),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            bar.set_style(style);
        }
        Self {
            bar,
            scanned: false,
        }
    }

    /// Removes the bar.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Default for PullBar {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for PullBar {
    fn drop(&mut self) {
        self.finish();
    }
}

impl osier_pull::ProgressSink for PullBar {
    fn update(&mut self, progress: &osier_pull::Progress) {
        if self.bar.is_hidden() {
            return;
        }
        let bytes = DecimalBytes(progress.bytes);
        let seconds = self.bar.elapsed().as_secs_f64();
        let rate = match seconds >= 1.0 {
            true => DecimalBytes((progress.bytes as f64 / seconds) as u64).to_string(),
            false => "-".to_owned(),
        };
        let fetched = progress.fetched_metadata + progress.fetched_content;
        let pending = progress.pending_metadata + progress.pending_content;
        // Once all listings are here, the number of objects is known.
        if progress.scanned && !self.scanned {
            self.scanned = true;
            let template = "{msg} {wide_bar} {pos}/{len} {eta} left";
            if let Ok(style) = ProgressStyle::with_template(template) {
                self.bar.set_style(style);
            }
        }
        if self.scanned {
            self.bar.set_length(fetched + pending);
            self.bar.set_position(fetched);
            self.bar
                .set_message(format!("Receiving objects: {rate}/s {bytes}"));
        } else {
            self.bar.set_message(format!(
                "Receiving metadata objects: {fetched}/(estimating) {rate}/s {bytes}"
            ));
            self.bar.tick();
        }
    }
}
