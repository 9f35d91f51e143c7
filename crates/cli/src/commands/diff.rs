//! `ostree diff`.

use std::io::Write;

use anyhow::{Result, bail};
use osier_object::CommitId;
use osier_store::Repo;
use osier_store::diff::{self, Diff, DiffOptions, Side};
use osier_store::parallel::Cancel;
use osier_store::size_text::si;

use crate::context::Cx;
use crate::error::usage;
use crate::json;
use crate::table::{RepoCommand, Usage};
use crate::value;

/// Compare two commits or directories
///
/// An argument that starts with / or ./ is a directory. With one argument, a
/// commit is compared with its parent.
#[derive(clap::Args)]
#[command(after_help = "ostree diff --repo=repo exampleos/x86_64/stable ./rootfs")]
pub struct Args {
    /// Print how many objects the commits share
    #[arg(long)]
    stats: bool,
    /// Print the files that differ (the default)
    #[arg(long)]
    fs_diff: bool,
    /// Leave extended attributes of directories on disk out
    #[arg(long)]
    no_xattrs: bool,
    /// Take files on disk as owned by this user
    #[arg(long, value_name = "UID", value_parser = value::int)]
    owner_uid: Option<i32>,
    /// Take files on disk as owned by this group
    #[arg(long, value_name = "GID", value_parser = value::int)]
    owner_gid: Option<i32>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "REV_OR_DIR REV_OR_DIR";
}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        let (a, b) = match self.args.as_slice() {
            [] => return Err(usage("REV must be specified")),
            [rev] => (format!("{rev}^"), rev.clone()),
            [a, b, ..] => (a.clone(), b.clone()),
        };
        let (a, b) = (side(repo, &a)?, side(repo, &b)?);
        let cancel = Cancel::default();
        let mut found = None;
        if self.fs_diff || !self.stats {
            let owner = |id: Option<i32>| id.and_then(|id| u32::try_from(id).ok());
            let options = DiffOptions {
                no_xattrs: self.no_xattrs,
                owner_uid: owner(self.owner_uid),
                owner_gid: owner(self.owner_gid),
            };
            found = Some(diff::diff(repo, &a, &b, &options, &cancel)?);
        }
        if self.json {
            let stats = match self.stats {
                true => Some(diff::stats(repo, commit(&a)?, commit(&b)?, &cancel)?),
                false => None,
            };
            let sides = [&a, &b];
            json::diff::print(&mut cx.out, sides, found.as_ref(), stats.as_ref())?;
            return Ok(());
        }
        for line in found.iter().flat_map(Diff::lines) {
            writeln!(cx.out, "{line}")?;
        }
        if self.stats {
            let stats = diff::stats(repo, commit(&a)?, commit(&b)?, &cancel)?;
            writeln!(cx.out, "[A] Object Count: {}", stats.a_objects)?;
            writeln!(cx.out, "[B] Object Count: {}", stats.b_objects)?;
            writeln!(cx.out, "Common Object Count: {}", stats.common_objects)?;
            writeln!(cx.out, "Common Object Size: {}", si(stats.common_bytes))?;
        }
        Ok(())
    }
}

fn side(repo: &Repo, text: &str) -> Result<Side> {
    let on_disk =
        text == "." || text == ".." || ["/", "./", "../"].iter().any(|p| text.starts_with(p));
    Ok(if on_disk {
        Side::Dir(std::path::absolute(text)?)
    } else {
        Side::Commit(repo.resolve_rev(text)?)
    })
}

fn commit(side: &Side) -> Result<&CommitId> {
    match side {
        Side::Commit(id) => Ok(id),
        Side::Dir(path) => bail!(
            "--stats compares commits, and {} is a directory",
            path.display()
        ),
    }
}
