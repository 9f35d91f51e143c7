//! The OpenPGP keys that may sign what a remote has.
//!
//! A remote has a keyring of its own, `NAME.trustedkeys.gpg`, in the repository, beside the drop-ins, or in a parent
//! repository: the first that is there counts. Without one, the keyrings of the system count. `gpgkeypath` of its
//! configuration names further keys in either case.

use super::{Remote, RemoteError};
use osier_sign::openpgp::{Keyring, MAX_BYTES};
use osier_store::Repo;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// GnuPG's own files in a folder of keyrings, which are none.
const NO_KEYRINGS: [&str; 2] = ["secring.gpg", "trustdb.gpg"];

impl Remote {
    /// The keys that may sign for this remote of `repo`. `global` is the folder of the system's keyrings.
    ///
    /// # Errors
    /// A keyring that is there cannot be read; a path of `gpgkeypath` is missing.
    pub fn keyring(&self, repo: &Repo, global: Option<&Path>) -> Result<Keyring, RemoteError> {
        let mut keys = match self.own_keyring(repo)? {
            Some(keys) => keys,
            None => match global {
                Some(dir) => keyrings_in(dir)?,
                None => Keyring::new(),
            },
        };
        for path in self.gpg_key_paths()? {
            keys.merge(keys_at(Path::new(&path))?);
        }
        Ok(keys)
    }

    /// The keys imported for this remote; none if it has no keyring of its own.
    ///
    /// # Errors
    /// The keyring cannot be read.
    pub fn own_keyring(&self, repo: &Repo) -> Result<Option<Keyring>, RemoteError> {
        let name = file_name(self.name());
        let dirs = std::iter::once(repo.path()).chain(self.dropin_dir.as_deref());
        for path in dirs.map(|dir| dir.join(&name)) {
            if let Some(keys) = read(&path)? {
                return Ok(Some(keys));
            }
        }
        match repo.parent() {
            Some(parent) => self.own_keyring(parent),
            None => Ok(None),
        }
    }

    /// Adds `keys` to the keyring of this remote in `repo`, and tells how many are new.
    ///
    /// # Errors
    /// The keyring cannot be read or written.
    pub fn import_keys(&self, repo: &Repo, keys: Keyring) -> Result<usize, RemoteError> {
        let path = repo.path().join(file_name(self.name()));
        let mut known = read(&path)?.unwrap_or_default();
        let new = known.merge(keys);
        write(&path, &known.to_bytes()).map_err(|cause| RemoteError::Io {
            action: "writing",
            path,
            cause,
        })?;
        Ok(new)
    }

    /// `gpgkeypath`: paths separated by `;` or by `,`, not both.
    fn gpg_key_paths(&self) -> Result<Vec<String>, RemoteError> {
        let Some(text) = self.string("gpgkeypath")? else {
            return Ok(Vec::new());
        };
        let separator = match (text.contains(';'), text.contains(',')) {
            (true, true) => return Err(RemoteError::Separators),
            (true, false) => ';',
            (false, _) => ',',
        };
        // One at the end ends the last; one in front is preceded by an empty path.
        let text = text.strip_suffix(separator).unwrap_or(&text);
        Ok(text.split(separator).map(str::to_owned).collect())
    }
}

/// The keys of all keyrings, `*.gpg`, in a folder; none if there is no such folder.
///
/// # Errors
/// The folder or one of its files cannot be read.
pub fn keyrings_in(dir: &Path) -> Result<Keyring, RemoteError> {
    let mut keys = Keyring::new();
    match files_in(dir) {
        Ok(paths) => {
            for path in paths {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                if name.ends_with(".gpg") && !NO_KEYRINGS.contains(&&*name) {
                    keys.merge(read_lenient(&path)?);
                }
            }
        }
        Err(e)
            if matches!(
                e.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) => {}
        Err(cause) => return Err(reading(dir, cause)),
    }
    Ok(keys)
}

/// The name of a remote's keyring.
pub(super) fn file_name(remote: &str) -> String {
    format!("{remote}.trustedkeys.gpg")
}

/// The keys of a file, or of the files in a folder.
fn keys_at(path: &Path) -> Result<Keyring, RemoteError> {
    let missing = |cause| RemoteError::KeyPath {
        path: path.display().to_string(),
        cause,
    };
    if !std::fs::metadata(path).map_err(missing)?.is_dir() {
        return read_lenient(path);
    }
    let mut keys = Keyring::new();
    for file in files_in(path).map_err(missing)? {
        keys.merge(read_lenient(&file)?);
    }
    Ok(keys)
}

/// The regular files of a folder, sorted.
fn files_in(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        // What vanished meanwhile is as good as never there.
        if std::fs::metadata(&path).is_ok_and(|metadata| metadata.is_file()) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// A keyring; one that is none holds no keys.
fn read_lenient(path: &Path) -> Result<Keyring, RemoteError> {
    match read(path) {
        Ok(keys) => Ok(keys.unwrap_or_default()),
        Err(RemoteError::Keyring { path, cause }) => {
            tracing::warn!(path = %path.display(), %cause, "passing over a keyring");
            Ok(Keyring::new())
        }
        Err(e) => Err(e),
    }
}

/// A keyring, if the file is there.
fn read(path: &Path) -> Result<Option<Keyring>, RemoteError> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(reading(path, cause)),
    };
    let mut bytes = Vec::new();
    file.take(MAX_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|cause| reading(path, cause))?;
    match Keyring::from_bytes(&bytes) {
        Ok(keys) => Ok(Some(keys)),
        Err(cause) => Err(RemoteError::Keyring {
            path: path.to_owned(),
            cause,
        }),
    }
}

fn reading(path: &Path, cause: io::Error) -> RemoteError {
    RemoteError::Io {
        action: "reading",
        path: path.to_owned(),
        cause,
    }
}

/// Replaces a file at once.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let tmp = path.with_extension(format!("gpg.{:x}.tmp", std::process::id()));
    let written = || {
        let mut file = std::fs::File::create(&tmp)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&tmp, path)
    };
    written().inspect_err(|_| {
        let _ = std::fs::remove_file(&tmp);
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use osier_keyfile::KeyFile;

    fn remote(keys: &str) -> Remote {
        let text = format!("[remote \"r\"]\n{keys}");
        Remote::new("r", vec![KeyFile::parse(text.as_bytes()).unwrap()], None)
    }

    #[test]
    fn key_paths_have_one_separator() {
        let paths = |text: &str| remote(&format!("gpgkeypath={text}\n")).gpg_key_paths();
        assert_eq!(paths("/a;/b").unwrap(), ["/a", "/b"]);
        assert_eq!(paths("/a,/b,").unwrap(), ["/a", "/b"]);
        assert_eq!(paths(",/b").unwrap(), ["", "/b"]);
        assert_eq!(paths("").unwrap(), [""]);
        assert_eq!(
            paths("/a,/b;/c").unwrap_err().to_string(),
            "key value list contains more than one separator"
        );
        assert!(remote("").gpg_key_paths().unwrap().is_empty());
    }

    #[test]
    fn a_missing_key_path_is_an_error_and_other_files_are_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("missing");
        let error = keys_at(&missing).unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "opendir({}): No such file or directory (os error 2)",
                missing.display()
            )
        );
        std::fs::write(dir.path().join("note.txt"), "no key\n").unwrap();
        std::fs::create_dir(dir.path().join("sub")).unwrap();
        assert!(keys_at(dir.path()).unwrap().is_empty());
        assert!(keyrings_in(&missing).unwrap().is_empty());
    }
}
