//! What is asked for: refs, refs at commits, commits; once, twice, or not there.

use super::ground::{Ground, SITES};

#[test]
fn refs_and_commits() {
    let Some(mut ground) = Ground::new() else {
        return;
    };
    let nil = "0000000000000000000000000000000000000000000000000000000000000000";
    let at_nil = format!("main@{nil}");
    for (remote, summary) in SITES {
        for named in [
            "main",
            "main main",
            "main other",
            "nosuch",
            "main nosuch",
            "C1",
            "C1 C1",
            "C3",
            "main@C1",
            "main@C1 other",
            "main@C0 main@C2",
            "main@C1 main",
            "main main@C1",
            "C3 main",
            "main C1",
            "main@C3",
            "",
            "bad..name",
            "main@12",
            "main@",
            nil,
            &at_nil,
            "deep/branch",
            "./main",
            "main/",
        ] {
            ground.compare("bare-user", &[summary, &format!("pull {remote} {named}")]);
        }
        for lines in [
            vec!["pull R:main"],
            vec!["pull nosuch main"],
            vec!["pull"],
            vec!["site: refs --delete main", "pull R main"],
            vec!["set R branches main;other", "pull R"],
            vec!["set R branches main;main", "pull R"],
            vec!["set R branches nosuch", "pull R"],
            vec!["set R branches main", "pull R other"],
            vec![
                "pull R main other",
                "pull R main",
                "pull R main other deep/branch",
            ],
            vec!["pull R main@C1", "pull R main"],
            vec![
                "site: refs --create=alias main",
                "pull R alias",
                "pull --disable-verify-bindings R alias",
                "pull R alias",
            ],
            vec!["site: refs --create=alias main", "pull R alias@C3"],
            vec!["site: refs --create=alias main", "pull R main alias"],
            vec![
                "site: refs --create=alias main",
                "pull --disable-verify-bindings R main alias",
            ],
        ] {
            let lines: Vec<String> = lines
                .iter()
                .map(|line| {
                    line.replace("R:", &format!("{remote}:"))
                        .replace("R", remote)
                })
                .collect();
            let (before, after) = lines.split_at(usize::from(lines[0].starts_with("site:")));
            let mut all: Vec<&str> = before.iter().map(String::as_str).collect();
            all.push(summary);
            all.extend(after.iter().map(String::as_str));
            ground.compare("bare-user", &all);
        }
    }
    ground.end();
}

/// A site that holds nothing, or is no archive.
#[test]
fn odd_sites() {
    let Some(mut ground) = Ground::new() else {
        return;
    };
    for (remote, summary) in SITES {
        for named in ["", "main", "C1", "main@C1"] {
            for option in ["", "--mirror"] {
                let pull = format!("pull {option} {remote} {named}");
                let empty = "sh: rm -r site/objects/* site/refs/heads/*";
                ground.compare("archive", &[empty, summary, &pull]);
            }
        }
        for mode in ["bare", "bare-user"] {
            let other = format!("site: init --mode={mode}");
            let lines = [
                "sh: rm -r site",
                "site: init --mode=archive",
                "sh: rm -r site; mkdir site",
                &other,
            ];
            let fill = [
                "sh: mkdir t; echo x > t/f",
                "site: commit -b main --timestamp=@5 --tree=dir=ROOT/t",
            ];
            let pull = format!("pull --network-retries=0 {remote} main");
            let all = [&lines[2..], &fill, &[summary, pull.as_str()]].concat();
            ground.compare("archive", &all);
        }
    }
    ground.end();
}
