//! `ostree push`: brings commits of a local repository to where clients pull from.
//!
//! A destination is another machine, reached by `ssh` ([`ssh`]), or an object store or folder ([`bucket`]), whose files any web
//! server, or the store itself, serves to clients. What arrives is the layout of an archive repository, whatever the mode of
//! the source.
//!
//! **Nothing is visible before it is whole**: objects are brought first, then commits, then deltas, and the refs and the summary
//! that lead to them last. A push that ends in the middle leaves what it brought; the next one finds it and goes on.
//!
//! ```
//! use osier_publish::Destination;
//!
//! let Destination::Ssh(there) = Destination::parse("me@build.example.org:/srv/repo").unwrap() else { panic!() };
//! assert_eq!((there.host.as_str(), there.path.as_str()), ("me@build.example.org", "/srv/repo"));
//! assert!(matches!(Destination::parse("s3://bucket/os").unwrap(), Destination::Bucket(_)));
//! assert!(Destination::parse("-oProxyCommand=x:/srv").is_err());
//! ```
#![forbid(unsafe_code)]

pub mod bucket;
mod destination;
mod error;
mod options;
mod selection;
pub mod ssh;

pub use destination::{Destination, SshDestination};
pub use error::{Error, Result};
pub use options::{PushOptions, PushOutcome, RefChange};
