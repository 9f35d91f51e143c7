//! Changing owners, modes, attributes and labels, and leaving entries out, while a tree is read.

use super::devino::DevinoCache;
use crate::error::{Error, Result};
use crate::selinux::{Policy, XATTR};
use osier_object::header::{is_directory, is_regular};
use osier_object::{Dirmeta, Xattrs};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

/// What to do to each entry of a tree, in this order: owners, write bits of executables, mode overrides, skip list,
/// canonical permissions, SELinux label.
#[derive(Debug, Default)]
pub struct Modifier {
    /// Owner of everything.
    pub owner_uid: Option<u32>,
    /// Group of everything.
    pub owner_gid: Option<u32>,
    /// Clear all write bits of regular files that somebody may execute.
    pub mode_ro_executables: bool,
    /// Modes of single paths.
    pub stat_overrides: StatOverrides,
    /// Paths to leave out, each with what is below it.
    pub skip: SkipList,
    /// Owner 0:0, modes within 0755, no attributes.
    pub canonical_permissions: bool,
    /// No attributes.
    pub no_xattrs: bool,
    /// Label every path that this policy has a label for; what else a file had as its label stays.
    pub selinux: Option<Policy>,
    /// Checksums known from where files lie.
    pub devino: Option<DevinoCache>,
    /// Trust [`Modifier::devino`] without looking at owner, mode and attributes.
    pub devino_canonical: bool,
    /// Delete the source files once they are in the repository.
    pub consume: bool,
}

/// Owner, mode and attributes of an entry while they are being decided.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Attributes {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) mode: u32,
    pub(super) xattrs: Xattrs,
}

impl Attributes {
    /// As a directory's.
    pub(super) fn into_dirmeta(self) -> Dirmeta {
        Dirmeta {
            uid: self.uid,
            gid: self.gid,
            mode: self.mode,
            xattrs: self.xattrs,
        }
    }
}

impl Modifier {
    /// Whether commits' trees are taken as they are. The last two change nothing in them, but the reference tool reads
    /// and counts their files.
    pub fn is_identity(&self) -> bool {
        self.owner_uid.is_none()
            && self.owner_gid.is_none()
            && !self.mode_ro_executables
            && !self.canonical_permissions
            && !self.no_xattrs
            && !self.stat_overrides.given
            && !self.skip.given
            && !self.devino_canonical
            && !self.consume
            && self.selinux.is_none()
    }

    /// Whether the attributes that files have need not be read at all.
    pub(super) fn drops_xattrs(&self) -> bool {
        self.no_xattrs || self.canonical_permissions
    }

    /// Decides one entry; `path` starts with a slash. `false` leaves it out.
    pub(super) fn apply(&self, path: &str, a: &mut Attributes) -> bool {
        // Directories below the root have never had bits added; trees in use rely on their checksums.
        if !self.decide(path, a, path == "/", self.canonical_permissions) {
            return false;
        }
        if self.drops_xattrs() {
            a.xattrs = Xattrs::default();
        }
        true
    }

    /// As [`Modifier::apply`], of an archive's entry: bits are added to all its directories, and canonical permissions
    /// leave attributes alone, unless the repository cannot keep them (`ownerless`). Gives whether it can keep attributes;
    /// `None` leaves the entry out.
    pub(super) fn apply_to_archive(
        &self,
        path: &str,
        a: &mut Attributes,
        ownerless: bool,
    ) -> Option<bool> {
        let canonical = self.canonical_permissions || ownerless;
        self.decide(path, a, true, canonical)
            .then_some(!self.no_xattrs && !ownerless)
    }

    fn decide(&self, path: &str, a: &mut Attributes, dir_bits: bool, canonical: bool) -> bool {
        a.uid = self.owner_uid.unwrap_or(a.uid);
        a.gid = self.owner_gid.unwrap_or(a.gid);
        if self.mode_ro_executables && is_regular(a.mode) && a.mode & 0o111 != 0 {
            a.mode &= !0o222;
        }
        self.stat_overrides.apply(path, &mut a.mode, dir_bits);
        if self.skip.matches(path) {
            return false;
        }
        if canonical {
            if is_regular(a.mode) || is_directory(a.mode) {
                a.mode &= !0o7022;
            }
            (a.uid, a.gid) = (0, 0);
        }
        true
    }

    /// Gives an entry the label that the policy has for it, if it has one.
    pub(super) fn label(&self, path: &str, a: &mut Attributes) -> Result<()> {
        let Some(policy) = &self.selinux else {
            return Ok(());
        };
        let Some(label) = policy.label(path, a.mode)? else {
            return Ok(());
        };
        let mut pairs = std::mem::take(&mut a.xattrs).into_pairs();
        pairs.retain(|(name, _)| name != XATTR);
        // The kernel stores labels with a NUL at the end.
        pairs.push((XATTR.to_vec(), [label.as_bytes(), b"\0"].concat()));
        a.xattrs = Xattrs::from_pairs(pairs);
        Ok(())
    }

    /// # Errors
    /// When an override or a path to skip fitted nothing.
    pub fn check_all_matched(&self) -> Result<()> {
        self.stat_overrides.check_all_matched()?;
        self.skip.check_all_matched()
    }
}

/// Modes for single paths, as a file of lines `[=]MODE /PATH`, MODE in decimal or with `0x`.
#[derive(Debug, Default)]
pub struct StatOverrides {
    /// There is such a file, maybe empty.
    given: bool,
    /// Bits to add, once: of several trees that have the path to the first.
    add: BTreeMap<String, (u32, AtomicBool)>,
    /// Permission bits to have instead.
    set: BTreeMap<String, u32>,
}

impl StatOverrides {
    /// Reads the lines of such a file.
    ///
    /// # Errors
    /// When a line has no number or no path.
    pub fn parse(text: &str) -> Result<StatOverrides> {
        let mut out = StatOverrides {
            given: true,
            ..StatOverrides::default()
        };
        for line in text.lines().filter(|l| !l.is_empty()) {
            let (number, path) = line.split_once(' ').ok_or_else(|| {
                Error::other(format!(
                    "Malformed statoverride file (no space found): {line}"
                ))
            })?;
            let (exact, number) = match number.strip_prefix('=') {
                Some(rest) => (true, rest),
                None => (false, number.strip_prefix('+').unwrap_or(number)),
            };
            let mode = match number.strip_prefix("0x") {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            }
            .map_err(|_| Error::other(format!("Malformed statoverride file (bad mode): {line}")))?;
            let path = path.trim_start().to_owned();
            if exact {
                out.set.insert(path, mode);
            } else {
                out.add.insert(path, (mode, AtomicBool::new(false)));
            }
        }
        Ok(out)
    }

    /// `dir_bits`: whether a directory may have bits added. Each path has its bits added once only.
    fn apply(&self, path: &str, mode: &mut u32, dir_bits: bool) {
        if let Some(bits) = self.set.get(path) {
            *mode = (*mode & !0o7777) | (bits & 0o7777);
        }
        if let Some((bits, used)) = self.add.get(path) {
            let used = used.swap(true, Ordering::Relaxed);
            if !used && (dir_bits || !is_directory(*mode)) {
                *mode |= bits;
            }
        }
    }

    fn check_all_matched(&self) -> Result<()> {
        let unused: Vec<&str> = self
            .add
            .iter()
            .filter(|(_, (_, used))| !used.load(Ordering::Relaxed))
            .map(|(p, _)| p.as_str())
            .collect();
        match unused.is_empty() {
            true => Ok(()),
            false => Err(Error::other(format!(
                "Unmatched statoverride paths: {}",
                unused.join(" ")
            ))),
        }
    }
}

/// Paths to leave out, one a line.
#[derive(Debug, Default)]
pub struct SkipList {
    /// There is such a list, maybe empty.
    given: bool,
    paths: BTreeMap<String, AtomicBool>,
}

impl SkipList {
    /// Reads the lines of such a file.
    pub fn parse(text: &str) -> SkipList {
        let paths = text
            .lines()
            .filter(|l| !l.is_empty())
            .map(|l| (l.to_owned(), AtomicBool::new(false)))
            .collect();
        SkipList { given: true, paths }
    }

    /// Whether to leave the path out: of several trees that have it, in the first only.
    pub(super) fn matches(&self, path: &str) -> bool {
        match self.paths.get(path) {
            Some(used) => !used.swap(true, Ordering::Relaxed),
            None => false,
        }
    }

    fn check_all_matched(&self) -> Result<()> {
        let unused: Vec<&str> = self
            .paths
            .iter()
            .filter(|(_, used)| !used.load(Ordering::Relaxed))
            .map(|(p, _)| p.as_str())
            .collect();
        match unused.is_empty() {
            true => Ok(()),
            false => Err(Error::other(format!(
                "Unmatched skip-list paths: {}",
                unused.join(" ")
            ))),
        }
    }
}
