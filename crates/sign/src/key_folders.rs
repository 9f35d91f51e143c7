//! Where keys lie on a machine: in each base folder `trusted.TYPE`, every file of `trusted.TYPE.d`, and likewise
//! `revoked.TYPE` and `revoked.TYPE.d`.

use crate::api::{Error, TrustedKeys};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// No file with keys is larger.
const LIMIT: u64 = 1 << 20;

/// The bytes of a file with keys.
///
/// # Errors
/// It cannot be read, or is larger than 1 MiB.
pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
    read_file(path).map_err(|cause| failed(path, &cause))
}

fn failed(path: &Path, cause: &dyn std::fmt::Display) -> Error {
    Error::File {
        path: path.to_owned(),
        cause: cause.to_string(),
    }
}

fn read_file(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?
        .take(LIMIT + 1)
        .read_to_end(&mut bytes)?;
    match bytes.len() as u64 > LIMIT {
        true => Err(std::io::Error::other("more than 1 MiB")),
        false => Ok(bytes),
    }
}

impl TrustedKeys {
    /// Trusts the keys of the folders and revokes those that they revoke.
    ///
    /// # Errors
    /// A file with revoked keys cannot be read. One with trusted keys is passed over then.
    pub fn load_folders(&mut self, folders: &[PathBuf]) -> Result<(), Error> {
        for path in self.files(folders, "trusted")? {
            // One bad file must not take the other keys away.
            let _ = read(&path).and_then(|bytes| self.add_file(&bytes));
        }
        self.load_revoked(folders)
    }

    /// Revokes the keys that the folders revoke.
    ///
    /// # Errors
    /// A file with revoked keys cannot be read.
    pub fn load_revoked(&mut self, folders: &[PathBuf]) -> Result<(), Error> {
        for path in self.files(folders, "revoked")? {
            let bytes = read(&path)?;
            self.revoke_file(&bytes)
                .map_err(|cause| failed(&path, &cause))?;
        }
        Ok(())
    }

    fn files(&self, folders: &[PathBuf], what: &str) -> Result<Vec<PathBuf>, Error> {
        let name = format!("{what}.{}", self.kind().name());
        let mut found = Vec::new();
        for folder in folders {
            let file = folder.join(&name);
            if file.is_file() {
                found.push(file);
            }
            let dir = folder.join(format!("{name}.d"));
            let entries = match std::fs::read_dir(&dir) {
                Ok(entries) => entries,
                Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                    continue;
                }
                Err(e) => return Err(failed(&dir, &e)),
            };
            let mut inside = Vec::new();
            for entry in entries {
                let path = entry.map_err(|e| failed(&dir, &e))?.path();
                if path.is_file() {
                    inside.push(path);
                }
            }
            inside.sort();
            found.extend(inside);
        }
        Ok(found)
    }
}
