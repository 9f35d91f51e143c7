//! Answering from files: type, length, validators, ranges.

use super::request::{Body, Outgoing, Request};
use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

pub(super) fn answer(root: &Path, request: &Request) -> Outgoing {
    if request.method != "GET" && request.method != "HEAD" {
        return Outgoing::bytes(405, b"method not allowed\n".to_vec());
    }
    let missing = || Outgoing::bytes(404, b"not found\n".to_vec());
    let path = request.path.split('?').next().unwrap_or("");
    let Some(path) = below(root, path) else {
        return missing();
    };
    let Ok(mut file) = File::open(&path) else {
        return missing();
    };
    let Ok(meta) = file.metadata() else {
        return missing();
    };
    if !meta.is_file() {
        return missing();
    }
    let etag = format!(
        "\"{:x}-{:x}-{:x}\"",
        meta.ino(),
        meta.mtime(),
        meta.mtime_nsec()
    );
    let modified = http_date(meta.mtime());
    let fresh = match (
        request.header("if-none-match"),
        request.header("if-modified-since"),
    ) {
        (Some(tags), _) => tags.split(',').any(|t| t.trim() == etag || t.trim() == "*"),
        // As most static servers do, an unchanged date is compared as text.
        (None, Some(since)) => since.replace("UTC", "GMT") == modified,
        (None, None) => false,
    };
    let validated = |out: Outgoing| {
        out.with("etag", &etag)
            .with("last-modified", &modified)
            .with("accept-ranges", "bytes")
    };
    if fresh {
        return validated(Outgoing::bytes(304, vec![]));
    }
    let size = meta.len();
    let Some((from, to)) = request.header("range").and_then(|r| range(r, size)) else {
        return validated(Outgoing::new(200, Body::File(file, size)));
    };
    if from >= size || file.seek(SeekFrom::Start(from)).is_err() {
        return Outgoing::bytes(416, vec![]).with("content-range", &format!("bytes */{size}"));
    }
    let out = Outgoing::new(206, Body::File(file, to - from + 1));
    validated(out.with("content-range", &format!("bytes {from}-{to}/{size}")))
}

/// The file a URL path names; none if it would leave the root.
fn below(root: &Path, path: &str) -> Option<PathBuf> {
    let path = percent_decode(path)?;
    let path = Path::new(&path);
    if path.as_os_str().is_empty()
        || !path
            .components()
            .all(|c| matches!(c, Component::Normal(_) | Component::CurDir))
    {
        return None;
    }
    Some(root.join(path))
}

fn percent_decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        if b == b'%' {
            let pair = [bytes.next()?, bytes.next()?];
            out.push(u8::from_str_radix(std::str::from_utf8(&pair).ok()?, 16).ok()?);
        } else {
            out.push(b);
        }
    }
    String::from_utf8(out).ok()
}

/// First and last byte of a single-range header.
fn range(header: &str, size: u64) -> Option<(u64, u64)> {
    let (from, to) = header.strip_prefix("bytes=")?.split_once('-')?;
    let last = size.saturating_sub(1);
    match (from, to) {
        ("", n) => Some((size.saturating_sub(n.parse().ok()?), last)),
        (from, "") => Some((from.parse().ok()?, last)),
        (from, to) => {
            let (from, to) = (from.parse().ok()?, to.parse::<u64>().ok()?.min(last));
            (from <= to || from >= size).then_some((from, to))
        }
    }
}

/// RFC 9110 `IMF-fixdate` of seconds since the epoch.
fn http_date(secs: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (days, rest) = (secs.div_euclid(86400), secs.rem_euclid(86400));
    // Civil date from a day count; March-based years, as leap days then come last.
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    let name = |list: &[&'static str], at: i64| {
        usize::try_from(at)
            .ok()
            .and_then(|i| list.get(i).copied())
            .unwrap_or("")
    };
    format!(
        "{}, {day:02} {} {year} {:02}:{:02}:{:02} GMT",
        name(&DAYS, days.rem_euclid(7)),
        name(&MONTHS, month - 1),
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        assert_eq!(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(http_date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(http_date(1_709_164_800), "Thu, 29 Feb 2024 00:00:00 GMT");
    }

    #[test]
    fn ranges() {
        assert_eq!(range("bytes=0-", 10), Some((0, 9)));
        assert_eq!(range("bytes=-3", 10), Some((7, 9)));
        assert_eq!(range("bytes=2-4", 10), Some((2, 4)));
        assert_eq!(range("bytes=2-400", 10), Some((2, 9)));
        assert_eq!(range("lines=2-4", 10), None);
    }
}
