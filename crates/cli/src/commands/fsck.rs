//! `ostree fsck`.

use std::io::{self, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use osier_pull::RemoteObjects;
use osier_pull::fetch::BaseUrl;
use osier_pull::remote::Remotes;
use osier_store::Repo;
use osier_store::fsck::{
    self, Event, FsckOptions, FsckOutcome, FsckSink, ObjectSource, RepoSource,
};
use osier_store::parallel::{Cancel, Progress};

use super::pull::from_environment;
use crate::context::Cx;
use crate::error::report;
use crate::json;
use crate::progress::Bar;
use crate::table::{RepoCommand, Usage};

/// Check that every object is there and whole
#[derive(clap::Args)]
#[command(
    after_help = "ostree fsck --repo=repo --all\nostree fsck --repo=repo --repair=/srv/mirror/repo"
)]
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
    /// Replace damaged and missing objects by good ones of this remote or repository; may be repeated. Checkouts that are hard links to
    /// a damaged file keep it
    #[arg(long, value_name = "REMOTE-OR-PATH")]
    repair: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
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
        if self.add_tombstones && !self.repair.is_empty() {
            bail!("--repair and --add-tombstones cannot be used together");
        }
        let sources = sources(cx, repo, &self.repair)?;
        let terminal = cx.out.is_terminal();
        let form = match self.json {
            true => Form::Json(json::fsck::Fsck::begin(&mut cx.out)?),
            false => Form::Text(&mut cx.out),
        };
        let sink = Sink {
            quiet: self.quiet,
            terminal,
            bar: Bar::new("Checking objects"),
            state: Mutex::new(State {
                form,
                done: 0,
                total: 0,
                shown: None,
                failed: None,
            }),
        };
        let cancel = Cancel::default();
        let outcome = match sources.as_slice() {
            [] => fsck::fsck(repo, &options, &sink, &cancel),
            sources => {
                let sources: Vec<&dyn ObjectSource> = sources.iter().map(|s| &**s).collect();
                fsck::repair(repo, &options, &sources, &sink, &cancel)
            }
        };
        sink.bar.finish();
        let state = sink.state.into_inner().unwrap_or_else(|e| e.into_inner());
        if let Some(error) = state.failed {
            return Err(error.into());
        }
        let verdict = match &outcome {
            Ok(outcome) => outcome.verdict(),
            Err(_) => Ok(()),
        };
        let (outcome, error) = match outcome {
            Ok(outcome) => (Some(outcome), verdict.err()),
            Err(error) => (None, Some(error)),
        };
        let error = error.map(anyhow::Error::from);
        match state.form {
            Form::Json(document) => {
                let text = error.as_ref().and_then(|error| report(error).text);
                document.end(outcome.as_ref(), text.as_deref())?;
            }
            Form::Text(out) => closing_lines(out, outcome.as_ref(), error.is_none(), &self)?,
        }
        error.map_or(Ok(()), Err)
    }
}

fn closing_lines(
    out: &mut dyn Write,
    outcome: Option<&FsckOutcome>,
    sound: bool,
    args: &Args,
) -> io::Result<()> {
    let Some(outcome) = outcome else {
        return Ok(());
    };
    if !args.repair.is_empty() {
        writeln!(out, "Repaired {} objects", outcome.repaired)?;
    }
    if sound {
        writeln!(out, "{}", outcome.success_text())?;
    }
    Ok(())
}

/// The repositories to repair from: configured remotes by name, all else as paths or `file://` URLs.
fn sources(cx: &Cx, repo: &Repo, wanted: &[String]) -> Result<Vec<Box<dyn ObjectSource>>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let remotes = super::remote::remotes(cx, repo)?;
    wanted
        .iter()
        .map(|text| {
            source(repo, &remotes, text)
                .with_context(|| format!("Opening the repository to repair from, {text}"))
        })
        .collect()
}

fn source(repo: &Repo, remotes: &Remotes, text: &str) -> Result<Box<dyn ObjectSource>> {
    let url = match remotes.names().contains(&text) {
        true => {
            let remote = remotes.get(text)?;
            let url = remote.url().unwrap_or_default();
            if !url.starts_with("file://") {
                let options = from_environment()?;
                return Ok(Box::new(RemoteObjects::open(repo, &remote, &options)?));
            }
            url
        }
        false => text.to_owned(),
    };
    let path = match url.split_once("://") {
        None => url.clone().into(),
        Some(("file", _)) => match BaseUrl::parse(&url)?.local_path() {
            Some(path) => path,
            None => bail!("{url} names no folder"),
        },
        Some(_) => bail!("a URL of another machine has to be that of a configured remote"),
    };
    Ok(Box::new(RepoSource::new(text, Repo::open(&path)?)))
}

/// Findings to standard error, the rest to standard output.
struct Sink<'a> {
    quiet: bool,
    terminal: bool,
    bar: Bar,
    state: Mutex<State<'a>>,
}

enum Form<'a> {
    Text(&'a mut (dyn Write + Send)),
    Json(json::fsck::Fsck<'a>),
}

struct State<'a> {
    form: Form<'a>,
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
        }
        self.with(|state| match &mut state.form {
            Form::Json(document) => document.event(event),
            Form::Text(_) if event.is_finding() => Ok(()),
            Form::Text(_) if self.quiet && matches!(event, Event::Stage(_)) => Ok(()),
            Form::Text(out) => {
                writeln!(out, "{event}")?;
                // People should see each stage begin.
                if self.terminal { out.flush() } else { Ok(()) }
            }
        });
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
            if let Form::Text(out) = &mut state.form
                && (due || state.done == state.total)
            {
                state.shown = Some(Instant::now());
                let percent = state.done * 100 / state.total.max(1);
                let (done, total) = (state.done, state.total);
                writeln!(out, "fsck objects ({done}/{total}) {percent}%")?;
            }
            Ok(())
        });
    }
}
