//! Pulling from a server that works.

mod common;

use common::{MODES, Site, assert_whole, options, origin, remote, stored};
use osier_object::{ObjectName, ObjectType};
use osier_pull::{Cancel, Progress, ProgressSink, PullOptions, pull};
use osier_store::{ReadObjects, RefKey, RepoMode};
use osier_testkit::httpd::{Action, Rule, Server};
use std::time::Duration;

#[test]
fn a_fresh_pull_is_whole_in_every_mode() {
    let site = Site::new();
    for mode in MODES {
        let dest = site.dest(&mode.to_string(), mode);
        let outcome = site.pull_main(&dest).unwrap();
        assert_whole(&dest, &site.tip());
        assert_eq!(origin(&dest, "main"), Some(site.tip()));
        assert_eq!((outcome.metadata, outcome.content), (9, 6), "{mode}");
        assert_eq!(outcome.refs, [("main".to_owned(), site.tip())]);
        assert!(outcome.content_bytes_written > common::LARGE as u64);
        assert!(
            std::fs::read_dir(dest.path().join("state"))
                .unwrap()
                .next()
                .is_none(),
            "no commit is partial"
        );
        let left: Vec<_> = std::fs::read_dir(dest.path().join("tmp"))
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        assert_eq!(left, ["cache"]);
    }
}

#[test]
fn objects_are_asked_for_once_and_many_at_a_time() {
    let site = Site::new();
    site.server
        .fault(Rule::starting("objects/").always(Action::Delay(Duration::from_millis(20))));
    let dest = site.dest("dest", RepoMode::BareUser);
    site.pull_main(&dest).unwrap();
    let mut paths = site.server.paths();
    let all = paths.len();
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), all, "nothing is fetched twice");
    assert!(
        (2..=8).contains(&site.server.peak_in_flight()),
        "{}",
        site.server.peak_in_flight()
    );
    assert!(
        site.server.connections() <= 9,
        "connections are kept: {}",
        site.server.connections()
    );
}

#[test]
fn the_order_of_requests_without_a_summary() {
    let site = Site::new();
    site.pull_main(&site.dest("dest", RepoMode::BareUser))
        .unwrap();
    let paths = site.server.paths();
    let commit = format!(
        "objects/{}",
        ObjectName {
            checksum: site.tip().0,
            ty: ObjectType::Commit
        }
        .loose_path(true)
    );
    assert_eq!(paths[..3], ["summary.sig", "summary", "refs/heads/main"]);
    assert_eq!(paths[3..5], [format!("{commit}meta"), commit]);
    assert!(
        paths[5].ends_with(".dirtree") || paths[5].ends_with(".dirmeta"),
        "metadata comes first"
    );
    assert!(paths.last().unwrap().ends_with(".filez"));
    assert!(
        !paths.iter().any(|p| p.contains("deltas/")),
        "no superblock is asked for"
    );
}

#[test]
fn nothing_new_costs_one_request_for_objects_and_writes_nothing() {
    let site = Site::new();
    let dest = site.dest("dest", RepoMode::BareUser);
    site.pull_main(&dest).unwrap();
    site.server.clear_log();
    let before = common::snapshot(dest.path());
    let outcome = site.pull_main(&dest).unwrap();
    assert_eq!(
        (
            outcome.metadata,
            outcome.content,
            outcome.content_bytes_written
        ),
        (0, 0, 0)
    );
    assert_eq!(site.server.paths().len(), 4, "{:?}", site.server.paths());
    assert_eq!(common::snapshot(dest.path()), before);
}

#[test]
fn an_update_fetches_what_changed() {
    let mut site = Site::new();
    let dest = site.dest("dest", RepoMode::BareUser);
    site.pull_main(&dest).unwrap();
    let first = site.tip();
    site.commit("main", "two");
    let outcome = site.pull_main(&dest).unwrap();
    // The commit, the root and etc; one file.
    assert_eq!((outcome.metadata, outcome.content), (3, 1));
    assert_whole(&dest, &site.tip());
    assert_whole(&dest, &first);
    assert_eq!(origin(&dest, "main"), Some(site.tip()));
}

#[test]
fn a_summary_decides_which_refs_there_are() {
    let mut site = Site::new();
    site.summarise();
    let listed = site.tip();
    site.commit("main", "two");
    let dest = site.dest("dest", RepoMode::BareUser);
    site.pull_main(&dest).unwrap();
    assert_eq!(origin(&dest, "main"), Some(listed));
    assert_eq!(
        site.server.paths()[..3],
        ["summary.sig", "summary", "config"]
    );
    let error = site.pull(&dest, &options("other")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "No such branch 'other' in repository summary"
    );
    std::fs::write(
        site.source.path().join("config"),
        "[core]\nrepo_version=1\nmode=bare\n",
    )
    .unwrap();
    let error = site.pull_main(&dest).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Can't pull from archives with mode \"bare\""
    );
}

#[test]
fn a_summary_is_kept_with_its_signature_and_confirmed() {
    let site = Site::new();
    site.summarise();
    std::fs::write(site.source.path().join("summary.sig"), b"").unwrap();
    let dest = site.dest("dest", RepoMode::BareUser);
    site.pull_main(&dest).unwrap();
    let cache = dest.path().join("tmp/cache/summaries");
    assert_eq!(
        std::fs::read(cache.join("origin")).unwrap(),
        std::fs::read(site.source.path().join("summary")).unwrap()
    );
    assert!(cache.join("origin.sig").exists());
    site.server.clear_log();
    site.pull_main(&dest).unwrap();
    let log = site.server.log();
    assert_eq!((log[0].path.as_str(), log[0].status), ("summary.sig", 304));
    assert!(
        log[0].header("if-none-match").is_some() && log[0].header("if-modified-since").is_some()
    );
    assert!(!site.server.paths().contains(&"summary".to_owned()));
    // Without a cache everything is fetched.
    site.server.clear_log();
    site.pull(
        &dest,
        &PullOptions {
            skip_cache: true,
            ..options("main")
        },
    )
    .unwrap();
    assert_eq!(site.server.log()[0].status, 200);
}

#[test]
fn depth_follows_parents_and_an_absent_one_ends_history() {
    let mut site = Site::new();
    for text in ["two", "three", "four"] {
        site.commit("main", text);
    }
    let gone = site.commits[0];
    std::fs::remove_file(site.object_file(&ObjectName {
        checksum: gone.0,
        ty: ObjectType::Commit,
    }))
    .unwrap();
    for (depth, have) in [(0, 1), (1, 2), (-1, 3)] {
        let dest = site.dest(&format!("dest{depth}"), RepoMode::BareUser);
        site.pull(
            &dest,
            &PullOptions {
                depth,
                ..options("main")
            },
        )
        .unwrap();
        for (age, id) in site.commits.iter().rev().enumerate() {
            if age < have {
                assert_whole(&dest, id);
            } else {
                assert!(
                    !dest
                        .has_object(&ObjectName {
                            checksum: id.0,
                            ty: ObjectType::Commit
                        })
                        .unwrap()
                );
            }
        }
        // What is there already does not stop a deeper pull.
        site.pull(
            &dest,
            &PullOptions {
                depth: -1,
                ..options("main")
            },
        )
        .unwrap();
        assert_whole(&dest, &site.commits[1]);
    }
    let dest = site.dest("named", RepoMode::BareUser);
    let error = site.pull(&dest, &options(&gone.to_string())).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with(".commit: Server returned HTTP 404"),
        "{error}"
    );
}

#[test]
fn a_missing_parent_must_be_a_deleted_one_where_deletions_are_recorded() {
    let mut site = Site::new();
    site.commit("main", "two");
    site.summarise();
    std::fs::write(
        site.source.path().join("config"),
        "[core]\nrepo_version=1\nmode=archive-z2\ntombstone-commits=true\n",
    )
    .unwrap();
    let gone = site.commits[0];
    std::fs::remove_file(site.object_file(&ObjectName {
        checksum: gone.0,
        ty: ObjectType::Commit,
    }))
    .unwrap();
    let deep = PullOptions {
        depth: -1,
        ..options("main")
    };
    let dest = site.dest("dest", RepoMode::BareUser);
    let error = site.pull(&dest, &deep).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with(".tombstone-commit: Server returned HTTP 404"),
        "{error}"
    );
    let tombstone = ObjectName {
        checksum: gone.0,
        ty: ObjectType::TombstoneCommit,
    };
    std::fs::write(
        site.object_file(&tombstone),
        osier_object::tombstone::encode(&gone),
    )
    .unwrap();
    site.pull(&dest, &deep).unwrap();
    assert_whole(&dest, &site.tip());
}

#[test]
fn a_commit_or_a_ref_at_a_commit_needs_no_summary() {
    let mut site = Site::new();
    site.commit("main", "two");
    let old = site.commits[0];
    let dest = site.dest("dest", RepoMode::BareUser);
    site.pull(&dest, &options(&old.to_string())).unwrap();
    assert_whole(&dest, &old);
    assert_eq!(origin(&dest, "main"), None);
    site.pull(&dest, &options(&format!("main@{old}"))).unwrap();
    assert_eq!(origin(&dest, "main"), Some(old));
    assert!(!site.server.paths().iter().any(|p| p.starts_with("summary")));
}

#[test]
fn bindings_are_checked_unless_waived() {
    let site = Site::new();
    let dest = site.dest("dest", RepoMode::BareUser);
    let tip = site.tip();
    let error = site
        .pull(&dest, &options(&format!("other@{tip}")))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "Commit {tip}: Commit has no requested ref ‘other’ in ref binding metadata (‘main’)"
        )
    );
    assert_eq!(origin(&dest, "other"), None);
    let waived = PullOptions {
        disable_verify_bindings: true,
        ..options(&format!("other@{tip}"))
    };
    site.pull(&dest, &waived).unwrap();
    assert_eq!(origin(&dest, "other"), Some(tip));
    let error = pull(
        &dest,
        &site.remote_with("collection-id=org.other\n"),
        &options("main"),
        &mut (),
        &Cancel::new(),
    );
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("collection ID binding")
    );
}

#[test]
fn older_commits_are_refused_on_demand() {
    let mut site = Site::new();
    site.commit("main", "two");
    let (old, new) = (site.commits[0], site.commits[1]);
    let dest = site.dest("dest", RepoMode::BareUser);
    site.pull(&dest, &options(&format!("main@{new}"))).unwrap();
    let at_old = options(&format!("main@{old}"));
    let error = site
        .pull(
            &dest,
            &PullOptions {
                timestamp_check: true,
                ..at_old.clone()
            },
        )
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("is chronologically older than current revision"),
        "{error}"
    );
    let from = PullOptions {
        timestamp_check_from_rev: Some(new.to_string()),
        ..at_old.clone()
    };
    assert!(site.pull(&dest, &from).is_err());
    assert_eq!(origin(&dest, "main"), Some(new));
    site.pull(&dest, &at_old).unwrap();
    site.pull(
        &dest,
        &PullOptions {
            timestamp_check: true,
            ..options("main")
        },
    )
    .unwrap();
    assert_eq!(origin(&dest, "main"), Some(new));
}

#[test]
fn commits_alone_are_partial_until_their_tree_is_wanted() {
    let site = Site::new();
    let dest = site.dest("dest", RepoMode::BareUser);
    let outcome = site
        .pull(
            &dest,
            &PullOptions {
                commit_metadata_only: true,
                ..options("main")
            },
        )
        .unwrap();
    assert_eq!((outcome.metadata, outcome.content), (1, 0));
    assert!(dest.commit_state(&site.tip()).unwrap().partial);
    assert_eq!(origin(&dest, "main"), Some(site.tip()));
    assert_eq!(stored(&dest).len(), 1);
    site.pull_main(&dest).unwrap();
    assert_whole(&dest, &site.tip());
}

#[test]
fn subpaths_take_what_is_below_them() {
    let site = Site::new();
    let dest = site.dest("dest", RepoMode::BareUser);
    let sub = |paths: &[&str]| PullOptions {
        subpaths: paths.iter().map(|p| (*p).to_owned()).collect(),
        ..options("main")
    };
    // The file etc/text alone, then the folder etc/sub too.
    assert_eq!(site.pull(&dest, &sub(&["/etc/text"])).unwrap().content, 1);
    assert!(dest.commit_state(&site.tip()).unwrap().partial);
    assert_eq!(
        site.pull(&dest, &sub(&["/etc/sub/", "/usr/none"]))
            .unwrap()
            .content,
        1
    );
    assert_eq!(site.pull(&dest, &sub(&["/"])).unwrap().content, 4);
    assert!(
        dest.commit_state(&site.tip()).unwrap().partial,
        "a subpath never makes a commit whole"
    );
    assert_eq!(site.pull_main(&dest).unwrap().content, 0);
    assert_whole(&dest, &site.tip());
    assert!(
        site.pull(&dest, &sub(&["etc"]))
            .unwrap_err()
            .to_string()
            .contains("must be absolute")
    );
}

#[test]
fn mirroring_copies_refs_and_the_summary() {
    let mut site = Site::new();
    site.commit("other/branch", "two");
    let mirror = |targets: &str| PullOptions {
        mirror: true,
        ref_remote: None,
        ..options(targets)
    };
    let dest = site.dest("dest", RepoMode::Archive);
    let error = site.pull(&dest, &mirror("")).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("Fetching all refs was requested in mirror mode"),
        "{error}"
    );
    site.summarise();
    site.pull(&dest, &mirror("main")).unwrap();
    assert_eq!(
        dest.read_ref(&RefKey::Local("main".into())).unwrap(),
        Some(site.commits[0])
    );
    assert!(!dest.path().join("summary").exists());
    site.pull(&dest, &mirror("")).unwrap();
    assert_eq!(
        dest.read_ref(&RefKey::Local("other/branch".into()))
            .unwrap(),
        Some(site.commits[1])
    );
    assert_eq!(
        std::fs::read(dest.path().join("summary")).unwrap(),
        std::fs::read(site.source.path().join("summary")).unwrap()
    );
    for id in &site.commits {
        assert_whole(&dest, id);
    }
}

#[test]
fn mirroring_a_collection_keeps_its_refs_apart() {
    let site = Site::with_collection(Some("org.example.Os"));
    site.summarise();
    let dest = site.dest("dest", RepoMode::Archive);
    site.pull(
        &dest,
        &PullOptions {
            mirror: true,
            ref_remote: None,
            ..options("main")
        },
    )
    .unwrap();
    let key = RefKey::Mirror("org.example.Os".into(), "main".into());
    assert_eq!(dest.read_ref(&key).unwrap(), Some(site.tip()));
    assert_eq!(dest.read_ref(&RefKey::Local("main".into())).unwrap(), None);
}

#[test]
fn content_may_be_elsewhere_and_mirrored() {
    let site = Site::new();
    let (content, dead) = (
        Server::serve(site.source.path()).unwrap(),
        Server::serve(&site.path("nothing")).unwrap(),
    );
    let lists = site.path("lists");
    std::fs::create_dir(&lists).unwrap();
    std::fs::write(
        lists.join("list"),
        format!("# mirrors\n{}\n{}\n", dead.url(), content.url()),
    )
    .unwrap();
    let list = Server::serve(&lists).unwrap();
    let dest = site.dest("dest", RepoMode::BareUser);
    let keys = format!("contenturl=mirrorlist={}/list\n", list.url());
    pull(
        &dest,
        &site.remote_with(&keys),
        &options("main"),
        &mut (),
        &Cancel::new(),
    )
    .unwrap();
    assert_whole(&dest, &site.tip());
    let meta = site.server.paths();
    assert!(
        meta.iter()
            .all(|p| !p.starts_with("objects/") || p.ends_with(".commitmeta")),
        "{meta:?}"
    );
    assert!(content.paths().iter().any(|p| p.ends_with(".commit")));
    // Nothing but dead mirrors.
    std::fs::write(lists.join("list"), format!("{}\n", dead.url())).unwrap();
    let url = format!("mirrorlist={}/list", list.url());
    let error = pull(
        &dest,
        &remote(&url, ""),
        &options("main"),
        &mut (),
        &Cancel::new(),
    )
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "No valid mirrors were found in mirrorlist '{}/list'",
            list.url()
        )
    );
}

#[test]
fn another_url_and_branches_of_the_remote() {
    let site = Site::new();
    let dest = site.dest("dest", RepoMode::BareUser);
    let nowhere = remote("http://127.0.0.1:1", "branches=main;\n");
    let here = PullOptions {
        url: Some(site.server.url()),
        ..options("")
    };
    pull(&dest, &nowhere, &here, &mut (), &Cancel::new()).unwrap();
    assert_eq!(origin(&dest, "main"), Some(site.tip()));
    let error = site.pull(&dest, &options("")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "No configured branches for remote origin"
    );
}

#[test]
fn a_local_repository_serves_as_a_cache() {
    let mut site = Site::new();
    let cache = site.dest("cache", RepoMode::BareUser);
    site.pull_main(&cache).unwrap();
    site.commit("main", "two");
    site.server.clear_log();
    let dest = site.dest("dest", RepoMode::Archive);
    let cached = PullOptions {
        localcache_repos: vec![cache.path().to_owned()],
        ..options("main")
    };
    let outcome = site.pull(&dest, &cached).unwrap();
    assert_eq!((outcome.metadata, outcome.content), (3, 1));
    assert_eq!(
        (outcome.metadata_from_cache, outcome.content_from_cache),
        (6, 5)
    );
    assert_whole(&dest, &site.tip());
    // A commit that the cache has whole is not asked for at all.
    site.server.clear_log();
    let dest = site.dest("again", RepoMode::BareUser);
    let at = options(&format!("main@{}", site.commits[0]));
    site.pull(
        &dest,
        &PullOptions {
            localcache_repos: cached.localcache_repos,
            ..at
        },
    )
    .unwrap();
    assert_eq!(site.server.paths(), Vec::<String>::new());
    assert_whole(&dest, &site.commits[0]);
}

#[test]
fn a_damaged_cache_is_an_error_not_a_source() {
    let site = Site::new();
    let cache = site.dest("cache", RepoMode::BareUser);
    site.pull_main(&cache).unwrap();
    let large = stored(&cache)
        .into_iter()
        .find(|n| n.ty == ObjectType::File)
        .unwrap();
    let file = cache.path().join("objects").join(large.loose_path(false));
    std::fs::write(&file, "damaged").unwrap();
    let dest = site.dest("dest", RepoMode::BareUser);
    let cached = PullOptions {
        localcache_repos: vec![cache.path().to_owned()],
        ..options("main")
    };
    let error = site.pull(&dest, &cached).unwrap_err().to_string();
    assert!(
        error.starts_with(&format!(
            "While importing from {}: ",
            cache.path().display()
        )),
        "{error}"
    );
    common::assert_nothing_half(&dest);
    site.pull_main(&dest).unwrap();
    assert_whole(&dest, &site.tip());
}

#[test]
fn signatures_that_are_demanded_are_never_waived() {
    let site = Site::new();
    let dest = site.dest("dest", RepoMode::BareUser);
    let tip = site.tip();
    let attempt = |keys: &str| {
        pull(
            &dest,
            &site.remote_with(keys),
            &options("main"),
            &mut (),
            &Cancel::new(),
        )
        .unwrap_err()
        .to_string()
    };
    assert_eq!(
        attempt("gpg-verify=true\n"),
        format!(
            "Commit {tip}: GPG verification enabled, but no signatures found (use gpg-verify=false in remote config to disable)"
        )
    );
    assert_eq!(
        attempt("sign-verify=true\n"),
        format!("Can't verify commit {tip} without detached metadata")
    );
    assert_eq!(
        attempt("gpg-verify-summary=true\n"),
        "GPG verification enabled, but no summary found (use gpg-verify-summary=false in remote config to disable)"
    );
    site.summarise();
    assert!(attempt("gpg-verify-summary=true\n").contains("no summary.sig found"));
    std::fs::write(site.source.path().join("summary.sig"), b"").unwrap();
    assert!(attempt("gpg-verify-summary=true\n").contains("no signatures found"));
    assert_eq!(
        attempt("sign-verify-summary=ed25519\n"),
        "No keys found for required signapi type ed25519"
    );
    assert_eq!(attempt("sign-verify-summary=true\n"), "No signatures found");
    // A signature of whatever worth is not taken for a valid one.
    let mut meta = osier_gv::Dict::new();
    meta.push("ostree.gpgsigs", osier_gv::Value::Byte(0));
    let file = site.object_file(&ObjectName {
        checksum: tip.0,
        ty: ObjectType::Commitmeta,
    });
    std::fs::write(file, meta.encode()).unwrap();
    assert!(attempt("gpg-verify=true\n").ends_with("GPGME: No data"));
    assert_eq!(origin(&dest, "main"), None);
    assert!(stored(&dest).is_empty(), "nothing is published");
}

#[test]
fn static_deltas_cannot_be_required() {
    let site = Site::new();
    let demand = PullOptions {
        require_static_deltas: true,
        ..options("main")
    };
    let error = site
        .pull(&site.dest("a", RepoMode::Archive), &demand)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "Can't use static deltas in an archive repo"
    );
    assert!(
        site.pull(&site.dest("b", RepoMode::BareUser), &demand)
            .is_err()
    );
}

#[test]
fn a_cancelled_pull_stops_and_the_next_one_takes_over() {
    struct CancelAfter(Cancel, u64);
    impl ProgressSink for CancelAfter {
        fn update(&mut self, progress: &Progress) {
            if progress.fetched_metadata >= self.1 {
                self.0.cancel();
            }
        }
    }
    let site = Site::new();
    let dest = site.dest("dest", RepoMode::BareUser);
    site.server
        .fault(Rule::ending(".filez").skip(3).always(Action::Stall(0)));
    let cancel = Cancel::new();
    let mut sink = CancelAfter(cancel.clone(), 9);
    let fast = PullOptions {
        update_interval: Duration::from_millis(10),
        ..options("main")
    };
    let error = pull(&dest, &site.remote(), &fast, &mut sink, &cancel).unwrap_err();
    assert_eq!(error.to_string(), "Operation was cancelled");
    assert_eq!(origin(&dest, "main"), None);
    assert!(stored(&dest).is_empty());
    site.server.clear_faults();
    let outcome = site.pull_main(&dest).unwrap();
    assert_eq!(outcome.metadata, 0, "metadata was staged");
    assert_whole(&dest, &site.tip());
}

#[test]
fn progress_ends_with_everything_done() {
    #[derive(Default)]
    struct Last(Progress);
    impl ProgressSink for Last {
        fn update(&mut self, progress: &Progress) {
            assert!(progress.bytes >= self.0.bytes);
            self.0 = *progress;
        }
    }
    let site = Site::new();
    let mut last = Last::default();
    let outcome = pull(
        &site.dest("dest", RepoMode::BareUser),
        &site.remote(),
        &options("main"),
        &mut last,
        &Cancel::new(),
    )
    .unwrap();
    assert_eq!((last.0.pending_metadata, last.0.pending_content), (0, 0));
    assert_eq!(
        (last.0.fetched_metadata, last.0.fetched_content),
        (outcome.metadata, outcome.content)
    );
    assert!(last.0.scanned && last.0.bytes == outcome.bytes);
}

#[test]
fn without_fsync_too() {
    let site = Site::new();
    let dest = site.dest("dest", RepoMode::BareUser);
    site.pull(
        &dest,
        &PullOptions {
            fsync: Some(false),
            ..options("main")
        },
    )
    .unwrap();
    assert_whole(&dest, &site.tip());
}

#[test]
fn a_mirror_keeps_the_bytes_that_were_served() {
    let site = Site::new();
    let dest = site.dest("dest", RepoMode::Archive);
    let mirror = PullOptions {
        mirror: true,
        ref_remote: None,
        ..options("main")
    };
    site.pull(&dest, &mirror).unwrap();
    assert_whole(&dest, &site.tip());
    for name in site.objects(&site.tip()) {
        let path = name.loose_path(true);
        let (one, two) = (
            site.object_file(&name),
            dest.path().join("objects").join(&path),
        );
        let size = std::fs::metadata(&one).unwrap().len();
        // What is streamed is compressed anew.
        assert!(
            size > 1 << 20 || std::fs::read(one).unwrap() == std::fs::read(two).unwrap(),
            "{path}"
        );
    }
}

#[test]
fn what_follows_the_data_is_not_kept() {
    let site = Site::new();
    let file = site
        .objects(&site.tip())
        .into_iter()
        .find(|o| o.ty == ObjectType::File)
        .unwrap();
    let path = site.object_file(&file);
    let mut bytes = std::fs::read(&path).unwrap();
    let clean = bytes.clone();
    bytes.extend_from_slice(b"whatever");
    std::fs::write(&path, bytes).unwrap();
    let dest = site.dest("dest", RepoMode::Archive);
    site.pull(
        &dest,
        &PullOptions {
            mirror: true,
            ref_remote: None,
            ..options("main")
        },
    )
    .unwrap();
    assert_whole(&dest, &site.tip());
    let kept = std::fs::read(dest.path().join("objects").join(file.loose_path(true))).unwrap();
    assert!(kept.len() <= clean.len() + 4 && !kept.ends_with(b"whatever"));
}

#[test]
fn trusted_content_is_checked_in_all_but_a_mirrored_archive() {
    let site = Site::new();
    let file = site
        .objects(&site.tip())
        .into_iter()
        .find(|o| o.ty == ObjectType::File)
        .unwrap();
    let path = format!("objects/{}", file.loose_path(true));
    site.server
        .fault(Rule::on(&path).always(Action::Corrupt(1000)));
    let trusted = PullOptions {
        http_trusted: true,
        ..options("main")
    };
    let mirror = |mode, bareuseronly_files| {
        let dest = site.dest(&format!("{mode}-{bareuseronly_files}"), mode);
        let options = PullOptions {
            mirror: true,
            ref_remote: None,
            bareuseronly_files,
            ..trusted.clone()
        };
        site.pull(&dest, &options)
    };
    assert!(
        site.pull(&site.dest("plain", RepoMode::Archive), &trusted)
            .is_err()
    );
    assert!(mirror(RepoMode::BareUser, false).is_err());
    assert!(mirror(RepoMode::Archive, true).is_err());
    let outcome = mirror(RepoMode::Archive, false).unwrap();
    assert_eq!((outcome.content, outcome.content_bytes_written), (6, 0));
    // Metadata is always checked.
    site.server.clear_faults();
    site.server
        .fault(Rule::ending(".dirtree").always(Action::Corrupt(5)));
    let dest = site.dest("metadata", RepoMode::Archive);
    let all = PullOptions {
        mirror: true,
        ref_remote: None,
        ..trusted
    };
    assert!(site.pull(&dest, &all).is_err());
}

/// A commit that says how large it is fails before its first file is asked for.
#[test]
fn room_is_checked_first() {
    let site = Site::new();
    let mut commit = site.source.load_commit(&site.tip()).unwrap();
    let entry = osier_object::sizes::SizeEntry {
        name: osier_object::ObjectName {
            checksum: osier_object::hash(b"absent"),
            ty: osier_object::ObjectType::File,
        },
        archived: 1 << 60,
        unpacked: 1 << 60,
    };
    commit
        .metadata
        .push("ostree.sizes", osier_object::sizes::encode([entry]));
    let tx = site.source.begin(&Default::default()).unwrap();
    let id = tx.write_commit(&commit).unwrap();
    tx.set_refspec("main", Some(id)).unwrap();
    tx.commit().unwrap();
    let dest = site.dest("dest", RepoMode::BareUser);
    let error = site.pull_main(&dest).unwrap_err().to_string();
    assert!(error.contains("min-free-space"), "{error}");
    assert!(!site.server.paths().iter().any(|p| p.ends_with(".filez")));
    assert_eq!(origin(&dest, "main"), None);
}
