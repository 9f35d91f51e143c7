//! How many requests are under way at a time.
//!
//! A near server answers so soon that a few requests keep everyone busy. A far one is waited for: with eight requests and
//! a tenth of a second for each, eighty small objects a second arrive, however fast the line. So the number grows while
//! answers take no longer for it, as they do when they only travel, and falls when they begin to queue somewhere, at the
//! server or in the line. A server or a line that breaks under it is not pressed again.

use std::time::Duration;

/// Requests at least, and to near servers: as many as the C tool has.
pub(crate) const LEAST: usize = 8;

/// Requests at most: what servers commonly allow on one HTTP/2 connection.
pub(crate) const MOST: usize = 128;

/// Answers that come sooner are from near, and what they take says nothing.
const NEAR: f64 = 0.002;

/// How much longer than the shortest answers may take before the number grows no more: a new connection costs a round
/// trip or two of its own.
const CALM: f64 = 2.5;

/// Beyond this the number falls.
const CROWDED: f64 = 4.0;

/// The weight of one answer in the average.
const WEIGHT: f64 = 0.1;

/// By how much the shortest answer is forgotten with each one: routes change.
const FORGET: f64 = 1.000_02;

/// How many requests may be under way.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    size: f64,
    least: f64,
    most: f64,
    /// Of answers, in seconds; none before the first.
    shortest: Option<f64>,
    average: f64,
    troubles: u64,
}

impl Window {
    /// As many as the caller says, or as many as turn out to be good.
    pub fn new(fixed: Option<usize>) -> Window {
        let (least, most) = match fixed {
            Some(number) => (number.max(1), number.max(1)),
            None => (LEAST, MOST),
        };
        Window {
            size: bounded(least),
            least: bounded(least),
            most: bounded(most),
            shortest: None,
            average: 0.0,
            troubles: 0,
        }
    }

    /// How many requests may be under way now.
    pub fn size(&self) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 1 and MOST, or what the caller said"
        )]
        let size = self.size as usize;
        size
    }

    /// A small object came. `full` says that more would have been asked for if the window had been larger.
    pub fn answered(&mut self, took: Duration, full: bool) {
        let took = took.as_secs_f64();
        let shortest = match self.shortest {
            Some(shortest) => took.min(shortest * FORGET),
            None => {
                self.average = took;
                took
            }
        };
        self.shortest = Some(shortest);
        self.average += (took - self.average) * WEIGHT;
        let crowded = self.average / shortest.max(NEAR);
        if crowded > CROWDED {
            self.size = (self.size - 4.0 / self.size).max(self.least);
        } else if full && shortest > NEAR && crowded < CALM {
            // Each answer makes room for two requests: the number doubles with each round trip.
            self.size = (self.size + 1.0).min(self.most);
        }
    }

    /// So many requests had to be repeated by now.
    pub fn troubles(&mut self, number: u64) {
        if number > self.troubles {
            self.troubles = number;
            self.most = (self.size / 2.0).max(self.least);
            self.size = self.most;
        }
    }
}

fn bounded(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(window: &mut Window, answers: usize, took: impl Fn(usize) -> Duration) -> usize {
        for _ in 0..answers {
            let took = took(window.size());
            window.answered(took, true);
        }
        window.size()
    }

    #[test]
    fn near_servers_get_few() {
        let mut window = Window::new(None);
        let near = after(&mut window, 10_000, |_| Duration::from_micros(300));
        assert_eq!(near, LEAST);
    }

    #[test]
    fn far_ones_get_many_soon() {
        let mut window = Window::new(None);
        let far = after(&mut window, MOST, |_| Duration::from_millis(100));
        assert_eq!(far, MOST);
    }

    #[test]
    fn a_full_line_ends_the_growth() {
        let mut window = Window::new(None);
        // It carries 400 answers a second and is 20 ms long.
        let line = |size: usize| Duration::from_secs_f64((0.02f64).max(size as f64 / 400.0));
        let size = after(&mut window, 20_000, line);
        assert!((LEAST..=40).contains(&size), "{size}");
    }

    #[test]
    fn an_answer_that_takes_longer_lets_go() {
        let mut window = Window::new(None);
        after(&mut window, 1000, |_| Duration::from_millis(20));
        let size = after(&mut window, 3000, |_| Duration::from_millis(500));
        assert!(size < MOST / 2, "{size}");
    }

    #[test]
    fn what_broke_is_not_pressed_again() {
        let mut window = Window::new(None);
        after(&mut window, 1000, |_| Duration::from_millis(20));
        window.troubles(3);
        assert_eq!(window.size(), MOST / 2);
        window.troubles(3);
        let size = after(&mut window, 1000, |_| Duration::from_millis(20));
        assert_eq!(size, MOST / 2);
        for number in 4..100 {
            window.troubles(number);
        }
        assert_eq!(window.size(), LEAST);
    }

    #[test]
    fn idle_room_is_not_enlarged() {
        let mut window = Window::new(None);
        for _ in 0..1000 {
            window.answered(Duration::from_millis(50), false);
        }
        assert_eq!(window.size(), LEAST);
    }

    #[test]
    fn what_the_caller_says_holds() {
        let mut window = Window::new(Some(3));
        assert_eq!(after(&mut window, 1000, |_| Duration::from_millis(50)), 3);
        window.troubles(9);
        assert_eq!(window.size(), 3);
        assert_eq!(Window::new(Some(0)).size(), 1);
    }
}
