//! Finding the repository a command works on.

use std::path::PathBuf;

use anyhow::Result;
use osier_store::{OpenOptions, Repo};

use crate::context::Cx;
use crate::error::usage;

/// Where a booted host keeps its repository.
const SYSTEM_REPO: &str = "/sysroot/ostree/repo";
/// Where any other sysroot keeps it.
const SYSROOT_REPO: &str = "ostree/repo";

/// The repository's path: `--repo`, else the current directory if it looks like
/// a repository, else `$OSTREE_REPO`, else that of `$OSTREE_SYSROOT`, else the host's own.
#[must_use]
pub fn repo_path(cx: &Cx) -> PathBuf {
    if let Some(path) = &cx.repo {
        return path.clone();
    }
    if PathBuf::from("objects").is_dir() && PathBuf::from("config").exists() {
        return ".".into();
    }
    let path = |variable| {
        std::env::var_os(variable)
            .filter(|p| !p.is_empty())
            .map(PathBuf::from)
    };
    path("OSTREE_REPO")
        .or_else(|| path("OSTREE_SYSROOT").map(|sysroot| sysroot.join(SYSROOT_REPO)))
        .unwrap_or_else(|| SYSTEM_REPO.into())
}

/// Opens the repository at [`repo_path`].
///
/// # Errors
/// Whatever opening it says; the usage error of the C tool if no `--repo` was
/// given and none of the default places has a repository.
pub fn repo(cx: &Cx) -> Result<Repo> {
    let path = repo_path(cx);
    if cx.repo.is_none() && !path.exists() {
        return Err(usage("Command requires a --repo argument"));
    }
    // Another boot's identity, for tests of what is left behind by an interruption.
    let boot_id = std::env::var("OSTREE_BOOTID").ok();
    Ok(Repo::open_with(&path, &OpenOptions { boot_id })?)
}
