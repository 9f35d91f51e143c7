//! What to pull, as people name it.

use crate::Error;
use osier_object::CommitId;
use osier_object::refs::{is_checksum, validate_ref_name};

/// One thing to pull.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Target {
    /// A ref; at this commit, if one is given, whatever the server says.
    Ref {
        /// Its name.
        name: String,
        /// Its commit.
        commit: Option<CommitId>,
    },
    /// A commit; no ref is written.
    Commit(CommitId),
}

impl Target {
    /// `REF`, `REF@COMMIT` or a checksum.
    ///
    /// # Errors
    /// [`Error::InvalidRef`], [`Error::InvalidRev`].
    pub fn parse(text: &str) -> Result<Target, Error> {
        let checksum = |text: &str| {
            text.parse::<CommitId>()
                .map_err(|_| Error::InvalidRev(text.to_owned()))
        };
        if is_checksum(text) {
            return Ok(Target::Commit(checksum(text)?));
        }
        let (name, commit) = match text.split_once('@') {
            Some((name, commit)) => (name, Some(checksum(commit)?)),
            None => (text, None),
        };
        if validate_ref_name(name).is_err() {
            return Err(Error::InvalidRef(name.to_owned()));
        }
        Ok(Target::Ref {
            name: name.to_owned(),
            commit,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let hex = "81".repeat(32);
        let id: CommitId = hex.parse().unwrap();
        assert_eq!(Target::parse(&hex).unwrap(), Target::Commit(id));
        assert_eq!(
            Target::parse("a/b").unwrap(),
            Target::Ref {
                name: "a/b".into(),
                commit: None
            }
        );
        let at = format!("a/b@{hex}");
        assert_eq!(
            Target::parse(&at).unwrap(),
            Target::Ref {
                name: "a/b".into(),
                commit: Some(id)
            }
        );
        for (text, message) in [
            ("a b", "Invalid ref name a b"),
            ("../x", "Invalid ref name ../x"),
            ("", "Invalid ref name "),
            ("main@12", "Invalid rev 12"),
        ] {
            assert_eq!(Target::parse(text).unwrap_err().to_string(), message);
        }
    }
}
