//! `show --json`.

use std::io::{self, Write};

use osier_gv::{Dict, Value};
use osier_object::{Checksum, CommitId, Dirmeta, Dirtree};
use serde::Serialize;
use serde_json::Value as Json;

use super::commit::CommitFields;
use super::document::Document;
use super::object::{FileFields, Inode};
use super::schema;
use super::signatures::Signature;
use super::value::{Variant, metadata};

/// An object.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Object {
    Commit {
        #[serde(flatten)]
        commit: CommitFields,
        detached_metadata: Option<Json>,
        gpg_signatures: Vec<Signature>,
    },
    Dirmeta {
        checksum: String,
        #[serde(flatten)]
        inode: Inode,
    },
    Dirtree {
        checksum: String,
        files: Vec<File>,
        dirs: Vec<Dir>,
    },
    File(FileFields),
}

/// A file in a directory listing.
#[derive(Debug, Serialize)]
pub struct File {
    name: String,
    checksum: String,
}

/// A folder in a directory listing.
#[derive(Debug, Serialize)]
pub struct Dir {
    name: String,
    dirtree_checksum: String,
    dirmeta_checksum: String,
}

impl Object {
    #[must_use]
    pub fn commit(
        commit: CommitFields,
        detached: Option<&Dict>,
        gpg_signatures: Vec<Signature>,
    ) -> Self {
        Object::Commit {
            commit,
            detached_metadata: detached.map(metadata),
            gpg_signatures,
        }
    }

    #[must_use]
    pub fn dirmeta(checksum: &Checksum, meta: &Dirmeta) -> Self {
        Object::Dirmeta {
            checksum: checksum.to_string(),
            inode: Inode::of_dirmeta(meta),
        }
    }

    #[must_use]
    pub fn dirtree(checksum: &Checksum, tree: &Dirtree) -> Self {
        let files = tree.files.iter().map(|(name, id)| File {
            name: name.to_string(),
            checksum: id.to_string(),
        });
        let dirs = tree.dirs.iter().map(|(name, tree, meta)| Dir {
            name: name.to_string(),
            dirtree_checksum: tree.to_string(),
            dirmeta_checksum: meta.to_string(),
        });
        Object::Dirtree {
            checksum: checksum.to_string(),
            files: files.collect(),
            dirs: dirs.collect(),
        }
    }

    fn object_type(&self) -> &'static str {
        match self {
            Object::Commit { .. } => "commit",
            Object::Dirmeta { .. } => "dirmeta",
            Object::Dirtree { .. } => "dirtree",
            Object::File(_) => "file",
        }
    }
}

/// Prints an object.
pub fn print(out: &mut (dyn Write + Send), object: &Object) -> io::Result<()> {
    let mut document = Document::begin(out, schema::SHOW)?;
    document.field("object_type", object.object_type())?;
    document.field("object", object)?;
    document.end()
}

/// Prints the names of keys.
pub fn print_keys(out: &mut (dyn Write + Send), dict: &Dict) -> io::Result<()> {
    let mut keys: Vec<&str> = dict.keys().collect();
    keys.sort_unstable();
    keys.dedup();
    let mut document = Document::begin(out, schema::METADATA_KEYS)?;
    document.list("keys", keys)?;
    document.end()
}

/// Prints the value of one key.
pub fn print_key(out: &mut (dyn Write + Send), key: &str, value: &Value) -> io::Result<()> {
    let mut document = Document::begin(out, schema::METADATA_KEY)?;
    document.field("key", key)?;
    document.field("value", &Variant::from(value))?;
    document.end()
}

/// What is missing here, and all.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Needed {
    pub needed: u64,
    pub total: u64,
}

/// Prints what a commit says about its size.
pub fn print_sizes(
    out: &mut (dyn Write + Send),
    commit: &CommitId,
    [archived, unpacked, objects]: [Needed; 3],
) -> io::Result<()> {
    let mut document = Document::begin(out, schema::SIZES)?;
    document.field("commit", &commit.to_string())?;
    document.field("archived_bytes", &archived)?;
    document.field("unpacked_bytes", &unpacked)?;
    document.field("objects", &objects)?;
    document.end()
}

/// Prints the commits a commit is related to.
pub fn print_related(
    out: &mut (dyn Write + Send),
    commit: &CommitId,
    related: &[(String, Checksum)],
) -> io::Result<()> {
    let mut document = Document::begin(out, schema::RELATED)?;
    document.field("commit", &commit.to_string())?;
    document.list(
        "related",
        related.iter().map(|(name, checksum)| File {
            name: name.clone(),
            checksum: checksum.to_string(),
        }),
    )?;
    document.end()
}
