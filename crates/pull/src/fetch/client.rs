//! Setting up the HTTP client.

use super::error::ForeignRedirect;
use super::{FetchError, Tls};
use crate::engine::MOST;
use crate::remote::CookieJar;
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, NoProxy, Proxy};
use std::time::Duration;

/// What a server is told about who asks.
pub const USER_AGENT: &str = "libostree/2026.4";

const MAX_REDIRECTS: usize = 30;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// Proxies, as the environment of the program names them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Proxies {
    /// For http URLs.
    pub http: Option<String>,
    /// For https URLs.
    pub https: Option<String>,
    /// For both, where the one above is not set.
    pub all: Option<String>,
    /// Hosts that are asked directly, as curl reads `no_proxy`.
    pub except: Option<String>,
}

impl Proxies {
    /// Reads the variables that curl reads. `HTTP_PROXY` is not one of them: a CGI's client could set it.
    pub fn from_variables(get: impl Fn(&str) -> Option<String>) -> Proxies {
        let get = |name: &str| get(name).filter(|value| !value.is_empty());
        let either = |name: &str| get(name).or_else(|| get(&name.to_uppercase()));
        Proxies {
            http: get("http_proxy"),
            https: either("https_proxy"),
            all: either("all_proxy"),
            except: either("no_proxy"),
        }
    }

    /// The same for a client of reqwest.
    ///
    /// # Errors
    /// When one of them is no URL.
    pub fn to_reqwest(&self) -> Result<Vec<Proxy>, FetchError> {
        proxies(&FetchSettings {
            proxies: self.clone(),
            ..FetchSettings::default()
        })
    }
}

/// How to fetch.
#[derive(Clone, Debug)]
pub struct FetchSettings {
    /// Further tries of a request after the first.
    pub retries: u32,
    /// Retry only what is always worth it (a 408 or 500), not every network error.
    pub only_sure_retries: bool,
    /// A transfer slower than this many bytes a second …
    pub low_speed_limit: u64,
    /// … for this long is given up. Zero in either: never.
    pub low_speed_time: Duration,
    /// Requests in flight at the same time.
    pub concurrency: Option<usize>,
    /// Added to [`USER_AGENT`] after a space.
    pub append_user_agent: Option<String>,
    /// Sent with every request.
    pub headers: Vec<(String, String)>,
    /// Ask for compressed bodies. They are understood in any case.
    pub compressed: bool,
    /// From the environment.
    pub proxies: Proxies,
    /// The remote's own proxy, in place of those above, but for the hosts that are asked directly.
    pub proxy: Option<String>,
    /// False keeps to HTTP/1.1.
    pub http2: bool,
    /// TLS.
    pub tls: Tls,
    /// The remote's cookies.
    pub cookies: Option<CookieJar>,
    /// Now, in seconds since the epoch; cookies expire.
    pub now: i64,
}

impl Default for FetchSettings {
    fn default() -> FetchSettings {
        FetchSettings {
            retries: 5,
            only_sure_retries: false,
            low_speed_limit: 1000,
            low_speed_time: Duration::from_secs(30),
            concurrency: None,
            append_user_agent: None,
            headers: Vec::new(),
            compressed: false,
            proxies: Proxies::default(),
            proxy: None,
            http2: true,
            tls: Tls::default(),
            cookies: None,
            now: 0,
        }
    }
}

pub(super) fn build(settings: &FetchSettings) -> Result<Client, FetchError> {
    let setup = |what: &str, e: &dyn std::fmt::Display| FetchError::Setup(format!("{what}: {e}"));
    let mut headers = HeaderMap::new();
    // curl takes a header without a value for one that is not to be sent.
    for (name, value) in settings
        .headers
        .iter()
        .filter(|(_, value)| !value.is_empty())
    {
        let wrong = |e: &dyn std::fmt::Display| setup(&format!("HTTP header '{name}'"), e);
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|e| wrong(&e))?;
        headers.append(name, HeaderValue::from_str(value).map_err(|e| wrong(&e))?);
    }
    if settings.compressed {
        headers.append(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    }
    let agent = match &settings.append_user_agent {
        Some(more) => format!("{USER_AGENT} {more}"),
        None => USER_AGENT.to_owned(),
    };
    let redirects = Policy::custom(|attempt| {
        if attempt.previous().len() > MAX_REDIRECTS {
            return attempt.error("too many redirects");
        }
        match attempt.url().scheme() {
            "http" | "https" => attempt.follow(),
            _ => {
                let to = attempt.url().to_string();
                attempt.error(ForeignRedirect(to))
            }
        }
    });
    let mut tls = settings.tls.client_config()?;
    // A TLS server that speaks HTTP/2 is chosen so; without TLS nobody upgrades.
    tls.alpn_protocols = match settings.http2 {
        true => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        false => vec![b"http/1.1".to_vec()],
    };
    let mut builder = Client::builder()
        .user_agent(agent)
        .default_headers(headers)
        .redirect(redirects)
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .pool_max_idle_per_host(settings.concurrency.unwrap_or(MOST))
        .tls_backend_preconfigured(tls)
        .no_proxy();
    if !settings.http2 {
        builder = builder.http1_only();
    }
    for proxy in proxies(settings)? {
        builder = builder.proxy(proxy);
    }
    builder.build().map_err(|e| setup("setting up HTTP", &e))
}

fn proxies(settings: &FetchSettings) -> Result<Vec<Proxy>, FetchError> {
    let with_scheme = |url: &str| {
        if url.contains("://") {
            url.to_owned()
        } else {
            format!("http://{url}")
        }
    };
    let make = |url: &str, make: fn(String) -> reqwest::Result<Proxy>| {
        make(with_scheme(url)).map_err(|e| FetchError::Setup(format!("proxy {url}: {e}")))
    };
    let env = &settings.proxies;
    let except = env.except.as_deref().and_then(NoProxy::from_string);
    if let Some(url) = &settings.proxy {
        return Ok(vec![make(url, Proxy::all)?.no_proxy(except)]);
    }
    let mut out = Vec::new();
    for (url, scheme) in [
        (
            &env.http,
            Proxy::http as fn(String) -> reqwest::Result<Proxy>,
        ),
        (&env.https, Proxy::https),
        (&env.all, Proxy::all),
    ] {
        if let Some(url) = url {
            out.push(make(url, scheme)?.no_proxy(except.clone()));
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxy_variables_are_those_of_curl() {
        let set = |pairs: &'static [(&str, &str)]| {
            Proxies::from_variables(|name| {
                pairs
                    .iter()
                    .find(|(n, _)| *n == name)
                    .map(|(_, v)| (*v).to_owned())
            })
        };
        assert_eq!(set(&[("HTTP_PROXY", "x")]), Proxies::default());
        assert_eq!(set(&[("http_proxy", "x")]).http.as_deref(), Some("x"));
        assert_eq!(
            set(&[("HTTPS_PROXY", "y"), ("NO_PROXY", "z")])
                .https
                .as_deref(),
            Some("y")
        );
        assert_eq!(set(&[("http_proxy", "")]), Proxies::default());
    }

    #[test]
    fn a_header_that_would_split_the_request_is_refused() {
        let settings = FetchSettings {
            headers: vec![("X".into(), "a\r\nB: c".into())],
            ..Default::default()
        };
        assert!(
            build(&settings)
                .unwrap_err()
                .to_string()
                .starts_with("HTTP header 'X': ")
        );
    }
}
