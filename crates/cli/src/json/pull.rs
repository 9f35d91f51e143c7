//! `pull --json`: a document a line for each thing that happens, written at once.

use std::io::{self, Write};

use osier_pull::{Cancel, Outcome, Progress, ProgressSink, PulledRef};
use serde::Serialize;

use super::schema;
use crate::output::Output;

#[derive(Debug, Serialize)]
struct Line<'a> {
    schema: &'static str,
    #[serde(flatten)]
    event: Event<'a>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Event<'a> {
    Start {
        remote: &'a str,
        url: Option<&'a str>,
        mirror: bool,
        dry_run: bool,
    },
    Resolved {
        commits: Vec<Pulled<'a>>,
    },
    Progress {
        metadata_objects: u64,
        content_objects: u64,
        pending_metadata_objects: u64,
        pending_content_objects: u64,
        /// Nothing more will be found to be missing.
        scanned: bool,
        objects_from_cache: u64,
        bytes: u64,
        expected_bytes: Option<u64>,
    },
    Warning {
        warning: &'a str,
    },
    Error {
        error: String,
    },
    Done {
        metadata_objects: u64,
        content_objects: u64,
        delta_parts: u64,
        metadata_objects_from_cache: u64,
        content_objects_from_cache: u64,
        bytes: u64,
        content_bytes_written: u64,
        milliseconds: u64,
        imported: bool,
        plan: Option<Plan>,
        refs: Vec<RefAt<'a>>,
    },
}

#[derive(Debug, Serialize)]
struct Pulled<'a> {
    name: Option<&'a str>,
    collection: Option<&'a str>,
    commit: String,
    old_commit: Option<String>,
}

#[derive(Debug, Serialize)]
struct RefAt<'a> {
    name: &'a str,
    commit: String,
}

#[derive(Debug, Serialize)]
struct Plan {
    parts: u64,
    parts_here: u64,
    bytes: u64,
    bytes_here: u64,
    unpacked_bytes: u64,
}

/// Writes what a pull tells. When nobody reads any more, the pull is cancelled.
pub struct Events<'o> {
    out: &'o mut Output,
    cancel: Cancel,
    failed: Option<io::Error>,
}

impl<'o> Events<'o> {
    /// Says what is about to be pulled.
    pub fn start(
        out: &'o mut Output,
        cancel: Cancel,
        (remote, url): (&str, Option<&str>),
        mirror: bool,
        dry_run: bool,
    ) -> Self {
        let mut events = Events {
            out,
            cancel,
            failed: None,
        };
        events.write(Event::Start {
            remote,
            url,
            mirror,
            dry_run,
        });
        events
    }

    /// Ends with what the pull did, or why it failed.
    ///
    /// # Errors
    /// When standard output could not be written.
    pub fn end(mut self, result: Result<&Outcome, String>) -> io::Result<()> {
        self.write(match result {
            Err(error) => Event::Error { error },
            Ok(outcome) => Event::Done {
                metadata_objects: outcome.metadata,
                content_objects: outcome.content,
                delta_parts: outcome.parts,
                metadata_objects_from_cache: outcome.metadata_from_cache,
                content_objects_from_cache: outcome.content_from_cache,
                bytes: outcome.bytes,
                content_bytes_written: outcome.content_bytes_written,
                milliseconds: outcome.elapsed.as_millis().try_into().unwrap_or(u64::MAX),
                imported: outcome.local,
                plan: outcome.plan.as_ref().map(|plan| Plan {
                    parts: plan.parts,
                    parts_here: plan.parts_here,
                    bytes: plan.bytes,
                    bytes_here: plan.bytes_here,
                    unpacked_bytes: plan.unpacked,
                }),
                refs: outcome
                    .refs
                    .iter()
                    .map(|(name, commit)| RefAt {
                        name,
                        commit: commit.to_string(),
                    })
                    .collect(),
            },
        });
        self.failed.map_or(Ok(()), Err)
    }

    fn write(&mut self, event: Event<'_>) {
        if self.failed.is_some() {
            return;
        }
        let line = Line {
            schema: schema::PULL,
            event,
        };
        let written = serde_json::to_writer(&mut *self.out, &line)
            .map_err(io::Error::from)
            .and_then(|()| self.out.write_all(b"\n"))
            .and_then(|()| self.out.flush());
        if let Err(error) = written {
            self.failed = Some(error);
            self.cancel.cancel();
        }
    }
}

impl ProgressSink for Events<'_> {
    fn resolved(&mut self, refs: &[PulledRef]) {
        let commits = refs
            .iter()
            .map(|found| Pulled {
                name: found.name.as_deref(),
                collection: found.collection.as_deref(),
                commit: found.commit.to_string(),
                old_commit: found.old.map(|id| id.to_string()),
            })
            .collect();
        self.write(Event::Resolved { commits });
    }

    fn warning(&mut self, text: &str) {
        self.write(Event::Warning { warning: text });
    }

    fn update(&mut self, progress: &Progress) {
        self.write(Event::Progress {
            metadata_objects: progress.fetched_metadata,
            content_objects: progress.fetched_content,
            pending_metadata_objects: progress.pending_metadata,
            pending_content_objects: progress.pending_content,
            scanned: progress.scanned,
            objects_from_cache: progress.from_cache,
            bytes: progress.bytes,
            expected_bytes: progress.expected_bytes,
        });
    }
}
