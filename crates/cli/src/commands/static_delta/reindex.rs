//! `ostree static-delta reindex`.

use anyhow::Result;
use osier_object::CommitId;
use osier_store::Repo;

use crate::context::Cx;
use crate::table::{RepoCommand, Usage};

/// Write the indexes of deltas anew
///
/// An index lists the deltas to one commit, so that clients need no summary to find them. `summary -u` writes the
/// indexes, too.
#[derive(clap::Args)]
#[command(after_help = "ostree static-delta reindex --repo=repo")]
pub struct Args {
    /// Only the index of this commit (a checksum)
    #[arg(long, value_name = "REV")]
    to: Option<String>,
    #[arg(value_name = "ARGS", hide = true)]
    rest: Vec<String>,
}

impl Usage for Args {}

impl RepoCommand for Args {
    fn run(self, _: &mut Cx, repo: &Repo) -> Result<()> {
        let to = self.to.map(|to| to.parse::<CommitId>()).transpose()?;
        Ok(repo.reindex_static_deltas(to.as_ref())?)
    }
}
