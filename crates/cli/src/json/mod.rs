//! What `--json` prints: one file per command, one conventions file for all.
//!
//! `docs/json.md` describes every document for its readers, and `docs/json.schema.json` is the same as a JSON Schema,
//! which the conformance tests hold against real output. The rules:
//!
//! - One run prints one document (`pull`: one a line for each event), an object whose first field `schema` names its kind and major version.
//! - Everything is in it that the text form can show; options that only pick columns change nothing.
//! - Listings are written as they are read. A run that fails in between leaves a document without its end, which no
//!   parser takes for a whole one; the error and the exit code are those of the text form.
//! - Checksums are lower-case hexadecimal, sizes bytes, times UTC seconds with the same in ISO 8601 beside it.

pub mod commit;
pub mod config;
pub mod diff;
pub mod document;
pub mod du;
pub mod find_remotes;
pub mod fsck;
pub mod keys;
pub mod log;
pub mod ls;
pub mod object;
pub mod prune;
pub mod pull;
pub mod pull_local;
pub mod push;
pub mod refs;
pub mod remote;
pub mod rev_parse;
pub mod show;
pub mod signatures;
pub mod static_delta;
pub mod summary;
pub mod value;

use anyhow::Result;

use crate::error::OptionError;

/// Kinds of documents, each with its major version.
pub mod schema {
    pub const CONFIG: &str = "osier.config.v1";
    pub const DIFF: &str = "osier.diff.v1";
    pub const DU: &str = "osier.du.v1";
    pub const FIND_REMOTES: &str = "osier.find-remotes.v1";
    pub const FSCK: &str = "osier.fsck.v1";
    pub const GPG_KEYS: &str = "osier.gpg-keys.v1";
    pub const LOG: &str = "osier.log.v1";
    pub const LS: &str = "osier.ls.v1";
    pub const METADATA_KEY: &str = "osier.metadata-key.v1";
    pub const METADATA_KEYS: &str = "osier.metadata-keys.v1";
    pub const PRUNE: &str = "osier.prune.v1";
    pub const PULL: &str = "osier.pull.v1";
    pub const PULL_LOCAL: &str = "osier.pull-local.v1";
    pub const PUSH: &str = "osier.push.v1";
    pub const REFS: &str = "osier.refs.v1";
    pub const RELATED: &str = "osier.related.v1";
    pub const REMOTES: &str = "osier.remotes.v1";
    pub const REV_PARSE: &str = "osier.rev-parse.v1";
    pub const SHOW: &str = "osier.show.v1";
    pub const SIZES: &str = "osier.sizes.v1";
    pub const STATIC_DELTA: &str = "osier.static-delta.v1";
    pub const STATIC_DELTAS: &str = "osier.static-deltas.v1";
    pub const STATIC_DELTA_INDEXES: &str = "osier.static-delta-indexes.v1";
    pub const SUMMARY: &str = "osier.summary.v1";
}

/// Fails if an option was given that picks another form of output, or makes the command do something that prints
/// nothing.
///
/// # Errors
/// Names the option.
pub fn alone(json: bool, others: &[(&str, bool)]) -> Result<()> {
    match others.iter().find(|(_, given)| json && *given) {
        Some((option, _)) => {
            Err(OptionError(format!("{option} and --json cannot be used together")).into())
        }
        None => Ok(()),
    }
}
