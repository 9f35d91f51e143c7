//! What the tests, the demo and the benches share: trees to commit, drivers for our `ostree` and the C project's,
//! comparers for repositories and sysroots, and an HTTP server that fails on demand.
//!
//! ```
//! use osier_testkit::{snapshot::Snapshot, tree::Tree};
//!
//! let dir = tempfile::tempdir()?;
//! let one = Tree::create(dir.path().join("one"))?;
//! one.file("etc/motd", "hello\n")?.symlink("motd", "etc/motd")?;
//! let two = Tree::create(dir.path().join("two"))?;
//! two.file("etc/motd", "hullo\n")?.symlink("motd", "etc/motd")?;
//!
//! let differences = Snapshot::of(one.path())?.differences(&Snapshot::of(two.path())?);
//! assert_eq!(differences.len(), 1);
//! assert!(differences[0].starts_with("etc/motd: content"));
//! # anyhow::Ok(())
//! ```
#![forbid(unsafe_code)]

pub mod golden;
pub mod httpd;
pub mod latency;
pub mod random;
pub mod repo;
pub mod skip;
pub mod snapshot;
pub mod sysroot;
pub mod tar;
pub mod tool;
pub mod tree;
pub mod trees;
pub mod xattr;
