//! Runs the test scripts that Debian's `ostree-tests` installs, unmodified, with our programs first in PATH, and
//! keeps the scores: `conformance/baseline/` holds the C tool's, `conformance/scores.tsv` ours, which only rise.

mod scores;
mod script;
mod table;
mod tap;

use crate::{paths, process};
use anyhow::{Context, Result, ensure};
use scores::{Score, Scores, Verdict};
use script::{Runner, Suite};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Options of `cargo xtask conformance`.
#[derive(clap::Args)]
pub struct Args {
    /// Run only scripts whose name contains this
    #[arg(value_name = "PATTERN")]
    patterns: Vec<String>,
    /// Which program stands in PATH
    #[arg(long, value_enum, default_value_t = With::Ours)]
    with: With,
    /// Scripts at once; 0 means one for each core
    #[arg(long, default_value_t = 0)]
    jobs: usize,
    /// Seconds a script may take
    #[arg(long, default_value_t = 300)]
    timeout: u64,
    /// Fail when a script scores below conformance/scores.tsv
    #[arg(long)]
    check: bool,
    /// Store the scores and rewrite the table in docs/status.md; stored scores only rise
    #[arg(long)]
    update: bool,
    /// Folder in which each script gets an empty one
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
    /// Folder with the installed scripts
    #[arg(long, value_name = "DIR", default_value = script::INSTALLED)]
    suite: PathBuf,
    /// Folder with our programs, instead of building them
    #[arg(long, value_name = "DIR")]
    bin: Option<PathBuf>,
    /// List the tests that say nothing about our programs, and why
    #[arg(long)]
    list_skipped: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum With {
    C,
    Ours,
    Both,
}

/// What a checking run found.
pub struct Report {
    /// Cases that passed.
    pub cases: u32,
    /// Cases and whole scripts that were skipped.
    pub skipped: u32,
    /// Scripts that scored below what is stored.
    pub lower: usize,
}

/// Runs all scripts with our programs and compares with the stored scores.
pub fn check() -> Result<Report> {
    let args = Args {
        patterns: Vec::new(),
        with: With::Ours,
        jobs: 0,
        timeout: 300,
        check: true,
        update: false,
        work: None,
        suite: script::INSTALLED.into(),
        bin: None,
        list_skipped: false,
    };
    run_and_report(&args)
}

/// Runs the scripts; false when `--check` finds a lower score.
pub fn run(args: &Args) -> Result<bool> {
    let report = run_and_report(args)?;
    Ok(!args.check || report.lower == 0)
}

fn run_and_report(args: &Args) -> Result<Report> {
    let nothing = Report {
        cases: 0,
        skipped: 0,
        lower: 0,
    };
    let suite = script::discover(&args.suite)?;
    if args.list_skipped {
        for (name, reason) in &suite.not_applicable {
            println!("{name}: {reason}");
        }
        return Ok(nothing);
    }
    let chosen = choose(&suite, &args.patterns);
    ensure!(!chosen.is_empty(), "no script matches {:?}", args.patterns);
    // The scripts expect files as a plain umask makes them.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));

    let baseline_path = baseline_path()?;
    let scores_path = paths::root().join("conformance/scores.tsv");
    let mut baseline = Scores::load(&baseline_path)?;
    let stored = Scores::load(&scores_path)?;

    if args.with != With::Ours {
        let c = run_all(args, &chosen, None, &c_version()?)?;
        if args.update {
            raise(&mut baseline, &c, true);
            baseline.store(&baseline_path)?;
        } else {
            baseline = c;
        }
    }
    if args.with == With::C {
        print!(
            "{}",
            table::plain(&Scores::default(), &restrict(&baseline, &chosen))
        );
        return Ok(nothing);
    }

    let release = match &args.bin {
        Some(dir) => dir
            .canonicalize()
            .with_context(|| format!("{}", dir.display()))?,
        None => paths::build_release()?,
    };
    let bin = script::program_folder(&release)?;
    let tool = version(&release.join("ostree"))?;
    let mut ours = run_all(args, &chosen, Some(bin.path()), &tool)?;
    let mut lower = below(&ours, &stored);
    // A loaded machine makes some scripts miss their own deadlines, and some demand that two commits fall into different
    // seconds, which is chance: only a script that fails each time counts.
    for _ in 0..4 {
        if !args.check || lower.is_empty() {
            break;
        }
        let again = run_all(
            &Args {
                jobs: 1,
                ..clone(args)
            },
            &lower,
            Some(bin.path()),
            &tool,
        )?;
        ours.by_script.extend(again.by_script);
        lower = below(&ours, &stored);
    }
    print!("{}", table::plain(&ours, &restrict(&baseline, &chosen)));
    for name in &lower {
        let (now, was) = (&ours.by_script[name], &stored.by_script[name]);
        println!(
            "LOWER {name}: {} ok, stored {} ok ({})",
            now.ok, was.ok, now.note
        );
        println!(
            "      log: {}",
            logs("ours").join(format!("{name}.log")).display()
        );
    }
    if args.update {
        let mut merged = stored;
        raise(&mut merged, &ours, false);
        merged.store(&scores_path)?;
        table::write_status(&paths::root().join("docs/status.md"), &merged, &baseline)?;
    }
    let scores = ours.by_script.values();
    Ok(Report {
        cases: ours.totals().1,
        skipped: scores
            .map(|score| score.skip + u32::from(score.verdict() == Verdict::Skipped))
            .sum(),
        lower: lower.len(),
    })
}

fn clone(args: &Args) -> Args {
    Args {
        patterns: args.patterns.clone(),
        work: args.work.clone(),
        suite: args.suite.clone(),
        bin: args.bin.clone(),
        ..*args
    }
}

fn choose(suite: &Suite, patterns: &[String]) -> Vec<String> {
    let wanted = |name: &&String| {
        patterns.is_empty()
            || patterns
                .iter()
                .any(|pattern| name.contains(pattern.as_str()))
    };
    suite.scripts.iter().filter(wanted).cloned().collect()
}

fn restrict(scores: &Scores, chosen: &[String]) -> Scores {
    let mut scores = scores.clone();
    scores.by_script.retain(|name, _| chosen.contains(name));
    scores
}

fn below(ours: &Scores, stored: &Scores) -> Vec<String> {
    let lower = |(name, now): (&String, &Score)| {
        stored
            .by_script
            .get(name)
            .is_some_and(|was| now.is_below(was))
            .then(|| name.clone())
    };
    ours.by_script.iter().filter_map(lower).collect()
}

/// Takes over the new scores; unless `any`, only those not below the stored ones.
fn raise(stored: &mut Scores, new: &Scores, any: bool) {
    stored.tool.clone_from(&new.tool);
    for (name, score) in &new.by_script {
        if any
            || stored
                .by_script
                .get(name)
                .is_none_or(|was| !score.is_below(was))
        {
            stored.by_script.insert(name.clone(), score.clone());
        }
    }
}

fn run_all(args: &Args, chosen: &[String], bin: Option<&Path>, tool: &str) -> Result<Scores> {
    let who = if bin.is_some() { "ours" } else { "c" };
    let runner = Runner {
        suite: &args.suite,
        bin,
        logs: logs(who),
        work: args.work.clone().unwrap_or_else(std::env::temp_dir),
        limit: Duration::from_secs(args.timeout),
    };
    let jobs = match args.jobs {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        jobs => jobs,
    };
    let queue = Mutex::new(chosen.iter());
    let done = Mutex::new(Ok::<_, anyhow::Error>(Scores {
        tool: tool.to_owned(),
        ..Scores::default()
    }));
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let Some(name) = queue.lock().expect("no holder panics").next() else {
                        break;
                    };
                    let result = runner.run(name);
                    let mut done = done.lock().expect("no holder panics");
                    match (result, done.as_mut()) {
                        (Ok(score), Ok(scores)) => {
                            scores.by_script.insert(name.clone(), score);
                            let count = scores.by_script.len();
                            eprintln!(
                                "[{count}/{} {:.0}s] {who} {name}",
                                chosen.len(),
                                started.elapsed().as_secs_f64()
                            );
                        }
                        (Err(error), Ok(_)) => *done = Err(error),
                        (_, Err(_)) => break,
                    }
                }
            });
        }
    });
    done.into_inner().expect("no holder panics")
}

fn logs(who: &str) -> PathBuf {
    paths::target().join("conformance").join(who)
}

fn version(program: &Path) -> Result<String> {
    let text = process::output(Command::new(program).arg("--version"))?;
    let version = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("Version: "));
    Ok(version
        .unwrap_or_default()
        .trim_matches(['\'', '"'])
        .to_owned())
}

fn c_version() -> Result<String> {
    let program =
        paths::find_program("ostree").context("no ostree in PATH (Debian package ostree)")?;
    version(&program)
}

/// The baseline file: the one of the installed C tool's version, else the only stored one.
fn baseline_path() -> Result<PathBuf> {
    let dir = paths::root().join("conformance/baseline");
    match c_version() {
        Ok(version) => Ok(dir.join(format!("{version}.tsv"))),
        Err(_) => {
            let mut files: Vec<PathBuf> = std::fs::read_dir(&dir)?
                .map(|e| Ok(e?.path()))
                .collect::<std::io::Result<_>>()?;
            files.sort();
            files
                .pop()
                .with_context(|| format!("{} is empty", dir.display()))
        }
    }
}
