//! Finding repositories that have wanted refs: among the configured remotes, on mounted media, in the local network.

pub mod bloom;
