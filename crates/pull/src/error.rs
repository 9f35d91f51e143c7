//! What can go wrong in a pull.

use crate::fetch::FetchError;
use crate::remote::RemoteError;
use osier_object::{CommitId, ObjectName};

/// Why a pull failed. Nothing it fetched is lost, and no ref was changed.
///
/// Where scripts look for the words of the C tool, these are its words.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A request failed.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The remote is not configured so that it can be pulled from.
    #[error(transparent)]
    Remote(Box<RemoteError>),
    /// The repository could not be read or written.
    #[error(transparent)]
    Store(#[from] osier_store::Error),
    /// What the server sent is not what was asked for.
    #[error("While fetching {url}: {cause}")]
    Object {
        /// Where it came from.
        url: String,
        /// What is wrong with it.
        cause: Box<osier_store::Error>,
    },
    /// An object from a local repository is not what its name says.
    #[error("While importing from {path}: {cause}")]
    Import {
        /// The repository it came from.
        path: std::path::PathBuf,
        /// What is wrong.
        cause: Box<osier_store::Error>,
    },
    /// The repository on this machine that is pulled from lacks an object. The words are those of the C tool.
    #[error("Importing {name}: linkat: No such file or directory")]
    NotInSource {
        /// The object.
        name: ObjectName,
    },
    /// A commit is not acceptable.
    #[error("{}", commit_refused(.commit, .problem))]
    Commit {
        /// The commit.
        commit: CommitId,
        /// Why not.
        problem: CommitProblem,
    },
    /// The summary, or its signature, is not acceptable.
    #[error("{0}")]
    Summary(SummaryProblem),
    /// No refs were asked for, and none are configured.
    #[error("No configured branches for remote {0}")]
    NoBranches(String),
    /// Not the name of a ref.
    #[error("Invalid ref name {0}")]
    InvalidRef(String),
    /// Not a checksum.
    #[error("Invalid rev {0}")]
    InvalidRev(String),
    /// The file of a ref on the server holds something else than a checksum.
    #[error(
        "Fetching checksum for ref ({}, {name}): Invalid rev {}",
        .collection.as_deref().unwrap_or("(empty)"),
        shown(.text)
    )]
    RefContent {
        /// Collection the ref was asked of.
        collection: Option<String>,
        /// The ref.
        name: String,
        /// What the file begins with.
        text: String,
    },
    /// The summary does not list the ref.
    #[error("No such branch '{0}' in repository summary")]
    NotInSummary(String),
    /// Mirroring everything needs a list of everything.
    #[error(
        "Fetching all refs was requested in mirror mode, but remote repository does not have a summary"
    )]
    MirrorWithoutSummary,
    /// The server's repository is not of a kind that can be pulled from.
    #[error("Can't pull from archives with mode \"{}\"", shown(.0))]
    ServerMode(String),
    /// The server's `config` is unusable.
    #[error("{url}: {}", shown(&.cause.to_string()))]
    ServerConfig {
        /// Its URL.
        url: String,
        /// What is wrong.
        cause: Box<osier_keyfile::Error>,
    },
    /// No mirror of a list answers.
    #[error("No valid mirrors were found in mirrorlist '{0}'")]
    NoMirrors(String),
    /// A metalink is of no use.
    #[error(transparent)]
    Metalink(#[from] crate::MetalinkError),
    /// The summary of a mirror is not the one that the metalink describes.
    #[error("{0}")]
    MetalinkTarget(String),
    /// A mirror list is not text.
    #[error("mirrorlist '{0}' is not UTF-8")]
    MirrorlistText(String),
    /// The commit is older than what it would replace.
    #[error(
        "Upgrade target revision '{new}' with timestamp '{}' is chronologically older than current revision '{old}' \
         with timestamp '{}'; use --allow-downgrade to permit",
        crate::http_date::format_ctime(*.new_time),
        crate::http_date::format_ctime(*.old_time)
    )]
    Downgrade {
        /// The commit pulled.
        new: CommitId,
        /// Its timestamp.
        new_time: u64,
        /// The commit it is compared with.
        old: CommitId,
        /// Its timestamp.
        old_time: u64,
    },
    /// Static deltas were demanded.
    #[error("{0}")]
    StaticDeltas(String),
    /// A path to pull does not start at the root.
    #[error("Invalid subpath '{0}': it must be absolute")]
    Subpath(String),
    /// The pull was cancelled; what it fetched stays for the next one.
    #[error("Operation was cancelled")]
    Cancelled,
    /// A URL under which single objects were looked for.
    #[error("{url} is no archive repository: {cause}")]
    NotAnArchive {
        /// The URL.
        url: String,
        /// What is wrong.
        cause: String,
    },
    /// The local network could not be listened to.
    #[error(transparent)]
    Lan(#[from] crate::finder::lan::LanError),
    /// A pull from a remote that was found, of several refs.
    #[error(transparent)]
    Found(std::sync::Arc<Error>),
    /// The folder that summaries are to be kept in.
    #[error("opendir({}): {cause}", .path.display())]
    CacheDir {
        /// The folder, as given.
        path: std::path::PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// A thread or runtime could not be set up.
    #[error("{action}: {cause}")]
    System {
        /// What was being done.
        action: &'static str,
        /// What the system said.
        cause: std::io::Error,
    },
}

impl From<RemoteError> for Error {
    fn from(error: RemoteError) -> Error {
        Error::Remote(Box::new(error))
    }
}

/// Why a commit is not acceptable.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CommitProblem {
    /// It has no GPG signature, and the remote demands one.
    #[error(
        "GPG verification enabled, but no signatures found (use gpg-verify=false in remote config to disable)"
    )]
    NoGpgSignatures,
    /// None of its GPG signatures is valid; what is wrong with each.
    #[error("{0}")]
    GpgInvalid(String),
    /// It has no detached metadata, where its signatures would be.
    #[error("Can't verify commit without detached metadata")]
    NoDetachedMetadata,
    /// No type of the sign API that the remote demands has a valid signature; why.
    #[error("Can't verify commit: {0}")]
    SignInvalid(String),
    /// It was not made for this ref.
    #[error("Commit has no requested ref ‘{wanted}’ in ref binding metadata ({})", quoted(.bound))]
    RefBinding {
        /// The ref asked for.
        wanted: String,
        /// The refs it was made for.
        bound: Vec<String>,
    },
    /// It does not say which refs it was made for, and its collection demands that.
    #[error("Expected commit metadata to have ref binding information, found none")]
    NoRefBinding,
    /// It does not say which collection it was made for.
    #[error("Expected commit metadata to have collection ID binding information, found none")]
    NoCollectionBinding,
    /// It was made for another collection.
    #[error(
        "Commit has collection ID ‘{}’ in collection binding metadata, while the remote it came from has \
         collection ID ‘{wanted}’",
        shown(.bound)
    )]
    CollectionBinding {
        /// The collection of the remote.
        wanted: String,
        /// The collection it was made for.
        bound: String,
    },
    /// A key of its metadata has another type than it must have.
    #[error("metadata key {0} has an unexpected type")]
    MetadataType(&'static str),
}

/// The sign API names the commit in its own way.
fn commit_refused(commit: &CommitId, problem: &CommitProblem) -> String {
    match problem {
        CommitProblem::NoDetachedMetadata => {
            format!("Can't verify commit {commit} without detached metadata")
        }
        CommitProblem::SignInvalid(text) => format!("Can't verify commit {commit}: {text}"),
        problem => format!("Commit {commit}: {problem}"),
    }
}

fn quoted(names: &[String]) -> String {
    names
        .iter()
        .map(|name| format!("‘{}’", shown(name)))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Text that a server chose, fit for a message: short, on one line, and unable to command a terminal.
fn shown(text: &str) -> String {
    const MAX: usize = 200;
    let mut out = String::new();
    for (n, c) in text.chars().enumerate() {
        match c {
            _ if n == MAX => {
                out.push('…');
                break;
            }
            c if c.is_control() => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    out
}

/// Why a summary is not acceptable.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SummaryProblem {
    /// It is not the normal form of a summary.
    #[error("{url}: Not normal form: {}", shown(.cause))]
    Form {
        /// Where it came from.
        url: String,
        /// What is wrong.
        cause: String,
    },
    /// It holds a name or checksum that cannot be one.
    #[error("{url}: {}", shown(.cause))]
    Content {
        /// Where it came from.
        url: String,
        /// What is wrong.
        cause: String,
    },
    /// A signature is demanded, and there is nothing to sign.
    #[error(
        "{0} verification enabled, but no summary found (use {1}=false in remote config to disable)"
    )]
    Missing(&'static str, &'static str),
    /// A signature is demanded, and there is none.
    #[error(
        "{0} verification enabled, but no summary.sig found (use {1}=false in remote config to disable)"
    )]
    Unsigned(&'static str, &'static str),
    /// Both at once.
    #[error(
        "{0} verification enabled, but no summary.sig found (use {1}=false in remote config to disable)"
    )]
    Nothing(&'static str, &'static str),
    /// Only a summary was asked for, its signature is demanded, and there is none. Told in other words than in a pull.
    #[error(
        "{0} verification enabled, but no summary found (check that the configured URL in remote config is correct)"
    )]
    NoneToList(&'static str),
    /// Only a summary was asked for, and the signature that is demanded is not there.
    #[error(
        "{0} verification enabled, but no summary signatures found (use {1}=false in remote config to disable)"
    )]
    UnsignedToList(&'static str, &'static str),
    /// There are signatures, but no GPG signature, and the remote demands one.
    #[error(
        "GPG verification enabled, but no signatures found (use gpg-verify=false in remote config to disable)"
    )]
    NoGpgSignatures,
    /// None of its GPG signatures is valid; what is wrong with each.
    #[error("{0}")]
    GpgInvalid(String),
    /// The cached one is not valid, and it is not to be fetched anew.
    #[error("OSTREE_REPO_TEST_ERROR_INVALID_CACHE")]
    InvalidCache,
    /// No type of the sign API that the remote demands has a valid signature; why.
    #[error("{0}")]
    SignInvalid(String),
}
