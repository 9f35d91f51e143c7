//! Random sequences of commands: both tools must say and leave the same. How many, and from which seed on, can be set;
//! see docs/testing.md.

use osier_conformance::sequences::{Abilities, Failure, run};
use osier_conformance::{Scratch, pair, root_or_skip};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

#[test]
fn random_sequences_leave_the_same() {
    if !root_or_skip() {
        return;
    }
    let Some((ours, c)) = pair() else { return };
    let first = number("OSIER_SEQUENCE_SEED", 1);
    let count = number("OSIER_SEQUENCES", 60);
    let shown = number("OSIER_SEQUENCES_SHOWN", 5) as usize;
    let kept = std::env::var_os("OSIER_SEQUENCES_KEPT").map(std::path::PathBuf::from);
    let abilities = Abilities::of(&c);
    let next = AtomicU64::new(0);
    let failures: Mutex<Vec<Failure>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                let scratch = Scratch::new();
                while failures.lock().unwrap().len() < shown {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        break;
                    }
                    let seed = first + number;
                    let found = run(
                        seed,
                        &abilities,
                        &ours,
                        &c,
                        &scratch.path("worlds"),
                        kept.as_deref(),
                    );
                    let found = found.unwrap_or_else(|error| panic!("sequence {seed}: {error:?}"));
                    if let Some(failure) = found {
                        eprintln!("{}", failure.report());
                        failures.lock().unwrap().push(failure);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(
        failures.is_empty(),
        "{} of {} sequences differ; their reports are above",
        failures.len(),
        next.into_inner().min(count)
    );
    println!("{count} sequences from seed {first}: no difference");
}
