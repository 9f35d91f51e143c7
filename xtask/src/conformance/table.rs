//! The scores as a table: plain for a terminal, Markdown between markers in `docs/status.md`.

use super::scores::{Score, Scores, Verdict};
use anyhow::{Context, Result, bail};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const BEGIN: &str = "<!-- conformance: written by `cargo xtask conformance --update` -->";
const END: &str = "<!-- /conformance -->";

/// One line a script, then the totals.
pub fn plain(ours: &Scores, c: &Scores) -> String {
    let names = names(ours, c);
    let width = names.iter().map(|name| name.len()).max().unwrap_or(6);
    let mut text = format!(
        "{:width$}  {:>22}  {:>22}\n",
        "script", "ours ok/no/skip exit", "C ok/no/skip exit"
    );
    for name in &names {
        let (own, peer) = (ours.by_script.get(*name), c.by_script.get(*name));
        let note = own.or(peer).map_or("", |score| score.note.as_str());
        let line = format!(
            "{name:width$}  {:>22}  {:>22}  {note}",
            plain_cell(own),
            plain_cell(peer)
        );
        writeln!(text, "{}", line.trim_end()).expect("writing to a string");
    }
    for (who, scores) in [("ours", ours), ("C", c)] {
        if !scores.by_script.is_empty() {
            let (whole, cases) = scores.totals();
            let count = scores.by_script.len();
            writeln!(
                text,
                "{who}: {whole} scripts whole, {cases} cases, of {count} scripts ({})",
                scores.tool
            )
            .expect("writing to a string");
        }
    }
    text
}

fn plain_cell(score: Option<&Score>) -> String {
    score.map_or("-".into(), |s| {
        format!("{}/{}/{} {:>7}", s.ok, s.not_ok, s.skip, s.exit)
    })
}

fn names<'a>(ours: &'a Scores, c: &'a Scores) -> Vec<&'a str> {
    let mut names: Vec<&str> = ours
        .by_script
        .keys()
        .chain(c.by_script.keys())
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn markdown(ours: &Scores, c: &Scores) -> String {
    let (our_whole, our_cases) = ours.totals();
    let (c_whole, c_cases) = c.totals();
    let mut text = format!(
        "Ours: **{our_whole} scripts whole, {our_cases} cases**. The C tool on the same machine: {c_whole} scripts whole, \
         {c_cases} cases, of {} scripts.\n\n| script | ours | C tool | where it stands |\n|---|---:|---:|---|\n",
        c.by_script.len()
    );
    for name in names(ours, c) {
        let (own, peer) = (ours.by_script.get(name), c.by_script.get(name));
        let stands = match own.map(|own| (own.verdict(), own)) {
            None => "not run".to_owned(),
            Some((Verdict::Whole, _)) => "whole".to_owned(),
            Some((_, own)) => own.note.replace('|', "\\|").replace('<', "&lt;"),
        };
        writeln!(
            text,
            "| {name} | {} | {} | {stands} |",
            cell(own),
            cell(peer)
        )
        .expect("writing to a string");
    }
    text
}

fn cell(score: Option<&Score>) -> String {
    match score {
        None => "–".into(),
        Some(score) if score.verdict() == Verdict::Skipped => "skips".into(),
        Some(Score {
            ok,
            plan: Some(plan),
            ..
        }) => format!("{ok}/{plan}"),
        Some(score) => format!("{}", score.ok),
    }
}

/// Puts the table between the markers of the file at `path`.
pub fn write_status(path: &Path, ours: &Scores, c: &Scores) -> Result<()> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let (Some(begin), Some(end)) = (text.find(BEGIN), text.find(END)) else {
        bail!("{} lacks the markers {BEGIN} and {END}", path.display());
    };
    let table = markdown(ours, c);
    let new = format!("{}{BEGIN}\n{table}{}", &text[..begin], &text[end..]);
    if new != text {
        fs::write(path, new).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}
