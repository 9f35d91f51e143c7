//! Remotes that are folders of this machine.

mod common;

use common::{MODES, Site, assert_whole, options, origin, remote, stored};
use osier_object::ObjectType;
use osier_pull::remote::Remote;
use osier_pull::{Cancel, Error, Outcome, PullOptions, pull};
use osier_store::{Repo, RepoMode};
use std::os::unix::fs::MetadataExt;

fn file_remote(source: &Repo, keys: &str) -> Remote {
    remote(&format!("file://{}", source.path().display()), keys)
}

fn pull_from(source: &Repo, dest: &Repo, options: &PullOptions) -> Result<Outcome, Error> {
    pull(
        dest,
        &file_remote(source, ""),
        options,
        &mut (),
        &Cancel::new(),
    )
}

/// Files that both repositories share.
fn shared(source: &Repo, dest: &Repo) -> usize {
    let inode = |repo: &Repo, path: &str| {
        std::fs::symlink_metadata(repo.path().join("objects").join(path))
            .ok()
            .map(|m| (m.dev(), m.ino()))
    };
    stored(dest)
        .iter()
        .filter(|name| {
            let path = name.loose_path(dest.mode() == RepoMode::Archive);
            let from = inode(source, &name.loose_path(source.mode() == RepoMode::Archive));
            from.is_some() && from == inode(dest, &path)
        })
        .count()
}

#[test]
fn from_each_mode_into_each_mode() {
    let site = Site::new();
    for from in MODES {
        let source = site.dest(&format!("source-{from}"), from);
        site.pull(
            &source,
            &PullOptions {
                ref_remote: None,
                ..options("main")
            },
        )
        .unwrap();
        for into in MODES {
            let dest = site.dest(&format!("{from}-{into}"), into);
            let outcome = pull_from(&source, &dest, &options("main"));
            // What bare-user-only forgot about owners is missed elsewhere, unless everything was root's to begin with.
            if from == RepoMode::BareUserOnly && common::uid() != 0 {
                continue;
            }
            let outcome = outcome.unwrap_or_else(|e| panic!("{from} into {into}: {e}"));
            assert_whole(&dest, &site.tip());
            assert_eq!(origin(&dest, "main"), Some(site.tip()));
            assert!(
                outcome
                    .status_line()
                    .starts_with("9 metadata, 6 content objects imported; "),
                "{outcome:?}"
            );
            // Metadata is always alike (but the commit is checked and written); files only in the same mode.
            let alike = from == into;
            assert_eq!(
                shared(&source, &dest),
                if alike { 14 } else { 8 },
                "{from} into {into}"
            );
            assert_eq!(
                pull_from(&source, &dest, &options("main"))
                    .unwrap()
                    .metadata,
                0
            );
        }
    }
}

#[test]
fn untrusted_objects_are_checked_before_they_are_shared() {
    let site = Site::new();
    let source = site.dest("from", RepoMode::BareUser);
    site.pull(
        &source,
        &PullOptions {
            ref_remote: None,
            ..options("main")
        },
    )
    .unwrap();
    let untrusted = PullOptions {
        untrusted: true,
        ..options("main")
    };
    let dest = site.dest("dest", RepoMode::BareUser);
    pull_from(&source, &dest, &untrusted).unwrap();
    // Files, as both repositories have one owner; metadata is small and written anew.
    assert_eq!(shared(&source, &dest), 6);
    assert_whole(&dest, &site.tip());
    let victim = stored(&source)
        .into_iter()
        .find(|n| n.ty == ObjectType::File)
        .unwrap();
    std::fs::write(
        source.path().join("objects").join(victim.loose_path(false)),
        "damaged",
    )
    .unwrap();
    let error = pull_from(&source, &site.dest("again", RepoMode::BareUser), &untrusted)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with(&format!("While importing from {}", source.path().display())),
        "{error}"
    );
}

#[test]
fn refs_come_from_the_summary_or_from_the_repository() {
    let mut site = Site::with_collection(Some("org.example.Os"));
    let dest = site.dest("dest", RepoMode::Archive);
    let error = pull_from(&site.source, &dest, &options("none"))
        .unwrap_err()
        .to_string();
    assert_eq!(error, "Refspec 'none' not found");
    site.summarise();
    let listed = site.tip();
    site.commit("main", "two");
    pull_from(&site.source, &dest, &options("main")).unwrap();
    assert_eq!(origin(&dest, "main"), Some(listed));
    let error = pull_from(&site.source, &dest, &options("none"))
        .unwrap_err()
        .to_string();
    assert_eq!(error, "No such branch 'none' in repository summary");
    // The source's own collection is what its commits must be bound to.
    let at = format!("other@{listed}");
    assert!(
        pull_from(&site.source, &dest, &options(&at))
            .unwrap_err()
            .to_string()
            .contains("‘other’")
    );
    assert!(
        !dest.path().join("tmp/cache/summaries").exists(),
        "what is local is not cached"
    );
}

#[test]
fn paths_depth_and_what_is_missing() {
    let mut site = Site::new();
    site.commit("main", "two");
    let dest = site.dest("dest", RepoMode::BareUser);
    let sub = PullOptions {
        subpaths: vec!["/etc/sub".into()],
        ..options("main")
    };
    assert_eq!(pull_from(&site.source, &dest, &sub).unwrap().content, 1);
    let deep = PullOptions {
        depth: -1,
        ..options("main")
    };
    pull_from(&site.source, &dest, &deep).unwrap();
    for id in &site.commits {
        assert_whole(&dest, id);
    }
    // A source that is partial itself cannot give what it does not have.
    let partial = site.dest("partial", RepoMode::Archive);
    pull_from(
        &site.source,
        &partial,
        &PullOptions {
            ref_remote: None,
            ..sub
        },
    )
    .unwrap();
    let dest = site.dest("again", RepoMode::BareUser);
    let error = pull_from(&partial, &dest, &options("main"))
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("Importing "), "{error}");
    assert!(
        error.ends_with(".dirtree: linkat: No such file or directory"),
        "{error}"
    );
    assert!(stored(&dest).is_empty());
    let error = pull(
        &dest,
        &remote("file:///nonexistent", ""),
        &options("main"),
        &mut (),
        &Cancel::new(),
    );
    assert_eq!(
        error.unwrap_err().to_string(),
        "opening repo: opendir(/nonexistent): No such file or directory (os error 2)"
    );
}

#[test]
fn signatures_are_demanded_here_too() {
    let site = Site::new();
    let dest = site.dest("dest", RepoMode::BareUser);
    let remote = file_remote(&site.source, "gpg-verify=true\n");
    let error = pull(&dest, &remote, &options("main"), &mut (), &Cancel::new())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("GPG verification enabled, but no signatures found"),
        "{error}"
    );
    assert!(stored(&dest).is_empty());
}
