//! Names that would lead outside, in objects whose checksums are right: nothing outside is ever touched.

use osier_conformance::{Scratch, TIMESTAMP, text, tree_arg};
use osier_testkit::httpd::Server;
use osier_testkit::snapshot::{Snapshot, sha256};
use osier_testkit::tool::Tool;
use osier_testkit::tree::Tree;
use std::fs;
use std::path::{Path, PathBuf};

/// Replaces `from` by `to`, of the same length, in the one object of that type, and stores it under its new checksum.
/// Gives the old and the new checksum as bytes in hex.
fn forge(repo: &Path, checksum: &str, extension: &str, from: &[u8], to: &[u8]) -> String {
    assert_eq!(from.len(), to.len());
    let path = |checksum: &str| {
        repo.join(format!(
            "objects/{}/{}.{extension}",
            &checksum[..2],
            &checksum[2..]
        ))
    };
    let mut bytes = fs::read(path(checksum)).unwrap();
    let at = bytes
        .windows(from.len())
        .position(|window| window == from)
        .expect("the object holds the bytes");
    bytes[at..at + from.len()].copy_from_slice(to);
    let forged = sha256(&bytes);
    fs::create_dir_all(path(&forged).parent().unwrap()).unwrap();
    fs::write(path(&forged), bytes).unwrap();
    forged
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

/// An archive repository whose branch `main` holds, where the tree had `placeholder`, the name `evil`.
fn repository(
    scratch: &Scratch,
    tool: &Tool,
    number: usize,
    placeholder: &str,
    evil: &str,
    directory: bool,
) -> PathBuf {
    let tree = Tree::create(scratch.path(format!("tree-{number}"))).unwrap();
    if directory {
        tree.file(&format!("{placeholder}/inner"), "owned\n")
            .unwrap();
    } else {
        tree.file(placeholder, "owned\n").unwrap();
    }
    let repo = scratch.init(tool, &format!("repo-{number}"), "archive");
    let commit = tool
        .repo(&repo)
        .ok(["commit", "-b", "main", TIMESTAMP, &tree_arg(tree.path())]);
    let listing = tool.repo(&repo).ok(["ls", "-dC", "main"]);
    let name = |name: &str| [name.as_bytes(), b"\0"].concat();
    // `ls -dC` prints the checksums of the dirmeta and of the dirtree; only the latter is a dirtree object.
    let dirtree = listing
        .split_whitespace()
        .filter(|word| word.len() == 64)
        .find(|sum| {
            repo.join(format!("objects/{}/{}.dirtree", &sum[..2], &sum[2..]))
                .exists()
        })
        .expect("the root dirtree")
        .to_owned();
    let forged_tree = forge(&repo, &dirtree, "dirtree", &name(placeholder), &name(evil));
    let forged_commit = forge(
        &repo,
        &commit,
        "commit",
        &unhex(&dirtree),
        &unhex(&forged_tree),
    );
    fs::write(repo.join("refs/heads/main"), format!("{forged_commit}\n")).unwrap();
    repo
}

const NAMES: [(&str, &str); 6] = [
    ("AA", ".."),
    ("A", "."),
    ("AAA", "a/b"),
    ("AAAAAAA", "../evil"),
    ("AAAAA", "/evil"),
    ("AAAAAAAAAA", "../../evil"),
];

#[test]
fn a_checkout_refuses_them() {
    let ours = Tool::ours();
    let scratch = Scratch::new();
    let mut number = 0;
    for (placeholder, evil) in NAMES {
        for directory in [false, true] {
            number += 1;
            let repo = repository(&scratch, &ours, number, placeholder, evil, directory);
            let cage = Tree::create(scratch.path(format!("cage-{number}"))).unwrap();
            cage.dir("in", 0o755).unwrap();
            let copy = cage.join("in/copy");
            let outcome =
                ours.repo(&repo)
                    .run(["checkout", "-U", "--disable-cache", "main", text(&copy)]);
            assert_eq!(outcome.code, 1, "{evil:?}\n{outcome}");
            fs::remove_dir_all(&copy).ok();
            let left: Vec<PathBuf> = Snapshot::of(cage.path())
                .unwrap()
                .entries
                .into_keys()
                .collect();
            assert_eq!(left, [PathBuf::new(), "in".into()], "{evil:?}\n{outcome}");
            assert!(!Path::new("/evil").exists());
        }
    }
}

#[test]
fn a_pull_refuses_them() {
    let ours = Tool::ours();
    let scratch = Scratch::new();
    let mut number = 0;
    for (placeholder, evil) in NAMES {
        for directory in [false, true] {
            number += 1;
            let source = repository(&scratch, &ours, number, placeholder, evil, directory);
            let server = Server::serve(&source).unwrap();
            let path = scratch.init(&ours, &format!("client-{number}"), "bare-user");
            let repo = ours.repo(&path);
            repo.ok(["remote", "add", "--no-gpg-verify", "origin", &server.url()]);
            let outcome = repo.run(["pull", "--network-retries=0", "origin", "main"]);
            assert_eq!(outcome.code, 1, "{evil:?}\n{outcome}");
            assert_eq!(repo.ok(["refs"]), "", "{evil:?}");
            let local = repo.run(["pull-local", "--untrusted", text(&source), "main"]);
            assert_eq!(local.code, 1, "{evil:?}\n{local}");
            assert_eq!(repo.ok(["refs"]), "", "{evil:?}");
        }
    }
}

#[test]
fn fsck_finds_them() {
    let ours = Tool::ours();
    let scratch = Scratch::new();
    for (number, (placeholder, evil)) in NAMES.into_iter().enumerate() {
        let repo = repository(&scratch, &ours, number, placeholder, evil, false);
        let outcome = ours.repo(&repo).run(["fsck"]);
        assert_eq!(outcome.code, 1, "{evil:?}\n{outcome}");
    }
}
