//! `--mirror`, collections, and where summaries are kept.

use super::ground::{BOTH, Ground, SUMMARIES};

#[test]
fn all_refs_or_some() {
    let Some(mut ground) = Ground::new() else {
        return;
    };
    for remote in BOTH {
        let all = format!("pull --mirror {remote}");
        for summary in SUMMARIES {
            for named in [
                "",
                "main",
                "main other",
                "main@C1",
                "C1",
                "nosuch",
                "main@C1 main",
            ] {
                ground.compare("archive", &[summary, &format!("{all} {named}")]);
            }
            ground.compare("bare-user", &[summary, &all, "fsck"]);
            let moved = "site: commit -b main --timestamp=@1700009000 --tree=ref=other";
            ground.compare("archive", &[summary, &all, moved, summary, &all, "fsck"]);
            ground.compare(
                "archive",
                &[summary, &all, "site: refs --delete other", summary, &all],
            );
            ground.compare(
                "archive",
                &[
                    summary,
                    "set REMOTE branches main"
                        .replace("REMOTE", remote)
                        .as_str(),
                    &all,
                ],
            );
            ground.compare(
                "archive",
                &[summary, &format!("{all} --depth=-1"), &all, "fsck"],
            );
            ground.compare(
                "archive",
                &[
                    summary,
                    &format!("{all} --commit-metadata-only"),
                    &all,
                    "fsck",
                ],
            );
            for option in [
                "--http-trusted",
                "--untrusted",
                "--http-trusted --untrusted",
                "--http-trusted --bareuseronly-files",
                "--bareuseronly-files",
                "--disable-fsync",
                "--per-object-fsync",
                "--subpath=/etc",
                "--disable-static-deltas",
                "--timestamp-check",
            ] {
                ground.compare("archive", &[summary, &format!("{all} {option}"), "fsck"]);
            }
        }
    }
    ground.end();
}

/// A summary that is mirrored comes byte for byte, with its signature.
#[test]
fn signed_summaries() {
    let Some(mut ground) = Ground::new() else {
        return;
    };
    // Nobody looks at the signature; it is some dictionary.
    let signed = "sh: printf 'x' > site/summary.sig";
    for remote in BOTH {
        for named in ["", "main"] {
            let pull = format!("pull --mirror {remote} {named}");
            ground.compare("archive", &["site: summary -u", signed, &pull, &pull]);
            let bytes = |dir: &str| std::fs::read(ground.run_dir().join(dir)).ok();
            assert!(bytes("site/summary").is_some());
        }
    }
    ground.end();
}

#[test]
fn summaries_are_cached() {
    let Some(mut ground) = Ground::new() else {
        return;
    };
    let signed = "sh: printf 'x' > site/summary.sig";
    for remote in BOTH {
        let here = format!("pull {remote} main");
        let there = format!("pull --cache-dir=ROOT/cc {remote} main");
        for before in [&["site: summary -u"][..], &["site: summary -u", signed]] {
            for lines in [
                &[here.as_str(), &here][..],
                &["sh: mkdir cc", &there, &there],
                &[&there],
            ] {
                ground.compare("bare-user", &[before, lines].concat());
            }
        }
    }
    ground.end();
}

/// A site that belongs to a collection, pulled by clients that know that, or know it otherwise.
#[test]
fn collections() {
    let Some(mut ground) = Ground::new() else {
        return;
    };
    let before = [
        "site: config set core.collection-id org.x.Y",
        "site: commit -b main --timestamp=@1700009000 --tree=ref=main",
        "site: commit -b main --timestamp=@1700009001 --tree=ref=other",
        "site: refs --delete other",
        "site: refs --delete deep",
    ];
    for remote in BOTH {
        for summary in SUMMARIES {
            for known in [
                String::new(),
                format!("set {remote} collection-id org.x.Y"),
                "client: config set core.collection-id org.x.Y".to_owned(),
                "client: config set core.collection-id org.z.Z".to_owned(),
            ] {
                for pull in [
                    format!("pull {remote} main"),
                    format!("pull {remote} C3"),
                    format!("pull --depth=-1 {remote} main"),
                    format!("pull --mirror {remote} main"),
                    format!("pull --mirror {remote}"),
                ] {
                    let lines = [&before[..], &[summary, known.as_str(), &pull]].concat();
                    ground.compare("archive", &lines);
                }
                let foreign = "site: refs --create=org.foreign.Z:other main";
                let pull = format!("pull --mirror --disable-verify-bindings {remote}");
                let lines = [&before[..], &[foreign, summary, known.as_str(), &pull]].concat();
                ground.compare("archive", &lines);
            }
        }
    }
    ground.end();
}
