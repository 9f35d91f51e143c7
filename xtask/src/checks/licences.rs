//! Dependencies come from the registry, under licences that `deny.toml` allows. cargo-deny does the same and more where
//! it is installed; this needs nothing but cargo.

use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Each dependency whose licence or source is not allowed.
pub fn faults(metadata: &Value, deny: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(deny).with_context(|| format!("reading {}", deny.display()))?;
    let deny: toml::Table = text
        .parse()
        .with_context(|| format!("reading {}", deny.display()))?;
    let licences = deny
        .get("licenses")
        .context("deny.toml has no [licenses]")?;
    let allowed = strings(licences.get("allow"));
    let exceptions: Vec<(String, BTreeSet<String>)> = licences
        .get("exceptions")
        .and_then(toml::Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            Some((
                entry.get("crate")?.as_str()?.to_owned(),
                strings(entry.get("allow")),
            ))
        })
        .collect();

    let mut faults = Vec::new();
    for package in metadata["packages"]
        .as_array()
        .context("cargo metadata has no packages")?
    {
        let (name, version) = (&package["name"], &package["version"]);
        let label = format!(
            "{} {}",
            name.as_str().unwrap_or_default(),
            version.as_str().unwrap_or_default()
        );
        let Some(source) = package["source"].as_str() else {
            continue;
        };
        if !source.starts_with("registry+") && !source.starts_with("sparse+") {
            faults.push(format!(
                "{label}: comes from {source}, not from the registry"
            ));
        }
        let Some(licence) = package["license"].as_str() else {
            faults.push(format!("{label}: states no licence"));
            continue;
        };
        let mut allowed = allowed.clone();
        for (_, more) in exceptions.iter().filter(|(exempt, _)| name == exempt) {
            allowed.extend(more.iter().cloned());
        }
        if !accepts(licence, &allowed) {
            faults.push(format!("{label}: licence {licence} is not allowed"));
        }
    }
    Ok(faults)
}

fn strings(list: Option<&toml::Value>) -> BTreeSet<String> {
    let list = list.and_then(toml::Value::as_array).into_iter().flatten();
    list.filter_map(toml::Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// Whether an SPDX expression can be met with the allowed licences. An `A/B` of old crates means `A OR B`.
fn accepts(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let accepted = any(&words, &mut at, allowed);
    accepted && at == words.len()
}

fn any(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let mut accepted = all(words, at, allowed);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        accepted |= all(words, at, allowed);
    }
    accepted
}

fn all(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let mut accepted = one(words, at, allowed);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        accepted &= one(words, at, allowed);
    }
    accepted
}

fn one(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let Some(word) = words.get(*at) else {
        return false;
    };
    *at += 1;
    if *word == "(" {
        let accepted = any(words, at, allowed);
        *at += 1;
        return accepted;
    }
    let mut licence = (*word).to_owned();
    if words.get(*at) == Some(&"WITH") {
        licence = format!("{licence} WITH {}", words.get(*at + 1).unwrap_or(&""));
        *at += 2;
    }
    allowed.contains(&licence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions() {
        let allowed: BTreeSet<String> = [
            "MIT",
            "Apache-2.0",
            "BSD-3-Clause",
            "Apache-2.0 WITH LLVM-exception",
        ]
        .map(String::from)
        .into();
        for (expression, good) in [
            ("MIT", true),
            ("MIT/Apache-2.0", true),
            ("GPL-3.0 OR MIT", true),
            ("GPL-3.0", false),
            ("MIT AND GPL-3.0", false),
            ("(MIT OR GPL-3.0) AND BSD-3-Clause", true),
            ("MIT AND (GPL-3.0 OR LGPL-2.1)", false),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("MIT WITH Some-exception", false),
            ("", false),
            ("MIT OR", true),
            ("MIT MIT", false),
        ] {
            assert_eq!(accepts(expression, &allowed), good, "{expression:?}");
        }
    }
}
