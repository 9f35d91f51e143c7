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

/// The part of a repository's configuration that is served. Whatever its mode, what clients get is an archive.
pub(crate) fn shown(config: &KeyFile) -> Vec<u8> {
    let mut shown = KeyFile::default();
    for key in SHOWN {
        if key == "mode" {
            let spelt = config.string("core", key).unwrap_or_default();
            let value = match spelt.starts_with("archive") {
                true => spelt.as_str(),
                false => "archive-z2",
            };
            let _ = shown.set_string("core", key, value);
        } else if let Ok(value) = config.string("core", key) {
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

    #[test]
    fn every_mode_looks_like_an_archive() {
        let of = |text: &str| {
            let keys = KeyFile::parse(text.as_bytes()).unwrap();
            String::from_utf8(shown(&keys)).unwrap()
        };
        let archive = "[core]\nrepo_version=1\nmode=archive-z2\n";
        assert_eq!(of("[core]\nrepo_version=1\nmode=bare-user\n"), archive);
        assert_eq!(of("[core]\nrepo_version=1\n"), archive);
        assert_eq!(of("[core]\nmode=archive\n"), "[core]\nmode=archive\n");
    }
}
