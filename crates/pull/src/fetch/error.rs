//! Why a request failed, in the words (and with the numbers) that the C tool's curl gives it.

use std::error::Error as StdError;
use std::io;

/// A request that failed for good, after its retries.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The server answered with an error status.
    #[error("While fetching {url}: Server returned HTTP {status}")]
    Status {
        /// The URL asked for.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// The connection, or what arrived on it, failed.
    #[error("While fetching {url}: [{code}] {text}")]
    Transport {
        /// The URL asked for.
        url: String,
        /// The number that curl has for this kind of failure.
        code: u16,
        /// curl's words for it, then ours for the cause.
        text: String,
    },
    /// The body is larger than it may be.
    #[error("URI {url} exceeded maximum size of {max} bytes")]
    TooLarge {
        /// The URL asked for.
        url: String,
        /// The limit.
        max: u64,
    },
    /// A base URL cannot be parsed.
    #[error("Invalid URI {url}: {cause}")]
    InvalidUrl {
        /// The text.
        url: String,
        /// What is wrong with it.
        cause: String,
    },
    /// A base URL has no scheme.
    #[error("URI is not absolute, and no base URI was provided")]
    RelativeUrl,
    /// A base URL is of a kind that cannot be fetched.
    #[error("Invalid URI scheme in {0}")]
    Scheme(String),
    /// The HTTP client cannot be set up as configured.
    #[error("{0}")]
    Setup(String),
    /// The pull was cancelled.
    #[error("Operation was cancelled")]
    Cancelled,
}

impl FetchError {
    /// Whether the server said that there is no such file, or that we may not see it.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(
            self,
            FetchError::Status {
                status: 403 | 404 | 410,
                ..
            }
        )
    }

    /// Whether another try may help. With `only_sure`, only failures that are always worth one.
    pub(super) fn is_retryable(&self, only_sure: bool) -> bool {
        match self {
            FetchError::Status {
                status: 408 | 500, ..
            } => true,
            FetchError::Status { .. } => !only_sure && !self.is_not_found(),
            FetchError::Transport { code, .. } => {
                !only_sure && !matches!(*code, TOO_MANY_REDIRECTS | UNSUPPORTED)
            }
            _ => false,
        }
    }

    pub(super) fn transport(url: &str, code: u16, detail: &str) -> FetchError {
        let words = match code {
            UNSUPPORTED => "Unsupported protocol",
            5 => "Could not resolve proxy name",
            RESOLVE => "Could not resolve hostname",
            CONNECT => "Could not connect to server",
            PARTIAL => "Transferred a partial file",
            TIMEOUT => "Timeout was reached",
            35 => "SSL connect error",
            READ => "Could not read a file:// file",
            TOO_MANY_REDIRECTS => "Number of redirects hit maximum amount",
            52 => "Server returned nothing (no headers, no data)",
            CODING => "Unrecognized or bad HTTP Content or Transfer-Encoding",
            60 => "SSL peer certificate or SSH remote key was not OK",
            _ => "Failure when receiving data from the peer",
        };
        let text = if detail.is_empty() {
            words.to_owned()
        } else {
            format!("{words}: {detail}")
        };
        FetchError::Transport {
            url: url.to_owned(),
            code,
            text,
        }
    }

    /// A failure of the client, told apart by what lies at the bottom of it.
    pub(super) fn from_client(url: &str, error: &reqwest::Error) -> FetchError {
        let detail = deepest(error);
        FetchError::transport(url, code_of(error), &detail)
    }
}

pub(super) const UNSUPPORTED: u16 = 1;
const RESOLVE: u16 = 6;
const CONNECT: u16 = 7;
const PARTIAL: u16 = 18;
pub(super) const READ: u16 = 37;
pub(super) const TIMEOUT: u16 = 28;
const TOO_MANY_REDIRECTS: u16 = 47;
pub(super) const CODING: u16 = 61;

/// Marks a redirect that leaves http and https.
#[derive(Debug, thiserror::Error)]
#[error("redirect to {0}")]
pub(super) struct ForeignRedirect(pub String);

fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(
        Some(error as &(dyn StdError + 'static)),
        |e: &&(dyn StdError + 'static)| (*e).source(),
    )
}

fn deepest(error: &reqwest::Error) -> String {
    chain(error)
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}

fn find<T: StdError + 'static>(error: &reqwest::Error) -> Option<&T> {
    chain(error).find_map(|e| e.downcast_ref::<T>())
}

/// An I/O error hides what it wraps from `source`, and may wrap another that does, so those are followed apart.
fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    let io_errors = chain(error).filter_map(|e| e.downcast_ref::<io::Error>());
    find::<rustls::Error>(error).or_else(|| {
        io_errors
            .flat_map(|e| {
                std::iter::successors(Some(e), |e| e.get_ref()?.downcast_ref::<io::Error>())
            })
            .find_map(|e| e.get_ref()?.downcast_ref::<rustls::Error>())
    })
}

fn code_of(error: &reqwest::Error) -> u16 {
    if error.is_redirect() {
        return if find::<ForeignRedirect>(error).is_some() {
            UNSUPPORTED
        } else {
            TOO_MANY_REDIRECTS
        };
    }
    if let Some(tls) = tls_error(error) {
        return if matches!(tls, rustls::Error::InvalidCertificate(_)) {
            60
        } else {
            35
        };
    }
    if error.is_timeout() {
        return TIMEOUT;
    }
    if error.is_connect() {
        // hyper-util names the step that failed only in the text of its error.
        let dns = chain(error).any(|e| e.to_string() == "dns error");
        return if dns { RESOLVE } else { CONNECT };
    }
    match find::<hyper::Error>(error) {
        Some(e) if e.is_incomplete_message() && error.is_request() => 52,
        Some(_) if error.is_body() || error.is_decode() => PARTIAL,
        _ => 56,
    }
}
