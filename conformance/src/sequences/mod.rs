//! Random sequences of commands, run through our program and the C tool, each in a folder of its own.
//!
//! After each step exit code and standard output are compared; at the end everything on disk: the bytes of every object
//! (what `filez` unpack to), refs, configs, summaries, marks, checkouts with modes, owners, attributes and hard links.
//! A sequence follows from its seed alone. A failing one is shrunk by leaving out steps, and printed so that it can be
//! typed in.

mod check;
mod damage;
mod dice;
mod make;
mod plant;
mod prose;
mod step;
mod world;

pub use check::{Difference, Pair, disks};
pub use make::Abilities;
pub use step::Step;

use osier_testkit::tool::Tool;
use std::fmt::Write;
use std::path::Path;

/// A sequence that the tools disagree on.
#[derive(Debug)]
pub struct Failure {
    /// What it was made from.
    pub seed: u64,
    /// The steps that are left after shrinking.
    pub steps: Vec<Step>,
    /// What differs after the last of them.
    pub differences: Vec<String>,
}

impl Failure {
    /// The report: the seed, the steps as shell lines, the differences.
    pub fn report(&self) -> String {
        let mut text = format!(
            "sequence {seed}: the tools differ (again: OSIER_SEQUENCE_SEED={seed} OSIER_SEQUENCES=1 cargo nextest run -p osier-conformance --test sequences)\n",
            seed = self.seed
        );
        for step in &self.steps {
            let _ = writeln!(text, "  {}", prose::line(step));
        }
        for difference in self.differences.iter().take(12) {
            let _ = writeln!(text, "    {difference}");
        }
        if self.differences.len() > 12 {
            let _ = writeln!(text, "    and {} more", self.differences.len() - 12);
        }
        text
    }
}

/// Makes the sequence of a seed and runs it with both tools below `scratch`; gives the shrunk failure, if it is one, whose
/// folders are left below `kept`.
///
/// # Errors
/// When the scratch folder cannot be written.
pub fn run(
    seed: u64,
    abilities: &Abilities,
    ours: &Tool,
    c: &Tool,
    scratch: &Path,
    kept: Option<&Path>,
) -> std::io::Result<Option<Failure>> {
    let steps = make::sequence(seed, abilities);
    let pair = Pair::new(ours, c, scratch);
    let Some(first) = pair.run(&steps)? else {
        return Ok(None);
    };
    let (steps, differences) = shrink(&pair, steps, first)?;
    if let Some(kept) = kept {
        pair.leave(&steps, &kept.join(seed.to_string()))?;
    }
    Ok(Some(Failure {
        seed,
        steps,
        differences,
    }))
}

/// Leaves out whatever the failure does not need: first what comes after it, then halves, quarters, single steps.
fn shrink(
    pair: &Pair<'_>,
    mut steps: Vec<Step>,
    mut found: Difference,
) -> std::io::Result<(Vec<Step>, Vec<String>)> {
    steps.truncate(found.after + 1);
    let mut size = steps.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < steps.len() {
            let mut fewer = steps.clone();
            fewer.drain(at..(at + size).min(steps.len()));
            match pair.run(&fewer)? {
                Some(still) if still.kind == found.kind => {
                    fewer.truncate(still.after + 1);
                    (steps, found) = (fewer, still);
                }
                _ => at += size,
            }
        }
        size /= 2;
    }
    // Options that the failure does not need go too.
    for index in 0..steps.len() {
        let mut at = 0;
        while let Some(shorter) = steps[index].without_option(at) {
            let mut fewer = steps.clone();
            fewer[index] = shorter;
            match pair.run(&fewer)? {
                Some(still) if still.kind == found.kind && still.after == found.after => {
                    (steps, found) = (fewer, still);
                }
                _ => at += 1,
            }
        }
    }
    Ok((steps, found.lines))
}
