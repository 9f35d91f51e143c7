//! Going on where a body broke off: which part to ask for, and whether an answer is that part.

use super::Validators;
use reqwest::header::{
    CONTENT_ENCODING, CONTENT_RANGE, HeaderMap, HeaderValue, IF_RANGE, RANGE, TRANSFER_ENCODING,
};
use reqwest::{RequestBuilder, Response, StatusCode};

/// What a server says of a body before it sends it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Head {
    /// Its length, where it comes as it is stored.
    pub length: Option<u64>,
    /// What tells it from a later version of the same file.
    pub validators: Validators,
}

impl Head {
    pub(super) fn of(headers: &HeaderMap, validators: Validators) -> Head {
        // Of a body in another coding neither the length nor a position says anything about the file.
        let coded =
            headers.contains_key(CONTENT_ENCODING) || headers.contains_key(TRANSFER_ENCODING);
        let length = headers
            .get(reqwest::header::CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        Head {
            length: length.filter(|_| !coded),
            validators,
        }
    }
}

/// Where a body broke off, and the version of the file that it was of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Resume {
    /// Bytes that are here.
    pub from: u64,
    condition: HeaderValue,
}

impl Resume {
    /// None when nothing is here, or nothing would tell that the file has changed since.
    pub fn new(from: u64, head: &Head) -> Option<Resume> {
        if from == 0 || head.length.is_none_or(|length| from >= length) {
            return None;
        }
        // A weak tag does not promise the same bytes.
        let tag = head
            .validators
            .etag
            .as_deref()
            .filter(|tag| tag.starts_with('"'));
        let condition = tag.or(head.validators.modified.as_deref())?;
        Some(Resume {
            from,
            condition: HeaderValue::from_str(condition).ok()?,
        })
    }

    /// Asks for the rest, or for all of it if the file has changed.
    pub(super) fn ask(&self, request: RequestBuilder) -> RequestBuilder {
        request
            .header(RANGE, format!("bytes={}-", self.from))
            .header(IF_RANGE, self.condition.clone())
    }

    /// What an answer to that is.
    pub(super) fn answer(&self, response: &Response) -> Answer {
        match response.status() {
            StatusCode::PARTIAL_CONTENT => match range_start(response.headers()) {
                Some(start) if start == self.from => Answer::Rest,
                _ => Answer::Useless,
            },
            StatusCode::RANGE_NOT_SATISFIABLE => Answer::Useless,
            _ => Answer::Other,
        }
    }
}

/// How a server answered a request for the rest of a body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Answer {
    /// With the rest.
    Rest,
    /// With some other part, or none: the whole must be asked for.
    Useless,
    /// As if the whole had been asked for.
    Other,
}

/// The first position of `bytes FIRST-LAST/SIZE`.
fn range_start(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    let (first, _) = text.strip_prefix("bytes ")?.trim_start().split_once('-')?;
    first.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(length: Option<u64>, etag: Option<&str>, modified: Option<&str>) -> Head {
        Head {
            length,
            validators: Validators {
                etag: etag.map(str::to_owned),
                modified: modified.map(str::to_owned),
            },
        }
    }

    #[test]
    fn only_what_can_be_proved_to_be_the_same_goes_on() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        let condition =
            |from, head: &Head| Some(Resume::new(from, head)?.condition.to_str().ok()?.to_owned());
        assert_eq!(
            condition(5, &head(Some(10), Some("\"a\""), Some(date))).as_deref(),
            Some("\"a\"")
        );
        assert_eq!(
            condition(5, &head(Some(10), Some("W/\"a\""), Some(date))).as_deref(),
            Some(date)
        );
        assert_eq!(condition(5, &head(Some(10), Some("W/\"a\""), None)), None);
        assert_eq!(condition(0, &head(Some(10), Some("\"a\""), None)), None);
        assert_eq!(condition(10, &head(Some(10), Some("\"a\""), None)), None);
        assert_eq!(condition(5, &head(None, Some("\"a\""), None)), None);
        assert_eq!(condition(5, &head(Some(10), Some("\"a\n\""), None)), None);
    }

    #[test]
    fn positions() {
        let start = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_RANGE, HeaderValue::from_static(text));
            range_start(&headers)
        };
        assert_eq!(start("bytes 5-9/10"), Some(5));
        assert_eq!(start("bytes 5-9/*"), Some(5));
        assert_eq!(start("bytes */10"), None);
        assert_eq!(start("lines 5-9/10"), None);
    }
}
