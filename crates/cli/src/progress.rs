//! How far long work is: a bar for people, nothing (or what the C tool prints) for pipes.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use osier_store::parallel::Progress;

/// A bar on standard error with counts, bytes, rate and time left; invisible
/// unless a terminal is there to show it.
pub struct Bar {
    objects: ProgressBar,
    bytes: std::sync::atomic::AtomicU64,
}

impl Bar {
    /// A bar for `action`, as `Checking objects`.
    #[must_use]
    pub fn new(action: &'static str) -> Self {
        let target = match std::io::stderr().is_terminal() {
            true => ProgressDrawTarget::stderr_with_hz(10),
            false => ProgressDrawTarget::hidden(),
        };
        let objects = ProgressBar::with_draw_target(None, target).with_message(action);
        if let Ok(style) = ProgressStyle::with_template("{msg}: {pos}, {prefix}, {per_sec}") {
            objects.set_style(style);
        }
        Self {
            objects,
            bytes: 0.into(),
        }
    }

    /// Removes the bar.
    pub fn finish(&self) {
        self.objects.finish_and_clear();
    }

    /// Prints a line to standard error without breaking the bar.
    pub fn line_to_stderr(&self, line: &str) {
        self.objects.suspend(|| eprintln!("{line}"));
    }

    fn add(&self, bytes: u64) {
        let bytes = bytes
            + self
                .bytes
                .fetch_add(bytes, std::sync::atomic::Ordering::Relaxed);
        // Formatting and locking for each of many thousand objects would show.
        if !self.objects.is_hidden() && self.objects.position().is_multiple_of(64) {
            self.objects
                .set_prefix(indicatif::DecimalBytes(bytes).to_string());
        }
        self.objects.inc(1);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Progress for Bar {
    fn object_done(&self, bytes: u64) {
        self.add(bytes);
    }

    fn total(&self, objects: u64) {
        self.objects.set_length(objects);
        let template = "{msg}: {wide_bar} {pos}/{len}, {prefix}, {per_sec}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.objects.set_style(style);
        }
    }
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
        let bytes = indicatif::DecimalBytes(progress.bytes);
        let seconds = self.bar.elapsed().as_secs_f64();
        let rate = match seconds >= 1.0 {
            true => indicatif::DecimalBytes((progress.bytes as f64 / seconds) as u64).to_string(),
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
