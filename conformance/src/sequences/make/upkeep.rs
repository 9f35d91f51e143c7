//! Commands that change repositories without reading trees.

use super::{Maker, words};

impl Maker<'_> {
    pub(super) fn refs(&mut self) {
        let (repo, _) = self.repo();
        let mut args = words(["refs"]);
        match self.dice.below(10) {
            0..=3 => {
                let new = match self.dice.chance(12) {
                    true => format!("origin:{}", self.branch()),
                    false => self.branch(),
                };
                args.push(format!("--create={new}"));
                if self.dice.chance(25) {
                    args.push("--force".into());
                }
                if self.dice.chance(25) {
                    args.push("-A".into());
                }
                args.push(self.rev());
            }
            4 | 5 => {
                args.push("--delete".into());
                if self.dice.chance(90) {
                    args.push(self.branch());
                }
            }
            _ => {
                for (percent, option) in [(40, "--list"), (25, "-r"), (20, "-A"), (15, "-c")] {
                    if self.dice.chance(percent) {
                        args.push(option.into());
                    }
                }
                if self.dice.chance(40) {
                    let prefix =
                        *self
                            .dice
                            .pick(&["os", "main", "w", "nope", "origin", "os/x86_64"]);
                    args.push(prefix.into());
                }
            }
        }
        self.run(&repo, args);
    }

    pub(super) fn reset(&mut self) {
        let (repo, _) = self.repo();
        let mut args = words(["reset"]);
        let branch = self.branch();
        let to = match self.dice.below(5) {
            0 => self.branch(),
            1 => format!("{branch}^^"),
            _ => format!("{branch}^"),
        };
        args.extend([branch, to]);
        self.run(&repo, args);
    }

    pub(super) fn prune(&mut self) {
        let (repo, _) = self.repo();
        let mut args = words(["prune"]);
        for (percent, option) in [
            (25, "--no-prune"),
            (60, "--refs-only"),
            (10, "--commit-only"),
        ] {
            if self.dice.chance(percent) {
                args.push(option.into());
            }
        }
        if self.dice.chance(40) {
            let depth = *self.dice.pick(&["0", "1", "2", "-1", "x"]);
            args.push(format!("--depth={depth}"));
        }
        if self.dice.chance(10) {
            let commit = self.rev();
            args.push(format!("--delete-commit={commit}"));
            if commit.starts_with("{c") && !commit.contains([':', '^']) && self.dice.chance(30) {
                args.push("--static-deltas-only".into());
            }
        }
        if self.dice.chance(10) {
            let back = self.dice.below(600_000) as u64;
            args.push(format!("--keep-younger-than=@{}", self.clock - back));
        }
        if self.dice.chance(8) {
            let branch = self.branch();
            let depth = *self.dice.pick(&["0", "1", "-1", "x"]);
            args.push(format!("--retain-branch-depth={branch}={depth}"));
        }
        if self.dice.chance(8) {
            let branch = self.branch();
            args.push(format!("--only-branch={branch}"));
        }
        self.run(&repo, args);
    }

    pub(super) fn config(&mut self) {
        let (repo, _) = self.repo();
        let key = *self.dice.pick(&[
            "core.foo",
            "core.mode",
            "extra.key",
            "nodot",
            "core.",
            "a.b.c",
            "core.repo_version",
        ]);
        let value = *self.dice.pick(&[
            "1",
            "",
            "with space",
            "a=b",
            "ü",
            "back\\slash",
            "semi;colon",
        ]);
        let args = match self.dice.below(4) {
            0 => words(["config", "get", key]),
            1 if !matches!(key, "core.mode" | "core.repo_version") => {
                words(["config", "set", key, value])
            }
            2 if !matches!(key, "core.mode" | "core.repo_version") => {
                words(["config", "unset", key])
            }
            _ => match self.dice.below(3) {
                0 => words(["config", "get", "--group=core", "mode"]),
                1 => words(["config", "set", "--group=some group", "k", value]),
                _ => words(["config", "unset", "--group=extra", "key"]),
            },
        };
        self.run(&repo, args);
    }

    pub(super) fn pull_local(&mut self) {
        let (from, _) = self.repo();
        let (to, _) = self.repo();
        if from == to {
            return self.refs();
        }
        let mut args = words(["pull-local"]);
        for (percent, option) in [
            (10, "--commit-metadata-only"),
            (20, "--remote=origin"),
            (8, "--per-object-fsync"),
            (30, "--untrusted"),
            (10, "--bareuseronly-files"),
            (20, "--disable-verify-bindings"),
        ] {
            if self.dice.chance(percent) {
                args.push(option.into());
            }
        }
        if self.dice.chance(35) {
            let depth = *self.dice.pick(&["0", "1", "-1", "5"]);
            args.push(format!("--depth={depth}"));
        }
        args.push(from);
        for _ in 0..self.dice.below(3) {
            let what = match self.dice.chance(25) {
                true => format!("{{c{}}}", self.dice.below(5)),
                false => self.branch(),
            };
            args.push(what);
        }
        self.run(&to, args);
    }

    pub(super) fn summary(&mut self) {
        let (repo, _) = self.repo();
        let mut args = words(["summary"]);
        match self.dice.below(5) {
            0 | 1 if !self.collections => {
                args.push("-u".into());
                if self.dice.chance(25) {
                    args.push("--add-metadata=extra=uint32 5".into());
                }
                if self.dice.chance(10) {
                    args.push("--add-metadata=bad".into());
                }
            }
            2 | 3 => args.push("-v".into()),
            _ => args.push(
                (*self
                    .dice
                    .pick(&["--list-metadata-keys", "--print-metadata-key=extra"]))
                .into(),
            ),
        }
        self.run(&repo, args);
    }
}
