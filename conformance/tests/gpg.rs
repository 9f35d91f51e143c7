//! GPG signatures: each tool makes of them what the other does. Keys and odd signatures are made by GnuPG in the test.

#[path = "gpg/deployed.rs"]
mod deployed;
#[path = "gpg/home.rs"]
mod home;
#[path = "gpg/keys.rs"]
mod keys;
#[path = "gpg/matrix.rs"]
mod matrix;
#[path = "gpg/pull.rs"]
mod pull;
#[path = "gpg/show.rs"]
mod show;
#[path = "gpg/sign.rs"]
mod sign;

use home::Home;
use osier_conformance::{Scratch, commit};
use osier_gv::{Dict, Value};
use osier_testkit::tool::{Outcome, Tool};
use osier_testkit::tree::Tree;
use std::fs;
use std::path::PathBuf;

/// A repository with one commit of `main`, unsigned.
struct Site {
    scratch: Scratch,
    home: Home,
    repo: PathBuf,
    tree: Tree,
}

impl Site {
    fn new(writer: &Tool) -> Option<Site> {
        let scratch = Scratch::new();
        let home = Home::new(scratch.path("gnupg"))?;
        let tree = Tree::create(scratch.path("tree")).unwrap();
        tree.file("file", "content").unwrap();
        let repo = scratch.init(writer, "repo", "archive");
        commit(writer, &repo, "main", tree.path(), &[]);
        Some(Site {
            scratch,
            home,
            repo,
            tree,
        })
    }

    fn tip(&self) -> String {
        let tip = fs::read_to_string(self.repo.join("refs/heads/main")).unwrap();
        tip.trim().to_owned()
    }

    fn object(&self, extension: &str) -> PathBuf {
        let tip = self.tip();
        self.repo
            .join(format!("objects/{}/{}.{extension}", &tip[..2], &tip[2..]))
    }

    /// Puts these signatures beside the commit.
    fn attach(&self, signatures: &[&[u8]]) {
        let mut meta = Dict::new();
        let all = signatures.iter().map(|bytes| bytes.to_vec());
        meta.push("ostree.gpgsigs", Value::bytes_list(all));
        fs::write(self.object("commitmeta"), meta.encode()).unwrap();
    }
}

/// Whether the C tool has the words of today, and a GnuPG of today behind it.
fn c_is_recent() -> bool {
    Tool::c().is_some_and(|c| !c.ok(["--version"]).contains("Version: '2022"))
}

/// Both have the same to say. The newer the library behind the C tool, the wider its spaces; GnuPG before 2.4 does not say
/// that the time of a subkey is over with that of its primary key.
#[track_caller]
fn same(ours: &Outcome, c: &Outcome) {
    let recent = c_is_recent();
    let plain = |text: &str| {
        text.replace('\u{2007}', " ")
            .lines()
            .filter(|line| {
                recent || !line.starts_with("  Key expired") && !line.starts_with("    Expired:")
            })
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!(plain(&ours.stdout), plain(&c.stdout), "{ours}\n{c}");
    assert_eq!(ours.code, c.code, "{ours}\n{c}");
    if c.code != 0 {
        assert_eq!(plain(&ours.stderr), plain(&c.stderr));
    }
}
