//! `ostree find-remotes`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, bail};
use osier_keyfile::Optional;
use osier_object::refs::{validate_collection_id, validate_ref_name};
use osier_pull::finder::{CollectionRef, Finder, Found, Pulled, find, pull_found};
use osier_pull::{Cancel, PullOptions};
use osier_store::Repo;

use crate::commands::pull::from_environment;
use crate::commands::remote::remotes;
use crate::context::Cx;
use crate::error::usage;
use crate::json;
use crate::progress::PullBar;
use crate::table::{RepoCommand, Usage};

/// Find remotes that have the given refs of collections
#[derive(clap::Args)]
#[command(
    after_help = "ostree find-remotes --repo=repo --finders=config,lan org.example.Os exampleos/x86_64/stable"
)]
pub struct Args {
    /// Keep summaries in this folder, in place of the repository's own
    #[arg(long, value_name = "DIR")]
    cache_dir: Option<PathBuf>,
    /// Do not sync to disk
    #[arg(long)]
    disable_fsync: bool,
    /// Where to look, separated by commas: config, mount, lan (default: core.default-repo-finders, else config,mount)
    #[arg(long, value_name = "FINDERS")]
    finders: Option<String>,
    /// Pull what is found, the newest commit of each ref
    #[arg(long)]
    pull: bool,
    /// Write refs as those of their collections, not of remotes (with --pull)
    #[arg(long)]
    mirror: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "COLLECTION-ID REF [COLLECTION-ID REF...]";
}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        if self.args.len() < 2 {
            return Err(usage(
                "At least one COLLECTION-ID REF pair must be specified",
            ));
        }
        if self.mirror && !self.pull {
            return Err(usage("When --mirror is specified, --pull must also be"));
        }
        let wanted = self.wanted()?;
        let finders = match &self.finders {
            Some(list) => finders(list)?,
            None => default_finders(repo)?,
        };
        let options = PullOptions {
            mirror: self.mirror,
            fsync: self.disable_fsync.then_some(false),
            cache_dir: self.cache_dir.clone(),
            ..from_environment()?
        };
        let (remotes, cancel) = (remotes(cx, repo)?, Cancel::new());
        let found = find(repo, &remotes, &wanted, &finders, &options, &cancel)?;
        let has = |name: &CollectionRef| {
            let mut all = found.iter().flat_map(|found| &found.refs);
            all.any(|(known, commit)| known == name && commit.is_some())
        };
        let (there, missing): (Vec<_>, Vec<_>) = wanted.iter().partition(|name| has(name));
        if !self.json {
            describe(&mut cx.out, &found, &there, &missing)?;
        }
        let pull = self.pull && !found.is_empty();
        if pull {
            // Pulling may fail after a long time: what was found is told before.
            cx.out.flush()?;
            take(repo, &found, &options, &cancel)?;
        }
        if self.json {
            let pulled = self.pull.then_some(&there[..]);
            json::find_remotes::print(&mut cx.out, &found, &missing, pulled)?;
        } else if pull {
            let count = there.len();
            writeln!(cx.out, "Pulled {count}/{count} refs successfully.")?;
        }
        Ok(())
    }
}

fn describe(
    out: &mut dyn Write,
    found: &[Found],
    there: &[&CollectionRef],
    missing: &[&CollectionRef],
) -> Result<()> {
    if found.is_empty() {
        writeln!(out, "No results.")?;
        return Ok(());
    }
    for (number, found) in found.iter().enumerate() {
        show(out, number, found)?;
    }
    let all = there.len() + missing.len();
    writeln!(out, "{}/{all} refs were found.", there.len())?;
    if !missing.is_empty() {
        writeln!(out, "Refs not found in any remote:")?;
        for name in missing {
            writeln!(out, " - {name}")?;
        }
    }
    Ok(())
}

/// Pulls all that was found.
fn take(repo: &Repo, found: &[Found], options: &PullOptions, cancel: &Cancel) -> Result<()> {
    let mut bar = PullBar::new();
    let Pulled { failed, .. } = pull_found(repo, found, options, &mut bar, cancel)?;
    bar.finish();
    if failed.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = failed.iter().map(|(name, _)| name.to_string()).collect();
    let causes: Vec<String> = failed
        .iter()
        .map(|(name, cause)| format!("\n  {name}: {cause}"))
        .collect();
    bail!(
        "Failed to pull some refs from the remotes: {}{}",
        names.join(", "),
        causes.concat()
    );
}

impl Args {
    fn wanted(&self) -> Result<Vec<CollectionRef>> {
        let mut wanted = Vec::new();
        for pair in self.args.chunks(2) {
            let collection = &pair[0];
            if validate_collection_id(collection).is_err() {
                bail!("Invalid collection ID {collection}");
            }
            let Some(name) = pair.get(1) else {
                return Err(usage(format!(
                    "A REF must follow the COLLECTION-ID {collection}"
                )));
            };
            if validate_ref_name(name).is_err() {
                bail!("Invalid ref name {name}");
            }
            let named = CollectionRef {
                collection: collection.clone(),
                name: name.clone(),
            };
            if !wanted.contains(&named) {
                wanted.push(named);
            }
        }
        Ok(wanted)
    }
}

/// Those of `core.default-repo-finders`, else the configured remotes and mounted media.
fn default_finders(repo: &Repo) -> Result<Vec<Finder>> {
    let file = &repo.config().keyfile;
    let names = file
        .string_list("core", "default-repo-finders")
        .optional()?;
    let mut all = Vec::new();
    for name in names.unwrap_or_else(|| vec!["config".to_owned(), "mount".to_owned()]) {
        match name.as_str() {
            "config" => all.push(Finder::Config),
            "lan" => all.push(Finder::Lan),
            "mount" => all.push(Finder::Mount),
            _ => bail!("Invalid configured repo-finder '{name}'"),
        }
    }
    Ok(all)
}

fn finders(list: &str) -> Result<Vec<Finder>> {
    if list.is_empty() {
        return Err(usage(
            "List of finders in --finders option must not be empty",
        ));
    }
    let mut all = Vec::new();
    for name in list.split(',') {
        let finder = match name {
            "config" => Some(Finder::Config),
            "lan" => Some(Finder::Lan),
            "mount" => Some(Finder::Mount),
            _ => None,
        };
        match finder.filter(|finder| !all.contains(finder)) {
            Some(finder) => all.push(finder),
            None => {
                return Err(usage(format!(
                    "Unknown or duplicate finder type given in --finders option: ‘{name}’"
                )));
            }
        }
    }
    Ok(all)
}

fn show(out: &mut dyn Write, number: usize, found: &Found) -> Result<()> {
    writeln!(out, "Result {number}: {}", found.url)?;
    writeln!(out, " - Finder: {}", found.finder.type_name())?;
    writeln!(out, " - Keyring: {}", found.keyring())?;
    writeln!(out, " - Priority: {}", found.finder.priority())?;
    let time = found
        .summary_time
        .and_then(|time| i64::try_from(time).ok())
        .and_then(|time| jiff::Timestamp::from_second(time).ok());
    match time {
        Some(time) => writeln!(
            out,
            " - Summary last modified: {}",
            time.strftime("%Y-%m-%dT%H:%M:%SZ")
        )?,
        None => writeln!(out, " - Summary last modified: unknown")?,
    }
    writeln!(out, " - Refs:")?;
    for (name, commit) in &found.refs {
        match commit {
            Some(commit) => writeln!(out, "    - {name} = {commit}")?,
            None => writeln!(out, "    - {name} = (not found)")?,
        }
    }
    writeln!(out)?;
    Ok(())
}
