//! `ostree checkout`.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use osier_object::CommitId;
use osier_store::checkout::{self, CheckoutOptions, Existing, Labelling, Linking};
use osier_store::commit::Root;
use osier_store::composefs::{self, Digests};
use osier_store::parallel::Cancel;
use osier_store::selinux::Policy;
use osier_store::{ReadObjects, Repo};
use rustix::fs::CWD;

use crate::context::Cx;
use crate::error::usage;
use crate::progress::Bar;
use crate::table::{RepoCommand, Usage};
use crate::{tree, value};

/// Write the files of a commit to a directory
#[derive(clap::Args)]
#[command(after_help = "ostree checkout --repo=repo -U exampleos/x86_64/stable rootfs")]
pub struct Args {
    /// Leave owners and extended attributes alone
    #[arg(short = 'U', long)]
    user_mode: bool,
    /// Do not use the cache of unpacked files
    #[arg(long)]
    disable_cache: bool,
    /// Check out this path of the commit only
    #[arg(long, value_name = "PATH")]
    subpath: Option<String>,
    /// Keep directories, replace files
    #[arg(long)]
    union: bool,
    /// Keep directories and files, add what is missing
    #[arg(long)]
    union_add: bool,
    /// Keep directories, add files; files that are there must be the same
    #[arg(long)]
    union_identical: bool,
    /// Act on whiteouts as container images have them (.wh.NAME)
    #[arg(long)]
    whiteouts: bool,
    /// Turn .ostree-wh.NAME into overlayfs whiteouts, char devices 0:0
    #[arg(long)]
    process_passthrough_whiteouts: bool,
    /// Do nothing if the path is not in the commit
    #[arg(long)]
    allow_noent: bool,
    /// Read commits and paths from standard input, as pairs ended by NUL bytes
    #[arg(long)]
    from_stdin: bool,
    /// Read commits and paths from a file
    #[arg(long, value_name = "FILE")]
    from_file: Option<PathBuf>,
    /// Whether to sync files to disk (a boolean; default: false)
    #[arg(long, value_name = "POLICY", value_parser = value::boolean)]
    fsync: Option<bool>,
    /// Fail where a file cannot be hard-linked
    #[arg(short = 'H', long)]
    require_hardlinks: bool,
    /// Copy all files, never hard-link
    #[arg(short = 'C', long)]
    force_copy: bool,
    /// Copy empty files, do not hard-link them (always done)
    #[arg(short = 'z', long, hide = true)]
    force_copy_zerosized: bool,
    /// Directory modes within 0775
    #[arg(short = 'M', long)]
    bareuseronly_dirs: bool,
    /// File with paths to leave out
    #[arg(long, value_name = "FILE")]
    skip_list: Option<PathBuf>,
    /// Label files by the SELinux policy of the root file system PATH; implies --force-copy
    #[arg(long, value_name = "PATH")]
    selinux_policy: Option<PathBuf>,
    /// Prefix of all paths when they are labelled
    #[arg(long, value_name = "PREFIX")]
    selinux_prefix: Option<String>,
    /// Write a composefs image instead of files
    #[arg(long)]
    composefs: bool,
    /// Write a composefs image without fs-verity digests
    #[arg(long)]
    composefs_noverity: bool,
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "COMMIT [DESTINATION]";
}

impl RepoCommand for Args {
    fn run(self, _: &mut Cx, repo: &Repo) -> Result<()> {
        if self.composefs || self.composefs_noverity {
            self.check_composefs_options()?;
        }
        let options = self.options()?;
        if self.from_stdin || self.from_file.is_some() {
            return self.many(repo, &options);
        }
        let Some(rev) = self.args.first() else {
            return Err(usage("COMMIT must be specified"));
        };
        let destination = self.args.get(1).unwrap_or(rev);
        self.one(
            repo,
            &repo.resolve_rev(rev)?,
            self.subpath.as_deref(),
            Path::new(destination),
            options,
        )
    }
}

impl Args {
    fn options(&self) -> Result<CheckoutOptions> {
        let existing = match (self.union, self.union_add, self.union_identical) {
            (true, true, _) => bail!("Cannot specify both --union and --union-add"),
            (true, _, true) => bail!("Cannot specify both --union and --union-identical"),
            (_, true, true) => bail!("Cannot specify both --union-add and --union-identical"),
            (true, ..) => Existing::Union,
            (_, true, _) => Existing::UnionAdd,
            (.., true) if !self.require_hardlinks => {
                bail!("--union-identical requires --require-hardlinks")
            }
            (.., true) => Existing::UnionIdentical,
            _ => Existing::Fail,
        };
        let force_copy = self.force_copy || self.selinux_policy.is_some();
        let linking = match (self.require_hardlinks, force_copy) {
            (true, true) => bail!("Cannot specify both --require-hardlinks and --force-copy"),
            (true, _) => Linking::Require,
            (_, true) => Linking::Never,
            _ => Linking::Auto,
        };
        let selinux = match &self.selinux_policy {
            None if self.selinux_prefix.is_some() => {
                bail!("Cannot specify --selinux-prefix without --selinux-policy")
            }
            None => None,
            // Without a policy in force there are no labels to give.
            Some(root) => Policy::of_folder(root)
                .context("selinux-policy")?
                .map(|policy| Labelling {
                    policy: Arc::new(policy),
                    prefix: self.selinux_prefix.clone(),
                }),
        };
        let skip = match &self.skip_list {
            None => BTreeSet::new(),
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("openat({})", path.display()))?;
                text.lines()
                    .filter(|line| !line.is_empty())
                    .map(str::to_owned)
                    .collect()
            }
        };
        Ok(CheckoutOptions {
            user_mode: self.user_mode,
            existing,
            linking,
            whiteouts: self.whiteouts,
            passthrough_whiteouts: self.process_passthrough_whiteouts,
            bareuseronly_dirs: self.bareuseronly_dirs,
            disable_cache: self.disable_cache,
            fsync: self.fsync == Some(true),
            skip,
            subpath: None,
            selinux,
        })
    }

    fn one(
        &self,
        repo: &Repo,
        id: &CommitId,
        subpath: Option<&str>,
        destination: &Path,
        mut options: CheckoutOptions,
    ) -> Result<()> {
        if self.composefs || self.composefs_noverity {
            return self.image(repo, id, destination);
        }
        if let Some(path) = subpath {
            let root = tree::root(&repo.load_commit(id)?);
            match tree::lookup(repo, root, path) {
                Err(e) if self.allow_noent && e.is::<tree::NotFound>() => return Ok(()),
                node => node?,
            };
            options.subpath = Some(tree::absolute(path));
        }
        let bar = Bar::new("Checking out");
        checkout::checkout_commit(
            repo,
            id,
            CWD,
            destination,
            &options,
            &bar,
            &Cancel::default(),
        )?;
        Ok(())
    }

    /// A composefs image of the whole commit. As in the C tool, `--subpath` and `--user-mode` change nothing.
    fn image(&self, repo: &Repo, id: &CommitId, destination: &Path) -> Result<()> {
        let commit = repo.load_commit(id)?;
        let root = Root {
            dirtree: commit.root_dirtree,
            dirmeta: commit.root_dirmeta,
        };
        let digests = if self.composefs_noverity {
            Digests::Omit
        } else {
            Digests::Compute
        };
        let bar = Bar::new("Digesting");
        let image = composefs::image(repo, root, digests, &bar, &Cancel::default())?;
        composefs::write(CWD, destination, &image, self.fsync == Some(true))?;
        Ok(())
    }

    /// Options that say how files are written mean nothing to an image.
    fn check_composefs_options(&self) -> Result<()> {
        let of_files = self.disable_cache
            || self.union_add
            || self.union_identical
            || self.whiteouts
            || self.process_passthrough_whiteouts
            || self.require_hardlinks
            || self.force_copy
            || self.force_copy_zerosized
            || self.bareuseronly_dirs
            || self.skip_list.is_some()
            || self.selinux_policy.is_some()
            || self.selinux_prefix.is_some();
        if of_files {
            bail!("Specified options are incompatible with --composefs");
        }
        Ok(())
    }

    /// All pairs of the list, into one destination.
    fn many(&self, repo: &Repo, options: &CheckoutOptions) -> Result<()> {
        let Some(destination) = self.args.first() else {
            return Err(usage("COMMIT must be specified"));
        };
        let mut bytes = Vec::new();
        match &self.from_file {
            Some(path) => {
                let shown = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                bytes = std::fs::read(path)
                    .with_context(|| format!("Error opening file {}", shown.display()))?;
            }
            None => {
                std::io::stdin()
                    .read_to_end(&mut bytes)
                    .context("reading standard input")?;
            }
        }
        for (rev, subpath) in pairs(&bytes)? {
            let id = repo.resolve_rev(rev)?;
            self.one(
                repo,
                &id,
                Some(subpath),
                Path::new(destination),
                options.clone(),
            )
            .with_context(|| format!("Processing tree {id}"))?;
        }
        Ok(())
    }
}

/// `REV NUL PATH NUL ...`; the path of the last pair may be missing or unended.
fn pairs(bytes: &[u8]) -> Result<Vec<(&str, &str)>> {
    let text = std::str::from_utf8(bytes).context("reading the list of trees")?;
    let mut fields: Vec<&str> = text.split('\0').collect();
    if fields.last() == Some(&"") {
        fields.pop();
    }
    Ok(fields
        .chunks(2)
        .map(|pair| (pair[0], pair.get(1).copied().unwrap_or("/")))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::pairs;

    #[test]
    fn lists_of_trees() {
        assert_eq!(pairs(b"a\0/x\0b\0/\0").unwrap(), [("a", "/x"), ("b", "/")]);
        assert_eq!(pairs(b"a\0/x").unwrap(), [("a", "/x")]);
        assert_eq!(pairs(b"a\0").unwrap(), [("a", "/")]);
        assert!(pairs(b"").unwrap().is_empty());
    }
}
