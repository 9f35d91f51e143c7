//! `pull` over HTTP from a plain web server: what either tool published, into what either tool made.

use osier_conformance::{
    Scratch, assert_names, both_ways, commit, object_checksum, ours_is_c, pair, root_or_skip, text,
};
use osier_testkit::httpd::{Action, Rule, Server};
use osier_testkit::tool::{Outcome, Tool};
use osier_testkit::{repo, trees};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A served archive repository.
struct Site {
    server: Server,
    repo: PathBuf,
    commit: String,
}

fn site(scratch: &Scratch, tool: &Tool, name: &str) -> Site {
    let repo = scratch.init(tool, name, "archive");
    let tree = trees::os(&scratch.path(format!("{name}-tree")), "1", "6.1").unwrap();
    let commit = commit(
        tool,
        &repo,
        "os/main",
        tree.path(),
        &["--add-metadata-string=version=1"],
    );
    Site {
        server: Server::serve(&repo).unwrap(),
        repo,
        commit,
    }
}

/// A repository with the site as remote `origin`.
fn client(scratch: &Scratch, tool: &Tool, site: &Site, name: &str, mode: &str) -> PathBuf {
    let path = scratch.init(tool, name, mode);
    tool.repo(&path).ok([
        "remote",
        "add",
        "--no-gpg-verify",
        "origin",
        &site.server.url(),
    ]);
    path
}

/// A pull that gives up at once when the server fails.
fn pull(tool: &Tool, repo: &Path, args: &[&str]) -> Outcome {
    tool.repo(repo)
        .run(["pull", "--network-retries=0"].iter().chain(args))
}

fn nothing_published(tool: &Tool, repo: &Path) {
    assert_eq!(
        tool.repo(repo).ok(["refs"]),
        "",
        "a failed pull moved a ref"
    );
}

#[test]
fn into_every_mode_both_ways() {
    if !root_or_skip() {
        return;
    }
    for (writer, reader) in both_ways() {
        let scratch = Scratch::new();
        let tree = trees::everything(&scratch.path("tree")).unwrap();
        let site = site(&scratch, &writer, "site");
        let all = commit(&writer, &site.repo, "all", tree.path(), &[]);
        for mode in ["archive", "bare", "bare-user", "bare-user-only"] {
            let path = client(&scratch, &reader, &site, mode, mode);
            let branch = if mode == "bare-user-only" {
                "os/main"
            } else {
                "all"
            };
            let outcome = pull(&reader, &path, &["origin", branch]);
            if mode == "bare-user-only" {
                // Owners and setuid files do not go in; what does must be whole.
                if outcome.code == 0 {
                    assert_eq!(
                        reader.repo(&path).ok(["rev-parse", "origin:os/main"]),
                        site.commit
                    );
                }
                continue;
            }
            outcome.expect_ok();
            assert_eq!(reader.repo(&path).ok(["rev-parse", "origin:all"]), all);
            reader.repo(&path).ok(["fsck", "-q"]);
            writer.repo(&path).ok(["fsck", "-q"]);
            let twin = scratch.init(&writer, &format!("{mode}-twin"), mode);
            writer
                .repo(&twin)
                .ok(["pull-local", "--remote=origin", text(&site.repo), "all"]);
            let objects = |repo: &Path| repo::object_names(repo).unwrap();
            assert_eq!(objects(&path), objects(&twin), "{mode}");
        }
    }
}

#[test]
fn the_same_repository_is_left_by_both() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let site = site(&scratch, &c, "site");
    for version in ["2", "3"] {
        let tree = trees::os(&scratch.path(format!("tree-{version}")), version, "6.1").unwrap();
        commit(&c, &site.repo, "os/main", tree.path(), &[]);
    }
    let tree = trees::hard_links(&scratch.path("other")).unwrap();
    commit(
        &c,
        &site.repo,
        "other",
        tree.path(),
        &["--add-detached-metadata-string=k=v"],
    );
    c.repo(&site.repo).ok(["summary", "-u"]);
    let first = site.commit.as_str();
    for (number, (mode, args)) in [
        ("bare-user", &["origin", "os/main"][..]),
        ("bare-user", &["origin", "os/main", "other"]),
        ("bare-user", &["--depth=1", "origin", "os/main"]),
        ("bare-user", &["--depth=-1", "origin", "os/main"]),
        (
            "bare-user",
            &["--commit-metadata-only", "origin", "os/main"],
        ),
        ("bare-user", &["--subpath=/usr/etc", "origin", "os/main"]),
        ("bare-user", &["origin", first]),
        ("archive", &["--mirror", "origin"]),
        ("archive", &["--mirror", "origin", "other"]),
        ("archive", &["--disable-fsync", "origin", "other"]),
        ("archive", &["--per-object-fsync", "origin", "other"]),
        ("bare-user", &["origin:os/main"]),
        ("bare-user", &["origin", "nosuch"]),
        ("bare-user", &["nosuch", "os/main"]),
        ("bare-user", &["origin", "bad..ref/"]),
        ("bare-user", &["origin"]),
    ]
    .into_iter()
    .enumerate()
    {
        let results = [&ours, &c].map(|tool| {
            let path = client(
                &scratch,
                tool,
                &site,
                &format!("{number}-{}", tool.name()),
                mode,
            );
            (pull(tool, &path, args), path)
        });
        let label = format!("{args:?}\n{}{}", results[0].0, results[1].0);
        assert_eq!(results[0].0.code, results[1].0.code, "{label}");
        let differences = repo::differences(&results[0].1, &results[1].1).unwrap();
        assert!(differences.is_empty(), "{label}{}", differences.join("\n"));
    }
}

#[test]
fn a_second_version_costs_only_what_changed() {
    for (writer, reader) in both_ways() {
        let scratch = Scratch::new();
        let site = site(&scratch, &writer, "site");
        let path = client(&scratch, &reader, &site, "client", "bare-user");
        pull(&reader, &path, &["origin", "os/main"]).expect_ok();
        let before: BTreeSet<String> = repo::object_names(&site.repo)
            .unwrap()
            .into_iter()
            .collect();
        let tree = trees::os(&scratch.path("next"), "2", "6.1").unwrap();
        commit(&writer, &site.repo, "os/main", tree.path(), &[]);
        site.server.clear_log();
        pull(&reader, &path, &["origin", "os/main"]).expect_ok();
        let fetched: Vec<String> = site
            .server
            .paths()
            .iter()
            .filter_map(|path| {
                path.trim_start_matches('/')
                    .strip_prefix("objects/")
                    .map(str::to_owned)
            })
            .filter(|path| !path.ends_with(".commitmeta"))
            .collect();
        assert!(
            fetched.iter().all(|path| !before.contains(path)),
            "fetched again: {fetched:?}"
        );
        let now: BTreeSet<String> = repo::object_names(&site.repo)
            .unwrap()
            .into_iter()
            .collect();
        let new: BTreeSet<String> = now.difference(&before).cloned().collect();
        assert_eq!(fetched.into_iter().collect::<BTreeSet<_>>(), new);
        // Nothing new: no object is asked for.
        site.server.clear_log();
        pull(&reader, &path, &["origin", "os/main"]).expect_ok();
        assert!(
            site.server
                .paths()
                .iter()
                .all(|path| !path.contains(".filez")),
            "{:?}",
            site.server.paths()
        );
    }
}

#[test]
fn remotes_are_kept_in_the_config() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let site = site(&scratch, &c, "site");
    c.repo(&site.repo).ok(["summary", "-u"]);
    let url = site.server.url();
    let steps: [&[&str]; 18] = [
        &["remote", "list"],
        &["remote", "add", "--no-gpg-verify", "origin", &url],
        &["remote", "add", "--no-gpg-verify", "origin", &url],
        &[
            "remote",
            "add",
            "--no-gpg-verify",
            "--if-not-exists",
            "origin",
            "http://127.0.0.1:1/other",
        ],
        &[
            "remote",
            "add",
            "--set=tls-permissive=true",
            "second",
            "http://127.0.0.1:1/second",
            "a",
            "b/c",
        ],
        &[
            "remote",
            "add",
            "--no-gpg-verify",
            "--force",
            "second",
            "http://127.0.0.1:1/third",
        ],
        &["remote", "add", "bad/name", "http://127.0.0.1:1/x"],
        &["remote", "add", "only-name"],
        &["remote", "list"],
        &["remote", "list", "-u"],
        &["remote", "show-url", "origin"],
        &["remote", "show-url", "nosuch"],
        &["remote", "refs", "origin"],
        &["remote", "refs", "nosuch"],
        &["remote", "delete", "second"],
        &["remote", "delete", "nosuch"],
        &["remote", "delete", "--if-exists", "nosuch"],
        &["remote", "list"],
    ];
    let [our, c] = [&ours, &c].map(|tool| {
        let path = scratch.init(tool, tool.name(), "archive");
        steps.map(|step| {
            let outcome = tool.repo(&path).run(step);
            // Newer GLib leaves the blank line behind a deleted last group.
            let config = std::fs::read_to_string(path.join("config"))
                .unwrap()
                .trim_end()
                .to_owned();
            (
                step,
                outcome.code,
                outcome.stdout,
                outcome.stderr.lines().last().map(str::to_owned),
                config,
            )
        })
    });
    for (our, c) in our.into_iter().zip(c) {
        assert_eq!(our, c);
    }
}

/// Pulls while the server does `action` to what `rule` hits; the pull must fail, name `name`, publish nothing, and
/// succeed once the server is well again.
fn faulty(rule: impl Fn(&Site) -> Rule, action: Action, name: impl Fn(&Site) -> String) {
    let ours = Tool::ours();
    let scratch = Scratch::new();
    let site = site(&scratch, &ours, "site");
    let path = client(&scratch, &ours, &site, "client", "bare-user");
    site.server.fault(rule(&site).always(action.clone()));
    let outcome = pull(&ours, &path, &["origin", "os/main"]);
    assert!(outcome.code == 1, "{action:?}\n{outcome}");
    assert_names(&outcome.stderr, &name(&site));
    nothing_published(&ours, &path);
    // Without syncs objects go straight into place; a commit that came must then be marked as partial.
    let whole = site.commit.clone();
    let came = repo::object_names(&path)
        .unwrap()
        .iter()
        .any(|object| object.ends_with(".commit"));
    assert!(
        !came || path.join(format!("state/{whole}.commitpartial")).exists(),
        "{action:?}: a half commit passes for whole"
    );
    site.server.clear_faults();
    pull(&ours, &path, &["origin", "os/main"]).expect_ok();
    ours.repo(&path).ok(["fsck", "-q"]);
    assert_eq!(
        ours.repo(&path).ok(["rev-parse", "origin:os/main"]),
        site.commit
    );
}

fn url(site: &Site) -> String {
    site.server.url()
}

fn first_filez(site: &Site) -> (String, String) {
    let object = repo::first_object(&site.repo, "filez").unwrap();
    (
        text(object.strip_prefix(&site.repo).unwrap()).to_owned(),
        object_checksum(&object),
    )
}

#[test]
fn a_missing_ref_and_a_missing_repository() {
    faulty(|_| Rule::all(), Action::Status(404, b"no".to_vec()), url);
    faulty(
        |_| Rule::containing("refs/heads"),
        Action::Status(404, b"no".to_vec()),
        |_| "os/main".to_owned(),
    );
}

#[test]
fn a_server_that_answers_500() {
    faulty(|_| Rule::all(), Action::Status(500, b"oops".to_vec()), url);
    faulty(
        |_| Rule::ending(".dirtree"),
        Action::Status(500, b"oops".to_vec()),
        url,
    );
}

#[test]
fn a_missing_object() {
    for extension in [".commit", ".dirtree", ".dirmeta", ".filez"] {
        faulty(
            |_| Rule::ending(extension),
            Action::Status(404, b"no".to_vec()),
            |_| extension[..5].to_owned(),
        );
    }
}

#[test]
fn garbage_in_place_of_objects() {
    for extension in [".commit", ".dirtree", ".dirmeta", ".filez"] {
        faulty(
            |_| Rule::ending(extension),
            Action::Replace(b"<html>not an object</html>".to_vec()),
            |_| String::new(),
        );
        faulty(
            |_| Rule::ending(extension),
            Action::Replace(Vec::new()),
            |_| String::new(),
        );
    }
}

#[test]
fn garbage_in_place_of_a_ref() {
    faulty(
        |_| Rule::containing("refs/heads"),
        Action::Replace(b"<html>".to_vec()),
        |_| String::new(),
    );
    faulty(
        |_| Rule::containing("refs/heads"),
        Action::Replace(Vec::new()),
        |_| String::new(),
    );
}

#[test]
fn garbage_in_place_of_the_config_or_the_summary() {
    let Some((ours, c)) = pair() else { return };
    for file in ["config", "summary"] {
        let scratch = Scratch::new();
        let site = site(&scratch, &c, "site");
        site.server.fault(
            Rule::ending(file).always(Action::Replace(b"<html>no such page</html>".to_vec())),
        );
        let [our, c] = [&ours, &c].map(|tool| {
            let path = client(&scratch, tool, &site, tool.name(), "bare-user");
            pull(tool, &path, &["origin", "os/main"])
        });
        assert_eq!(our.code, c.code, "{file}\n{our}{c}");
    }
}

#[test]
fn half_a_file() {
    for extension in [".commit", ".dirtree", ".filez"] {
        faulty(|_| Rule::ending(extension), Action::Cut(10), url);
        faulty(
            |_| Rule::ending(extension),
            Action::Truncate(10),
            |_| String::new(),
        );
    }
}

#[test]
fn a_flipped_byte_in_one_object() {
    // The last byte of an object is always part of what its checksum covers.
    faulty(
        |site| Rule::ending(&first_filez(site).0),
        Action::Corrupt(12),
        |site| first_filez(site).1,
    );
    faulty(
        |_| Rule::ending(".dirtree"),
        Action::Corrupt(3),
        |_| "dirtree".to_owned(),
    );
    faulty(
        |_| Rule::ending(".commit"),
        Action::Corrupt(usize::MAX),
        |site| site.commit.clone(),
    );
}

#[test]
fn an_answer_that_never_ends() {
    faulty(
        |_| Rule::ending(".commit"),
        Action::Zeros(1 << 30),
        |_| String::new(),
    );
    faulty(
        |_| Rule::containing("refs/heads"),
        Action::Zeros(1 << 30),
        |_| String::new(),
    );
}

#[test]
fn no_server_at_all() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    for tool in [&ours, &c] {
        let path = scratch.init(tool, tool.name(), "archive");
        // Port 1 of the loopback address has no listener.
        tool.repo(&path).ok([
            "remote",
            "add",
            "--no-gpg-verify",
            "origin",
            "http://127.0.0.1:1/repo",
        ]);
        let outcome = pull(tool, &path, &["origin", "os/main"]).expect_fail();
        if tool.name() == "ours" {
            assert_names(&outcome.stderr, "127.0.0.1:1/repo");
        }
        nothing_published(tool, &path);
    }
}

#[test]
fn a_hiccup_is_retried() {
    if ours_is_c() {
        // Some versions of the C tool give up when a connection is cut.
        return;
    }
    for (writer, _) in both_ways() {
        let (ours, scratch) = (Tool::ours(), Scratch::new());
        let site = site(&scratch, &writer, "site");
        let path = client(&scratch, &ours, &site, "client", "bare-user");
        site.server
            .fault(Rule::ending(".dirmeta").once(Action::Cut(3)));
        site.server
            .fault(Rule::ending(".filez").once(Action::Status(503, Vec::new())));
        site.server
            .fault(Rule::ending(".filez").once(Action::Cut(3)));
        ours.repo(&path).ok(["pull", "origin", "os/main"]);
        ours.repo(&path).ok(["fsck", "-q"]);
    }
}

#[test]
fn a_pull_goes_on_where_a_failed_one_stopped() {
    for (writer, reader) in both_ways() {
        let scratch = Scratch::new();
        let site = site(&scratch, &writer, "site");
        let path = client(&scratch, &reader, &site, "client", "bare-user");
        site.server.fault(
            Rule::ending(".filez")
                .skip(4)
                .always(Action::Status(500, Vec::new())),
        );
        let outcome = pull(&reader, &path, &["origin", "os/main"]).expect_fail();
        let got: BTreeSet<String> = site
            .server
            .log()
            .into_iter()
            .filter(|l| l.status == 200 && l.path.ends_with(".filez"))
            .map(|l| l.path)
            .collect();
        assert!(!got.is_empty(), "{outcome}");
        site.server.clear_faults();
        site.server.clear_log();
        pull(&reader, &path, &["origin", "os/main"]).expect_ok();
        let again: Vec<String> = site
            .server
            .paths()
            .into_iter()
            .filter(|path| got.contains(path))
            .collect();
        // An answer that had come but was not yet stored when the pull gave up may be asked for again.
        assert!(again.len() < got.len(), "all of {got:?} was fetched again");
        reader.repo(&path).ok(["fsck", "-q"]);
    }
}

#[test]
fn a_file_url_and_a_url_given_on_the_command_line() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let site = site(&scratch, &c, "site");
    for tool in [&ours, &c] {
        let path = scratch.init(tool, tool.name(), "bare-user");
        tool.repo(&path).ok([
            "remote",
            "add",
            "--no-gpg-verify",
            "file",
            &format!("file://{}", text(&site.repo)),
        ]);
        tool.repo(&path).ok(["pull", "file", "os/main"]);
        tool.repo(&path).ok([
            "remote",
            "add",
            "--no-gpg-verify",
            "other",
            "http://127.0.0.1:1/repo",
        ]);
        let url = format!("--url={}", site.server.url());
        tool.repo(&path).ok(["pull", &url, "other", "os/main"]);
        assert_eq!(
            tool.repo(&path).ok(["rev-parse", "other:os/main"]),
            site.commit
        );
        assert_eq!(
            tool.repo(&path).ok(["rev-parse", "file:os/main"]),
            site.commit
        );
    }
}
