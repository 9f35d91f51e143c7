//! Changing the repository's configuration on disk.

use crate::config::RepoConfig;
use crate::error::{Error, IoContext, Result};
use crate::repo::{Repo, read_small};

/// The configuration as it is on disk now, which may be newer than what the repository was opened with.
pub(crate) fn current(repo: &Repo) -> Result<RepoConfig> {
    let bytes = read_small(repo.dir(), "config").at(|| "openat(config)".into())?;
    RepoConfig::parse(&bytes)
}

/// Sets a boolean of the group `core`, unless it is so already.
pub(crate) fn set_flag(repo: &Repo, key: &str) -> Result<()> {
    let bytes = read_small(repo.dir(), "config").at(|| "openat(config)".into())?;
    let mut keyfile = RepoConfig::parse(&bytes)?.keyfile;
    if keyfile.boolean("core", key).unwrap_or(false) {
        return Ok(());
    }
    // The reference tool drops all comments here. Without any to lose, its bytes are kept to.
    let has_comments = bytes
        .split(|byte| *byte == b'\n')
        .any(|line| line.trim_ascii_start().starts_with(b"#"));
    if !has_comments {
        keyfile.strip_comments();
    }
    keyfile
        .set_boolean("core", key, true)
        .map_err(|e| Error::Config(e.to_string()))?;
    repo.write_config(&keyfile)
}
