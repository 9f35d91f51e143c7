//! The trees that a commit is made of.

use std::fs::File;
use std::os::fd::AsFd;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use osier_store::commit::{self, ArchiveOptions, Modifier, PathnameFilter, Root, Source};
use osier_store::{Repo, Transaction};

use super::Args;

impl Args {
    /// Reads `--base` and all trees and writes their objects.
    pub(super) fn tree(
        &self,
        repo: &Repo,
        transaction: &Transaction<'_>,
        modifier: &Modifier,
    ) -> Result<Root> {
        let base = match &self.base {
            Some(rev) => Some(repo.resolve_rev(rev)?),
            None => None,
        };
        let sources = self.sources(repo)?;
        Ok(commit::build_tree_on(
            transaction,
            base.as_ref(),
            &sources,
            modifier,
        )?)
    }

    /// Each `--tree`, else the argument.
    pub(super) fn sources(&self, repo: &Repo) -> Result<Vec<Source>> {
        if self.trees.is_empty() {
            let path = self.paths.first().cloned().unwrap_or_else(|| ".".into());
            return Ok(vec![Source::Dir(path)]);
        }
        let source = |text: &String| {
            let Some((kind, rest)) = text.split_once('=') else {
                bail!("Missing type in tree specification '{text}'")
            };
            Ok(match kind {
                "dir" => Source::Dir(rest.into()),
                "ref" => Source::Commit(repo.resolve_rev(rest)?),
                "tar" => self.archive(rest)?,
                _ => bail!("Invalid tree type specification '{kind}'"),
            })
        };
        self.trees.iter().map(source).collect()
    }

    /// An archive; `-` and nothing are standard input.
    fn archive(&self, path: &str) -> Result<Source> {
        let filter = self.modify.tar_pathname_filter.as_deref();
        let (file, name) = match path {
            "" | "-" => (
                File::from(std::io::stdin().as_fd().try_clone_to_owned()?),
                "-",
            ),
            path => {
                let file = File::open(path).with_context(|| {
                    format!("archive_read_open_filename: Failed to open '{path}'")
                })?;
                (file, path)
            }
        };
        Ok(Source::Archive {
            file: Arc::new(file),
            name: name.to_owned(),
            options: ArchiveOptions {
                autocreate_parents: self.modify.tar_autocreate_parents,
                pathname_filter: filter.map(PathnameFilter::parse).transpose()?,
            },
        })
    }
}
