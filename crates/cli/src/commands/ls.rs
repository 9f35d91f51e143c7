//! `ostree ls`.

use std::io::Write;

use anyhow::{Context, Result};
use osier_object::{ContentId, DirmetaId, DirtreeId, Xattrs};
use osier_store::{ReadObjects, Repo};

use crate::context::Cx;
use crate::error::usage;
use crate::render::variant;
use crate::table::{RepoCommand, Usage};
use crate::tree::{self, Node};

/// List files in a commit
#[derive(clap::Args)]
#[command(after_help = "ostree ls --repo=repo -R exampleos/x86_64/stable /usr/bin")]
pub struct Args {
    /// List a directory itself, not what is in it
    #[arg(short = 'd', long)]
    dironly: bool,
    /// Descend into directories
    #[arg(short = 'R', long)]
    recursive: bool,
    /// Print checksums (of directories: listing and metadata)
    #[arg(short = 'C', long)]
    checksum: bool,
    /// Print extended attributes
    #[arg(short = 'X', long)]
    xattrs: bool,
    /// Print paths only, each ended by a NUL byte
    #[arg(long)]
    nul_filenames_only: bool,
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "COMMIT [PATH...]";
}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        let Some((rev, paths)) = self.args.split_first() else {
            return Err(usage("An COMMIT argument is required"));
        };
        let root = tree::root(&repo.load_commit(&repo.resolve_rev(rev)?)?);
        let all = ["/".to_owned()];
        for path in if paths.is_empty() { &all } else { paths } {
            let list = || {
                tree::lookup(repo, root, path).with_context(|| format!("Inspecting path '{path}'"))
            };
            self.argument(cx, repo, list()?, &tree::absolute(path))?;
        }
        Ok(())
    }
}

impl Args {
    /// One path of the command line: the entry, and what is in it unless `-d`.
    fn argument(&self, cx: &mut Cx, repo: &Repo, node: Node, path: &str) -> Result<()> {
        self.entry(cx, repo, node, path)?;
        match node {
            Node::Dir(listing, _) if self.recursive || !self.dironly => {
                self.contents(cx, repo, &listing, path)
            }
            _ => Ok(()),
        }
    }

    fn contents(&self, cx: &mut Cx, repo: &Repo, listing: &DirtreeId, path: &str) -> Result<()> {
        let tree = repo.load_dirtree(listing)?;
        let prefix = if path == "/" { "" } else { path };
        for (name, id) in &tree.files {
            self.entry(cx, repo, Node::File(*id), &format!("{prefix}/{name}"))?;
        }
        for (name, listing, meta) in &tree.dirs {
            let path = format!("{prefix}/{name}");
            self.entry(cx, repo, Node::Dir(*listing, *meta), &path)?;
            if self.recursive {
                self.contents(cx, repo, listing, &path)?;
            }
        }
        Ok(())
    }

    fn entry(&self, cx: &mut Cx, repo: &Repo, node: Node, path: &str) -> Result<()> {
        if self.nul_filenames_only {
            write!(cx.out, "{path}\0")?;
            return Ok(());
        }
        match node {
            Node::Dir(listing, meta) => self.directory(cx, repo, &listing, &meta, path),
            Node::File(id) => self.file(cx, repo, &id, path),
        }
    }

    fn directory(
        &self,
        cx: &mut Cx,
        repo: &Repo,
        listing: &DirtreeId,
        meta: &DirmetaId,
        path: &str,
    ) -> Result<()> {
        let dir = repo.load_dirmeta(meta)?;
        write!(
            cx.out,
            "d{:05o} {} {} {:>6} ",
            dir.mode & 0o7777,
            dir.uid,
            dir.gid,
            0
        )?;
        if self.checksum {
            write!(cx.out, "{listing} {meta} ")?;
        }
        self.attributes(cx, &dir.xattrs)?;
        writeln!(cx.out, "{path}")?;
        Ok(())
    }

    fn file(&self, cx: &mut Cx, repo: &Repo, id: &ContentId, path: &str) -> Result<()> {
        let content = repo.open_content(id)?;
        let header = &content.header;
        let kind = if header.is_symlink() { 'l' } else { '-' };
        write!(
            cx.out,
            "{kind}{:05o} {} {} {:>6} ",
            header.mode & 0o7777,
            header.uid,
            header.gid,
            content.size
        )?;
        if self.checksum {
            write!(cx.out, "{id} ")?;
        }
        self.attributes(cx, &header.xattrs)?;
        write!(cx.out, "{path}")?;
        if let Some(target) = &header.symlink_target {
            write!(cx.out, " -> ")?;
            cx.out.write_all(target.as_ref())?;
        }
        writeln!(cx.out)?;
        Ok(())
    }

    fn attributes(&self, cx: &mut Cx, xattrs: &Xattrs) -> Result<()> {
        if self.xattrs {
            write!(cx.out, "{} ", variant::xattrs(xattrs))?;
        }
        Ok(())
    }
}
