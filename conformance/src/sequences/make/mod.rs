//! Making a sequence from a seed: mostly commands that can succeed, some that cannot.

mod commit;
mod reading;
mod upkeep;

use super::dice::Dice;
use super::step::{How, Step};
use osier_testkit::tool::Tool;
use std::collections::{BTreeMap, BTreeSet};

const MODES: [&str; 4] = ["archive", "bare", "bare-user", "bare-user-only"];
/// None of them could be the start of a checksum: the C tool takes such a ref for a commit, even pulling all refs.
const BRANCHES: [&str; 6] = ["main", "main", "os/x86_64/stable", "test-1", "w", "w/b"];

/// Which options the C tool at hand has: an older one is not asked for newer options.
#[derive(Debug)]
pub struct Abilities {
    options: BTreeMap<String, BTreeSet<String>>,
}

impl Abilities {
    /// Reads the help of every command that sequences use.
    pub fn of(tool: &Tool) -> Abilities {
        let commands = [
            "init",
            "commit",
            "checkout",
            "checksum",
            "config",
            "cat",
            "diff",
            "export",
            "fsck",
            "log",
            "ls",
            "prune",
            "pull-local",
            "refs",
            "reset",
            "rev-parse",
            "show",
            "summary",
        ];
        let options = commands.into_iter().map(|command| {
            let help = tool.run([command, "--help"]).stdout;
            let words = help
                .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
                .filter(|word| word.starts_with('-'))
                .map(str::to_owned);
            (command.to_owned(), words.collect())
        });
        Abilities {
            options: options.collect(),
        }
    }

    /// The tool whose behaviour rules; an older one differs in a few things that are left out then.
    fn is_newest(&self) -> bool {
        self.has("refs", "--revision")
    }

    fn has(&self, command: &str, option: &str) -> bool {
        let name = option.split('=').next().unwrap_or(option);
        self.options
            .get(command)
            .is_some_and(|known| known.contains(name))
    }
}

/// What a sequence being made knows: what is there, as far as it can be known without running it.
struct Maker<'a> {
    dice: Dice,
    abilities: &'a Abilities,
    steps: Vec<Step>,
    /// Repositories by name, with their modes.
    repos: Vec<(String, &'static str)>,
    trees: Vec<String>,
    checkouts: Vec<String>,
    /// Grows with each commit, so that most are later than those before.
    clock: u64,
    /// Listings were damaged: only `fsck` may look now, as others take an unreadable one for an empty one.
    spoilt: bool,
    /// Objects are missing: `diff` needs fewer of them than the C tool's.
    lost: bool,
    /// A repository has a collection: `summary -u` makes a commit there, of this very second.
    collections: bool,
}

/// The sequence of a seed.
pub fn sequence(seed: u64, abilities: &Abilities) -> Vec<Step> {
    let mut maker = Maker {
        dice: Dice::new(seed),
        abilities,
        steps: Vec::new(),
        repos: Vec::new(),
        trees: Vec::new(),
        checkouts: Vec::new(),
        clock: 1_600_000_000,
        spoilt: false,
        lost: false,
        collections: false,
    };
    maker.start();
    for _ in 0..6 + maker.dice.below(18) {
        maker.next();
    }
    maker.steps
}

impl Maker<'_> {
    fn start(&mut self) {
        for _ in 0..2 + self.dice.below(2) {
            self.plant();
        }
        for _ in 0..1 + self.dice.below(3) {
            self.init();
        }
        for _ in 0..1 + self.dice.below(2) {
            self.commit();
        }
    }

    fn next(&mut self) {
        if self.spoilt {
            return;
        }
        let make = self.dice.weighted::<fn(&mut Self)>(&[
            (24, Self::commit),
            (8, Self::refs),
            (3, Self::reset),
            (7, Self::prune),
            (12, Self::checkout),
            (4, Self::diff),
            (6, Self::ls),
            (3, Self::log),
            (4, Self::show),
            (4, Self::rev_parse),
            (3, Self::cat),
            (2, Self::checksum),
            (3, Self::export),
            (6, Self::fsck),
            (4, Self::config),
            (9, Self::pull_local),
            (4, Self::summary),
            (3, Self::plant),
            (5, Self::edit),
            (1, Self::init),
            (2, Self::lose),
            (1, Self::spoil),
        ]);
        make(self);
    }

    /// Adds a command on a repository.
    fn run(&mut self, repo: &str, args: Vec<String>) {
        self.run_with(repo, args, String::new());
    }

    fn run_with(&mut self, repo: &str, args: Vec<String>, stdin: String) {
        let command = args[0].clone();
        let known = |arg: &String| !arg.starts_with('-') || self.abilities.has(&command, arg);
        let mut all = vec![format!("--repo={repo}")];
        all.extend(args.into_iter().filter(known));
        self.steps.push(Step::Run { args: all, stdin });
    }

    fn repo(&mut self) -> (String, &'static str) {
        self.dice.pick(&self.repos).clone()
    }

    fn tree(&mut self) -> String {
        self.dice.pick(&self.trees).clone()
    }

    fn branch(&mut self) -> String {
        if self.dice.chance(4) {
            let evil = [
                "", ".hidden", "a//b", "../x", "a/", "é", "a b", "main/x", "x:y:z", "origin:",
                "-x", "a/./b",
            ];
            return (*self.dice.pick(&evil)).to_owned();
        }
        (*self.dice.pick(&BRANCHES)).to_owned()
    }

    fn rev(&mut self) -> String {
        let commit = self.dice.below(6);
        match self.dice.below(100) {
            0..=54 => (*self.dice.pick(&BRANCHES)).to_owned(),
            55..=66 => format!("{}^", self.dice.pick(&BRANCHES)),
            67..=80 => format!("{{c{commit}}}"),
            81..=85 => format!("{{c{commit}:{}}}", self.dice.below(20)),
            86..=88 => format!("{{c{commit}}}^"),
            89..=92 => format!("origin:{}", self.dice.pick(&BRANCHES)),
            _ => {
                let evil = [
                    "",
                    "nope",
                    "main^^^^^^",
                    "^",
                    "main~1",
                    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                    "refs/heads/main",
                    "main:",
                    "ZZ",
                    "@",
                ];
                (*self.dice.pick(&evil)).to_owned()
            }
        }
    }

    /// A path in a tree.
    fn path(&mut self) -> String {
        let paths = [
            "/",
            "/d0",
            "/d1",
            "/d0/f0",
            "/f0",
            "f1",
            "/f2",
            "/usr",
            "/usr/d0",
            "/d0/../f1",
            "/nope",
            "",
            ".",
            "/d1/d2",
            "/f3",
            "/f4",
            "/f5",
            "/f0/x",
            "/a b",
        ];
        (*self.dice.pick(&paths)).to_owned()
    }

    fn plant(&mut self) {
        let name = match self.trees.len() {
            few @ 0..=3 => format!("t{few}"),
            _ => self.tree(),
        };
        let seed = self.dice.seed();
        if !self.trees.contains(&name) {
            self.trees.push(name.clone());
        }
        self.steps.push(Step::Plant { name, seed });
    }

    fn edit(&mut self) {
        let name = match self.checkouts.is_empty() || self.dice.chance(60) {
            true => self.tree(),
            false => self.dice.pick(&self.checkouts).clone(),
        };
        let seed = self.dice.seed();
        self.steps.push(Step::Edit { name, seed });
    }

    fn init(&mut self) {
        let mode = *self.dice.pick(&MODES);
        let mut args = vec!["init".to_owned(), format!("--mode={mode}")];
        if self.dice.chance(12) {
            args.push("--collection-id=org.example.Os".to_owned());
            self.collections = true;
        }
        let again = !self.repos.is_empty() && self.dice.chance(25);
        let name = match again || self.repos.len() > 3 {
            true => self.repo().0,
            false => {
                let name = format!("r{}", self.repos.len());
                self.repos.push((name.clone(), mode));
                name
            }
        };
        if self.dice.chance(3) {
            args[1] = (*self
                .dice
                .pick(&["--mode=nope", "--mode=", "--mode=archive-z2"]))
            .to_owned();
        }
        self.run(&name, args);
    }

    /// Takes an object away, or damages content.
    fn lose(&mut self) {
        self.lost = true;
        let (repo, _) = self.repo();
        let pick = self.dice.seed();
        let (kinds, how): (&'static [&'static str], How) = match self.dice.below(4) {
            0 => (&["file"], How::Flip(self.dice.seed())),
            1 => (&["file"], How::Empty),
            2 => (&["file"], How::Delete),
            _ => (&["file", "dirtree", "dirmeta", "commit"], How::Delete),
        };
        self.steps.push(Step::Damage {
            repo,
            pick,
            kinds,
            how,
        });
    }

    /// Damages metadata; after that only `fsck` is asked.
    fn spoil(&mut self) {
        let (repo, _) = self.repo();
        let how = match self.dice.below(3) {
            0 => How::Flip(self.dice.seed()),
            1 => How::Empty,
            _ => How::Append,
        };
        let pick = self.dice.seed();
        let kinds = &["dirtree", "dirmeta", "commit"];
        self.steps.push(Step::Damage {
            repo: repo.clone(),
            pick,
            kinds,
            how,
        });
        self.spoilt = true;
        self.run(&repo, words(["fsck"]));
    }
}

/// Owned arguments.
fn words<const N: usize>(args: [&str; N]) -> Vec<String> {
    args.map(str::to_owned).to_vec()
}
