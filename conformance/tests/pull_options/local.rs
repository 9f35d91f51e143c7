//! `pull-local`, option by option.

use super::ground::{Ground, SUMMARIES};

#[test]
fn refs_and_commits() {
    let Some(mut ground) = Ground::new() else {
        return;
    };
    let nil = "00000000000000000000000000000000000000000000000000000000000000aa";
    for summary in SUMMARIES {
        for named in [
            "",
            "main",
            "main main",
            "main other",
            "other main",
            "C1",
            "main C1",
            "C1 main",
            "main C3",
            "C3 main",
            "C1 C1",
            "nosuch",
            "main nosuch",
            "main@C1",
            "bad..name",
            "./main",
            nil,
            "main^",
        ] {
            ground.compare(
                "bare-user",
                &[summary, &format!("pull-local ROOT/site {named}")],
            );
        }
        let all = "pull-local ROOT/site";
        let main = "pull-local ROOT/site main";
        let moved = "site: commit -b main --timestamp=@1700009000 --tree=ref=other";
        for lines in [
            &[
                "pull-local --commit-metadata-only ROOT/site main",
                main,
                "pull-local --commit-metadata-only ROOT/site main",
            ][..],
            &[
                "pull-local --commit-metadata-only --depth=-1 ROOT/site main",
                "pull-local --depth=1 ROOT/site main",
                "pull-local --depth=-1 ROOT/site main",
            ],
            &["client: pull --subpath=/etc http C3", main],
            &[
                "client: pull-local ROOT/site C1",
                main,
                "pull-local ROOT/site C2",
            ],
            &[main, main, "pull-local --depth=-1 ROOT/site main"],
            &[main, moved, summary, main, all],
            &["lose C2 commit", "pull-local --depth=1 ROOT/site main"],
            &[
                "site: refs --create=alias main",
                summary,
                "pull-local ROOT/site alias",
            ],
            &[
                "site: refs --create=alias main",
                summary,
                "pull-local --disable-verify-bindings ROOT/site alias",
                "pull-local ROOT/site alias",
            ],
            &["site: config set core.collection-id org.x.Y", summary, main],
            &[
                "site: config set core.collection-id org.x.Y",
                summary,
                "pull-local ROOT/site C3",
            ],
            &[
                "site: config set core.collection-id org.x.Y",
                summary,
                "pull-local --disable-verify-bindings ROOT/site main",
            ],
            &["pull-local"],
            &["pull-local ROOT/nosuch main"],
        ] {
            ground.compare("bare-user", &[&[summary], lines, &["fsck"]].concat());
        }
    }
    ground.end();
}

#[test]
fn options() {
    let Some(mut ground) = Ground::new() else {
        return;
    };
    for summary in SUMMARIES {
        for option in [
            "--commit-metadata-only",
            "--commit-metadata-only --depth=-1",
            "--remote=r",
            "--untrusted",
            "--bareuseronly-files",
            "--require-static-deltas",
            "--disable-static-deltas",
            "--gpg-verify",
            "--gpg-verify-summary",
            "--gpg-verify --remote=http",
            "--gpg-verify-summary --remote=http",
            "--depth=1",
            "--depth=-1",
            "--depth=x",
            "--disable-fsync",
            "--per-object-fsync",
            "--disable-verify-bindings",
            "--nosuch",
        ] {
            for mode in ["bare-user", "archive"] {
                ground.compare(
                    mode,
                    &[
                        summary,
                        &format!("pull-local {option} ROOT/site main"),
                        "fsck",
                    ],
                );
            }
        }
        for ty in ["dirtree", "dirmeta", "filez"] {
            for mode in ["archive", "bare-user"] {
                for option in ["", "--untrusted"] {
                    let lose =
                        format!("sh: rm $(find site/objects -name '*.{ty}' | sort | head -1)");
                    let pull = format!("pull-local {option} ROOT/site main other");
                    ground.compare(mode, &[&lose, summary, &pull]);
                }
            }
        }
    }
    ground.end();
}

#[test]
fn tombstones() {
    let Some(mut ground) = Ground::new() else {
        return;
    };
    let keeps = "site: config set core.tombstone-commits true";
    let gone = "site: prune --delete-commit=C0";
    for summary in SUMMARIES {
        for depth in ["", "--depth=3", "--depth=-1"] {
            let pull = format!("pull-local {depth} ROOT/site main");
            ground.compare("archive", &[keeps, gone, summary, &pull, &pull, "fsck"]);
            ground.compare("bare-user", &[keeps, gone, summary, &pull, "fsck"]);
        }
        ground.compare(
            "archive",
            &[keeps, gone, summary, "pull-local ROOT/site C0"],
        );
    }
    ground.compare(
        "archive",
        &[
            keeps,
            "lose C0 commit",
            "site: summary -u",
            "pull-local --depth=-1 ROOT/site main",
        ],
    );
    ground.end();
}

#[test]
fn odd_modes() {
    let Some(mut ground) = Ground::new() else {
        return;
    };
    let odd = [
        "sh: mkdir t u; echo 1 > t/f; chmod 4755 t/f; echo 2 > u/f; chmod 0664 u/f",
        "site: commit -b odd --timestamp=@5 --tree=dir=ROOT/t",
        "site: commit -b fine --timestamp=@5 --tree=dir=ROOT/u",
    ];
    for mode in ["bare-user", "bare-user-only", "archive"] {
        for option in [
            "",
            "--bareuseronly-files",
            "--untrusted",
            "--bareuseronly-files --untrusted",
        ] {
            for name in ["odd", "fine"] {
                let pull = format!("pull-local {option} ROOT/site {name}");
                ground.compare(mode, &[&odd[..], &[&pull]].concat());
            }
        }
    }
    ground.end();
}

#[test]
fn static_deltas() {
    let Some(mut ground) = Ground::new() else {
        return;
    };
    let deltas = [
        "site: static-delta generate --from=C2 --to=C3",
        "site: static-delta generate --empty --to=C3",
    ];
    for summary in SUMMARIES {
        for required in ["", "--require-static-deltas"] {
            for have in [
                "",
                "client: pull-local ROOT/site C2",
                "client: pull --disable-static-deltas http main@C2",
            ] {
                // Where no deltas are demanded there are none, and what is here makes no difference.
                if required.is_empty() && !have.is_empty() {
                    continue;
                }
                for words in [
                    "main",
                    "C3",
                    "main main",
                    "--untrusted main",
                    "--remote=r main",
                    "--remote=http main",
                    "--commit-metadata-only main",
                    "--depth=1 main",
                ] {
                    let (options, named) = match words.strip_prefix("--") {
                        Some(_) => words.split_once(' ').unwrap(),
                        None => ("", words),
                    };
                    // Ours does not tell the bytes of objects beside a delta.
                    if !required.is_empty()
                        && (options.contains("depth") || options.contains("only"))
                    {
                        continue;
                    }
                    let pull = format!("pull-local {required} {options} ROOT/site {named}");
                    let lines = [&deltas[..], &[summary, have, &pull, "fsck"]].concat();
                    ground.compare("bare-user", &lines);
                }
            }
        }
    }
    ground.end();
}
