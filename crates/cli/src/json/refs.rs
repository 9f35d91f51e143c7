//! `refs --json` and `remote refs --json`.

use std::io::{self, Write};

use osier_object::CommitId;
use serde::Serialize;

use super::document::Document;
use super::schema;

/// A ref.
#[derive(Debug, Serialize)]
pub struct Ref {
    /// As commands take it; collections' refs have no such form but their name.
    pub refspec: String,
    pub name: String,
    pub remote: Option<String>,
    pub collection: Option<String>,
    pub commit: String,
    pub alias_of: Option<String>,
}

impl Ref {
    /// A ref of a remote, or of no remote.
    #[must_use]
    pub fn new(remote: Option<&str>, name: &str, commit: &CommitId) -> Self {
        Self {
            refspec: match remote {
                Some(remote) => format!("{remote}:{name}"),
                None => name.to_owned(),
            },
            name: name.to_owned(),
            remote: remote.map(str::to_owned),
            collection: None,
            commit: commit.to_string(),
            alias_of: None,
        }
    }

    /// A ref of a collection.
    #[must_use]
    pub fn of_collection(collection: &str, name: &str, commit: &CommitId) -> Self {
        Self {
            collection: Some(collection.to_owned()),
            ..Self::new(None, name, commit)
        }
    }

    /// The same ref as another name of a ref.
    #[must_use]
    pub fn alias_of(self, target: Option<String>) -> Self {
        Self {
            alias_of: target,
            ..self
        }
    }
}

/// Prints a list of refs.
pub fn print(out: &mut (dyn Write + Send), refs: impl IntoIterator<Item = Ref>) -> io::Result<()> {
    let mut document = Document::begin(out, schema::REFS)?;
    document.list("refs", refs)?;
    document.end()
}
