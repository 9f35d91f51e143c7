//! What `remote add` writes, key by key in the C tool's order.

use super::{RemoteError, group};
use osier_keyfile::KeyFile;

/// Where a new remote is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Location {
    /// A base URL, or `mirrorlist=URL`.
    Url(String),
    /// The URL of a metalink document that names mirrors of the summary.
    Metalink(String),
}

impl Location {
    /// A command-line argument: `URL`, `mirrorlist=URL` or `metalink=URL`.
    #[must_use]
    pub fn from_arg(text: &str) -> Location {
        match text.strip_prefix("metalink=") {
            Some(url) => Location::Metalink(url.to_owned()),
            None => Location::Url(text.to_owned()),
        }
    }
}

/// What to do when the remote exists.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum IfExists {
    /// Fail.
    #[default]
    Fail,
    /// Leave it as it is.
    Keep,
    /// Replace its whole configuration.
    Replace,
}

/// A public key that commits of the remote are verified with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignKey {
    /// The signature type: `ed25519`, `spki` or `dummy`.
    pub kind: String,
    /// The key itself, or the file that holds keys.
    pub source: SignKeySource,
}

/// Where a [`SignKey`] is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SignKeySource {
    /// In the configuration.
    Inline(String),
    /// In this file.
    File(String),
}

impl SignKey {
    /// The argument of `--sign-verify`: `TYPE=inline:KEY` or `TYPE=file:PATH`. The message of a failure is the C tool's.
    ///
    /// # Errors
    /// The text to show.
    pub fn from_arg(text: &str) -> Result<SignKey, String> {
        let (kind, source) = text
            .split_once('=')
            .ok_or_else(|| format!("Failed to parse KEYTYPE=[inline|file]:DATA in {text}"))?;
        if !["dummy", "ed25519", "spki"].contains(&kind) {
            return Err("Requested signature type is not implemented".to_owned());
        }
        let source = match source.split_once(':') {
            Some(("inline", key)) => SignKeySource::Inline(key.to_owned()),
            Some(("file", path)) => SignKeySource::File(path.to_owned()),
            other => {
                let reference = other.map_or(source, |(reference, _)| reference);
                return Err(format!(
                    "Invalid key reference {reference}, expected inline|file"
                ));
            }
        };
        Ok(SignKey {
            kind: kind.to_owned(),
            source,
        })
    }
}

/// A remote to be added.
#[derive(Clone, Debug)]
pub struct Add {
    /// Its name.
    pub name: String,
    /// Where it is; a custom backend may do without.
    pub location: Option<Location>,
    /// What a pull without refs means.
    pub branches: Vec<String>,
    /// Another URL for the objects.
    pub content_url: Option<String>,
    /// The program that fetches from it, if it is not OSTree.
    pub custom_backend: Option<String>,
    /// Any other keys, in the order given; they override the ones above.
    pub set: Vec<(String, String)>,
    /// Writes `gpg-verify=false`.
    pub no_gpg_verify: bool,
    /// Writes `gpg-verify=false` and `sign-verify=false`.
    pub no_sign_verify: bool,
    /// Keys to verify with.
    pub sign_keys: Vec<SignKey>,
    /// The collection its refs belong to; not checked here, as the C tool does not.
    pub collection_id: Option<String>,
    /// What to do when it exists.
    pub if_exists: IfExists,
}

impl Add {
    /// A remote with nothing but a name and a location.
    #[must_use]
    pub fn new(name: &str, location: Option<Location>) -> Add {
        Add {
            name: name.to_owned(),
            location,
            branches: Vec::new(),
            content_url: None,
            custom_backend: None,
            set: Vec::new(),
            no_gpg_verify: false,
            no_sign_verify: false,
            sign_keys: Vec::new(),
            collection_id: None,
            if_exists: IfExists::Fail,
        }
    }

    pub(super) fn write_to(&self, file: &mut KeyFile) -> Result<(), RemoteError> {
        let group = &group(&self.name);
        match &self.location {
            Some(Location::Url(url)) => file.set_string(group, "url", url)?,
            Some(Location::Metalink(url)) => file.set_string(group, "metalink", url)?,
            None => {}
        }
        if !self.branches.is_empty() {
            file.set_string_list(group, "branches", &self.branches)?;
        }
        for (key, value) in [
            ("contenturl", &self.content_url),
            ("custom-backend", &self.custom_backend),
        ] {
            if let Some(value) = value {
                file.set_string(group, key, value)?;
            }
        }
        for (key, value) in &self.set {
            file.set_string(group, key, value)?;
        }
        if self.no_gpg_verify || self.no_sign_verify {
            file.set_boolean(group, "gpg-verify", false)?;
        }
        if self.no_sign_verify {
            file.set_boolean(group, "sign-verify", false)?;
        }
        for SignKey { kind, source } in &self.sign_keys {
            match source {
                SignKeySource::Inline(key) => {
                    file.set_string(group, &format!("verification-{kind}-key"), key)?
                }
                SignKeySource::File(path) => {
                    file.set_string(group, &format!("verification-{kind}-file"), path)?
                }
            }
        }
        if !self.sign_keys.is_empty() {
            let kinds: Vec<&str> = self.sign_keys.iter().map(|k| k.kind.as_str()).collect();
            file.set_string(group, "sign-verify", &kinds.join(","))?;
        }
        if let Some(id) = &self.collection_id {
            file.set_string(group, "collection-id", id)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pinned against `ostree remote add` 2026.4.
    #[test]
    fn key_order() {
        let mut add = Add::new("a", Some(Location::from_arg("http://a.example/x/")));
        add.branches = vec!["b1".into(), "b2".into()];
        add.content_url = Some("http://c/".into());
        add.set = vec![
            ("foo".into(), "bar".into()),
            ("gpg-verify".into(), "true".into()),
            ("url".into(), "zzz".into()),
        ];
        add.no_gpg_verify = true;
        add.collection_id = Some("org.foo".into());
        let mut file = KeyFile::new();
        add.write_to(&mut file).unwrap();
        assert_eq!(
            String::from_utf8(file.to_bytes()).unwrap(),
            "[remote \"a\"]\nurl=zzz\nbranches=b1;b2;\ncontenturl=http://c/\nfoo=bar\ngpg-verify=false\ncollection-id=org.foo\n"
        );
        let mut add = Add::new("d", Some(Location::from_arg("metalink=http://b")));
        add.set = vec![("zz".into(), "1".into())];
        add.sign_keys = vec![
            SignKey::from_arg("dummy=inline:ABC").unwrap(),
            SignKey::from_arg("dummy=file:/ABC").unwrap(),
        ];
        add.no_gpg_verify = true;
        let mut file = KeyFile::new();
        add.write_to(&mut file).unwrap();
        assert_eq!(
            String::from_utf8(file.to_bytes()).unwrap(),
            "[remote \"d\"]\nmetalink=http://b\nzz=1\ngpg-verify=false\nverification-dummy-key=ABC\nverification-dummy-file=/ABC\nsign-verify=dummy,dummy\n"
        );
    }

    #[test]
    fn sign_key_arguments() {
        assert_eq!(
            SignKey::from_arg("foo").unwrap_err(),
            "Failed to parse KEYTYPE=[inline|file]:DATA in foo"
        );
        assert_eq!(
            SignKey::from_arg("foo=inline:A").unwrap_err(),
            "Requested signature type is not implemented"
        );
        assert!(SignKey::from_arg("ed25519=A").is_err());
    }
}
