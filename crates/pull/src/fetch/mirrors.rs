//! Base URLs, and the same content at several of them.

use super::FetchError;
use reqwest::Url;
use std::path::PathBuf;

/// A base URL, kept as text: what is asked for is this text, one slash and a path, whatever the URL ends in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BaseUrl(String);

impl BaseUrl {
    /// Checks that `text` is an absolute http, https or file URL.
    ///
    /// # Errors
    /// [`FetchError::RelativeUrl`], [`FetchError::Scheme`], [`FetchError::InvalidUrl`].
    pub fn parse(text: &str) -> Result<BaseUrl, FetchError> {
        let url = match Url::parse(text) {
            Ok(url) => url,
            Err(e) if e.to_string().starts_with("relative URL") => {
                return Err(FetchError::RelativeUrl);
            }
            Err(e) => {
                return Err(FetchError::InvalidUrl {
                    url: text.to_owned(),
                    cause: e.to_string(),
                });
            }
        };
        match url.scheme() {
            "http" | "https" | "file" => Ok(BaseUrl(text.to_owned())),
            _ => Err(FetchError::Scheme(text.to_owned())),
        }
    }

    /// The URL as configured.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folder that a `file://` URL names.
    #[must_use]
    pub fn local_path(&self) -> Option<PathBuf> {
        let url = Url::parse(&self.0).ok()?;
        if url.scheme() != "file" {
            return None;
        }
        url.to_file_path().ok()
    }

    pub(crate) fn join(&self, path: &str) -> String {
        if path.is_empty() {
            return self.0.clone();
        }
        format!("{}/{path}", self.0.strip_suffix('/').unwrap_or(&self.0))
    }
}

/// Base URLs of the same content, tried in this order for each request. Never empty.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mirrors(Vec<BaseUrl>);

impl Mirrors {
    /// One base URL.
    #[must_use]
    pub fn one(base: BaseUrl) -> Mirrors {
        Mirrors(vec![base])
    }

    /// Several; none if there are none.
    #[must_use]
    pub fn several(bases: Vec<BaseUrl>) -> Option<Mirrors> {
        (!bases.is_empty()).then_some(Mirrors(bases))
    }

    /// The base URLs.
    #[must_use]
    pub fn bases(&self) -> &[BaseUrl] {
        &self.0
    }
}

/// The usable lines of a mirror list: absolute http(s) URLs, one a line; `#` starts a comment line.
pub(crate) fn parse_mirrorlist(text: &str) -> Vec<BaseUrl> {
    text.split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter(|line| line.starts_with("http://") || line.starts_with("https://"))
        .filter_map(|line| BaseUrl::parse(line).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_with_one_slash() {
        for (base, whole) in [
            ("http://h/repo", "http://h/repo/config"),
            ("http://h/repo/", "http://h/repo/config"),
            ("http://h/repo?token=1", "http://h/repo?token=1/config"),
        ] {
            assert_eq!(BaseUrl::parse(base).unwrap().join("config"), whole);
        }
    }

    #[test]
    fn other_schemes_are_refused_in_the_c_tools_words() {
        let message = |text| BaseUrl::parse(text).unwrap_err().to_string();
        assert_eq!(message("ftp://h/"), "Invalid URI scheme in ftp://h/");
        assert_eq!(
            message("foo bar"),
            "URI is not absolute, and no base URI was provided"
        );
    }

    #[test]
    fn file_urls_name_a_folder() {
        assert_eq!(
            BaseUrl::parse("file:///a/b%20c")
                .unwrap()
                .local_path()
                .unwrap(),
            PathBuf::from("/a/b c")
        );
        assert_eq!(BaseUrl::parse("http://h/a").unwrap().local_path(), None);
    }

    #[test]
    fn mirror_lists_ignore_what_they_cannot_use() {
        let list = parse_mirrorlist(
            "# comment\n\nhttp://a/\nftp://b/\nnonsense\n https://blank/\nhttps://c\r\n",
        );
        let urls: Vec<&str> = list.iter().map(BaseUrl::as_str).collect();
        assert_eq!(urls, ["http://a/", "https://c"]);
    }
}
