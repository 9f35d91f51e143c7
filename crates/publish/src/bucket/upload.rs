//! Bringing files to an object store, many at a time.

use super::store::{Bucket, Lasting, Listed, PART};
use crate::error::{Error, Result};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt, stream};
use osier_object::{ContentId, ObjectName, ObjectType, hash};
use osier_store::archive_form::write_archive_form;
use osier_store::fsck::verify_object;
use osier_store::parallel::{Cancel, Progress};
use osier_store::{ReadObjects, Repo};
use std::collections::{HashMap, HashSet};
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Semaphore, mpsc};

/// Files up to this size are sent at once; larger ones in parts while they are read.
const WHOLE: u64 = PART as u64;

/// Large files at a time: each takes a few parts of memory.
const LARGE: usize = 2;

/// Up to this number of files the store is asked for each; for more, for lists.
const ASKED_SINGLY: usize = 256;

/// Something that is to be at the destination.
#[derive(Clone, Debug)]
pub(super) enum Item {
    /// A commit, listing or directory's metadata.
    Metadata(ObjectName),
    /// A file or symbolic link.
    Content(ContentId),
    /// A file of the source's repository, as it is.
    File(String),
}

impl Item {
    /// Its path at the destination.
    pub(super) fn path(&self) -> String {
        match self {
            Item::Metadata(name) => format!("objects/{}", name.loose_path(true)),
            Item::Content(id) => format!("objects/{}", id.object_name().loose_path(true)),
            Item::File(path) => path.clone(),
        }
    }

    fn lasting(&self) -> Lasting {
        match self {
            Item::File(_) => Lasting::Changing,
            _ => Lasting::Always,
        }
    }
}

/// Source, destination and counters of a push.
pub(super) struct Transfer<'a> {
    pub(super) repo: &'a Arc<Repo>,
    pub(super) bucket: &'a Arc<Bucket>,
    pub(super) jobs: usize,
    pub(super) progress: &'a dyn Progress,
    pub(super) cancel: &'a Cancel,
    pub(super) bytes: AtomicU64,
    pub(super) large: Semaphore,
}

impl<'a> Transfer<'a> {
    pub(super) fn new(
        repo: &'a Arc<Repo>,
        bucket: &'a Arc<Bucket>,
        jobs: usize,
        progress: &'a dyn Progress,
        cancel: &'a Cancel,
    ) -> Transfer<'a> {
        Transfer {
            repo,
            bucket,
            jobs: jobs.max(1),
            progress,
            cancel,
            bytes: AtomicU64::new(0),
            large: Semaphore::new(LARGE),
        }
    }

    /// Those of the items that the destination lacks. Metadata of another size than ours counts as lacking, too.
    pub(super) async fn lacking(&self, items: Vec<Item>) -> Result<Vec<Item>> {
        let there: HashMap<String, u64> = if items.len() <= ASKED_SINGLY {
            stream::iter(items.iter().map(Item::path))
                .map(|path| async move {
                    self.cancel.check()?;
                    Ok::<_, Error>(self.bucket.size(&path).await?.map(|size| (path, size)))
                })
                .buffer_unordered(self.jobs * 2)
                .try_filter_map(|found| async move { Ok(found) })
                .try_collect()
                .await?
        } else {
            let folders: HashSet<String> = items
                .iter()
                .map(|item| item.path())
                .filter_map(|path| path.rsplit_once('/').map(|(folder, _)| folder.to_owned()))
                .collect();
            self.list_all(folders)
                .await?
                .into_iter()
                .map(|listed| (listed.path, listed.size))
                .collect()
        };
        items
            .into_iter()
            .filter_map(|item| match there.get(&item.path()) {
                None => Some(Ok(item)),
                Some(size) => match &item {
                    Item::Metadata(name) => match self.repo.stored_size(name) {
                        Ok(own) if own == *size => None,
                        Ok(_) => Some(Ok(item)),
                        Err(e) => Some(Err(e.into())),
                    },
                    _ => None,
                },
            })
            .collect()
    }

    /// What is in all of these folders.
    pub(super) async fn list_all(
        &self,
        folders: impl IntoIterator<Item = String>,
    ) -> Result<Vec<Listed>> {
        let lists: Vec<Vec<Listed>> = stream::iter(folders)
            .map(|folder| async move {
                self.cancel.check()?;
                self.bucket.list(&folder).await
            })
            .buffer_unordered(self.jobs * 2)
            .try_collect()
            .await?;
        Ok(lists.into_iter().flatten().collect())
    }

    /// Brings all items, in no order.
    pub(super) async fn bring(&self, items: Vec<Item>) -> Result<()> {
        stream::iter(items)
            .map(|item| self.bring_one(item))
            .buffer_unordered(self.jobs)
            .try_collect()
            .await
    }

    async fn bring_one(&self, item: Item) -> Result<()> {
        self.cancel.check()?;
        let (path, lasting) = (item.path(), item.lasting());
        let prepared = {
            let repo = Arc::clone(self.repo);
            let item = item.clone();
            blocking(move || prepare(&repo, &item)).await?
        };
        let sent = match prepared {
            Some(bytes) => {
                let sent = bytes.len() as u64;
                self.bucket.put(&path, bytes, lasting).await?;
                sent
            }
            None => {
                let _turn = self.large.acquire().await;
                self.bring_large(item, &path, lasting).await?
            }
        };
        self.bytes.fetch_add(sent, Ordering::Relaxed);
        self.progress.object_done(sent);
        Ok(())
    }

    /// Sends a file part by part while a thread reads it. When that fails nothing is left of it at the destination.
    async fn bring_large(&self, item: Item, path: &str, lasting: Lasting) -> Result<u64> {
        let writing = || Error::bucket(format!("writing {}/{path}", self.bucket.name));
        let mut upload = self.bucket.put_parts(path, lasting).await?;
        let (to, mut from) = mpsc::channel(4);
        let repo = Arc::clone(self.repo);
        let producer = tokio::task::spawn_blocking(move || {
            let mut out = Pieces {
                to,
                buffer: BytesMut::new(),
            };
            stream_out(&repo, &item, &mut out)?;
            out.flush().map_err(Error::io("sending"))
        });
        let mut sent = 0;
        while let Some(piece) = from.recv().await {
            let piece: Bytes = piece;
            sent += piece.len() as u64;
            let moved = match self.cancel.check() {
                Ok(()) => upload.wait_for_capacity(2).await.map_err(writing()),
                Err(e) => Err(e.into()),
            };
            if let Err(e) = moved {
                drop(from);
                let _ = producer.await;
                // What was sent is the store's to forget; telling it may fail as well.
                let _ = upload.abort().await;
                return Err(e);
            }
            upload.put(piece);
        }
        let produced = producer
            .await
            .map_err(|e| Error::Other(format!("reading {path}: {e}")))
            .and_then(|produced| produced);
        match produced {
            Ok(()) => upload.finish().await.map(|_| sent).map_err(writing()),
            Err(e) => {
                let _ = upload.abort().await;
                Err(e)
            }
        }
    }

    /// Writes a file that others may change, unless it is as it should be.
    pub(super) async fn bring_changed(&self, path: &str, bytes: Bytes) -> Result<bool> {
        if let Some((there, _)) = self.bucket.get(path).await?
            && there == bytes
        {
            return Ok(false);
        }
        self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.bucket.put(path, bytes, Lasting::Changing).await?;
        Ok(true)
    }
}

/// Runs what waits for disks and processors where that holds nobody up.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|e| Error::Other(format!("a thread ended early: {e}")))?
}

/// The bytes of a small item, checked; none for a large one.
fn prepare(repo: &Repo, item: &Item) -> Result<Option<Bytes>> {
    match item {
        Item::Metadata(name) => {
            let bytes = repo.read_metadata(name.ty, &name.checksum)?;
            check_metadata(repo, name, &bytes)?;
            Ok(Some(bytes.into()))
        }
        Item::Content(id) => {
            let size = match repo.mode().is_archive() {
                true => repo.stored_size(&id.object_name())?,
                false => repo.content_header(id, false)?.1,
            };
            if size > WHOLE {
                return Ok(None);
            }
            let mut bytes = Vec::new();
            write_archive_form(repo, id, &mut bytes)?;
            Ok(Some(bytes.into()))
        }
        Item::File(path) => {
            let mut file = open_file(repo, path)?;
            let size = file
                .metadata()
                .map_err(Error::io(format!("reading {path}")))?
                .len();
            if size > WHOLE {
                return Ok(None);
            }
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)
                .map_err(Error::io(format!("reading {path}")))?;
            Ok(Some(bytes.into()))
        }
    }
}

/// What the destination's clients would refuse is not brought there.
fn check_metadata(repo: &Repo, name: &ObjectName, bytes: &[u8]) -> Result<()> {
    if name.ty != ObjectType::Commitmeta && hash(bytes) != name.checksum {
        // Says what is wrong with it.
        verify_object(repo, name)?;
    }
    osier_object::validate::structure(name.ty, bytes)
        .map_err(|e| Error::Other(format!("object {name}: {e}")))
}

fn stream_out(repo: &Repo, item: &Item, out: &mut Pieces) -> Result<()> {
    match item {
        Item::Content(id) => Ok(write_archive_form(repo, id, out)?),
        Item::File(path) => {
            let mut file = open_file(repo, path)?;
            io::copy(&mut file, out).map_err(Error::io(format!("reading {path}")))?;
            Ok(())
        }
        Item::Metadata(name) => Err(Error::Other(format!("object {name} is too large"))),
    }
}

fn open_file(repo: &Repo, path: &str) -> Result<std::fs::File> {
    let flags = rustix::fs::OFlags::RDONLY
        | rustix::fs::OFlags::CLOEXEC
        | rustix::fs::OFlags::NOFOLLOW
        | rustix::fs::OFlags::NONBLOCK;
    rustix::fs::openat(repo.dir(), path, flags, rustix::fs::Mode::empty())
        .map(std::fs::File::from)
        .map_err(|e| Error::io(format!("opening {}/{path}", repo.path().display()))(e.into()))
}

/// A writer that hands what it gets to the network in pieces.
struct Pieces {
    to: mpsc::Sender<Bytes>,
    buffer: BytesMut,
}

const PIECE: usize = 1024 * 1024;

impl Write for Pieces {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(buf);
        if self.buffer.len() >= PIECE {
            self.flush()?;
        }
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        self.to
            .blocking_send(self.buffer.split().freeze())
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}
