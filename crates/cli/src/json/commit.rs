//! A commit, as `log` and `show` print it.

use osier_object::commit::key;
use osier_object::{Commit, CommitId};
use osier_store::CommitState;
use serde::Serialize;
use serde_json::Value as Json;

use super::value::{Time, metadata};

/// A commit.
#[derive(Debug, Serialize)]
pub struct CommitFields {
    pub checksum: String,
    parent: Option<String>,
    content_checksum: String,
    root_dirtree: String,
    root_dirmeta: String,
    timestamp: i64,
    date: Option<String>,
    version: Option<String>,
    subject: String,
    body: String,
    metadata: Json,
    state: &'static str,
}

impl CommitFields {
    #[must_use]
    pub fn new(id: &CommitId, commit: &Commit, state: CommitState) -> Self {
        let time = Time(commit.timestamp);
        Self {
            checksum: id.to_string(),
            parent: commit.parent.as_ref().map(CommitId::to_string),
            content_checksum: commit.content_checksum().to_string(),
            root_dirtree: commit.root_dirtree.to_string(),
            root_dirmeta: commit.root_dirmeta.to_string(),
            timestamp: time.seconds(),
            date: time.date(),
            version: commit.metadata.get_str(key::VERSION).map(str::to_owned),
            subject: commit.subject.clone(),
            body: commit.body.clone(),
            metadata: metadata(&commit.metadata),
            state: match state {
                CommitState { partial: false, .. } => "normal",
                CommitState {
                    partial_by_fsck: true,
                    ..
                } => "partial-by-fsck",
                CommitState { .. } => "partial",
            },
        }
    }
}
