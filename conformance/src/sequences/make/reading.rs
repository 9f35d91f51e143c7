//! Commands that change no repository.

use super::{BRANCHES, Maker, words};
use crate::sequences::step::Step;

impl Maker<'_> {
    pub(super) fn checkout(&mut self) {
        let (repo, _) = self.repo();
        let mut args = words(["checkout"]);
        for (percent, option) in [
            (35, "-U"),
            (15, "-H"),
            (15, "-C"),
            (12, "--union"),
            (10, "--union-add"),
            (10, "--union-identical"),
            (12, "--whiteouts"),
            (6, "--process-passthrough-whiteouts"),
            (10, "--allow-noent"),
            (10, "-M"),
            (10, "--disable-cache"),
            (8, "--fsync=false"),
        ] {
            if self.dice.chance(percent) {
                args.push(option.into());
            }
        }
        let plain = ["-U", "--union", "--allow-noent"];
        if args[1..].iter().any(|arg| !plain.contains(&&**arg)) {
            // With most other options the C tool passes over this one.
            args.retain(|arg| arg != "--allow-noent");
        }
        if self.dice.chance(20) {
            let path = self.path();
            if !path.is_empty() {
                args.push(format!("--subpath={path}"));
            }
        }
        if self.dice.chance(6) {
            args.retain(|arg| arg != "--allow-noent");
            let text = *self.dice.pick(&["/f0\n/d1\n", "/d0/f0\n", "f1\n"]);
            self.steps.push(Step::Write {
                name: "checkout-skip".into(),
                text: text.into(),
            });
            args.push("--skip-list=checkout-skip".into());
        }
        let to = match self.checkouts.len() {
            few @ 0..=4 if few == 0 || self.dice.chance(60) => format!("o{few}"),
            _ => self.dice.pick(&self.checkouts).clone(),
        };
        if self.checkouts.contains(&to) && self.dice.chance(40) {
            self.steps.push(Step::Remove(to.clone()));
        }
        if self.dice.chance(8) {
            let list = self.many();
            args.push(to.clone());
            let mut stdin = String::new();
            match self.dice.chance(50) {
                true => {
                    args.insert(1, "--from-stdin".into());
                    stdin = list;
                }
                false => {
                    let name = "checkouts".to_owned();
                    self.steps.push(Step::Write { name, text: list });
                    args.insert(1, "--from-file=checkouts".into());
                }
            }
            args.retain(|arg| !arg.starts_with("--subpath"));
            self.run_with(&repo, args, stdin);
        } else {
            args.push(self.rev());
            args.push(to.clone());
            self.run(&repo, args);
        }
        if !self.checkouts.contains(&to) {
            self.checkouts.push(to);
        }
    }

    /// Lines of `--from-file`: revision and path, NUL after each.
    fn many(&mut self) -> String {
        let mut list = String::new();
        for _ in 0..1 + self.dice.below(3) {
            list.push_str(self.dice.pick::<&str>(&BRANCHES));
            list.push('\0');
            list.push_str(&self.path());
            list.push('\0');
        }
        list
    }

    pub(super) fn diff(&mut self) {
        if self.lost {
            return self.ls();
        }
        let (repo, _) = self.repo();
        let mut args = words(["diff"]);
        for (percent, option) in [
            (25, "--stats"),
            (15, "--fs-diff"),
            (20, "--no-xattrs"),
            (15, "--owner-uid=0"),
            (10, "--owner-gid=0"),
        ] {
            if self.dice.chance(percent) {
                args.push(option.into());
            }
        }
        if args.iter().any(|arg| arg == "--stats") {
            // Of a commit that is not there the C tool counts nothing; a branch at least is an error in both.
            let branches = [0; 2].map(|_| (*self.dice.pick(&BRANCHES)).to_owned());
            args.extend(branches);
            return self.run(&repo, args);
        }
        let first = self.rev();
        args.push(first);
        if self.dice.chance(80) {
            let second = match self.dice.chance(30) {
                true => format!("./{}", self.tree()),
                false => self.rev(),
            };
            args.push(second);
        }
        self.run(&repo, args);
    }

    pub(super) fn ls(&mut self) {
        let (repo, _) = self.repo();
        let mut args = words(["ls"]);
        for (percent, option) in [
            (15, "-d"),
            (40, "-R"),
            (30, "-C"),
            (30, "-X"),
            (15, "--nul-filenames-only"),
        ] {
            if self.dice.chance(percent) {
                args.push(option.into());
            }
        }
        args.push(self.rev());
        for _ in 0..self.dice.below(3) {
            args.push(self.path());
        }
        self.run(&repo, args);
    }

    pub(super) fn log(&mut self) {
        let (repo, _) = self.repo();
        let mut args = words(["log"]);
        if self.dice.chance(30) {
            args.push("--raw".into());
        }
        args.push(self.rev());
        self.run(&repo, args);
    }

    pub(super) fn show(&mut self) {
        let (repo, _) = self.repo();
        let mut args = words(["show"]);
        let options = [
            "--raw",
            "--print-related",
            "--print-metadata-key=version",
            "--print-metadata-key=ostree.ref-binding",
            "--print-metadata-key=nope",
            "--print-detached-metadata-key=sig",
            "--list-metadata-keys",
            "--list-detached-metadata-keys",
            "--print-sizes",
            "-B",
        ];
        if self.dice.chance(70) {
            args.push((*self.dice.pick(&options)).into());
        }
        if self.dice.chance(15) {
            args.push("--print-hex".into());
        }
        let rev = match self.dice.chance(20) {
            true => format!("{{x:{repo}:{}}}", self.dice.below(40)),
            false => self.rev(),
        };
        args.push(rev);
        self.run(&repo, args);
    }

    pub(super) fn rev_parse(&mut self) {
        let (repo, _) = self.repo();
        let mut args = words(["rev-parse"]);
        if self.dice.chance(25) {
            args.push("-S".into());
        }
        for _ in 0..self.dice.below(4) {
            args.push(self.rev());
        }
        self.run(&repo, args);
    }

    pub(super) fn cat(&mut self) {
        let (repo, _) = self.repo();
        let mut args = words(["cat"]);
        args.push(self.rev());
        for _ in 0..self.dice.below(3) {
            args.push(self.path());
        }
        self.run(&repo, args);
    }

    pub(super) fn checksum(&mut self) {
        let mut args = words(["checksum"]);
        if self.dice.chance(40) {
            args.push("--ignore-xattrs".into());
        }
        let name = *self.dice.pick(&["f0", "f1", "f2", "d0", "f3", "nope"]);
        args.push(format!("{}/{name}", self.tree()));
        let (repo, _) = self.repo();
        self.run(&repo, args);
        // The command takes no repository.
        if let Some(Step::Run { args, .. }) = self.steps.last_mut() {
            args.remove(0);
        }
    }

    pub(super) fn export(&mut self) {
        if !self.abilities.is_newest() {
            // It writes equal files in full where newer ones make the second a hard link.
            return self.ls();
        }
        let (repo, _) = self.repo();
        let mut args = words(["export"]);
        if self.dice.chance(30) {
            args.push("--no-xattrs".into());
        }
        if self.dice.chance(25) {
            let path = self.path();
            args.push(format!("--subpath={path}"));
        }
        if self.dice.chance(25) {
            let prefix = *self.dice.pick(&["x", "x/", "/x/y", "./"]);
            args.push(format!("--prefix={prefix}"));
        }
        args.push(self.rev());
        if self.dice.chance(80) {
            args.push("--output=export.tar".into());
        }
        self.run(&repo, args);
    }

    pub(super) fn fsck(&mut self) {
        let (repo, _) = self.repo();
        let mut args = words(["fsck"]);
        for (percent, option) in [
            (30, "-q"),
            (25, "-a"),
            (15, "--delete"),
            (15, "--add-tombstones"),
            (25, "--verify-bindings"),
            (15, "--verify-back-refs"),
        ] {
            if self.dice.chance(percent) {
                args.push(option.into());
            }
        }
        self.run(&repo, args);
    }
}
