//! `commit --tree=tar=…`: both tools make the same commits of the same archives, in every repository mode, and say the
//! same where they make none.

#[path = "tar/evil.rs"]
mod evil;
#[path = "tar/export.rs"]
mod export;
#[path = "tar/options.rs"]
mod options;
#[path = "tar/programs.rs"]
mod programs;

use osier_conformance::{MODES, Scratch, TIMESTAMP, ours_is_c, pair, text};
use osier_testkit::repo;
use osier_testkit::tool::{Outcome, Tool};
use std::path::{Path, PathBuf};

/// A repository of each tool, in one mode.
struct Both {
    ours: (Tool, PathBuf),
    c: (Tool, PathBuf),
}

impl Both {
    /// `None` where there is no C tool.
    fn new(scratch: &Scratch, mode: &str) -> Option<Both> {
        let (ours, c) = pair()?;
        let init = |tool: Tool| {
            let repo = scratch.init(&tool, &format!("{}-{mode}", tool.name()), mode);
            (tool.repo(&repo), repo)
        };
        Some(Both {
            ours: init(ours),
            c: init(c),
        })
    }

    /// Whether the C tool is not the one of Debian 12, which came with another libarchive.
    fn c_is_current() -> bool {
        pair().is_some_and(|(_, c)| !c.ok(["--version"]).contains("Version: '2022."))
    }

    /// Commits with both.
    fn commit(&self, args: &[&str]) -> (Outcome, Outcome) {
        let run = |tool: &Tool| {
            let fixed = ["commit", "--orphan", "--no-bindings", TIMESTAMP];
            tool.run(fixed.iter().chain(args))
        };
        (run(&self.ours.0), run(&self.c.0))
    }

    /// Commits with both, compares what came of it, and tells whether there is a commit.
    #[track_caller]
    fn same(&self, label: &str, args: &[&str]) -> bool {
        let (ours, c) = self.commit(args);
        if c.code == 0 {
            assert_eq!(ours.code, 0, "{label}:\n{ours}");
            assert_eq!(
                ours.stdout,
                c.stdout,
                "{label}:\n{}\nand\n{}",
                self.listing(&self.ours, &ours),
                self.listing(&self.c, &c)
            );
            return true;
        }
        // It aborts on some errors, for want of words.
        let aborted = c.code >= 128;
        let failed = ours.code == 1 || (aborted && ours_is_c());
        assert!(failed, "{label}:\n{ours}\n{c}");
        if aborted {
            return false;
        }
        let words = c.stderr.rsplit("error: ").next().unwrap_or_default();
        // What follows here names the object with us; the cause is the same.
        let words = match words.contains("Writing content object: ") {
            true => words.rsplit(": ").next().unwrap_or_default(),
            false => words,
        };
        assert!(
            ours.stderr.contains(words.trim()),
            "{label}: not the same words:\n{ours}\n{c}"
        );
        false
    }

    fn listing(&self, (tool, _): &(Tool, PathBuf), outcome: &Outcome) -> String {
        tool.run(["ls", "-R", "-X", "-C", &outcome.stdout_trimmed()])
            .stdout
    }

    /// All that lies in the two repositories.
    #[track_caller]
    fn same_objects(&self, label: &str) {
        let differences = repo::differences(&self.ours.1, &self.c.1).unwrap();
        assert!(
            differences.is_empty(),
            "{label}:\n{}",
            differences.join("\n")
        );
    }
}

fn tar_arg(path: &Path) -> String {
    format!("--tree=tar={}", text(path))
}

/// Runs `check` with a pair of repositories in every mode that this user can write.
fn in_every_mode(scratch: &Scratch, check: impl Fn(&str, &Both)) {
    for mode in MODES {
        // Only root can make files of foreign owners.
        if mode != "bare" || osier_testkit::skip::is_root() {
            let Some(both) = Both::new(scratch, mode) else {
                return;
            };
            check(mode, &both);
        }
    }
}
