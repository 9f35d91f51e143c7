//! `ostree prune`.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::{Result, bail};
use osier_object::CommitId;
use osier_store::Repo;
use osier_store::parallel::Cancel;
use osier_store::prune::{self, PruneOptions};
use osier_store::size_text::si;
use osier_store::traverse::Depth;

use crate::context::Cx;
use crate::error::usage;
use crate::json;
use crate::render::date;
use crate::table::{RepoCommand, Usage};
use crate::value;

/// Delete objects that no commit or ref needs
#[derive(clap::Args)]
#[command(after_help = "ostree prune --repo=repo --refs-only --keep-younger-than='30 days ago'")]
pub struct Args {
    /// Only print what would be deleted
    #[arg(long)]
    no_prune: bool,
    /// Delete commits, too, that no ref leads to
    #[arg(long)]
    refs_only: bool,
    /// Parents to keep behind each ref (default: -1, all)
    #[arg(long, value_name = "DEPTH", value_parser = value::int)]
    depth: Option<i32>,
    /// Delete this commit first
    #[arg(long, value_name = "COMMIT")]
    delete_commit: Option<String>,
    /// Delete commits older than this, but no tip of a ref
    #[arg(long, value_name = "DATE")]
    keep_younger_than: Option<String>,
    /// With --delete-commit: delete the static deltas to the commit, not the commit
    #[arg(long)]
    static_deltas_only: bool,
    /// Parents to keep behind one ref
    #[arg(long, value_name = "BRANCH=DEPTH")]
    retain_branch_depth: Vec<String>,
    /// Delete from this ref only; may be repeated
    #[arg(long, value_name = "BRANCH")]
    only_branch: Vec<String>,
    /// Delete commit objects only
    #[arg(long)]
    commit_only: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[arg(value_name = "ARGS", hide = true)]
    rest: Vec<String>,
}

impl Usage for Args {}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        if self.static_deltas_only && self.delete_commit.is_none() {
            bail!("--static-deltas-only requires --delete-commit");
        }
        let options = self.options()?;
        let cancel = Cancel::default();
        if let Some(text) = &self.delete_commit {
            if self.no_prune {
                return Err(usage("Cannot specify both --delete-commit and --no-prune"));
            }
            let commit: CommitId = text.parse()?;
            if self.static_deltas_only {
                prune::delete_deltas_to(repo, &commit)?;
            } else {
                prune::delete_commit(repo, &commit)?;
            }
        }
        let plan = prune::plan(repo, &options, &cancel)?;
        let outcome = if self.no_prune {
            plan.outcome()
        } else {
            plan.apply(&cancel)?
        };
        if self.json {
            json::prune::print(&mut cx.out, &outcome, self.no_prune, self.commit_only)?;
            return Ok(());
        }
        let what = if self.commit_only {
            "Total (commit only) objects"
        } else {
            "Total objects"
        };
        writeln!(cx.out, "{what}: {}", outcome.total)?;
        let (deleted, freed) = (outcome.deleted, si(outcome.freed));
        match (deleted, self.no_prune) {
            (0, _) => writeln!(cx.out, "No unreachable objects")?,
            (_, true) => writeln!(cx.out, "Would delete: {deleted} objects, freeing {freed}")?,
            (_, false) => writeln!(cx.out, "Deleted {deleted} objects, {freed} freed")?,
        }
        Ok(())
    }
}

impl Args {
    fn options(&self) -> Result<PruneOptions> {
        let mut branch_depth = BTreeMap::new();
        for pair in &self.retain_branch_depth {
            let Some((branch, depth)) = pair.split_once('=') else {
                bail!("Invalid value {pair}, must specify BRANCH=DEPTH");
            };
            match value::int(depth) {
                // Taken by the C tool as if it were not there. Scripts that live with that must not lose commits here.
                Ok(0) => {
                    branch_depth.remove(branch);
                    writeln!(
                        std::io::stderr(),
                        "note: --retain-branch-depth={pair} has no effect, as in the C tool; use --only-branch={branch} --depth=0"
                    )?;
                }
                Ok(number) => {
                    branch_depth.insert(branch.to_owned(), depth_of(number));
                }
                Err(_) => bail!("Invalid depth {depth}"),
            }
        }
        Ok(PruneOptions {
            refs_only: self.refs_only,
            depth: depth_of(self.depth.unwrap_or(-1)),
            commit_only: self.commit_only,
            keep_younger_than: self
                .keep_younger_than
                .as_deref()
                .map(date::parse)
                .transpose()?,
            per_branch: !self.retain_branch_depth.is_empty(),
            branch_depth,
            only_branches: self.only_branch.clone(),
            extra_roots: Vec::new(),
        })
    }
}

/// Negative numbers mean all parents.
pub(super) fn depth_of(number: i32) -> Depth {
    u32::try_from(number).ok()
}
