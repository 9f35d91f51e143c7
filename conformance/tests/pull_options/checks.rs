//! What is refused: commits that are too old, files with odd modes; what is trusted; and what goes over the network.

use super::ground::{BOTH, Ground, SITES};
use osier_testkit::httpd::{Action, Rule};

#[test]
fn ages() {
    let Some(mut ground) = Ground::new() else {
        return;
    };
    for (remote, summary) in SITES {
        for lines in [
            &["pull -T R main"][..],
            &["pull R main@C1", "pull --timestamp-check R main"],
            &["pull R main", "pull --timestamp-check R main@C1"],
            &["pull R main", "pull -T R main@C3"],
            &["pull R main", "pull -T R main other"],
            &[
                "pull --mirror R main",
                "pull --mirror --timestamp-check R main@C1",
            ],
            &[
                "pull --commit-metadata-only R main",
                "pull --commit-metadata-only -T R main@C0",
            ],
            &[
                "client: pull http main",
                "client: refs --create=main http:main",
                "pull -T R main@C1",
            ],
            &[
                "pull R main@C2",
                "pull --timestamp-check-from-rev=R:main R main@C1",
            ],
            &[
                "pull R main@C2",
                "pull --timestamp-check-from-rev=R:main R main",
            ],
            &["pull R main@C2", "pull --timestamp-check-from-rev=C2 R C1"],
            &[
                "pull R main@C2",
                "pull --timestamp-check-from-rev=R:main --depth=-1 R main",
            ],
            &[
                "pull R main@C2",
                "pull --timestamp-check-from-rev=nosuch R C1",
            ],
            &["pull -T --timestamp-check-from-rev=x R main"],
        ] {
            let lines: Vec<String> = lines
                .iter()
                .map(|line| {
                    line.replace("=R:", &format!("={remote}:"))
                        .replace(" R ", &format!(" {remote} "))
                })
                .collect();
            let mut all = vec![summary];
            all.extend(lines.iter().map(String::as_str));
            ground.compare("bare-user", &all);
        }
    }
    ground.end();
}

const ODD: [&str; 3] = [
    "sh: mkdir t u; echo 1 > t/f; chmod 4755 t/f; echo 2 > u/f; chmod 0664 u/f",
    "site: commit -b odd --timestamp=@5 --tree=dir=ROOT/t",
    "site: commit -b fine --timestamp=@5 --tree=dir=ROOT/u",
];

#[test]
fn odd_modes() {
    let Some(mut ground) = Ground::new() else {
        return;
    };
    for remote in BOTH {
        for mode in ["bare-user", "bare-user-only", "archive"] {
            for option in ["", "--untrusted", "--mirror --http-trusted"] {
                for name in ["odd", "fine"] {
                    let pull = format!("pull {option} --bareuseronly-files {remote} {name}");
                    ground.compare(mode, &[&ODD[..], &[&pull]].concat());
                    let pull = format!("pull {option} {remote} {name}");
                    // From a file into bare-user-only, ours looks before it links.
                    ground.compare(mode, &[&ODD[..], &[&pull]].concat());
                }
            }
        }
    }
    ground.end();
}

#[test]
fn trust() {
    let Some(mut ground) = Ground::new() else {
        return;
    };
    // One content object whose bytes are not those of its name.
    let damage = "sh: f=$(find site/objects -name '*.filez' | sort | head -1); cat $(find site/objects -name '*.filez' | sort | tail -1) > $f";
    for remote in BOTH {
        for mode in ["archive", "bare-user"] {
            for options in [
                "",
                "--untrusted",
                "--http-trusted",
                "--mirror",
                "--mirror --untrusted",
                "--mirror --http-trusted",
                "--mirror --http-trusted --untrusted",
                "--mirror --http-trusted --bareuseronly-files",
            ] {
                let pull = format!("pull --disable-static-deltas {options} {remote} main");
                ground.compare(mode, &[&pull, "fsck"]);
                if remote == "http" || !options.contains("--untrusted") {
                    ground.compare(mode, &[damage, &pull]);
                }
            }
        }
    }
    ground.end();
}

/// Options of the network, and values that they cannot have.
#[test]
fn network() {
    let Some(mut ground) = Ground::new() else {
        return;
    };
    let newer = ground
        .c
        .ok(["pull", "--help"])
        .contains("--low-speed-limit-bytes");
    for remote in BOTH {
        for options in [
            "--url=URL/site",
            "--url=URL/nosuch",
            "--url=file://ROOT/site",
            "--url=ftp://x/site",
            "--url=nonsense",
            "--update-frequency=5",
            "--update-frequency=0",
            "--update-frequency=-5",
            "--update-frequency=x",
            "--network-retries=-1",
            "--network-retries=0",
            "--network-retries=x",
            "--low-speed-limit-bytes=0",
            "--low-speed-limit-bytes=-1",
            "--low-speed-limit-bytes=x",
            "--low-speed-time-seconds=0",
            "--low-speed-time-seconds=-1",
            "--max-outstanding-fetcher-requests=1",
            "--max-outstanding-fetcher-requests=0",
            "--disable-retry-on-network-errors",
            "--http-header=a=b",
            "--http-header=ab",
            "--http-header=a=",
            "--append-user-agent=x",
            "--disable-fsync",
            "--per-object-fsync",
            "--nosuch",
        ] {
            if newer
                || ["url", "update", "network", "http", "fsync"]
                    .iter()
                    .any(|o| options.contains(o) && !options.contains("retry"))
            {
                ground.compare("archive", &[&format!("pull {options} {remote} main")]);
            }
        }
    }
    // One bad answer, for which there is a second try or none.
    for (options, times) in [
        ("", 1),
        ("--network-retries=1", 2),
        ("--network-retries=0", 1),
    ] {
        let pull = format!("pull --disable-static-deltas {options} http main");
        ground.compare_with("bare-user", &[&pull], &|| {
            vec![Rule::ending(".dirmeta").times(times, Action::Status(500, Vec::new()))]
        });
    }
    ground.end();
}
