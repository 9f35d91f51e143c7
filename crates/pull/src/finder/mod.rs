//! Finding repositories that have wanted refs: among the configured remotes, on mounted media, in the local network.

mod advertise;
mod announcement;
pub mod bloom;
pub mod lan;

/// The UDP port of multicast DNS.
pub const MDNS_PORT: u16 = mdns_sd::MDNS_PORT;

pub use advertise::{Advertise, Advertiser};
pub use announcement::{Announcement, NoCollectionRefs, SERVICE, TxtError};
