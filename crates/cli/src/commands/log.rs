//! `ostree log`.

use std::io::Write;

use anyhow::Result;
use osier_object::{Commit, ObjectType};
use osier_store::{ReadObjects, Repo};

use crate::context::Cx;
use crate::error::usage;
use crate::render::{commit, variant};
use crate::table::{RepoCommand, Usage};

/// Show the commit and its parents
#[derive(clap::Args)]
#[command(after_help = "ostree log --repo=repo exampleos/x86_64/stable")]
pub struct Args {
    /// Print each commit as a GVariant, integers byte-swapped
    #[arg(long)]
    raw: bool,
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
        let mut next = Some(repo.resolve_rev(rev)?);
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
