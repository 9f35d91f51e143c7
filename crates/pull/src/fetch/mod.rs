//! Fetching files over HTTP: mirrors, retries, limits. Everything here is asynchronous; `pull` is not.

mod client;
mod error;
mod gzip;
mod meter;
mod mirrors;
mod resume;
mod tls;
mod validity;

pub use client::{FetchSettings, Proxies, USER_AGENT};
pub use error::FetchError;
pub(crate) use mirrors::parse_mirrorlist;
pub use mirrors::{BaseUrl, Mirrors};
pub(crate) use resume::{Head, Resume};
pub use tls::Tls;

use crate::progress::Counters;
use gzip::Unpacker;
use meter::Meter;
use reqwest::header::{
    COOKIE, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LOCATION,
};
use reqwest::{Client, Response, StatusCode, Url};
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

/// The largest metadata object, summary, config or ref that is accepted.
pub(crate) const MAX_METADATA: u64 = 128 << 20;

/// What is read of the body of an error answer, so that its connection can be used again.
const MAX_ERROR_BODY: u64 = 64 << 10;

/// Bytes that a try must bring so that it does not count as one of the few that may fail.
const PROGRESS: u64 = 1 << 20;

/// What the server was told about the copy that we have.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Validators {
    pub etag: Option<String>,
    /// As an HTTP date.
    pub modified: Option<String>,
}

/// One thing to fetch.
pub(crate) struct Want<'a> {
    pub mirrors: &'a Mirrors,
    /// Below the base URL.
    pub path: &'a str,
    pub max_size: Option<u64>,
    pub validators: Validators,
}

impl<'a> Want<'a> {
    /// Something that is read into memory.
    pub fn small(mirrors: &'a Mirrors, path: &'a str) -> Want<'a> {
        Want {
            mirrors,
            path,
            max_size: Some(MAX_METADATA),
            validators: Validators::default(),
        }
    }
}

/// Where a body goes, chunk by chunk. A retry starts it anew, or goes on where it broke off.
pub(crate) trait Sink {
    /// A body starts; whatever came before is void.
    fn begin(&mut self, head: &Head);
    /// Where the body broke off, if what came of it can be used.
    fn broken_off(&self) -> Option<Resume> {
        None
    }
    /// The rest of the body follows; false when it turns out to be of no use.
    async fn go_on(&mut self) -> bool {
        false
    }
    /// The next chunk; false when no more of the body is wanted.
    async fn chunk(&mut self, chunk: Chunk) -> bool;
}

/// A piece of a body; its memory is shared, not copied.
pub(crate) type Chunk = bytes::Bytes;

impl Sink for Vec<u8> {
    fn begin(&mut self, _: &Head) {
        self.clear();
    }

    async fn chunk(&mut self, chunk: Chunk) -> bool {
        self.extend_from_slice(&chunk);
        true
    }
}

/// How a fetch that did not fail ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Fetched {
    /// The body is in the sink; these are its validators.
    Body(Validators),
    /// The server confirms the copy that we have.
    NotModified,
}

/// An HTTP client with the settings of one remote.
#[derive(Clone)]
pub(crate) struct Fetcher {
    client: Client,
    settings: Arc<FetchSettings>,
    counters: Arc<Counters>,
}

impl Fetcher {
    pub fn new(settings: FetchSettings, counters: Arc<Counters>) -> Result<Fetcher, FetchError> {
        Ok(Fetcher {
            client: client::build(&settings)?,
            settings: Arc::new(settings),
            counters,
        })
    }

    pub fn concurrency(&self) -> Option<usize> {
        self.settings.concurrency
    }

    /// Reads a whole file into memory; none if the server has no such file.
    pub async fn get(&self, mirrors: &Mirrors, path: &str) -> Result<Option<Vec<u8>>, FetchError> {
        let mut body = Vec::new();
        match self.fetch(&Want::small(mirrors, path), &mut body).await {
            Ok(_) => Ok(Some(body)),
            Err(e) if e.is_not_found() => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Fetches into `sink`, trying again as the settings say.
    pub async fn fetch<S: Sink>(
        &self,
        want: &Want<'_>,
        sink: &mut S,
    ) -> Result<Fetched, FetchError> {
        let mut tries = 0;
        let mut reached = 0;
        loop {
            let tried = self.over_mirrors(want, sink).await;
            // A try that brought the body a good way on is not one of those that may fail.
            let now = sink.broken_off().map_or(0, |resume| resume.from);
            if now >= reached + PROGRESS {
                (tries, reached) = (0, now);
            }
            match tried {
                Err(e)
                    if tries < self.settings.retries
                        && e.is_retryable(self.settings.only_sure_retries) =>
                {
                    tracing::debug!(error = %e, tries, "retrying");
                    self.counters.repeat();
                    // A server that is overloaded is given a moment; a connection that broke is made anew at once.
                    if matches!(e, FetchError::Status { .. }) && tries > 0 {
                        tokio::time::sleep(Duration::from_millis(50 << tries.min(6))).await;
                    }
                    tries += 1;
                }
                done => return done,
            }
        }
    }

    /// A status that is no success moves on to the next mirror; a failure of the network does not.
    async fn over_mirrors<S: Sink>(
        &self,
        want: &Want<'_>,
        sink: &mut S,
    ) -> Result<Fetched, FetchError> {
        let mut last = None;
        for base in want.mirrors.bases() {
            match self.once(&base.join(want.path), want, sink).await {
                Err(e @ FetchError::Status { .. }) => last = Some(e),
                done => return done,
            }
        }
        Err(last.unwrap_or_else(|| FetchError::Setup("no base URL".to_owned())))
    }

    async fn once<S: Sink>(
        &self,
        text: &str,
        want: &Want<'_>,
        sink: &mut S,
    ) -> Result<Fetched, FetchError> {
        let url = Url::parse(text).map_err(|e| FetchError::InvalidUrl {
            url: text.to_owned(),
            cause: e.to_string(),
        })?;
        if url.scheme() == "file" {
            return local(&url, text, want, sink, &self.counters).await;
        }
        let mut request = self.client.get(url.clone());
        if let Some(cookies) = self.cookies(&url) {
            request = request.header(COOKIE, cookies);
        }
        if let Some(etag) = &want.validators.etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        if let Some(date) = &want.validators.modified {
            request = request.header(IF_MODIFIED_SINCE, date);
        }
        let mut resume = sink.broken_off();
        let mut meter = Meter::new(self.settings.low_speed_limit, self.settings.low_speed_time);
        let slow = |limit| {
            FetchError::transport(
                text,
                error::TIMEOUT,
                &format!("less than {limit} bytes a second for too long"),
            )
        };
        let mut response = loop {
            let request = match (&resume, request.try_clone()) {
                (Some(resume), Some(request)) => resume.ask(request),
                (None, Some(request)) => request,
                (_, None) => return Err(FetchError::Setup("a request has a body".to_owned())),
            };
            let sent = meter
                .wait(request.send())
                .await
                .map_err(|_| slow(self.settings.low_speed_limit))?;
            let mut response = sent.map_err(|e| FetchError::from_client(text, &e))?;
            tracing::debug!(url = text, status = response.status().as_u16(), "answered");
            let answer = resume.as_ref().map(|resume| resume.answer(&response));
            match answer {
                Some(resume::Answer::Rest) if sink.go_on().await => break response,
                Some(resume::Answer::Rest | resume::Answer::Useless) => {
                    resume = None;
                    self.drain(&mut response, &mut meter, want, text).await?;
                }
                Some(resume::Answer::Other) => {
                    resume = None;
                    break response;
                }
                None => break response,
            }
        };
        match response.status() {
            StatusCode::NOT_MODIFIED => return Ok(Fetched::NotModified),
            status if status.is_success() => {}
            status if status.is_redirection() && foreign_redirect(&response).is_some() => {
                let to = foreign_redirect(&response).unwrap_or_default();
                return Err(FetchError::transport(
                    text,
                    error::UNSUPPORTED,
                    &format!("redirect to {to}"),
                ));
            }
            status => {
                self.drain(&mut response, &mut meter, want, text).await?;
                return Err(FetchError::Status {
                    url: text.to_owned(),
                    status: status.as_u16(),
                });
            }
        }
        let validators = validators(response.headers());
        let mut size: u64 = match &resume {
            Some(resume) => resume.from,
            None => {
                sink.begin(&Head::of(response.headers(), validators.clone()));
                0
            }
        };
        let mut unpacker = Unpacker::of(response.headers());
        let packed_wrongly =
            |e: std::io::Error| FetchError::transport(text, error::CODING, &e.to_string());
        'body: loop {
            let next = meter
                .wait(response.chunk())
                .await
                .map_err(|_| slow(self.settings.low_speed_limit))?;
            let Some(chunk) = next.map_err(|e| FetchError::from_client(text, &e))? else {
                unpacker.end().map_err(packed_wrongly)?;
                break;
            };
            meter.received(chunk.len());
            self.counters.received(chunk.len());
            for piece in unpacker.pieces(&chunk) {
                let chunk = unpacker.unpack(piece).map_err(packed_wrongly)?;
                size += chunk.len() as u64;
                if let Some(max) = want.max_size.filter(|max| size > *max) {
                    return Err(FetchError::TooLarge {
                        url: text.to_owned(),
                        max,
                    });
                }
                if !sink.chunk(chunk).await {
                    break 'body;
                }
            }
        }
        Ok(Fetched::Body(validators))
    }

    /// Reads the body of an error answer, up to a limit, so that the connection stays usable.
    async fn drain(
        &self,
        response: &mut Response,
        meter: &mut Meter,
        want: &Want<'_>,
        url: &str,
    ) -> Result<(), FetchError> {
        let mut size: u64 = 0;
        while let Ok(Ok(Some(chunk))) = meter.wait(response.chunk()).await {
            self.counters.received(chunk.len());
            size += chunk.len() as u64;
            if let Some(max) = want.max_size.filter(|max| size > *max) {
                return Err(FetchError::TooLarge {
                    url: url.to_owned(),
                    max,
                });
            }
            if size > MAX_ERROR_BODY {
                break;
            }
        }
        Ok(())
    }

    fn cookies(&self, url: &Url) -> Option<String> {
        let host = url.host_str()?;
        self.settings.cookies.as_ref()?.header(
            url.scheme() == "https",
            host,
            url.path(),
            self.settings.now,
        )
    }
}

/// Reads a file of this machine as if it were served: what is no regular file is not there.
async fn local<S: Sink>(
    url: &Url,
    text: &str,
    want: &Want<'_>,
    sink: &mut S,
    counters: &Counters,
) -> Result<Fetched, FetchError> {
    const CHUNK: u64 = 256 << 10;
    let failed = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::NotFound => FetchError::Status {
            url: text.to_owned(),
            status: 404,
        },
        std::io::ErrorKind::PermissionDenied => FetchError::Status {
            url: text.to_owned(),
            status: 403,
        },
        _ => FetchError::transport(text, error::READ, &e.to_string()),
    };
    let path = url
        .to_file_path()
        .map_err(|()| FetchError::Scheme(text.to_owned()))?;
    // A FIFO must not make us wait.
    let flags =
        rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC | rustix::fs::OFlags::NONBLOCK;
    let fd =
        rustix::fs::open(&path, flags, rustix::fs::Mode::empty()).map_err(|e| failed(e.into()))?;
    let mut file = std::fs::File::from(fd);
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(FetchError::Status {
            url: text.to_owned(),
            status: 404,
        });
    }
    sink.begin(&Head::default());
    let mut size: u64 = 0;
    loop {
        let mut chunk = Vec::new();
        Read::by_ref(&mut file)
            .take(CHUNK)
            .read_to_end(&mut chunk)
            .map_err(failed)?;
        size += chunk.len() as u64;
        counters.received(chunk.len());
        if let Some(max) = want.max_size.filter(|max| size > *max) {
            return Err(FetchError::TooLarge {
                url: text.to_owned(),
                max,
            });
        }
        if chunk.is_empty() || !sink.chunk(chunk.into()).await {
            return Ok(Fetched::Body(Validators::default()));
        }
    }
}

/// The target of a redirect that the client left alone because it cannot be asked over HTTP.
fn foreign_redirect(response: &Response) -> Option<String> {
    let to = response.headers().get(LOCATION)?.to_str().ok()?;
    let url = response.url().join(to).ok()?;
    (!matches!(url.scheme(), "http" | "https")).then(|| url.to_string())
}

fn validators(headers: &HeaderMap) -> Validators {
    let get = |name: HeaderName| Some(headers.get(name)?.to_str().ok()?.to_owned());
    Validators {
        etag: get(ETAG),
        modified: get(LAST_MODIFIED),
    }
}

#[cfg(test)]
mod tests;
