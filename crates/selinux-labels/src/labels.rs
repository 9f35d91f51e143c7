//! Finding the line that decides.

use crate::Error;
use crate::contexts::{self, S_IFMT, Spec};
use crate::substitutions::Substitutions;
use std::borrow::Cow;
use std::collections::HashMap;

/// The texts of a policy's files; all but the first may be missing, which is the same as empty.
#[derive(Copy, Clone, Debug, Default)]
pub struct Sources<'a> {
    /// `contexts/files/file_contexts`
    pub file_contexts: &'a str,
    /// The same with `.homedirs`
    pub homedirs: &'a str,
    /// The same with `.local`
    pub local: &'a str,
    /// The same with `.subs`
    pub subs: &'a str,
    /// The same with `.subs_dist`
    pub subs_dist: &'a str,
}

/// The labels of a policy.
#[derive(Debug)]
pub struct Labels {
    specs: Vec<Spec>,
    /// Lines that stand for one path, the one to prefer first.
    literals: HashMap<Box<str>, Vec<u32>>,
    /// The other lines by the folder, with its slash, that all their matches are below.
    patterns: HashMap<Box<str>, Vec<u32>>,
    subs: Substitutions,
    subs_dist: Substitutions,
}

impl Labels {
    /// Reads a policy's files.
    ///
    /// # Errors
    /// A line that is none. A wrong regular expression is found only when a path needs it, as in libselinux.
    pub fn parse(sources: Sources<'_>) -> Result<Self, Error> {
        let mut specs = Vec::new();
        let mut starts = Vec::new();
        for (name, text) in [
            ("file_contexts", sources.file_contexts),
            ("file_contexts.homedirs", sources.homedirs),
            ("file_contexts.local", sources.local),
        ] {
            starts.push(specs.len());
            specs.extend(contexts::parse(name, text)?);
        }
        let mut literals: HashMap<Box<str>, Vec<u32>> = HashMap::new();
        let mut patterns: HashMap<Box<str>, Vec<u32>> = HashMap::new();
        // Of two equal paths the first one counts, but a later file's before an earlier one's.
        let mut end = specs.len();
        for start in starts.into_iter().rev() {
            for (index, spec) in specs.iter().enumerate().take(end).skip(start) {
                if spec.pattern.literal {
                    literals
                        .entry(spec.pattern.prefix.clone())
                        .or_default()
                        .push(index as u32);
                }
            }
            end = start;
        }
        for (index, spec) in specs.iter().enumerate().rev() {
            if !spec.pattern.literal {
                let prefix = &spec.pattern.prefix;
                let folder = &prefix[..prefix.rfind('/').map_or(0, |slash| slash + 1)];
                patterns
                    .entry(folder.into())
                    .or_default()
                    .push(index as u32);
            }
        }
        Ok(Self {
            specs,
            literals,
            patterns,
            subs: Substitutions::parse(sources.subs),
            subs_dist: Substitutions::parse(sources.subs_dist),
        })
    }

    /// The label of a path, absolute and without doubled slashes or one at its end; of the mode only the type counts.
    /// `None` where the policy has none, or says `<<none>>`.
    ///
    /// # Errors
    /// A regular expression that had to be tried cannot be used.
    pub fn of(&self, path: &str, mode: u32) -> Result<Option<&str>, Error> {
        let path = self.subs_dist.apply(self.subs.apply(Cow::Borrowed(path)));
        let kind = mode & S_IFMT;
        let fits = |spec: &Spec| spec.kind.is_none_or(|only| only == kind);
        if let Some(literals) = self.literals.get(&*path)
            && let Some(spec) = literals
                .iter()
                .map(|index| &self.specs[*index as usize])
                .find(|spec| fits(spec))
        {
            return Ok(spec.label.as_deref());
        }
        // Strictly from the last line to the first, so that no pattern is tried that need not be.
        let mut candidates: Vec<u32> = Vec::new();
        let folders = path.match_indices('/').map(|(slash, _)| slash + 1);
        for end in std::iter::once(0).chain(folders) {
            let group = self.patterns.get(&path[..end]).into_iter().flatten();
            candidates.extend(group.filter(|index| {
                let spec = &self.specs[**index as usize];
                fits(spec) && path.starts_with(&*spec.pattern.prefix)
            }));
        }
        candidates.sort_unstable_by(|a, b| b.cmp(a));
        for index in candidates {
            let spec = &self.specs[index as usize];
            let matches = spec
                .pattern
                .matches(&path)
                .map_err(|cause| Error::Pattern {
                    file: spec.file,
                    line: spec.line,
                    pattern: spec.pattern.text.to_string(),
                    cause: cause.to_owned(),
                })?;
            if matches {
                return Ok(spec.label.as_deref());
            }
        }
        Ok(None)
    }
}
