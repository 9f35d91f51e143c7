//! Which SELinux label a path gets, by the files of a policy (`file_contexts` and those beside it).
//!
//! The answers are those of libselinux 3.11: regular expressions in PCRE's syntax over bytes, matched from the first
//! byte to the last; an expression without special characters wins over all others; of the others the last one that
//! matches; `.local` over `.homedirs` over the main file; then substitutions of path beginnings. See
//! `docs/formats/selinux.md`.
//!
//! ```
//! use osier_selinux_labels::{Labels, Sources};
//!
//! let labels = Labels::parse(Sources {
//!     file_contexts: "/.*  system_u:object_r:default_t:s0\n\
//!                     /usr/(s)?bin(/.*)?  system_u:object_r:bin_t:s0\n\
//!                     /usr/bin/bash  --  system_u:object_r:shell_exec_t:s0\n",
//!     subs_dist: "/bin /usr/bin\n",
//!     ..Sources::default()
//! })?;
//! let file = 0o100_755;
//! assert_eq!(labels.of("/bin/bash", file)?, Some("system_u:object_r:shell_exec_t:s0"));
//! assert_eq!(labels.of("/usr/sbin/init", file)?, Some("system_u:object_r:bin_t:s0"));
//! # Ok::<(), osier_selinux_labels::Error>(())
//! ```
//!
//! Only the policy's text is read, never its compiled form. Patterns take time in proportion to the path, whatever
//! they are: look-around and references back, which would not, are refused.
#![forbid(unsafe_code)]

mod config;
mod contexts;
mod error;
mod labels;
mod pattern;
mod substitutions;

pub use config::Config;
pub use error::Error;
pub use labels::{Labels, Sources};
