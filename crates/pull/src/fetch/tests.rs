use super::*;
use osier_testkit::httpd::{Action, Rule, Server};
use std::future::Future;

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn fetcher(settings: FetchSettings) -> Fetcher {
    Fetcher::new(settings, Arc::default()).unwrap()
}

fn one(url: &str) -> Mirrors {
    Mirrors::one(BaseUrl::parse(url).unwrap())
}

struct Site {
    _dir: tempfile::TempDir,
    server: Server,
}

/// Two files: `small`, and `large` of 300000 bytes.
fn site() -> Site {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("small"), "contents").unwrap();
    std::fs::write(dir.path().join("large"), vec![7; 300_000]).unwrap();
    let server = Server::serve(dir.path()).unwrap();
    Site { _dir: dir, server }
}

impl Site {
    fn get_with(&self, settings: FetchSettings, path: &str) -> Result<Option<Vec<u8>>, FetchError> {
        run(fetcher(settings).get(&one(&self.server.url()), path))
    }

    fn get(&self, path: &str) -> Result<Option<Vec<u8>>, FetchError> {
        self.get_with(FetchSettings::default(), path)
    }
}

#[test]
fn fetches_with_headers_and_reports_absence() {
    let site = site();
    let settings = FetchSettings {
        headers: vec![("X-One".into(), "1=2".into())],
        append_user_agent: Some("more/1".into()),
        ..Default::default()
    };
    assert_eq!(
        site.get_with(settings, "small").unwrap().unwrap(),
        b"contents"
    );
    let log = &site.server.log()[0];
    assert_eq!(log.header("user-agent"), Some("libostree/2026.4 more/1"));
    assert_eq!(log.header("x-one"), Some("1=2"));
    assert_eq!(log.header("accept-encoding"), None);
    assert_eq!(site.get("missing").unwrap(), None);
}

#[test]
fn user_and_password_of_the_url_are_sent_decoded() {
    let site = site();
    let url = site
        .server
        .url()
        .replace("http://", "http://us%40er:p%3Aw@");
    run(fetcher(FetchSettings::default()).get(&one(&url), "small"))
        .unwrap()
        .unwrap();
    // base64("us@er:p:w")
    assert_eq!(
        site.server.log()[0].header("authorization"),
        Some("Basic dXNAZXI6cDp3")
    );
}

#[test]
fn cookies_go_to_their_host_alone() {
    let site = site();
    let jar = "127.0.0.1\tFALSE\t/\tFALSE\t0\ta\tb\nother\tFALSE\t/\tFALSE\t0\tx\ty\n";
    let settings = FetchSettings {
        cookies: Some(crate::remote::CookieJar::new(jar.to_owned())),
        ..Default::default()
    };
    site.get_with(settings, "small").unwrap();
    assert_eq!(site.server.log()[0].header("cookie"), Some("a=b"));
}

#[test]
fn retries_what_may_pass_and_names_the_url_when_it_does_not() {
    let site = site();
    let url = format!("{}/large", site.server.url());
    for action in [
        Action::Cut(1000),
        Action::Raw(vec![]),
        Action::Status(503, vec![]),
        Action::Status(500, vec![]),
    ] {
        site.server
            .fault(Rule::on("large").times(2, action.clone()));
        assert_eq!(
            site.get("large").unwrap().unwrap().len(),
            300_000,
            "{action:?}"
        );
    }
    assert_eq!(site.server.log().len(), 12);
    for (action, text) in [
        (Action::Cut(1000), "[18] Transferred a partial file"),
        (Action::Raw(vec![]), "[52] Server returned nothing"),
        (
            Action::Raw(b"no http\r\n\r\n".to_vec()),
            "[56] Failure when receiving data",
        ),
        (Action::Status(503, vec![]), "Server returned HTTP 503"),
        (Action::Status(401, vec![]), "Server returned HTTP 401"),
    ] {
        site.server.clear_faults();
        site.server.clear_log();
        site.server.fault(Rule::on("large").always(action));
        let settings = FetchSettings {
            retries: 2,
            ..Default::default()
        };
        let message = site.get_with(settings, "large").unwrap_err().to_string();
        assert!(
            message.starts_with(&format!("While fetching {url}: {text}")),
            "{message}"
        );
        assert_eq!(site.server.log().len(), 3);
    }
}

#[test]
fn only_sure_retries_leave_network_errors_alone() {
    let site = site();
    let settings = || FetchSettings {
        only_sure_retries: true,
        ..Default::default()
    };
    site.server
        .fault(Rule::on("small").times(2, Action::Status(500, vec![])));
    assert!(site.get_with(settings(), "small").unwrap().is_some());
    site.server
        .fault(Rule::on("small").times(1, Action::Status(503, vec![])));
    assert!(site.get_with(settings(), "small").is_err());
    site.server
        .fault(Rule::on("small").times(1, Action::Cut(2)));
    assert!(site.get_with(settings(), "small").is_err());
}

#[test]
fn unreachable_hosts() {
    let get = |url: &str| {
        let settings = FetchSettings {
            retries: 0,
            ..Default::default()
        };
        run(fetcher(settings).get(&one(url), "x"))
            .unwrap_err()
            .to_string()
    };
    let message = get("http://127.0.0.1:1/");
    assert!(
        message.starts_with("While fetching http://127.0.0.1:1/x: [7] Could not connect to server"),
        "{message}"
    );
    let message = get("http://nohost.invalid");
    assert!(
        message
            .starts_with("While fetching http://nohost.invalid/x: [6] Could not resolve hostname"),
        "{message}"
    );
}

#[test]
fn a_body_beyond_its_limit_is_refused_whatever_the_server_claims() {
    let site = site();
    let fetch = |max| {
        let fetcher = fetcher(FetchSettings {
            retries: 0,
            ..Default::default()
        });
        let mirrors = one(&site.server.url());
        let want = Want {
            max_size: Some(max),
            ..Want::small(&mirrors, "large")
        };
        let mut body = Vec::new();
        run(fetcher.fetch(&want, &mut body)).map(|_| body.len())
    };
    assert_eq!(fetch(300_000).unwrap(), 300_000);
    let message = fetch(299_999).unwrap_err().to_string();
    assert_eq!(
        message,
        format!(
            "URI {}/large exceeded maximum size of 299999 bytes",
            site.server.url()
        )
    );
    for action in [Action::UntilClose, Action::Chunked] {
        site.server.fault(Rule::on("large").once(action));
        assert!(matches!(fetch(1000), Err(FetchError::TooLarge { .. })));
    }
    // A claim alone costs nothing: 8 EiB are not allocated, the end of the body is the error.
    site.server
        .fault(Rule::on("large").once(Action::ClaimLength(1 << 62)));
    assert!(matches!(
        fetch(300_000),
        Err(FetchError::Transport { code: 18, .. })
    ));
    // The body of an error answer counts too.
    site.server
        .fault(Rule::on("large").once(Action::Status(404, vec![0; 5000])));
    assert!(matches!(fetch(1000), Err(FetchError::TooLarge { .. })));
    site.server
        .fault(Rule::on("large").once(Action::Status(404, vec![0; 5000])));
    assert!(matches!(
        fetch(10_000),
        Err(FetchError::Status { status: 404, .. })
    ));
}

#[test]
fn chunked_and_unframed_bodies_arrive_whole() {
    let site = site();
    for action in [Action::UntilClose, Action::Chunked] {
        site.server.fault(Rule::on("large").once(action));
        assert_eq!(site.get("large").unwrap().unwrap().len(), 300_000);
    }
}

#[test]
fn redirects_are_followed_to_http_alone_and_not_for_ever() {
    let site = site();
    let url = site.server.url();
    site.server
        .fault(Rule::on("small").once(Action::Redirect(format!("{url}/large"))));
    assert_eq!(site.get("small").unwrap().unwrap().len(), 300_000);
    site.server
        .fault(Rule::on("small").always(Action::Redirect("file:///etc/passwd".into())));
    let message = site.get("small").unwrap_err().to_string();
    assert!(
        message.starts_with(&format!(
            "While fetching {url}/small: [1] Unsupported protocol"
        )),
        "{message}"
    );
    assert_eq!(site.server.log().len(), 3, "not retried");
    site.server.clear_log();
    site.server.clear_faults();
    site.server
        .fault(Rule::on("small").always(Action::Redirect(format!("{url}/small"))));
    let message = site.get("small").unwrap_err().to_string();
    assert!(
        message.contains("[47] Number of redirects hit maximum amount"),
        "{message}"
    );
    assert_eq!(site.server.log().len(), 31);
}

#[test]
fn a_stalled_transfer_is_given_up_and_tried_again() {
    let site = site();
    let settings = || FetchSettings {
        low_speed_limit: 1000,
        low_speed_time: Duration::from_millis(200),
        ..Default::default()
    };
    site.server
        .fault(Rule::on("large").once(Action::Stall(1000)));
    assert_eq!(
        site.get_with(settings(), "large").unwrap().unwrap().len(),
        300_000
    );
    site.server
        .fault(Rule::on("small").always(Action::Stall(0)));
    let message = site
        .get_with(
            FetchSettings {
                retries: 1,
                ..settings()
            },
            "small",
        )
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("/small: [28] Timeout was reached"),
        "{message}"
    );
}

#[test]
fn the_next_mirror_is_tried_on_a_status_but_not_on_a_broken_connection() {
    let (bad, good) = (site(), site());
    let mirrors = Mirrors::several(
        [&bad, &good]
            .iter()
            .map(|s| BaseUrl::parse(&s.server.url()).unwrap())
            .collect(),
    )
    .unwrap();
    let get = || {
        run(fetcher(FetchSettings {
            retries: 0,
            ..Default::default()
        })
        .get(&mirrors, "small"))
    };
    for status in [404, 500, 401] {
        bad.server
            .fault(Rule::on("small").once(Action::Status(status, vec![])));
        assert_eq!(get().unwrap().unwrap(), b"contents");
    }
    assert_eq!(good.server.log().len(), 3);
    bad.server.fault(Rule::on("small").once(Action::Cut(1)));
    assert!(get().is_err());
    assert_eq!(good.server.log().len(), 3);
}

#[test]
fn a_copy_that_is_current_is_not_sent_again() {
    let site = site();
    let fetcher = fetcher(FetchSettings::default());
    let mirrors = one(&site.server.url());
    run(async {
        let mut body = Vec::new();
        let Fetched::Body(validators) = fetcher
            .fetch(&Want::small(&mirrors, "small"), &mut body)
            .await
            .unwrap()
        else {
            panic!("no body");
        };
        assert!(validators.etag.is_some() && validators.modified.is_some());
        let want = Want {
            validators,
            ..Want::small(&mirrors, "small")
        };
        assert_eq!(
            fetcher.fetch(&want, &mut body).await.unwrap(),
            Fetched::NotModified
        );
    });
}

#[test]
fn connections_are_kept() {
    let site = site();
    let fetcher = fetcher(FetchSettings::default());
    let mirrors = one(&site.server.url());
    run(async {
        for path in ["small", "missing", "large", "small"] {
            fetcher.get(&mirrors, path).await.unwrap();
        }
    });
    assert_eq!(site.server.connections(), 1);
}

#[test]
fn a_proxy_is_asked_in_place_of_the_host() {
    let site = site();
    let host = "http://not-resolved.invalid";
    let proxies = Proxies {
        http: Some(site.server.addr().to_string()),
        ..Default::default()
    };
    let get = |settings| run(fetcher(settings).get(&one(host), "small"));
    let settings = FetchSettings {
        proxies: proxies.clone(),
        retries: 0,
        ..Default::default()
    };
    assert_eq!(get(settings).unwrap().unwrap(), b"contents");
    let except = Proxies {
        except: Some("invalid".into()),
        ..proxies.clone()
    };
    assert!(
        get(FetchSettings {
            proxies: except,
            retries: 0,
            ..Default::default()
        })
        .is_err()
    );
    let own = FetchSettings {
        proxies,
        proxy: Some("http://127.0.0.1:1".into()),
        retries: 0,
        ..Default::default()
    };
    assert!(get(own).is_err());
}
