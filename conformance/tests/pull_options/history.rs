//! How much of the history comes, and how much of a commit.

use super::ground::{BOTH, Ground, SITES, SUMMARIES};

#[test]
fn depths() {
    let Some(mut ground) = Ground::new() else {
        return;
    };
    for (remote, summary) in SITES {
        for option in [
            "",
            "--depth=0",
            "--depth=1",
            "--depth=2",
            "--depth=9",
            "--depth=-1",
            "--depth=x",
        ] {
            let line = format!("pull {option} {remote} main");
            ground.compare("bare-user", &[summary, &line]);
        }
        let all = format!("pull --depth=-1 {remote} main");
        let one = format!("pull --depth=1 {remote} main");
        let none = format!("pull {remote} main");
        ground.compare("bare-user", &[summary, &none, &one, &all]);
        ground.compare(
            "bare-user",
            &[summary, &format!("pull {remote} main@C1"), &all],
        );
        ground.compare("bare-user", &[summary, &format!("pull {remote} C1"), &one]);
        ground.compare("archive", &[summary, &all, "fsck"]);
        ground.compare(
            "archive",
            &[summary, &format!("pull --depth=1 {remote} main other C1")],
        );
    }
    ground.end();
}

/// A parent that is not there ends history, unless the site says that it keeps a record of what it deleted.
#[test]
fn missing_parents_and_tombstones() {
    let Some(mut ground) = Ground::new() else {
        return;
    };
    let keeps = "site: config set core.tombstone-commits true";
    let own = "client: config set core.tombstone-commits true";
    let gone = "site: prune --delete-commit=C0";
    for remote in BOTH {
        for depth in ["--depth=1", "--depth=-1"] {
            let pull = format!("pull {depth} {remote} main");
            for summary in SUMMARIES {
                ground.compare(
                    "bare-user",
                    &["lose C2 commit", summary, &pull, &pull, "fsck"],
                );
                ground.compare("bare-user", &["lose C1 commit", summary, &pull]);
                ground.compare("archive", &[keeps, gone, summary, &pull, &pull, "fsck"]);
                ground.compare("archive", &[own, keeps, gone, summary, &pull, "fsck"]);
            }
            ground.compare(
                "bare-user",
                &[keeps, "lose C1 commit", "site: summary -u", &pull],
            );
        }
        for wanted in ["C0", "main@C0"] {
            let pull = format!("pull {remote} {wanted}");
            ground.compare("archive", &[keeps, gone, "site: summary -u", &pull]);
        }
    }
    // What was deleted here comes back when it is asked for. (From a file, the C tool leaves the tombstone beside it.)
    let deleted = "client: prune --delete-commit=C0";
    let had = [
        "client: pull http main@C0",
        "client: pull http main@C1",
        own,
        deleted,
    ];
    for pull in ["pull http C0", "pull --depth=-1 http main"] {
        ground.compare("archive", &[&had[..], &[pull, "fsck"]].concat());
    }
    ground.end();
}

/// Commits alone, some paths, and then the rest.
#[test]
fn commits_in_part() {
    let Some(mut ground) = Ground::new() else {
        return;
    };
    for (remote, summary) in SITES {
        let pull = |words: &str| {
            format!(
                "pull {} {remote} {}",
                words.rsplit_once(' ').map_or("", |w| w.0),
                words.rsplit(' ').next().unwrap()
            )
        };
        for lines in [
            &["--commit-metadata-only main"][..],
            &[
                "--commit-metadata-only main",
                "--commit-metadata-only main",
                "main",
                "--commit-metadata-only main",
            ],
            &[
                "--commit-metadata-only --depth=-1 main",
                "main",
                "--depth=1 main",
                "--depth=-1 main",
            ],
            &[
                "--commit-metadata-only main",
                "--subpath=/etc main",
                "--subpath=/usr/bin main",
                "main",
            ],
            &["--subpath=/etc --subpath=/usr/bin main"],
            &["--subpath=/etc --depth=1 main", "--depth=1 main"],
            &["--subpath=/etc/conf main", "main@C3"],
            &["--subpath=/nosuch main"],
            &["--subpath=/us main"],
            &["--subpath=//usr main"],
            &["--subpath=/usr/bin/link main"],
            &["--subpath=/etc C3", "C3"],
            &["--subpath=/etc --commit-metadata-only main"],
            &["main", "--subpath=/etc main"],
            &["main@C1", "--subpath=/etc main", "main"],
            &["main@C1", "--commit-metadata-only main", "main"],
        ] {
            let lines: Vec<String> = lines.iter().map(|words| pull(words)).collect();
            let mut all = vec![summary];
            all.extend(lines.iter().map(String::as_str));
            all.push("fsck");
            ground.compare("bare-user", &all);
        }
        // Where the source itself lacks objects, so does what comes of it.
        let lacks = "sh: mkdir -p site/state; touch site/state/C3.commitpartial";
        ground.compare(
            "bare-user",
            &[lacks, summary, &format!("pull {remote} main")],
        );
        for ty in ["dirtree", "dirmeta", "filez"] {
            let lose = format!("sh: rm $(find site/objects -name '*.{ty}' | sort | head -1)");
            let pull = format!("pull --disable-static-deltas {remote} main other");
            for mode in ["archive", "bare-user"] {
                ground.compare(mode, &[&lose, summary, &pull]);
            }
        }
    }
    ground.end();
}
