//! OSTree's objects as bytes: names, encoding, decoding, validation. No I/O.
//!
//! ```
//! use osier_object::{ContentId, Dirmeta, FileHeader, hash};
//!
//! // The id of a file depends on its owner, mode and xattrs as well as on its bytes.
//! let header = FileHeader::regular(0, 0, 0o644);
//! let mut stream = header.hash_framing();
//! stream.extend_from_slice(b"hello world\n");
//! let id = ContentId(hash(&stream));
//! assert_eq!(
//!     id.to_string(),
//!     "81381808c56d4f3d643ec12f6a18fcf2993af8daba7c2a1b2cbfc315b39424c6",
//! );
//! assert_eq!(id.object_name().loose_path(true)[..4], *"81/3");
//!
//! let dirmeta = Dirmeta::new(0, 0, 0o755);
//! assert_eq!(Dirmeta::decode(&dirmeta.encode())?, dirmeta);
//! # Ok::<(), osier_object::Error>(())
//! ```
//!
//! The formats are described in `docs/formats/objects.md`.

#![forbid(unsafe_code)]

mod checksum;
pub mod commit;
mod dirmeta;
pub mod dirtree;
mod error;
pub mod header;
mod name;
pub mod refs;
pub mod sizes;
pub mod summary;
pub mod tombstone;
pub mod validate;
mod xattrs;

pub use checksum::{Checksum, CommitId, ContentId, DirmetaId, DirtreeId, hash};
pub use commit::Commit;
pub use dirmeta::Dirmeta;
pub use dirtree::Dirtree;
pub use error::Error;
pub use header::{FRAMING_PREFIX, FileHeader, MAX_HEADER_SIZE, MAX_METADATA_SIZE};
pub use name::{ObjectName, ObjectType};
pub use osier_gv as gv;
pub use refs::Refspec;
pub use summary::{Summary, SummaryRef};
pub use xattrs::Xattrs;
