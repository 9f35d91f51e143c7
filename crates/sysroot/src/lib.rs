//! Sysroots.
#![forbid(unsafe_code)]
pub mod bls;
mod dir;
mod error;
pub mod etc;
mod kernel;
pub mod kargs;
mod os_release;
mod strverscmp;
