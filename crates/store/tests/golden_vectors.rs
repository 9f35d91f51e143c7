//! Commits whose checksums the reference tool 2026.4 gave for the same trees.

use osier_gv::{Dict, Value};
use osier_store::commit::{self, CommitOptions, Modifier, SkipList, Source, StatOverrides};
use osier_store::{CreateOptions, ReadObjects, Repo, RepoMode, TransactionOptions};
use osier_testkit::golden::{self, t};
use osier_testkit::tree::Tree;
use std::fs;
use std::path::Path;

const TIME: u64 = 1_700_000_000;

fn is_root(test: &str) -> bool {
    let root = std::os::unix::fs::MetadataExt::uid(&fs::metadata("/proc/self").unwrap()) == 0;
    if !root {
        eprintln!("SKIPPED {test}: files of several owners can be made by root only");
    }
    root
}

fn repo(at: &Path, mode: RepoMode) -> Repo {
    let options = CreateOptions {
        mode,
        collection_id: None,
    };
    Repo::create(&at.join(format!("repo-{mode}")), &options).unwrap()
}

fn bindings(refs: &[&str]) -> Dict {
    let mut d = Dict::new();
    d.push("ostree.ref-binding", Value::strv(refs.iter().copied()));
    d
}

fn commit(repo: &Repo, sources: &[Source], modifier: &Modifier, options: &CommitOptions) -> String {
    let tx = repo.begin(&TransactionOptions::default()).unwrap();
    let root = commit::build_tree(&tx, sources, modifier).unwrap();
    let id = commit::write(&tx, root, options).unwrap();
    tx.commit().unwrap();
    repo.load_commit(&id).unwrap();
    id.to_string()
}

#[test]
fn tree_with_every_kind_of_entry() {
    if !is_root("tree_with_every_kind_of_entry") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let tree = [Source::Dir(
        golden::tree_t(&dir.path().join("T")).unwrap().path().into(),
    )];
    let options = CommitOptions {
        subject: "subj".into(),
        body: "b line".into(),
        timestamp: TIME,
        metadata: bindings(&["main"]),
        ..Default::default()
    };
    for mode in [RepoMode::Archive, RepoMode::Bare, RepoMode::BareUser] {
        let id = commit(
            &repo(dir.path(), mode),
            &tree,
            &Modifier::default(),
            &options,
        );
        assert_eq!(id, t::COMMIT, "{mode}");
    }
    let id = commit(
        &repo(dir.path(), RepoMode::BareUserOnly),
        &tree,
        &Modifier::default(),
        &options,
    );
    assert_eq!(id, t::COMMIT_USER_ONLY);
}

#[test]
fn modifiers() {
    if !is_root("modifiers") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let tree = [Source::Dir(
        golden::tree_t(&dir.path().join("T")).unwrap().path().into(),
    )];
    let repo = repo(dir.path(), RepoMode::Archive);
    let plain = CommitOptions {
        timestamp: TIME,
        ..Default::default()
    };
    let canonical = Modifier {
        canonical_permissions: true,
        ..Default::default()
    };
    assert_eq!(commit(&repo, &tree, &canonical, &plain), t::CANONICAL);
    let many = Modifier {
        owner_uid: Some(7),
        stat_overrides: StatOverrides::parse("2048 /hello.txt\n=448 /exec\n").unwrap(),
        skip: SkipList::parse("/sub\n/xa\n"),
        ..Default::default()
    };
    assert_eq!(commit(&repo, &tree, &many, &plain), t::FILTERED);
}

#[test]
fn history_of_three() {
    if !is_root("history_of_three") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let repo = repo(dir.path(), RepoMode::BareUser);
    let d = Tree::create(dir.path().join("d")).unwrap();
    let mut parent = None;
    for (i, expected) in golden::CHAIN.into_iter().enumerate() {
        let n = i as u64 + 1;
        d.file("f", n.to_string()).unwrap();
        let options = CommitOptions {
            parent,
            timestamp: TIME + n * 86_400,
            metadata: bindings(&["m"]),
            ..Default::default()
        };
        let id = commit(
            &repo,
            &[Source::Dir(d.path().into())],
            &Modifier::default(),
            &options,
        );
        assert_eq!(id, expected);
        parent = Some(id.parse().unwrap());
    }
}

#[test]
fn overlaid_trees() {
    if !is_root("overlaid_trees") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let repo = repo(dir.path(), RepoMode::Bare);
    let (o1, o2) = golden::overlay(&dir.path().join("O1"), &dir.path().join("O2")).unwrap();
    let options = CommitOptions {
        timestamp: TIME,
        ..Default::default()
    };
    let sources = [Source::Dir(o1.path().into()), Source::Dir(o2.path().into())];
    assert_eq!(
        commit(&repo, &sources, &Modifier::default(), &options),
        golden::OVERLAY
    );
    let clash = Tree::create(dir.path().join("O3")).unwrap();
    clash.file("x", "file").unwrap();
    let tx = repo.begin(&TransactionOptions::default()).unwrap();
    let e = commit::build_tree(
        &tx,
        &[
            Source::Dir(o1.path().into()),
            Source::Dir(clash.path().into()),
        ],
        &Modifier::default(),
    );
    assert_eq!(
        e.unwrap_err().to_string(),
        "Can't replace directory with file: x"
    );
}
