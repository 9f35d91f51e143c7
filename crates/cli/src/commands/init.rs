//! `ostree init`.

use anyhow::{Context, Result};
use osier_object::refs::validate_collection_id;
use osier_store::{CreateOptions, Repo, RepoMode};

use crate::context::Cx;
use crate::error::usage;
use crate::table::{PlainCommand, Usage};

/// Create an empty repository
#[derive(clap::Args)]
#[command(after_help = "ostree init --repo=repo --mode=archive")]
pub struct Args {
    /// How objects are stored: bare, bare-user, bare-user-only or archive (default: bare)
    #[arg(long, default_value = "bare", hide_default_value = true)]
    mode: RepoMode,
    /// Globally unique name of the collection this repository's refs belong to
    #[arg(long, value_name = "COLLECTION-ID")]
    collection_id: Option<String>,
    #[arg(value_name = "ARGS", hide = true)]
    rest: Vec<String>,
}

impl Usage for Args {}

impl PlainCommand for Args {
    fn run(self, cx: &mut Cx) -> Result<()> {
        let path = crate::open::repo_path(cx);
        if cx.repo.is_none() && !path.exists() {
            return Err(usage("Command requires a --repo argument"));
        }
        if let Some(id) = &self.collection_id {
            validate_collection_id(id)?;
        }
        let options = CreateOptions {
            mode: self.mode,
            collection_id: self.collection_id,
        };
        Repo::create(&path, &options).context("Creating repo")?;
        Ok(())
    }
}
