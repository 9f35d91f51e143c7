//! Each tool's `fsck` passes on what the other wrote, and finds the same faults.

use osier_conformance::{MODES, Scratch, both_ways, commit, object_checksum, pair, root_or_skip};
use osier_testkit::{repo, trees};
use std::fs;
use std::path::Path;

#[test]
fn a_sound_repository_passes_both_ways() {
    if !root_or_skip() {
        return;
    }
    for (writer, reader) in both_ways() {
        let scratch = Scratch::new();
        let tree = trees::everything(&scratch.path("tree")).unwrap();
        for mode in MODES {
            let path = scratch.init(&writer, mode, mode);
            commit(&writer, &path, "main", tree.path(), &[]);
            commit(
                &writer,
                &path,
                "other",
                &tree.join("names"),
                &["--add-metadata-string=version=1"],
            );
            let [read, own] =
                [&reader, &writer].map(|tool| tool.repo(&path).run(["fsck"]).expect_ok());
            assert_eq!(
                read.stdout,
                own.stdout,
                "{mode} written by {}",
                writer.name()
            );
            reader.repo(&path).ok(["fsck", "-q", "--verify-bindings"]);
        }
    }
}

/// Breaks an object of a copy of one repository, then holds both tools' answers together.
fn broken(mode: &str, extension: &str, break_it: impl Fn(&Path)) {
    let Some((ours, c)) = pair() else { return };
    for args in [
        &["fsck"][..],
        &["fsck", "-a"],
        &["fsck", "-q"],
        &["fsck", "--delete"],
    ] {
        let scratch = Scratch::new();
        let tree = trees::hard_links(&scratch.path("tree")).unwrap();
        let answers = [&ours, &c].map(|tool| {
            let path = scratch.init(&c, tool.name(), mode);
            commit(&c, &path, "main", tree.path(), &[]);
            let object = repo::first_object(&path, extension).unwrap();
            break_it(&object);
            let outcome = tool.repo(&path).run(args).expect_fail();
            let checksum = object_checksum(&object);
            (outcome, checksum, object.exists(), path)
        });
        let [
            (our, checksum, our_kept, our_path),
            (c_outcome, _, c_kept, c_path),
        ] = answers;
        assert!(
            our.stderr.contains(&checksum) || our.stdout.contains(&checksum),
            "{our}\nnames no {checksum}"
        );
        assert_eq!(our_kept, c_kept, "{args:?}\n{our}\n{c_outcome}");
        let partial = |path: &Path| {
            let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(path.join("state"))
                .unwrap()
                .map(|entry| entry.unwrap())
                .map(|entry| {
                    (
                        entry.file_name().to_string_lossy().into_owned(),
                        fs::read(entry.path()).unwrap(),
                    )
                })
                .collect();
            files.sort();
            files
        };
        assert_eq!(
            partial(&our_path),
            partial(&c_path),
            "{args:?}\n{our}\n{c_outcome}"
        );
    }
}

fn flip_a_byte(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn remove(path: &Path) {
    fs::remove_file(path).unwrap();
}

fn truncate(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}

#[test]
fn a_flipped_byte_in_a_file() {
    broken("bare-user", "file", |path| {
        fs::write(path, "other").unwrap();
    });
}

#[test]
fn a_truncated_archive_file() {
    broken("archive", "filez", truncate);
}

#[test]
fn a_missing_file() {
    broken("archive", "filez", remove);
    broken("bare-user", "file", remove);
}

#[test]
fn a_flipped_byte_in_a_dirmeta() {
    broken("archive", "dirmeta", flip_a_byte);
}

#[test]
fn a_missing_dirmeta() {
    broken("archive", "dirmeta", remove);
}

#[test]
fn a_broken_commit() {
    broken("archive", "commit", flip_a_byte);
    broken("archive", "commit", truncate);
    broken("archive", "commit", remove);
}

#[test]
fn a_broken_dirtree() {
    broken("archive", "dirtree", flip_a_byte);
    broken("archive", "dirtree", remove);
}

#[test]
fn an_empty_object() {
    broken("archive", "filez", |path| fs::write(path, "").unwrap());
    broken("archive", "dirtree", |path| fs::write(path, "").unwrap());
}

#[test]
fn a_wrong_mode_and_a_wrong_owner_in_a_bare_repository() {
    if !root_or_skip() {
        return;
    }
    broken("bare", "file", |path| {
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    });
    broken("bare", "file", |path| {
        std::os::unix::fs::lchown(path, Some(5), Some(5)).unwrap()
    });
}
