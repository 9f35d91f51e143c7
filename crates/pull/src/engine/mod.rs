//! Fetching what commits need: one thread talks to the network, several check and write, memory is bounded.
//!
//! The driver keeps queues of what is known to be missing. A fetched listing goes to a worker, which checks and writes
//! it and answers what it lists that is not here; metadata is fetched before content, so that the whole amount is
//! known early. Every object is checked against its name before it is staged.

mod delta;
mod driver;
mod kept;
mod stream;
mod window;
mod work;

pub use delta::DeltaPlan;
pub(crate) use delta::Offer;
pub(crate) use kept::Keep;
pub(crate) use window::MOST;
pub(crate) use work::Rules;

use crate::Error;
use crate::fetch::{Chunk, FetchError, Fetcher, MAX_METADATA, Mirrors, Want};
use crate::progress::{Cancel, Counters, ProgressSink};
use crate::resolve::{Goal, RefName};
use crate::verify::Signatures;
use driver::Driver;
use osier_delta::format::compression::Decoders;
use osier_delta::format::superblock::Superblock;
use osier_object::{Checksum, CommitId, ContentId, DirtreeId, ObjectName, ObjectType};
use osier_store::{Repo, Transaction};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use stream::Collected;
use tokio::sync::mpsc;
use work::Shop;

/// Everything a run needs to know.
pub(crate) struct Engine<'env> {
    pub tx: &'env Transaction<'env>,
    pub fetcher: &'env Fetcher,
    /// Where detached metadata is.
    pub base: &'env Mirrors,
    /// Where objects are.
    pub content_base: &'env Mirrors,
    /// Where missing objects are looked for before they are fetched.
    pub caches: &'env [LocalSource<'env>],
    /// Regular files must be fit for a bare-user-only repository.
    pub check_modes: bool,
    /// Content goes into this archive as it comes.
    pub unchecked: bool,
    pub signatures: &'env Signatures,
    pub rules: &'env Rules,
    /// Parents of each goal to pull too; −1 for all.
    pub depth: i64,
    /// A commit that is missing must have been deleted on purpose.
    pub tombstones: bool,
    /// What is known of the server's deltas; none where they are not to be used.
    pub deltas: Option<&'env Offer>,
    pub workers: usize,
    pub counters: &'env Counters,
    /// Where what arrived of large files waits for the next pull.
    pub keep: Option<&'env Keep>,
    pub update_interval: Duration,
    /// Bytes of small objects that arrived of requests which have not ended.
    pub held: AtomicUsize,
    /// What the progress sink is still to be told.
    pub warnings: Mutex<Vec<String>>,
}

impl Engine<'_> {
    /// The pull goes on without something.
    fn warn(&self, text: String) {
        tracing::warn!("{text}");
        self.warnings
            .lock()
            .expect("no panic while locked")
            .push(text);
    }
}

/// A repository on this machine that objects may come from.
pub(crate) struct LocalSource<'env> {
    pub repo: &'env Repo,
    /// Its objects need not be checked.
    pub trusted: bool,
    /// Its objects belong to whom those of the repository pulled into belong.
    pub same_owner: bool,
    /// It is what is pulled from: what it lacks is nowhere.
    pub origin: bool,
}

/// What a run did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Done {
    /// Delta parts fetched and taken apart.
    pub parts: u64,
    /// What deltas would bring, of a dry run.
    pub plan: DeltaPlan,
    pub metadata: u64,
    pub content: u64,
    pub metadata_from_cache: u64,
    pub content_from_cache: u64,
}

/// A directory listing, and, if only some paths are wanted, where it is.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct TreeAt {
    id: DirtreeId,
    path: Option<String>,
}

/// Something for a worker.
enum Job {
    Part {
        superblock: Arc<Superblock>,
        index: usize,
        body: delta::Body,
    },
    Commit(Box<CommitWork>),
    Tree {
        tree: TreeAt,
        fetched: Option<Vec<u8>>,
    },
    Dirmeta {
        id: Checksum,
        bytes: Vec<u8>,
    },
    Content {
        id: ContentId,
        chunks: Vec<Chunk>,
        /// It came in several pieces.
        pieces: bool,
    },
}

struct CommitWork {
    id: CommitId,
    fetched: Option<Vec<u8>>,
    meta: Option<Vec<u8>>,
    /// The refs it is pulled as; none for a parent.
    names: Vec<RefName>,
    /// The delta that brings its tree.
    delta: Option<Arc<Superblock>>,
}

/// What an object turned out to need.
#[derive(Default)]
struct Found {
    parent: Option<CommitId>,
    /// A commit whose tree is wanted whole: it is complete when the run is.
    whole: Option<CommitId>,
    /// Content whose pieces do not fit together.
    again: Option<ContentId>,
    /// The parts of a delta that bring something new.
    parts: Vec<usize>,
    /// A part of a delta that is of no use.
    bad_part: Option<Error>,
    needs: Needs,
}

#[derive(Default)]
struct Needs {
    trees: Vec<TreeAt>,
    scan: Vec<TreeAt>,
    dirmeta: Vec<Checksum>,
    content: Vec<ContentId>,
    metadata_from_cache: u64,
    content_from_cache: u64,
}

/// Why a job failed.
enum Finished {
    /// The object is not what it should be, or cannot be stored.
    Refused(osier_store::Error),
    Failed(Error),
}

impl From<Error> for Finished {
    fn from(error: Error) -> Finished {
        Finished::Failed(error)
    }
}

impl From<osier_store::Error> for Finished {
    fn from(error: osier_store::Error) -> Finished {
        Finished::Failed(error.into())
    }
}

/// What a worker is asked, with what it takes to answer for it.
struct Ticket {
    job: Job,
    label: Label,
    waiting: usize,
}

struct Reply {
    label: Label,
    waiting: usize,
    result: Result<Found, Finished>,
}

/// Which object a job is about.
#[derive(Clone, Copy)]
enum Label {
    Commit(CommitId),
    /// A commit that came in a delta.
    Delta(CommitId),
    /// A part of the delta to a commit.
    Part(CommitId),
    Object(ObjectName),
}

impl Label {
    fn is_metadata(&self) -> bool {
        match self {
            Label::Commit(_) | Label::Delta(_) => true,
            Label::Part(_) => false,
            Label::Object(name) => name.ty.is_metadata(),
        }
    }
}

/// What came of a request.
enum Answer {
    Commit {
        id: CommitId,
        fetched: Option<Vec<u8>>,
        meta: Option<Vec<u8>>,
        imported: bool,
    },
    /// A parent that the server does not have.
    NoParent {
        /// What was asked for in its place.
        requests: u64,
    },
    Delta {
        goal: Goal,
        requests: u64,
        chosen: delta::Chosen,
    },
    Part {
        superblock: Arc<Superblock>,
        index: usize,
        body: delta::Body,
    },
    Tree {
        tree: TreeAt,
        bytes: Vec<u8>,
    },
    Dirmeta {
        id: Checksum,
        bytes: Vec<u8>,
    },
    Content {
        id: ContentId,
        collected: Collected,
    },
}

impl Answer {
    /// Whether the time it took is the way there and back, and little else.
    fn is_small(&self) -> bool {
        matches!(
            self,
            Answer::Tree { .. }
                | Answer::Dirmeta { .. }
                | Answer::Content {
                    collected: Collected::Small(..),
                    ..
                }
        )
    }
}

impl Engine<'_> {
    /// Stages all that the goals need. Blocks.
    pub fn run(
        &self,
        runtime: &tokio::runtime::Runtime,
        goals: &[Goal],
        sink: &mut dyn ProgressSink,
        cancel: &Cancel,
    ) -> Result<Done, Error> {
        let shop = Shop {
            tx: self.tx,
            caches: self.caches,
            check_modes: self.check_modes,
            unchecked: self.unchecked,
            signatures: self.signatures,
            rules: self.rules,
            counters: self.counters,
            seen: Default::default(),
            decoders: Decoders::default(),
        };
        let (jobs, todo) = crossbeam_channel::unbounded::<Ticket>();
        let (report, replies) = mpsc::unbounded_channel::<Reply>();
        let shop = &shop;
        std::thread::scope(|scope| {
            // Dropped last, on every way out: the end of the queue ends the workers.
            let jobs = jobs;
            for _ in 0..self.workers.max(1) {
                let (todo, report) = (todo.clone(), report.clone());
                std::thread::Builder::new()
                    .name("osier-pull".to_owned())
                    .spawn_scoped(scope, move || {
                        for Ticket {
                            job,
                            label,
                            waiting,
                        } in todo
                        {
                            let result = shop.run(job);
                            // Nobody listens once the pull has failed, but what was fetched is staged all the same.
                            let _ = report.send(Reply {
                                label,
                                waiting,
                                result,
                            });
                        }
                    })
                    .map_err(|cause| Error::System {
                        action: "starting a thread",
                        cause,
                    })?;
            }
            drop((todo, report));
            let driver = Driver::new(self, scope, shop, jobs);
            runtime.block_on(driver.drive(goals, replies, sink, cancel))
        })
    }

    /// What a server sent is wrong, or this repository cannot hold it.
    fn refused(&self, name: &ObjectName, cause: osier_store::Error) -> Error {
        use osier_store::Error as Cause;
        match cause {
            Cause::ChecksumMismatch { .. } | Cause::Invalid { .. } | Cause::NotAllowed(_) => {
                let base = if name.ty == ObjectType::Commitmeta {
                    self.base
                } else {
                    self.content_base
                };
                Error::Object {
                    url: base.bases()[0].join(&path_of(name)),
                    cause: Box::new(cause),
                }
            }
            // The disk is full, for example: that is not the server's doing.
            other => Error::Store(other),
        }
    }

    /// The repository on this machine that is pulled from.
    fn origin(&self) -> Option<&Repo> {
        self.caches.iter().find(|c| c.origin).map(|c| c.repo)
    }

    /// What the absence of an object is called: no request failed where all comes from this machine.
    fn absent(&self, ty: ObjectType, checksum: Checksum, error: FetchError) -> Error {
        match error.is_not_found() && self.origin().is_some() {
            true => Error::NotInSource {
                name: ObjectName { checksum, ty },
            },
            false => error.into(),
        }
    }

    async fn metadata(
        &self,
        ty: ObjectType,
        checksum: Checksum,
        max: u64,
    ) -> Result<Vec<u8>, FetchError> {
        let path = path_of(&ObjectName { checksum, ty });
        let base = if ty == ObjectType::Commitmeta {
            self.base
        } else {
            self.content_base
        };
        let mut bytes = Vec::new();
        self.fetcher
            .fetch(
                &Want {
                    max_size: Some(max),
                    ..Want::small(base, &path)
                },
                &mut bytes,
            )
            .await?;
        Ok(bytes)
    }

    async fn metadata_opt(
        &self,
        ty: ObjectType,
        checksum: Checksum,
    ) -> Result<Option<Vec<u8>>, FetchError> {
        match self.metadata(ty, checksum, MAX_METADATA).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.is_not_found() => Ok(None),
            Err(e) => Err(e),
        }
    }
}

/// Where an object is below its base URL.
fn path_of(name: &ObjectName) -> String {
    format!("objects/{}", name.loose_path(true))
}
