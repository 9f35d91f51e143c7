//! One process, its time and its memory.

use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use wait4::Wait4;

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// From start to end.
    pub wall: Duration,
    /// User and system time of all its threads.
    pub cpu: Duration,
    /// The largest resident set, in bytes.
    pub peak: u64,
}

/// What several runs took.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    /// The median run.
    pub median: Sample,
    /// The largest resident set of all runs, in bytes.
    pub peak: u64,
}

impl Summary {
    /// Of one run at least.
    pub fn of(samples: &[Sample]) -> Summary {
        let mut by_wall = samples.to_vec();
        by_wall.sort_by_key(|sample| sample.wall);
        Summary {
            // Of an even number the faster one: what disturbs a run only adds to it.
            median: by_wall[(by_wall.len() - 1) / 2],
            peak: samples.iter().map(|sample| sample.peak).max().unwrap_or(0),
        }
    }
}

/// Runs a command that must succeed, so many times, its output thrown away, its errors in `log`.
pub fn run(command: &mut Command, times: u32, log: &Path) -> Result<Sample> {
    let mut all = once(command, log)?;
    for _ in 1..times {
        let sample = once(command, log)?;
        all.wall += sample.wall;
        all.cpu += sample.cpu;
        all.peak = all.peak.max(sample.peak);
    }
    Ok(all)
}

fn once(command: &mut Command, log: &Path) -> Result<Sample> {
    let errors = File::create(log).with_context(|| format!("creating {}", log.display()))?;
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(errors);
    let started = Instant::now();
    let child = command.spawn()?;
    let used = child.wait4()?;
    let wall = started.elapsed();
    if !used.status.success() {
        let text = fs::read_to_string(log).unwrap_or_default();
        bail!("{}\n{}", used.status, text.trim_end());
    }
    Ok(Sample {
        wall,
        cpu: used.rusage.utime + used.rusage.stime,
        peak: used.rusage.maxrss,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_run_and_the_largest_peak() {
        let sample = |wall, peak| Sample {
            wall: Duration::from_millis(wall),
            cpu: Duration::from_millis(wall * 2),
            peak,
        };
        let summary = Summary::of(&[sample(30, 1), sample(10, 9), sample(20, 3)]);
        assert_eq!(summary.median.wall, Duration::from_millis(20));
        assert_eq!(summary.median.cpu, Duration::from_millis(40));
        assert_eq!(summary.peak, 9);
    }

    #[test]
    fn a_failing_command_is_reported_with_its_words() {
        let dir = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo no such thing >&2; exit 3"]);
        let error = run(&mut command, 1, &dir.path().join("log")).unwrap_err();
        assert!(error.to_string().contains("no such thing"), "{error}");
    }
}
