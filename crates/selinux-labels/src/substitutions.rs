//! `file_contexts.subs` and `.subs_dist`: beginnings of paths that are labelled like others.

use std::borrow::Cow;

/// The lines of one such file, the last first, as the last that fits counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Substitutions(Vec<(String, String)>);

impl Substitutions {
    /// Lines `ALIAS PATH`; comments and lines with fewer fields say nothing.
    pub(crate) fn parse(text: &str) -> Self {
        let pair = |line: &str| {
            let mut fields = line.split_whitespace();
            let (alias, path) = (fields.next()?, fields.next()?);
            (!alias.starts_with('#')).then(|| (alias.to_owned(), path.to_owned()))
        };
        Self(text.lines().rev().filter_map(pair).collect())
    }

    pub(crate) fn apply<'a>(&self, path: Cow<'a, str>) -> Cow<'a, str> {
        for (alias, to) in &self.0 {
            if let Some(rest) = path.strip_prefix(alias.as_str())
                && (rest.is_empty() || rest.starts_with('/'))
            {
                return Cow::Owned(format!("{to}{rest}"));
            }
        }
        path
    }
}
