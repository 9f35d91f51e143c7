//! `pull` through static deltas over HTTP: what is asked for, what is printed and what is left, beside the C tool.

use osier_conformance::{Scratch, commit, ours_is_c, pair};
use osier_testkit::httpd::{Action, Rule, Server};
use osier_testkit::tool::{Outcome, Tool};
use osier_testkit::{random, repo};
use std::fs;
use std::path::PathBuf;

/// A served archive with three versions of `main`.
struct Site {
    server: Server,
    repo: PathBuf,
    commits: Vec<String>,
}

fn site(scratch: &Scratch, tool: &Tool) -> Site {
    let repo = scratch.init(tool, "site", "archive");
    let tree = scratch.path("tree");
    fs::create_dir_all(tree.join("sub")).unwrap();
    random::write_file(&tree.join("large"), 300_000, 1).unwrap();
    fs::write(tree.join("sub/same"), "same\n").unwrap();
    let mut commits = Vec::new();
    for version in ["one", "two", "three"] {
        fs::write(tree.join("version"), format!("{version}\n").repeat(40)).unwrap();
        fs::write(tree.join(format!("sub/{version}")), version).unwrap();
        let time = format!("--timestamp=@{}", 1_700_000_000 + commits.len());
        commits.push(commit(tool, &repo, "main", &tree, &[&time]));
    }
    Site {
        server: Server::serve(&repo).unwrap(),
        repo,
        commits,
    }
}

/// A client that has the first `have` versions.
fn client(
    scratch: &Scratch,
    tool: &Tool,
    site: &Site,
    name: &str,
    mode: &str,
    have: usize,
) -> PathBuf {
    let path = scratch.init(tool, name, mode);
    let tool = tool.repo(&path);
    tool.ok([
        "remote",
        "add",
        "--no-gpg-verify",
        "origin",
        &site.server.url(),
    ]);
    for id in &site.commits[..have] {
        tool.ok([
            "pull",
            "--disable-static-deltas",
            "origin",
            &format!("main@{id}"),
        ]);
    }
    path
}

/// Everything asked for, sorted: requests run side by side.
fn asked(site: &Site) -> Vec<String> {
    let mut paths = site.server.paths();
    paths.sort();
    site.server.clear_log();
    paths
}

/// The closing line without times and bytes that depend on the header of an error page.
fn line(outcome: &Outcome) -> String {
    let line = outcome.stdout.lines().last().unwrap_or_default();
    line.split("; ").next().unwrap_or_default().to_owned()
}

/// Where the client's refs are; the C tool of 2022 has no `refs -r`.
fn heads(tool: &Tool) -> Vec<(String, String)> {
    let names = tool.ok(["refs"]);
    names
        .lines()
        .map(|name| (name.to_owned(), tool.ok(["rev-parse", name])))
        .collect()
}

/// Whether the C tool counts and asks as those of 2022 do: a missing `.commitmeta` is a metadata object there, and while
/// a delta's parts are being applied the tree is looked into, so that what they are about to bring is asked for too.
fn is_old(c: &Tool) -> bool {
    let version = c.ok(["--version"]);
    let year = version.split('\'').nth(1).and_then(|v| v.split('.').next());
    year.and_then(|year| year.parse::<u32>().ok())
        .is_some_and(|year| year < 2026)
}

/// Of a closing line, what an older C tool counts alike: the parts of deltas, and content objects where there are no
/// deltas.
fn counted_alike(line: &str, no_deltas: bool) -> String {
    if let Some((parts, _)) = line.split_once(" delta parts, ") {
        return format!("{parts} delta parts");
    }
    match line.split_once(" metadata, ") {
        Some((_, content)) if no_deltas => content.to_owned(),
        Some(_) => "objects".to_owned(),
        None => line.to_owned(),
    }
}

/// One case with both tools: how the server is set up, what the client has, and what it runs.
struct Case {
    deltas: &'static [&'static [&'static str]],
    summary: bool,
    mode: &'static str,
    have: usize,
    args: &'static [&'static str],
}

const TO: [&[&str]; 3] = [
    &["--from=main^", "--to=main"],
    &["--empty", "--to=main"],
    &["--from=main^^", "--to=main"],
];

fn compare(case: &Case) {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let site = site(&scratch, &c);
    for delta in case.deltas {
        let mut args = vec!["static-delta", "generate", "--max-chunk-size=1"];
        args.extend(*delta);
        c.repo(&site.repo).ok(args);
    }
    if case.summary {
        c.repo(&site.repo).ok(["summary", "-u"]);
    }
    let results = [&ours, &c].map(|tool| {
        let path = client(&scratch, tool, &site, tool.name(), case.mode, case.have);
        site.server.clear_log();
        let args = [&["pull"], case.args, &["origin", "main"]].concat();
        let outcome = tool.repo(&path).run(args);
        let asked = asked(&site);
        (outcome, asked, path)
    });
    let [(our, our_asked, our_path), (their, their_asked, their_path)] = results;
    let label = format!(
        "{:?} {} {:?}\n{our}{their}",
        case.deltas, case.summary, case.args
    );
    assert_eq!(our.code, their.code, "{label}");
    if is_old(&c) {
        let missing = our_asked.iter().find(|path| !their_asked.contains(path));
        assert_eq!(missing, None, "{label}");
        let more = their_asked.iter().find(|path| {
            let of_a_tree = path.starts_with("objects/") && !path.contains(".commit");
            !our_asked.contains(path) && (case.deltas.is_empty() || !of_a_tree)
        });
        assert_eq!(more, None, "{label}");
        let lines =
            [&our, &their].map(|outcome| counted_alike(&line(outcome), case.deltas.is_empty()));
        assert_eq!(lines[0], lines[1], "{label}");
    } else {
        assert_eq!(our_asked, their_asked, "{label}");
        assert_eq!(line(&our), line(&their), "{label}");
    }
    let differences = repo::differences(&our_path, &their_path).unwrap();
    assert!(differences.is_empty(), "{label}{}", differences.join("\n"));
    if our.code == 0 && !case.args.contains(&"--dry-run") {
        for tool in [&ours, &c] {
            tool.repo(&our_path).ok(["fsck", "-q"]);
        }
    }
}

fn case(
    deltas: &'static [&'static [&'static str]],
    summary: bool,
    have: usize,
    args: &'static [&'static str],
) {
    compare(&Case {
        deltas,
        summary,
        mode: "bare-user",
        have,
        args,
    });
}

#[test]
fn from_what_is_here() {
    for summary in [false, true] {
        case(&TO, summary, 2, &[]);
        case(&TO, summary, 1, &["--require-static-deltas"]);
    }
}

#[test]
fn from_nothing() {
    for summary in [false, true] {
        case(&TO, summary, 0, &[]);
        case(&TO[..1], summary, 0, &[]);
    }
}

#[test]
fn where_there_are_none() {
    for summary in [false, true] {
        case(&[], summary, 2, &[]);
        case(&[], summary, 2, &["--require-static-deltas"]);
        case(&TO, summary, 2, &["--disable-static-deltas"]);
        case(&TO, summary, 3, &[]);
    }
}

#[test]
fn inline_parts_and_fallbacks() {
    const INLINE: &[&[&str]] = &[&["--inline", "--from=main^", "--to=main"]];
    const FALLBACK: &[&[&str]] = &[&["--min-fallback-size=0.1", "--empty", "--to=main"]];
    const FALLBACKS: &[&[&str]] = &[&["--min-fallback-size=1", "--empty", "--to=main"]];
    case(INLINE, true, 2, &[]);
    case(FALLBACK, true, 0, &[]);
    case(FALLBACKS, true, 0, &[]);
}

#[test]
fn dry_runs() {
    case(&TO, true, 2, &["--dry-run", "--require-static-deltas"]);
    case(&TO, true, 0, &["--dry-run", "--require-static-deltas"]);
    case(&TO, true, 0, &["--dry-run"]);
}

#[test]
fn into_an_archive() {
    for args in [&[][..], &["--require-static-deltas"]] {
        compare(&Case {
            deltas: &TO,
            summary: true,
            mode: "archive",
            have: 0,
            args,
        });
    }
}

/// A delta whose part is missing, cut or damaged, whoever lists it: the objects are fetched and that is said, unless
/// deltas are demanded.
#[test]
fn what_a_delta_lacks_comes_as_objects() {
    let Some((ours, c)) = pair() else { return };
    if ours_is_c() {
        return;
    }
    let faults = [
        (Action::Status(404, b"gone".to_vec()), "404"),
        (
            Action::Corrupt(100),
            "Checksum mismatch in static delta part",
        ),
        (
            Action::Replace(Vec::new()),
            "Checksum mismatch in static delta part",
        ),
        (
            Action::Replace(b"xnothing of the kind".to_vec()),
            "Checksum mismatch in static delta part",
        ),
        (Action::Truncate(50), "static delta"),
        (Action::Zeros(10_000_000), "exceeded maximum size"),
    ];
    for (action, words) in faults {
        for in_summary in [true, false] {
            let scratch = Scratch::new();
            let site = site(&scratch, &c);
            let server = c.repo(&site.repo);
            if !in_summary {
                server.ok(["config", "set", "core.no-deltas-in-summary", "true"]);
            }
            server.ok(["static-delta", "generate", "--from=main^", "--to=main"]);
            server.ok(["summary", "-u"]);
            let label = format!("{action:?} {in_summary}");
            let [path, with_events] = ["client", "events"]
                .map(|name| client(&scratch, &ours, &site, name, "bare-user", 2));
            site.server.fault(Rule::ending("/0").always(action.clone()));
            let client = ours.repo(&path);
            let refs = heads(&client);
            let error = client.fail(["pull", "--require-static-deltas", "origin", "main"]);
            assert!(error.contains(words), "{label}: {error}");
            assert_eq!(heads(&client), refs, "{label}");
            site.server.clear_log();
            let outcome = client.run(["pull", "origin", "main"]).expect_ok();
            assert!(
                asked(&site).iter().any(|path| path.ends_with("/0")),
                "{label}"
            );
            let warning = outcome
                .stderr
                .lines()
                .find(|line| line.starts_with("warning: "));
            let warning = warning.unwrap_or_else(|| panic!("{label}: {outcome}"));
            assert!(
                warning.contains(words) && warning.ends_with("fetching objects instead"),
                "{warning}"
            );
            assert!(warning.contains(&site.commits[2]), "{warning}");
            let lines = ours
                .repo(&with_events)
                .ok(["pull", "--json", "origin", "main"]);
            let told: Vec<_> = lines
                .lines()
                .filter(|l| l.contains("\"event\":\"warning\""))
                .collect();
            assert_eq!(told.len(), 1, "{lines}");
            assert!(told[0].contains(words), "{lines}");
            assert!(
                lines.lines().last().unwrap().contains("\"event\":\"done\""),
                "{lines}"
            );
            for path in [&path, &with_events] {
                assert_eq!(
                    ours.repo(path).ok(["rev-parse", "origin:main"]),
                    site.commits[2]
                );
                for checker in [&ours, &c] {
                    checker.repo(path).ok(["fsck", "-q"]);
                }
            }
        }
    }
}

/// A superblock that is not the listed one is refused.
#[test]
fn a_superblock_that_is_not_the_listed_one_is_refused() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let site = site(&scratch, &c);
    c.repo(&site.repo)
        .ok(["static-delta", "generate", "--from=main^", "--to=main"]);
    c.repo(&site.repo).ok(["summary", "-u"]);
    site.server
        .fault(Rule::ending("/superblock").always(Action::Corrupt(40)));
    for tool in [&ours, &c] {
        let path = client(&scratch, tool, &site, tool.name(), "bare-user", 2);
        let tool = tool.repo(&path);
        let refs = heads(&tool);
        let error = tool.fail(["pull", "origin", "main"]);
        assert!(
            error.contains("Invalid checksum for static delta"),
            "{error}"
        );
        assert_eq!(heads(&tool), refs);
    }
}

/// Nobody signs an index: where the summary must be signed, it is asked for, and a delta of the index alone is not taken.
#[test]
fn an_index_does_not_stand_in_for_a_signed_summary() {
    let Some((ours, c)) = pair() else { return };
    if ours_is_c() {
        return;
    }
    let scratch = Scratch::new();
    let site = site(&scratch, &c);
    c.repo(&site.repo)
        .ok(["static-delta", "generate", "--from=main^", "--to=main"]);
    c.repo(&site.repo).ok(["summary", "-u"]);
    let path = client(&scratch, &ours, &site, "client", "bare-user", 2);
    let ours = ours.repo(&path);
    let refs = heads(&ours);
    ours.ok([
        "config",
        "set",
        "remote \"origin\".gpg-verify-summary",
        "true",
    ]);
    site.server.clear_log();
    let error = ours.fail(["pull", "origin", &format!("main@{}", site.commits[2])]);
    assert!(error.contains("no summary.sig found"), "{error}");
    assert_eq!(heads(&ours), refs);
    let asked = asked(&site);
    assert!(
        !asked.iter().any(|path| path.starts_with("delta")),
        "{asked:?}"
    );
}

/// Two refs at one commit share a delta.
#[test]
fn two_refs_at_one_commit() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let site = site(&scratch, &c);
    let server = c.repo(&site.repo);
    server.ok(["refs", "--create=other", "main"]);
    server.ok(["static-delta", "generate", "--from=main^", "--to=main"]);
    server.ok(["summary", "-u"]);
    let path = client(&scratch, &ours, &site, "client", "bare-user", 2);
    let ours = ours.repo(&path);
    ours.ok([
        "pull",
        "--disable-verify-bindings",
        "origin",
        "main",
        "other",
    ]);
    for name in ["origin:main", "origin:other"] {
        assert_eq!(ours.ok(["rev-parse", name]), site.commits[2]);
    }
    ours.ok(["fsck", "-q"]);
}
