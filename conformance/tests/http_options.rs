//! What a remote and the command line say of HTTP: both tools send the same requests to the same places.

use osier_conformance::{Scratch, TIMESTAMP, pair, tree_arg};
use osier_testkit::httpd::{Action, Rule, Server};
use osier_testkit::tool::Tool;
use osier_testkit::trees;
use std::path::PathBuf;

const ORIGIN: &str = "http://origin.invalid/some/where";

/// A served repository with `main`.
fn site(scratch: &Scratch, c: &Tool) -> (PathBuf, Server) {
    let www = scratch.path("www");
    std::fs::create_dir_all(www.join("some")).unwrap();
    let source = scratch.init(c, "www/some/where", "archive");
    let tree = trees::hard_links(&scratch.path("tree")).unwrap();
    c.repo(&source)
        .ok(["commit", "-b", "main", TIMESTAMP, &tree_arg(tree.path())]);
    let server = Server::serve(&www).unwrap();
    (source, server)
}

fn client(scratch: &Scratch, tool: &Tool, name: &str, args: &[&str]) -> (Tool, PathBuf) {
    let path = scratch.init(tool, &format!("{}-{name}", tool.name()), "bare-user");
    let repo = tool.repo(&path);
    let mut line = vec!["remote", "add", "--no-gpg-verify", "origin"];
    line.extend(args);
    repo.ok(line);
    (repo, path)
}

/// Names and values of an environment.
type Variables<'a> = &'a [(&'a str, &'a str)];

/// Which of these environments and keys lead to the proxy, and which do not.
#[test]
fn proxies() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let (_, server) = site(&scratch, &c);
    let proxy = server.url();
    let bare = server.addr().to_string();
    let cases: &[(Variables<'_>, &[&str])] = &[
        (&[], &[]),
        (&[("http_proxy", &proxy)], &[]),
        (&[("http_proxy", &bare)], &[]),
        (&[("HTTP_PROXY", &proxy)], &[]),
        (&[("https_proxy", &proxy)], &[]),
        (&[("all_proxy", &proxy)], &[]),
        (&[("ALL_PROXY", &proxy)], &[]),
        (
            &[("http_proxy", "http://127.0.0.1:1"), ("all_proxy", &proxy)],
            &[],
        ),
        (
            &[("http_proxy", &proxy), ("no_proxy", "origin.invalid")],
            &[],
        ),
        (&[("http_proxy", &proxy), ("no_proxy", "invalid")], &[]),
        (&[("http_proxy", &proxy), ("no_proxy", ".invalid")], &[]),
        (
            &[
                ("http_proxy", &proxy),
                ("no_proxy", "other, origin.invalid"),
            ],
            &[],
        ),
        (&[("http_proxy", &proxy), ("no_proxy", "*")], &[]),
        (&[("http_proxy", &proxy), ("no_proxy", "gin.invalid")], &[]),
        (
            &[("http_proxy", &proxy), ("NO_PROXY", "origin.invalid")],
            &[],
        ),
        (&[("http_proxy", "http://127.0.0.1:1")], &["--set=proxy"]),
        (&[("no_proxy", "origin.invalid")], &["--set=proxy"]),
        (&[("no_proxy", "*")], &["--set=proxy"]),
        (&[], &["--set=proxy"]),
    ];
    for (n, (variables, keys)) in cases.iter().enumerate() {
        let results = [&ours, &c].map(|tool| {
            let keys: Vec<String> = keys.iter().map(|key| format!("{key}={proxy}")).collect();
            let mut args: Vec<&str> = keys.iter().map(String::as_str).collect();
            args.push(ORIGIN);
            let (mut repo, _) = client(&scratch, tool, &n.to_string(), &args);
            for (name, value) in *variables {
                repo = repo.env(name, value);
            }
            server.clear_log();
            let pull = ["pull", "--network-retries=0", "origin", "main"];
            let outcome = repo.run(pull);
            let hosts: Vec<_> = server
                .log()
                .iter()
                .map(|l| l.header("host").unwrap_or_default().to_owned())
                .collect();
            assert!(
                hosts.iter().all(|host| host == "origin.invalid"),
                "{hosts:?}"
            );
            // The commands that read a summary alone go the same way. (Where that is nowhere, they take their time.)
            let asked = !hosts.is_empty() && {
                let refs = repo.run(["remote", "refs", "origin"]);
                refs.stderr.contains("server has no summary file")
            };
            (outcome.code, hosts.is_empty(), asked)
        });
        assert_eq!(results[0], results[1], "{variables:?} {keys:?}");
    }
}

/// Headers, cookies and the user agent, on every request.
#[test]
fn what_requests_carry() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let (_, server) = site(&scratch, &c);
    let url = format!("{}/some/where", server.url());
    let requests = [&ours, &c].map(|tool| {
        let (repo, path) = client(&scratch, tool, "carries", &[&url]);
        for [domain, path, name] in [
            ["127.0.0.1", "/some", "a"],
            ["127.0.0.1", "/some/where/objects", "b"],
            ["127.0.0.1", "/", "c"],
            ["other", "/", "d"],
            ["127.0.0.1", "/som", "e"],
        ] {
            repo.ok([
                "remote",
                "add-cookie",
                "origin",
                domain,
                path,
                name,
                "value",
            ]);
        }
        assert!(path.join("origin.cookies.txt").exists());
        server.clear_log();
        repo.ok([
            "pull",
            "--disable-static-deltas",
            "--http-header=X-One=1=2",
            "--http-header=x-two=",
            "--append-user-agent=more/1",
            "origin",
            "main",
        ]);
        let mut out: Vec<_> = server
            .log()
            .into_iter()
            .map(|l| {
                let header = |name: &str| l.header(name).map(str::to_owned);
                let cookie = header("cookie").map(|text| {
                    let mut list: Vec<_> = text.split("; ").map(str::to_owned).collect();
                    list.sort();
                    list
                });
                let agent =
                    header("user-agent").map(|text| text.split_once(' ').unwrap().1.to_owned());
                let coding = header("accept-encoding");
                (
                    l.path.clone(),
                    header("x-one"),
                    header("x-two"),
                    cookie,
                    agent,
                    coding,
                )
            })
            .collect();
        out.sort();
        // 2022.7 asks for detached metadata twice.
        out.dedup();
        out
    });
    assert_eq!(requests[0], requests[1]);
    assert!(requests[0].len() > 8);
}

/// Lists of mirrors: which entry is used, what is asked of it, and when the next one is.
#[test]
fn mirror_lists() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let (_, server) = site(&scratch, &c);
    let url = server.url();
    for (n, list) in [
        format!("{url}/some/where\n"),
        format!("# comment\n\n{url}/gone\n{url}/some/where/\nnonsense\n"),
        format!("ftp://h/\n{url}/some/where"),
        format!("{url}/gone\n"),
        String::new(),
    ]
    .into_iter()
    .enumerate()
    {
        std::fs::write(scratch.path("www/list"), &list).unwrap();
        let results = [&ours, &c].map(|tool| {
            let at = format!("mirrorlist={url}/list");
            let (repo, _) = client(&scratch, tool, &n.to_string(), &[&at]);
            server.clear_log();
            let outcome = repo.run(["pull", "--disable-static-deltas", "origin", "main"]);
            let mut paths = server.paths();
            paths.sort();
            paths.dedup();
            (outcome.code, outcome.stderr, paths)
        });
        assert_eq!(results[0], results[1], "{list:?}");
    }
}

/// How often a request is tried: by status, by option, and not again for what would come out the same.
#[test]
fn tries() {
    let Some((ours, c)) = pair() else { return };
    let scratch = Scratch::new();
    let (_, server) = site(&scratch, &c);
    let url = format!("{}/some/where", server.url());
    // Older ones try again only what curl itself would, and know no limits of speed.
    let newer = c.ok(["pull", "--help"]).contains("--low-speed-limit-bytes");
    let options = |text: &'static str| -> Vec<&'static str> { text.split_whitespace().collect() };
    for (n, (action, more)) in [
        (Action::Status(500, vec![]), ""),
        (Action::Status(500, vec![]), "--network-retries=2"),
        (Action::Status(503, vec![]), "--network-retries=1"),
        (Action::Status(401, vec![]), "--network-retries=1"),
        (Action::Status(404, vec![]), ""),
        (Action::Status(408, vec![]), "--network-retries=1"),
        (Action::Cut(3), "--network-retries=1"),
        (Action::Corrupt(3), ""),
        (
            Action::Stall(3),
            "--network-retries=1 --low-speed-time-seconds=1 --low-speed-limit-bytes=10",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let sure = matches!(
            action,
            Action::Status(500 | 408 | 404, _) | Action::Corrupt(_)
        );
        if !newer && !sure {
            continue;
        }
        let results = [&ours, &c].map(|tool| {
            let (repo, _) = client(&scratch, tool, &format!("tries{n}"), &[&url]);
            server.clear_log();
            server.clear_faults();
            server.fault(Rule::ending(".commit").always(action.clone()));
            let mut line = vec!["pull", "--disable-static-deltas", "origin", "main"];
            line.extend(options(more));
            let outcome = repo.run(line);
            let asked = server
                .paths()
                .iter()
                .filter(|p| p.ends_with(".commit"))
                .count();
            (outcome.code, asked)
        });
        assert_eq!(results[0], results[1], "{action:?} {more}");
    }
}
