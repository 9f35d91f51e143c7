//! `ostree ls`.

use std::collections::HashMap;
use std::io::Write;

use anyhow::{Context, Result};
use osier_object::{ContentId, Dirmeta, DirmetaId, DirtreeId, Xattrs};
use osier_store::{ReadObjects, Repo};

use crate::context::Cx;
use crate::error::usage;
use crate::json;
use crate::json::document::Document;
use crate::json::ls::Entry;
use crate::json::object::FileFields;
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
    /// Print JSON, always with checksums and attributes
    #[arg(long)]
    json: bool,
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
        json::alone(
            self.json,
            &[("--nul-filenames-only", self.nul_filenames_only)],
        )?;
        let commit = repo.resolve_rev(rev)?;
        let root = tree::root(&repo.load_commit(&commit)?);
        let all = ["/".to_owned()];
        let paths = if paths.is_empty() { &all } else { paths };
        let mut form: Box<dyn Form> = match self.json {
            true => Box::new(Json(json::ls::begin(&mut cx.out, &commit)?)),
            false => Box::new(Text {
                out: &mut cx.out,
                args: &self,
                dirmetas: HashMap::new(),
            }),
        };
        for path in paths {
            let node = tree::lookup(repo, root, path)
                .with_context(|| format!("Inspecting path '{path}'"))?;
            self.argument(&mut *form, repo, node, &tree::absolute(path))?;
        }
        form.end()
    }
}

/// How entries are printed, each as it is found.
trait Form {
    fn entry(&mut self, repo: &Repo, node: Node, path: &str) -> Result<()>;
    fn end(self: Box<Self>) -> Result<()>;
}

/// `--json`.
struct Json<'a>(Document<'a>);

impl Form for Json<'_> {
    fn entry(&mut self, repo: &Repo, node: Node, path: &str) -> Result<()> {
        let entry = match node {
            Node::Dir(tree, meta) => {
                Entry::directory(path, &tree, &meta, &repo.load_dirmeta(&meta)?)
            }
            Node::File(id) => {
                let content = repo.open_content(&id)?;
                let file = FileFields::new(id.to_string(), &content.header, content.size);
                Entry::file(path, file)
            }
        };
        Ok(self.0.element(&entry)?)
    }

    fn end(mut self: Box<Self>) -> Result<()> {
        self.0.end_list()?;
        Ok(self.0.end()?)
    }
}

/// Directory metadata held in memory, whatever an odd tree has.
const DIRMETAS_KEPT: usize = 1024;

/// The lines of the C tool.
struct Text<'a> {
    out: &'a mut dyn Write,
    args: &'a Args,
    /// A tree has few of them, and each many times.
    dirmetas: HashMap<DirmetaId, Dirmeta>,
}

impl Form for Text<'_> {
    fn entry(&mut self, repo: &Repo, node: Node, path: &str) -> Result<()> {
        if self.args.nul_filenames_only {
            write!(self.out, "{path}\0")?;
            return Ok(());
        }
        match node {
            Node::Dir(listing, meta) => self.directory(repo, &listing, &meta, path),
            Node::File(id) => self.file(repo, &id, path),
        }
    }

    fn end(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

impl Args {
    /// One path of the command line: the entry, and what is in it unless `-d`.
    fn argument(&self, form: &mut dyn Form, repo: &Repo, node: Node, path: &str) -> Result<()> {
        form.entry(repo, node, path)?;
        match node {
            Node::Dir(listing, _) if self.recursive || !self.dironly => {
                self.contents(form, repo, &listing, path)
            }
            _ => Ok(()),
        }
    }

    fn contents(
        &self,
        form: &mut dyn Form,
        repo: &Repo,
        listing: &DirtreeId,
        path: &str,
    ) -> Result<()> {
        let tree = repo.load_dirtree(listing)?;
        let prefix = if path == "/" { "" } else { path };
        for (name, id) in &tree.files {
            form.entry(repo, Node::File(*id), &format!("{prefix}/{name}"))?;
        }
        for (name, listing, meta) in &tree.dirs {
            let path = format!("{prefix}/{name}");
            form.entry(repo, Node::Dir(*listing, *meta), &path)?;
            if self.recursive {
                self.contents(form, repo, listing, &path)?;
            }
        }
        Ok(())
    }
}

impl Text<'_> {
    fn directory(
        &mut self,
        repo: &Repo,
        listing: &DirtreeId,
        meta: &DirmetaId,
        path: &str,
    ) -> Result<()> {
        let dir = match self.dirmetas.get(meta) {
            Some(dir) => dir.clone(),
            None => {
                let dir = repo.load_dirmeta(meta)?;
                if self.dirmetas.len() >= DIRMETAS_KEPT {
                    self.dirmetas.clear();
                }
                self.dirmetas.insert(*meta, dir.clone());
                dir
            }
        };
        write!(
            self.out,
            "d{:05o} {} {} {:>6} ",
            dir.mode & 0o7777,
            dir.uid,
            dir.gid,
            0
        )?;
        if self.args.checksum {
            write!(self.out, "{listing} {meta} ")?;
        }
        self.attributes(&dir.xattrs)?;
        writeln!(self.out, "{path}")?;
        Ok(())
    }

    fn file(&mut self, repo: &Repo, id: &ContentId, path: &str) -> Result<()> {
        let (header, size) = repo.content_header(id, self.args.xattrs)?;
        let kind = if header.is_symlink() { 'l' } else { '-' };
        write!(
            self.out,
            "{kind}{:05o} {} {} {:>6} ",
            header.mode & 0o7777,
            header.uid,
            header.gid,
            size
        )?;
        if self.args.checksum {
            write!(self.out, "{id} ")?;
        }
        self.attributes(&header.xattrs)?;
        write!(self.out, "{path}")?;
        if let Some(target) = &header.symlink_target {
            write!(self.out, " -> ")?;
            self.out.write_all(target.as_ref())?;
        }
        writeln!(self.out)?;
        Ok(())
    }

    fn attributes(&mut self, xattrs: &Xattrs) -> Result<()> {
        if self.args.xattrs {
            write!(self.out, "{} ", variant::xattrs(xattrs))?;
        }
        Ok(())
    }
}
