//! Man pages: one for each command, from the same texts as its help.

use crate::definition;
use anyhow::Result;
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};
use osier_cli::dispatch;
use osier_cli::table::{Entry, Kind, Needs};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Adds every page.
pub fn add(files: &mut BTreeMap<PathBuf, Vec<u8>>) -> Result<()> {
    page(dispatch::root(), &[], files)
}

fn page(
    entry: &'static Entry,
    above: &[&'static str],
    files: &mut BTreeMap<PathBuf, Vec<u8>>,
) -> Result<()> {
    let mut path = above.to_vec();
    path.push(entry.name);
    let name = path.join("-");
    files.insert(
        PathBuf::from(format!("man/man1/{name}.1")),
        text(entry, &path)?,
    );
    for below in definition::shown(entry) {
        page(below, &path, files)?;
    }
    Ok(())
}

fn text(entry: &'static Entry, path: &[&'static str]) -> Result<Vec<u8>> {
    let name = path.join("-");
    let about = match osier_cli::help::about(entry) {
        about if about.is_empty() => {
            "Manage operating system trees in a store of objects".to_owned()
        }
        about => about,
    };
    let mut definition = definition::tree(entry, false);
    definition.build();
    let man = Man::new(definition.clone());
    let mut page = Vec::new();
    // No date: it would change with every build.
    Roff::default()
        .control(
            "TH",
            [name.as_str(), "1", "\"\"", "Osier", "ostree commands"],
        )
        .control("SH", ["NAME"])
        .text([roman(format!("{name} - {}", lower_first(&about)))])
        .to_writer(&mut page)?;
    synopsis(entry, path).to_writer(&mut page)?;
    Roff::default()
        .control("SH", ["DESCRIPTION"])
        .text([roman(sentence(&definition, &about))])
        .to_writer(&mut page)?;
    man.render_options_section(&mut page)?;
    let mut rest = Roff::default();
    commands(&mut rest, entry, path);
    example(&mut rest, entry);
    exit_status(&mut rest);
    files_section(&mut rest, entry);
    see_also(&mut rest, entry, path);
    rest.to_writer(&mut page)?;
    Ok(once(&String::from_utf8(page)?).into_bytes())
}

/// Each part begins with the same definition of a quote; the page needs it once.
fn once(page: &str) -> String {
    const PREAMBLE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";
    format!("{PREAMBLE}{}", page.replace(PREAMBLE, ""))
}

/// The long description where there is one.
fn sentence(definition: &clap::Command, about: &str) -> String {
    let long = definition.get_long_about().map(ToString::to_string);
    let text = long.unwrap_or_else(|| about.to_owned());
    if text.ends_with('.') {
        text
    } else {
        format!("{text}.")
    }
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}

fn synopsis(entry: &Entry, path: &[&str]) -> Roff {
    let mut roff = Roff::default();
    roff.control("SH", ["SYNOPSIS"]);
    let words = match &entry.kind {
        Kind::Command(command) => command.positionals,
        Kind::Group(_) => "COMMAND",
    };
    let line: Vec<Inline> = vec![
        bold(path.join(" ")),
        roman(" ["),
        italic("OPTION"),
        roman("...] "),
        italic(words),
    ];
    roff.text(line);
    roff
}

fn commands(roff: &mut Roff, entry: &'static Entry, path: &[&str]) {
    if definition::shown(entry).next().is_none() {
        return;
    }
    roff.control("SH", ["COMMANDS"]);
    for below in definition::shown(entry) {
        roff.control("TP", []);
        roff.text([
            bold(format!("{}-{}", path.join("-"), below.name)),
            roman("(1)"),
        ]);
        roff.text([roman(osier_cli::help::about(below))]);
    }
}

/// The worked example of the help.
fn example(roff: &mut Roff, entry: &Entry) {
    let Some(example) = dispatch::parser(entry)
        .get_after_help()
        .map(ToString::to_string)
    else {
        return;
    };
    roff.control("SH", ["EXAMPLE"]);
    roff.control("EX", []);
    for line in example.lines() {
        roff.text([roman(line)]);
    }
    roff.control("EE", []);
}

fn exit_status(roff: &mut Roff) {
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in [
        ("0", "Success."),
        (
            "1",
            "An error, which standard error explains; also a wrong command line.",
        ),
        ("141", "Whoever read the output went away."),
    ] {
        roff.control("TP", []);
        roff.text([bold(code)]);
        roff.text([roman(meaning)]);
    }
}

fn files_section(roff: &mut Roff, entry: &Entry) {
    let needs = match &entry.kind {
        Kind::Command(command) => command.needs,
        Kind::Group(group) => group
            .bare
            .as_ref()
            .map_or(Needs::Nothing, |bare| bare.needs),
    };
    let places: &[(&str, &str)] = match needs {
        Needs::Nothing => &[],
        Needs::Repo | Needs::RepoPath => &[
            (
                "REPO/config",
                "What the repository is and which remotes it has.",
            ),
            (
                "/sysroot/ostree/repo",
                "The repository where none is named and none is in the current directory.",
            ),
            (
                "/etc/ostree/remotes.d/*.conf",
                "More remotes of the system's repository.",
            ),
        ],
        Needs::Sysroot => &[
            (
                "SYSROOT/ostree/deploy",
                "The deployments, and what is theirs.",
            ),
            ("SYSROOT/boot/loader", "The boot entries."),
            ("SYSROOT/ostree/repo", "The repository."),
        ],
    };
    if places.is_empty() {
        return;
    }
    roff.control("SH", ["FILES"]);
    for (place, meaning) in places {
        roff.control("TP", []);
        roff.text([italic(*place)]);
        roff.text([roman(*meaning)]);
    }
}

fn see_also(roff: &mut Roff, entry: &Entry, path: &[&str]) {
    roff.control("SH", ["SEE ALSO"]);
    match path.split_last() {
        Some((_, above)) if !above.is_empty() => roff.text([bold(above.join("-")), roman("(1)")]),
        _ => roff.text([bold("rofiles-fuse"), roman("(1)")]),
    };
    debug_assert!(!entry.hidden);
}
