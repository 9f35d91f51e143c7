//! `commit` with random options.

use super::{BRANCHES, Maker, words};
use crate::sequences::step::Step;

impl Maker<'_> {
    pub(super) fn commit(&mut self) {
        let (repo, mode) = self.repo();
        let mut args = words(["commit"]);
        if self.dice.chance(8) {
            args.push("--orphan".into());
        }
        let mut invalid = false;
        if !self.dice.chance(3) {
            let mut branch = self.branch();
            invalid = !BRANCHES.contains(&&*branch) && branch != "-x";
            if invalid {
                branch = (*self
                    .dice
                    .pick(&[".hidden", "a//b", "../x", "é", "a b", "a/./b"]))
                .to_owned();
            }
            args.push(format!("--branch={branch}"));
        }
        self.sources(&mut args, mode);
        if invalid {
            // Both refuse such a name; the C tool only after all objects are in the repository, unless it looks for the
            // parent there.
            args.retain(|arg| !arg.starts_with("--parent") && arg != "--orphan");
        }
        self.texts(&mut args);
        self.metadata(&mut args);
        self.modifiers(&mut args, mode);
        self.lists(&mut args);
        self.run(&repo, args);
    }

    fn sources(&mut self, args: &mut Vec<String>, mode: &str) {
        if self.dice.chance(12) {
            let base = self.rev();
            args.push(format!("--base={base}"));
        }
        if self.dice.chance(15) {
            let tree = self.tree();
            args.push(tree);
        } else {
            for _ in 0..1 + self.dice.below(5) / 3 {
                let tree = match self.dice.below(20) {
                    0..=12 => format!("dir={}", self.tree()),
                    // Damaged content that is written anew gets another name.
                    13..=16 if !self.lost => format!("ref={}", self.rev()),
                    17 | 18 if !self.checkouts.is_empty() => {
                        format!("dir={}", self.dice.pick(&self.checkouts))
                    }
                    17 => (*self
                        .dice
                        .pick(&["dir=nope", "nope", "x=y", "dir=", "ref=", "dir=.hid"]))
                    .to_owned(),
                    _ => format!("dir={}/d0", self.tree()),
                };
                args.push(format!("--tree={tree}"));
            }
        }
        // Of several equal files the first becomes the object, with an owner and attributes that bare-user-only says
        // nothing of; which is first is open.
        if mode != "bare-user-only" && self.dice.chance(6) {
            let consumed = self.tree();
            args.retain(|arg| !arg.starts_with("--tree") && arg != &consumed);
            args.push(format!("--tree=dir={consumed}"));
            args.push("--consume".into());
        }
        match self.dice.below(20) {
            0 => args.push(format!("--parent={{c{}}}", self.dice.below(5))),
            1 => args.push("--parent=none".into()),
            2 => args.push(
                (*self
                    .dice
                    .pick(&["--parent=main", "--parent=", "--parent=xyz"]))
                .into(),
            ),
            _ => {}
        }
    }

    fn texts(&mut self, args: &mut Vec<String>) {
        self.clock += 1 + self.dice.below(200_000) as u64;
        let time = match self.dice.below(12) {
            0 => "2020-02-29T12:34:56Z".to_owned(),
            1 => "2019-10-03 11:22:33 +0200".to_owned(),
            2 => "1970-01-01 00:00:00 UTC".to_owned(),
            3 if self.dice.chance(20) => "no date".to_owned(),
            _ => format!("@{}", self.clock),
        };
        args.push(format!("--timestamp={time}"));
        if self.dice.chance(50) {
            let subject = *self
                .dice
                .pick(&["one line", "", "two\nlines", "ünïcode", "  spaces  "]);
            args.push(format!("--subject={subject}"));
        }
        match self.dice.below(10) {
            0 => args.push("--body=a body\nof lines".into()),
            1 => args.push("--body=".into()),
            2 => {
                let text = *self.dice.pick(&[
                    "from a file\n\nbody\n",
                    "",
                    "only a subject",
                    "s\nno gap\n",
                ]);
                self.steps.push(Step::Write {
                    name: "message".into(),
                    text: text.into(),
                });
                args.push("--body-file=message".into());
            }
            _ => {}
        }
    }

    fn metadata(&mut self, args: &mut Vec<String>) {
        if self.dice.chance(15) {
            let text = *self.dice.pick(&[
                "a=b",
                "version=1.2",
                "k=",
                "novalue",
                "=x",
                "x=y=z",
                "ostree.linux=9",
            ]);
            args.push(format!("--add-metadata-string={text}"));
        }
        if self.dice.chance(12) {
            let text = *self.dice.pick(&[
                "n=uint32 7",
                "list=['a','b']",
                "d={'k':<1>}",
                "bytes=b'ab'",
                "bad=[",
                "novalue",
                "t=@t 5",
                "maybe=just 3",
                "ostree.ref-binding=['zz']",
            ]);
            args.push(format!("--add-metadata={text}"));
        }
        if self.dice.chance(10) {
            let text = *self.dice.pick(&["sig=x", "novalue", "a=b=c"]);
            args.push(format!("--add-detached-metadata-string={text}"));
        }
        if self.dice.chance(8) {
            let key = *self
                .dice
                .pick(&["a", "version", "n", "nope", "ostree.ref-binding"]);
            args.push(format!("--keep-metadata={key}"));
        }
        if self.dice.chance(8) {
            args.push("--no-bindings".into());
        }
        for _ in 0..self.dice.below(9) / 7 {
            let branch = self.branch();
            args.push(format!("--bind-ref={branch}"));
        }
        if self.dice.chance(6) {
            args.push("--bootable".into());
        }
    }

    fn modifiers(&mut self, args: &mut Vec<String>, mode: &str) {
        let canonical = if mode == "bare-user-only" { 75 } else { 10 };
        if self.dice.chance(canonical) {
            args.push("--canonical-permissions".into());
        }
        for option in ["--owner-uid", "--owner-gid"] {
            if self.dice.chance(10) {
                let id = *self.dice.pick(&["0", "42", "-1", "65534", "x"]);
                args.push(format!("{option}={id}"));
            }
        }
        for (percent, option) in [
            (15, "--no-xattrs"),
            (8, "--mode-ro-executables"),
            (6, "--link-checkout-speedup"),
            (8, "-I"),
            (10, "--skip-if-unchanged"),
            (10, "--table-output"),
        ] {
            if self.dice.chance(percent) {
                args.push(option.into());
            }
        }
    }

    fn lists(&mut self, args: &mut Vec<String>) {
        if self.dice.chance(10) {
            let text = *self.dice.pick(&[
                "=420 /f0\n",
                "+2048 /f1\n=493 /d0\n",
                "=384 /f2\n\n",
                "2048 /f0\n",
                "=511 /\n",
                "# comment\n=420 /f4\n",
                "",
            ]);
            self.steps.push(Step::Write {
                name: "statoverride".into(),
                text: text.into(),
            });
            args.push("--statoverride=statoverride".into());
        }
        if self.dice.chance(10) {
            let text = *self.dice.pick(&[
                "/f0\n",
                "/d0\n/f1\n",
                "f2\n",
                "\n",
                "/nope\n",
                "/d0/\n",
                "/\n",
            ]);
            self.steps.push(Step::Write {
                name: "skiplist".into(),
                text: text.into(),
            });
            args.push("--skip-list=skiplist".into());
        }
    }
}
