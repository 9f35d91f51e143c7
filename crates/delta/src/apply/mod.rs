//! Applying deltas: parts become ordinary writes of a transaction.
//!
//! [`execute()`] runs one part, wherever its bytes are from; [`apply_parts`] those of a delta in a folder; [`apply_offline`]
//! does all of it, the commit included.

mod content;
mod execute;
mod offline;
mod parts;
mod source;

pub use execute::execute;
pub use offline::{ApplyOptions, apply_offline};
pub use parts::{AppliedParts, apply_parts};

use crate::format::superblock::PartHeader;

/// Most bytes the payload of a part may unpack to.
///
/// A payload is about as large as what it makes: patches and literals never exceed the objects by much, links and numbers
/// add a little each. The bound only has to stop what unpacks to a disk full of zeros. Where the order of the
/// superblock's numbers is a guess, so is the bound.
pub fn payload_limit(header: &PartHeader) -> u64 {
    let objects = header.objects.len() as u64;
    let of = |unpacked: u64| {
        unpacked
            .saturating_mul(4)
            .saturating_add(objects.saturating_mul(64 * 1024))
            .saturating_add(64 * 1024 * 1024)
    };
    of(header.unpacked)
}
