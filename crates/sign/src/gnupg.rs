//! Secret keys stay with GnuPG: signing, and exporting a user's keys, is done by the program `gpg`.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why `gpg` did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GnupgError {
    /// There is no such program.
    #[error("running gpg: the program is not installed; signing needs GnuPG, verifying does not")]
    NotInstalled,
    /// It could not be run or talked to.
    #[error("running gpg: {0}")]
    Run(#[source] io::Error),
    /// No secret key, or no key, has this name.
    #[error("No gpg key found with ID {id} (homedir: {homedir})")]
    NoKey {
        /// What was asked for.
        id: String,
        /// Where it was looked for.
        homedir: String,
    },
    /// Several secret keys have this name.
    #[error("gpg key id {id} ambiguous (homedir: {homedir}). Try the fingerprint instead")]
    Ambiguous {
        /// What was asked for.
        id: String,
        /// Where it was looked for.
        homedir: String,
    },
    /// Names of keys have eight characters at least, as key IDs do.
    #[error("Unable to lookup key ID {0}: Invalid value")]
    ShortName(String),
    /// It failed.
    #[error("{action}: {said}")]
    Failed {
        /// What it was to do.
        action: &'static str,
        /// The last it said.
        said: String,
    },
}

/// The user's GnuPG, with a home folder of its own if one is named.
#[derive(Clone, Debug, Default)]
pub struct Gnupg {
    homedir: Option<PathBuf>,
}

/// What a run left.
struct Ran {
    success: bool,
    out: Vec<u8>,
    said: String,
}

impl Gnupg {
    /// GnuPG with this home folder; none for the user's own (`$GNUPGHOME`, `~/.gnupg`).
    #[must_use]
    pub fn new(homedir: Option<&Path>) -> Gnupg {
        // The agent is found by the path of the folder, which must not depend on where a program runs.
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Gnupg {
            homedir: homedir.map(absolute),
        }
    }

    /// Makes a detached signature of `data`, in the binary form, with the secret key that `key` names.
    ///
    /// # Errors
    /// There is no such secret key, or it cannot be used.
    pub fn sign(&self, key: &str, data: &[u8]) -> Result<Vec<u8>, GnupgError> {
        let fingerprint = self.secret_key(key)?;
        // With a key ID of a subkey and `!`, that very subkey signs; else the primary key's newest signing subkey.
        let user = match key.ends_with('!') {
            true => key,
            false => fingerprint.as_str(),
        };
        let arguments = [
            "--detach-sign",
            "--no-armor",
            "--local-user",
            user,
            "--output",
            "-",
        ];
        let ran = self.run(&arguments, Some(data))?;
        match ran.success && !ran.out.is_empty() {
            true => Ok(ran.out),
            false => Err(failed("signing", &ran)),
        }
    }

    /// The fingerprint of the one secret key that `key` names: a fingerprint, a key ID, or a part of a user ID.
    ///
    /// # Errors
    /// There is no such key, or more than one.
    pub fn secret_key(&self, key: &str) -> Result<String, GnupgError> {
        if key.chars().count() < 8 {
            return Err(GnupgError::ShortName(key.to_owned()));
        }
        let ran = self.run(&["--list-secret-keys", "--with-colons", "--", key], None)?;
        let text = String::from_utf8_lossy(&ran.out);
        let mut fingerprints = Vec::new();
        let mut of_primary = false;
        for line in text.lines() {
            let mut fields = line.split(':');
            match fields.next() {
                Some("sec") => of_primary = true,
                Some("fpr") if std::mem::take(&mut of_primary) => {
                    fingerprints.extend(fields.nth(8).map(str::to_owned));
                }
                _ => {}
            }
        }
        match fingerprints.len() {
            0 => Err(self.no_key(key)),
            1 => Ok(fingerprints.remove(0)),
            _ => Err(GnupgError::Ambiguous {
                id: key.to_owned(),
                homedir: self.home_name(),
            }),
        }
    }

    /// The public keys of the user that `keys` name, or all of them, as a binary keyring.
    ///
    /// # Errors
    /// A name has no key, or there is none at all.
    pub fn export(&self, keys: &[String]) -> Result<Vec<u8>, GnupgError> {
        for key in keys {
            let known = self.run(&["--list-keys", "--with-colons", "--", key], None)?;
            if !known.success {
                return Err(self.no_key(key));
            }
        }
        let mut arguments = vec!["--export", "--"];
        arguments.extend(keys.iter().map(String::as_str));
        let ran = self.run(&arguments, None)?;
        match ran.success {
            true => Ok(ran.out),
            false => Err(failed("exporting keys", &ran)),
        }
    }

    fn no_key(&self, key: &str) -> GnupgError {
        GnupgError::NoKey {
            id: key.to_owned(),
            homedir: self.home_name(),
        }
    }

    fn home_name(&self) -> String {
        match &self.homedir {
            Some(path) => path.display().to_string(),
            None => "<default>".to_owned(),
        }
    }

    fn run(&self, arguments: &[&str], input: Option<&[u8]>) -> Result<Ran, GnupgError> {
        let mut command = Command::new("gpg");
        if let Some(homedir) = &self.homedir {
            command.arg("--homedir").arg(homedir);
        }
        // Without a terminal of its own gpg may still ask for a passphrase through its agent.
        command
            .args(["--batch", "--no-tty", "--quiet"])
            .args(arguments)
            .stdin(match input {
                Some(_) => Stdio::piped(),
                None => Stdio::null(),
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound => GnupgError::NotInstalled,
            _ => GnupgError::Run(cause),
        })?;
        let stdin = child.stdin.take();
        let stderr = child.stderr.take();
        let (mut out, mut said) = (Vec::new(), Vec::new());
        // All three at once: none of them may fill up while another is waited for.
        let done = std::thread::scope(|scope| {
            scope.spawn(move || {
                if let (Some(mut stdin), Some(input)) = (stdin, input) {
                    // One that stops reading says why on its own.
                    let _ = stdin.write_all(input);
                }
            });
            scope.spawn(|| stderr.map(|mut stderr| stderr.read_to_end(&mut said)));
            match child.stdout.take() {
                Some(mut stdout) => stdout.read_to_end(&mut out),
                None => Ok(0),
            }
        });
        done.map_err(GnupgError::Run)?;
        let status = child.wait().map_err(GnupgError::Run)?;
        Ok(Ran {
            success: status.success(),
            out,
            said: String::from_utf8_lossy(&said).trim_end().to_owned(),
        })
    }
}

fn failed(action: &'static str, ran: &Ran) -> GnupgError {
    GnupgError::Failed {
        action,
        said: ran
            .said
            .lines()
            .last()
            .unwrap_or("no reason given")
            .to_owned(),
    }
}
