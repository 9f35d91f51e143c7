//! Static deltas together with the other options. (What is asked for where: `pull_deltas.rs`.)

use super::ground::{Ground, SITES};

const DELTAS: [&str; 3] = [
    "site: static-delta generate --from=C2 --to=C3",
    "site: static-delta generate --empty --to=C3",
    "site: static-delta generate --from=C1 --to=C3",
];

#[test]
fn with_other_options() {
    let Some(mut ground) = Ground::new() else {
        return;
    };
    for (remote, summary) in SITES {
        for required in ["", "--require-static-deltas"] {
            for option in [
                "",
                "--depth=1",
                "--depth=-1",
                "--subpath=/etc",
                "--commit-metadata-only",
                "--bareuseronly-files",
                "--untrusted",
                "--dry-run",
                "--timestamp-check",
                "--mirror",
                "--disable-verify-bindings",
            ] {
                for have in ["", "client: pull --disable-static-deltas http main@C2"] {
                    // What is here makes a difference to few of them.
                    if !have.is_empty() && !["", "--depth=-1", "--mirror"].contains(&option) {
                        continue;
                    }
                    let pull = format!("pull {required} {option} {remote} main");
                    let lines = [&DELTAS[..], &[summary, have, &pull, "fsck"]].concat();
                    ground.compare("bare-user", &lines);
                }
            }
        }
    }
    ground.end();
}

#[test]
fn what_is_asked_for_and_what_is_here() {
    let Some(mut ground) = Ground::new() else {
        return;
    };
    for (remote, summary) in SITES {
        for required in ["", "--require-static-deltas"] {
            for (mode, named) in [
                ("bare-user", "C3"),
                ("bare-user", "main@C3"),
                ("bare-user", "main main"),
                ("bare-user", "C1"),
                ("bare-user", "main@C1"),
                ("bare", "main"),
                ("bare-user-only", "main"),
                ("archive", "main"),
            ] {
                let pull = format!("pull {required} {remote} {named}");
                let lines = [&DELTAS[..], &[summary, &pull, "fsck"]].concat();
                ground.compare(mode, &lines);
            }
        }
    }
    ground.end();
}

/// A commit that is here in part is completed by a delta. The C tool does not ask for its detached metadata then, and where
/// deltas are demanded it fetches objects all the same.
#[test]
fn over_a_commit_in_part() {
    let Some(ground) = Ground::new() else {
        return;
    };
    for (summary, pull) in [
        ("", "pull http main"),
        ("site: summary -u", "pull --require-static-deltas http main"),
    ] {
        let part = "client: pull --commit-metadata-only http main";
        let lines = [&DELTAS[..], &[summary, part, pull, "fsck"]].concat();
        let outcomes = ground.ours_alone("bare-user", &lines);
        let line = &outcomes[0].stdout;
        assert!(line.starts_with("1 delta parts"), "{}", outcomes[0]);
        assert_eq!(outcomes[1].code, 0, "{}", outcomes[1]);
        let marks = ground.run_dir().join("client/state");
        assert_eq!(std::fs::read_dir(marks).unwrap().count(), 0);
    }
}

/// A commit that is signed after its delta was made: the delta holds no signature, the site does.
#[test]
fn signed_after_the_delta() {
    let Some(mut ground) = Ground::new() else {
        return;
    };
    let signed = "sh: f=site/objects/C3; f=$(echo $f | sed 's#objects/\\(..\\)#objects/\\1/#'); printf '' > $f.commitmeta";
    for (remote, summary) in SITES {
        for required in ["", "--require-static-deltas"] {
            for have in ["", "client: pull --disable-static-deltas http main@C2"] {
                let pull = format!("pull {required} {remote} main");
                let lines = [&DELTAS[..], &[signed, summary, have, &pull]].concat();
                ground.compare("bare-user", &lines);
            }
        }
    }
    ground.end();
}
