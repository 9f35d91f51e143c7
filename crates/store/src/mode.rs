//! How a repository keeps its objects on disk.

use std::fmt;
use std::str::FromStr;

/// The storage mode, `core.mode` in the configuration.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Hash)]
pub enum RepoMode {
    /// Files as themselves: owner, mode and attributes are the real ones.
    Bare,
    /// Files hold content; owner, mode and attributes are in the attribute `user.ostreemeta`.
    BareUser,
    /// Files hold content and mode; there are no owners and attributes at all.
    BareUserOnly,
    /// Files are compressed with their header in front, to be served over HTTP.
    Archive,
    /// As bare, with attributes as objects of their own. Read only.
    BareSplitXattrs,
}

impl RepoMode {
    /// The value of `core.mode` as it is written.
    pub fn config_value(self) -> &'static str {
        match self {
            RepoMode::Bare => "bare",
            RepoMode::BareUser => "bare-user",
            RepoMode::BareUserOnly => "bare-user-only",
            RepoMode::Archive => "archive-z2",
            RepoMode::BareSplitXattrs => "bare-split-xattrs",
        }
    }

    /// Whether content objects are `.filez`.
    pub fn is_archive(self) -> bool {
        self == RepoMode::Archive
    }
}

impl fmt::Display for RepoMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.config_value())
    }
}

impl FromStr for RepoMode {
    type Err = crate::Error;
    fn from_str(s: &str) -> Result<RepoMode, crate::Error> {
        Ok(match s {
            "bare" => RepoMode::Bare,
            "bare-user" => RepoMode::BareUser,
            "bare-user-only" => RepoMode::BareUserOnly,
            "archive" | "archive-z2" => RepoMode::Archive,
            "bare-split-xattrs" => RepoMode::BareSplitXattrs,
            other => {
                return Err(crate::Error::Config(format!(
                    "Invalid mode '{other}' in repository configuration"
                )));
            }
        })
    }
}
