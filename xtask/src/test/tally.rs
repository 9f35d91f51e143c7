//! Counting what the runners report in their own summary lines.

use std::fmt;
use std::ops::AddAssign;

/// Tests by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Passed.
    pub passed: u64,
    /// Failed, timed out, or could not be run.
    pub failed: u64,
    /// Not run, by choice of the test or of the runner.
    pub skipped: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )
    }
}

/// The closing line of nextest: `Summary [ 1.4s] 9 tests run: 7 passed (1 slow), 1 failed, 1 timed out, 3 skipped`.
pub fn nextest(output: &str) -> Option<Tally> {
    let line = output
        .lines()
        .rev()
        .find(|line| line.trim_start().starts_with("Summary ["))?;
    let (_, counts) = line.split_once("run: ")?;
    let mut tally = Tally::default();
    for part in counts.split(", ") {
        let mut words = part.split_whitespace();
        let number: u64 = words.next()?.parse().ok()?;
        match words.next()? {
            "passed" => tally.passed += number,
            "skipped" => tally.skipped += number,
            _ => tally.failed += number,
        }
    }
    Some(tally)
}

/// All `test result: ok. 3 passed; 0 failed; 1 ignored; …` lines of cargo test.
pub fn cargo_test(output: &str) -> Tally {
    let mut tally = Tally::default();
    for line in output
        .lines()
        .filter_map(|line| line.strip_prefix("test result: "))
    {
        let counts = line.split_once(". ").map_or(line, |(_, counts)| counts);
        for part in counts.split("; ") {
            let mut words = part.split_whitespace();
            let Some(Ok(number)) = words.next().map(str::parse::<u64>) else {
                continue;
            };
            match words.next() {
                Some("passed") => tally.passed += number,
                Some("failed") => tally.failed += number,
                Some("ignored") => tally.skipped += number,
                _ => {}
            }
        }
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nextest_lines() {
        let tally = nextest(
            "x\n     Summary [  91.6s] 28 tests run: 25 passed (1 slow), 2 failed, 1 timed out, 4 skipped\nerror",
        );
        assert_eq!(
            tally,
            Some(Tally {
                passed: 25,
                failed: 3,
                skipped: 4
            })
        );
        assert_eq!(
            nextest("     Summary [   1.4s] 5 tests run: 5 passed, 0 skipped")
                .unwrap()
                .passed,
            5
        );
        assert_eq!(nextest("error: no tests to run"), None);
    }

    #[test]
    fn cargo_test_lines() {
        let output = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.31s\n\
                      test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n";
        assert_eq!(
            cargo_test(output),
            Tally {
                passed: 5,
                failed: 1,
                skipped: 1
            }
        );
    }
}
