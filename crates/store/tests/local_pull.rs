//! Local pulls take over the same objects in the same form as the C tool's, from and to every mode.

mod common;

use common::{MODES, c_fsck, c_tool, commit_dir, copy, create, histories};
use osier_object::CommitId;
use osier_store::local_pull::{LocalPullOptions, LocalPullOutcome, pull_local};
use osier_store::parallel::{Cancel, NoProgress};
use osier_store::size_text::si;
use osier_store::{CreateOptions, ReadObjects, Repo, RepoMode, Result};
use osier_testkit::tree::Tree;
use osier_testkit::{skip, trees};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

fn pull(to: &Path, from: &Path, options: &LocalPullOptions<'_>) -> Result<LocalPullOutcome> {
    pull_local(
        &Repo::open(to).unwrap(),
        &Repo::open(from).unwrap(),
        options,
        &NoProgress,
        &Cancel::default(),
    )
}

fn text(outcome: &LocalPullOutcome) -> String {
    format!(
        "{} metadata, {} content objects imported; {} content written",
        outcome.metadata,
        outcome.content,
        si(outcome.content_bytes_written)
    )
}

/// How many names each object has, by path below the repository.
fn links(at: &Path) -> Vec<(String, u64)> {
    osier_testkit::repo::object_names(at)
        .unwrap()
        .into_iter()
        .map(|name| {
            let meta = fs::symlink_metadata(at.join("objects").join(&name)).unwrap();
            (name, meta.nlink())
        })
        .collect()
}

fn refs(at: &Path) -> std::collections::BTreeMap<String, CommitId> {
    Repo::open(at)
        .unwrap()
        .list_refs(Default::default())
        .unwrap()
}

/// Both pull the same from their own copy of the source; what they say and leave must be equal.
struct Both {
    dir: tempfile::TempDir,
    c: osier_testkit::tool::Tool,
    to: RepoMode,
}

impl Both {
    fn new(c: &osier_testkit::tool::Tool, source: &Path, to: RepoMode) -> Both {
        let dir = tempfile::tempdir().unwrap();
        for who in ["ours", "theirs"] {
            // Its own copy of the source, so that hard links can be counted.
            copy(source, &dir.path().join(format!("{who}-source")));
            create(&dir.path().join(who), to);
        }
        Both {
            dir,
            c: c.clone(),
            to,
        }
    }

    #[track_caller]
    fn check(&self, options: &LocalPullOptions<'_>, args: &[&str]) -> Option<LocalPullOutcome> {
        let path = |name: &str| self.dir.path().join(name);
        let source = path("theirs-source");
        let mut line = vec!["pull-local"];
        line.extend(args);
        line.push(source.to_str().unwrap());
        line.extend(options.refs.iter().map(String::as_str));
        let said = self.c.repo(path("theirs")).run(&line);
        let result = pull(&path("ours"), &path("ours-source"), options);
        match &result {
            Ok(outcome) => assert_eq!(format!("{}\n", text(outcome)), said.stdout, "{said}"),
            Err(e) => {
                let ours = format!("error: {e}\n").replace(" (os error 2)", "");
                assert_eq!(ours, said.stderr, "{said}");
                assert_eq!(refs(&path("ours")), refs(&path("theirs")));
                return None;
            }
        }
        let different = osier_testkit::repo::differences(&path("ours"), &path("theirs")).unwrap();
        assert_eq!(different, [""; 0], "to {}", self.to);
        assert_eq!(
            links(&path("ours")),
            links(&path("theirs")),
            "to {}",
            self.to
        );
        result.ok()
    }
}

/// A repository of that mode with everything the mode can hold.
fn special(at: &Path, mode: RepoMode) -> Repo {
    let work = tempfile::tempdir().unwrap();
    let repo = create(at, mode);
    for (name, build) in trees::SPECIAL {
        if matches!(name, "deep" | "wide") || (mode == RepoMode::BareUserOnly && name == "modes") {
            continue;
        }
        let tree = build(&work.path().join(name)).unwrap();
        commit_dir(&repo, &format!("special/{name}"), tree.path(), 0);
    }
    repo
}

#[test]
fn every_pair_of_modes() {
    let Some(c) = c_tool() else { return };
    if !skip::is_root() {
        skip::because("objects of bare repositories can be written by root only");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for from in MODES {
        let source = dir.path().join(format!("from-{from}"));
        special(&source, from);
        for to in MODES {
            if to == RepoMode::BareUserOnly && from != RepoMode::BareUserOnly {
                // Most of these trees it cannot hold: below.
                continue;
            }
            for (untrusted, args) in [(false, &[][..]), (true, &["--untrusted"])] {
                let both = Both::new(&c, &source, to);
                let options = LocalPullOptions {
                    untrusted,
                    ..Default::default()
                };
                let outcome = both.check(&options, args).unwrap();
                assert_eq!(outcome.linked == 0, from != to && outcome.metadata == 0);
                // Again: nothing is left to do.
                let again = both.check(&options, args).unwrap();
                assert_eq!((again.metadata, again.content), (0, 0));
                c_fsck(&c, &both.dir.path().join("ours"));
            }
        }
    }
}

#[test]
fn into_a_repository_without_owners() {
    let Some(c) = c_tool() else { return };
    let dir = tempfile::tempdir().unwrap();
    let tree = Tree::create(dir.path().join("t")).unwrap();
    tree.file("a/b", "1")
        .unwrap()
        .symlink("l", "a")
        .unwrap()
        .file("x", "2")
        .unwrap();
    tree.mode("x", 0o755).unwrap();
    for from in MODES {
        let source = dir.path().join(format!("from-{from}"));
        let repo = create(&source, from);
        commit_dir(&repo, "fine", tree.path(), 0);
        let both = Both::new(&c, &source, RepoMode::BareUserOnly);
        both.check(&LocalPullOptions::default(), &[]).unwrap();
        if from == RepoMode::BareUserOnly {
            continue;
        }
        tree.file("suid", "s")
            .unwrap()
            .mode("suid", 0o4755)
            .unwrap();
        commit_dir(&repo, "suid", tree.path(), 0);
        tree.remove("suid").unwrap();
        for to in MODES {
            let at = dir.path().join(format!("to-{from}-{to}"));
            create(&at, to);
            let options = LocalPullOptions {
                bareuseronly_files: true,
                ..Default::default()
            };
            let error = pull(&at, &source, &options).unwrap_err().to_string();
            assert!(
                error.ends_with(": invalid mode 0104755 with bits 04000"),
                "{error}"
            );
            assert!(
                Repo::open(&at)
                    .unwrap()
                    .list_refs(Default::default())
                    .unwrap()
                    .is_empty()
            );
        }
    }
}

#[test]
fn depth_and_refs() {
    let Some(c) = c_tool() else { return };
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("r");
    let repo = histories(&source, RepoMode::Archive, 11);
    let tx = repo.begin(&Default::default()).unwrap();
    tx.set_refspec("rem:up", None).unwrap();
    tx.commit().unwrap();
    let names: Vec<String> = repo
        .list_refs(Default::default())
        .unwrap()
        .into_keys()
        .collect();
    assert!(names.len() > 1, "{names:?}");
    for to in [RepoMode::Bare, RepoMode::Archive] {
        let both = Both::new(&c, &source, to);
        let one = &names[..1];
        both.check(
            &LocalPullOptions {
                refs: one,
                ..Default::default()
            },
            &[],
        )
        .unwrap();
        both.check(
            &LocalPullOptions {
                refs: one,
                depth: Some(1),
                ..Default::default()
            },
            &["--depth=1"],
        )
        .unwrap();
        let remote = LocalPullOptions {
            remote: Some("there"),
            depth: None,
            ..Default::default()
        };
        both.check(&remote, &["--remote=there", "--depth=-1"])
            .unwrap();
        let tip = repo.resolve_rev(&names[1]).unwrap().to_string();
        both.check(
            &LocalPullOptions {
                refs: &[tip],
                ..Default::default()
            },
            &[],
        )
        .unwrap();
        for bad in ["nope", "rem:up", "bad ref"] {
            let refs = [bad.to_owned()];
            assert!(
                both.check(
                    &LocalPullOptions {
                        refs: &refs,
                        ..Default::default()
                    },
                    &[]
                )
                .is_none()
            );
        }
        let refs = ["0".repeat(64)];
        assert!(
            both.check(
                &LocalPullOptions {
                    refs: &refs,
                    ..Default::default()
                },
                &[]
            )
            .is_none()
        );
    }
}

#[test]
fn commits_alone_stay_partial() {
    let Some(c) = c_tool() else { return };
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("r");
    let repo = histories(&source, RepoMode::Bare, 4);
    let name = repo
        .list_refs(Default::default())
        .unwrap()
        .into_keys()
        .find(|n| !n.contains(':'))
        .unwrap();
    let refs = [name];
    let both = Both::new(&c, &source, RepoMode::Bare);
    let alone = LocalPullOptions {
        refs: &refs,
        depth: None,
        commit_metadata_only: true,
        ..Default::default()
    };
    both.check(&alone, &["--commit-metadata-only", "--depth=-1"])
        .unwrap();
    let partial = fs::read_dir(both.dir.path().join("ours/state"))
        .unwrap()
        .count();
    assert!(partial > 0);
    both.check(
        &LocalPullOptions {
            refs: &refs,
            ..Default::default()
        },
        &[],
    )
    .unwrap();
    assert_eq!(
        fs::read_dir(both.dir.path().join("ours/state"))
            .unwrap()
            .count(),
        partial - 1
    );
}

#[test]
fn a_summary_rules() {
    let Some(c) = c_tool() else { return };
    let dir = tempfile::tempdir().unwrap();
    let tree = Tree::create(dir.path().join("t")).unwrap();
    let source = dir.path().join("r");
    let repo = create(&source, RepoMode::Archive);
    tree.file("f", "1").unwrap();
    let old = commit_dir(&repo, "m", tree.path(), 0);
    c.repo(&source).ok(["summary", "-u"]);
    tree.file("f", "2").unwrap();
    commit_dir(&repo, "m", tree.path(), 1);
    commit_dir(&repo, "new", tree.path(), 1);
    let both = Both::new(&c, &source, RepoMode::Bare);
    let m = ["m".to_owned()];
    let outcome = both
        .check(
            &LocalPullOptions {
                refs: &m,
                ..Default::default()
            },
            &[],
        )
        .unwrap();
    assert_eq!(outcome.refs, [("m".to_owned(), old)]);
    let new = ["new".to_owned()];
    assert!(
        both.check(
            &LocalPullOptions {
                refs: &new,
                ..Default::default()
            },
            &[]
        )
        .is_none()
    );
    assert!(both.check(&LocalPullOptions::default(), &[]).is_none());
    for who in ["ours", "theirs"] {
        fs::write(
            both.dir.path().join(format!("{who}-source/summary")),
            "junk",
        )
        .unwrap();
    }
    assert!(
        both.check(
            &LocalPullOptions {
                refs: &m,
                ..Default::default()
            },
            &[]
        )
        .is_none()
    );
}

#[test]
fn tombstones() {
    let Some(c) = c_tool() else { return };
    let dir = tempfile::tempdir().unwrap();
    let tree = Tree::create(dir.path().join("t")).unwrap();
    let source = dir.path().join("r");
    let repo = create(&source, RepoMode::Archive);
    let mut ids = Vec::new();
    for n in 0..3 {
        tree.file("f", format!("{n}")).unwrap();
        ids.push(commit_dir(&repo, "m", tree.path(), n));
    }
    c.repo(&source)
        .ok(["prune", &format!("--delete-commit={}", ids[1])]);
    let deep = LocalPullOptions {
        depth: Some(5),
        ..Default::default()
    };
    // Without a summary nothing is known of tombstones.
    Both::new(&c, &source, RepoMode::Bare)
        .check(&deep, &["--depth=5"])
        .unwrap();
    c.repo(&source).ok(["summary", "-u"]);
    let both = Both::new(&c, &source, RepoMode::Bare);
    both.check(&deep, &["--depth=5"]).unwrap();
    let tombstone = format!("objects/{}.tombstone-commit", {
        let hex = ids[1].to_string();
        format!("{}/{}", &hex[..2], &hex[2..])
    });
    assert!(both.dir.path().join("ours").join(&tombstone).exists());
    fs::remove_file(source.join(&tombstone)).unwrap();
    let both = Both::new(&c, &source, RepoMode::Bare);
    assert!(both.check(&deep, &["--depth=5"]).is_none());
}

#[test]
fn detached_metadata_is_copied() {
    let Some(c) = c_tool() else { return };
    let dir = tempfile::tempdir().unwrap();
    let tree = Tree::create(dir.path().join("t")).unwrap();
    tree.file("f", "1").unwrap();
    let source = dir.path().join("r");
    let repo = create(&source, RepoMode::Bare);
    let id = commit_dir(&repo, "m", tree.path(), 0);
    let tx = repo.begin(&Default::default()).unwrap();
    let mut meta = osier_gv::Dict::new();
    meta.push("k", osier_gv::Value::str("v"));
    tx.write_commitmeta(&id, &meta).unwrap();
    tx.commit().unwrap();
    let both = Both::new(&c, &source, RepoMode::Bare);
    both.check(&LocalPullOptions::default(), &[]).unwrap();
    let ours = both.dir.path().join("ours");
    let read = |at: &Path| Repo::open(at).unwrap().load_commitmeta(&id).unwrap();
    assert_eq!(read(&ours), Some(meta));
    // A changed one replaces it, one that is gone does not.
    let mut other = osier_gv::Dict::new();
    other.push("k", osier_gv::Value::str("w"));
    let tx = repo.begin(&Default::default()).unwrap();
    tx.write_commitmeta(&id, &other).unwrap();
    tx.commit().unwrap();
    let outcome = pull(&ours, &source, &LocalPullOptions::default()).unwrap();
    assert_eq!(read(&ours), Some(other.clone()));
    assert_eq!(
        (outcome.metadata, outcome.commitmeta_bytes),
        (0, other.encode().len() as u64)
    );
    let name = osier_object::ObjectName::new(id.0, osier_object::ObjectType::Commitmeta);
    fs::remove_file(source.join("objects").join(name.loose_path(false))).unwrap();
    pull(&ours, &source, &LocalPullOptions::default()).unwrap();
    assert_eq!(read(&ours), Some(other));
}

#[test]
fn bindings() {
    let Some(c) = c_tool() else { return };
    let dir = tempfile::tempdir().unwrap();
    let tree = Tree::create(dir.path().join("t")).unwrap();
    let source = dir.path().join("r");
    let repo = create(&source, RepoMode::Archive);
    let id = commit_dir(&repo, "m", tree.path(), 0);
    let tx = repo.begin(&Default::default()).unwrap();
    tx.set_refspec("other", Some(id)).unwrap();
    tx.commit().unwrap();
    let other = ["other".to_owned()];
    let options = LocalPullOptions {
        refs: &other,
        ..Default::default()
    };
    assert!(
        Both::new(&c, &source, RepoMode::Bare)
            .check(&options, &[])
            .is_none()
    );
    let off = LocalPullOptions {
        disable_verify_bindings: true,
        ..options
    };
    Both::new(&c, &source, RepoMode::Bare)
        .check(&off, &["--disable-verify-bindings"])
        .unwrap();
    c.repo(&source)
        .ok(["config", "set", "core.collection-id", "org.example.Own"]);
    let m = ["m".to_owned()];
    let options = LocalPullOptions {
        refs: &m,
        ..Default::default()
    };
    assert!(
        Both::new(&c, &source, RepoMode::Bare)
            .check(&options, &[])
            .is_none()
    );
}

/// Nothing is published, and what was there stays.
fn assert_untouched(at: &Path) {
    let repo = Repo::open(at).unwrap();
    assert!(repo.list_refs(Default::default()).unwrap().is_empty());
    let fsck = osier_store::fsck::fsck(
        &repo,
        &Default::default(),
        &osier_store::fsck::Lines::default(),
        &Cancel::default(),
    );
    fsck.unwrap().verdict().unwrap();
}

#[test]
fn damaged_sources() {
    let Some(c) = c_tool() else { return };
    let dir = tempfile::tempdir().unwrap();
    let tree = Tree::create(dir.path().join("t")).unwrap();
    tree.file("d/f", "content").unwrap();
    for mode in [RepoMode::Bare, RepoMode::BareUser, RepoMode::Archive] {
        let source = dir.path().join(format!("r-{mode}"));
        let repo = create(&source, mode);
        let id = commit_dir(&repo, "m", tree.path(), 0);
        let tree_of = |id: &CommitId| repo.load_commit(id).unwrap().root_dirtree;
        let sub = repo.load_dirtree(&tree_of(&id)).unwrap().dirs[0].1;
        let file = repo.load_dirtree(&sub).unwrap().files[0].1;
        let meta = repo.load_commit(&id).unwrap().root_dirmeta;
        for name in [
            file.object_name(),
            sub.object_name(),
            meta.object_name(),
            id.object_name(),
        ] {
            let path = source
                .join("objects")
                .join(name.loose_path(mode.is_archive()));
            let good = dir.path().join("good");
            copy(&path, &good);
            // Missing.
            fs::remove_file(&path).unwrap();
            assert!(
                Both::new(&c, &source, mode)
                    .check(&LocalPullOptions::default(), &[])
                    .is_none()
            );
            for to in MODES {
                let at = dir.path().join(format!("missing-{mode}-{to}-{}", name.ty));
                create(&at, to);
                pull(&at, &source, &LocalPullOptions::default()).unwrap_err();
                assert_untouched(&at);
            }
            // Damaged: always found when the source is not trusted, and wherever the object is read anyway.
            let mut bytes = fs::read(&good).unwrap();
            let last = bytes.len() - 1;
            bytes[last] ^= 0x55;
            copy(&good, &path);
            fs::write(&path, &bytes).unwrap();
            for to in MODES {
                let at = dir.path().join(format!("damaged-{mode}-{to}-{}", name.ty));
                create(&at, to);
                let options = LocalPullOptions {
                    untrusted: true,
                    ..Default::default()
                };
                let error = pull(&at, &source, &options).unwrap_err().to_string();
                assert!(error.contains(&name.checksum.to_string()), "{error}");
                assert_untouched(&at);
            }
            fs::remove_file(&path).unwrap();
            copy(&good, &path);
            fs::remove_file(&good).unwrap();
        }
        let at = dir.path().join(format!("whole-{mode}"));
        create(&at, mode);
        pull(&at, &source, &LocalPullOptions::default()).unwrap();
    }
}

#[test]
fn objects_of_parent_repositories() {
    let dir = tempfile::tempdir().unwrap();
    let tree = Tree::create(dir.path().join("t")).unwrap();
    tree.file("f", "1").unwrap();
    let base = create(&dir.path().join("base"), RepoMode::Bare);
    commit_dir(&base, "m", tree.path(), 0);
    let child = |name: &str, mode| {
        let at = dir.path().join(name);
        let repo = create(&at, mode);
        let mut config = repo.config().keyfile.clone();
        config
            .set_string("core", "parent", dir.path().join("base").to_str().unwrap())
            .unwrap();
        repo.write_config(&config).unwrap();
        Repo::open(&at).unwrap()
    };
    // From a repository whose objects are its parent's.
    let source = child("child", RepoMode::Bare);
    let refs = ["m".to_owned()];
    let options = LocalPullOptions {
        refs: &refs,
        ..Default::default()
    };
    for to in [RepoMode::Bare, RepoMode::Archive] {
        let at = dir.path().join(format!("to-{to}"));
        create(&at, to);
        let outcome = pull(&at, source.path(), &options).unwrap();
        assert_eq!((outcome.metadata, outcome.content), (3, 1));
    }
    // Into one whose parent has everything: nothing to do but the ref.
    let target = child("target", RepoMode::BareUser);
    let outcome = pull(target.path(), base.path(), &options).unwrap();
    assert_eq!((outcome.metadata, outcome.content), (0, 0));
    assert_eq!(outcome.refs.len(), 1);
}

#[test]
fn files_of_another_owner_are_copied() {
    if !skip::is_root() {
        skip::because("files can be given away by root only");
        return;
    }
    let Some(c) = c_tool() else { return };
    let dir = tempfile::tempdir().unwrap();
    for mode in MODES {
        let source = dir.path().join(format!("r-{mode}"));
        let repo = create(&source, mode);
        let tree = Tree::create(dir.path().join(format!("t-{mode}"))).unwrap();
        tree.file("f", "1").unwrap().symlink("l", "f").unwrap();
        commit_dir(&repo, "m", tree.path(), 0);
        std::os::unix::fs::chown(source.join("objects"), Some(1000), None).unwrap();
        for (untrusted, args) in [(false, &[][..]), (true, &["--untrusted"])] {
            let both = Both::new(&c, &source, mode);
            let options = LocalPullOptions {
                untrusted,
                ..Default::default()
            };
            let outcome = both.check(&options, args).unwrap();
            assert_eq!(outcome.linked, 0);
        }
    }
}

#[test]
fn repositories_with_a_collection() {
    let Some(c) = c_tool() else { return };
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("r");
    let options = CreateOptions {
        mode: RepoMode::Archive,
        collection_id: Some("org.example.Own".into()),
    };
    Repo::create(&source, &options).unwrap();
    let tree = Tree::create(dir.path().join("t")).unwrap();
    c.repo(&source)
        .ok(["commit", "-b", "m", tree.path().to_str().unwrap()]);
    c.repo(&source).ok(["summary", "-u"]);
    Both::new(&c, &source, RepoMode::Bare)
        .check(&LocalPullOptions::default(), &[])
        .unwrap();
}

#[test]
fn a_cancelled_pull_changes_no_ref_and_can_be_taken_up_again() {
    use std::sync::atomic::{AtomicU64, Ordering};
    /// Cancels after so many objects.
    struct After<'a>(AtomicU64, u64, &'a Cancel);
    impl osier_store::parallel::Progress for After<'_> {
        fn object_done(&self, _bytes: u64) {
            if self.0.fetch_add(1, Ordering::Relaxed) + 1 == self.1 {
                self.2.cancel();
            }
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let source = special(&dir.path().join("r"), RepoMode::Archive);
    for to in [RepoMode::Archive, RepoMode::BareUser] {
        for n in [1, 3, 10] {
            let at = dir.path().join(format!("{to}-{n}"));
            let repo = create(&at, to);
            let cancel = Cancel::default();
            let progress = After(AtomicU64::new(0), n, &cancel);
            let options = LocalPullOptions::default();
            let error = pull_local(&repo, &source, &options, &progress, &cancel).unwrap_err();
            assert_eq!(error.to_string(), "Operation was cancelled");
            assert_untouched(&at);
            pull_local(&repo, &source, &options, &NoProgress, &Cancel::default()).unwrap();
            assert_eq!(refs(&at), refs(source.path()));
            let outcome = osier_store::fsck::fsck(
                &repo,
                &Default::default(),
                &osier_store::fsck::Lines::default(),
                &Cancel::default(),
            )
            .unwrap();
            outcome.verdict().unwrap();
            assert_eq!(outcome.partial, 0);
        }
    }
}
