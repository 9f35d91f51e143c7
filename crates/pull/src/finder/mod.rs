//! Finding repositories that have wanted refs: among the configured remotes, on mounted media, in the local network.

mod advertise;
mod announcement;
pub mod bloom;
pub mod lan;

pub use advertise::{Advertise, Advertiser};
pub use announcement::{Announcement, NoCollectionRefs, SERVICE, TxtError};
