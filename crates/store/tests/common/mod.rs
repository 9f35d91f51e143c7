//! What the comparisons with the C tool share.
#![allow(dead_code)]

use osier_store::commit::{self, CommitOptions, Modifier, Source};
use osier_store::{CreateOptions, Repo, RepoMode, TransactionOptions};
use osier_testkit::random::Random;
use osier_testkit::tool::Tool;
use osier_testkit::tree::Tree;
use std::path::{Path, PathBuf};
use std::process::Command;

pub const TIME: u64 = 1_700_000_000;

pub const MODES: [RepoMode; 4] = [
    RepoMode::Bare,
    RepoMode::BareUser,
    RepoMode::BareUserOnly,
    RepoMode::Archive,
];

/// The C tool, with the clock of commits fixed.
pub fn c_tool() -> Option<Tool> {
    Some(Tool::c()?.env("SOURCE_DATE_EPOCH", &TIME.to_string()))
}

pub fn create(at: &Path, mode: RepoMode) -> Repo {
    let options = CreateOptions {
        mode,
        collection_id: None,
    };
    let repo = Repo::create(at, &options).unwrap();
    // These tests are not about crashes, and syncing makes them slow.
    let mut config = repo.config().keyfile.clone();
    config.set_boolean("core", "fsync", false).unwrap();
    repo.write_config(&config).unwrap();
    Repo::open(at).unwrap()
}

/// Commits a folder with a binding to its ref, `TIME + after`, on top of the ref's commit.
pub fn commit_dir(repo: &Repo, branch: &str, dir: &Path, after: u64) -> osier_object::CommitId {
    let tx = repo
        .begin(&TransactionOptions {
            fsync: Some(false),
            ..Default::default()
        })
        .unwrap();
    let root = commit::build_tree(&tx, &[Source::Dir(dir.into())], &Modifier::default()).unwrap();
    let mut metadata = osier_gv::Dict::new();
    metadata.push("ostree.ref-binding", osier_gv::Value::strv([branch]));
    let id = commit::write(
        &tx,
        root,
        &CommitOptions {
            parent: repo.resolve_rev_opt(branch).unwrap(),
            timestamp: TIME + after,
            metadata,
            ..Default::default()
        },
    )
    .unwrap();
    tx.set_refspec(branch, Some(id)).unwrap();
    tx.commit().unwrap();
    id
}

/// `cp -a`, so that hard links, owners and attributes stay.
pub fn copy(from: &Path, to: &Path) -> PathBuf {
    let status = Command::new("cp")
        .args(["-a", "--"])
        .args([from, to])
        .status()
        .unwrap();
    assert!(status.success());
    to.to_owned()
}

/// Changes a few files of a small tree, so that commits share most objects.
pub fn mutate(tree: &Tree, random: &mut Random) {
    for _ in 0..1 + random.below(3) {
        let path = format!(
            "d{}/e{}/f{}",
            random.below(3),
            random.below(2),
            random.below(4)
        );
        if random.below(4) == 0 && tree.join(&path).exists() {
            tree.remove(&path).unwrap();
        } else {
            tree.file(&path, format!("content {}\n", random.below(40)))
                .unwrap();
        }
    }
}

/// Several branches with histories that share trees, a remote ref, and commits no ref leads to.
pub fn histories(at: &Path, mode: RepoMode, seed: u64) -> Repo {
    let mut random = Random::new(seed);
    let repo = create(at, mode);
    let work = tempfile::tempdir().unwrap();
    let tree = Tree::create(work.path().join("t")).unwrap();
    tree.symlink("link", "target").unwrap();
    for step in 0..6 + random.below(6) {
        mutate(&tree, &mut random);
        let branch = ["main", "dev/x", "rem:up", "old"][random.below(4) as usize];
        commit_dir(&repo, branch, tree.path(), step * 86_400);
    }
    // What a deleted ref leaves behind.
    mutate(&tree, &mut random);
    commit_dir(&repo, "gone", tree.path(), 0);
    let tx = repo.begin(&TransactionOptions::default()).unwrap();
    tx.set_refspec("gone", None).unwrap();
    tx.commit().unwrap();
    repo
}

/// Asserts that the C tool finds nothing wrong.
#[track_caller]
pub fn c_fsck(c: &Tool, repo: &Path) {
    c.repo(repo).run(["fsck", "-q"]).expect_ok();
}
