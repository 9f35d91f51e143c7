//! `ostree serve`: one repository over HTTP, read only.
#![forbid(unsafe_code)]
