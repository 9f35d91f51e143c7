//! `cargo xtask test`: everything that must hold before a change lands, with one closing line.

mod packages;
mod tally;

use crate::{checks, conformance, paths, process};
use anyhow::Result;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;
use tally::Tally;

/// Options of `cargo xtask test`.
#[derive(clap::Args)]
pub struct Args {
    /// Do not install missing Debian packages
    #[arg(long)]
    no_install: bool,
    /// Leave out the C project's installed scripts
    #[arg(long)]
    no_conformance: bool,
}

/// Runs everything and prints `N passed, N failed, N skipped` as its last line; false when something failed.
pub fn run(args: &Args) -> Result<bool> {
    let missing = packages::install(!args.no_install)?;
    let scratch = scratch_folder()?;
    let mut suite = Suite {
        total: Tally::default(),
        failed_steps: Vec::new(),
        scratch,
    };
    // Where every peer is here and we are root, a skip would hide something.
    let forbid_skips = missing.is_empty() && rustix::process::geteuid().is_root();

    suite.step("format", |_| {
        succeeds(paths::cargo().args(["fmt", "--all", "--check"]))
    });
    suite.step("release build", |_| paths::build_release().map(|_| one()));
    suite.step("clippy", |_| {
        succeeds(paths::cargo().args([
            "clippy",
            "--quiet",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ]))
    });
    suite.step("rules of the tree", |_| rules());
    if paths::cargo()
        .args(["deny", "--version"])
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .status()?
        .success()
    {
        suite.step("cargo deny", |_| {
            succeeds(paths::cargo().args([
                "deny",
                "--offline",
                "check",
                "licenses",
                "bans",
                "sources",
            ]))
        });
    }
    suite.step("tests", |scratch| tests(scratch, forbid_skips));
    suite.step("documentation", |_| {
        let mut doc = paths::cargo();
        doc.args([
            "doc",
            "--quiet",
            "--workspace",
            "--no-deps",
            "--document-private-items",
            "--locked",
        ]);
        succeeds(doc.env("RUSTDOCFLAGS", "-D warnings"))
    });
    suite.step("examples in the documentation", |scratch| {
        doc_tests(scratch)
    });
    if args.no_conformance || missing.contains(&"ostree-tests") {
        println!(
            "SKIP: the C project's scripts {}",
            if args.no_conformance {
                "(asked)"
            } else {
                "(ostree-tests is missing)"
            }
        );
        suite.total.skipped += 1;
    } else {
        suite.step("the C project's scripts", |_| scripts());
    }
    for step in &suite.failed_steps {
        println!("FAILED: {step}");
    }
    println!("{}", suite.total);
    Ok(suite.total.failed == 0 && suite.failed_steps.is_empty())
}

struct Suite {
    total: Tally,
    failed_steps: Vec<&'static str>,
    scratch: tempfile::TempDir,
}

impl Suite {
    /// Runs one step, whatever became of those before it, and adds what it counted.
    fn step(&mut self, name: &'static str, work: impl FnOnce(&Path) -> Result<Tally>) {
        println!("== {name}");
        let started = Instant::now();
        let tally = work(self.scratch.path()).unwrap_or_else(|error| {
            println!("{error:#}");
            Tally {
                failed: 1,
                ..Tally::default()
            }
        });
        println!(
            "== {name}: {tally} in {:.0} s",
            started.elapsed().as_secs_f64()
        );
        // The log is read while it grows.
        let _ = std::io::stdout().flush();
        if tally.failed > 0 {
            self.failed_steps.push(name);
        }
        self.total += tally;
    }
}

/// Where the tests put their repositories: in memory when files there take attributes, since the disks of build
/// machines are slow and noisy.
fn scratch_folder() -> Result<tempfile::TempDir> {
    let memory = Path::new("/dev/shm");
    let in_memory = memory.is_dir().then(|| {
        tempfile::Builder::new()
            .prefix("osier-test-")
            .tempdir_in(memory)
    });
    match in_memory {
        Some(Ok(dir)) if osier_testkit::xattr::supported(dir.path()) => Ok(dir),
        _ => Ok(tempfile::Builder::new().prefix("osier-test-").tempdir()?),
    }
}

fn one() -> Tally {
    Tally {
        passed: 1,
        ..Tally::default()
    }
}

fn succeeds(command: &mut Command) -> Result<Tally> {
    process::run(command)?;
    Ok(one())
}

fn rules() -> Result<Tally> {
    let mut tally = Tally::default();
    for (name, faults) in checks::all()? {
        for fault in &faults {
            println!("{name}: {fault}");
        }
        tally += if faults.is_empty() {
            one()
        } else {
            Tally {
                failed: 1,
                ..Tally::default()
            }
        };
    }
    Ok(tally)
}

fn tests(scratch: &Path, forbid_skips: bool) -> Result<Tally> {
    let has_nextest = paths::cargo()
        .args(["nextest", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    let mut command = paths::cargo();
    if has_nextest.success() {
        command.args([
            "nextest",
            "run",
            "--workspace",
            "--locked",
            "--no-fail-fast",
            "--show-progress=none",
        ]);
    } else {
        println!("cargo-nextest is not installed: using cargo test");
        command.args([
            "test",
            "--workspace",
            "--locked",
            "--no-fail-fast",
            "--all-targets",
        ]);
    }
    command.env("TMPDIR", scratch);
    // The comparisons with the C tool run what is shipped, not the debug build.
    let program: PathBuf = paths::target().join("release/ostree");
    if program.is_file() && std::env::var_os(osier_testkit::tool::OURS).is_none() {
        command.env(osier_testkit::tool::OURS, program);
    }
    if forbid_skips {
        command.env(osier_testkit::skip::FORBID, "1");
    }
    let (success, output) = shown(&mut command)?;
    let mut tally = if has_nextest.success() {
        tally::nextest(&output).unwrap_or_default()
    } else {
        tally::cargo_test(&output)
    };
    if !success && tally.failed == 0 {
        // It did not compile, or no test ran.
        tally.failed = 1;
    }
    Ok(tally)
}

fn doc_tests(scratch: &Path) -> Result<Tally> {
    let mut command = paths::cargo();
    command
        .args(["test", "--doc", "--workspace", "--locked", "--no-fail-fast"])
        .env("TMPDIR", scratch);
    let (success, output) = shown(&mut command)?;
    let mut tally = tally::cargo_test(&output);
    if !success && tally.failed == 0 {
        tally.failed = 1;
    }
    Ok(tally)
}

fn scripts() -> Result<Tally> {
    let report = conformance::check()?;
    Ok(Tally {
        passed: u64::from(report.cases),
        failed: report.lower as u64,
        skipped: u64::from(report.skipped),
    })
}

/// Runs a command whose output is both shown and kept.
fn shown(command: &mut Command) -> Result<(bool, String)> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let text = std::thread::scope(|scope| {
        let readers = [
            scope.spawn(move || pass_on(stdout)),
            scope.spawn(move || pass_on(stderr)),
        ];
        readers
            .map(|reader| reader.join().unwrap_or_default())
            .concat()
    });
    Ok((child.wait()?.success(), text))
}

fn pass_on(stream: Option<impl std::io::Read>) -> String {
    let mut text = String::new();
    let Some(stream) = stream else { return text };
    for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        text.push_str(&line);
        text.push('\n');
    }
    text
}
