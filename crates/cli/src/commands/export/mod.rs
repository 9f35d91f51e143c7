//! `ostree export`.

mod gnutar;

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use osier_object::{ContentId, DirmetaId, DirtreeId};
use osier_store::{ReadObjects, Repo};

use crate::context::Cx;
use crate::error::usage;
use crate::table::{RepoCommand, Usage};
use crate::tree::{self, Node};
use gnutar::{Entry, Kind, Writer};

/// Write a commit as a tar archive
///
/// The format is GNU tar, which holds no extended attributes. All times are
/// that of the commit, so the archive depends on nothing else.
#[derive(clap::Args)]
#[command(after_help = "ostree export --repo=repo exampleos/x86_64/stable -o exampleos.tar")]
pub struct Args {
    /// Leave extended attributes out (always done)
    #[arg(long)]
    no_xattrs: bool,
    /// Write this directory of the commit only
    #[arg(long, value_name = "PATH")]
    subpath: Option<String>,
    /// Put this in front of all paths
    #[arg(long, value_name = "PATH")]
    prefix: Option<String>,
    /// Write to this file, not to standard output
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "COMMIT";
}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        let Some(rev) = self.args.first() else {
            return Err(usage("A COMMIT argument is required"));
        };
        let commit = repo.load_commit(&repo.resolve_rev(rev)?)?;
        let subpath = self.subpath.as_deref().unwrap_or("/");
        let Node::Dir(listing, meta) = tree::lookup(repo, tree::root(&commit), subpath)? else {
            bail!("Not a directory: {}", tree::absolute(subpath));
        };
        let prefix = self.prefix.as_deref().unwrap_or_default();
        match &self.output {
            // A pipe gets whole records, as from the C tool.
            None => write(
                repo,
                Writer::new(cx.out.raw(), commit.timestamp),
                (listing, meta),
                prefix,
                true,
            ),
            Some(path) => {
                let file = File::create(path)
                    .with_context(|| format!("Failed to open '{}'", path.display()))?;
                let mut out = BufWriter::with_capacity(256 * 1024, file);
                let tar = Writer::new(&mut out, commit.timestamp);
                let written = write(repo, tar, (listing, meta), prefix, false);
                written
                    .and_then(|()| Ok(out.flush()?))
                    .with_context(|| format!("writing {}", path.display()))
            }
        }
    }
}

fn write<'a>(
    repo: &'a Repo,
    tar: Writer<'a>,
    root: (DirtreeId, DirmetaId),
    prefix: &str,
    whole_records: bool,
) -> Result<()> {
    let mut export = Export {
        repo,
        tar,
        written: HashMap::new(),
    };
    let name = if prefix.is_empty() { "." } else { prefix };
    export.directory(name, prefix, &root.0, &root.1)?;
    export.tar.finish(whole_records)?;
    Ok(())
}

struct Export<'a> {
    repo: &'a Repo,
    tar: Writer<'a>,
    /// Where each file was written first; it is not written again.
    written: HashMap<ContentId, String>,
}

impl Export<'_> {
    /// The directory called `name`; what is in it gets `prefix` in front.
    fn directory(
        &mut self,
        name: &str,
        prefix: &str,
        listing: &DirtreeId,
        meta: &DirmetaId,
    ) -> Result<()> {
        let dir = self.repo.load_dirmeta(meta)?;
        self.tar.entry(&Entry {
            name,
            kind: Kind::Directory,
            mode: dir.mode,
            uid: dir.uid,
            gid: dir.gid,
            size: 0,
        })?;
        let tree = self.repo.load_dirtree(listing)?;
        for (name, id) in &tree.files {
            self.file(&format!("{prefix}{name}"), id)?;
        }
        for (name, listing, meta) in &tree.dirs {
            let name = format!("{prefix}{name}");
            self.directory(&name, &format!("{name}/"), listing, meta)?;
        }
        Ok(())
    }

    fn file(&mut self, name: &str, id: &ContentId) -> Result<()> {
        let content = self.repo.open_content(id)?;
        let header = content.header.clone();
        let first = self.written.get(id);
        let (kind, size) = match (first, &header.symlink_target) {
            (_, Some(target)) => (Kind::Symlink(target), 0),
            (Some(first), None) => (Kind::Hardlink(first), 0),
            (None, None) => (Kind::File, content.size),
        };
        self.tar.entry(&Entry {
            name,
            kind,
            mode: header.mode,
            uid: header.uid,
            gid: header.gid,
            size,
        })?;
        if size > 0 {
            let mut reader = content.into_reader();
            self.tar
                .content(&mut reader, size)
                .with_context(|| format!("exporting {name}"))?;
        }
        self.written.entry(*id).or_insert_with(|| name.to_owned());
        Ok(())
    }
}
