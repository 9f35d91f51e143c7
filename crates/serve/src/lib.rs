//! `ostree serve`: one repository over HTTP, read only; of any mode, but as an archive.
//!
//! A static web server does the same job; this one needs no configuration and knows what a repository is made of. It answers
//! for nothing but what clients ask for: a request is first read as the name of an object, a ref, a delta or one of three
//! files ([`Wanted`]), and what is no such name is never looked up on disk. Files are then opened below the repository's
//! folder without following links.
//!
//! ```
//! use osier_serve::{NoLog, ServeOptions, Server};
//! use osier_store::{CreateOptions, Repo, RepoMode};
//! use std::sync::Arc;
//!
//! let dir = tempfile::tempdir().unwrap();
//! let options = CreateOptions { mode: RepoMode::Archive, collection_id: None };
//! let repo = Repo::create(&dir.path().join("repo"), &options).unwrap();
//! let server = Server::bind(repo, "127.0.0.1:0".parse().unwrap(), ServeOptions::default()).unwrap();
//! let stop = server.stopper();
//! assert_ne!(server.address().port(), 0);
//! let running = std::thread::spawn(move || server.run(Arc::new(NoLog)));
//! stop.stop();
//! running.join().unwrap().unwrap();
//! ```
#![forbid(unsafe_code)]

mod answer;
mod body;
mod conditions;
mod config;
mod connection;
mod error;
mod files;
mod log;
mod range;
mod server;
mod wanted;

pub use error::Error;
pub use log::{AccessLog, NoLog, Record};
pub use server::{ServeOptions, Server, Stopper};
pub use wanted::Wanted;
