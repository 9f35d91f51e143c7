//! One request to one answer.

use crate::body::Answer;
use crate::conditions::{self, Verdict};
use crate::files::{self, Content, Found, NotFound};
use crate::log::{AccessLog, Record};
use crate::range::{self, Part};
use crate::wanted::Wanted;
use bytes::Bytes;
use hyper::header::{
    ACCEPT_RANGES, ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    HeaderMap, HeaderName, HeaderValue, LAST_MODIFIED, RANGE, SERVER, USER_AGENT,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode};
use osier_store::Repo;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What is said of the program in answers.
const NAME: &str = concat!("osier/", env!("CARGO_PKG_VERSION"));

/// Answers a request. Never fails: what goes wrong is an answer, too.
pub(crate) async fn answer<B>(
    repo: &Arc<Repo>,
    places: &Arc<Semaphore>,
    request: &Request<B>,
    peer: SocketAddr,
    log: Arc<dyn AccessLog>,
) -> Response<Answer> {
    let mut record = record(request, peer);
    let head_only = request.method() == Method::HEAD;
    if !head_only && request.method() != Method::GET {
        let mut refused = text(StatusCode::METHOD_NOT_ALLOWED, record, log, false);
        let methods = HeaderValue::from_static("GET, HEAD");
        refused.headers_mut().insert(ALLOW, methods);
        return refused;
    }
    let Some(wanted) = Wanted::parse(request.uri().path()) else {
        return text(StatusCode::NOT_FOUND, record, log, head_only);
    };
    let place = match files::is_made(repo, &wanted) {
        true => Arc::clone(places).acquire_owned().await.ok(),
        false => None,
    };
    let found = {
        let (repo, wanted) = (Arc::clone(repo), wanted.clone());
        tokio::task::spawn_blocking(move || files::find(&repo, &wanted)).await
    };
    let status = match found {
        Ok(Ok(found)) => return serve(repo, &wanted, found, place, request, record, log),
        Ok(Err(NotFound::Missing)) => StatusCode::NOT_FOUND,
        Ok(Err(NotFound::Forbidden)) => StatusCode::FORBIDDEN,
        Ok(Err(NotFound::Failed(cause))) => {
            record.failure = Some(cause.to_string());
            StatusCode::INTERNAL_SERVER_ERROR
        }
        Err(cause) => {
            record.failure = Some(cause.to_string());
            StatusCode::INTERNAL_SERVER_ERROR
        }
    };
    text(status, record, log, head_only)
}

fn serve<B>(
    repo: &Arc<Repo>,
    wanted: &Wanted,
    found: Found,
    place: Option<OwnedSemaphorePermit>,
    request: &Request<B>,
    mut record: Record,
    log: Arc<dyn AccessLog>,
) -> Response<Answer> {
    let Found {
        version,
        size,
        content,
    } = found;
    let head_only = request.method() == Method::HEAD;
    let mut headers = HeaderMap::new();
    insert(&mut headers, ETAG, &version.etag);
    insert(
        &mut headers,
        LAST_MODIFIED,
        &httpdate::fmt_http_date(version.modified),
    );
    insert(
        &mut headers,
        CACHE_CONTROL,
        match wanted.is_immutable() {
            true => "public, max-age=31536000, immutable",
            // To be asked for again each time, which costs a 304.
            false => "no-cache",
        },
    );
    match conditions::check(request.headers(), &version) {
        Verdict::Send => {}
        Verdict::NotModified => {
            record.status = StatusCode::NOT_MODIFIED.as_u16();
            let body = Answer::empty(record, log);
            return response(StatusCode::NOT_MODIFIED, headers, body);
        }
        Verdict::Failed => return text(StatusCode::PRECONDITION_FAILED, record, log, head_only),
    }
    insert(&mut headers, CONTENT_TYPE, content_type(wanted));
    if let Content::Made(id) = content {
        record.status = StatusCode::OK.as_u16();
        let body = match head_only {
            true => Answer::empty(record, log),
            false => Answer::of_made(Arc::clone(repo), id, record, log).holding(place),
        };
        return response(StatusCode::OK, headers, body);
    }
    insert(&mut headers, ACCEPT_RANGES, "bytes");
    let part = match request.headers().get(RANGE).map(HeaderValue::to_str) {
        Some(Ok(range)) if !head_only && conditions::range_holds(request.headers(), &version) => {
            range::parse(range, size)
        }
        _ => Part::Whole,
    };
    let (status, from, to) = match part {
        Part::Whole => (StatusCode::OK, 0, size),
        Part::Bytes(from, to) => {
            let range = format!("bytes {from}-{}/{size}", to - 1);
            insert(&mut headers, CONTENT_RANGE, &range);
            (StatusCode::PARTIAL_CONTENT, from, to)
        }
        Part::Unsatisfiable => {
            let mut refused = text(StatusCode::RANGE_NOT_SATISFIABLE, record, log, head_only);
            let range = format!("bytes */{size}");
            insert(refused.headers_mut(), CONTENT_RANGE, &range);
            return refused;
        }
    };
    record.status = status.as_u16();
    insert(&mut headers, CONTENT_LENGTH, &(to - from).to_string());
    let body = match content {
        _ if head_only => Answer::empty(record, log),
        Content::Bytes(bytes) => {
            // Offsets into what is in memory.
            let bytes = Bytes::from(bytes).slice(from as usize..to as usize);
            Answer::of_bytes(bytes, record, log).holding(place)
        }
        // Answered above.
        Content::Made(_) => Answer::empty(record, log),
        Content::File(file) => Answer::of_file(file, from, to, record, log),
    };
    response(status, headers, body)
}

fn content_type(wanted: &Wanted) -> &'static str {
    match wanted {
        Wanted::Config | Wanted::Ref(_) => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// An answer that only says what its status means.
fn text(
    status: StatusCode,
    mut record: Record,
    log: Arc<dyn AccessLog>,
    head_only: bool,
) -> Response<Answer> {
    record.status = status.as_u16();
    let words = format!("{}\n", status.canonical_reason().unwrap_or("Error"));
    let mut headers = HeaderMap::new();
    insert(&mut headers, CONTENT_TYPE, "text/plain; charset=utf-8");
    insert(&mut headers, CONTENT_LENGTH, &words.len().to_string());
    let body = match head_only {
        true => Answer::empty(record, log),
        false => Answer::of_bytes(words.into(), record, log),
    };
    response(status, headers, body)
}

fn response(status: StatusCode, headers: HeaderMap, body: Answer) -> Response<Answer> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    insert(response.headers_mut(), SERVER, NAME);
    // Nothing in a repository is for a browser to guess at.
    insert(response.headers_mut(), X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // All values are made here, of plain ASCII.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn record<B>(request: &Request<B>, peer: SocketAddr) -> Record {
    let agent = request
        .headers()
        .get(USER_AGENT)
        .and_then(|agent| agent.to_str().ok())
        .unwrap_or_default();
    Record {
        peer,
        method: request.method().to_string(),
        target: request
            .uri()
            .path_and_query()
            .map_or_else(|| request.uri().to_string(), ToString::to_string),
        status: 0,
        bytes: 0,
        agent: agent
            .chars()
            .filter(|c| !c.is_control() && *c != '"')
            .take(200)
            .collect(),
        failure: None,
    }
}
