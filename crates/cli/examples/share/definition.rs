//! The program's table of commands as one clap definition, and what each word of a command line stands for.

use clap::{Arg, ArgAction, ValueHint};
use osier_cli::dispatch;
use osier_cli::table::{Entry, Kind};

/// The definition of an entry and of all below it that is shown, with its positional words or without.
pub fn tree(entry: &'static Entry, positionals: bool) -> clap::Command {
    let parser = dispatch::parser(entry);
    let mut command = clap::Command::new(entry.name)
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .about(osier_cli::help::about(entry))
        .args(
            parser
                .get_arguments()
                .filter(|arg| !arg.is_hide_set() && (positionals || !arg.is_positional()))
                .map(hinted),
        );
    command = command.arg(
        Arg::new("help")
            .short('h')
            .long("help")
            .action(ArgAction::SetTrue)
            .help("Show help options"),
    );
    for below in shown(entry) {
        command = command.subcommand(tree(below, positionals));
    }
    command
}

/// The entries right below, without the hidden ones.
pub fn shown(entry: &'static Entry) -> impl Iterator<Item = &'static Entry> {
    let below: &'static [Entry] = match &entry.kind {
        Kind::Group(group) => group.commands,
        Kind::Command(_) => &[],
    };
    below.iter().filter(|entry| !entry.hidden)
}

fn hinted(arg: &Arg) -> Arg {
    let arg = arg.clone();
    let name = arg
        .get_value_names()
        .and_then(|names| names.first())
        .map(ToString::to_string);
    match name.as_deref() {
        Some("DIR" | "HOMEDIR" | "REPO") => arg.value_hint(ValueHint::DirPath),
        Some("PATH") => arg.value_hint(ValueHint::AnyPath),
        Some("FILE" | "FILENAME") => arg.value_hint(ValueHint::FilePath),
        _ => arg,
    }
}

/// What a word can be completed to by asking the repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A ref.
    Ref,
    /// A remote's name.
    Remote,
}

/// By the name a word has in the help.
pub fn asked(name: &str, path: &[&str]) -> Option<Asked> {
    match name {
        "REV" | "REF" | "REFS" | "COMMIT" | "BRANCH" | "REFSPEC" | "OBJECT" | "REV_OR_DIR" => {
            Some(Asked::Ref)
        }
        "REMOTE" | "REMOTENAME" => Some(Asked::Remote),
        // `remote add NAME` names one that is not there yet.
        "NAME" if path.get(1) == Some(&"remote") && path.get(2) != Some(&"add") => {
            Some(Asked::Remote)
        }
        _ => None,
    }
}

/// The words of a command's usage: the name of each, and whether the last one repeats.
pub fn positionals(usage: &'static str) -> (Vec<&'static str>, bool) {
    let words: Vec<&str> = usage
        .split(' ')
        .map(|word| word.trim_matches(['[', ']']))
        .collect();
    let repeats = words.last().is_some_and(|word| word.ends_with("..."));
    (
        words
            .into_iter()
            .map(|word| word.trim_end_matches('.'))
            .collect(),
        repeats,
    )
}
