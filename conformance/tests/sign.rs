//! The sign API: signatures by plain keys. The C tool that is installed has only `dummy`, so that is what both tools are
//! compared by; `ed25519` and `spki`, whose keys OpenSSL makes, are asked of ours alone.

#[path = "sign/command.rs"]
mod command;
#[path = "sign/deployed.rs"]
mod deployed;
#[path = "sign/openssl.rs"]
mod openssl;
#[path = "sign/pull.rs"]
mod pull;

use osier_conformance::{Scratch, commit};
use osier_testkit::tool::{Outcome, Tool};
use osier_testkit::tree::Tree;
use std::fs;
use std::path::{Path, PathBuf};

/// The tool, with `dummy` switched on.
fn with_dummy(tool: &Tool) -> Tool {
    tool.env("OSTREE_DUMMY_SIGN_ENABLED", "1")
}

/// A repository with one commit of `main`, unsigned.
struct Site {
    _scratch: Scratch,
    repo: PathBuf,
    tree: Tree,
}

impl Site {
    fn new(writer: &Tool) -> Site {
        let scratch = Scratch::new();
        let tree = Tree::create(scratch.path("tree")).unwrap();
        tree.file("file", "content").unwrap();
        let repo = scratch.init(writer, "repo", "archive");
        commit(writer, &repo, "main", tree.path(), &[]);
        Site {
            _scratch: scratch,
            repo,
            tree,
        }
    }

    /// Where the detached metadata of the tip of `branch` is.
    fn commitmeta(&self, branch: &str) -> PathBuf {
        let tip = fs::read_to_string(self.repo.join("refs/heads").join(branch)).unwrap();
        let (folder, rest) = tip.trim().split_at(2);
        self.repo
            .join(format!("objects/{folder}/{rest}.commitmeta"))
    }
}

/// Both did the same, and said the same of it.
#[track_caller]
fn same(ours: &Outcome, c: &Outcome) {
    assert_eq!(ours.code, c.code, "\n{ours}\n{c}");
    assert_eq!(ours.stdout, c.stdout, "\n{ours}\n{c}");
    let error = |outcome: &Outcome| {
        let text = outcome
            .stderr
            .lines()
            .find(|line| line.starts_with("error: "));
        text.unwrap_or_default().to_owned()
    };
    // The C tool forgets a quotation mark, and the cause.
    let (ours_error, c_error) = (error(ours), error(c));
    assert!(
        ours_error.starts_with(&c_error) && ours_error.is_empty() == c_error.is_empty(),
        "{ours_error}\n{c_error}\n{ours}\n{c}"
    );
}

fn bytes(path: &Path) -> Option<Vec<u8>> {
    fs::read(path).ok()
}
