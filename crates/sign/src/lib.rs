//! Signatures: OpenPGP as GnuPG makes them, and the raw keys that OSTree calls ed25519, spki and dummy.
//!
//! A leaf: it knows bytes, keys and verdicts, and neither repositories nor where signatures are kept.
#![forbid(unsafe_code)]

pub mod api;
mod ed25519;
pub mod gnupg;
pub mod key_folders;
pub mod openpgp;
mod spki;
