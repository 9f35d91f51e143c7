//! Tests of our `ostree` against the C project's: same input, same bytes; each reads what the other wrote.
//!
//! The tests lie in `tests/`. They take our program from the target folder, or from `OSIER_OSTREE_BIN`; with
//! `OSIER_OSTREE_BIN=/usr/bin/ostree` they judge the C tool against itself, which shows whether a test is right.
//!
//! ```no_run
//! use osier_conformance::{Scratch, both_ways};
//!
//! for (writer, reader) in both_ways() {
//!     let scratch = Scratch::new();
//!     let repo = scratch.init(&writer, "repo", "archive");
//!     reader.repo(&repo).ok(["fsck"]);
//! }
//! ```
#![forbid(unsafe_code)]

pub mod killed;
pub mod openssl_keys;
pub mod sequences;

use osier_testkit::skip;
use osier_testkit::tool::Tool;
use std::fs;
use std::path::{Path, PathBuf};

/// The repository modes that commits can be written in.
pub const MODES: [&str; 4] = ["archive", "bare", "bare-user", "bare-user-only"];

/// A `--timestamp` for commits that must be equal.
pub const TIMESTAMP: &str = "--timestamp=@1700000000";

/// Our tool and the C tool; `None`, said aloud, where there is no C tool.
pub fn pair() -> Option<(Tool, Tool)> {
    Some((Tool::ours(), Tool::c()?))
}

/// `(writer, reader)`: ours then the C tool's, and the other way round. Empty where there is no C tool.
pub fn both_ways() -> Vec<(Tool, Tool)> {
    pair().map_or_else(Vec::new, |(ours, c)| {
        vec![(ours.clone(), c.clone()), (c, ours)]
    })
}

/// Whether the test may run; says aloud that it needs root otherwise.
pub fn root_or_skip() -> bool {
    if !skip::is_root() {
        skip::because("needs root: chown, setuid and mounts");
    }
    skip::is_root()
}

/// Whether the program taken for ours is the C tool itself, put there to prove the tests. What we promise beyond
/// the C tool cannot be asked of it.
pub fn ours_is_c() -> bool {
    let canonical = |tool: &Tool| tool.program().canonicalize().ok();
    pair().is_some_and(|(ours, c)| canonical(&ours) == canonical(&c))
}

/// Asserts that an error names the object, path or URL it is about.
///
/// # Panics
/// When it does not.
#[track_caller]
pub fn assert_names(stderr: &str, what: &str) {
    assert!(
        stderr.contains(what) || ours_is_c(),
        "the error does not name {what}:\n{stderr}"
    );
}

/// The checksum of a loose object, from its path.
///
/// # Panics
/// When the path is not `objects/XX/REST.type`.
pub fn object_checksum(path: &Path) -> String {
    let rest = path.file_stem().expect("an object's name");
    let prefix = path
        .parent()
        .and_then(Path::file_name)
        .expect("an object's folder");
    format!("{}{}", prefix.to_string_lossy(), rest.to_string_lossy())
}

/// A temporary folder in which a test's trees and repositories lie.
pub struct Scratch {
    dir: tempfile::TempDir,
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl Scratch {
    /// Makes an empty folder.
    ///
    /// # Panics
    /// When the temporary folder cannot be written.
    pub fn new() -> Self {
        let dir = tempfile::Builder::new()
            .prefix("osier-test-")
            .tempdir()
            .expect("a temporary folder");
        // Ordinary users must be able to walk through, for tests that give up root.
        fs::set_permissions(
            dir.path(),
            std::os::unix::fs::PermissionsExt::from_mode(0o755),
        )
        .expect("own folder");
        Scratch { dir }
    }

    /// A path in the folder.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Makes a repository with `tool` and turns its syncs off, which only cost time here.
    ///
    /// # Panics
    /// When `init` fails.
    pub fn init(&self, tool: &Tool, name: &str, mode: &str) -> PathBuf {
        let repo = self.path(name);
        tool.repo(&repo).ok(["init", &format!("--mode={mode}")]);
        let config = repo.join("config");
        let text = fs::read_to_string(&config).expect("init wrote a config");
        fs::write(&config, format!("{text}fsync=false\n")).expect("own file");
        repo
    }

    /// Writes a text file and gives its path.
    ///
    /// # Panics
    /// When the folder cannot be written.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("own folder");
        path
    }
}

/// A path as an argument. The tests' own paths are UTF-8.
///
/// # Panics
/// When it is not.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("test paths are UTF-8")
}

/// `--tree=dir=PATH`.
pub fn tree_arg(path: &Path) -> String {
    format!("--tree=dir={}", text(path))
}

/// Commits a directory to a branch with a fixed time and gives the commit's checksum.
///
/// # Panics
/// When the commit fails.
#[track_caller]
pub fn commit(tool: &Tool, repo: &Path, branch: &str, tree: &Path, more: &[&str]) -> String {
    let branch = format!("--branch={branch}");
    let mut args = vec!["commit", &branch, TIMESTAMP, "--subject=subject"];
    args.extend(more);
    let tree = tree_arg(tree);
    args.push(&tree);
    tool.repo(repo).ok(args)
}
