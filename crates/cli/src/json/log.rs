//! `log --json`.

use std::io::{self, Write};

use osier_object::CommitId;

use super::commit::CommitFields;
use super::document::Document;
use super::schema;

/// A history being written, newest commit first.
pub struct Log<'w>(Document<'w>);

impl<'w> Log<'w> {
    pub fn begin(out: &'w mut (dyn Write + Send)) -> io::Result<Self> {
        let mut document = Document::begin(out, schema::LOG)?;
        document.begin_list("commits")?;
        Ok(Self(document))
    }

    pub fn commit(&mut self, commit: &CommitFields) -> io::Result<()> {
        self.0.element(commit)
    }

    /// `missing_parent`: where the history goes on beyond what is stored here.
    pub fn end(mut self, missing_parent: Option<&CommitId>) -> io::Result<()> {
        self.0.end_list()?;
        self.0
            .field("missing_parent", &missing_parent.map(CommitId::to_string))?;
        self.0.end()
    }
}
