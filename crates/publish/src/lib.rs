//! `ostree push`: copies commits of a local repository to where clients pull from: another machine, or an object store.
#![forbid(unsafe_code)]
