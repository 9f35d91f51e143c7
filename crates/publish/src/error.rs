//! Why a push fails.

use osier_object::CommitId;

/// Result of a push.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of a push. The text names the action, what it was done to, and the cause; [`Error::hint`] what may help.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A local repository: the source, or the destination of a receiver.
    #[error(transparent)]
    Store(#[from] osier_store::Error),
    /// The destination cannot be read.
    #[error("Invalid destination '{text}': {cause}")]
    Destination {
        /// As it was given.
        text: String,
        /// Why.
        cause: String,
    },
    /// An object store refuses, or cannot be reached.
    #[error("{action}: {}", store_text(.source))]
    Bucket {
        /// What was being done, and to what.
        action: String,
        /// The cause.
        #[source]
        source: Box<object_store::Error>,
    },
    /// The destination holds a repository that clients cannot pull from.
    #[error(
        "Cannot push to {destination}: its mode is {mode}, and clients pull from archive repositories only"
    )]
    Mode {
        /// The destination.
        destination: String,
        /// Its mode.
        mode: String,
    },
    /// A ref of the destination would lose a commit.
    #[error(
        "Cannot move {name} at the destination from {there} to {ours}: it does not lead to the former"
    )]
    NotFastForward {
        /// The ref.
        name: String,
        /// Where it is.
        there: CommitId,
        /// Where it would go.
        ours: CommitId,
    },
    /// Somebody else moved a ref of the destination.
    #[error("Cannot move {name} at the destination: another push moved it meanwhile")]
    Moved {
        /// The ref.
        name: String,
    },
    /// A commit is not whole here.
    #[error("Cannot push commit {0}: it is partial, some of its objects are not here")]
    Partial(CommitId),
    /// The signed summary of the destination cannot be made anew.
    #[error(
        "Cannot update the summary of {destination}: it is signed, and the local summary, which could take its place, lists other refs than the destination will have"
    )]
    SignedSummary {
        /// The destination.
        destination: String,
    },
    /// The other side of a connection.
    #[error("{host}: {text}")]
    Remote {
        /// Whom it was talked to.
        host: String,
        /// What went wrong there.
        text: String,
    },
    /// The other side sent what it may not.
    #[error("{action}: {cause}")]
    Protocol {
        /// What was being read.
        action: &'static str,
        /// What is wrong.
        cause: String,
    },
    /// Anything else, with what was being done in front.
    #[error("{action}: {source}")]
    Io {
        /// What was being done.
        action: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A complete sentence.
    #[error("{0}")]
    Other(String),
}

/// The cause of an object store's error without the layers around it.
fn store_text(error: &object_store::Error) -> String {
    // Some are documents of several lines.
    let text = error.to_string();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

const NO_CREDENTIALS: &str = "credentials are taken from the environment: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, \
                              GOOGLE_SERVICE_ACCOUNT, or AZURE_STORAGE_ACCOUNT_KEY";

impl Error {
    /// What may help, for a line of its own.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Error::NotFastForward { .. } => {
                "commit on top of what the destination has, or push with --force to drop it".into()
            }
            Error::Moved { .. } => "push again".into(),
            Error::Partial(_) => "pull it whole first".into(),
            Error::SignedSummary { .. } => {
                "sign a summary of all refs here (`ostree summary --update --gpg-sign=KEY`) and push all refs, or push with \
                 --unsigned-summary"
                    .into()
            }
            // Where instances of a data centre are given credentials: asked for want of any.
            Error::Bucket { source, .. } if source.to_string().contains("//169.254.") => {
                NO_CREDENTIALS.into()
            }
            Error::Bucket { source, .. } => match &**source {
                object_store::Error::Unauthenticated { .. }
                | object_store::Error::PermissionDenied { .. } => {
                    "see whether the credentials in the environment may do that".into()
                }
                object_store::Error::NotFound { .. } => "the bucket must exist already".into(),
                _ => return None,
            },
            _ => return None,
        })
    }

    pub(crate) fn bucket(action: impl Into<String>) -> impl FnOnce(object_store::Error) -> Error {
        let action = action.into();
        move |source| Error::Bucket {
            action,
            source: Box::new(source),
        }
    }

    pub(crate) fn io(action: impl Into<String>) -> impl FnOnce(std::io::Error) -> Error {
        let action = action.into();
        move |source| Error::Io { action, source }
    }
}
