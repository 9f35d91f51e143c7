//! Remotes as the configuration names them: reading, adding, deleting.
//!
//! A remote is a group `[remote "NAME"]` of the repository's `config`, or of a drop-in file
//! `remotes.d/*.conf`. What neither says, the parent repository may.

mod add;
mod cookies;
mod edit;
mod keyring;
mod set;

pub use add::{Add, IfExists, Location, SignKey, SignKeySource};
pub use cookies::{Cookie, CookieJar};
pub use edit::system_dropins;
pub use keyring::keyrings_in;
pub use set::{Place, Remotes};

use osier_keyfile::{KeyFile, Optional};

/// Something wrong with the configuration of a remote. The words are those of the C tool.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// The name cannot name a remote.
    #[error("Invalid remote name {0}")]
    InvalidName(String),
    /// Nothing configures this remote.
    #[error("Remote \"{0}\" not found")]
    NotFound(String),
    /// The remote is configured already; `place` is `in config` or the path of a drop-in.
    #[error("Remote configuration for \"{name}\" already exists: {place}")]
    Exists {
        /// The remote.
        name: String,
        /// `(in config)`, or the path of the drop-in.
        place: String,
    },
    /// Two places configure the same remote.
    #[error("Multiple specifications found for remote \"{0}\"")]
    Multiple(String),
    /// The key is needed and neither this repository nor a parent sets it.
    #[error("No \"{key}\" option in remote \"{name}\"")]
    MissingOption {
        /// The remote.
        name: String,
        /// The key.
        key: &'static str,
    },
    /// A value that its key does not allow.
    #[error("remote \"{name}\": {cause}")]
    Value {
        /// The remote.
        name: String,
        /// What is wrong with which key.
        cause: osier_keyfile::Error,
    },
    /// A value that its key does not allow.
    #[error("Invalid {key} value '{value}' in remote \"{name}\"")]
    Invalid {
        /// The remote.
        name: String,
        /// The key.
        key: String,
        /// Its value.
        value: String,
    },
    /// The remote is fetched by other means.
    #[error("Cannot fetch via libostree - remote '{name}' uses custom backend '{backend}'")]
    CustomBackend {
        /// The remote.
        name: String,
        /// The value of `custom-backend`.
        backend: String,
    },
    /// The remote needs something done first (a subscription, for example).
    #[error("remote unconfigured-state: {0}")]
    Unconfigured(String),
    /// One of two keys that need each other.
    #[error(
        "Remote \"{0}\" must specify both \"tls-client-cert-path\" and \"tls-client-key-path\""
    )]
    ClientCertificate(String),
    /// A configuration file could not be read or written.
    #[error("{action} {path}: {cause}")]
    Io {
        /// `reading`, `writing`, …
        action: &'static str,
        /// The file.
        path: std::path::PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// A drop-in is not a key file.
    #[error("Failed to parse {path}: {cause}")]
    Parse {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong where.
        cause: osier_keyfile::Error,
    },
    /// A path of `gpgkeypath`.
    #[error("opendir({path}): {cause}")]
    KeyPath {
        /// The path, as configured.
        path: String,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The repository's own configuration.
    #[error(transparent)]
    Repo(osier_store::Error),
    /// `gpgkeypath` with both separators.
    #[error("key value list contains more than one separator")]
    Separators,
    /// A file that should hold OpenPGP keys.
    #[error("{path}: {cause}")]
    Keyring {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong with it.
        cause: osier_sign::openpgp::Error,
    },
    /// `sign-verify` or `sign-verify-summary` lists a type, and no key of it is configured.
    #[error("No keys found for required signapi type {0}")]
    NoSignKeys(&'static str),
    /// The file with keys of the sign API that is configured.
    #[error("Failed loading '{kind}' keys from '{path}': {cause}")]
    SignKeyFile {
        /// The type of the keys.
        kind: &'static str,
        /// The file, as configured.
        path: String,
        /// What is wrong with it.
        cause: osier_sign::api::Error,
    },
    /// The key of the sign API that is configured.
    #[error("Failed loading '{kind}' keys from verification-{kind}-key: {cause}")]
    SignKey {
        /// The type of the key.
        kind: &'static str,
        /// What is wrong with it.
        cause: osier_sign::api::Error,
    },
    /// The types or keys of the sign API that the configuration or the system names.
    #[error(transparent)]
    SignKeys(osier_sign::api::Error),
    /// The repository's configuration could not be written.
    #[error(transparent)]
    Store(#[from] osier_store::Error),
    /// A key or value that cannot be written to a key file.
    #[error(transparent)]
    Write(#[from] osier_keyfile::Error),
}

/// The name of the group that configures a remote.
pub(crate) fn group(name: &str) -> String {
    format!("remote \"{name}\"")
}

/// The remote a group configures, if it configures one.
pub(crate) fn name_of_group(group: &str) -> Option<&str> {
    group
        .strip_prefix("remote \"")?
        .strip_suffix('"')
        .filter(|n| !n.is_empty())
}

/// One remote: the keys this repository sets, then those its parents set.
///
/// Values are read, and complained about, when they are asked for: a key that nobody needs may be wrong.
#[derive(Clone, Debug)]
pub struct Remote {
    name: String,
    /// This repository's file first.
    layers: Vec<KeyFile>,
    /// Where the drop-ins of this repository are: it may have a keyring there.
    dropin_dir: Option<std::path::PathBuf>,
}

/// `sign-verify` and `sign-verify-summary`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SignVerify {
    /// Nothing is asked for.
    Off,
    /// A signature of any known type for which there is a key.
    Any,
    /// A signature of one of these types; each must have a key.
    Types(Vec<String>),
}

impl Remote {
    pub(crate) fn new(
        name: &str,
        layers: Vec<KeyFile>,
        dropin_dir: Option<std::path::PathBuf>,
    ) -> Remote {
        Remote {
            name: name.to_owned(),
            layers,
            dropin_dir,
        }
    }

    /// One without a name that nothing is configured for, for a repository that is no remote.
    #[must_use]
    pub fn unconfigured() -> Remote {
        Remote::new("", Vec::new(), None)
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn lookup<T>(
        &self,
        mut get: impl FnMut(&KeyFile, &str) -> Result<T, osier_keyfile::Error>,
    ) -> Result<Option<T>, RemoteError> {
        let group = group(&self.name);
        for layer in &self.layers {
            if let Some(value) = get(layer, &group)
                .optional()
                .map_err(|cause| self.value_error(cause))?
            {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    fn value_error(&self, cause: osier_keyfile::Error) -> RemoteError {
        RemoteError::Value {
            name: self.name.clone(),
            cause,
        }
    }

    /// A key as text.
    ///
    /// # Errors
    /// The value is not UTF-8 or holds a bad escape.
    pub fn string(&self, key: &str) -> Result<Option<String>, RemoteError> {
        self.lookup(|file, group| file.string(group, key))
    }

    /// A key as a boolean.
    ///
    /// # Errors
    /// The value is no boolean.
    pub fn boolean(&self, key: &str, default: bool) -> Result<bool, RemoteError> {
        Ok(self
            .lookup(|file, group| file.boolean(group, key))?
            .unwrap_or(default))
    }

    /// A key as a list separated by `;`.
    ///
    /// # Errors
    /// The value is not UTF-8 or holds a bad escape.
    pub fn list(&self, key: &str) -> Result<Vec<String>, RemoteError> {
        Ok(self
            .lookup(|file, group| file.string_list(group, key))?
            .unwrap_or_default())
    }

    /// The base URL as configured, maybe `mirrorlist=URL`.
    ///
    /// # Errors
    /// [`RemoteError::MissingOption`].
    pub fn url(&self) -> Result<String, RemoteError> {
        self.string("url")?
            .ok_or_else(|| RemoteError::MissingOption {
                name: self.name.clone(),
                key: "url",
            })
    }

    /// The refs that a pull without refs means.
    ///
    /// # Errors
    /// As [`Remote::list`].
    pub fn branches(&self) -> Result<Vec<String>, RemoteError> {
        self.list("branches")
    }

    /// Whether each commit needs a valid GPG signature; true unless configured.
    ///
    /// # Errors
    /// As [`Remote::boolean`].
    pub fn gpg_verify(&self) -> Result<bool, RemoteError> {
        self.boolean("gpg-verify", true)
    }

    /// Whether the summary needs a valid GPG signature; false unless configured.
    ///
    /// # Errors
    /// As [`Remote::boolean`].
    pub fn gpg_verify_summary(&self) -> Result<bool, RemoteError> {
        self.boolean("gpg-verify-summary", false)
    }

    /// `sign-verify` or `sign-verify-summary`: a boolean, or a list of types separated by `,` or `;`.
    ///
    /// # Errors
    /// As [`Remote::string`].
    pub fn sign_verify(&self, key: &str) -> Result<SignVerify, RemoteError> {
        let Some(text) = self.string(key)? else {
            return Ok(SignVerify::Off);
        };
        Ok(match text.trim() {
            "" | "false" | "0" => SignVerify::Off,
            "true" | "1" => SignVerify::Any,
            list => SignVerify::Types(
                // An empty name is no type: passing over it might leave nothing to demand.
                list.strip_suffix(';')
                    .unwrap_or(list)
                    .split([';', ','])
                    .map(str::to_owned)
                    .collect(),
            ),
        })
    }

    /// The collection that the remote's refs belong to.
    ///
    /// # Errors
    /// The value is no collection id.
    pub fn collection_id(&self) -> Result<Option<String>, RemoteError> {
        let Some(id) = self.string("collection-id")?.filter(|id| !id.is_empty()) else {
            return Ok(None);
        };
        if osier_object::refs::validate_collection_id(&id).is_err() {
            return Err(RemoteError::Invalid {
                name: self.name.clone(),
                key: "collection-id".into(),
                value: id,
            });
        }
        Ok(Some(id))
    }

    /// The same remote, but each of its commits needs a valid GPG signature, whatever is configured; its summary needs none.
    pub(crate) fn verified(&self) -> Result<Remote, RemoteError> {
        let mut strict = KeyFile::new();
        let group = group(&self.name);
        strict.set_boolean(&group, "gpg-verify", true)?;
        strict.set_boolean(&group, "gpg-verify-summary", false)?;
        let mut layers = vec![strict];
        layers.extend(self.layers.iter().cloned());
        Ok(Remote {
            layers,
            ..self.clone()
        })
    }

    /// Another repository with refs of this remote's collection: whose keys verify them is kept, and nothing else.
    pub(crate) fn elsewhere(&self, url: &str) -> Result<Remote, RemoteError> {
        let group = group(&self.name);
        let mut file = KeyFile::new();
        file.set_string(&group, "url", url)?;
        for layer in self.layers.iter().rev() {
            for key in layer.keys(&group).into_iter().flatten() {
                let kept = matches!(key, "gpgkeypath" | "collection-id" | "sign-verify")
                    || key.starts_with("verification-");
                if kept && let Some(value) = layer.value(&group, key).optional()? {
                    file.set_value(&group, key, value)?;
                }
            }
        }
        let plain = Remote {
            layers: vec![file],
            ..self.clone()
        };
        plain.verified()
    }

    /// Refuses a remote that cannot be fetched from as it is.
    ///
    /// # Errors
    /// [`RemoteError::Unconfigured`], [`RemoteError::CustomBackend`].
    pub fn check_fetchable(&self) -> Result<(), RemoteError> {
        if let Some(text) = self.string("unconfigured-state")? {
            return Err(RemoteError::Unconfigured(text));
        }
        if let Some(backend) = self.string("custom-backend")? {
            return Err(RemoteError::CustomBackend {
                name: self.name.clone(),
                backend,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote(keys: &str) -> Remote {
        let text = format!("[remote \"r\"]\n{keys}");
        Remote::new("r", vec![KeyFile::parse(text.as_bytes()).unwrap()], None)
    }

    #[test]
    fn defaults_are_the_strict_ones() {
        let r = remote("");
        assert!(r.gpg_verify().unwrap());
        assert!(!r.gpg_verify_summary().unwrap());
        assert_eq!(r.sign_verify("sign-verify").unwrap(), SignVerify::Off);
        assert_eq!(
            r.url().unwrap_err().to_string(),
            "No \"url\" option in remote \"r\""
        );
    }

    #[test]
    fn a_value_that_is_no_boolean_is_an_error_not_a_default() {
        assert!(remote("gpg-verify=no\n").gpg_verify().is_err());
        assert!(!remote("gpg-verify=0\n").gpg_verify().unwrap());
    }

    #[test]
    fn sign_verify_is_a_boolean_or_types() {
        let verify = |text: &str| {
            remote(&format!("sign-verify={text}\n"))
                .sign_verify("sign-verify")
                .unwrap()
        };
        assert_eq!(verify("true"), SignVerify::Any);
        assert_eq!(verify("false"), SignVerify::Off);
        assert_eq!(
            verify("ed25519,spki;"),
            SignVerify::Types(vec!["ed25519".into(), "spki".into()])
        );
    }

    #[test]
    fn the_parent_fills_the_gaps() {
        let mut r = remote("url=http://a\n");
        r.layers
            .push(KeyFile::parse(b"[remote \"r\"]\nurl=http://b\ngpg-verify=false\n").unwrap());
        assert_eq!(r.url().unwrap(), "http://a");
        assert!(!r.gpg_verify().unwrap());
    }

    #[test]
    fn elsewhere_only_the_keys_are_the_same() {
        let r = remote(
            "url=http://a\ngpg-verify=false\ngpg-verify-summary=true\ncontenturl=http://b\nproxy=http://p\n\
             gpgkeypath=/k\ncollection-id=org.example.Os\nsign-verify=ed25519\nverification-ed25519-key=K\n",
        );
        let strict = r.verified().unwrap();
        assert!(strict.gpg_verify().unwrap() && !strict.gpg_verify_summary().unwrap());
        assert_eq!(strict.url().unwrap(), "http://a");
        let other = r.elsewhere("http://127.0.0.1:1/0").unwrap();
        assert!(other.gpg_verify().unwrap() && !other.gpg_verify_summary().unwrap());
        let string = |key| other.string(key).unwrap();
        assert_eq!(string("url").as_deref(), Some("http://127.0.0.1:1/0"));
        assert_eq!((string("contenturl"), string("proxy")), (None, None));
        assert_eq!(string("gpgkeypath").as_deref(), Some("/k"));
        assert_eq!(string("verification-ed25519-key").as_deref(), Some("K"));
        assert_eq!(string("sign-verify").as_deref(), Some("ed25519"));
        assert_eq!(
            other.collection_id().unwrap().as_deref(),
            Some("org.example.Os")
        );
    }

    #[test]
    fn what_cannot_be_fetched_says_so() {
        assert_eq!(
            remote("unconfigured-state=Register first\n")
                .check_fetchable()
                .unwrap_err()
                .to_string(),
            "remote unconfigured-state: Register first"
        );
        assert_eq!(
            remote("custom-backend=rpm\n")
                .check_fetchable()
                .unwrap_err()
                .to_string(),
            "Cannot fetch via libostree - remote 'r' uses custom backend 'rpm'"
        );
    }
}
