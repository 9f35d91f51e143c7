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
        if !self.objects.is_hidden() {
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
