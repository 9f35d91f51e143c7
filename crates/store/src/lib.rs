//! The object store: repositories of every mode, refs, transactions, commit and checkout.
//!
//! ```
//! use osier_store::{CreateOptions, ReadObjects, Repo, RepoMode, TransactionOptions};
//! use osier_store::commit::{self, CommitOptions, Source};
//!
//! let dir = tempfile::tempdir().unwrap();
//! std::fs::create_dir(dir.path().join("tree")).unwrap();
//! std::fs::write(dir.path().join("tree/hello"), "world\n").unwrap();
//!
//! let repo = Repo::create(&dir.path().join("repo"), &CreateOptions { mode: RepoMode::Archive, collection_id: None }).unwrap();
//! let tx = repo.begin(&TransactionOptions::default()).unwrap();
//! let root = commit::build_tree(&tx, &[Source::Dir(dir.path().join("tree"))], &Default::default()).unwrap();
//! let id = commit::write(&tx, root, &CommitOptions { subject: "first".into(), timestamp: 1, ..Default::default() }).unwrap();
//! tx.set_refspec("main", Some(id)).unwrap();
//! tx.commit().unwrap();
//! assert_eq!(repo.resolve_rev("main").unwrap(), id);
//! assert_eq!(repo.load_commit(&id).unwrap().subject, "first");
//! ```
#![forbid(unsafe_code)]

pub mod archive_form;
pub mod bindings;
pub mod checkout;
pub mod commit;
pub mod composefs;
pub mod config;
mod config_checks;
mod config_edit;
mod content;
pub mod delta_staging;
pub mod diff;
pub mod du;
mod enumerate;
pub mod error;
pub mod fsck;
pub mod local_pull;
mod mode;
mod owner;
pub mod parallel;
pub mod prune;
mod read;
pub mod refs;
pub mod remove_tree;
mod replace_file;
mod repo;
mod repo_lock;
mod resolve;
pub mod selinux;
pub mod signatures;
pub mod size_text;
pub mod static_deltas;
pub mod summary;
pub mod transaction;
pub mod traverse;

pub use config::RepoConfig;
pub use content::{Body, Content, ContentReader, WHOLE_FILE_MAX};
pub use error::{Error, Result};
pub use mode::RepoMode;
pub use read::{CommitState, ReadObjects};
pub use refs::{ListRefs, RefKey};
pub use repo::{CreateOptions, OpenOptions, Repo};
pub use repo_lock::RepoLock;
pub use transaction::{Import, Stats, Transaction, TransactionOptions};
