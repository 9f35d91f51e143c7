//! Scores: what each script gave, stored as tab-separated files that only rise.

use super::script::ended_well;
use super::tap::Tally;
use crate::process::Ended;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// What one script gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Score {
    /// The script's file name.
    pub script: String,
    /// Cases passed.
    pub ok: u32,
    /// Cases failed.
    pub not_ok: u32,
    /// Cases skipped.
    pub skip: u32,
    /// Cases announced, when the script came as far as announcing them.
    pub plan: Option<u32>,
    /// How it ended: an exit code, `sigN`, or `timeout`.
    pub exit: String,
    /// Why the script skipped itself, or after which case it stopped; empty when it went through.
    pub note: String,
}

/// In one word, how far a script came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every announced case passed and the script ended well.
    Whole,
    /// The script skipped itself.
    Skipped,
    /// Some cases passed.
    Part,
    /// No case passed.
    None,
}

impl Score {
    /// Puts a script's TAP lines and its end together.
    pub fn new(script: &str, tally: Tally, ended: Ended) -> Self {
        let note = match (tally.skipped(), ended) {
            (Some(reason), _) => format!("skip: {reason}"),
            (None, Ended::Exit(77)) => "skip: exit 77".into(),
            (None, ended) if tally.is_whole() && ended_well(ended) => String::new(),
            _ => match (tally.failures.first(), &tally.last_ok) {
                (Some(failure), _) => format!("not ok {failure}"),
                (None, Some(last)) => format!("stopped after: {last}"),
                (None, None) => "stopped before its first case".into(),
            },
        };
        let note = note.replace(['\t', '\n'], " ");
        Score {
            script: script.to_owned(),
            ok: tally.ok,
            not_ok: tally.not_ok,
            skip: tally.skip,
            plan: tally.plan,
            exit: ended.to_string(),
            note,
        }
    }

    /// How far the script came.
    pub fn verdict(&self) -> Verdict {
        if self.note.is_empty() {
            Verdict::Whole
        } else if self.note.starts_with("skip: ") {
            Verdict::Skipped
        } else if self.ok > 0 {
            Verdict::Part
        } else {
            Verdict::None
        }
    }

    /// Whether this run is worse than `stored`: fewer cases, or no longer whole.
    pub fn is_below(&self, stored: &Score) -> bool {
        self.ok < stored.ok
            || (stored.verdict() == Verdict::Whole && self.verdict() != Verdict::Whole)
    }
}

/// A stored set of scores, by script name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scores {
    /// The tool that gave them, as its `--version` says.
    pub tool: String,
    /// By script.
    pub by_script: BTreeMap<String, Score>,
}

const COLUMNS: &str = "script\tok\tnot_ok\tskip\tplan\texit\tnote";

impl Scores {
    /// Reads a stored file; a missing one is an empty set.
    pub fn load(path: &Path) -> Result<Self> {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).with_context(|| format!("reading {}", path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
        }
    }

    /// Writes the file that [`Scores::load`] reads.
    pub fn store(&self, path: &Path) -> Result<()> {
        fs::write(path, self.render()).with_context(|| format!("writing {}", path.display()))
    }

    /// Scripts that came through whole, and all cases passed.
    pub fn totals(&self) -> (usize, u32) {
        let whole = self
            .by_script
            .values()
            .filter(|score| score.verdict() == Verdict::Whole)
            .count();
        (whole, self.by_script.values().map(|score| score.ok).sum())
    }

    fn parse(text: &str) -> Result<Self> {
        let mut scores = Scores::default();
        for line in text.lines() {
            if let Some(tool) = line.strip_prefix("# tool: ") {
                scores.tool = tool.to_owned();
            } else if line.starts_with('#') || line == COLUMNS || line.is_empty() {
                continue;
            } else {
                let fields: Vec<&str> = line.split('\t').collect();
                let [script, ok, not_ok, skip, plan, exit, note] = fields[..] else {
                    bail!("{line:?} has not 7 columns");
                };
                let score = Score {
                    script: script.to_owned(),
                    ok: ok.parse()?,
                    not_ok: not_ok.parse()?,
                    skip: skip.parse()?,
                    plan: if plan == "-" {
                        None
                    } else {
                        Some(plan.parse()?)
                    },
                    exit: exit.to_owned(),
                    note: note.to_owned(),
                };
                scores.by_script.insert(script.to_owned(), score);
            }
        }
        Ok(scores)
    }

    fn render(&self) -> String {
        let mut text = format!(
            "# Written by `cargo xtask conformance --update`; do not edit.\n# tool: {}\n{COLUMNS}\n",
            self.tool
        );
        for score in self.by_script.values() {
            let plan = score.plan.map_or("-".into(), |plan| plan.to_string());
            let Score {
                script,
                ok,
                not_ok,
                skip,
                exit,
                note,
                ..
            } = score;
            writeln!(
                text,
                "{script}\t{ok}\t{not_ok}\t{skip}\t{plan}\t{exit}\t{note}"
            )
            .expect("writing to a string");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::tap;

    fn score(output: &str, ended: Ended) -> Score {
        Score::new("test-x.sh", tap::parse(output), ended)
    }

    #[test]
    fn verdicts() {
        assert_eq!(
            score("1..1\nok a\n", Ended::Exit(0)).verdict(),
            Verdict::Whole
        );
        assert_eq!(
            score("1..1\nok a\n", Ended::Exit(1)).verdict(),
            Verdict::Part
        );
        assert_eq!(
            score("1..2\nok a\n", Ended::TimedOut).verdict(),
            Verdict::Part
        );
        assert_eq!(
            score("1..0 # SKIP no fuse\n", Ended::Exit(0)).verdict(),
            Verdict::Skipped
        );
        assert_eq!(score("", Ended::Exit(1)).verdict(), Verdict::None);
    }

    #[test]
    fn a_stored_file_reads_back() {
        let mut scores = Scores {
            tool: "libostree 2022.7".into(),
            ..Scores::default()
        };
        for output in ["1..2\nok a\nok b\n", "ok 1 with\ttab\n"] {
            let mut score = score(output, Ended::Exit(0));
            score.script = format!("test-{}.sh", scores.by_script.len());
            scores.by_script.insert(score.script.clone(), score);
        }
        assert_eq!(Scores::parse(&scores.render()).unwrap(), scores);
    }

    #[test]
    fn only_losing_a_case_or_the_whole_is_below() {
        let whole = score("1..2\nok a\nok b\n", Ended::Exit(0));
        let part = score("1..3\nok a\nok b\n", Ended::Exit(1));
        assert!(part.is_below(&whole) && !whole.is_below(&part) && !whole.is_below(&whole));
    }
}
