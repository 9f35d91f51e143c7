//! `ls --json`.

use std::io::{self, Write};

use osier_object::{CommitId, Dirmeta, DirmetaId, DirtreeId};
use serde::Serialize;

use super::document::Document;
use super::object::{FileFields, Inode};
use super::schema;

/// An entry: its path in the commit, then what a file or a directory has.
#[derive(Debug, Serialize)]
pub struct Entry<'a> {
    path: &'a str,
    #[serde(flatten)]
    fields: Fields,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Fields {
    File(FileFields),
    Directory {
        r#type: &'static str,
        dirtree_checksum: String,
        dirmeta_checksum: String,
        #[serde(flatten)]
        inode: Inode,
    },
}

impl<'a> Entry<'a> {
    #[must_use]
    pub fn file(path: &'a str, file: FileFields) -> Self {
        Self {
            path,
            fields: Fields::File(file),
        }
    }

    #[must_use]
    pub fn directory(path: &'a str, tree: &DirtreeId, meta: &DirmetaId, dir: &Dirmeta) -> Self {
        Self {
            path,
            fields: Fields::Directory {
                r#type: "directory",
                dirtree_checksum: tree.to_string(),
                dirmeta_checksum: meta.to_string(),
                inode: Inode::of_dirmeta(dir),
            },
        }
    }
}

/// Begins a listing; its elements are [`Entry`]s.
pub fn begin<'w>(out: &'w mut (dyn Write + Send), commit: &CommitId) -> io::Result<Document<'w>> {
    let mut document = Document::begin(out, schema::LS)?;
    document.field("commit", &commit.to_string())?;
    document.begin_list("entries")?;
    Ok(document)
}
