//! What the machine does at best: the least work that an operation could be made of.

use super::measure::{self, Sample};
use super::operations::{COPY, HASH, LINK};
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// The better of two runs each, by name.
pub fn measure(tree: &Path, out: &Path) -> Result<Vec<(&'static str, Duration)>> {
    eprintln!("The machine's limits ...");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let copy = |option: &str| -> Result<Duration> {
        let mut command = Command::new("cp");
        command.arg(option).arg("--").arg(tree).arg(out);
        timed(&mut command, out)
    };
    let mut hash = Command::new("sh");
    hash.args([
        "-c",
        "find \"$1\" -type f -print0 | xargs -0 -n 64 -P \"$2\" sha256sum",
        "sh",
    ])
    .arg(tree)
    .arg(cores.to_string());
    Ok(vec![
        (HASH, best(|| timed(&mut hash, out))?),
        (COPY, best(|| copy("-a"))?),
        ("cp -al", best(|| copy("-al"))?),
        (LINK, best(|| farm(tree, out))?),
    ])
}

fn best(mut run: impl FnMut() -> Result<Duration>) -> Result<Duration> {
    Ok(run()?.min(run()?))
}

fn timed(command: &mut Command, out: &Path) -> Result<Duration> {
    let log = out.with_extension("log");
    let Sample { wall, .. } =
        measure::run(command, 1, &log).with_context(|| crate::process::show(command))?;
    super::remove(out)?;
    Ok(wall)
}

/// Every folder made and every file linked by one thread, with nothing around it.
fn farm(tree: &Path, out: &Path) -> Result<Duration> {
    let started = Instant::now();
    let mut pending = vec![(tree.to_owned(), out.to_owned())];
    while let Some((from, to)) = pending.pop() {
        fs::create_dir(&to).with_context(|| format!("creating {}", to.display()))?;
        for entry in fs::read_dir(&from)? {
            let entry = entry?;
            let target = to.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                pending.push((entry.path(), target));
            } else {
                fs::hard_link(entry.path(), &target)
                    .with_context(|| format!("linking {}", target.display()))?;
            }
        }
    }
    let wall = started.elapsed();
    super::remove(out)?;
    Ok(wall)
}
