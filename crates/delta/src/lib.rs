//! Static deltas: what one commit adds to another, in few files.
//!
//! ```
//! use osier_delta::apply::{ApplyOptions, apply_offline};
//! use osier_delta::generate::{GenerateOptions, generate};
//! use osier_store::commit::{self, CommitOptions, Source};
//! use osier_store::parallel::Cancel;
//! use osier_store::static_deltas::DeltaName;
//! use osier_store::{CreateOptions, ReadObjects, Repo, RepoMode};
//!
//! let dir = tempfile::tempdir()?;
//! let create = |name: &str, mode| {
//!     Repo::create(&dir.path().join(name), &CreateOptions { mode, collection_id: None })
//! };
//! std::fs::create_dir(dir.path().join("tree"))?;
//! std::fs::write(dir.path().join("tree/hello"), "world")?;
//! let from = create("from", RepoMode::Archive)?;
//! let tx = from.begin(&Default::default())?;
//! let root = commit::build_tree(&tx, &[Source::Dir(dir.path().join("tree"))], &Default::default())?;
//! let to = commit::write(&tx, root, &CommitOptions::default())?;
//! tx.commit()?;
//!
//! let name = DeltaName { from: None, to };
//! generate(&from, &name, &GenerateOptions::default(), &(), &Cancel::default())?;
//!
//! let into = create("into", RepoMode::BareUser)?;
//! let path = from.path().join(name.path());
//! apply_offline(&into, &path, &ApplyOptions::default(), &Cancel::default())?;
//! assert_eq!(into.load_commit(&to)?, from.load_commit(&to)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - [`mod@format`]: the bytes, strictly. Each decoder has a fuzz target.
//! - [`apply`]: parts become ordinary writes of a transaction, which checks every object against its name. Memory does not
//!   grow with parts or files: payloads and unpacked sources beyond a few MiB lie in nameless files.
//! - [`mod@generate`]: which objects are new, how each is told, and the files.
//! - [`bsdiff`] makes patches and applies them.
//! - [`inspect`](mod@inspect): a look into a delta.
//! - [`mod@signatures`]: signing superblocks and judging what signed them, with keys that the caller has.
//! - [`mod@choose`]: which delta to take; [`local`]: taking those of another repository on this machine.
//!
//! The format is described in `docs/formats/static-deltas.md`.

#![forbid(unsafe_code)]

pub mod apply;
pub mod bsdiff;
pub mod choose;
pub mod error;
mod files;
pub mod format;
pub mod generate;
pub mod inspect;
pub mod local;
pub mod signatures;
mod spool;

pub use error::{Error, Result};
pub use files::DeltaFiles;
