//! Where to push to, read from the command line.

use crate::error::{Error, Result};
use reqwest::Url;

/// A place that is pushed to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Destination {
    /// A repository of another machine.
    Ssh(SshDestination),
    /// An object store, or a folder.
    Bucket(Url),
}

/// A repository reached by `ssh`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SshDestination {
    /// `[USER@]HOST`, as `ssh` takes it.
    pub host: String,
    /// The port, when it is not the one `ssh` would take.
    pub port: Option<u16>,
    /// The repository's folder there.
    pub path: String,
}

impl Destination {
    /// Reads `ssh://[USER@]HOST[:PORT]/PATH`, `[USER@]HOST:PATH`, `file:///PATH`, `s3://BUCKET/PREFIX`, `gs://…` or `az://…`.
    ///
    /// # Errors
    /// [`Error::Destination`] for anything else; also where a part could be taken for an option of `ssh`.
    pub fn parse(text: &str) -> Result<Destination> {
        let invalid = |cause: &str| Error::Destination {
            text: text.to_owned(),
            cause: cause.to_owned(),
        };
        if !text.contains("://") {
            let (host, path) = text.split_once(':').ok_or_else(|| {
                invalid("it is neither a URL nor HOST:PATH; a folder is file:///PATH")
            })?;
            return ssh(host, None, path).map_err(invalid);
        }
        let url = Url::parse(text).map_err(|e| invalid(&e.to_string()))?;
        match url.scheme() {
            "ssh" => {
                let host = url.host_str().unwrap_or_default();
                let host = host.trim_start_matches('[').trim_end_matches(']');
                if url.password().is_some() {
                    return Err(invalid("ssh takes no password from a URL"));
                }
                let host = match url.username() {
                    "" => host.to_owned(),
                    user => format!("{user}@{host}"),
                };
                let path = object_store::path::Path::from_url_path(url.path())
                    .map_err(|e| invalid(&e.to_string()))?;
                ssh(&host, url.port(), &format!("/{path}")).map_err(invalid)
            }
            "file"
                if url.path().len() < 2 || url.host_str().is_some_and(|host| !host.is_empty()) =>
            {
                Err(invalid("it names no folder of this machine"))
            }
            "file" | "s3" | "gs" | "az" => Ok(Destination::Bucket(url)),
            _ => Err(invalid("only ssh, s3, gs, az and file can be pushed to")),
        }
    }
}

fn ssh(
    host: &str,
    port: Option<u16>,
    path: &str,
) -> std::result::Result<Destination, &'static str> {
    if host.is_empty() || path.is_empty() || path == "/" {
        return Err("it names no host or no folder");
    }
    // Such a host would be an option to ssh.
    if host.starts_with('-') || host.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("that is no name of a host");
    }
    if path.starts_with('-') || path.contains(char::is_control) {
        return Err("that is no name of a folder");
    }
    Ok(Destination::Ssh(SshDestination {
        host: host.to_owned(),
        port,
        path: path.to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let there = |host: &str, port, path: &str| {
            Destination::Ssh(SshDestination {
                host: host.into(),
                port,
                path: path.into(),
            })
        };
        for (text, expected) in [
            ("host:/srv/repo", there("host", None, "/srv/repo")),
            ("me@host:repo", there("me@host", None, "repo")),
            ("ssh://host/srv/repo", there("host", None, "/srv/repo")),
            (
                "ssh://me@host:2222/srv",
                there("me@host", Some(2222), "/srv"),
            ),
            ("ssh://host/a%20b", there("host", None, "/a b")),
            ("ssh://[::1]/srv", there("::1", None, "/srv")),
        ] {
            assert_eq!(Destination::parse(text).unwrap(), expected, "{text}");
        }
        for text in [
            "s3://bucket",
            "s3://bucket/a/b",
            "gs://b/p",
            "az://c/p",
            "file:///srv/repo",
        ] {
            assert!(
                matches!(Destination::parse(text), Ok(Destination::Bucket(_))),
                "{text}"
            );
        }
        for text in [
            "",
            "/srv/repo",
            "repo",
            "host:",
            ":/srv",
            "-oProxyCommand=touch x:/srv",
            "ssh://-oProxyCommand=x/srv",
            "ssh://me:secret@host/srv",
            "ssh://host",
            "ssh://host/",
            "https://host/repo",
            "file:///",
            "file://host/srv",
            "host:-x",
        ] {
            assert!(Destination::parse(text).is_err(), "{text}");
        }
    }
}
