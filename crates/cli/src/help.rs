//! Help in the layout of the C tool, which scripts and people know: usage,
//! description, sub-commands, help options, application options; then one
//! worked example.

use std::fmt::Write as _;

use crate::table::{Command, Entry, Group, Kind};

/// Help text of `entry`, reached by `path` (`["ostree", "remote", "add"]`).
#[must_use]
pub fn render(entry: &Entry, path: &[&str]) -> String {
    let parser = crate::dispatch::parser(entry);
    let path = path.join(" ");
    match &entry.kind {
        Kind::Command(command) => of_command(command, &parser, &path),
        Kind::Group(group) => of_group(group, &parser, &path),
    }
}

fn of_command(command: &Command, parser: &clap::Command, path: &str) -> String {
    let mut text = format!("Usage:\n  {path} [OPTION…]");
    if !command.positionals.is_empty() {
        let _ = write!(text, " {}", command.positionals);
    }
    text.push('\n');
    if let Some(about) = parser.get_about() {
        let _ = write!(text, "\n{about}\n");
    }
    options(&mut text, parser);
    if let Some(example) = parser.get_after_help() {
        let _ = write!(text, "\nExample:\n");
        for line in example.to_string().lines() {
            let _ = writeln!(text, "  {line}");
        }
    }
    text.push('\n');
    text
}

fn of_group(group: &Group, parser: &clap::Command, path: &str) -> String {
    let bare = group
        .bare
        .as_ref()
        .map(|b| b.positionals)
        .filter(|p| !p.is_empty());
    let mut text = match bare {
        Some(bare) => format!("Usage:\n  {path} [OPTION…] {bare}|COMMAND\n"),
        None => format!("Usage:\n  {path} [OPTION…] COMMAND\n"),
    };
    if !group.about.is_empty() {
        let _ = write!(text, "\n{}\n", group.about);
    }
    match path.split_once(' ') {
        None => text.push_str("\nBuiltin Commands:\n"),
        Some((_, name)) => {
            let _ = write!(text, "\nBuiltin \"{name}\" Commands:\n");
        }
    }
    let shown = || group.commands.iter().filter(|c| !c.hidden);
    let width = shown().map(|c| c.name.len()).max().unwrap_or(0).max(16) + 2;
    for entry in shown() {
        let _ = writeln!(text, "  {:width$}{}", entry.name, about(entry));
    }
    options(&mut text, parser);
    text.push('\n');
    text
}

/// One line about an entry.
#[must_use]
pub fn about(entry: &Entry) -> String {
    match &entry.kind {
        Kind::Group(group) => group.about.to_owned(),
        Kind::Command(_) => crate::dispatch::parser(entry)
            .get_about()
            .map(ToString::to_string)
            .unwrap_or_default(),
    }
}

fn options(text: &mut String, parser: &clap::Command) {
    let rows: Vec<(String, String)> = parser
        .get_arguments()
        .filter(|arg| !arg.is_positional() && !arg.is_hide_set())
        .map(|arg| {
            let mut left = match (arg.get_short(), arg.get_long()) {
                (Some(short), Some(long)) => format!("-{short}, --{long}"),
                (Some(short), None) => format!("-{short}"),
                (None, long) => format!("--{}", long.unwrap_or_default()),
            };
            if arg.get_action().takes_values()
                && let Some([name]) = arg.get_value_names()
            {
                let _ = write!(left, "={name}");
            }
            (
                left,
                arg.get_help().map(ToString::to_string).unwrap_or_default(),
            )
        })
        .collect();
    let width = rows
        .iter()
        .map(|(left, _)| left.chars().count())
        .max()
        .unwrap_or(0)
        .max(10)
        + 5;
    let _ = write!(
        text,
        "\nHelp Options:\n  {:width$}Show help options\n",
        "-h, --help"
    );
    text.push_str("\nApplication Options:\n");
    for (left, help) in rows {
        let _ = writeln!(text, "  {left:width$}{help}");
    }
}
