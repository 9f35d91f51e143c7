//! How far long work is: a bar for people, nothing (or what the C tool prints) for pipes.

use std::fmt;
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use indicatif::{DecimalBytes, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use osier_store::parallel::Progress;

use crate::pace::Pace;

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
    pace: Pace,
    with_length: bool,
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
            pace: Pace::default(),
            with_length: false,
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
        self.pace.observe(self.bar.elapsed(), progress.bytes);
        let (text, length) = told(progress, &mut self.pace);
        // A bar needs to know its end.
        if length.is_some() && !self.with_length {
            self.with_length = true;
            if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {percent}%") {
                self.bar.set_style(style);
            }
        }
        if let Some((done, whole)) = length {
            self.bar.set_length(whole);
            self.bar.set_position(done);
        }
        self.bar.set_message(text);
        self.bar.tick();
    }
}

/// What is said of a pull, and how far it is, if that is known: in bytes where these are known, else in objects.
fn told(progress: &osier_pull::Progress, pace: &mut Pace) -> (String, Option<(u64, u64)>) {
    let fetched = progress.fetched_metadata + progress.fetched_content;
    let objects = fetched + progress.pending_metadata + progress.pending_content;
    let bytes = DecimalBytes(progress.bytes);
    let rate = match pace.rate() {
        Some(rate) => DecimalBytes(rate as u64).to_string(),
        None => "-".to_owned(),
    };
    let expected = progress.expected_bytes.filter(|whole| *whole > 0);
    // Where only objects are known, those that are missing are taken to be like those that came.
    let guessed =
        (progress.scanned && fetched > 0).then(|| progress.bytes / fetched * (objects - fetched));
    let remaining = match expected {
        Some(whole) => Some(whole.saturating_sub(progress.bytes)),
        None => guessed,
    };
    let left = remaining.and_then(|bytes| pace.left(bytes));
    let left = left.map_or_else(String::new, |seconds| format!(", {} left", clock(seconds)));
    if let Some(whole) = expected {
        let of = DecimalBytes(whole);
        return (
            format!("Receiving objects: {fetched}, {bytes}/{of} {rate}/s{left}"),
            Some((progress.bytes.min(whole), whole)),
        );
    }
    if progress.scanned {
        return (
            format!("Receiving objects: {fetched}/{objects} {rate}/s {bytes}{left}"),
            Some((fetched, objects)),
        );
    }
    let text = format!("Receiving metadata objects: {fetched}/(estimating) {rate}/s {bytes}");
    (text, None)
}

/// `9s`, `2m05s`, `3h04m`.
pub(crate) fn clock(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use osier_pull::Progress;

    #[test]
    fn what_is_known_is_told() {
        let mut pace = Pace::default();
        let mut progress = Progress {
            fetched_metadata: 3,
            pending_metadata: 1,
            bytes: 1000,
            ..Progress::default()
        };
        pace.observe(Duration::ZERO, 0);
        let (text, length) = told(&progress, &mut pace);
        assert_eq!(
            (text.as_str(), length),
            (
                "Receiving metadata objects: 3/(estimating) -/s 1.00 kB",
                None
            )
        );
        pace.observe(Duration::from_secs(1), 1000);
        progress.scanned = true;
        progress.pending_content = 5;
        let (text, length) = told(&progress, &mut pace);
        assert_eq!(
            (text.as_str(), length),
            (
                "Receiving objects: 3/9 1.00 kB/s 1.00 kB, 2s left",
                Some((3, 9))
            )
        );
        progress.expected_bytes = Some(100_000);
        let (text, length) = told(&progress, &mut pace);
        assert_eq!(
            (text.as_str(), length),
            (
                "Receiving objects: 3, 1.00 kB/100.00 kB 1.00 kB/s, 1m39s left",
                Some((1000, 100_000))
            )
        );
    }

    #[test]
    fn clocks() {
        assert_eq!(
            [0, 59, 60, 3599, 3600, 90_061].map(clock).join(" "),
            "0s 59s 1m00s 59m59s 1h00m 25h01m"
        );
    }
}
