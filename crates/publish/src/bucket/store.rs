//! An object store as a place for a repository's files.

use crate::error::{Error, Result};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, ObjectStore, ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions,
    PutPayload, UpdateVersion, WriteMultipart,
};
use osier_object::MAX_METADATA_SIZE;
use std::sync::Arc;

/// Size of the parts in which large objects are sent.
pub(super) const PART: usize = 8 * 1024 * 1024;

/// A file at the destination.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    /// Its path below the repository.
    pub(super) path: String,
    pub(super) size: u64,
    /// Its last change, UTC seconds since 1970.
    pub(super) modified: i64,
}

/// How long clients and caches may take a file for what it is.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) enum Lasting {
    /// For ever: its name says what it holds.
    Always,
    /// Until asked again.
    Changing,
}

/// A repository's place in an object store.
#[derive(Debug)]
pub(super) struct Bucket {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    /// As it is shown to people.
    pub(super) name: String,
    /// A folder: it has no attributes, and syncs itself.
    pub(super) local: bool,
}

impl Bucket {
    pub(super) fn new(
        store: Arc<dyn ObjectStore>,
        prefix: Path,
        name: String,
        local: bool,
    ) -> Bucket {
        Bucket {
            store,
            prefix,
            name: name.trim_end_matches('/').to_owned(),
            local,
        }
    }

    /// Where a file of the repository is in the store, its name as it is: clients will ask for it so.
    fn path(&self, below: &str) -> Result<Path> {
        let full = match self.prefix.as_ref() {
            "" => below.to_owned(),
            prefix => format!("{prefix}/{below}"),
        };
        Path::parse(&full).map_err(|e| Error::Other(format!("Invalid path {full}: {e}")))
    }

    /// The whole of a small file.
    pub(super) async fn get(&self, below: &str) -> Result<Option<(Bytes, UpdateVersion)>> {
        let reading = || Error::bucket(format!("reading {}/{below}", self.name));
        let found = match self.store.get(&self.path(below)?).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            other => other.map_err(reading())?,
        };
        if found.meta.size > MAX_METADATA_SIZE {
            return Err(Error::Other(format!(
                "reading {}/{below}: {} bytes are more than it may have",
                self.name, found.meta.size
            )));
        }
        let version = UpdateVersion {
            e_tag: found.meta.e_tag.clone(),
            version: found.meta.version.clone(),
        };
        Ok(Some((found.bytes().await.map_err(reading())?, version)))
    }

    /// The size of a file.
    pub(super) async fn size(&self, below: &str) -> Result<Option<u64>> {
        match self.store.head(&self.path(below)?).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(e) => Err(Error::bucket(format!("looking for {}/{below}", self.name))(
                e,
            )),
        }
    }

    /// Every file below a folder.
    pub(super) async fn list(&self, folder: &str) -> Result<Vec<Listed>> {
        let path = self.path(folder)?;
        let skipped = match self.prefix.as_ref() {
            "" => 0,
            prefix => prefix.len() + 1,
        };
        self.store
            .list(Some(&path))
            .map_ok(|meta| Listed {
                path: meta.location.as_ref()[skipped..].to_owned(),
                size: meta.size,
                modified: meta.last_modified.timestamp(),
            })
            .try_collect()
            .await
            .map_err(Error::bucket(format!("listing {}/{folder}", self.name)))
    }

    fn attributes(&self, below: &str, lasting: Lasting) -> Attributes {
        let mut attributes = Attributes::new();
        if self.local {
            return attributes;
        }
        let text = below == "config" || below.starts_with("refs/");
        let kind = match text {
            true => "text/plain; charset=utf-8",
            false => "application/octet-stream",
        };
        let cache = match lasting {
            Lasting::Always => "public, max-age=31536000, immutable",
            Lasting::Changing => "no-cache",
        };
        attributes.insert(Attribute::ContentType, kind.into());
        attributes.insert(Attribute::CacheControl, cache.into());
        attributes
    }

    /// Writes a file, in place of what is there.
    pub(super) async fn put(&self, below: &str, bytes: Bytes, lasting: Lasting) -> Result<()> {
        let options = PutOptions {
            attributes: self.attributes(below, lasting),
            ..PutOptions::default()
        };
        self.store
            .put_opts(&self.path(below)?, PutPayload::from(bytes), options)
            .await
            .map(drop)
            .map_err(Error::bucket(format!("writing {}/{below}", self.name)))
    }

    /// Writes a file if it still is as it was found: of that version, or not there. False when it is not. A store that knows
    /// no such conditions writes it in any case.
    pub(super) async fn put_over(
        &self,
        below: &str,
        bytes: Bytes,
        found: Option<&UpdateVersion>,
    ) -> Result<bool> {
        let mode = match found {
            None => PutMode::Create,
            Some(version) => PutMode::Update(version.clone()),
        };
        let options = PutOptions {
            attributes: self.attributes(below, Lasting::Changing),
            mode,
            ..PutOptions::default()
        };
        let payload = PutPayload::from(bytes.clone());
        match self
            .store
            .put_opts(&self.path(below)?, payload, options)
            .await
        {
            Ok(_) => Ok(true),
            Err(
                object_store::Error::Precondition { .. }
                | object_store::Error::AlreadyExists { .. }
                | object_store::Error::NotFound { .. },
            ) => Ok(false),
            Err(
                object_store::Error::NotImplemented { .. }
                | object_store::Error::NotSupported { .. },
            ) => {
                self.put(below, bytes, Lasting::Changing).await?;
                Ok(true)
            }
            Err(e) => Err(Error::bucket(format!("writing {}/{below}", self.name))(e)),
        }
    }

    /// Starts writing a large file in parts. It is not there before it is finished.
    pub(super) async fn put_parts(&self, below: &str, lasting: Lasting) -> Result<WriteMultipart> {
        let options = PutMultipartOptions {
            attributes: self.attributes(below, lasting),
            ..PutMultipartOptions::default()
        };
        let upload = self
            .store
            .put_multipart_opts(&self.path(below)?, options)
            .await
            .map_err(Error::bucket(format!("writing {}/{below}", self.name)))?;
        Ok(WriteMultipart::new_with_chunk_size(upload, PART))
    }

    /// Deletes files; one that is gone already is fine.
    pub(super) async fn delete(&self, paths: Vec<String>) -> Result<()> {
        let full = paths
            .iter()
            .map(|below| self.path(below))
            .collect::<Result<Vec<Path>>>()?;
        let mut deleted = self
            .store
            .delete_stream(stream::iter(full.into_iter().map(Ok)).boxed());
        while let Some(one) = deleted.next().await {
            match one {
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(e) => return Err(Error::bucket(format!("deleting from {}", self.name))(e)),
            }
        }
        Ok(())
    }
}
