//! `ostree remote SUB`.

mod add;
mod cookies;
mod delete;
mod gpg_import;
mod gpg_list_keys;
mod list;
mod refs;
mod show_url;
mod summary;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use osier_pull::remote::{Remotes, system_dropins};
use osier_pull::{PullOptions, RemoteSummary, fetch_remote_summary};
use osier_store::Repo;

use crate::commands::pull::from_environment;
use crate::context::Cx;
use crate::error::usage;
use crate::table::{Entry, Needs, plain, repo};

/// Sub-commands, in the order of the help.
pub const COMMANDS: &[Entry] = &[
    plain::<add::Args>("add", Needs::RepoPath),
    plain::<delete::Args>("delete", Needs::RepoPath),
    repo::<show_url::Args>("show-url"),
    repo::<list::Args>("list"),
    repo::<gpg_import::Args>("gpg-import"),
    repo::<gpg_list_keys::Args>("gpg-list-keys"),
    repo::<cookies::AddArgs>("add-cookie"),
    repo::<cookies::DeleteArgs>("delete-cookie"),
    repo::<cookies::ListArgs>("list-cookies"),
    repo::<refs::Args>("refs"),
    repo::<summary::Args>("summary"),
];

/// The remotes of the opened repository; of the system's own, drop-ins too.
///
/// # Errors
/// As [`Remotes::of`].
pub fn remotes(_cx: &Cx, repo: &Repo) -> Result<Remotes> {
    let dropins = system_dropins(repo, Path::new("/"));
    Ok(Remotes::of(repo, dropins.as_deref())?)
}

/// A repository that `add` or `delete` changes, its remotes, and the directory of its drop-ins.
struct Edit {
    repo: Repo,
    remotes: Remotes,
    dropins: Option<PathBuf>,
}

impl Edit {
    /// The opened repository; with `--sysroot`, that one's.
    fn open(cx: &Cx, sysroot: Option<&Path>) -> Result<Edit> {
        match sysroot {
            Some(sysroot) => Edit::of_sysroot(&std::path::absolute(sysroot)?)
                .map_err(|e| e.context("loading sysroot")),
            None => {
                let repo = crate::open::repo(cx)?;
                let dropins = system_dropins(&repo, Path::new("/"));
                let remotes = Remotes::of(&repo, dropins.as_deref())?;
                Ok(Edit {
                    repo,
                    remotes,
                    dropins,
                })
            }
        }
    }

    fn of_sysroot(sysroot: &Path) -> Result<Edit> {
        std::fs::read_dir(sysroot)
            .with_context(|| format!("Initializing sysroot: opendir({})", sysroot.display()))?;
        let path = sysroot.join("ostree/repo");
        std::fs::read_dir(&path).context("Opening sysroot repo: opendir(ostree/repo)")?;
        let repo = Repo::open(&path).context("Opening sysroot repo")?;
        // A file system that is only prepared to become a root is configured in its repository.
        let is_root = sysroot.join("sysroot").exists();
        let dropins = is_root.then(|| sysroot.join("etc/ostree/remotes.d"));
        let remotes = Remotes::of(&repo, dropins.as_deref())
            .context("Opening sysroot repo: Reloading remotes")?;
        Ok(Edit {
            repo,
            remotes,
            dropins,
        })
    }
}

/// The summary of the remote named on the command line; none when its server has none.
fn remote_summary(
    cx: &Cx,
    repo: &Repo,
    args: &[String],
    cache_dir: Option<PathBuf>,
) -> Result<(String, Option<RemoteSummary>)> {
    let Some(name) = args.first() else {
        return Err(usage("NAME must be specified"));
    };
    let remote = remotes(cx, repo)?.get(name)?;
    let options = PullOptions {
        cache_dir,
        ..from_environment()?
    };
    let summary = fetch_remote_summary(repo, &remote, &options)?;
    Ok((name.clone(), summary))
}
