//! The receiver on transcripts that somebody has tampered with: it never panics, and no ref of its repository ever leads to
//! anything but a whole commit.

use osier_object::{Commit, CommitId, ContentId, ObjectName, ObjectType};
use osier_publish::ssh::receive;
use osier_store::archive_form::write_archive_form;
use osier_store::commit::{self, CommitOptions, Source};
use osier_store::fsck::{self, FsckOptions, Lines};
use osier_store::parallel::Cancel;
use osier_store::traverse::{load_node, reachable};
use osier_store::{
    CreateOptions, ListRefs, ReadObjects, Repo, RepoMode, Transaction, TransactionOptions,
};
use osier_testkit::tree::Tree;
use proptest::prelude::*;
use std::path::Path;

fn repository(path: &Path) -> Repo {
    let options = CreateOptions {
        mode: RepoMode::Archive,
        collection_id: None,
    };
    Repo::create(path, &options).unwrap()
}

fn commit_tree(tx: &Transaction<'_>, tree: &Path, parent: Option<CommitId>) -> CommitId {
    let root = commit::build_tree(tx, &[Source::Dir(tree.into())], &Default::default()).unwrap();
    let options = CommitOptions {
        timestamp: 1,
        parent,
        ..Default::default()
    };
    commit::write(tx, root, &options).unwrap()
}

fn frame(out: &mut Vec<u8>, kind: u8, payload: &[u8]) {
    out.push(kind);
    out.extend((payload.len() as u32).to_be_bytes());
    out.extend(payload);
}

/// What an honest sender says to bring a commit.
fn transcript(repo: &Repo, id: &CommitId) -> Vec<u8> {
    let node = load_node(repo, id).unwrap().unwrap();
    let mut names: Vec<ObjectName> = reachable(repo, &[node], &Cancel::default())
        .unwrap()
        .into_sorted();
    names.sort_by_key(|name| name.ty == ObjectType::Commit);
    let mut out = Vec::new();
    frame(&mut out, b'H', br#"{"osier_push":1}"#);
    let encode = |name: &ObjectName| {
        let ty = match name.ty {
            ObjectType::File => 1,
            ObjectType::Dirtree => 2,
            ObjectType::Dirmeta => 3,
            _ => 4,
        };
        [&[ty][..], name.checksum.as_bytes()].concat()
    };
    let all: Vec<u8> = names.iter().flat_map(encode).collect();
    frame(&mut out, b'?', &all);
    for name in &names {
        frame(&mut out, b'O', &encode(name));
        let mut bytes = Vec::new();
        match name.ty {
            ObjectType::File => {
                write_archive_form(repo, &ContentId(name.checksum), &mut bytes).unwrap();
            }
            ty => bytes = repo.read_metadata(ty, &name.checksum).unwrap(),
        }
        frame(&mut out, b'D', &bytes);
        frame(&mut out, b'D', b"");
    }
    let moves = format!(r#"[{{"name":"main","old":null,"new":"{id}"}}]"#);
    frame(&mut out, b'M', moves.as_bytes());
    frame(&mut out, b'C', b"");
    out
}

/// All refs lead to commits of which nothing is missing or damaged.
fn is_sound(repo: &Repo) -> bool {
    let found = fsck::fsck(
        repo,
        &FsckOptions::default(),
        &Lines::default(),
        &Cancel::default(),
    );
    found.is_ok_and(|outcome| outcome.verdict().is_ok())
        && repo
            .list_refs(ListRefs::default())
            .unwrap()
            .values()
            .all(|id| !repo.commit_state(id).unwrap().partial)
}

#[derive(Clone, Debug)]
enum Change {
    Flip(usize, u8),
    Cut(usize),
    Drop(usize, usize),
    Twice(usize, usize),
    Insert(usize, Vec<u8>),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<usize>(), 1..=255u8).prop_map(|(at, bits)| Change::Flip(at, bits)),
        any::<usize>().prop_map(Change::Cut),
        (any::<usize>(), 1..200usize).prop_map(|(at, n)| Change::Drop(at, n)),
        (any::<usize>(), 1..200usize).prop_map(|(at, n)| Change::Twice(at, n)),
        (any::<usize>(), prop::collection::vec(any::<u8>(), 1..20))
            .prop_map(|(at, bytes)| Change::Insert(at, bytes)),
    ]
}

fn tampered(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        let length = bytes.len().max(1);
        let end = |at: usize, n: usize, bytes: &Vec<u8>| (at + n).min(bytes.len());
        match change {
            Change::Flip(at, bits) => {
                if let Some(byte) = bytes.get_mut(at % length) {
                    *byte ^= bits;
                }
            }
            Change::Cut(at) => bytes.truncate(at % length),
            Change::Drop(at, n) => {
                let (from, to) = (at % length, end(at % length, *n, &bytes));
                bytes.drain(from.min(to)..to);
            }
            Change::Twice(at, n) => {
                let (from, to) = (at % length, end(at % length, *n, &bytes));
                let again = bytes[from.min(to)..to].to_vec();
                bytes.splice(to..to, again);
            }
            Change::Insert(at, more) => {
                let at = (at % length).min(bytes.len());
                bytes.splice(at..at, more.iter().copied());
            }
        }
    }
    bytes
}

#[test]
fn tampering_gets_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let tree = Tree::create(dir.path().join("tree")).unwrap();
    tree.file("a", "hello\n").unwrap();
    tree.file("sub/b", "world\n").unwrap();
    tree.symlink("link", "a").unwrap();
    let source = repository(&dir.path().join("source"));
    let tx = source.begin(&TransactionOptions::default()).unwrap();
    let id = commit_tree(&tx, tree.path(), None);
    tx.commit().unwrap();
    let honest = transcript(&source, &id);
    let said = |repo: &Repo, bytes: &[u8]| {
        let mut out = Vec::new();
        let result = receive(repo, &mut &bytes[..], &mut out, &Cancel::default());
        // Whoever fails says so to the sender.
        let told = out.windows(2).any(|w| w == b"E\0");
        assert_eq!(result.is_err(), told);
        result
    };
    let good = repository(&dir.path().join("good"));
    said(&good, &honest).unwrap();
    assert!(is_sound(&good));
    assert_eq!(good.resolve_rev("main").unwrap(), id);
    let commit: Commit = good.load_commit(&id).unwrap();
    assert_eq!(commit.timestamp, 1);

    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let target = dir.path().join("target");
    runner
        .run(&prop::collection::vec(change(), 1..4), |changes| {
            let _ = std::fs::remove_dir_all(&target);
            let repo = repository(&target);
            let result = said(&repo, &tampered(honest.clone(), &changes));
            let refs = repo.list_refs(ListRefs::default()).unwrap();
            prop_assert!(refs.values().all(|found| *found == id), "{refs:?}");
            prop_assert!(result.is_ok() || refs.is_empty());
            prop_assert!(is_sound(&repo));
            // What was left behind hinders nobody.
            if refs.is_empty() {
                said(&repo, &honest).unwrap();
                prop_assert!(is_sound(&repo));
                prop_assert_eq!(repo.resolve_rev("main").unwrap(), id);
            }
            Ok(())
        })
        .unwrap();
}
