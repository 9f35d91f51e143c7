//! tombstone-commit: what is left of a deleted commit.
//!
//! `a{sv}` with the single key `commit`, an `ay` of the commit's 64 hexadecimal digits and a NUL.

use osier_gv::{Dict, Value};

use crate::{Checksum, CommitId, Error};

const WHAT: &str = "tombstone-commit";

/// The bytes of the tombstone of that commit.
pub fn encode(commit: &CommitId) -> Vec<u8> {
    let mut text = commit.to_hex().into_bytes();
    text.push(0);
    let mut dict = Dict::new();
    dict.push("commit", Value::Bytes(text));
    dict.encode()
}

/// Which commit the tombstone is of.
///
/// # Errors
/// [`Error::Format`] for bytes not in normal form, [`Error::Content`] without a well-formed
/// `commit` entry.
pub fn decode(bytes: &[u8]) -> Result<CommitId, Error> {
    let dict = Dict::decode(bytes).map_err(Error::format(WHAT))?;
    dict.get_bytes("commit")
        .and_then(|text| Checksum::from_hex(text.strip_suffix(&[0])?))
        .map(CommitId)
        .ok_or_else(|| Error::content("tombstone-commit names no commit"))
}
