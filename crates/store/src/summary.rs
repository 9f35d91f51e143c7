//! The summary: all refs in one file, for clients that cannot list folders.

use crate::commit::{self, CommitOptions, Root};
use crate::error::{Error, IoContext, Result};
use crate::read::ReadObjects;
use crate::refs::{ListRefs, RefKey};
use crate::replace_file::temp_name;
use crate::repo::Repo;
use crate::static_deltas::digest_dict;
use crate::transaction::TransactionOptions;
use osier_gv::{Dict, Value};
use osier_object::commit::key::{COLLECTION_BINDING, REF_BINDING, VERSION};
use osier_object::summary::{encode_collection_map, key};
use osier_object::{Commit, CommitId, Dirmeta, Dirtree, ObjectType, Summary, SummaryRef};
use rustix::fs::{AtFlags, Mode, OFlags, Timespec, Timestamps};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::fd::AsFd;

/// The ref whose commit carries a collection's metadata.
pub const METADATA_REF: &str = "ostree-metadata";

const LIMIT: u64 = osier_object::MAX_METADATA_SIZE;

/// Signs what an update writes. The dictionaries hold signatures by kind, as detached metadata does.
pub trait SignSummary {
    /// The signatures of the commit of [`METADATA_REF`]: of its object's bytes.
    fn commit(&self, bytes: &[u8]) -> Result<Option<Dict>>;
    /// The signatures of the summary; without any, `summary.sig` goes.
    fn summary(&self, bytes: &[u8]) -> Result<Option<Dict>>;
}

/// What goes into a summary beside the refs.
#[derive(Clone, Debug, Default)]
pub struct SummaryOptions {
    /// Metadata given by the user, in order.
    pub metadata: Dict,
    /// The time of the update, UTC seconds since 1970.
    pub now: u64,
    /// The time of the metadata commit.
    pub commit_time: u64,
}

/// Updates the summary: commits the collection's metadata (in a repository with a collection), rewrites the delta
/// indexes, and replaces `summary` and `summary.sig`.
///
/// # Errors
/// When a ref's commit is not stored, signing fails, or on I/O failure.
pub fn update(
    repo: &Repo,
    options: &SummaryOptions,
    signer: Option<&dyn SignSummary>,
) -> Result<()> {
    repo.require_writable()?;
    let _lock = repo.lock_shared()?;
    if let Some(collection) = &repo.config().collection_id {
        commit_metadata(repo, collection, options, signer)?;
    }
    write(repo, options, signer)
}

/// Lists the refs as they are now: unsigned, without a metadata commit.
///
/// # Errors
/// As [`update`].
pub fn refresh(repo: &Repo) -> Result<()> {
    repo.require_writable()?;
    let _lock = repo.lock_shared()?;
    auto_update(repo)
}

/// The update after refs changed, where `core.auto-update-summary` asks for it: unsigned, without metadata commit.
pub(crate) fn auto_update(repo: &Repo) -> Result<()> {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let options = SummaryOptions {
        now,
        commit_time: now,
        ..Default::default()
    };
    // Another writer may have set its ref after ours was read and published its summary before this one: whoever comes
    // last must have seen all refs.
    loop {
        let before = all_refs(repo)?;
        write(repo, &options, None)?;
        if all_refs(repo)? == before {
            return Ok(());
        }
    }
}

fn all_refs(repo: &Repo) -> Result<impl PartialEq + use<>> {
    Ok((
        repo.list_ref_keys(ListRefs::default())?,
        repo.list_collection_refs(true)?,
    ))
}

fn write(repo: &Repo, options: &SummaryOptions, signer: Option<&dyn SignSummary>) -> Result<()> {
    // First what can fail: an update that does changes nothing.
    let bytes = build(repo, options)?.encode();
    repo.reindex_static_deltas(None)?;
    let signatures = match signer {
        Some(signer) => signer.summary(&bytes)?,
        None => None,
    };
    publish(repo, &bytes, signatures.as_ref())
}

/// The summary as an update would write it. Nothing is written.
pub fn build(repo: &Repo, options: &SummaryOptions) -> Result<Summary> {
    let own = repo.config().collection_id.as_deref();
    let mut by_collection: BTreeMap<String, BTreeMap<String, CommitId>> = BTreeMap::new();
    for ((collection, name), id) in repo.list_collection_refs(false)? {
        by_collection
            .entry(collection)
            .or_default()
            .insert(name, id);
    }
    let mut main = BTreeMap::new();
    for (key, id) in repo.list_ref_keys(ListRefs {
        exclude_remotes: true,
        aliases_only: false,
    })? {
        if let RefKey::Local(name) = key {
            main.insert(name, id);
        }
    }
    // What a remote has of this very collection does not hide the repository's own.
    if let Some(refs) = own.and_then(|own| by_collection.remove(own)) {
        for (name, id) in refs {
            main.entry(name).or_insert(id);
        }
    }
    let refs = describe(repo, &main)?;
    let mut map = Vec::with_capacity(by_collection.len());
    for (collection, refs) in &by_collection {
        map.push((collection.clone(), describe(repo, refs)?));
    }

    let flag = |key| {
        repo.config()
            .keyfile
            .boolean("core", key)
            .unwrap_or_default()
    };
    let mut metadata = options.metadata.clone();
    if !flag("no-deltas-in-summary") {
        let deltas = repo.static_delta_digests()?;
        if !deltas.is_empty() {
            metadata.insert(key::STATIC_DELTAS, digest_dict(&deltas).to_value());
        }
    }
    metadata.insert(key::LAST_MODIFIED, Value::U64(options.now.to_be()));
    metadata.insert(key::MODE, Value::str(mode_text(repo)));
    metadata.insert(
        key::TOMBSTONE_COMMITS,
        Value::Bool(repo.config().tombstone_commits),
    );
    metadata.insert(key::INDEXED_DELTAS, Value::Bool(true));
    if let Some(own) = own {
        metadata.insert(key::COLLECTION_ID, Value::str(own));
    }
    if !map.is_empty() {
        let map = encode_collection_map(&map).map_err(|e| Error::other(e.to_string()))?;
        metadata.insert(key::COLLECTION_MAP, map);
    }
    Ok(Summary {
        refs,
        metadata: metadata.in_glib_order(),
    })
}

/// The mode as the configuration spells it.
fn mode_text(repo: &Repo) -> String {
    repo.config()
        .keyfile
        .string("core", "mode")
        .unwrap_or_else(|_| repo.mode().config_value().to_owned())
}

fn describe(repo: &Repo, refs: &BTreeMap<String, CommitId>) -> Result<Vec<SummaryRef>> {
    refs.iter()
        .map(|(name, id)| {
            let bytes = repo.read_metadata(ObjectType::Commit, &id.0)?;
            let commit = Commit::decode(&bytes)
                .map_err(|e| crate::read::invalid(ObjectType::Commit, &id.0, e))?;
            let mut metadata = Dict::new();
            metadata.insert(key::COMMIT_TIMESTAMP, Value::U64(commit.timestamp.to_be()));
            if let Some(version) = commit.metadata.get_str(VERSION) {
                metadata.insert(key::COMMIT_VERSION, Value::str(version));
            }
            Ok(SummaryRef {
                name: name.clone(),
                commit_size: bytes.len() as u64,
                commit: *id,
                metadata: metadata.in_glib_order(),
            })
        })
        .collect()
}

/// Commits an empty tree with the user's metadata, bound to the collection, so that clients can fetch and verify it
/// like any other ref.
fn commit_metadata(
    repo: &Repo,
    collection: &str,
    options: &SummaryOptions,
    signer: Option<&dyn SignSummary>,
) -> Result<()> {
    let key = RefKey::Local(METADATA_REF.to_owned());
    let mut metadata = options.metadata.clone();
    metadata.insert(COLLECTION_BINDING, Value::str(collection));
    metadata.insert(REF_BINDING, Value::strv([METADATA_REF]));
    let mut tx = repo.begin(&TransactionOptions::default())?;
    let root = Root {
        dirtree: tx.write_dirtree(&Dirtree::default())?,
        dirmeta: tx.write_dirmeta(&Dirmeta::new(0, 0, 0o755))?,
    };
    tx.hold_refs()?;
    let id = commit::write(
        &tx,
        root,
        &CommitOptions {
            parent: repo.read_ref(&key)?,
            timestamp: options.commit_time,
            metadata: metadata.in_glib_order(),
            ..Default::default()
        },
    )?;
    if let Some(signer) = signer {
        let bytes = tx.read_metadata(ObjectType::Commit, &id.0)?;
        if let Some(signatures) = signer.commit(&bytes)? {
            tx.write_commitmeta(&id, &signatures)?;
        }
    }
    tx.set_ref(key, Some(id));
    tx.commit()?;
    Ok(())
}

/// Replaces the summary, then its signatures; without signatures those that were there go.
pub fn publish(repo: &Repo, bytes: &[u8], signatures: Option<&Dict>) -> Result<()> {
    let summary = write_tmp(repo, "summary", bytes)?;
    let signed = match signatures {
        None => None,
        Some(dict) => {
            let sig = write_tmp(repo, "summary.sig", &dict.encode())?;
            // Mirrors compare the times: both files are of one update.
            let st = rustix::fs::statat(repo.dir(), &sig, AtFlags::SYMLINK_NOFOLLOW)
                .at(|| format!("stat {sig}"))?;
            let time = Timespec {
                tv_sec: st.st_mtime as _,
                tv_nsec: st.st_mtime_nsec as _,
            };
            let times = Timestamps {
                last_access: time,
                last_modification: time,
            };
            rustix::fs::utimensat(repo.dir(), &summary, &times, AtFlags::SYMLINK_NOFOLLOW)
                .at(|| format!("utimensat({summary})"))?;
            Some(sig)
        }
    };
    let rename = |from: &str, to: &str| {
        rustix::fs::renameat(repo.dir(), from, repo.dir(), to).at(|| format!("renameat({to})"))
    };
    rename(&summary, "summary")?;
    match signed {
        Some(sig) => rename(&sig, "summary.sig"),
        None => match rustix::fs::unlinkat(repo.dir(), "summary.sig", AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(e) => Err(e).at(|| "unlinkat(summary.sig)".into()),
        },
    }
}

fn write_tmp(repo: &Repo, what: &str, bytes: &[u8]) -> Result<String> {
    let path = format!("tmp/{}", temp_name("summary"));
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(repo.dir(), &path, flags, Mode::from_raw_mode(0o600))
        .at(|| format!("creating {path}"))?;
    let mut file = std::fs::File::from(fd);
    let write = |file: &mut std::fs::File| -> std::io::Result<()> {
        file.write_all(bytes)?;
        rustix::fs::fchmod(file.as_fd(), Mode::from_raw_mode(0o644))?;
        if repo.config().fsync {
            rustix::fs::fdatasync(&file)?;
        }
        Ok(())
    };
    write(&mut file)
        .inspect_err(|_| {
            let _ = rustix::fs::unlinkat(repo.dir(), &path, AtFlags::empty());
        })
        .at(|| format!("writing {what}"))?;
    Ok(path)
}

/// The bytes of the summary; `None` when there is none. They are not checked.
///
/// # Errors
/// When it is larger than 128 MiB or cannot be read.
pub fn read_summary(repo: &Repo) -> Result<Option<Vec<u8>>> {
    read(repo, "summary")
}

/// The signatures of the summary; `None` when it has none.
///
/// # Errors
/// When `summary.sig` cannot be read or decoded.
pub fn read_summary_signatures(repo: &Repo) -> Result<Option<Dict>> {
    match read(repo, "summary.sig")? {
        None => Ok(None),
        Some(bytes) => Dict::decode(&bytes)
            .map(Some)
            .map_err(|e| Error::other(format!("decoding summary.sig: {e}"))),
    }
}

fn read(repo: &Repo, name: &str) -> Result<Option<Vec<u8>>> {
    let fd = match rustix::fs::openat(
        repo.dir(),
        name,
        OFlags::RDONLY | OFlags::CLOEXEC,
        Mode::empty(),
    ) {
        Ok(fd) => fd,
        Err(Errno::NOENT) => return Ok(None),
        Err(e) => return Err(e).at(|| format!("openat({name})")),
    };
    let mut bytes = Vec::new();
    std::fs::File::from(fd)
        .take(LIMIT + 1)
        .read_to_end(&mut bytes)
        .at(|| format!("reading {name}"))?;
    match bytes.len() as u64 > LIMIT {
        true => Err(Error::other(format!("{name} is larger than 128 MiB"))),
        false => Ok(Some(bytes)),
    }
}
