//! Where good objects come from.

use crate::content::Content;
use crate::error::{Error, Result};
use crate::read::ReadObjects;
use crate::repo::Repo;
use osier_object::{Checksum, ContentId, ObjectType};
use std::fs::File;
use std::io::Read;

/// Something that has objects. What it gives is checked by whoever asks, so it may be anybody's.
pub trait ObjectSource: Sync {
    /// Its name, for messages: a path or URL.
    fn name(&self) -> &str;

    /// The bytes of a metadata object, detached metadata included; `None` when it is not there.
    fn metadata(&self, ty: ObjectType, checksum: &Checksum) -> Result<Option<Vec<u8>>>;

    /// A file or symbolic link; `None` when it is not there.
    fn content(&self, id: &ContentId) -> Result<Option<SourceContent>>;
}

/// A content object in the form a source has it.
pub enum SourceContent {
    /// Header and bytes.
    Opened(Content),
    /// A `.filez`, as archives serve it.
    Packed {
        /// Its size in bytes.
        stored: u64,
        /// The bytes.
        stream: Box<dyn Read + Send>,
    },
}

impl std::fmt::Debug for SourceContent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SourceContent::Opened(content) => {
                f.debug_tuple("Opened").field(&content.header).finish()
            }
            SourceContent::Packed { stored, .. } => f.debug_tuple("Packed").field(stored).finish(),
        }
    }
}

/// A repository on this machine, of any mode.
#[derive(Debug)]
pub struct RepoSource {
    name: String,
    repo: Repo,
}

impl RepoSource {
    /// `name` is what the user calls it.
    pub fn new(name: impl Into<String>, repo: Repo) -> RepoSource {
        RepoSource {
            name: name.into(),
            repo,
        }
    }

    /// The repository.
    pub fn repo(&self) -> &Repo {
        &self.repo
    }
}

impl ObjectSource for RepoSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn metadata(&self, ty: ObjectType, checksum: &Checksum) -> Result<Option<Vec<u8>>> {
        self.repo.read_metadata_opt(ty, checksum)
    }

    fn content(&self, id: &ContentId) -> Result<Option<SourceContent>> {
        let name = id.object_name();
        // How hard the source compressed it is kept, and with it what commits say about sizes.
        if self.repo.mode().is_archive() {
            let path = name.loose_path(true);
            if let Some(fd) = crate::read::open_object(self.repo.objects_dir(), &path)? {
                let file = File::from(fd);
                let stored = file.metadata().map_err(|source| Error::Io {
                    action: format!("fstat(objects/{path})"),
                    source,
                })?;
                return Ok(Some(SourceContent::Packed {
                    stored: stored.len(),
                    stream: Box::new(file),
                }));
            }
        }
        match self.repo.open_content(id) {
            Ok(content) => Ok(Some(SourceContent::Opened(content))),
            Err(e) if e.missing_object() == Some(&name) => Ok(None),
            Err(e) => Err(e),
        }
    }
}
