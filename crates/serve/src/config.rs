//! The configuration as clients see it.

use osier_keyfile::KeyFile;

/// Keys of `[core]` that clients look at. Everything else stays here: remotes may hold passwords, and where the parent
/// repository lies is nobody's business.
const SHOWN: [&str; 6] = [
    "repo_version",
    "mode",
    "collection-id",
    "tombstone-commits",
    "indexed-deltas",
    "no-deltas-in-summary",
];

/// The part of a repository's configuration that is served.
pub(crate) fn shown(config: &KeyFile) -> Vec<u8> {
    let mut shown = KeyFile::default();
    for key in SHOWN {
        if let Ok(value) = config.string("core", key) {
            // It was a value of a key file, so it can be one again.
            let _ = shown.set_string("core", key, &value);
        }
    }
    shown.to_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_stay() {
        let text = "[core]\nrepo_version=1\nmode=archive-z2\nparent=/srv/private\ncollection-id=org.example.Os\n\
                    [remote \"up\"]\nurl=https://user:secret@example.org/\ntls-client-key-path=/etc/key.pem\n";
        let shown = String::from_utf8(shown(&KeyFile::parse(text.as_bytes()).unwrap())).unwrap();
        assert_eq!(
            shown,
            "[core]\nrepo_version=1\nmode=archive-z2\ncollection-id=org.example.Os\n"
        );
    }
}
