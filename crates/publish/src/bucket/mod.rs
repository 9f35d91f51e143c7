//! Pushing to an object store, or to a folder in the same way.
//!
//! In this order, each step begun when the one before it is done: listings, directories' metadata and files; detached metadata of
//! commits; commits; deltas; the configuration; refs; the summary and its signature. Then what is stale.

mod connect;
mod deltas;
mod refs;
mod stale;
mod store;
mod summary;
mod upload;

pub use connect::BucketSettings;

use crate::error::{Error, Result};
use crate::options::{PushOptions, PushOutcome, RefChange};
use crate::selection::{Selection, select};
use osier_keyfile::KeyFile;
use osier_object::{CommitId, ObjectName, ObjectType};
use osier_store::parallel::{Cancel, Progress};
use osier_store::{CreateOptions, ReadObjects, Repo, RepoLock, RepoMode};
use reqwest::Url;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use store::Bucket;
use summary::Plan;
use upload::{Item, Transfer};

/// Pushes to what a URL names. Blocks until it is done.
///
/// # Errors
/// When the source lacks something, the store fails, or a ref may not be moved; the destination's refs lead to whole commits
/// then as before.
pub fn push(
    repo: &Arc<Repo>,
    url: &Url,
    settings: &BucketSettings,
    options: &PushOptions,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<PushOutcome> {
    // Nothing that is being sent may be pruned meanwhile.
    let _lock = match repo.is_writable() {
        true => Some(repo.lock_shared()?),
        false => None,
    };
    let folder = match url.scheme() {
        "file" => Some(Folder::open(repo, url, options)?),
        _ => None,
    };
    let bucket = Arc::new(connect::connect(url, settings)?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .thread_name("osier-push")
        .build()
        .map_err(Error::io("starting threads"))?;
    let transfer = Transfer::new(repo, &bucket, options.jobs, progress, cancel);
    runtime.block_on(
        Push {
            transfer: &transfer,
            options,
            folder: folder.as_ref(),
        }
        .run(),
    )
}

/// A destination that is a folder of this machine: a repository that others may use at the same time.
struct Folder {
    repo: Repo,
    _lock: RepoLock,
}

impl Folder {
    fn open(source: &Repo, url: &Url, options: &PushOptions) -> Result<Folder> {
        let path = url
            .to_file_path()
            .map_err(|()| Error::Other(format!("{url} names no folder")))?;
        let repo = match options.dry_run {
            true => Repo::open(&path)?,
            false => Repo::create(
                &path,
                &CreateOptions {
                    mode: RepoMode::Archive,
                    collection_id: source.config().collection_id.clone(),
                },
            )?,
        };
        if repo.mode() != RepoMode::Archive {
            return Err(Error::Mode {
                destination: path.display().to_string(),
                mode: repo.mode().to_string(),
            });
        }
        repo.require_writable()?;
        let lock = match options.delete_stale && !options.dry_run {
            true => repo.lock_exclusive()?,
            false => repo.lock_shared()?,
        };
        Ok(Folder { repo, _lock: lock })
    }

    /// Has all that was written reach the disk.
    fn sync(&self) -> Result<()> {
        if !self.repo.config().fsync {
            return Ok(());
        }
        rustix::fs::syncfs(self.repo.dir()).map_err(|e| Error::io("syncing")(e.into()))
    }
}

struct Push<'a> {
    transfer: &'a Transfer<'a>,
    options: &'a PushOptions,
    folder: Option<&'a Folder>,
}

impl Push<'_> {
    async fn run(self) -> Result<PushOutcome> {
        let (transfer, options) = (self.transfer, self.options);
        let repo = transfer.repo;
        // All that can be refused is, before anything is sent.
        let config = self.check_config().await?;
        let selection = select(repo, options, transfer.cancel)?;
        let there = refs::read(transfer).await?;
        let mut changes = refs::plan(repo, &selection, &there, options, transfer.cancel)?;
        let unchanged_refs = (selection.refs.len() - changes.len()) as u64;
        let deleted: Vec<String> = match options.delete_stale && selection.all_refs {
            true => there
                .keys()
                .filter(|name| !selection.refs.contains_key(*name))
                .cloned()
                .collect(),
            false => Vec::new(),
        };
        let mut final_refs: BTreeMap<String, CommitId> = there
            .iter()
            .filter(|(name, _)| !deleted.contains(name))
            .map(|(name, found)| (name.clone(), found.commit))
            .collect();
        final_refs.extend(selection.refs.iter().map(|(name, id)| (name.clone(), *id)));
        let collection = self.collection();
        let plan = summary::plan(transfer, &final_refs, collection.as_deref(), options).await?;

        let mut outcome = PushOutcome {
            unchanged_refs,
            objects: (selection.trees.len() + selection.contents.len() + selection.commits.len())
                as u64,
            ..PushOutcome::default()
        };
        outcome.objects_sent = self.bring_objects(&selection).await?;
        if !options.no_deltas {
            outcome.deltas_sent = deltas::bring(transfer, &selection, options.dry_run).await?;
        }
        if !options.dry_run {
            self.barrier()?;
            if let Some(config) = config {
                transfer.bring_changed("config", config.into()).await?;
            }
            refs::write(transfer.bucket, &changes, &there).await?;
            self.barrier()?;
            let plan = self.renewed(plan, &final_refs, &deleted).await?;
            outcome.summary_written = summary::write(transfer, plan).await?;
            if !deleted.is_empty() {
                refs::delete(transfer.bucket, &deleted).await?;
            }
            self.barrier()?;
        }
        changes.extend(deleted.iter().map(|name| RefChange {
            name: name.clone(),
            old: there.get(name).map(|found| found.commit),
            new: None,
        }));
        outcome.refs = changes;
        if options.delete_stale {
            let mut now = refs::read(transfer).await?;
            if options.dry_run {
                now.retain(|name, _| !deleted.contains(name));
            }
            let newest =
                i64::try_from(options.now.saturating_sub(options.stale_age)).unwrap_or(i64::MAX);
            // Without an age to keep to, clocks do not matter.
            let newest = match options.stale_age {
                0 => i64::MAX,
                _ => newest,
            };
            let stale = stale::find(transfer, &now, newest).await?;
            outcome.objects_deleted = stale.objects();
            outcome.deltas_deleted = stale.deltas;
            if !options.dry_run {
                stale::delete(transfer, &now, stale).await?;
            }
        }
        outcome.bytes_sent = transfer.bytes.load(Ordering::Relaxed);
        Ok(outcome)
    }

    /// Brings objects, then what says that commits are there; gives the number of those that were lacking.
    async fn bring_objects(&self, selection: &Selection) -> Result<u64> {
        let transfer = self.transfer;
        let items = selection
            .trees
            .iter()
            .map(|name| Item::Metadata(*name))
            .chain(selection.contents.iter().map(|id| Item::Content(*id)))
            .collect();
        let lacking = transfer.lacking(items).await?;
        let commits = selection
            .commits
            .iter()
            .map(|commit| Item::Metadata(commit.id.object_name()))
            .collect();
        let commits = transfer.lacking(commits).await?;
        let sent = (lacking.len() + commits.len()) as u64;
        if self.options.dry_run {
            return Ok(sent);
        }
        transfer.progress.total(sent);
        transfer.bring(lacking).await?;
        self.barrier()?;
        // Signatures before what they sign: a commit without them may be refused by those who see it.
        for commit in &selection.commits {
            let ty = ObjectType::Commitmeta;
            if let Some(bytes) = transfer.repo.read_metadata_opt(ty, &commit.id.0)? {
                let name = ObjectName {
                    checksum: commit.id.0,
                    ty,
                };
                let path = format!("objects/{}", name.loose_path(true));
                transfer.bring_changed(&path, bytes.into()).await?;
            }
        }
        transfer.bring(commits).await?;
        Ok(sent)
    }

    /// A summary that was made lists what others pushed meanwhile, too. One that was copied was checked against the refs as they
    /// were, and cannot be changed.
    async fn renewed(
        &self,
        plan: Plan,
        refs: &BTreeMap<String, CommitId>,
        deleted: &[String],
    ) -> Result<Plan> {
        if let Plan::Copy { .. } = plan {
            return Ok(plan);
        }
        let now: BTreeMap<String, CommitId> = refs::read(self.transfer)
            .await?
            .into_iter()
            .filter(|(name, _)| !deleted.contains(name))
            .map(|(name, found)| (name, found.commit))
            .collect();
        if now == *refs {
            return Ok(plan);
        }
        let (collection, time) = (self.collection(), self.options.now);
        let made = summary::make(self.transfer, &now, collection.as_deref(), time).await?;
        Ok(Plan::Make(made))
    }

    /// What was written before is on the disk before anything is written after.
    fn barrier(&self) -> Result<()> {
        self.folder.map_or(Ok(()), Folder::sync)
    }

    fn collection(&self) -> Option<String> {
        match self.folder {
            Some(folder) => folder.repo.config().collection_id.clone(),
            None => self.transfer.repo.config().collection_id.clone(),
        }
    }

    /// The configuration to write, if there is none that will do.
    async fn check_config(&self) -> Result<Option<Vec<u8>>> {
        let bucket: &Bucket = self.transfer.bucket;
        let Some((bytes, _)) = bucket.get("config").await? else {
            return Ok(Some(self.new_config()));
        };
        let unusable =
            |cause: String| Error::Other(format!("{}/config is unusable: {cause}", bucket.name));
        let mut keys = KeyFile::parse(&bytes).map_err(|e| unusable(e.to_string()))?;
        let mode = keys
            .string("core", "mode")
            .unwrap_or_else(|_| "bare".into());
        if mode.parse::<RepoMode>().ok() != Some(RepoMode::Archive) {
            return Err(Error::Mode {
                destination: bucket.name.clone(),
                mode,
            });
        }
        // Clients look for delta indexes where this says so.
        if keys.boolean("core", "indexed-deltas").ok() == Some(true) {
            return Ok(None);
        }
        keys.set_boolean("core", "indexed-deltas", true)
            .map_err(|e| unusable(e.to_string()))?;
        Ok(Some(keys.to_bytes()))
    }

    fn new_config(&self) -> Vec<u8> {
        let mut text = "[core]\nrepo_version=1\nmode=archive-z2\nindexed-deltas=true\n".to_owned();
        if let Some(collection) = &self.transfer.repo.config().collection_id {
            text.push_str(&format!("collection-id={collection}\n"));
        }
        text.into_bytes()
    }
}
