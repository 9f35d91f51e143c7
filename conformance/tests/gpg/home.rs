//! A GnuPG home with keys of every fate, made for a test.

use osier_testkit::skip;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// When keys are made that have a past: long before any test runs.
const MADE: &str = "20200101T000000";
/// When such keys sign.
const SIGNED: &str = "20200201T000000";

pub struct Home {
    path: PathBuf,
}

impl Drop for Home {
    fn drop(&mut self) {
        // The agent that gpg started stays otherwise.
        let _ = Command::new("gpgconf")
            .arg("--homedir")
            .arg(&self.path)
            .args(["--kill", "all"])
            .output();
    }
}

impl Home {
    /// An empty home; none, said aloud, where there is no gpg.
    pub fn new(path: PathBuf) -> Option<Home> {
        if Command::new("gpg").arg("--version").output().is_err() {
            skip::because("no gpg (Debian package gnupg)");
            return None;
        }
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        Some(Home { path })
    }

    pub fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }

    pub fn gpg(&self, args: &[&str]) -> Vec<u8> {
        let output = Command::new("gpg")
            .arg("--homedir")
            .arg(&self.path)
            .args(["--batch", "--quiet", "--yes", "--no-tty"])
            .args(["--pinentry-mode", "loopback", "--passphrase", ""])
            .args(args)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "gpg {args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    }

    fn past(&self, args: &[&str]) {
        self.gpg(&[&["--faked-system-time", MADE], args].concat());
    }

    /// A key for `NAME <NAME@example.org>` of the past.
    pub fn old_key(&self, name: &str, algorithm: &str, expires: &str) {
        let user = format!("{name} <{name}@example.org>");
        self.past(&["--quick-generate-key", &user, algorithm, "sign", expires]);
    }

    /// A subkey for signing.
    pub fn old_subkey(&self, name: &str, algorithm: &str, expires: &str) {
        self.past(&[
            "--quick-add-key",
            &self.fingerprint(name),
            algorithm,
            "sign",
            expires,
        ]);
    }

    /// Lets a key expire in the year 2021.
    pub fn expire(&self, name: &str) {
        self.set_expiry(name, SIGNED, "20210101T000000");
    }

    /// Lets it never expire again.
    pub fn unexpire(&self, name: &str) {
        self.set_expiry(name, "20200301T000000", "0");
    }

    fn set_expiry(&self, name: &str, now: &str, time: &str) {
        let fingerprint = self.fingerprint(name);
        self.gpg(&[
            "--faked-system-time",
            now,
            "--quick-set-expire",
            &fingerprint,
            time,
        ]);
    }

    /// Imports the revocation that gpg made along with the key.
    pub fn revoke(&self, name: &str) {
        let file = self
            .path
            .join("openpgp-revocs.d")
            .join(format!("{}.rev", self.fingerprint(name)));
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace(":-----BEGIN", "-----BEGIN")).unwrap();
        self.gpg(&["--import", file.to_str().unwrap()]);
    }

    /// The fingerprint of the primary key of `NAME@example.org`.
    pub fn fingerprint(&self, name: &str) -> String {
        let listed = self.gpg(&[
            "--with-colons",
            "--list-keys",
            &format!("<{name}@example.org>"),
        ]);
        let listed = String::from_utf8(listed).unwrap();
        let line = listed
            .lines()
            .find(|line| line.starts_with("fpr:"))
            .unwrap();
        line.split(':').nth(9).unwrap().to_owned()
    }

    /// A detached signature, made in 2020.
    pub fn sign(&self, name: &str, data: &Path, more: &[&str]) -> Vec<u8> {
        let user = format!("<{name}@example.org>");
        let mut args = vec!["--faked-system-time", SIGNED, "--local-user", &user];
        args.extend(more);
        args.extend(["--output", "-", "--detach-sign", data.to_str().unwrap()]);
        self.gpg(&args)
    }

    /// Writes a keyring with the keys of these names.
    pub fn export(&self, names: &[&str], file: &Path, armored: bool) {
        let mut args = vec!["--export"];
        if armored {
            args.insert(0, "--armor");
        }
        let users: Vec<String> = names.iter().map(|n| format!("<{n}@example.org>")).collect();
        args.extend(users.iter().map(String::as_str));
        fs::write(file, self.gpg(&args)).unwrap();
    }
}
