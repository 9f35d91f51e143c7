//! The few system calls that no safe crate offers, and thin helpers around those that one does.
//!
//! All `unsafe` of the project lives here, each block with its proof beside it.
//!
//! ```
//! use osier_sys::lock::{LockFile, LockKind};
//! let dir = tempfile::tempdir().unwrap();
//! let a = LockFile::open_path(&dir.path().join(".lock"), 0o660).unwrap();
//! let b = LockFile::open_path(&dir.path().join(".lock"), 0o660).unwrap();
//! assert!(a.try_lock(LockKind::Exclusive).unwrap());
//! assert!(!b.try_lock(LockKind::Shared).unwrap());
//! ```
#![deny(unsafe_op_in_unsafe_fn)]
#![allow(unsafe_code)]

pub mod background;
pub mod freeze;
pub mod lock;
pub mod namespace;
pub mod verity;
pub mod watchdog;
pub mod xattr;
