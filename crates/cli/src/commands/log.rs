//! `ostree log`.

use std::io::Write;

use anyhow::Result;
use osier_object::{Commit, CommitId, ObjectType};
use osier_store::{ReadObjects, Repo};

use crate::context::Cx;
use crate::error::usage;
use crate::json;
use crate::json::commit::CommitFields;
use crate::render::{commit, variant};
use crate::table::{RepoCommand, Usage};

/// Show the commit and its parents
#[derive(clap::Args)]
#[command(after_help = "ostree log --repo=repo exampleos/x86_64/stable")]
pub struct Args {
    /// Print each commit as a GVariant, integers byte-swapped
    #[arg(long)]
    raw: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[arg(value_name = "REV")]
    revs: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "REV";
}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        let Some(rev) = self.revs.first() else {
            return Err(usage("A rev argument is required"));
        };
        json::alone(self.json, &[("--raw", self.raw)])?;
        let tip = repo.resolve_rev(rev)?;
        if self.json {
            return print_json(cx, repo, tip);
        }
        let mut next = Some(tip);
        let mut first = true;
        while let Some(id) = next {
            let bytes = match repo.read_metadata(ObjectType::Commit, &id.0) {
                Err(e) if !first && e.missing_object().is_some() => {
                    writeln!(cx.out, "<< History beyond this commit not fetched >>")?;
                    break;
                }
                bytes => bytes?,
            };
            first = false;
            let decoded = Commit::decode(&bytes)?;
            commit::heading(&mut cx.out, &id)?;
            if self.raw {
                writeln!(
                    cx.out,
                    "{}",
                    variant::swapped(&variant::of_object(ObjectType::Commit, &bytes)?)
                )?;
            } else {
                commit::body(&mut cx.out, &decoded)?;
            }
            next = decoded.parent;
        }
        Ok(())
    }
}

fn print_json(cx: &mut Cx, repo: &Repo, tip: CommitId) -> Result<()> {
    // A tip that is not there is an error before anything is printed.
    let mut commit = Some((tip, repo.load_commit(&tip)?));
    let mut missing = None;
    let mut log = json::log::Log::begin(&mut cx.out)?;
    while let Some((id, loaded)) = commit.take() {
        log.commit(&CommitFields::new(&id, &loaded, repo.commit_state(&id)?))?;
        let Some(parent) = loaded.parent else { break };
        match repo.load_commit(&parent) {
            Ok(loaded) => commit = Some((parent, loaded)),
            Err(e) if e.missing_object().is_some() => missing = Some(parent),
            Err(e) => return Err(e.into()),
        }
    }
    Ok(log.end(missing.as_ref())?)
}
