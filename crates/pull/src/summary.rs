//! Fetching the summary and its signature, and the cache of both.

use crate::error::SummaryProblem;
use crate::fetch::{FetchError, FetchSettings, Fetched, Fetcher, Mirrors, Validators, Want};
use crate::remote::Remote;
use crate::verify::{Signatures, Verified};
use crate::{Error, PullOptions, http_date};
use osier_gv::Value;
use osier_object::refs::{validate_collection_id, validate_ref_name};
use osier_object::summary::key;
use osier_object::{Summary, SummaryRef};
use osier_store::Repo;
use rustix::fs::{AtFlags, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// The attribute that a cached file's ETag is kept in.
const ETAG: &str = "user.etag";

/// Where summaries are kept between pulls: `summaries/REMOTE` and `summaries/REMOTE.sig`.
#[derive(Debug)]
pub(crate) struct Cache {
    dir: OwnedFd,
    path: PathBuf,
    name: String,
}

/// A file with what its server said about it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Kept {
    pub bytes: Vec<u8>,
    pub validators: Validators,
}

/// What a server has.
#[derive(Clone, Debug, Default)]
pub(crate) struct SummaryFiles {
    pub summary: Option<Kept>,
    pub signature: Option<Kept>,
    /// The summary was not fetched now.
    cached: bool,
    /// The cache has both already.
    kept: bool,
    verified: Verified,
}

impl SummaryFiles {
    pub fn summary_bytes(&self) -> Option<&[u8]> {
        self.summary.as_ref().map(|kept| &kept.bytes[..])
    }

    pub fn signature_bytes(&self) -> Option<&[u8]> {
        self.signature.as_ref().map(|kept| &kept.bytes[..])
    }
}

impl Cache {
    /// The cache of a remote below `parent`, a folder that must exist.
    pub fn open(parent: BorrowedFd<'_>, path: &Path, remote: &str) -> Result<Cache, Error> {
        let system = |cause: rustix::io::Errno| Error::System {
            action: "opening the summary cache",
            cause: cause.into(),
        };
        match rustix::fs::mkdirat(parent, "summaries", Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => {}
            Err(e) => return Err(system(e)),
        }
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let dir = rustix::fs::openat(parent, "summaries", flags, Mode::empty()).map_err(system)?;
        Ok(Cache {
            dir,
            path: path.join("summaries"),
            name: remote.to_owned(),
        })
    }

    fn load(&self, suffix: &str) -> Option<Kept> {
        let name = format!("{}{suffix}", self.name);
        let fd = rustix::fs::openat(
            &self.dir,
            &name,
            OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW,
            Mode::empty(),
        )
        .ok()?;
        let file = File::from(fd);
        let modified = file
            .metadata()
            .ok()?
            .modified()
            .ok()?
            .duration_since(std::time::UNIX_EPOCH)
            .ok()?;
        let etag = osier_sys::xattr::get_fd(file.as_fd(), ETAG).ok().flatten();
        let mut bytes = Vec::new();
        (&file)
            .take(crate::fetch::MAX_METADATA + 1)
            .read_to_end(&mut bytes)
            .ok()?;
        if bytes.len() as u64 > crate::fetch::MAX_METADATA {
            return None;
        }
        let validators = Validators {
            etag: etag
                .and_then(|e| String::from_utf8(e).ok())
                .filter(|e| e.bytes().all(|b| b >= 0x20 && b != 0x7f)),
            modified: Some(http_date::format_http(
                i64::try_from(modified.as_secs()).ok()?,
            )),
        };
        Some(Kept { bytes, validators })
    }

    fn store(&self, suffix: &str, kept: &Kept) -> io::Result<()> {
        write_kept(self.dir.as_fd(), &format!("{}{suffix}", self.name), kept)
    }

    /// Keeps both files, once they have been checked. A cache that cannot be written is no reason to fail.
    fn store_both(&self, files: &SummaryFiles) {
        let (Some(summary), Some(signature)) = (&files.summary, &files.signature) else {
            return;
        };
        if let Err(error) = self
            .store("", summary)
            .and_then(|()| self.store(".sig", signature))
        {
            tracing::warn!(%error, path = %self.path.display(), "keeping the summary");
        }
    }
}

/// Writes a file atomically, with its server's date and ETag.
pub(crate) fn write_kept(dir: BorrowedFd<'_>, name: &str, kept: &Kept) -> io::Result<()> {
    let tmp = format!(".{name}.{:x}.tmp", std::process::id());
    let flags =
        OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let written = || {
        let mut file = File::from(rustix::fs::openat(
            dir,
            &tmp,
            flags,
            Mode::from_raw_mode(0o644),
        )?);
        file.write_all(&kept.bytes)?;
        if let Some(etag) = &kept.validators.etag {
            match osier_sys::xattr::set_fd(file.as_fd(), ETAG.as_bytes(), etag.as_bytes()) {
                // Without attributes there is still the date.
                Err(e) if e.kind() == io::ErrorKind::Unsupported => {}
                other => other?,
            }
        }
        if let Some(secs) = kept
            .validators
            .modified
            .as_deref()
            .and_then(http_date::parse_http)
        {
            let times = Timestamps {
                last_access: Timespec {
                    tv_sec: 0,
                    tv_nsec: UTIME_OMIT,
                },
                last_modification: Timespec {
                    tv_sec: secs,
                    tv_nsec: 0,
                },
            };
            rustix::fs::futimens(file.as_fd(), &times)?;
        }
        rustix::fs::renameat(dir, &tmp, dir, name)?;
        Ok(())
    };
    written().inspect_err(|_| {
        let _ = rustix::fs::unlinkat(dir, &tmp, AtFlags::empty());
    })
}

/// Fetches both files, or proves that the cached ones are current, and checks them. A cached summary that does not fit
/// its signature is fetched once more: a server may have changed both between two requests of an earlier pull.
pub(crate) async fn fetch(
    fetcher: &Fetcher,
    mirrors: &Mirrors,
    cache: Option<&Cache>,
    signatures: &Signatures,
    refuse_invalid_cache: bool,
) -> Result<SummaryFiles, Error> {
    let mut files = fetch_unchecked(fetcher, mirrors, cache).await?;
    let mut checked = check(signatures, &mut files);
    if checked.is_err() && files.cached {
        if refuse_invalid_cache {
            return Err(Error::Summary(SummaryProblem::InvalidCache));
        }
        let answer = get(fetcher, mirrors, "summary", Validators::default()).await?;
        files.summary = match answer {
            Answer::Body(kept) => Some(kept),
            Answer::NotModified | Answer::Missing => None,
        };
        (files.cached, files.kept) = (false, false);
        checked = check(signatures, &mut files);
    }
    checked?;
    if let Some(cache) = cache.filter(|_| !files.kept) {
        cache.store_both(&files);
    }
    Ok(files)
}

fn check(signatures: &Signatures, files: &mut SummaryFiles) -> Result<(), Error> {
    let checked = signatures.check_summary(files.summary_bytes(), files.signature_bytes());
    files.verified = checked.map_err(|e| match e {
        Error::Summary(SummaryProblem::Unsigned(kind, key)) if files.summary.is_none() => {
            Error::Summary(SummaryProblem::Nothing(kind, key))
        }
        other => other,
    })?;
    Ok(())
}

/// The C tool words what is missing differently where nothing but the summary is asked for.
fn to_list(error: Error) -> Error {
    let singular = |kind| match kind {
        "Signatures" => "Signature",
        other => other,
    };
    match error {
        Error::Summary(SummaryProblem::Missing(kind, _) | SummaryProblem::Nothing(kind, _)) => {
            Error::Summary(SummaryProblem::NoneToList(singular(kind)))
        }
        Error::Summary(SummaryProblem::Unsigned(kind, key)) => {
            Error::Summary(SummaryProblem::UnsignedToList(singular(kind), key))
        }
        other => other,
    }
}

async fn fetch_unchecked(
    fetcher: &Fetcher,
    mirrors: &Mirrors,
    cache: Option<&Cache>,
) -> Result<SummaryFiles, FetchError> {
    let kept = cache.and_then(|c| Some((c.load("")?, c.load(".sig")?)));
    let known = |kept: Option<&Kept>| kept.map(|k| k.validators.clone()).unwrap_or_default();
    let signature = get(
        fetcher,
        mirrors,
        "summary.sig",
        known(kept.as_ref().map(|k| &k.1)),
    )
    .await?;
    if let Some((summary, old_signature)) = &kept {
        let current = match &signature {
            Answer::NotModified => true,
            Answer::Body(new) => new.bytes == old_signature.bytes,
            Answer::Missing => false,
        };
        if current {
            return Ok(SummaryFiles {
                summary: Some(summary.clone()),
                signature: Some(old_signature.clone()),
                cached: true,
                kept: true,
                verified: Verified::default(),
            });
        }
    }
    let summary = get(
        fetcher,
        mirrors,
        "summary",
        known(kept.as_ref().map(|k| &k.0)),
    )
    .await?;
    let take = |answer, old: Option<Kept>| match answer {
        Answer::Body(new) => Some(new),
        Answer::NotModified => old,
        Answer::Missing => None,
    };
    let (old_summary, old_signature) = kept.unzip();
    Ok(SummaryFiles {
        cached: matches!(summary, Answer::NotModified),
        kept: false,
        verified: Verified::default(),
        summary: take(summary, old_summary),
        signature: take(signature, old_signature),
    })
}

/// Fetches the signature of a summary that is here, and checks both.
pub(crate) async fn with_signature(
    fetcher: &Fetcher,
    mirrors: &Mirrors,
    summary: Kept,
    signatures: &Signatures,
) -> Result<SummaryFiles, Error> {
    let signature = match get(fetcher, mirrors, "summary.sig", Validators::default()).await? {
        Answer::Body(kept) => Some(kept),
        Answer::NotModified | Answer::Missing => None,
    };
    let mut files = SummaryFiles {
        summary: Some(summary),
        signature,
        cached: false,
        kept: false,
        verified: Verified::default(),
    };
    check(signatures, &mut files)?;
    Ok(files)
}

enum Answer {
    Body(Kept),
    NotModified,
    Missing,
}

async fn get(
    fetcher: &Fetcher,
    mirrors: &Mirrors,
    path: &str,
    validators: Validators,
) -> Result<Answer, FetchError> {
    let mut bytes = Vec::new();
    let want = Want {
        validators,
        ..Want::small(mirrors, path)
    };
    match fetcher.fetch(&want, &mut bytes).await {
        Ok(Fetched::Body(validators)) => Ok(Answer::Body(Kept { bytes, validators })),
        Ok(Fetched::NotModified) => Ok(Answer::NotModified),
        Err(e) if e.is_not_found() => Ok(Answer::Missing),
        Err(e) => Err(e),
    }
}

/// A remote's summary, as served.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RemoteSummary {
    /// The bytes of the summary: the normal form of `(a(s(taya{sv}))a{sv})`, every name in it valid.
    pub bytes: Vec<u8>,
    /// The bytes of `summary.sig`, if there is one: `a{sv}`, checked as far as the remote demands that.
    pub signature: Option<Vec<u8>>,
    /// What was found out about the signatures that the remote demands.
    pub verified: Verified,
}

/// Fetches the summary of a remote, or proves that the cached one is current; none if the server has none.
///
/// Of `options`, only those about fetching and caching matter. Blocks.
///
/// # Errors
/// The first thing that went wrong; a remote that demands a signed summary is refused as in a pull.
pub fn fetch_remote_summary(
    repo: &Repo,
    remote: &Remote,
    options: &PullOptions,
) -> Result<Option<RemoteSummary>, Error> {
    let settings = FetchSettings {
        compressed: true,
        ..crate::pull::fetch_settings(repo, remote, options)?
    };
    let fetcher = Fetcher::new(settings, Default::default())?;
    let cache = crate::pull::summary_cache(repo, remote.name(), options)?;
    let signatures = Signatures::of(repo, remote, &options.trust)?;
    let runtime = crate::pull::runtime()?;
    let fetched = runtime.block_on(async {
        let (base, found) = crate::resolve::base(&fetcher, remote, options.url.as_deref()).await?;
        let files = match found {
            Some(summary) => with_signature(&fetcher, &base, summary, &signatures).await?,
            None => fetch(&fetcher, &base, cache.as_ref(), &signatures, false).await?,
        };
        Ok::<_, Error>((files, base.bases()[0].join("summary")))
    });
    runtime.shutdown_background();
    let (files, url) = fetched.map_err(to_list)?;
    let Some(summary) = files.summary else {
        return Ok(None);
    };
    decode(&summary.bytes, &url)?;
    Ok(Some(RemoteSummary {
        bytes: summary.bytes,
        signature: files.signature.map(|kept| kept.bytes),
        verified: files.verified,
    }))
}

/// Reads a summary, checking every name in it.
pub(crate) fn decode(bytes: &[u8], url: &str) -> Result<Summary, Error> {
    let form = |cause: &dyn std::fmt::Display| {
        Error::Summary(SummaryProblem::Form {
            url: url.to_owned(),
            cause: cause.to_string(),
        })
    };
    let content = |cause: osier_object::Error| {
        Error::Summary(SummaryProblem::Content {
            url: url.to_owned(),
            cause: cause.to_string(),
        })
    };
    let summary = Summary::decode(bytes).map_err(|e| form(&e))?;
    let check = |refs: &[SummaryRef]| refs.iter().try_for_each(|r| validate_ref_name(&r.name));
    check(&summary.refs).map_err(content)?;
    for (collection, refs) in summary.collection_map().map_err(content)? {
        validate_collection_id(&collection).map_err(content)?;
        check(&refs).map_err(content)?;
    }
    if let Some(Value::Str(id)) = summary.metadata.get(key::COLLECTION_ID) {
        validate_collection_id(id).map_err(content)?;
    }
    Ok(summary)
}
