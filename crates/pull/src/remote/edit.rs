//! Carrying out what adding or deleting a remote changes.

use super::set::Edited;
use super::{Add, RemoteError, Remotes};
use osier_keyfile::KeyFile;
use osier_store::Repo;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The drop-in directory of the repository of the system at `root`; none if `repo` is another one.
#[must_use]
pub fn system_dropins(repo: &Repo, root: &Path) -> Option<PathBuf> {
    let system = std::fs::metadata(root.join("ostree/repo")).ok()?;
    let own = rustix::fs::fstat(repo.dir()).ok()?;
    let same = (system.dev(), system.ino()) == (own.st_dev, own.st_ino);
    same.then(|| root.join("etc/ostree/remotes.d"))
}

impl Remotes {
    /// The remotes of a repository and of its parents. `dropins` is the directory of further files that apply to it,
    /// as [`system_dropins`] finds it.
    ///
    /// # Errors
    /// A drop-in cannot be read, or a remote is configured twice.
    pub fn of(repo: &Repo, dropins: Option<&Path>) -> Result<Remotes, RemoteError> {
        let parent = match repo.parent() {
            Some(parent) => Some(Remotes::of(parent, None)?),
            None => None,
        };
        Remotes::load(repo.config().keyfile.clone(), dropins, parent)
    }

    /// Adds a remote to `repo`, whose remotes these are. True if anything was written.
    ///
    /// # Errors
    /// [`RemoteError::InvalidName`], [`RemoteError::Exists`], or a file cannot be written.
    pub fn add(&self, repo: &Repo, add: &Add) -> Result<bool, RemoteError> {
        let edited = self.plan_add(add)?;
        let changed = !matches!(edited, Edited::Nothing);
        carry_out(repo, edited)?;
        Ok(changed)
    }

    /// Deletes a remote of `repo`, whose remotes these are, and its keyring. Its refs stay.
    ///
    /// # Errors
    /// [`RemoteError::InvalidName`], [`RemoteError::NotFound`], or a file cannot be written.
    pub fn delete(&self, repo: &Repo, name: &str) -> Result<(), RemoteError> {
        carry_out(repo, self.plan_delete(name)?)?;
        let keyring = repo.path().join(format!("{name}.trustedkeys.gpg"));
        match std::fs::remove_file(&keyring) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(RemoteError::Io {
                action: "deleting",
                path: keyring,
                cause,
            }),
            _ => Ok(()),
        }
    }
}

fn carry_out(repo: &Repo, edited: Edited) -> Result<(), RemoteError> {
    match edited {
        Edited::Nothing => Ok(()),
        Edited::Config(file) => Ok(repo.write_config(&file)?),
        Edited::File(path, file) => write_file(&path, &file).map_err(|cause| RemoteError::Io {
            action: "writing",
            path,
            cause,
        }),
        Edited::Unlink(path) => std::fs::remove_file(&path).map_err(|cause| RemoteError::Io {
            action: "deleting",
            path,
            cause,
        }),
    }
}

/// Replaces a file at once, so that a reader sees the old or the new one.
fn write_file(path: &Path, file: &KeyFile) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(dir)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let tmp = dir.join(format!(".{name}.{:x}.tmp", std::process::id()));
    let written = || {
        let mut out = std::fs::File::create(&tmp)?;
        out.write_all(&file.to_bytes())?;
        out.sync_all()?;
        std::fs::rename(&tmp, path)
    };
    written().inspect_err(|_| {
        let _ = std::fs::remove_file(&tmp);
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::Location;
    use osier_store::{CreateOptions, RepoMode};

    #[test]
    fn a_system_repository_is_configured_by_dropins() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("ostree")).unwrap();
        let options = CreateOptions {
            mode: RepoMode::Bare,
            collection_id: None,
        };
        let repo = Repo::create(&dir.path().join("ostree/repo"), &options).unwrap();
        let other = Repo::create(&dir.path().join("other"), &options).unwrap();
        assert_eq!(system_dropins(&other, dir.path()), None);
        let dropins = system_dropins(&repo, dir.path()).unwrap();
        assert_eq!(dropins, dir.path().join("etc/ostree/remotes.d"));
        let config = std::fs::read(repo.path().join("config")).unwrap();
        let add = Add::new("o", Some(Location::Url("http://x".into())));
        assert!(
            Remotes::of(&repo, Some(&dropins))
                .unwrap()
                .add(&repo, &add)
                .unwrap()
        );
        assert_eq!(std::fs::read(repo.path().join("config")).unwrap(), config);
        assert_eq!(
            std::fs::read(dropins.join("o.conf")).unwrap(),
            b"[remote \"o\"]\nurl=http://x\n"
        );
        let remotes = Remotes::of(&repo, Some(&dropins)).unwrap();
        assert_eq!(remotes.get("o").unwrap().url().unwrap(), "http://x");
        std::fs::write(repo.path().join("o.trustedkeys.gpg"), "").unwrap();
        remotes.delete(&repo, "o").unwrap();
        assert!(
            !dropins.join("o.conf").exists() && !repo.path().join("o.trustedkeys.gpg").exists()
        );
    }

    #[test]
    fn another_repository_by_its_config() {
        let dir = tempfile::tempdir().unwrap();
        let options = CreateOptions {
            mode: RepoMode::Archive,
            collection_id: None,
        };
        let repo = Repo::create(&dir.path().join("repo"), &options).unwrap();
        let before = std::fs::read(repo.path().join("config")).unwrap();
        let add = Add::new("o", Some(Location::Url("http://x".into())));
        Remotes::of(&repo, None).unwrap().add(&repo, &add).unwrap();
        let repo = Repo::open(repo.path()).unwrap();
        assert!(Remotes::of(&repo, None).unwrap().get("o").is_ok());
        Remotes::of(&repo, None)
            .unwrap()
            .delete(&repo, "o")
            .unwrap();
        assert_eq!(std::fs::read(repo.path().join("config")).unwrap(), before);
    }
}
