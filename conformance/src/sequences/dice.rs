//! Choices that follow from a seed.

use osier_testkit::random::Random;

/// A source of choices.
pub struct Dice(Random);

impl Dice {
    /// Choices that follow from `seed`.
    pub fn new(seed: u64) -> Self {
        Dice(Random::new(seed))
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.0.below(bound as u64)).expect("below a usize")
    }

    /// A number to make further choices from.
    pub fn seed(&mut self) -> u64 {
        self.0.next_u64() >> 16
    }

    /// True `percent` times of a hundred.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of some things.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// Text of about that many bytes.
    pub fn text(&mut self, length: usize) -> String {
        self.0.text(length)
    }

    /// One of some things, each with its weight.
    pub fn weighted<T: Copy>(&mut self, of: &[(usize, T)]) -> T {
        let mut left = self.below(of.iter().map(|(weight, _)| weight).sum());
        for (weight, thing) in of {
            match left.checked_sub(*weight) {
                Some(rest) => left = rest,
                None => return *thing,
            }
        }
        unreachable!("below the sum of the weights")
    }
}
