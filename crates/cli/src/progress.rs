//! How far long work is: a bar for people, nothing (or what the C tool prints) for pipes.

use std::fmt;
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use console::{Term, measure_text_width};
use indicatif::{
    DecimalBytes, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle,
};
use osier_store::parallel::Progress;

use crate::pace::Pace;
use crate::visible::visible;

/// Work shorter than this shows no bar.
const PATIENCE: Duration = Duration::from_millis(400);
/// Updates of a bar each second.
const RATE: u8 = 8;

/// A bar narrower than this tells nothing.
const BAR_MIN: usize = 10;

/// Columns of the terminal, which may change at any time. A line that is wider leaves its rest behind when it is redrawn.
fn columns() -> usize {
    let size = Term::stderr().size_checked();
    size.map_or(80, |(_, columns)| usize::from(columns))
}

/// A bar on standard error with counts, bytes, rate and time left as far as they fit; invisible
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
        objects.set_style(style("{msg}: {pos}{amount}{rate}", &bytes));
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
        let template = "{msg}: {wide_bar} {pos}/{len}{amount}{rate}{left}";
        self.objects.set_style(style(template, &self.bytes));
    }
}

/// `{amount}` is what was read or written so far, if anything; `{rate}` objects a second; `{left}` the time. Each is there
/// where the terminal has room for it.
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
                if bytes > 0 && columns() >= 70 {
                    let _ = write!(out, ", {}", DecimalBytes(bytes));
                }
            },
        )
        .with_key("rate", |state: &ProgressState, out: &mut dyn fmt::Write| {
            if columns() >= 80 {
                let _ = write!(out, ", {:.0}/s", state.per_sec());
            }
        })
        .with_key("left", |state: &ProgressState, out: &mut dyn fmt::Write| {
            if columns() >= 60 {
                let _ = write!(out, ", {:#} left", HumanDuration(state.eta()));
            }
        })
}

/// The bar of a pull: how much is known and how much is here.
pub struct PullBar {
    bar: ProgressBar,
    pace: Pace,
    form: Form,
}

/// What a line is made of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Form {
    Text,
    Percent,
    Bar,
}

impl Form {
    fn template(self) -> &'static str {
        match self {
            // Cut off where even the shortest text is too long.
            Form::Text => "{wide_msg}",
            Form::Percent => "{msg} {percent:>3}%",
            Form::Bar => "{msg} {wide_bar} {percent:>3}%",
        }
    }

    /// Columns of a line beside its text.
    fn width(self) -> usize {
        match self {
            Form::Text => 0,
            Form::Percent => " 100%".len(),
            Form::Bar => " ".len() + BAR_MIN + " 100%".len(),
        }
    }
}

/// The longest of the texts that leaves room for the bar; where only the shortest would, rather a longer one with a
/// percentage. Without an end there is neither, and the longest text that fits.
fn fitting(texts: &[String], columns: usize, has_end: bool) -> (&str, Form) {
    let shortest = texts.len().saturating_sub(1);
    let tries: &[(Form, &[String])] = match has_end {
        true => &[(Form::Bar, &texts[..shortest]), (Form::Percent, texts)],
        false => &[(Form::Text, texts)],
    };
    for (form, texts) in tries {
        let fits = |text: &&String| measure_text_width(text) + form.width() <= columns;
        if let Some(text) = texts.iter().find(fits) {
            return (text, *form);
        }
    }
    (texts.last().map_or("", String::as_str), Form::Text)
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
        if let Ok(style) = ProgressStyle::with_template(Form::Text.template()) {
            bar.set_style(style);
        }
        Self {
            bar,
            pace: Pace::default(),
            form: Form::Text,
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
    fn warning(&mut self, text: &str) {
        // Servers have a say in the text. Nobody is left to tell if this fails.
        let text = visible(text);
        self.bar
            .suspend(|| drop(writeln!(std::io::stderr(), "warning: {text}")));
    }

    fn update(&mut self, progress: &osier_pull::Progress) {
        if self.bar.is_hidden() {
            return;
        }
        self.pace.observe(self.bar.elapsed(), progress.bytes);
        let (texts, length) = told(progress, &mut self.pace);
        let (text, form) = fitting(&texts, columns(), length.is_some());
        if form != self.form {
            self.form = form;
            if let Ok(style) = ProgressStyle::with_template(form.template()) {
                self.bar.set_style(style);
            }
        }
        if let Some((done, whole)) = length {
            self.bar.set_length(whole);
            self.bar.set_position(done);
        }
        self.bar.set_message(text.to_owned());
        self.bar.tick();
    }
}

/// What is said of a pull, from much to little, and how far it is, if that is known: in bytes where these are known, else in
/// objects.
fn told(progress: &osier_pull::Progress, pace: &mut Pace) -> (Vec<String>, Option<(u64, u64)>) {
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
        let texts = vec![
            format!("Receiving objects: {fetched}, {bytes}/{of} {rate}/s{left}"),
            format!("Receiving: {bytes}/{of} {rate}/s{left}"),
            format!("{bytes}/{of}{left}"),
            format!("{bytes}"),
        ];
        return (texts, Some((progress.bytes.min(whole), whole)));
    }
    if progress.scanned {
        // As wide as it will be, so that the bar keeps its place.
        let digits = objects.to_string().len();
        let texts = vec![
            format!("Receiving objects: {fetched:>digits$}/{objects} {rate}/s {bytes}{left}"),
            format!("Receiving: {fetched:>digits$}/{objects} {rate}/s{left}"),
            format!("{fetched:>digits$}/{objects}{left}"),
            format!("{fetched}"),
        ];
        return (texts, Some((fetched, objects)));
    }
    let texts = vec![
        format!("Receiving metadata objects: {fetched}/(estimating) {rate}/s {bytes}"),
        format!("Receiving metadata: {fetched} {rate}/s"),
        format!("Receiving: {fetched}"),
    ];
    (texts, None)
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
        let (texts, length) = told(&progress, &mut pace);
        assert_eq!(
            (texts[0].as_str(), length),
            (
                "Receiving metadata objects: 3/(estimating) -/s 1.00 kB",
                None
            )
        );
        pace.observe(Duration::from_secs(1), 1000);
        progress.scanned = true;
        progress.pending_content = 5;
        let (texts, length) = told(&progress, &mut pace);
        assert_eq!(
            (texts[0].as_str(), length),
            (
                "Receiving objects: 3/9 1.00 kB/s 1.00 kB, 2s left",
                Some((3, 9))
            )
        );
        progress.expected_bytes = Some(100_000);
        let (texts, length) = told(&progress, &mut pace);
        assert_eq!(
            (texts[0].as_str(), length),
            (
                "Receiving objects: 3, 1.00 kB/100.00 kB 1.00 kB/s, 1m39s left",
                Some((1000, 100_000))
            )
        );
    }

    #[test]
    fn a_line_is_never_wider_than_the_terminal() {
        let mut pace = Pace::default();
        pace.observe(Duration::ZERO, 0);
        pace.observe(Duration::from_secs(1), 9_000);
        for (expected_bytes, scanned) in [(None, false), (None, true), (Some(99_000_000), true)] {
            let progress = Progress {
                fetched_content: 1234,
                pending_content: 99_999,
                bytes: 1_234_567,
                expected_bytes,
                scanned,
                ..Progress::default()
            };
            let (texts, length) = told(&progress, &mut pace);
            let mut said = 0;
            for columns in 12..200 {
                let (text, form) = fitting(&texts, columns, length.is_some());
                let width = measure_text_width(text) + form.width();
                assert!(width <= columns || text == texts[texts.len() - 1]);
                assert_eq!(form == Form::Text, length.is_none());
                assert!(form == Form::Bar || length.is_none() || columns < 45);
                said = said.max(text.len());
            }
            assert_eq!(said, texts[0].len());
        }
    }

    #[test]
    fn clocks() {
        assert_eq!(
            [0, 59, 60, 3599, 3600, 90_061].map(clock).join(" "),
            "0s 59s 1m00s 59m59s 1h00m 25h01m"
        );
    }
}
