//! `ostree cat`.

use std::io;

use anyhow::{Context, Result, bail};
use osier_object::ContentId;
use osier_store::{ReadObjects, Repo};

use crate::context::Cx;
use crate::error::usage;
use crate::table::{RepoCommand, Usage};
use crate::tree::{self, Node};

/// As many links as the kernel follows before it calls a path a loop.
const MAX_LINKS: u32 = 40;

/// Print files of a commit
#[derive(clap::Args)]
#[command(after_help = "ostree cat --repo=repo exampleos/x86_64/stable /usr/lib/os-release")]
pub struct Args {
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "COMMIT PATH...";
}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        let [rev, paths @ ..] = self.args.as_slice() else {
            return Err(usage(
                "A COMMIT and at least one PATH argument are required",
            ));
        };
        if paths.is_empty() {
            return Err(usage(
                "A COMMIT and at least one PATH argument are required",
            ));
        }
        let root = tree::root(&repo.load_commit(&repo.resolve_rev(rev)?)?);
        for path in paths {
            let id = file(repo, root, path)?;
            let mut content = repo.open_content(&id)?.into_reader();
            io::copy(&mut content, cx.out.raw())?;
        }
        Ok(())
    }
}

/// The regular file at `path`; symbolic links in the last component are followed.
fn file(repo: &Repo, root: Node, path: &str) -> Result<ContentId> {
    tree::lookup(repo, root, path)?;
    let mut path = tree::absolute(path);
    for _ in 0..MAX_LINKS {
        let Node::File(id) = tree::lookup(repo, root, &path)? else {
            bail!("Can't open directory")
        };
        let header = repo.open_content(&id)?.header;
        let Some(target) = header.symlink_target else {
            return Ok(id);
        };
        let target =
            std::str::from_utf8(target.as_ref()).with_context(|| format!("following {path}"))?;
        path = resolve(&path, target);
    }
    bail!("following {path}: too many levels of symbolic links");
}

/// Where a link at `path` with the text `target` leads.
fn resolve(path: &str, target: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    if !target.starts_with('/') {
        parts.extend(path.split('/').filter(|p| !p.is_empty()));
        parts.pop();
    }
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn links_resolve_inside_the_tree() {
        assert_eq!(resolve("/a/b", "c"), "/a/c");
        assert_eq!(resolve("/a/b", "../c"), "/c");
        assert_eq!(resolve("/a/b", "/c/./d"), "/c/d");
        assert_eq!(resolve("/b", "../../../c"), "/c");
    }
}
