//! Checksums and bytes that the C tool (2026.4) gave for known input.

mod commits;
mod objects;
mod summary;
mod tree;
