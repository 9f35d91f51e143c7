//! Help texts as files, and options against those of the C tool.
//!
//! `OSIER_BLESS=1 cargo test -p osier-cli --test help` writes the files anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use osier_cli::table::{Entry, Kind};
use osier_cli::{dispatch, help};

/// Every entry below with its path, hidden ones included.
fn walk(
    entry: &'static Entry,
    above: &[&'static str],
    found: &mut Vec<(Vec<&'static str>, &'static Entry)>,
) {
    let mut path = above.to_vec();
    path.push(entry.name);
    if let Kind::Group(group) = &entry.kind {
        for entry in group.commands {
            walk(entry, &path, found);
        }
    }
    found.push((path, entry));
}

fn entries() -> Vec<(Vec<&'static str>, &'static Entry)> {
    let mut found = Vec::new();
    walk(dispatch::root(), &[], &mut found);
    found
}

fn golden(path: &[&str]) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/help")
        .join(format!("{}.txt", path.join("-")))
}

#[test]
fn help_is_what_the_files_say() {
    let bless = std::env::var_os("OSIER_BLESS").is_some();
    let mut wrong = Vec::new();
    for (path, entry) in entries() {
        let text = help::render(entry, &path);
        let file = golden(&path);
        if bless {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, text).unwrap();
        } else if std::fs::read_to_string(&file).unwrap_or_default() != text {
            wrong.push(file.display().to_string());
        }
    }
    assert!(
        wrong.is_empty(),
        "help differs from these files; run with OSIER_BLESS=1 if it should:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn every_command_has_a_description_and_an_example_that_names_it() {
    for (path, entry) in entries() {
        if entry.hidden || !matches!(entry.kind, Kind::Command(_)) {
            continue;
        }
        let parser = dispatch::parser(entry);
        // An older name shows the newer one.
        let name = path.join(" ").replace("os-init", "stateroot-init");
        assert!(parser.get_about().is_some(), "{name} has no description");
        let example = parser
            .get_after_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        assert!(
            example.contains(&name),
            "the example of {name} is {example:?}"
        );
    }
}

#[test]
fn clap_finds_no_mistake_in_any_parser() {
    for (_, entry) in entries() {
        dispatch::parser(entry).debug_assert();
    }
}

/// Names and letters only: what an option does, the conformance suite looks at.
#[test]
fn every_option_of_the_c_tool_is_known() {
    let mut ours: BTreeMap<String, clap::Command> = BTreeMap::new();
    for (path, entry) in entries() {
        if matches!(entry.kind, Kind::Command(_)) {
            ours.insert(path[1..].join(" "), dispatch::parser(entry));
        }
    }
    let mut missing = Vec::new();
    for line in include_str!("c_options.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'))
    {
        let mut fields = line.split('\t');
        let (command, letter, name) = (
            fields.next().unwrap(),
            fields.next().unwrap(),
            fields.next().unwrap(),
        );
        // Commands that are not there at all are the status page's business.
        let Some(parser) = ours.get(command) else {
            continue;
        };
        let found = parser
            .get_arguments()
            .find(|arg| arg.get_long() == Some(name));
        if found.is_none_or(|arg| arg.get_short() != letter.chars().next()) {
            missing.push(format!("ostree {command}: -{letter} --{name}"));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// What `--json` prints is described for every command that has it.
#[test]
fn every_json_document_is_in_the_documentation() {
    let docs = include_str!("../../../docs/json.md");
    for (path, entry) in entries() {
        let has_json = dispatch::parser(entry)
            .get_arguments()
            .any(|arg| arg.get_long() == Some("json"));
        let name = path[1..].join(" ");
        assert!(
            !has_json
                || docs.contains(&format!("`{name}"))
                || docs.contains(&format!("`ostree {name}")),
            "docs/json.md says nothing about {name} --json"
        );
    }
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../../docs/json.schema.json")).unwrap();
    for document in schema["oneOf"].as_array().unwrap() {
        let name = document["$ref"]
            .as_str()
            .unwrap()
            .rsplit('/')
            .next()
            .unwrap();
        assert!(docs.contains(&format!("osier.{name}.v1")), "{name}");
    }
}
