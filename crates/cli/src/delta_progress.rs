//! The bar of `static-delta generate`.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use indicatif::{DecimalBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use osier_delta::generate::{Phase, Progress};

use crate::pace::Pace;
use crate::progress::clock;

/// Time between two looks at the counters.
const PERIOD: Duration = Duration::from_millis(125);
/// In a full bar.
const STEPS: u64 = 1000;

/// What was told of each phase: bytes to do and done.
#[derive(Debug, Default)]
pub struct DeltaProgress([[AtomicU64; 2]; Phase::ALL.len()]);

impl DeltaProgress {
    /// Does `work` while a bar on standard error, if that is a terminal, shows what it tells this.
    pub fn watch<T>(&self, what: &str, work: impl FnOnce() -> T) -> T {
        if !std::io::stderr().is_terminal() {
            return work();
        }
        let target = ProgressDrawTarget::stderr_with_hz(10);
        let bar = ProgressBar::with_draw_target(Some(STEPS), target);
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {percent}%") {
            bar.set_style(style);
        }
        let before = self.now();
        let mut pace = Pace::default();
        let result = std::thread::scope(|scope| {
            let (done, ended) = std::sync::mpsc::channel::<()>();
            scope.spawn(|| {
                let ended = ended;
                while ended.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
                    let now = since(&before, &self.now());
                    pace.observe(bar.elapsed(), effort(&now)[1]);
                    let (text, part) = told(&now, &mut pace);
                    bar.set_message(format!("{what}{text}"));
                    bar.set_position(part);
                }
            });
            let result = work();
            drop(done);
            result
        });
        bar.finish_and_clear();
        result
    }

    fn now(&self) -> Counts {
        let load = |[all, done]: &[AtomicU64; 2]| {
            [all.load(Ordering::Relaxed), done.load(Ordering::Relaxed)]
        };
        [
            load(&self.0[0]),
            load(&self.0[1]),
            load(&self.0[2]),
            load(&self.0[3]),
        ]
    }
}

impl Progress for DeltaProgress {
    fn more(&self, phase: Phase, bytes: u64) {
        self.0[phase as usize][0].fetch_add(bytes, Ordering::Relaxed);
    }

    fn done(&self, phase: Phase, bytes: u64) {
        self.0[phase as usize][1].fetch_add(bytes, Ordering::Relaxed);
    }
}

type Counts = [[u64; 2]; Phase::ALL.len()];

/// What was counted for this delta: the counters go on from one to the next.
fn since(before: &Counts, now: &Counts) -> Counts {
    let mut out = *now;
    for (out, before) in out.iter_mut().flatten().zip(before.iter().flatten()) {
        *out -= before;
    }
    out
}

/// How long a byte takes in a phase, compared with the others.
fn weight(phase: Phase) -> u64 {
    match phase {
        // Its end is not known, and is near.
        Phase::ReadingTrees => 0,
        Phase::Comparing => 1,
        Phase::Patching => 30,
        Phase::Packing => 50,
    }
}

/// What there is to do and what is done, of all phases.
fn effort(counts: &Counts) -> [u64; 2] {
    let mut sum = [0u64; 2];
    for phase in Phase::ALL {
        for (sum, n) in sum.iter_mut().zip(counts[phase as usize]) {
            *sum = sum.saturating_add(n.saturating_mul(weight(phase)));
        }
    }
    sum
}

/// What is said, and how much of the bar is full.
fn told(counts: &Counts, pace: &mut Pace) -> (String, u64) {
    let (phase, text) = match Phase::ALL.into_iter().rev().find(|phase| {
        let [all, done] = counts[*phase as usize];
        all > 0 && done > 0
    }) {
        Some(Phase::Packing) => (Phase::Packing, "Packing"),
        Some(Phase::Patching) => (Phase::Patching, "Patching"),
        Some(Phase::Comparing) => (Phase::Comparing, "Comparing"),
        _ => return ("Reading trees".to_owned(), 0),
    };
    let [all, done] = counts[phase as usize];
    let done = done.min(all);
    let [effort, spent] = effort(counts);
    // What there is to pack is known when all has been compared; before that no end is in sight.
    let left = match counts[Phase::Packing as usize][0] {
        0 => None,
        _ => pace.left(effort.saturating_sub(spent)),
    };
    let left = left.map_or_else(String::new, |seconds| format!(", {} left", clock(seconds)));
    let text = format!("{text}: {}/{}{left}", DecimalBytes(done), DecimalBytes(all));
    let part = match counts[Phase::Packing as usize][0] {
        0 => 0,
        _ => (u128::from(spent.min(effort)) * u128::from(STEPS) / u128::from(effort.max(1))) as u64,
    };
    (text, part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_phase_is_told_with_the_time_left_of_all() {
        let mut pace = Pace::default();
        let progress = DeltaProgress::default();
        let mut say = |seconds| {
            let now = progress.now();
            pace.observe(Duration::from_secs(seconds), effort(&now)[1]);
            told(&now, &mut pace)
        };
        progress.done(Phase::ReadingTrees, 900);
        assert_eq!(say(0), ("Reading trees".to_owned(), 0));
        progress.more(Phase::Comparing, 2000);
        progress.done(Phase::Comparing, 1000);
        assert_eq!(say(1), ("Comparing: 1.00 kB/2.00 kB".to_owned(), 0));
        progress.done(Phase::Comparing, 1000);
        progress.more(Phase::Packing, 1000);
        progress.done(Phase::Packing, 500);
        let (text, part) = say(2);
        assert_eq!(text, "Packing: 500 B/1.00 kB, 2s left");
        assert_eq!(part, 519);
    }

    #[test]
    fn the_next_delta_begins_at_nothing() {
        let progress = DeltaProgress::default();
        progress.more(Phase::Packing, 10);
        let before = progress.now();
        progress.more(Phase::Packing, 5);
        progress.done(Phase::Packing, 1);
        assert_eq!(since(&before, &progress.now())[3], [5, 1]);
    }
}
