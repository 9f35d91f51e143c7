//! Every way a server can fail, at every stage: the pull gets through or says which URL failed; nothing half is
//! published; the next pull completes.

mod common;

use common::{Site, assert_whole, options, origin, remote, stored};
use osier_object::{ObjectName, ObjectType};
use osier_pull::{Cancel, Outcome, PullOptions, pull};
use osier_store::static_deltas::DeltaName;
use osier_store::{ReadObjects, Repo, RepoMode, fsck};
use osier_testkit::httpd::{Action, Rule};
use osier_testkit::tool::Tool;
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
        ("silence", Action::Delay(Duration::from_secs(3600)), Fails),
        (
            "a trickle",
            Action::Drip(1, Duration::from_millis(150)),
            Fails,
        ),
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
        ("unauthorized", Action::Status(401, vec![]), Fails),
        ("request timeout", Action::Status(408, vec![]), Fails),
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

/// What a pull does with a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Need {
    /// It cannot do without.
    Must,
    /// That the file is not there is fine; other failures are not, but what it holds may be anything.
    May,
    /// Objects do in its place, whatever becomes of it.
    Shortcut,
}

/// What is hit, and whether a pull can do without it.
fn stages(site: &Site) -> Vec<(&'static str, Rule, Need)> {
    use Need::{May, Must, Shortcut};
    let of = |ty| -> Vec<ObjectName> {
        let all = site.objects(&site.tip()).into_iter();
        all.filter(|o| o.ty == ty).collect()
    };
    let path = |name: &ObjectName| format!("objects/{}", name.loose_path(true));
    let size = |name: &&ObjectName| std::fs::metadata(site.object_file(name)).unwrap().len();
    let files = of(ObjectType::File);
    let large = files.iter().max_by_key(size).unwrap();
    let small = files.iter().min_by_key(size).unwrap();
    vec![
        ("config", Rule::on("config"), Must),
        ("summary", Rule::on("summary"), May),
        ("summary.sig", Rule::on("summary.sig"), May),
        ("ref", Rule::on("refs/heads/main"), Must),
        ("commitmeta", Rule::ending(".commitmeta"), May),
        ("commit", Rule::ending(".commit"), Must),
        (
            "one dirtree",
            Rule::on(&path(&of(ObjectType::Dirtree)[1])),
            Must,
        ),
        ("dirtree", Rule::ending(".dirtree"), Must),
        ("dirmeta", Rule::ending(".dirmeta"), Must),
        ("filez", Rule::ending(".filez"), Must),
        ("one filez", Rule::ending(".filez").skip(2), Must),
        ("large filez", Rule::on(&path(large)), Must),
        ("small filez", Rule::on(&path(small)), Must),
        ("delta index", Rule::ending(".index"), Shortcut),
        ("delta superblock", Rule::ending("/superblock"), Shortcut),
        ("delta part", Rule::ending("/0"), Shortcut),
    ]
}

/// A site as that stage needs it.
fn site_for(stage: &str) -> Site {
    let site = Site::new();
    if stage.starts_with("delta") {
        let name = DeltaName {
            from: None,
            to: site.tip(),
        };
        let options = osier_delta::generate::GenerateOptions::default();
        let cancel = osier_store::parallel::Cancel::default();
        osier_delta::generate::generate(&site.source, &name, &options, &(), &cancel).unwrap();
        site.source.reindex_static_deltas(None).unwrap();
        let config = site.source.path().join("config");
        let text = std::fs::read_to_string(&config).unwrap();
        std::fs::write(config, format!("{text}indexed-deltas=true\n")).unwrap();
    }
    if stage != "ref" {
        site.summarise();
    }
    // Detached metadata makes that stage real.
    let mut meta = osier_gv::Dict::new();
    meta.push("note", osier_gv::Value::Str("kept ".repeat(10)));
    let name = ObjectName {
        checksum: site.tip().0,
        ty: ObjectType::Commitmeta,
    };
    std::fs::write(site.object_file(&name), meta.encode()).unwrap();
    site
}

fn quick() -> PullOptions {
    PullOptions {
        network_retries: 3,
        low_speed_limit: 1000,
        low_speed_time: Duration::from_secs(1),
        ..options("main")
    }
}

#[test]
fn every_fault_at_every_stage() {
    // The stages wait for time-outs and the disk most of the time, so they do it together.
    let count = stages(&Site::new()).len();
    let c = Tool::c();
    std::thread::scope(|scope| {
        for n in 0..count {
            let c = c.as_ref();
            scope.spawn(move || {
                let stage = stages(&Site::new())[n].0;
                let site = site_for(stage);
                let (stage, rule, need) = stages(&site).swap_remove(n);
                for (fault, action, expect) in faults(&site) {
                    let fault = (fault, action, expect);
                    one_fault(&site, (stage, rule.clone(), need), fault, c);
                }
            });
        }
    });
}

/// Both tools find nothing wrong.
fn assert_sound(dest: &Repo, c: Option<&Tool>, case: &str) {
    let (lines, cancel) = (
        fsck::Lines::default(),
        osier_store::parallel::Cancel::default(),
    );
    let options = fsck::FsckOptions::default();
    let outcome = fsck::fsck(dest, &options, &lines, &cancel).unwrap();
    outcome
        .verdict()
        .unwrap_or_else(|e| panic!("{case}: {e}: {:?}", lines.take()));
    if let Some(c) = c {
        let outcome = c.repo(dest.path()).run(["fsck", "--quiet"]);
        assert_eq!(outcome.code, 0, "{case}: {outcome}");
    }
}

fn one_fault(
    site: &Site,
    (stage, rule, need): (&str, Rule, Need),
    (fault, action, expect): (&str, Action, Expect),
    c: Option<&Tool>,
) {
    let case = format!("{fault} at {stage}");
    let dest = site.dest(fault, RepoMode::BareUser);
    site.server.clear_faults();
    let loop_url = format!("{}/loop", site.server.url());
    site.server
        .fault(Rule::on("loop").always(Action::Redirect(loop_url)));
    // Where nothing stands still, a busy machine must not look as if it did.
    let still = match &action {
        Action::Stall(_) | Action::Drip(..) => true,
        Action::Delay(time) => *time > Duration::from_secs(60),
        _ => false,
    };
    site.server.fault(rule.always(action));
    let patient = PullOptions {
        disable_static_deltas: need != Need::Shortcut,
        network_retries: 1,
        low_speed_time: Duration::from_secs(30),
        ..quick()
    };
    let options = PullOptions {
        low_speed_time: match still {
            true => Duration::from_millis(300),
            false => patient.low_speed_time,
        },
        ..patient.clone()
    };
    site.server.clear_log();
    let result = site.pull(&dest, &options);
    match result {
        Ok(_) => {
            let allowed = match (expect, need) {
                (Expect::Completes, _) | (_, Need::Shortcut) => true,
                (Expect::Either, need) => need == Need::May,
                // Damaged into something else that is valid, or that nobody looks at.
                (Expect::Fails, need) => need == Need::May || stage == "config",
            };
            assert!(allowed, "{case}: the pull succeeded");
            assert_whole(&dest, &site.tip());
            assert_eq!(origin(&dest, "main"), Some(site.tip()), "{case}");
        }
        Err(error) => {
            let text = error.to_string();
            let allowed = match (expect, need) {
                (Expect::Completes, _) => false,
                (Expect::Either, need) => need == Need::Must,
                (Expect::Fails, _) => true,
            };
            assert!(allowed, "{case}: {text}");
            // A config that says something else is quoted; so is a ref.
            assert!(
                text.contains(&site.server.url())
                    || stage == "config"
                    || text.starts_with("Fetching checksum for ref ((empty), main): Invalid rev ")
                    || text.contains("static delta"),
                "{case} names no URL: {text}"
            );
            assert!(
                text.len() < 1000 && !text.contains(char::is_control),
                "{case}: {text}"
            );
            assert_eq!(origin(&dest, "main"), None, "{case}");
            assert!(stored(&dest).is_empty(), "{case}: something was published");
        }
    }
    assert_sound(&dest, c, &case);
    site.server.clear_faults();
    site.pull(&dest, &patient)
        .unwrap_or_else(|e| panic!("{case}: the next pull: {e}"));
    assert_whole(&dest, &site.tip());
    assert_eq!(origin(&dest, "main"), Some(site.tip()), "{case}");
    std::fs::remove_dir_all(dest.path()).unwrap();
}

/// Every second answer is a failure of some kind, from the first request to the last.
#[test]
fn a_flapping_server_is_got_through() {
    for deltas in [false, true] {
        let site = site_for(if deltas { "delta" } else { "objects" });
        let kinds = [
            Action::Raw(vec![]),
            Action::Cut(3),
            Action::Status(503, vec![]),
            Action::Stall(3),
            Action::Status(500, vec![]),
        ];
        // A rule does not see what those before it hit, so that each lets one more through.
        for n in 0..100 {
            let action = kinds[n % kinds.len()].clone();
            site.server.fault(Rule::all().skip(n + 1).once(action));
        }
        let dest = site.dest("dest", RepoMode::BareUser);
        let options = PullOptions {
            disable_static_deltas: !deltas,
            // Which of the requests under way a failure hits is chance: with five tries one of them fails each time now and
            // then.
            network_retries: 30,
            ..quick()
        };
        site.pull(&dest, &options).unwrap();
        assert_whole(&dest, &site.tip());
        assert_sound(&dest, Tool::c().as_ref(), "flapping");
        let log = site.server.log();
        let failed = log
            .iter()
            .filter(|l| matches!(l.status, 0 | 500 | 503))
            .count();
        assert!(failed > 3, "{failed} of {}", log.len());
    }
}

/// Cut off at random places in all files, small ones too: what is asked for again is what had not arrived, but for small
/// files, which are asked for whole.
#[test]
fn random_cuts_cost_little() {
    let site = Site::new();
    let mut random = osier_testkit::random::Random::new(11);
    let needed: u64 = site
        .objects(&site.tip())
        .iter()
        .map(|o| std::fs::metadata(site.object_file(o)).unwrap().len())
        .sum();
    for n in 0..8 {
        let at = random.below(common::LARGE as u64) as usize;
        site.server
            .fault(Rule::starting("objects/").skip(2 * n).once(Action::Cut(at)));
    }
    let large = Rule::containing(".filez").skip(1);
    site.server
        .fault(large.times(3, Action::Cut(common::LARGE / 2)));
    let dest = site.dest("dest", RepoMode::BareUser);
    site.pull(&dest, &quick()).unwrap();
    assert_whole(&dest, &site.tip());
    let heads = 400 * site.server.log().len() as u64;
    let sent = site.server.bytes_sent();
    assert!(sent < needed + needed / 100 + heads, "{sent} of {needed}");
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
