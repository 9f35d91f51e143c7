//! A pull from start to end.

use crate::engine::{Engine, Keep, LocalSource, Offer, Rules};
use crate::fetch::{FetchSettings, Fetcher, Mirrors, Tls};
use crate::progress::{Cancel, Counters, ProgressSink, PulledRef};
use crate::remote::{CookieJar, Remote, RemoteError};
use crate::resolve::{self, Goal, Resolver};
use crate::summary::{self, Cache, Kept, SummaryFiles};
use crate::verify::Signatures;
use crate::{Error, Outcome, PullOptions};
use osier_object::CommitId;
use osier_store::{ReadObjects, RefKey, Repo, RepoMode, TransactionOptions};
use rustix::fs::{Mode, OFlags};
use std::io::Read;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// Pulls what `options` ask for from `remote` into `repo`, and sets its refs when all of it is here.
///
/// Blocks until it is done, failed or cancelled. After a failure no ref has changed, and the objects that were fetched
/// wait for the next pull.
///
/// # Errors
/// The first thing that went wrong; see [`Error`].
pub fn pull(
    repo: &Repo,
    remote: &Remote,
    options: &PullOptions,
    progress: &mut dyn ProgressSink,
    cancel: &Cancel,
) -> Result<Outcome, Error> {
    check(repo, options)?;
    if options.url.is_none() {
        remote.check_fetchable()?;
    }
    let runtime = runtime()?;
    let outcome = Pull {
        repo,
        remote,
        options,
        runtime: &runtime,
        cancel,
    }
    .run(progress);
    // A name look-up that hangs must not hold up an answer.
    runtime.shutdown_background();
    outcome
}

pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .thread_name("osier-pull-resolver")
        .build()
        .map_err(|cause| Error::System {
            action: "starting the network thread",
            cause,
        })
}

fn check(repo: &Repo, options: &PullOptions) -> Result<(), Error> {
    if let Some(path) = options.subpaths.iter().find(|p| !p.starts_with('/')) {
        return Err(Error::Subpath(path.clone()));
    }
    if options.require_static_deltas && repo.mode() == RepoMode::Archive {
        return Err(Error::StaticDeltas(
            "Can't use static deltas in an archive repo".to_owned(),
        ));
    }
    repo.require_writable()?;
    Ok(())
}

struct Pull<'a> {
    repo: &'a Repo,
    remote: &'a Remote,
    options: &'a PullOptions,
    runtime: &'a tokio::runtime::Runtime,
    cancel: &'a Cancel,
}

impl Pull<'_> {
    fn run(&self, progress: &mut dyn ProgressSink) -> Result<Outcome, Error> {
        let (repo, options) = (self.repo, self.options);
        let counters = Arc::new(Counters::default());
        let settings = fetch_settings(repo, self.remote, options)?;
        let fetcher = Fetcher::new(settings.clone(), Arc::clone(&counters))?;
        let signatures = Signatures::of(repo, self.remote, &options.trust)?;
        let caches = options
            .localcache_repos
            .iter()
            .map(|path| Repo::open(path))
            .collect::<Result<Vec<_>, _>>()?;
        let (base, content_base, summary) = self.cancellable(self.bases(&fetcher))?;
        let local = match base.bases()[0].local_path() {
            Some(path) => Some(Repo::open(&path)?),
            None => None,
        };
        let cache = match local {
            // Nothing is kept of what is at hand, but a folder that is named must be there.
            Some(_) => {
                if options.cache_dir.is_some() {
                    summary_cache(repo, self.remote.name(), options)?;
                }
                None
            }
            None => summary_cache(repo, self.remote.name(), options)?,
        };
        let resolver = Resolver {
            fetcher: &fetcher,
            base: &base,
            local: local.as_ref(),
            options,
            branches: &self.remote.branches()?,
            remote_name: self.remote.name(),
            signatures: &signatures,
            cache: cache.as_ref(),
            deltas: !options.commit_metadata_only
                && (options.require_static_deltas || self.may_use_deltas(local.is_some())),
            summary,
        };
        let mut resolved = self.cancellable(resolver.resolve())?;
        for goal in &mut resolved.goals {
            if let (Some(name), Some(collection)) = (&mut goal.name, &options.collection) {
                name.collection.get_or_insert_with(|| collection.clone());
            }
            goal.local = match self.ref_key(goal) {
                Some(key) => repo.read_ref(&key)?,
                None => None,
            };
            goal.from = match (&goal.name, goal.local) {
                (Some(name), None) if options.mirror => {
                    let remote = self.remote.name().to_owned();
                    repo.read_ref(&RefKey::Remote(remote, name.name.clone()))?
                }
                (_, local) => local,
            };
        }
        let found: Vec<PulledRef> = resolved.goals.iter().map(Goal::told).collect();
        progress.resolved(&found);
        let offer = resolver.deltas.then(|| Offer {
            indexed: resolved.indexed_deltas,
            listed: std::mem::take(&mut resolved.listed_deltas),
            only_listed: resolver.signed_summary(),
            required: options.require_static_deltas,
            dry_run: options.dry_run,
        });
        let owner = objects_owner(repo)?;
        let sources = match &local {
            // Where deltas are demanded even a folder is fetched from, as the C tool does and counts.
            Some(_) if options.require_static_deltas => Vec::new(),
            Some(source) => vec![LocalSource {
                repo: source,
                trusted: !options.untrusted,
                same_owner: objects_owner(source)? == owner,
                origin: true,
            }],
            None => caches
                .iter()
                .map(|repo| {
                    Ok(LocalSource {
                        repo,
                        trusted: options.http_trusted,
                        same_owner: objects_owner(repo)? == owner,
                        origin: false,
                    })
                })
                .collect::<Result<_, Error>>()?,
        };
        let rules = self.rules(local.as_ref())?;
        // Only objects count from here on.
        counters.restart();
        let start = Instant::now();
        let mut tx = repo.begin(&TransactionOptions {
            fsync: options.fsync,
            per_object_fsync: options.per_object_fsync,
        })?;
        if options.bareuseronly_files {
            tx.refuse_unusual_modes();
        }
        let keep = Keep::in_repo(repo.dir());
        let engine = Engine {
            tx: &tx,
            fetcher: &fetcher,
            base: &base,
            content_base: &content_base,
            caches: &sources,
            check_modes: options.bareuseronly_files || repo.mode() == RepoMode::BareUserOnly,
            unchecked: options.http_trusted
                && options.mirror
                && repo.mode() == RepoMode::Archive
                && !options.bareuseronly_files,
            signatures: &signatures,
            rules: &rules,
            depth: options.depth.max(-1),
            tombstones: resolved.tombstones,
            deltas: offer.as_ref(),
            workers: options
                .workers
                .unwrap_or_else(|| std::thread::available_parallelism().map_or(2, usize::from)),
            counters: &counters,
            keep: keep.as_ref(),
            update_interval: options.update_interval,
            held: AtomicUsize::new(0),
            warnings: Mutex::default(),
        };
        let done = engine.run(self.runtime, &resolved.goals, progress, self.cancel)?;
        if options.dry_run {
            return Ok(Outcome {
                plan: Some(done.plan),
                ..Outcome::default()
            });
        }
        let mut refs = Vec::new();
        for goal in &resolved.goals {
            self.set_ref(&tx, goal)?;
            refs.extend(
                goal.name
                    .as_ref()
                    .map(|name| (name.name.clone(), goal.commit)),
            );
        }
        tx.commit()?;
        if let Some(keep) = &keep {
            keep.remove_all();
        }
        if let Some(files) = &resolved.mirrored {
            write_summary(repo, files)?;
        }
        let mut outcome = Outcome {
            metadata: done.metadata,
            content: done.content,
            parts: done.parts,
            plan: None,
            local: local.is_some() && !options.require_static_deltas,
            metadata_from_cache: done.metadata_from_cache,
            content_from_cache: done.content_from_cache,
            bytes: counters.bytes(),
            elapsed: start.elapsed(),
            content_bytes_written: counters.content_written(),
            refs,
            verified: signatures.accepted(),
        };
        if outcome.local {
            outcome.metadata += std::mem::take(&mut outcome.metadata_from_cache);
            outcome.content += std::mem::take(&mut outcome.content_from_cache);
        }
        Ok(outcome)
    }

    /// Waits for a future, but no longer than for the caller to change their mind.
    fn cancellable<T>(&self, future: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        self.runtime.block_on(async {
            let mut future = std::pin::pin!(future);
            let mut tick = tokio::time::interval(std::time::Duration::from_millis(100));
            loop {
                tokio::select! {
                    done = &mut future => return done,
                    _ = tick.tick() => {
                        if self.cancel.is_cancelled() {
                            return Err(Error::Cancelled);
                        }
                    }
                }
            }
        })
    }

    /// Where metadata is, where objects are, and the summary if a metalink led to them.
    async fn bases(&self, fetcher: &Fetcher) -> Result<(Mirrors, Mirrors, Option<Kept>), Error> {
        let url = self.options.url.as_deref();
        let (base, summary) = resolve::base(fetcher, self.remote, url).await?;
        let content = match self.remote.string("contenturl")? {
            Some(text) if url.is_none() => resolve::mirrors(fetcher, &text).await?,
            _ => base.clone(),
        };
        Ok((base, content, summary))
    }

    fn rules(&self, local: Option<&Repo>) -> Result<Rules, Error> {
        let options = self.options;
        let not_older_than = match &options.timestamp_check_from_rev {
            Some(rev) => {
                let id: CommitId = self.repo.resolve_rev(rev)?;
                let commit = self.repo.load_commit(&id)?;
                Some((id, commit))
            }
            None => None,
        };
        Ok(Rules {
            subpaths: options.subpaths.clone(),
            commit_metadata_only: options.commit_metadata_only,
            verify_bindings: !options.disable_verify_bindings,
            collection: match local {
                Some(source) => source.config().collection_id.clone(),
                None => self.remote.collection_id()?,
            },
            timestamp_check: options.timestamp_check,
            not_older_than,
        })
    }

    /// Whether static deltas are of use where nobody demands them.
    fn may_use_deltas(&self, local: bool) -> bool {
        let options = self.options;
        !options.disable_static_deltas && !local && self.repo.mode() != RepoMode::Archive
    }

    /// The ref that a goal is written to.
    fn ref_key(&self, goal: &Goal) -> Option<RefKey> {
        let name = goal.name.as_ref()?;
        Some(
            match (
                &self.options.ref_remote,
                self.options.mirror,
                &name.collection,
            ) {
                (_, true, Some(collection))
                    if self.repo.config().collection_id.as_ref() != Some(collection) =>
                {
                    RefKey::Mirror(collection.clone(), name.name.clone())
                }
                (Some(remote), false, _) => RefKey::Remote(remote.clone(), name.name.clone()),
                _ => RefKey::Local(name.name.clone()),
            },
        )
    }

    fn set_ref(&self, tx: &osier_store::Transaction<'_>, goal: &Goal) -> Result<(), Error> {
        let Some(key) = self.ref_key(goal) else {
            return Ok(());
        };
        // A ref that is right already is left alone, its file and the repository's date with it.
        if self.repo.read_ref(&key)? != Some(goal.commit) {
            tx.set_ref(key, Some(goal.commit));
        }
        Ok(())
    }
}

/// Who owns the folder that a repository's objects lie in.
fn objects_owner(repo: &Repo) -> Result<u32, Error> {
    match rustix::fs::fstat(repo.objects_dir()) {
        Ok(stat) => Ok(stat.st_uid),
        Err(cause) => Err(Error::System {
            action: "looking at the objects folder",
            cause: cause.into(),
        }),
    }
}

/// The cache that summaries are kept in, unless there is to be none.
pub(crate) fn summary_cache(
    repo: &Repo,
    remote: &str,
    options: &PullOptions,
) -> Result<Option<Cache>, Error> {
    if options.skip_cache {
        return Ok(None);
    }
    let dir_flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
    let system = |e: rustix::io::Errno| Error::System {
        action: "opening the cache folder",
        cause: e.into(),
    };
    let (dir, path) = match &options.cache_dir {
        Some(path) => (
            rustix::fs::open(path, dir_flags, Mode::empty()).map_err(|e| Error::CacheDir {
                path: path.clone(),
                cause: e.into(),
            })?,
            path.clone(),
        ),
        None if !repo.is_writable() => return Ok(None),
        None => {
            let opened = rustix::fs::openat(repo.dir(), "tmp/cache", dir_flags, Mode::empty());
            (opened.map_err(system)?, repo.path().join("tmp/cache"))
        }
    };
    Cache::open(dir.as_fd(), &path, remote).map(Some)
}

/// Publishes the mirrored summary, as it was served.
fn write_summary(repo: &Repo, files: &SummaryFiles) -> Result<(), Error> {
    let failed = |cause| Error::System {
        action: "writing the summary",
        cause,
    };
    for (name, kept) in [
        ("summary", &files.summary),
        ("summary.sig", &files.signature),
    ] {
        if let Some(kept) = kept {
            summary::write_kept(repo.dir(), name, kept).map_err(failed)?;
        }
    }
    Ok(())
}

/// How to fetch from a remote: its configuration, its cookies, and what the caller says.
pub(crate) fn fetch_settings(
    repo: &Repo,
    remote: &Remote,
    options: &PullOptions,
) -> Result<FetchSettings, Error> {
    let client = match (
        remote.string("tls-client-cert-path")?,
        remote.string("tls-client-key-path")?,
    ) {
        (None, None) => None,
        (Some(cert), Some(key)) => Some((cert.into(), key.into())),
        _ => return Err(RemoteError::ClientCertificate(remote.name().to_owned()).into()),
    };
    Ok(FetchSettings {
        compressed: false,
        retries: options.network_retries,
        only_sure_retries: options.disable_retry_on_network_errors,
        low_speed_limit: options.low_speed_limit,
        low_speed_time: options.low_speed_time,
        concurrency: options.concurrency,
        append_user_agent: options.append_user_agent.clone(),
        headers: options.http_headers.clone(),
        proxies: options.proxies.clone(),
        proxy: remote.string("proxy")?,
        http2: remote.boolean("http2", true)?,
        tls: Tls {
            permissive: remote.boolean("tls-permissive", false)?,
            ca_path: remote.string("tls-ca-path")?.map(Into::into),
            client,
        },
        cookies: cookies(repo, remote.name())?,
        now: options.now,
    })
}

/// The remote's cookie jar, if it has one.
fn cookies(repo: &Repo, remote: &str) -> Result<Option<CookieJar>, Error> {
    const MAX: u64 = 16 << 20;
    let name = format!("{remote}.cookies.txt");
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let Ok(fd) = rustix::fs::openat(repo.dir(), &name, flags, Mode::empty()) else {
        return Ok(None);
    };
    let file = std::fs::File::from(fd);
    let read = |cause| RemoteError::Io {
        action: "reading",
        path: Path::new(&name).to_owned(),
        cause,
    };
    if !file.metadata().map_err(read)?.is_file() {
        return Ok(None);
    }
    let mut text = Vec::new();
    file.take(MAX).read_to_end(&mut text).map_err(read)?;
    Ok(Some(CookieJar::new(
        String::from_utf8_lossy(&text).into_owned(),
    )))
}
