//! Consuming a source folder: its files go when they are published, never before.

use osier_store::commit::{self, CommitOptions, Modifier, Source};
use osier_store::{CreateOptions, ReadObjects, Repo, RepoMode, TransactionOptions};
use osier_testkit::tree::Tree;

#[test]
fn sources_are_there_until_their_objects_are_published() {
    for mode in [RepoMode::BareUserOnly, RepoMode::Archive] {
        let dir = tempfile::tempdir().unwrap();
        let tree = Tree::create(dir.path().join("tree")).unwrap();
        tree.file("a", "first")
            .unwrap()
            .file("sub/b", "second")
            .unwrap();
        let options = CreateOptions {
            mode,
            collection_id: None,
        };
        let repo = Repo::create(&dir.path().join("repo"), &options).unwrap();
        let sources = [Source::Dir(tree.path().into())];
        let modifier = Modifier {
            consume: true,
            ..Default::default()
        };

        let tx = repo.begin(&TransactionOptions::default()).unwrap();
        commit::build_tree(&tx, &sources, &modifier).unwrap();
        drop(tx);
        assert!(
            tree.path().join("a").exists() && tree.path().join("sub/b").exists(),
            "{mode}"
        );

        let tx = repo.begin(&TransactionOptions::default()).unwrap();
        let root = commit::build_tree(&tx, &sources, &modifier).unwrap();
        let id = commit::write(&tx, root, &CommitOptions::default()).unwrap();
        tx.commit().unwrap();
        assert!(
            !tree.path().join("a").exists() && !tree.path().join("sub").exists(),
            "{mode}"
        );
        let listing = repo
            .load_dirtree(&repo.load_commit(&id).unwrap().root_dirtree)
            .unwrap();
        let mut content = Vec::new();
        repo.open_content(&listing.files[0].1)
            .unwrap()
            .read_whole(&mut content)
            .unwrap();
        assert_eq!(content, b"first", "{mode}");
    }
}
