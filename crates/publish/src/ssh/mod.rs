//! Pushing to a repository of another machine: `ssh` runs `ostree receive` there, and both talk over its standard streams.
//!
//! [`push`] is the sender, [`receive()`] the other side. The receiver trusts nothing that comes: it is safe to let somebody push
//! who may not log in, with a line like this in `authorized_keys`:
//!
//! ```text
//! restrict,command="ostree receive --repo=/srv/repo" ssh-ed25519 AAAA… somebody
//! ```

mod frame;
mod patience;
mod protocol;
mod receive;
mod send;

pub use patience::Patient;
pub use receive::receive;
pub use send::{SshSettings, push};
