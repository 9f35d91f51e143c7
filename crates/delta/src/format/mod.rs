//! The bytes of deltas, strictly: only normal form decodes, nothing is allocated because a number says so.
//!
//! - [`superblock`]: what a delta leads to, and which parts and fallbacks it has
//! - [`signed`]: the envelope around a superblock that carries signatures
//! - [`part`]: the payload of a part: dictionaries, blob, operations
//! - [`compression`]: how a payload is packed into a part file
//! - [`ops`]: the operations that make objects
//! - [`index`]: the file that lists the deltas to a commit

pub mod compression;
pub mod index;
pub mod ops;
pub mod part;
pub mod signed;
pub mod superblock;
mod varint;

use osier_gv::frame::Member;

const BYTES: Member = Member::BYTES;
