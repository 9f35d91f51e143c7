//! `ostree fsck`.

use std::io::{self, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::Result;
use osier_store::Repo;
use osier_store::fsck::{self, Event, FsckOptions, FsckSink};
use osier_store::parallel::{Cancel, Progress};

use crate::context::Cx;
use crate::output::Output;
use crate::progress::Bar;
use crate::table::{RepoCommand, Usage};

/// Check that every object is there and whole
#[derive(clap::Args)]
#[command(after_help = "ostree fsck --repo=repo --all")]
pub struct Args {
    /// Replace commits whose parent is missing by tombstones
    #[arg(long)]
    add_tombstones: bool,
    /// Print no headings
    #[arg(short, long)]
    quiet: bool,
    /// Go on after the first error
    #[arg(short, long)]
    all: bool,
    /// Delete damaged objects
    #[arg(long)]
    delete: bool,
    /// Check that refs point to commits made for them
    #[arg(long)]
    verify_bindings: bool,
    /// Check that commits are where the refs they were made for point (implies --verify-bindings)
    #[arg(long)]
    verify_back_refs: bool,
    #[arg(value_name = "ARGS", hide = true)]
    rest: Vec<String>,
}

impl Usage for Args {}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        let options = FsckOptions {
            all: self.all,
            delete: self.delete,
            add_tombstones: self.add_tombstones,
            verify_bindings: self.verify_bindings,
            verify_back_refs: self.verify_back_refs,
        };
        let terminal = cx.out.is_terminal();
        let sink = Sink {
            quiet: self.quiet,
            terminal,
            bar: Bar::new("Checking objects"),
            state: Mutex::new(State {
                out: &mut cx.out,
                done: 0,
                total: 0,
                shown: None,
                failed: None,
            }),
        };
        let outcome = fsck::fsck(repo, &options, &sink, &Cancel::default());
        sink.bar.finish();
        let state = sink.state.into_inner().unwrap_or_else(|e| e.into_inner());
        if let Some(error) = state.failed {
            return Err(error.into());
        }
        let outcome = outcome?;
        outcome.verdict()?;
        writeln!(cx.out, "{}", outcome.success_text())?;
        Ok(())
    }
}

/// Findings to standard error, the rest to standard output.
struct Sink<'a> {
    quiet: bool,
    terminal: bool,
    bar: Bar,
    state: Mutex<State<'a>>,
}

struct State<'a> {
    out: &'a mut Output,
    done: u64,
    total: u64,
    shown: Option<Instant>,
    /// The first error of standard output; there is nobody to return it to at once.
    failed: Option<io::Error>,
}

/// A pipe gets the first count, one a second, and the last, as from the C tool.
const INTERVAL: Duration = Duration::from_secs(1);

impl Sink<'_> {
    fn with(&self, act: impl FnOnce(&mut State<'_>) -> io::Result<()>) {
        let mut state = self.state.lock().unwrap_or_else(|e| e.into_inner());
        if state.failed.is_none() {
            state.failed = act(&mut state).err();
        }
    }
}

impl FsckSink for Sink<'_> {
    fn event(&self, event: &Event<'_>) {
        if event.is_finding() {
            self.bar.line_to_stderr(&event.to_string());
        } else if !(self.quiet && matches!(event, Event::Stage(_))) {
            self.with(|state| {
                writeln!(state.out, "{event}")?;
                // People should see each stage begin.
                if self.terminal {
                    state.out.flush()
                } else {
                    Ok(())
                }
            });
        }
    }

    fn total(&self, objects: u64) {
        self.bar.total(objects);
        self.with(|state| {
            state.total = objects;
            Ok(())
        });
    }

    fn object_done(&self, bytes: u64) {
        self.bar.object_done(bytes);
        if self.terminal {
            return;
        }
        self.with(|state| {
            state.done += 1;
            let due = state.shown.is_none_or(|at| at.elapsed() >= INTERVAL);
            if due || state.done == state.total {
                state.shown = Some(Instant::now());
                let percent = state.done * 100 / state.total.max(1);
                writeln!(
                    state.out,
                    "fsck objects ({}/{}) {percent}%",
                    state.done, state.total
                )?;
            }
            Ok(())
        });
    }
}
