//! `--version`: YAML, read by scripts.

/// The version of the C tool whose commands, options and output this program has.
pub const COMPATIBLE_WITH: &str = "2026.4";

/// What works here, by the names scripts look for. Nothing is listed that is not built.
pub const FEATURES: &[&str] = &[
    "inode64",
    "gpgme",
    "composefs",
    "libarchive",
    "selinux",
    "sign-ed25519",
    "sign-spki",
    "release",
];

/// The text of `--version`.
#[must_use]
pub fn text() -> String {
    let mut text = format!("libostree:\n Version: '{COMPATIBLE_WITH}'\n Features:\n");
    for feature in FEATURES {
        text.push_str("  - ");
        text.push_str(feature);
        text.push('\n');
    }
    text.push_str(&format!(
        "osier:\n Version: '{}'\n",
        env!("CARGO_PKG_VERSION")
    ));
    text
}
