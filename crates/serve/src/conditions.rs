//! Conditional requests: whether the client has what it asks for, or asks for what is no longer there.

use hyper::header::{
    HeaderMap, HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    IF_UNMODIFIED_SINCE,
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What tells versions of a file apart.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Version {
    /// With its quotes.
    pub(crate) etag: String,
    /// In whole seconds.
    pub(crate) modified: SystemTime,
}

/// What the conditions of a request come to.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    /// Send it.
    Send,
    /// The client has it: 304.
    NotModified,
    /// The client wanted another version: 412.
    Failed,
}

/// In the order that the standard gives: a condition on tags makes the one on dates void.
pub(crate) fn check(headers: &HeaderMap, version: &Version) -> Verdict {
    if headers.contains_key(IF_MATCH) {
        if !names(headers, IF_MATCH, &version.etag, false) {
            return Verdict::Failed;
        }
    } else if let Some(date) = date(headers, IF_UNMODIFIED_SINCE)
        && version.modified > date
    {
        return Verdict::Failed;
    }
    if headers.contains_key(IF_NONE_MATCH) {
        if names(headers, IF_NONE_MATCH, &version.etag, true) {
            return Verdict::NotModified;
        }
    } else if let Some(date) = date(headers, IF_MODIFIED_SINCE)
        && version.modified <= date
    {
        return Verdict::NotModified;
    }
    Verdict::Send
}

/// Whether a range is of the version that the client has the start of.
pub(crate) fn range_holds(headers: &HeaderMap, version: &Version) -> bool {
    let Some(value) = headers.get(IF_RANGE) else {
        return true;
    };
    let Ok(value) = value.to_str() else {
        return false;
    };
    value.trim() == version.etag || parse_date(value).is_some_and(|d| d == version.modified)
}

/// Whether a list of tags has this one. A weak tag names no exact bytes, so it counts only where `weak` says so.
fn names(headers: &HeaderMap, header: HeaderName, etag: &str, weak: bool) -> bool {
    headers.get_all(header).iter().any(|value| {
        value.to_str().is_ok_and(|list| {
            list.split(',').map(str::trim).any(|tag| {
                tag == "*" || tag == etag || (weak && tag.strip_prefix("W/") == Some(etag))
            })
        })
    })
}

fn date(headers: &HeaderMap, header: HeaderName) -> Option<SystemTime> {
    parse_date(headers.get(header)?.to_str().ok()?)
}

/// A date as the standard has it; or with `UTC` at its end, as the C tool sends it.
fn parse_date(text: &str) -> Option<SystemTime> {
    let text = text.trim();
    match text.strip_suffix(" UTC") {
        Some(rest) => httpdate::parse_http_date(&format!("{rest} GMT")).ok(),
        None => httpdate::parse_http_date(text).ok(),
    }
}

/// A file's time in the whole seconds that headers can tell.
pub(crate) fn whole_seconds(seconds: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn verdict(headers: &[(HeaderName, &str)]) -> Verdict {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        check(
            &map,
            &Version {
                etag: "\"a\"".into(),
                modified: whole_seconds(1_795_349_236),
            },
        )
    }

    #[test]
    fn verdicts() {
        let same = "Sun, 22 Nov 2026 12:07:16 GMT";
        let of_c = "Sun, 22 Nov 2026 12:07:16 UTC";
        let before = "Sun, 22 Nov 2026 12:07:15 GMT";
        for (headers, expected) in [
            (vec![], Verdict::Send),
            (vec![(IF_NONE_MATCH, "\"a\"")], Verdict::NotModified),
            (
                vec![(IF_NONE_MATCH, "\"b\", W/\"a\"")],
                Verdict::NotModified,
            ),
            (vec![(IF_NONE_MATCH, "*")], Verdict::NotModified),
            (vec![(IF_NONE_MATCH, "\"b\"")], Verdict::Send),
            (vec![(IF_MODIFIED_SINCE, same)], Verdict::NotModified),
            (vec![(IF_MODIFIED_SINCE, of_c)], Verdict::NotModified),
            (vec![(IF_MODIFIED_SINCE, before)], Verdict::Send),
            (vec![(IF_MODIFIED_SINCE, "yesterday")], Verdict::Send),
            (
                vec![(IF_NONE_MATCH, "\"b\""), (IF_MODIFIED_SINCE, same)],
                Verdict::Send,
            ),
            (vec![(IF_MATCH, "\"a\"")], Verdict::Send),
            (vec![(IF_MATCH, "W/\"a\"")], Verdict::Failed),
            (vec![(IF_UNMODIFIED_SINCE, before)], Verdict::Failed),
            (vec![(IF_UNMODIFIED_SINCE, same)], Verdict::Send),
        ] {
            assert_eq!(verdict(&headers), expected, "{headers:?}");
        }
    }
}
