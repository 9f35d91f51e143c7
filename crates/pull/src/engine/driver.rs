//! The one place that knows what is missing, what is asked for and what is being written.

use super::delta::{self, Chosen};
use super::stream::{Collected, ContentSink};
use super::window::{LEAST, Window};
use super::work::{Shop, size_of};
use super::{
    Answer, CommitWork, Done, Engine, Finished, Found, Job, Label, Needs, Reply, Ticket, TreeAt,
    path_of,
};
use crate::Error;
use crate::fetch::{MAX_METADATA, Want};
use crate::progress::{Cancel, Progress, ProgressSink};
use crate::resolve::{Goal, RefName};
use futures_util::stream::{FuturesUnordered, StreamExt};
use osier_delta::format::superblock::Superblock;
use osier_object::{Checksum, CommitId, ContentId, ObjectName, ObjectType};
use osier_store::ReadObjects;
use std::collections::{HashMap, HashSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::Scope;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

/// Bytes of fetched objects that may wait for a worker before fetching pauses.
const WAITING_MAX: usize = 8 << 20;

/// Delta parts under way at the same time: one that comes while two are taken apart.
const PARTS: usize = 3;

/// How long requests under way may still go on when another has failed, so that what they fetch is not lost.
const GRACE: Duration = Duration::from_secs(2);

/// How often a cancelled pull notices, however rarely the progress sink wants to hear.
const TICK: Duration = Duration::from_millis(100);

type Request<'s> = Pin<Box<dyn Future<Output = Result<Answer, Error>> + 's>>;

/// A request that tells how long it took.
type Timed<'s> = Pin<Box<dyn Future<Output = (Duration, Result<Answer, Error>)> + 's>>;

async fn timed(request: Request<'_>) -> (Duration, Result<Answer, Error>) {
    let started = tokio::time::Instant::now();
    let answer = request.await;
    (started.elapsed(), answer)
}

/// What is known of a commit.
struct CommitState {
    /// Parents still to be followed from here; −1 for all.
    depth: i64,
    /// It was asked for, and is not just somebody's parent.
    goal: bool,
    names: Vec<RefName>,
    size: Option<u64>,
    /// Set once it was looked into.
    parent: Option<Option<CommitId>>,
}

enum Missing {
    Tree(TreeAt),
    Dirmeta(Checksum),
}

/// See the module's text.
pub(super) struct Driver<'s, 'e> {
    engine: &'s Engine<'s>,
    scope: &'s Scope<'s, 'e>,
    shop: &'s Shop<'s>,
    jobs: crossbeam_channel::Sender<Ticket>,
    window: Window,
    /// Bytes that wait for a worker.
    waiting: usize,
    /// Jobs that a worker has or will get.
    busy: usize,
    commits: HashMap<CommitId, CommitState>,
    commit_queue: VecDeque<CommitId>,
    metadata_queue: VecDeque<Missing>,
    content_queue: VecDeque<ContentId>,
    /// Goals for which a delta is looked for.
    delta_queue: VecDeque<Goal>,
    /// Those that a delta was found for, by their commit, with the number of its parts that are still to come.
    deltas: HashMap<CommitId, (Vec<Goal>, Arc<Superblock>, usize)>,
    part_queue: VecDeque<(Arc<Superblock>, usize)>,
    /// Parts asked for or being taken apart.
    parts_busy: usize,
    /// Objects whose pieces did not fit together.
    afresh: HashSet<ContentId>,
    /// Commits that will be complete when all is done.
    whole: Vec<CommitId>,
    /// Those of them that may lead to further objects.
    reading: usize,
    /// Objects known to be needed and not here yet.
    pending_metadata: u64,
    pending_content: u64,
    done: Done,
}

impl<'s, 'e> Driver<'s, 'e> {
    pub fn new(
        engine: &'s Engine<'s>,
        scope: &'s Scope<'s, 'e>,
        shop: &'s Shop<'s>,
        jobs: crossbeam_channel::Sender<Ticket>,
    ) -> Self {
        Driver {
            engine,
            scope,
            shop,
            jobs,
            window: Window::new(engine.fetcher.concurrency()),
            waiting: 0,
            busy: 0,
            commits: HashMap::new(),
            commit_queue: VecDeque::new(),
            metadata_queue: VecDeque::new(),
            content_queue: VecDeque::new(),
            delta_queue: VecDeque::new(),
            deltas: HashMap::new(),
            part_queue: VecDeque::new(),
            parts_busy: 0,
            afresh: HashSet::new(),
            whole: Vec::new(),
            reading: 0,
            pending_metadata: 0,
            pending_content: 0,
            done: Done::default(),
        }
    }

    /// Runs until nothing is missing, or something failed.
    pub async fn drive(
        mut self,
        goals: &[Goal],
        mut replies: mpsc::UnboundedReceiver<Reply>,
        sink: &mut dyn ProgressSink,
        cancel: &Cancel,
    ) -> Result<Done, Error> {
        for goal in goals {
            match self.engine.deltas {
                Some(_) => {
                    self.pending_metadata += 1;
                    self.delta_queue.push_back(goal.clone());
                }
                None => self.want_commit(goal.commit, self.engine.depth, Some(goal)),
            }
        }
        let mut requests: FuturesUnordered<Timed<'s>> = FuturesUnordered::new();
        match self
            .complete(&mut requests, &mut replies, sink, cancel)
            .await
        {
            Ok(()) => {}
            Err(error @ Error::Cancelled) => return Err(error),
            Err(error) => {
                let drain = async {
                    while let Some((_, answer)) = requests.next().await {
                        if let Ok(answer) = answer {
                            let _ = self.answered(answer);
                        }
                    }
                };
                let _ = tokio::time::timeout(GRACE, drain).await;
                return Err(error);
            }
        }
        for id in &self.whole {
            self.engine.tx.mark_complete(id);
        }
        self.tell_warnings(sink);
        sink.update(&self.progress());
        Ok(self.done)
    }

    async fn complete(
        &mut self,
        requests: &mut FuturesUnordered<Timed<'s>>,
        replies: &mut mpsc::UnboundedReceiver<Reply>,
        sink: &mut dyn ProgressSink,
        cancel: &Cancel,
    ) -> Result<(), Error> {
        let mut tick = tokio::time::interval(
            TICK.min(self.engine.update_interval.max(Duration::from_millis(10))),
        );
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut heard = tokio::time::Instant::now();
        loop {
            self.tell_warnings(sink);
            let mut more = true;
            while more && self.has_room(requests.len()) {
                match self.next_request() {
                    Some(request) => requests.push(Box::pin(timed(request))),
                    None => more = false,
                }
            }
            if requests.is_empty() && self.busy == 0 {
                return Ok(());
            }
            tokio::select! {
                Some((took, answer)) = requests.next() => {
                    let answer = answer?;
                    self.window.troubles(self.engine.counters.repeated());
                    if answer.is_small() {
                        self.window.answered(took, more);
                    }
                    self.answered(answer)?;
                }
                Some(reply) = replies.recv() => self.replied(reply)?,
                _ = tick.tick() => {
                    if cancel.is_cancelled() {
                        return Err(Error::Cancelled);
                    }
                    if heard.elapsed() >= self.engine.update_interval {
                        heard = tokio::time::Instant::now();
                        sink.update(&self.progress());
                    }
                }
            }
        }
    }

    fn tell_warnings(&self, sink: &mut dyn ProgressSink) {
        let told =
            std::mem::take(&mut *self.engine.warnings.lock().expect("no panic while locked"));
        for text in told {
            sink.warning(&text);
        }
    }

    /// Whether a further request may start: those of the window's wider part only while there is little to hold.
    fn has_room(&self, requests: usize) -> bool {
        let held = self.waiting + self.engine.held.load(Ordering::Relaxed);
        requests < self.window.size()
            && self.waiting < WAITING_MAX
            && (requests < LEAST || held < WAITING_MAX)
    }

    fn want_commit(&mut self, id: CommitId, depth: i64, goal: Option<&Goal>) {
        let queue = &mut self.commit_queue;
        let state = self.commits.entry(id).or_insert_with(|| {
            queue.push_back(id);
            CommitState {
                depth,
                goal: false,
                names: Vec::new(),
                size: None,
                parent: None,
            }
        });
        if let Some(goal) = goal {
            state.goal = true;
            state.names.extend(goal.name.clone());
            state.size = state.size.or(goal.size);
        }
        let deeper = state.depth != -1 && (depth == -1 || depth > state.depth);
        if deeper {
            state.depth = depth;
            // It was looked into before, for somebody who wanted less of its history.
            if let Some(Some(parent)) = state.parent {
                self.want_commit(parent, shallower(depth), None);
            }
        }
    }

    fn next_request(&mut self) -> Option<Request<'s>> {
        let engine = self.engine;
        if let (Some(offer), Some(goal)) = (engine.deltas, self.delta_queue.pop_front()) {
            return Some(Box::pin(delta::look(engine, offer, goal)));
        }
        if let Some(id) = self.commit_queue.pop_front() {
            self.pending_metadata += 1;
            let state = &self.commits[&id];
            return Some(Box::pin(fetch_commit(
                engine, self.shop, id, state.goal, state.size,
            )));
        }
        if let Some(missing) = self.metadata_queue.pop_front() {
            return Some(match missing {
                Missing::Tree(tree) => Box::pin(async move {
                    let bytes = engine
                        .metadata(ObjectType::Dirtree, tree.id.0, MAX_METADATA)
                        .await
                        .map_err(|e| engine.absent(ObjectType::Dirtree, tree.id.0, e))?;
                    Ok(Answer::Tree { tree, bytes })
                }),
                Missing::Dirmeta(id) => Box::pin(async move {
                    let bytes = engine
                        .metadata(ObjectType::Dirmeta, id, MAX_METADATA)
                        .await
                        .map_err(|e| engine.absent(ObjectType::Dirmeta, id, e))?;
                    Ok(Answer::Dirmeta { id, bytes })
                }),
            });
        }
        if self.parts_busy < PARTS
            && let Some((superblock, index)) = self.part_queue.pop_front()
        {
            self.parts_busy += 1;
            return Some(Box::pin(delta::part(engine, superblock, index)));
        }
        let id = self.content_queue.pop_front()?;
        let afresh = self.afresh.contains(&id);
        Some(Box::pin(fetch_content(engine, self.scope, id, afresh)))
    }

    fn send(&mut self, job: Job, label: Label, waiting: usize) {
        self.busy += 1;
        self.reading += usize::from(label.is_metadata());
        self.waiting += waiting;
        // The workers live as long as this end of the queue.
        let _ = self.jobs.send(Ticket {
            job,
            label,
            waiting,
        });
    }

    fn answered(&mut self, answer: Answer) -> Result<(), Error> {
        match &answer {
            Answer::Content { .. } => self.pending_content -= 1,
            Answer::Part { .. } => {}
            _ => self.pending_metadata -= 1,
        }
        match answer {
            Answer::NoParent { requests } => self.done.metadata += requests,
            Answer::Delta {
                goal,
                requests,
                chosen,
            } => {
                self.done.metadata += requests;
                self.chosen(goal, chosen)?;
            }
            Answer::Part {
                superblock,
                index,
                body,
            } => self.part(superblock, index, body)?,
            Answer::Commit {
                id,
                fetched,
                meta,
                imported,
            } => {
                if imported {
                    self.done.metadata_from_cache += 1;
                } else {
                    self.done.metadata += u64::from(fetched.is_some()) + u64::from(meta.is_some());
                }
                let names = self
                    .commits
                    .get(&id)
                    .map(|state| state.names.clone())
                    .unwrap_or_default();
                let work = CommitWork {
                    id,
                    fetched,
                    meta,
                    names,
                    delta: None,
                };
                self.send(Job::Commit(Box::new(work)), Label::Commit(id), 0);
            }
            Answer::Tree { tree, bytes } => {
                self.done.metadata += 1;
                let label = Label::Object(ObjectName {
                    checksum: tree.id.0,
                    ty: ObjectType::Dirtree,
                });
                let waiting = bytes.len();
                self.send(
                    Job::Tree {
                        tree,
                        fetched: Some(bytes),
                    },
                    label,
                    waiting,
                );
            }
            Answer::Dirmeta { id, bytes } => {
                self.done.metadata += 1;
                let waiting = bytes.len();
                let label = Label::Object(ObjectName {
                    checksum: id,
                    ty: ObjectType::Dirmeta,
                });
                self.send(Job::Dirmeta { id, bytes }, label, waiting);
            }
            Answer::Content { id, collected } => {
                self.done.content += 1;
                let name = ObjectName {
                    checksum: id.0,
                    ty: ObjectType::File,
                };
                match collected {
                    // `fetch_content` has seen to the last.
                    Collected::Written | Collected::Again => {}
                    Collected::Small(chunks, pieces) => {
                        let waiting = size_of(&chunks);
                        let job = Job::Content { id, chunks, pieces };
                        self.send(job, Label::Object(name), waiting);
                    }
                }
            }
        }
        Ok(())
    }

    /// A delta was looked for.
    fn chosen(&mut self, goal: Goal, chosen: Chosen) -> Result<(), Error> {
        let offer = self.engine.deltas.cloned().unwrap_or_default();
        let superblock = match chosen {
            Chosen::Delta(superblock) => superblock,
            Chosen::Nothing if offer.dry_run => return Ok(()),
            Chosen::Nothing | Chosen::None => {
                self.want_commit(goal.commit, self.engine.depth, Some(&goal));
                return Ok(());
            }
        };
        if offer.dry_run {
            return self.done.plan.add(self.engine, &superblock);
        }
        let id = goal.commit;
        if let Some((goals, _, _)) = self.deltas.get_mut(&id) {
            // Another ref leads to the same commit, whose delta is on its way.
            goals.push(goal);
            return Ok(());
        }
        let meta = superblock.commitmeta().ok().flatten().map(<[u8]>::to_vec);
        let work = CommitWork {
            id,
            fetched: Some(superblock.commit().to_vec()),
            meta,
            names: goal.name.iter().cloned().collect(),
            delta: Some(Arc::clone(&superblock)),
        };
        self.deltas.insert(id, (vec![goal], superblock, 0));
        self.send(Job::Commit(Box::new(work)), Label::Delta(id), 0);
        Ok(())
    }

    /// The commit of a delta is checked and stored: its parts may come.
    fn delta_begins(&mut self, id: CommitId, parts: Vec<usize>) {
        let Some((_, superblock, left)) = self.deltas.get_mut(&id) else {
            return;
        };
        *left += parts.len();
        let superblock = Arc::clone(superblock);
        for index in parts {
            match superblock.inline_part(index) {
                Ok(Some(_)) => {
                    self.parts_busy += 1;
                    let job = Job::Part {
                        superblock: Arc::clone(&superblock),
                        index,
                        body: delta::Body::Inline,
                    };
                    self.send(job, Label::Part(id), 0);
                }
                _ => self.part_queue.push_back((Arc::clone(&superblock), index)),
            }
        }
        self.delta_ends(id);
    }

    /// A part file has come.
    fn part(
        &mut self,
        superblock: Arc<Superblock>,
        index: usize,
        body: delta::Body,
    ) -> Result<(), Error> {
        let id = superblock.name.to;
        match body {
            delta::Body::Absent(error) => self.part_done(id, Some(error)),
            body => {
                self.done.parts += 1;
                let job = Job::Part {
                    superblock,
                    index,
                    body,
                };
                self.send(job, Label::Part(id), 0);
                Ok(())
            }
        }
    }

    fn part_done(&mut self, id: CommitId, bad: Option<Error>) -> Result<(), Error> {
        self.parts_busy -= 1;
        if let Some(error) = bad {
            if self.engine.deltas.is_some_and(|offer| offer.required) {
                return Err(error);
            }
            self.engine.warn(format!(
                "static delta to {id}: {error}; fetching objects instead"
            ));
        }
        if let Some((_, _, left)) = self.deltas.get_mut(&id) {
            *left -= 1;
        }
        self.delta_ends(id);
        Ok(())
    }

    /// When all parts are here the commit is looked into like any other: that finds whatever is still missing.
    fn delta_ends(&mut self, id: CommitId) {
        if self.deltas.get(&id).is_some_and(|(_, _, left)| *left == 0)
            && let Some((goals, _, _)) = self.deltas.remove(&id)
        {
            for goal in &goals {
                self.want_commit(id, self.engine.depth, Some(goal));
            }
        }
    }

    fn replied(&mut self, reply: Reply) -> Result<(), Error> {
        self.busy -= 1;
        self.reading -= usize::from(reply.label.is_metadata());
        self.waiting -= reply.waiting;
        let found = reply
            .result
            .map_err(|finished| match (finished, reply.label) {
                (Finished::Failed(error), _) => error,
                (Finished::Refused(cause), Label::Object(name)) => {
                    self.engine.refused(&name, cause)
                }
                (Finished::Refused(cause), Label::Part(_)) => Error::Store(cause),
                (Finished::Refused(cause), Label::Commit(id) | Label::Delta(id)) => {
                    self.engine.refused(
                        &ObjectName {
                            checksum: id.0,
                            ty: ObjectType::Commit,
                        },
                        cause,
                    )
                }
            })?;
        let Found {
            parent,
            whole,
            again,
            parts,
            bad_part,
            needs,
        } = found;
        match reply.label {
            Label::Part(id) => return self.part_done(id, bad_part),
            Label::Delta(id) => {
                self.need(needs);
                self.delta_begins(id, parts);
                return Ok(());
            }
            _ => {}
        }
        if let Some(id) = again {
            self.done.content -= 1;
            self.pending_content += 1;
            self.afresh.insert(id);
            self.content_queue.push_back(id);
        }
        self.whole.extend(whole);
        self.need(needs);
        if let Label::Commit(id) = reply.label
            && let Some(state) = self.commits.get_mut(&id)
        {
            state.parent = Some(parent);
            let depth = state.depth;
            if let Some(parent) = parent.filter(|_| depth != 0) {
                self.want_commit(parent, shallower(depth), None);
            }
        }
        Ok(())
    }

    fn need(&mut self, needs: Needs) {
        let Needs {
            trees,
            scan,
            dirmeta,
            content,
            metadata_from_cache,
            content_from_cache,
        } = needs;
        self.done.metadata_from_cache += metadata_from_cache;
        self.done.content_from_cache += content_from_cache;
        self.pending_metadata += (trees.len() + dirmeta.len()) as u64;
        self.pending_content += content.len() as u64;
        self.metadata_queue
            .extend(trees.into_iter().map(Missing::Tree));
        self.metadata_queue
            .extend(dirmeta.into_iter().map(Missing::Dirmeta));
        self.content_queue.extend(content);
        for tree in scan {
            let label = Label::Object(ObjectName {
                checksum: tree.id.0,
                ty: ObjectType::Dirtree,
            });
            self.send(
                Job::Tree {
                    tree,
                    fetched: None,
                },
                label,
                0,
            );
        }
    }

    fn progress(&self) -> Progress {
        Progress {
            fetched_metadata: self.done.metadata,
            fetched_content: self.done.content,
            pending_metadata: self.pending_metadata,
            pending_content: self.pending_content,
            bytes: self.engine.counters.bytes(),
            expected_bytes: self.engine.counters.expected(),
            from_cache: self.done.metadata_from_cache + self.done.content_from_cache,
            scanned: self.pending_metadata == 0
                && self.reading == 0
                && self.commit_queue.is_empty(),
        }
    }
}

fn shallower(depth: i64) -> i64 {
    if depth == -1 { -1 } else { depth - 1 }
}

/// Fetches a commit's detached metadata, and the commit unless it is here.
async fn fetch_commit(
    engine: &Engine<'_>,
    shop: &Shop<'_>,
    id: CommitId,
    goal: bool,
    size: Option<u64>,
) -> Result<Answer, Error> {
    let name = ObjectName {
        checksum: id.0,
        ty: ObjectType::Commit,
    };
    let have = engine.tx.has_object(&name)?;
    if !have {
        for cache in engine.caches {
            if let Some(bytes) = shop.cached_commit(cache, &id)? {
                let meta = cache
                    .repo
                    .read_metadata_opt(ObjectType::Commitmeta, &id.0)?;
                return Ok(Answer::Commit {
                    id,
                    fetched: Some(bytes),
                    meta,
                    imported: true,
                });
            }
        }
    }
    let meta = engine.metadata_opt(ObjectType::Commitmeta, id.0).await?;
    if have {
        return Ok(Answer::Commit {
            id,
            fetched: None,
            meta,
            imported: false,
        });
    }
    // A summary that does not know a size says 0.
    let max = size
        .filter(|size| *size > 0)
        .unwrap_or(MAX_METADATA)
        .min(MAX_METADATA);
    match engine.metadata(ObjectType::Commit, id.0, max).await {
        Ok(bytes) => Ok(Answer::Commit {
            id,
            fetched: Some(bytes),
            meta,
            imported: false,
        }),
        Err(e) if !goal && e.is_not_found() => {
            let requests = match engine.tombstones {
                // History ends here on purpose only if the server says so.
                true => end_of_history(engine, &id).await?,
                false => 0,
            };
            Ok(Answer::NoParent { requests })
        }
        Err(e) => Err(engine.absent(ObjectType::Commit, id.0, e)),
    }
}

/// Asks for the record of a deleted commit, which must be there. It is kept where it comes from this machine, as the C
/// tool keeps it. Gives how many requests that counts for.
async fn end_of_history(engine: &Engine<'_>, id: &CommitId) -> Result<u64, Error> {
    let ty = ObjectType::TombstoneCommit;
    let name = ObjectName { checksum: id.0, ty };
    let Some(origin) = engine.origin() else {
        engine.metadata(ty, id.0, MAX_METADATA).await?;
        return Ok(1);
    };
    let bytes = origin
        .read_metadata_opt(ty, &id.0)?
        .ok_or(Error::NotInSource { name })?;
    osier_object::tombstone::decode(&bytes).map_err(|cause| {
        let cause = cause.to_string();
        engine.refused(&name, osier_store::Error::Invalid { name, cause })
    })?;
    engine.tx.write_tombstone(id)?;
    Ok(0)
}

/// Fetches a content object: whole if it is small, else straight into a writer. `afresh` takes up nothing that is here.
async fn fetch_content<'s>(
    engine: &'s Engine<'s>,
    scope: &'s Scope<'s, '_>,
    id: ContentId,
    afresh: bool,
) -> Result<Answer, Error> {
    let name = ObjectName {
        checksum: id.0,
        ty: ObjectType::File,
    };
    let path = path_of(&name);
    let want = Want {
        max_size: None,
        ..Want::small(engine.content_base, &path)
    };
    let mut sink = ContentSink::new(scope, engine, id, engine.keep);
    if !afresh {
        sink = sink.with_what_is_left();
    }
    loop {
        engine
            .fetcher
            .fetch(&want, &mut sink)
            .await
            .map_err(|e| engine.absent(ObjectType::File, id.0, e))?;
        match sink.finish().await {
            Ok(Collected::Again) => {
                sink = ContentSink::new(scope, engine, id, None);
            }
            Ok(collected) => return Ok(Answer::Content { id, collected }),
            Err(Finished::Refused(cause)) => return Err(engine.refused(&name, cause)),
            Err(Finished::Failed(error)) => return Err(error),
        }
    }
}
