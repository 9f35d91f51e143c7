//! One step of a sequence.

/// What to do to an object's file.
#[derive(Clone, Debug)]
pub enum How {
    /// Delete it.
    Delete,
    /// Cut it to nothing.
    Empty,
    /// Change a byte; in a `filez` one that makes its stream invalid.
    Flip(u64),
    /// Add a byte.
    Append,
}

/// One step. Names in it are relative to the folder of the tool that runs it.
#[derive(Clone, Debug)]
pub enum Step {
    /// A command. In its arguments `{c3}` is the fourth commit that a command printed, `{c3:8}` its first 8 digits,
    /// `{x:repo:5}` the checksum of the sixth object of a repository.
    Run {
        /// Arguments of `ostree`.
        args: Vec<String>,
        /// Standard input.
        stdin: String,
    },
    /// Makes a tree, in place of what was there.
    Plant {
        /// Where.
        name: String,
        /// Makes the same tree each time.
        seed: u64,
    },
    /// Changes a few things in a tree or checkout.
    Edit {
        /// Where.
        name: String,
        /// Makes the same changes each time.
        seed: u64,
    },
    /// Writes a text file.
    Write {
        /// Where.
        name: String,
        /// Its content.
        text: String,
    },
    /// Damages an object.
    Damage {
        /// The repository.
        repo: String,
        /// Which of the objects with one of these endings, by number modulo how many there are.
        pick: u64,
        /// Endings of the names, without dot; a `file` is a `filez` in an archive.
        kinds: &'static [&'static str],
        /// What to do.
        how: How,
    },
    /// The same, of an object that was chosen.
    DamageObject {
        /// The repository.
        repo: String,
        /// `XX/REST.type`, or nothing.
        name: String,
        /// What to do.
        how: How,
    },
    /// Deletes a file or a whole folder.
    Remove(String),
}

impl Step {
    /// The same command without its `index`-th option.
    pub fn without_option(&self, index: usize) -> Option<Step> {
        let Step::Run { args, stdin } = self else {
            return None;
        };
        let (at, _) = args
            .iter()
            .enumerate()
            .filter(|(_, arg)| arg.starts_with('-') && !arg.starts_with("--repo="))
            .nth(index)?;
        let trees = args.iter().filter(|arg| arg.starts_with("--tree")).count();
        if args[at].starts_with("--tree") && trees < 2 {
            // Without a tree it would be the folder of everything that is committed.
            return self.without_option(index + 1);
        }
        let mut args = args.clone();
        args.remove(at);
        Some(Step::Run {
            args,
            stdin: stdin.clone(),
        })
    }

    /// Whether it damages, not only removes, a metadata object.
    pub fn spoils_metadata(&self) -> bool {
        match self {
            Step::DamageObject { name, how, .. } => {
                let content = name.ends_with(".file") || name.ends_with(".filez");
                !matches!(how, How::Delete) && !content && !name.is_empty()
            }
            _ => false,
        }
    }

    /// The name of the command, for a command.
    pub fn command(&self) -> Option<&str> {
        match self {
            Step::Run { args, .. } => args
                .iter()
                .find(|arg| !arg.starts_with('-'))
                .map(String::as_str),
            _ => None,
        }
    }
}
