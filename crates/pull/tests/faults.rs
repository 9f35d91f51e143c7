//! Every way a server can fail, at every stage: the pull gets through or says which URL failed; nothing half is
//! published; the next pull completes.

mod common;

use common::{Site, assert_nothing_half, assert_whole, options, origin, remote, stored};
use osier_object::{ObjectName, ObjectType};
use osier_pull::{Cancel, Outcome, PullOptions, pull};
use osier_store::{ReadObjects, Repo, RepoMode};
use osier_testkit::httpd::{Action, Rule};
use std::time::Duration;

/// What may come of a fault that is there for every request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Expect {
    Completes,
    Fails,
    /// Depends on whether the file in question may be absent.
    Either,
}

fn faults(site: &Site) -> Vec<(&'static str, Action, Expect)> {
    use Expect::{Completes, Either, Fails};
    let html = format!("<html>{}</html>", "sorry ".repeat(3000)).into_bytes();
    vec![
        ("delay", Action::Delay(Duration::from_millis(30)), Completes),
        ("chunked", Action::Chunked, Completes),
        ("until close", Action::UntilClose, Completes),
        ("no answer", Action::Raw(vec![]), Fails),
        (
            "garbage answer",
            Action::Raw(b"\x00\xff garbage\r\n\r\n".to_vec()),
            Fails,
        ),
        ("cut at the start", Action::Cut(0), Fails),
        ("cut within", Action::Cut(9), Fails),
        ("stalled", Action::Stall(4), Fails),
        ("claims more", Action::ClaimLength(1 << 40), Fails),
        ("truncated to nothing", Action::Truncate(0), Fails),
        ("truncated", Action::Truncate(7), Fails),
        ("corrupt at the start", Action::Corrupt(0), Fails),
        ("corrupt within", Action::Corrupt(20), Fails),
        ("gzip nobody asked for", Action::Gzip, Completes),
        (
            "not found",
            Action::Status(404, b"not found".to_vec()),
            Either,
        ),
        ("forbidden", Action::Status(403, vec![]), Either),
        (
            "gone with a page",
            Action::Status(410, html.clone()),
            Either,
        ),
        ("bad request", Action::Status(400, vec![]), Fails),
        ("internal error", Action::Status(500, html.clone()), Fails),
        ("unavailable", Action::Status(503, vec![]), Fails),
        ("login page", Action::Replace(html), Fails),
        (
            "redirect to a loop",
            Action::Redirect(format!("{}/loop", site.server.url())),
            Fails,
        ),
        (
            "redirect to a file",
            Action::Redirect("file:///etc/passwd".into()),
            Fails,
        ),
    ]
}

/// What is hit, and whether a pull can do without it.
fn stages(site: &Site) -> Vec<(&'static str, Rule, bool)> {
    let tree = |n: usize| {
        let trees: Vec<_> = site
            .objects(&site.tip())
            .into_iter()
            .filter(|o| o.ty == ObjectType::Dirtree)
            .collect();
        format!("objects/{}", trees[n].loose_path(true))
    };
    vec![
        ("config", Rule::on("config"), false),
        ("summary", Rule::on("summary"), true),
        ("commitmeta", Rule::ending(".commitmeta"), true),
        ("commit", Rule::ending(".commit"), false),
        ("one dirtree", Rule::on(&tree(1)), false),
        ("dirtree", Rule::ending(".dirtree"), false),
        ("dirmeta", Rule::ending(".dirmeta"), false),
        ("filez", Rule::ending(".filez"), false),
        ("one filez", Rule::ending(".filez").skip(2), false),
    ]
}

fn quick() -> PullOptions {
    PullOptions {
        network_retries: 1,
        low_speed_limit: 1000,
        low_speed_time: Duration::from_millis(400),
        ..options("main")
    }
}

#[test]
fn every_fault_at_every_stage() {
    // The stages wait for time-outs and the disk most of the time, so they do it together.
    let count = stages(&Site::new()).len();
    std::thread::scope(|scope| {
        for n in 0..count {
            scope.spawn(move || {
                let site = Site::new();
                site.summarise();
                // Detached metadata makes that stage real.
                let mut meta = osier_gv::Dict::new();
                meta.push("note", osier_gv::Value::Str("kept ".repeat(10)));
                let name = ObjectName {
                    checksum: site.tip().0,
                    ty: ObjectType::Commitmeta,
                };
                std::fs::write(site.object_file(&name), meta.encode()).unwrap();
                let (stage, rule, optional) = stages(&site).swap_remove(n);
                for (fault, action, expect) in faults(&site) {
                    one_fault(
                        &site,
                        (stage, rule.clone(), optional),
                        (fault, action, expect),
                    );
                }
            });
        }
    });
}

fn one_fault(
    site: &Site,
    (stage, rule, optional): (&str, Rule, bool),
    (fault, action, expect): (&str, Action, Expect),
) {
    let case = format!("{fault} at {stage}");
    let dest = site.dest(fault, RepoMode::BareUser);
    site.server.clear_faults();
    let loop_url = format!("{}/loop", site.server.url());
    site.server
        .fault(Rule::on("loop").always(Action::Redirect(loop_url)));
    site.server.fault(rule.always(action));
    let result = site.pull(&dest, &quick());
    assert_nothing_half(&dest);
    match result {
        Ok(_) => {
            let allowed = match expect {
                Expect::Completes => true,
                Expect::Either => optional,
                // Damaged into something else that is valid.
                Expect::Fails => ["config", "commitmeta", "summary"].contains(&stage),
            };
            assert!(allowed, "{case}: the pull succeeded");
            assert_whole(&dest, &site.tip());
        }
        Err(error) => {
            let text = error.to_string();
            let allowed = match expect {
                Expect::Completes => false,
                Expect::Either => !optional,
                Expect::Fails => true,
            };
            assert!(allowed, "{case}: {text}");
            // A config that says something else is quoted.
            assert!(
                text.contains(&site.server.url()) || stage == "config",
                "{case} names no URL: {text}"
            );
            assert!(text.len() < 1000 && !text.contains('\n'), "{case}: {text}");
            assert_eq!(origin(&dest, "main"), None, "{case}");
            assert!(stored(&dest).is_empty(), "{case}: something was published");
        }
    }
    site.server.clear_faults();
    site.pull(&dest, &quick())
        .unwrap_or_else(|e| panic!("{case}: the next pull: {e}"));
    assert_whole(&dest, &site.tip());
    assert_eq!(origin(&dest, "main"), Some(site.tip()), "{case}");
    std::fs::remove_dir_all(dest.path()).unwrap();
}

#[test]
fn a_fault_that_passes_is_not_noticed() {
    let site = Site::new();
    let passing = [
        Action::Raw(vec![]),
        Action::Cut(5),
        Action::Stall(5),
        Action::Status(500, vec![]),
        Action::Status(503, vec![]),
    ];
    for (n, action) in passing.into_iter().enumerate() {
        for (stage, rule) in [
            ("summary", Rule::on("summary")),
            ("ref", Rule::starting("refs/")),
            ("commit", Rule::ending(".commit")),
            ("dirtree", Rule::ending(".dirtree").skip(1)),
            ("dirmeta", Rule::ending(".dirmeta")),
            ("filez", Rule::ending(".filez").skip(1)),
        ] {
            let dest = site.dest(&format!("dest-{n}-{stage}"), RepoMode::BareUser);
            site.server.clear_faults();
            site.server.fault(rule.once(action.clone()));
            site.pull(&dest, &quick())
                .unwrap_or_else(|e| panic!("{action:?} at {stage}: {e}"));
            assert_whole(&dest, &site.tip());
        }
    }
}

#[test]
fn a_large_object_that_breaks_while_it_is_written_is_written_anew() {
    let site = Site::new();
    let large = site
        .objects(&site.tip())
        .into_iter()
        .filter(|o| o.ty == ObjectType::File)
        .max_by_key(|o| std::fs::metadata(site.object_file(o)).unwrap().len())
        .unwrap();
    let path = format!("objects/{}", large.loose_path(true));
    for (n, at) in [1 << 20, (1 << 20) + 1, 2_000_000, common::LARGE]
        .into_iter()
        .enumerate()
    {
        for (name, action) in [("cut", Action::Cut(at)), ("stall", Action::Stall(at))] {
            let dest = site.dest(&format!("dest-{n}-{name}"), RepoMode::BareUser);
            site.server.clear_faults();
            site.server.fault(Rule::on(&path).once(action));
            site.pull(&dest, &quick()).unwrap();
            assert_whole(&dest, &site.tip());
        }
        let dest = site.dest(&format!("dest-{n}-corrupt"), RepoMode::BareUser);
        site.server.clear_faults();
        site.server
            .fault(Rule::on(&path).always(Action::Corrupt(at)));
        let error = site.pull(&dest, &quick()).unwrap_err().to_string();
        assert!(error.contains(&path), "{error}");
        assert!(stored(&dest).is_empty());
        // Corrupt bytes are not asked for again: the server would only send them again.
        let asked = site.server.paths().iter().filter(|p| **p == path).count();
        site.server.clear_faults();
        site.pull(&dest, &quick()).unwrap();
        assert_eq!(
            site.server.paths().iter().filter(|p| **p == path).count(),
            asked + 1
        );
        assert_whole(&dest, &site.tip());
    }
}

#[test]
fn an_interrupted_pull_is_taken_up_where_it_stopped() {
    let mut site = Site::new();
    site.commit("main", "two");
    for mode in common::MODES {
        let dest = site.dest(&mode.to_string(), mode);
        let mut fetched = 0;
        let mut rounds = 0;
        // Each round may fetch three objects; all that it got counts for the next.
        loop {
            rounds += 1;
            assert!(rounds < 30, "no progress");
            site.server.clear_faults();
            site.server.clear_log();
            let rule = Rule::starting("objects/").skip(4);
            site.server.fault(rule.always(Action::Status(404, vec![])));
            let result = site.pull(&dest, &quick());
            fetched += site
                .server
                .log()
                .iter()
                .filter(|l| l.status == 200 && l.path.starts_with("objects/"))
                .count();
            if result.is_ok() {
                break;
            }
            assert!(stored(&dest).is_empty());
        }
        assert_eq!(
            fetched,
            site.objects(&site.tip()).len(),
            "{mode}: nothing was fetched twice"
        );
        assert!(rounds > 3);
        assert_whole(&dest, &site.tip());
    }
}

#[test]
fn a_server_that_goes_away_is_named() {
    let site = Site::new();
    let dest = site.dest("dest", RepoMode::BareUser);
    let url = {
        let other = osier_testkit::httpd::Server::serve(site.source.path()).unwrap();
        other.url()
    };
    let error = attempt(&dest, &url).unwrap_err();
    assert!(
        error.starts_with(&format!(
            "While fetching {url}/summary.sig: [7] Could not connect to server"
        )),
        "{error}"
    );
}

fn attempt(dest: &Repo, url: &str) -> Result<Outcome, String> {
    pull(dest, &remote(url, ""), &quick(), &mut (), &Cancel::new()).map_err(|e| e.to_string())
}

#[test]
fn a_full_disk_is_not_the_servers_fault() {
    let site = Site::new();
    let dest = site.dest("dest", RepoMode::BareUser);
    let config = dest.path().join("config");
    let mut text = std::fs::read_to_string(&config).unwrap();
    text.push_str("min-free-space-size=900TB\n");
    std::fs::write(&config, text).unwrap();
    let dest = Repo::open(dest.path()).unwrap();
    let error = site.pull_main(&dest).unwrap_err().to_string();
    assert!(
        error.starts_with("min-free-space-size 943718400MB would be exceeded"),
        "{error}"
    );
    assert!(
        !dest
            .has_object(&ObjectName {
                checksum: site.tip().0,
                ty: ObjectType::Commit
            })
            .unwrap()
    );
}
