//! Repairing from any source of objects, also from one that lies.

mod common;

use common::{MODES, commit_dir, create};
use osier_object::{Checksum, ContentId, ObjectName, ObjectType};
use osier_store::fsck::{self, FsckOptions, Lines, ObjectSource, RepoSource, SourceContent};
use osier_store::parallel::Cancel;
use osier_store::{ReadObjects, Repo, RepoMode, Result};
use osier_testkit::repo::object_names;
use osier_testkit::trees;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

/// An archive's objects in memory, and which of them were asked for.
struct Memory {
    objects: BTreeMap<String, Vec<u8>>,
    asked: Mutex<Vec<String>>,
}

impl Memory {
    fn of(archive: &Path) -> Memory {
        let names = object_names(archive).unwrap();
        let read = |name: String| {
            let bytes = fs::read(archive.join("objects").join(&name)).unwrap();
            (name, bytes)
        };
        Memory {
            objects: names.into_iter().map(read).collect(),
            asked: Mutex::default(),
        }
    }

    fn get(&self, name: &ObjectName) -> Option<Vec<u8>> {
        let path = name.loose_path(true);
        let found = self.objects.get(&path).cloned();
        self.asked.lock().unwrap().push(path);
        found
    }
}

impl ObjectSource for Memory {
    fn name(&self) -> &str {
        "memory"
    }

    fn metadata(&self, ty: ObjectType, checksum: &Checksum) -> Result<Option<Vec<u8>>> {
        Ok(self.get(&ObjectName::new(*checksum, ty)))
    }

    fn content(&self, id: &ContentId) -> Result<Option<SourceContent>> {
        let found = self.get(&id.object_name());
        Ok(found.map(|bytes| SourceContent::Packed {
            stored: bytes.len() as u64,
            stream: Box::new(std::io::Cursor::new(bytes)),
        }))
    }
}

fn repair(repo: &Repo, sources: &[&dyn ObjectSource]) -> (fsck::FsckOutcome, Vec<String>) {
    let lines = Lines::default();
    let options = FsckOptions::default();
    let outcome = fsck::repair(repo, &options, sources, &lines, &Cancel::default()).unwrap();
    let lines = lines.take().into_iter().map(|(_, line)| line).collect();
    (outcome, lines)
}

/// The same commit in an archive and in a repository of the mode.
fn two(dir: &Path, mode: RepoMode) -> (Repo, Repo) {
    let tree = trees::hard_links(&dir.join("tree")).unwrap();
    let archive = create(&dir.join("archive"), RepoMode::Archive);
    let repo = create(&dir.join("repo"), mode);
    let ids = [&archive, &repo].map(|repo| commit_dir(repo, "main", tree.path(), 1));
    if mode != RepoMode::BareUserOnly {
        assert_eq!(ids[0], ids[1]);
    }
    (archive, repo)
}

#[test]
fn whatever_has_objects_can_repair() {
    for mode in MODES {
        // Owners and attributes are left out there, and with them the objects are others.
        if mode == RepoMode::BareUserOnly
            || (mode == RepoMode::Bare && !osier_testkit::skip::is_root())
        {
            continue;
        }
        let dir = tempfile::tempdir().unwrap();
        let (archive, repo) = two(dir.path(), mode);
        let source = Memory::of(archive.path());
        let names = object_names(repo.path()).unwrap();
        for name in &names {
            fs::remove_file(repo.path().join("objects").join(name)).unwrap();
        }
        let (outcome, lines) = repair(&repo, &[&source]);
        assert_eq!(outcome.repaired, names.len() as u64, "{lines:#?}");
        assert_eq!((outcome.bad, outcome.partial), (0, 0));
        outcome.verdict().unwrap();
        assert_eq!(object_names(repo.path()).unwrap(), names);
        // A sound repository asks for nothing but detached metadata.
        source.asked.lock().unwrap().clear();
        assert_eq!(repair(&repo, &[&source]).0.repaired, 0);
        let asked = source.asked.lock().unwrap();
        assert!(
            asked.iter().all(|path| path.ends_with(".commitmeta")),
            "{asked:?}"
        );
    }
}

#[test]
fn a_source_that_lies_is_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let (archive, repo) = two(dir.path(), RepoMode::BareUser);
    let names = object_names(repo.path()).unwrap();
    let honest = RepoSource::new("honest", Repo::open(archive.path()).unwrap());
    for name in &names {
        let object = repo.path().join("objects").join(name);
        fs::write(&object, "damaged").unwrap();
        let mut liar = Memory::of(archive.path());
        // Every object is another one, whole in itself.
        let all: Vec<Vec<u8>> = liar.objects.values().cloned().collect();
        for (at, bytes) in liar.objects.values_mut().enumerate() {
            *bytes = all[(at + 1) % all.len()].clone();
        }
        let (outcome, lines) = repair(&repo, &[&liar]);
        assert!(outcome.bad > 0, "{lines:#?}");
        assert_eq!(outcome.repaired, 0, "{lines:#?}");
        assert_eq!(fs::read(&object).unwrap(), b"damaged");
        let (outcome, lines) = repair(&repo, &[&liar, &honest]);
        outcome.verdict().unwrap();
        assert!(
            lines.iter().any(|line| line.ends_with("from honest")),
            "{lines:#?}"
        );
    }
    assert!(repo.load_commit(&repo.resolve_rev("main").unwrap()).is_ok());
}

#[test]
fn what_makes_no_sense_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (archive, repo) = two(dir.path(), RepoMode::BareUser);
    let source = RepoSource::new("archive", archive);
    let options = FsckOptions {
        add_tombstones: true,
        ..FsckOptions::default()
    };
    let refused = fsck::repair(
        &repo,
        &options,
        &[&source],
        &Lines::default(),
        &Cancel::default(),
    );
    assert!(refused.unwrap_err().to_string().contains("tombstones"));
    let config = repo.path().join("config");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("bare-user", "bare-split-xattrs")).unwrap();
    let split = Repo::open(repo.path()).unwrap();
    let refused = fsck::repair(
        &split,
        &FsckOptions::default(),
        &[&source],
        &Lines::default(),
        &Cancel::default(),
    );
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("bare-split-xattrs is read-only")
    );
    let cancel = Cancel::default();
    cancel.cancel();
    let cancelled = fsck::repair(
        &repo,
        &FsckOptions::default(),
        &[&source],
        &Lines::default(),
        &cancel,
    );
    assert_eq!(
        cancelled.unwrap_err().to_string(),
        "Operation was cancelled"
    );
}
