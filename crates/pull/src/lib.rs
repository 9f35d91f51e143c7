//! Pulling commits from remotes: over HTTP from an archive repository that any static web server serves, or from a
//! repository on this machine.
//!
//! Inside, one thread talks to the network and several unpack, check and write; outside, [`pull()`] blocks, tells a
//! [`ProgressSink`] how it goes, and stops when a [`Cancel`] says so. The library reads no environment and prints
//! nothing. How a pull works is told in `docs/pull.md`.
//!
//! ```
//! use osier_pull::remote::{Add, Location, Remotes};
//! use osier_pull::{Cancel, PullOptions, Target, pull};
//! use osier_store::commit::{self, CommitOptions, Source};
//! use osier_store::{CreateOptions, ReadObjects, Repo, RepoMode, TransactionOptions};
//! use osier_testkit::httpd::Server;
//!
//! // A server with one commit.
//! let dir = tempfile::tempdir()?;
//! std::fs::create_dir(dir.path().join("tree"))?;
//! std::fs::write(dir.path().join("tree/hello"), "world\n")?;
//! let create = |name: &str, mode| Repo::create(&dir.path().join(name), &CreateOptions { mode, collection_id: None });
//! let served = create("served", RepoMode::Archive)?;
//! let tx = served.begin(&TransactionOptions::default())?;
//! let root = commit::build_tree(&tx, &[Source::Dir(dir.path().join("tree"))], &Default::default())?;
//! let id = commit::write(&tx, root, &CommitOptions { timestamp: 1, ..Default::default() })?;
//! tx.set_refspec("main", Some(id))?;
//! tx.commit()?;
//! let server = Server::serve(served.path())?;
//!
//! // A repository with a remote, whose commits need no signature.
//! let repo = create("repo", RepoMode::BareUser)?;
//! let mut add = Add::new("origin", Some(Location::Url(server.url())));
//! add.no_gpg_verify = true;
//! Remotes::of(&repo, None)?.add(&repo, &add)?;
//!
//! let repo = Repo::open(repo.path())?;
//! let remote = Remotes::of(&repo, None)?.get("origin")?;
//! let options = PullOptions {
//!     targets: vec![Target::parse("main")?],
//!     ref_remote: Some("origin".to_owned()),
//!     ..Default::default()
//! };
//! let outcome = pull(&repo, &remote, &options, &mut (), &Cancel::new())?;
//! assert_eq!(outcome.content, 1);
//! assert_eq!(repo.resolve_rev("origin:main")?, id);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod engine;
mod error;
pub mod fetch;
pub mod finder;
mod http_date;
mod metalink;
mod objects;
mod options;
mod outcome;
mod progress;
mod pull;
pub mod remote;
mod resolve;
mod summary;
mod target;
pub mod verify;

pub use engine::DeltaPlan;
pub use error::{CommitProblem, Error, SummaryProblem};
pub use metalink::MetalinkError;
pub use objects::RemoteObjects;
pub use options::PullOptions;
pub use outcome::Outcome;
pub use progress::{Cancel, Progress, ProgressSink, PulledRef};
pub use pull::pull;
pub use summary::{RemoteSummary, fetch_remote_summary};
pub use target::Target;
