//! Objects of every mode in the form an archive serves.

use osier_object::{ContentId, FileHeader, ObjectType};
use osier_store::archive_form::write_archive_form;
use osier_store::commit::{self, CommitOptions, Source};
use osier_store::parallel::Cancel;
use osier_store::traverse::{load_node, reachable};
use osier_store::{CreateOptions, Error, ReadObjects, Repo, RepoMode, TransactionOptions};
use std::path::Path;

fn repository(dir: &Path, name: &str, mode: RepoMode, tree: &Path) -> (Repo, Vec<ContentId>) {
    let options = CreateOptions {
        mode,
        collection_id: None,
    };
    let repo = Repo::create(&dir.join(name), &options).unwrap();
    let tx = repo.begin(&TransactionOptions::default()).unwrap();
    let root = commit::build_tree(&tx, &[Source::Dir(tree.into())], &Default::default()).unwrap();
    let options = CommitOptions {
        timestamp: 1,
        ..Default::default()
    };
    let id = commit::write(&tx, root, &options).unwrap();
    tx.commit().unwrap();
    let node = load_node(&repo, &id).unwrap().unwrap();
    let files = reachable(&repo, &[node], &Cancel::default())
        .unwrap()
        .into_sorted()
        .into_iter()
        .filter(|name| name.ty == ObjectType::File)
        .map(|name| ContentId(name.checksum))
        .collect();
    (repo, files)
}

#[test]
fn an_archive_takes_the_form_of_each_mode() {
    let dir = tempfile::tempdir().unwrap();
    let tree = dir.path().join("tree");
    std::fs::create_dir(&tree).unwrap();
    std::fs::write(tree.join("small"), "hello\n").unwrap();
    std::fs::write(tree.join("empty"), "").unwrap();
    let large: Vec<u8> = (0..9_000_000u32).map(|n| (n % 251) as u8).collect();
    std::fs::write(tree.join("large"), &large).unwrap();
    std::os::unix::fs::symlink("small", tree.join("link")).unwrap();
    for mode in [
        RepoMode::Archive,
        RepoMode::BareUser,
        RepoMode::BareUserOnly,
    ] {
        let (repo, files) = repository(dir.path(), &format!("{mode}"), mode, &tree);
        assert_eq!(files.len(), 4);
        let options = CreateOptions {
            mode: RepoMode::Archive,
            collection_id: None,
        };
        let target = Repo::create(&dir.path().join(format!("to-{mode}")), &options).unwrap();
        let tx = target.begin(&TransactionOptions::default()).unwrap();
        for id in &files {
            let mut form = Vec::new();
            write_archive_form(&repo, id, &mut form).unwrap();
            if mode.is_archive() {
                let path = id.object_name().loose_path(true);
                let stored = std::fs::read(repo.path().join("objects").join(path)).unwrap();
                assert!(form == stored, "as it is stored");
            }
            tx.write_archive_bytes(id, &form).unwrap();
        }
        tx.commit().unwrap();
        for id in &files {
            assert!(target.has_object(&id.object_name()).unwrap());
        }
    }
}

#[test]
fn damage_and_absence_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let tree = dir.path().join("tree");
    std::fs::create_dir(&tree).unwrap();
    std::fs::write(tree.join("file"), "hello\n").unwrap();
    for mode in [RepoMode::Archive, RepoMode::BareUserOnly] {
        let (repo, files) = repository(dir.path(), &format!("{mode}"), mode, &tree);
        let name = files[0].object_name();
        let path = repo
            .path()
            .join("objects")
            .join(name.loose_path(mode.is_archive()));
        match mode {
            // A well-formed object, but another one.
            RepoMode::Archive => {
                let mut bytes = FileHeader::regular(0, 0, 0o100_644).archive_framing(1);
                bytes.extend([1, 1, 0, 254, 255, b'x']);
                std::fs::write(&path, bytes).unwrap();
            }
            _ => std::fs::write(&path, "hullo\n").unwrap(),
        }
        let error = write_archive_form(&repo, &files[0], &mut Vec::new()).unwrap_err();
        assert!(matches!(error, Error::ChecksumMismatch { .. }), "{error}");
        std::fs::write(&path, "").unwrap();
        assert!(write_archive_form(&repo, &files[0], &mut Vec::new()).is_err());
        std::fs::remove_file(&path).unwrap();
        let error = write_archive_form(&repo, &files[0], &mut Vec::new()).unwrap_err();
        assert!(matches!(error, Error::MissingObject(_)), "{error}");
    }
}
