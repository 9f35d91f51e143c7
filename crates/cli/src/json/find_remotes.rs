//! `find-remotes --json`.

use std::io::{self, Write};

use osier_pull::finder::{CollectionRef, Finder, Found};
use serde::Serialize;

use super::document::Document;
use super::schema;
use super::value::Time;

#[derive(Debug, Serialize)]
struct Name<'a> {
    collection: &'a str,
    name: &'a str,
}

#[derive(Debug, Serialize)]
struct Ref<'a> {
    collection: &'a str,
    name: &'a str,
    commit: Option<String>,
}

#[derive(Debug, Serialize)]
struct Result<'a> {
    url: &'a str,
    finder: &'static str,
    remote: &'a str,
    keyring: String,
    priority: u32,
    last_modified: Option<i64>,
    last_modified_date: Option<String>,
    refs: Vec<Ref<'a>>,
}

impl<'a> Result<'a> {
    fn new(found: &'a Found) -> Self {
        let time = found.summary_time.map(Time);
        Self {
            url: &found.url,
            finder: match found.finder {
                Finder::Config => "config",
                Finder::Mount => "mount",
                Finder::Lan => "lan",
            },
            remote: found.remote.name(),
            keyring: found.keyring(),
            priority: found.finder.priority(),
            last_modified: time.map(Time::seconds),
            last_modified_date: time.and_then(Time::date),
            refs: found
                .refs
                .iter()
                .map(|(name, commit)| Ref {
                    collection: &name.collection,
                    name: &name.name,
                    commit: commit.map(|id| id.to_string()),
                })
                .collect(),
        }
    }
}

fn names<'a>(refs: &[&'a CollectionRef]) -> Vec<Name<'a>> {
    refs.iter()
        .map(|name| Name {
            collection: &name.collection,
            name: &name.name,
        })
        .collect()
}

/// Prints what was found and what was not; `pulled` are the refs that were pulled, if that was asked for.
pub fn print(
    out: &mut (dyn Write + Send),
    found: &[Found],
    missing: &[&CollectionRef],
    pulled: Option<&[&CollectionRef]>,
) -> io::Result<()> {
    let mut document = Document::begin(out, schema::FIND_REMOTES)?;
    document.list("results", found.iter().map(Result::new))?;
    document.list("missing_refs", names(missing))?;
    match pulled {
        Some(pulled) => document.list("pulled_refs", names(pulled))?,
        None => document.field("pulled_refs", &None::<()>)?,
    }
    document.end()
}
