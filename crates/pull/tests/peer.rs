//! Side by side with the C tool: each pulls what the other serves, into every mode, and the repositories are alike.

mod common;

use common::{MODES, Site, assert_whole, options};
use osier_pull::remote::{Add, Location, Remotes};
use osier_pull::{Cancel, Outcome, PullOptions, pull};
use osier_store::{Repo, RepoMode};
use osier_testkit::httpd::Server;
use osier_testkit::tool::Tool;
use osier_testkit::{repo, skip, trees};
use std::path::Path;

/// Ours pulls from a server, set up as a user would.
fn ours(dest: &Path, mode: RepoMode, url: &str, options: &PullOptions) -> Outcome {
    let repo = common::repo(dest, mode);
    let mut add = Add::new("origin", Some(Location::Url(url.to_owned())));
    add.no_gpg_verify = true;
    Remotes::of(&repo, None).unwrap().add(&repo, &add).unwrap();
    let repo = Repo::open(dest).unwrap();
    let remote = Remotes::of(&repo, None).unwrap().get("origin").unwrap();
    pull(&repo, &remote, options, &mut (), &Cancel::new()).unwrap()
}

/// The C tool does the same; the line it ends with.
fn theirs(c: &Tool, dest: &Path, mode: RepoMode, url: &str, args: &[&str]) -> String {
    let tool = c.repo(dest);
    tool.ok(["init", &format!("--mode={mode}")]);
    tool.ok(["remote", "add", "--no-gpg-verify", "origin", url]);
    let mut line = vec!["pull", "--disable-fsync", "origin", "main"];
    line.extend(args);
    tool.ok(line)
}

/// `N metadata, M content objects fetched`.
fn counts(line: &str) -> (u64, u64) {
    let mut numbers = line.split([' ', ',']).filter_map(|word| word.parse().ok());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

/// What a user sees of both is the same: objects, refs, state, config.
fn assert_alike(one: &Path, two: &Path) {
    let differences = repo::differences(one, two).unwrap();
    assert!(
        differences.is_empty(),
        "{} and {}: {differences:#?}",
        one.display(),
        two.display()
    );
}

/// A repository that the C tool made of every kind of file, with some history and a summary.
fn c_source(c: &Tool, dir: &Path) -> std::path::PathBuf {
    let tree = trees::everything(&dir.join("tree")).unwrap();
    let source = dir.join("source");
    let tool = c.repo(&source);
    tool.ok(["init", "--mode=archive"]);
    for n in 1..=3 {
        tree.file("version", format!("{n}\n")).unwrap();
        let time = format!("--timestamp=@{}", 1_700_000_000 + n);
        let root = format!("--tree=dir={}", tree.path().display());
        tool.ok(["commit", "-b", "main", "-s", "subject", &time, &root]);
    }
    source
}

#[test]
fn ours_pulls_what_the_c_tool_serves_as_the_c_tool_does() {
    let Some(c) = Tool::c() else { return };
    if !skip::is_root() {
        skip::because("bare repositories keep owners, which needs root");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let source = c_source(&c, dir.path());
    let server = Server::serve(&source).unwrap();
    for with_summary in [false, true] {
        if with_summary {
            c.repo(&source).ok(["summary", "-u"]);
        }
        for mode in [RepoMode::Bare, RepoMode::BareUser, RepoMode::Archive] {
            let depths: &[i64] = if mode == RepoMode::BareUser && !with_summary {
                &[0, 1, -1]
            } else {
                &[-1]
            };
            for &depth in depths {
                let name = format!("{mode}-{depth}-{with_summary}");
                let (one, two) = (
                    dir.path().join(format!("ours-{name}")),
                    dir.path().join(format!("c-{name}")),
                );
                let outcome = ours(
                    &one,
                    mode,
                    &server.url(),
                    &PullOptions {
                        depth,
                        ..options("main")
                    },
                );
                let line = theirs(
                    &c,
                    &two,
                    mode,
                    &server.url(),
                    &[&format!("--depth={depth}"), "--disable-static-deltas"],
                );
                assert_alike(&one, &two);
                c.repo(&one).ok(["fsck"]);
                // The same objects were counted; 2022.7 also counted each commit's absent detached metadata.
                let ours = (outcome.metadata, outcome.content);
                let (metadata, content) = counts(&line);
                assert_eq!(content, ours.1, "{name}: {line}");
                assert!(
                    (ours.0..=ours.0 + 3).contains(&metadata),
                    "{name}: {line} / {ours:?}"
                );
                assert_eq!(
                    outcome.status_line().rsplit_once("; ").unwrap().1,
                    line.rsplit_once("; ").unwrap().1,
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn bare_user_only_as_the_c_tool_does() {
    let Some(c) = Tool::c() else { return };
    let dir = tempfile::tempdir().unwrap();
    let tree = trees::symlinks(&dir.path().join("tree")).unwrap();
    let source = dir.path().join("source");
    let tool = c.repo(&source);
    tool.ok(["init", "--mode=archive"]);
    let root = format!("--tree=dir={}", tree.path().display());
    tool.ok([
        "commit",
        "-b",
        "main",
        "-s",
        "subject",
        "--timestamp=@1",
        "--canonical-permissions",
        &root,
    ]);
    let server = Server::serve(&source).unwrap();
    let (one, two) = (dir.path().join("ours"), dir.path().join("c"));
    ours(
        &one,
        RepoMode::BareUserOnly,
        &server.url(),
        &options("main"),
    );
    theirs(&c, &two, RepoMode::BareUserOnly, &server.url(), &[]);
    assert_alike(&one, &two);
    c.repo(&one).ok(["fsck"]);
}

#[test]
fn the_c_tool_pulls_what_ours_serves() {
    let Some(c) = Tool::c() else { return };
    let mut site = Site::new();
    site.commit("main", "two");
    for with_summary in [false, true] {
        if with_summary {
            site.summarise();
        }
        for mode in MODES {
            let dest = site.path(&format!("c-{mode}-{with_summary}"));
            theirs(&c, &dest, mode, &site.server.url(), &["--depth=-1"]);
            c.repo(&dest).ok(["fsck"]);
            let repo = Repo::open(&dest).unwrap();
            for id in &site.commits {
                assert_whole(&repo, id);
            }
        }
    }
}

#[test]
fn each_takes_over_where_the_other_was_interrupted() {
    use osier_testkit::httpd::{Action, Rule};
    let Some(c) = Tool::c() else { return };
    let site = Site::new();
    // Half of the files are out of reach at first.
    let broken = || {
        Rule::ending(".filez")
            .skip(3)
            .always(Action::Status(404, vec![]))
    };
    for ours_first in [true, false] {
        let dest = site.path(&format!("dest-{ours_first}"));
        let repo = common::repo(&dest, RepoMode::BareUser);
        let tool = c.repo(&dest);
        tool.ok([
            "remote",
            "add",
            "--no-gpg-verify",
            "origin",
            &site.server.url(),
        ]);
        site.server.fault(broken());
        if ours_first {
            site.pull_main(&repo).unwrap_err();
        } else {
            tool.fail(["pull", "origin", "main"]);
        }
        site.server.clear_faults();
        site.server.clear_log();
        if ours_first {
            tool.ok(["pull", "origin", "main"]);
        } else {
            site.pull_main(&repo).unwrap();
        }
        let fetched = site
            .server
            .log()
            .iter()
            .filter(|l| l.status == 200 && l.path.ends_with(".filez"))
            .count();
        assert!(fetched < 6, "what the first one staged is used: {fetched}");
        assert_whole(&repo, &site.tip());
        tool.ok(["fsck"]);
    }
}
