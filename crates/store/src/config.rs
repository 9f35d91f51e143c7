//! The repository's `config`: a key file whose group `[core]` rules the store.

use crate::error::{Error, Result};
use crate::mode::RepoMode;
use osier_keyfile::KeyFile;

/// How much room writing must leave on the file system.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum MinFreeSpace {
    /// Percent of the file system, `core.min-free-space-percent`.
    Percent(u64),
    /// Mebibytes, `core.min-free-space-size`.
    Size(u64),
}

/// A yes, a no, or "if it can be had".
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Tristate {
    /// Never.
    No,
    /// Always, and failing is an error.
    Yes,
    /// Where possible.
    Maybe,
}

/// The configuration, with every key the store uses decoded.
#[derive(Clone, Debug)]
pub struct RepoConfig {
    /// The whole file, for remotes and for writing it back.
    pub keyfile: KeyFile,
    /// `core.mode`.
    pub mode: RepoMode,
    /// `core.collection-id`.
    pub collection_id: Option<String>,
    /// `core.fsync`: whether published objects are synced at all.
    pub fsync: bool,
    /// `core.per-object-fsync`: sync each file instead of the file system once.
    pub per_object_fsync: bool,
    /// `core.min-free-space-percent` or `-size`.
    pub min_free_space: MinFreeSpace,
    /// `core.tmp-expiry-secs`.
    pub tmp_expiry_secs: u64,
    /// `core.locking`.
    pub locking: bool,
    /// `core.lock-timeout-secs`; −1 waits for ever.
    pub lock_timeout_secs: i64,
    /// `core.tombstone-commits`.
    pub tombstone_commits: bool,
    /// `core.parent`: another repository that objects may come from.
    pub parent: Option<String>,
    /// `core.disable-xattrs`: attributes on disk read as none.
    pub disable_xattrs: bool,
    /// `core.enable-uncompressed-cache`.
    pub enable_uncompressed_cache: bool,
    /// `core.payload-link-threshold` in bytes; `None` switches payload links off.
    pub payload_link_threshold: Option<u64>,
    /// `core.add-remotes-config-dir`.
    pub add_remotes_config_dir: Option<bool>,
    /// `archive.zlib-level`, clamped to 1–9.
    pub zlib_level: u32,
    /// `ex-integrity.composefs`.
    pub composefs: Tristate,
    /// `ex-integrity.fsverity`.
    pub fsverity: Tristate,
}

impl RepoConfig {
    /// `core.auto-update-summary`, or its older name `commit-update-summary`. Looked at only when there is something to
    /// summarise, so that a bad value keeps nobody from reading.
    ///
    /// # Errors
    /// [`Error::Config`] for a value that is no boolean.
    pub fn auto_update_summary(&self) -> Result<bool> {
        let k = &self.keyfile;
        Ok(boolean(k, "core", "auto-update-summary", false)?
            || boolean(k, "core", "commit-update-summary", false)?)
    }

    /// Decodes a configuration.
    ///
    /// # Errors
    /// [`Error::Config`] with the words of the reference tool.
    pub fn parse(bytes: &[u8]) -> Result<RepoConfig> {
        let keyfile = KeyFile::parse(bytes)
            .map_err(|e| Error::Config(format!("Couldn't parse config file: {e}")))?;
        RepoConfig::from_keyfile(keyfile)
    }

    /// `core.sign-verify-deltas`: deltas must be signed, those applied from a folder and those of remotes.
    ///
    /// # Errors
    /// When it is no boolean.
    pub fn sign_verify_deltas(&self) -> Result<bool> {
        boolean(&self.keyfile, "core", "sign-verify-deltas", false)
    }

    /// `core.indexed-deltas`: `delta-indexes/` lists all deltas.
    ///
    /// # Errors
    /// When it is no boolean.
    pub fn indexed_deltas(&self) -> Result<bool> {
        boolean(&self.keyfile, "core", "indexed-deltas", false)
    }

    /// As [`RepoConfig::parse`], of an already parsed file.
    pub fn from_keyfile(keyfile: KeyFile) -> Result<RepoConfig> {
        let k = &keyfile;
        let version = k.string("core", "repo_version").map_err(config)?;
        if version != "1" {
            return Err(Error::Config(format!(
                "Invalid repository version '{version}'"
            )));
        }
        if boolean(k, "core", "archive", false)? {
            return Err(Error::Config("This version of OSTree no longer supports \"archive\" repositories; use archive-z2 instead".into()));
        }
        let mode = string(k, "core", "mode")?
            .as_deref()
            .unwrap_or("bare")
            .parse()?;
        let composefs = tristate(k, "ex-integrity", "composefs", Tristate::No)?;
        let fsverity_default = if composefs == Tristate::No {
            Tristate::No
        } else {
            Tristate::Maybe
        };
        let threshold = integer(k, "core", "payload-link-threshold", -1)?;
        crate::config_checks::check(k)?;
        Ok(RepoConfig {
            mode,
            // Not checked: a repository with a bad one can be read all the same.
            collection_id: string(k, "core", "collection-id")?.filter(|id| !id.is_empty()),
            fsync: boolean(k, "core", "fsync", true)?,
            per_object_fsync: boolean(k, "core", "per-object-fsync", false)?,
            min_free_space: min_free_space(k)?,
            // Below zero is beyond all bounds to the reference tool: nothing is ever too old.
            tmp_expiry_secs: u64::try_from(integer(k, "core", "tmp-expiry-secs", 86_400)?)
                .unwrap_or(u64::MAX),
            locking: boolean(k, "core", "locking", true)?,
            lock_timeout_secs: integer(k, "core", "lock-timeout-secs", 300)?,
            // A bad value is no wish for tombstones to the reference tool.
            tombstone_commits: boolean(k, "core", "tombstone-commits", false).unwrap_or(false),
            parent: string(k, "core", "parent")?.filter(|path| !path.is_empty()),
            disable_xattrs: boolean(k, "core", "disable-xattrs", false)?,
            enable_uncompressed_cache: boolean(k, "core", "enable-uncompressed-cache", true)?,
            payload_link_threshold: u64::try_from(threshold).ok(),
            add_remotes_config_dir: match k.has_key("core", "add-remotes-config-dir") {
                true => Some(boolean(k, "core", "add-remotes-config-dir", true)?),
                false => None,
            },
            // Below zero is beyond all bounds to the reference tool.
            zlib_level: match integer(k, "archive", "zlib-level", 6)? {
                ..0 => 9,
                level => level.clamp(1, 9) as u32,
            },
            composefs,
            fsverity: tristate(k, "ex-integrity", "fsverity", fsverity_default)?,
            keyfile,
        })
    }
}

fn config(e: osier_keyfile::Error) -> Error {
    Error::Config(e.to_string())
}

fn string(k: &KeyFile, group: &str, key: &str) -> Result<Option<String>> {
    match k.string(group, key) {
        Ok(v) => Ok(Some(v)),
        Err(e) if e.is_not_found() => Ok(None),
        Err(e) => Err(config(e)),
    }
}

fn boolean(k: &KeyFile, group: &str, key: &str, default: bool) -> Result<bool> {
    match k.boolean(group, key) {
        Ok(v) => Ok(v),
        Err(e) if e.is_not_found() => Ok(default),
        Err(e) => Err(config(e)),
    }
}

/// A number, read as the reference tool does: digits at the start count, what follows does not. Where that tool takes a
/// text without any for 0, which would empty `tmp/` or give up locks at once, the default stays.
fn integer(k: &KeyFile, group: &str, key: &str, default: i64) -> Result<i64> {
    let Some(text) = string(k, group, key)? else {
        return Ok(default);
    };
    let text = text.trim_start();
    let (negative, digits) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let end = digits
        .bytes()
        .position(|b| !b.is_ascii_digit())
        .unwrap_or(digits.len());
    if end == 0 {
        return Ok(default);
    }
    let number: i64 = digits[..end].parse().unwrap_or(i64::MAX);
    Ok(if negative { -number } else { number })
}

fn tristate(k: &KeyFile, group: &str, key: &str, default: Tristate) -> Result<Tristate> {
    Ok(match string(k, group, key)?.as_deref() {
        None => default,
        Some("yes" | "true" | "1") => Tristate::Yes,
        Some("no" | "false" | "0") => Tristate::No,
        Some("maybe") => Tristate::Maybe,
        Some(other) => return Err(Error::Config(format!("Invalid tri-state value: {other}"))),
    })
}

fn min_free_space(k: &KeyFile) -> Result<MinFreeSpace> {
    let size = string(k, "core", "min-free-space-size")?;
    let percent = string(k, "core", "min-free-space-percent")?;
    if let Some(text) = size {
        let bad = || {
            Error::Config(format!(
                "Invalid min-free-space-size '{text}': It should be of the format '123MB', '123GB' or '123TB'"
            ))
        };
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let n: u64 = text[..digits].parse().map_err(|_| bad())?;
        let shift = match &text[digits..] {
            "MB" => 0,
            "GB" => 10,
            "TB" => 20,
            _ => return Err(bad()),
        };
        let mebibytes = n.saturating_mul(1 << shift);
        // A size of zero leaves the decision to the percentage.
        if mebibytes > 0 {
            return Ok(MinFreeSpace::Size(mebibytes));
        }
        if percent.is_none() {
            return Ok(MinFreeSpace::Percent(0));
        }
    }
    match percent {
        None => Ok(MinFreeSpace::Percent(3)),
        Some(text) if text.is_empty() => Ok(MinFreeSpace::Percent(0)),
        Some(text) if !text.bytes().all(|b| b.is_ascii_digit()) => Err(Error::Config(format!(
            "Invalid min-free-space-percent '{text}': must be a number"
        ))),
        Some(text) => match text.parse::<u64>() {
            Ok(n) if n <= 99 => Ok(MinFreeSpace::Percent(n)),
            _ => Err(Error::Config(format!(
                "Invalid min-free-space-percent '{text}'"
            ))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(core: &str) -> Result<RepoConfig> {
        RepoConfig::parse(format!("[core]\nrepo_version=1\nmode=bare\n{core}").as_bytes())
    }

    #[test]
    fn defaults() {
        let c = parse("").unwrap();
        assert!(c.fsync && c.locking && !c.tombstone_commits);
        assert_eq!(c.min_free_space, MinFreeSpace::Percent(3));
        assert_eq!(
            (c.zlib_level, c.lock_timeout_secs, c.tmp_expiry_secs),
            (6, 300, 86_400)
        );
    }

    #[test]
    fn words_of_the_reference_tool() {
        for (core, words) in [
            (
                "min-free-space-percent=100\n",
                "Invalid min-free-space-percent '100'",
            ),
            (
                "min-free-space-size=1K\n",
                "Invalid min-free-space-size '1K': It should be of the format '123MB', '123GB' or '123TB'",
            ),
            (
                "fsync=x\n",
                "Key file contains key “fsync” which has a value that cannot be interpreted.",
            ),
            (
                "mode=foo\n",
                "Invalid mode 'foo' in repository configuration",
            ),
            ("repo_version=2\n", "Invalid repository version '2'"),
        ] {
            assert_eq!(parse(core).unwrap_err().to_string(), words, "{core}");
        }
    }

    #[test]
    fn numbers_are_read_as_far_as_they_go() {
        for (text, expected) in [
            ("5", 5),
            ("7s", 7),
            ("1.5", 1),
            ("-1", -1),
            ("x", 300),
            ("", 300),
        ] {
            let c = parse(&format!("lock-timeout-secs={text}\n")).unwrap();
            assert_eq!(c.lock_timeout_secs, expected, "{text}");
        }
        let huge = parse("lock-timeout-secs=99999999999999999999\ntmp-expiry-secs=-1\n").unwrap();
        assert_eq!(
            (huge.lock_timeout_secs, huge.tmp_expiry_secs),
            (i64::MAX, u64::MAX)
        );
    }

    #[test]
    fn sizes() {
        let c = parse("min-free-space-size=2GB\nmin-free-space-percent=7\n").unwrap();
        assert_eq!(c.min_free_space, MinFreeSpace::Size(2048));
        let c = parse("min-free-space-size=0MB\nmin-free-space-percent=7\n").unwrap();
        assert_eq!(c.min_free_space, MinFreeSpace::Percent(7));
    }
}
