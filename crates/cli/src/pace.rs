//! How fast work goes and when it will be done, told so that people can read it: no jumps.

use std::time::Duration;

/// Seconds after which what happened before counts for little.
const MEMORY: f64 = 5.0;
/// Before this long nothing is said: the first moments tell nothing.
const PATIENCE: f64 = 1.0;
/// The time left is told anew when it is this much off what was told and has run down since.
const TOLERANCE: f64 = 0.25;

/// Work done over time, smoothed.
#[derive(Debug, Default)]
pub struct Pace {
    last: Option<(f64, u64)>,
    began: f64,
    /// Both decay alike, so that their quotient is the mean over the last while.
    work: f64,
    time: f64,
    /// When what was told will be over.
    end: Option<f64>,
}

impl Pace {
    /// Hears how much was done by a moment; moments and work only grow.
    pub fn observe(&mut self, now: Duration, done: u64) {
        let now = now.as_secs_f64();
        let Some((then, before)) = self.last else {
            self.last = Some((now, done));
            self.began = now;
            return;
        };
        let passed = now - then;
        if passed <= 0.0 {
            return;
        }
        let keep = (-passed / MEMORY).exp();
        self.work = self.work * keep + done.saturating_sub(before) as f64;
        self.time = self.time * keep + passed;
        self.last = Some((now, done));
    }

    /// Units of work a second, once there is something to go by.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        let (now, _) = self.last?;
        (now - self.began >= PATIENCE && self.time > 0.0).then(|| self.work / self.time)
    }

    /// Seconds till `remaining` units are done. From one call to the next it runs down with the clock, and is told anew
    /// only when it turns out to be well off. Nothing while nothing moves.
    pub fn left(&mut self, remaining: u64) -> Option<u64> {
        let (now, _) = self.last?;
        let rate = self.rate()?;
        if rate < 1e-3 {
            self.end = None;
            return None;
        }
        let fresh = remaining as f64 / rate;
        let told = self.end.map(|end| end - now);
        let close = told.is_some_and(|told| {
            told >= 0.0 && (told - fresh).abs() <= (TOLERANCE * fresh).max(1.0)
        });
        if !close {
            self.end = Some(now + fresh);
        }
        self.end.map(|end| (end - now).ceil().max(0.0) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told of a series of (milliseconds, bytes) of a whole.
    fn told(series: impl IntoIterator<Item = (u64, u64)>, whole: u64) -> Vec<Option<u64>> {
        let mut pace = Pace::default();
        series
            .into_iter()
            .map(|(ms, done)| {
                pace.observe(Duration::from_millis(ms), done);
                pace.left(whole - done)
            })
            .collect()
    }

    #[test]
    fn nothing_is_said_in_the_first_second() {
        assert_eq!(told([(0, 0), (500, 50), (900, 90)], 1000), [None; 3]);
    }

    #[test]
    fn a_steady_transfer_counts_down() {
        let left = told((0..=100).map(|i| (i * 100, i * 10)), 1000);
        let left: Vec<u64> = left.into_iter().flatten().collect();
        assert_eq!(left.first(), Some(&9));
        assert_eq!(left.last(), Some(&0));
        assert!(left.windows(2).all(|w| w[1] <= w[0]), "{left:?}");
    }

    /// Bursts of packets, as they come over a radio link: rate swings by four, the time left does not.
    #[test]
    fn bursts_do_not_make_it_jump() {
        let mut done = 0;
        let series: Vec<(u64, u64)> = (0..300)
            .map(|i| {
                done += if i % 4 == 0 { 40 } else { 0 };
                (i * 100, done)
            })
            .collect();
        let left: Vec<u64> = told(series, 4000).into_iter().flatten().collect();
        let up = left.windows(2).filter(|w| w[1] > w[0] + 1).count();
        assert!(up <= 1, "{up} jumps up: {left:?}");
    }

    #[test]
    fn a_stall_says_nothing_and_going_on_says_something() {
        let mut pace = Pace::default();
        for i in 0..30 {
            pace.observe(Duration::from_millis(i * 100), i * 10);
        }
        assert!(pace.left(1000).is_some());
        for i in 30..1500 {
            pace.observe(Duration::from_millis(i * 100), 290);
        }
        assert_eq!(pace.left(1000), None);
        for i in 1500..1600 {
            pace.observe(Duration::from_millis(i * 100), 290 + (i - 1500) * 10);
        }
        assert!(pace.left(1000).is_some());
    }

    #[test]
    fn clocks_and_counters_that_go_back_do_no_harm() {
        let mut pace = Pace::default();
        for (s, done) in [(2, 10), (1, 5), (2, 3), (5, 1), (9, 0)] {
            pace.observe(Duration::from_secs(s), done);
            let _ = pace.left(u64::MAX);
        }
        assert_eq!(pace.rate(), Some(0.0));
    }
}
