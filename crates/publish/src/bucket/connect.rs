//! From a URL to an object store.

use super::store::Bucket;
use crate::error::{Error, Result};
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::client::{HttpClient, HttpConnector};
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ClientOptions, ObjectStore, RetryConfig};
use osier_pull::fetch::{Proxies, Tls};
use reqwest::Url;
use reqwest::redirect::Policy;
use std::sync::Arc;
use std::time::Duration;

/// What reaching an object store takes beside its URL.
#[derive(Clone, Debug, Default)]
pub struct BucketSettings {
    /// Credentials, region, endpoint: the names and values of the environment variables that the stores' own tools read, as
    /// `AWS_ACCESS_KEY_ID`, `GOOGLE_SERVICE_ACCOUNT` or `AZURE_STORAGE_ACCOUNT_NAME`.
    pub variables: Vec<(String, String)>,
    /// Proxies.
    pub proxies: Proxies,
    /// Tries of a request after the first, when the store fails or the connection breaks; 10 when `None`.
    pub retries: Option<usize>,
}

/// Time for one request, sending its body included: a part of a large object over a slow line.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(600);

/// Not long: without credentials the stores' clients ask addresses that exist in their own data centres only.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

impl BucketSettings {
    /// Picks the variables that object stores know out of an environment.
    pub fn from_variables(
        variables: impl IntoIterator<Item = (String, String)>,
        proxies: Proxies,
    ) -> BucketSettings {
        let known = |name: &str| {
            ["AWS_", "GOOGLE_", "AZURE_"]
                .iter()
                .any(|prefix| name.starts_with(prefix))
        };
        BucketSettings {
            variables: variables
                .into_iter()
                .filter(|(name, value)| known(name) && !value.is_empty())
                .collect(),
            proxies,
            retries: None,
        }
    }

    fn retry(&self) -> RetryConfig {
        let default = RetryConfig::default();
        RetryConfig {
            max_retries: self.retries.unwrap_or(default.max_retries),
            ..default
        }
    }
}

/// Our HTTP client, with the same TLS as a pull has, in place of the library's.
#[derive(Debug)]
struct Connector(reqwest::Client);

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}

fn connector(settings: &BucketSettings) -> Result<Connector> {
    let setup = |cause: &dyn std::fmt::Display| Error::Other(format!("Setting up HTTP: {cause}"));
    let mut tls = Tls::default().client_config().map_err(|e| setup(&e))?;
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("osier/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(REQUEST_TIMEOUT)
        .http1_only()
        .tls_backend_preconfigured(tls)
        .no_proxy();
    for proxy in settings.proxies.to_reqwest().map_err(|e| setup(&e))? {
        builder = builder.proxy(proxy);
    }
    Ok(Connector(builder.build().map_err(|e| setup(&e))?))
}

/// Opens what a URL names. Nothing is asked of it yet.
pub(super) fn connect(url: &Url, settings: &BucketSettings) -> Result<Bucket> {
    let failed = Error::bucket(format!("opening {url}"));
    let variables = |prefix: &'static str| {
        settings
            .variables
            .iter()
            .filter(move |(name, _)| name.starts_with(prefix))
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
    };
    let store: Arc<dyn ObjectStore> = match url.scheme() {
        "file" => {
            let path = url
                .to_file_path()
                .map_err(|()| Error::Other(format!("{url} names no folder")))?;
            let store = LocalFileSystem::new_with_prefix(path).map_err(failed)?;
            return Ok(Bucket::new(
                Arc::new(store.with_fsync(false)),
                Path::default(),
                url.to_string(),
                true,
            ));
        }
        "s3" => {
            let mut builder = AmazonS3Builder::new().with_url(url.to_string());
            for (name, value) in variables("AWS_") {
                if let Ok(key) = name.parse() {
                    builder = builder.with_config(key, value);
                }
            }
            let builder = builder
                .with_retry(settings.retry())
                .with_http_connector(connector(settings)?);
            Arc::new(builder.build().map_err(failed)?)
        }
        "gs" => {
            let mut builder = GoogleCloudStorageBuilder::new().with_url(url.to_string());
            for (name, value) in variables("GOOGLE_") {
                if let Ok(key) = name.parse() {
                    builder = builder.with_config(key, value);
                }
            }
            let builder = builder
                .with_retry(settings.retry())
                .with_http_connector(connector(settings)?);
            Arc::new(builder.build().map_err(failed)?)
        }
        "az" => {
            let mut builder = MicrosoftAzureBuilder::new().with_url(url.to_string());
            for (name, value) in variables("AZURE_") {
                if let Ok(key) = name.parse() {
                    builder = builder.with_config(key, value);
                }
            }
            let builder = builder
                .with_retry(settings.retry())
                .with_http_connector(connector(settings)?);
            Arc::new(builder.build().map_err(failed)?)
        }
        other => return Err(Error::Other(format!("Cannot push to {other} URLs"))),
    };
    let prefix = Path::from_url_path(url.path())
        .map_err(|e| Error::Other(format!("Invalid destination '{url}': {e}")))?;
    Ok(Bucket::new(store, prefix, url.to_string(), false))
}
