//! A mount that shows a directory whose hard-linked files cannot be changed in place.
//!
//! Checkouts share their files with the repository as hard links: a program that writes into one changes the object,
//! and every other checkout. Seen through this mount, a regular file or symbolic link with more than one name is
//! immutable (`EROFS`), or is copied first ([`Settings::copy_up`]); everything else, new files and all directories
//! included, passes through.
//!
//! - [`nodes`]: what the kernel knows by number, found again in the tree by directory handle and name;
//! - [`guard`]: what may be changed, and copying what may not;
//! - [`view`]: the operations on them, free of FUSE;
//! - [`serve`]: FUSE's requests turned into those operations;
//! - [`mount`]: making the mount and taking it away;
//! - [`arguments`]: the command line, which is that of the C program.
#![forbid(unsafe_code)]

pub mod arguments;
pub mod guard;
pub mod handles;
pub mod mount;
pub mod nodes;
pub mod serve;
pub mod view;

pub use view::Settings;
