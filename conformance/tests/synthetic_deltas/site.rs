//! A repository with two versions, and deltas between them.

use super::builder::{Form, PartBuilder, write};
use osier_conformance::{Scratch, commit, text};
use osier_testkit::tool::Tool;
use osier_testkit::tree::Tree;
use std::fs;
use std::path::PathBuf;

/// The old version's only file.
pub const OLD: &str = "0123456789abcdefghijklmnopqrstuvwxyz";

const OWNED: [&str; 3] = ["--owner-uid=0", "--owner-gid=0", "--no-xattrs"];

/// A repository with two commits, the trees behind them, and what the new one adds.
pub struct Site {
    pub scratch: Scratch,
    pub repo: PathBuf,
    pub old: String,
    pub new: String,
}

/// The new version has these files beside the old one's, all of mode 0644, and perhaps a link.
pub fn site(c: &Tool, files: &[(&str, &str)], link: Option<&str>) -> Site {
    let scratch = Scratch::new();
    let repo = scratch.init(c, "site", "archive");
    let tree = Tree::create(scratch.path("tree")).unwrap();
    tree.file("old", OLD).unwrap();
    let old = commit(c, &repo, "main", tree.path(), &OWNED);
    for (name, content) in files {
        tree.file(name, content).unwrap();
    }
    if let Some(target) = link {
        tree.symlink("link", target).unwrap();
    }
    let new = commit(c, &repo, "main", tree.path(), &OWNED);
    Site {
        scratch,
        repo,
        old,
        new,
    }
}

impl Site {
    pub fn client(&self, tool: &Tool, c: &Tool, name: &str, mode: &str) -> (Tool, PathBuf) {
        let path = self.scratch.init(c, name, mode);
        c.repo(&path)
            .ok(["pull-local", text(&self.repo), &self.old]);
        (tool.repo(&path), path)
    }

    /// A part that begins with the metadata of the new version; files are still to come.
    pub fn part(&self) -> PartBuilder {
        PartBuilder::new(&self.repo, &self.old, &self.new)
    }

    pub fn delta(&self, name: &str, part: &PartBuilder, form: &Form) -> PathBuf {
        let dir = self.scratch.path(name);
        fs::create_dir(&dir).unwrap();
        write(&self.repo, &self.old, &self.new, part, form, &dir);
        dir
    }
}
