//! The formats one by one: what they accept, refuse and keep.

mod directories;
mod headers;
mod history;
mod names;
mod properties;
mod refs;
