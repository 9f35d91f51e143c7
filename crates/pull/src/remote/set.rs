//! All remotes of a repository, and where each is configured.

use super::add::{Add, IfExists};
use super::{Remote, RemoteError, group, name_of_group};
use osier_keyfile::KeyFile;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Where a remote is configured.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Place {
    /// The repository's `config`.
    Config,
    /// A file of `remotes.d`.
    DropIn(PathBuf),
}

/// The remotes of a repository: its `config`, the drop-ins that apply to it, and its parents' remotes.
#[derive(Clone, Debug)]
pub struct Remotes {
    config: KeyFile,
    /// Drop-ins, sorted by name.
    dropins: Vec<(PathBuf, KeyFile)>,
    dropin_dir: Option<PathBuf>,
    places: BTreeMap<String, Place>,
    parent: Option<Box<Remotes>>,
}

/// What an edit left to be written by the caller, who owns the repository's `config`.
#[derive(Debug)]
pub(crate) enum Edited {
    Config(KeyFile),
    File(PathBuf, KeyFile),
    Unlink(PathBuf),
    Nothing,
}

impl Remotes {
    /// Collects the remotes of `config`, of the `*.conf` files in `dropin_dir` (where the repository has such a
    /// directory; it need not exist), and of the parent repository.
    ///
    /// # Errors
    /// A drop-in cannot be read, or a remote is configured twice.
    pub fn load(
        config: KeyFile,
        dropin_dir: Option<&Path>,
        parent: Option<Remotes>,
    ) -> Result<Remotes, RemoteError> {
        let mut dropins = Vec::new();
        if let Some(dir) = dropin_dir {
            for path in conf_files(dir)? {
                let data = std::fs::read(&path).map_err(|cause| RemoteError::Io {
                    action: "reading",
                    path: path.clone(),
                    cause,
                })?;
                let file = KeyFile::parse(&data).map_err(|cause| RemoteError::Parse {
                    path: path.clone(),
                    cause,
                })?;
                dropins.push((path, file));
            }
        }
        let mut places = BTreeMap::new();
        let all = std::iter::once((Place::Config, &config)).chain(
            dropins
                .iter()
                .map(|(path, file)| (Place::DropIn(path.clone()), file)),
        );
        for (place, file) in all {
            for name in file.groups().filter_map(name_of_group) {
                if places.insert(name.to_owned(), place.clone()).is_some() {
                    return Err(RemoteError::Multiple(name.to_owned()));
                }
            }
        }
        Ok(Remotes {
            config,
            dropins,
            dropin_dir: dropin_dir.map(Path::to_owned),
            places,
            parent: parent.map(Box::new),
        })
    }

    /// The names, sorted, those of the parents included.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.places.keys().map(String::as_str).collect();
        if let Some(parent) = &self.parent {
            names.extend(parent.names());
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Where this repository itself configures a remote.
    #[must_use]
    pub fn place(&self, name: &str) -> Option<&Place> {
        self.places.get(name)
    }

    /// A remote by name.
    ///
    /// # Errors
    /// [`RemoteError::NotFound`].
    pub fn get(&self, name: &str) -> Result<Remote, RemoteError> {
        let mut layers = Vec::new();
        let mut next = Some(self);
        while let Some(set) = next {
            match set.places.get(name) {
                Some(Place::Config) => layers.push(&set.config),
                Some(Place::DropIn(path)) => layers.extend(set.dropin(path)),
                None => {}
            }
            next = set.parent.as_deref();
        }
        if layers.is_empty() {
            return Err(RemoteError::NotFound(name.to_owned()));
        }
        let layers = layers.into_iter().cloned().collect();
        Ok(Remote::new(name, layers, self.dropin_dir.clone()))
    }

    fn dropin(&self, path: &Path) -> Option<&KeyFile> {
        self.dropins
            .iter()
            .find(|(p, _)| p == path)
            .map(|(_, file)| file)
    }

    /// What adding a remote changes. A repository with a drop-in directory gets a file of its own there.
    pub(crate) fn plan_add(&self, add: &Add) -> Result<Edited, RemoteError> {
        let name = &add.name;
        if osier_object::refs::validate_remote_name(name).is_err() {
            return Err(RemoteError::InvalidName(name.clone()));
        }
        if let Some(place) = self.places.get(name) {
            match add.if_exists {
                IfExists::Keep => return Ok(Edited::Nothing),
                IfExists::Fail => {
                    let place = match place {
                        Place::Config => "(in config)".to_owned(),
                        Place::DropIn(path) => path.display().to_string(),
                    };
                    return Err(RemoteError::Exists {
                        name: name.clone(),
                        place,
                    });
                }
                IfExists::Replace => {}
            }
        }
        let edit = |mut file: KeyFile| {
            if file.has_group(&group(name)) {
                file.remove_group(&group(name))?;
            }
            // With nothing else in it, the file is written as a new one.
            if file.groups().next().is_none() {
                file = KeyFile::new();
            }
            add.write_to(&mut file)?;
            Ok::<_, RemoteError>(file)
        };
        match (self.places.get(name), &self.dropin_dir) {
            (Some(Place::DropIn(path)), _) => {
                let file = self.dropin(path).cloned().unwrap_or_default();
                Ok(Edited::File(path.clone(), edit(file)?))
            }
            (None, Some(dir)) if self.adds_to_dropins()? => Ok(Edited::File(
                dir.join(format!("{name}.conf")),
                edit(KeyFile::new())?,
            )),
            _ => Ok(Edited::Config(edit(self.stripped_config())?)),
        }
    }

    /// What deleting a remote changes. Only a drop-in with nothing else in it is unlinked.
    pub(crate) fn plan_delete(&self, name: &str) -> Result<Edited, RemoteError> {
        if osier_object::refs::validate_remote_name(name).is_err() {
            return Err(RemoteError::InvalidName(name.to_owned()));
        }
        match self.places.get(name) {
            None => Err(RemoteError::NotFound(name.to_owned())),
            Some(Place::Config) => {
                let mut file = self.stripped_config();
                file.remove_group(&group(name))?;
                Ok(Edited::Config(file))
            }
            Some(Place::DropIn(path)) => {
                let mut file = self.dropin(path).cloned().unwrap_or_default();
                file.remove_group(&group(name))?;
                // The C tool unlinks the file even when it configures other remotes too; losing those is a bug.
                if file.groups().next().is_some() {
                    Ok(Edited::File(path.clone(), file))
                } else {
                    Ok(Edited::Unlink(path.clone()))
                }
            }
        }
    }

    /// The C tool keeps no comments when it writes `config`, and byte equality is the promise.
    fn stripped_config(&self) -> KeyFile {
        let mut file = self.config.clone();
        file.strip_comments();
        file
    }

    fn adds_to_dropins(&self) -> Result<bool, RemoteError> {
        use osier_keyfile::Optional;
        Ok(self
            .config
            .boolean("core", "add-remotes-config-dir")
            .optional()?
            .unwrap_or(true))
    }
}

/// The regular `*.conf` files of a directory, sorted.
fn conf_files(dir: &Path) -> Result<Vec<PathBuf>, RemoteError> {
    let fail = |cause| RemoteError::Io {
        action: "reading",
        path: dir.to_owned(),
        cause,
    };
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(fail(e)),
    };
    let mut out = Vec::new();
    for entry in entries {
        let entry = entry.map_err(fail)?;
        if entry.path().extension().is_some_and(|e| e == "conf")
            && entry.file_type().map_err(fail)?.is_file()
        {
            out.push(entry.path());
        }
    }
    out.sort();
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::Location;
    use super::*;

    fn key_file(text: &str) -> KeyFile {
        KeyFile::parse(text.as_bytes()).unwrap()
    }

    fn add(name: &str) -> Add {
        Add::new(name, Some(Location::Url("http://x".into())))
    }

    #[test]
    fn lists_config_dropins_and_parent() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(
            dir.path().join("b.conf"),
            "[remote \"b\"]\nurl=http://b\n[remote \"c\"]\nurl=http://c\n",
        )
        .unwrap();
        std::fs::write(dir.path().join("ignored.txt"), "[remote \"z\"]\n").unwrap();
        std::fs::create_dir(dir.path().join("dir.conf")).unwrap();
        let parent = Remotes::load(
            key_file("[remote \"p\"]\nurl=http://p\n[remote \"a\"]\nbranches=x\n"),
            None,
            None,
        );
        let set = Remotes::load(
            key_file("[remote \"a\"]\nurl=http://a\n"),
            Some(dir.path()),
            parent.ok(),
        )
        .unwrap();
        assert_eq!(set.names(), ["a", "b", "c", "p"]);
        assert_eq!(set.get("a").unwrap().branches().unwrap(), ["x"]);
        assert_eq!(set.get("p").unwrap().url().unwrap(), "http://p");
        assert_eq!(set.get("c").unwrap().url().unwrap(), "http://c");
        assert_eq!(
            set.get("z").unwrap_err().to_string(),
            "Remote \"z\" not found"
        );
        // Deleting what a parent configures is not this repository's business.
        assert!(matches!(
            set.plan_delete("p"),
            Err(RemoteError::NotFound(_))
        ));
    }

    #[test]
    fn a_remote_configured_twice_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.conf"), "[remote \"a\"]\nurl=http://b\n").unwrap();
        let err = Remotes::load(
            key_file("[remote \"a\"]\nurl=http://a\n"),
            Some(dir.path()),
            None,
        )
        .unwrap_err();
        assert_eq!(
            err.to_string(),
            "Multiple specifications found for remote \"a\""
        );
    }

    #[test]
    fn adds_to_the_dropin_directory_where_there_is_one() {
        let dir = tempfile::tempdir().unwrap();
        let set = Remotes::load(key_file("[core]\nmode=bare\n"), Some(dir.path()), None).unwrap();
        let Edited::File(path, file) = set.plan_add(&add("new")).unwrap() else {
            panic!("no drop-in")
        };
        assert_eq!(path, dir.path().join("new.conf"));
        assert_eq!(file.to_bytes(), b"[remote \"new\"]\nurl=http://x\n");
        let set = Remotes::load(
            key_file("[core]\nadd-remotes-config-dir=false\n"),
            Some(dir.path()),
            None,
        )
        .unwrap();
        assert!(matches!(
            set.plan_add(&add("new")).unwrap(),
            Edited::Config(_)
        ));
    }

    #[test]
    fn deleting_leaves_the_other_remotes_of_a_dropin() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(
            dir.path().join("b.conf"),
            "[remote \"b\"]\nurl=http://b\n[remote \"c\"]\nurl=http://c\n",
        )
        .unwrap();
        std::fs::write(dir.path().join("d.conf"), "[remote \"d\"]\nurl=http://b\n").unwrap();
        let set = Remotes::load(KeyFile::new(), Some(dir.path()), None).unwrap();
        let Edited::File(_, file) = set.plan_delete("b").unwrap() else {
            panic!("c is lost")
        };
        assert_eq!(file.to_bytes(), b"[remote \"c\"]\nurl=http://c\n");
        assert!(matches!(set.plan_delete("d").unwrap(), Edited::Unlink(_)));
    }

    #[test]
    fn existing_names_fail_stay_or_are_replaced() {
        let set = Remotes::load(
            key_file("# note\n[remote \"a\"]\nurl=http://a\n\n[x]\ny=1\n"),
            None,
            None,
        )
        .unwrap();
        let mut add = add("a");
        assert_eq!(
            set.plan_add(&add).unwrap_err().to_string(),
            "Remote configuration for \"a\" already exists: (in config)"
        );
        add.if_exists = IfExists::Keep;
        assert!(matches!(set.plan_add(&add).unwrap(), Edited::Nothing));
        add.if_exists = IfExists::Replace;
        let Edited::Config(file) = set.plan_add(&add).unwrap() else {
            panic!("not in config")
        };
        assert_eq!(
            file.to_bytes(),
            b"[x]\ny=1\n\n[remote \"a\"]\nurl=http://x\n"
        );
    }

    #[test]
    fn names_are_checked() {
        let set = Remotes::load(KeyFile::new(), None, None).unwrap();
        for name in ["", "a/b", "../x", "a b", "-a", ".a"] {
            assert!(
                matches!(set.plan_add(&add(name)), Err(RemoteError::InvalidName(_))),
                "{name:?}"
            );
            assert!(
                matches!(set.plan_delete(name), Err(RemoteError::InvalidName(_))),
                "{name:?}"
            );
        }
    }
}
