//! What the two sides say, in order.
//!
//! | sender | receiver |
//! |---|---|
//! | `H` [`Hello`] | |
//! | | `H` [`Welcome`], then `R` lists of [`RefLine`], the last one empty |
//! | `?` names | `=` a byte for each |
//! | … | |
//! | `O` name, `D` pieces, `D` empty | |
//! | … | |
//! | `M` lists of [`Move`], `C` | |
//! | | `!` [`Done`] |
//!
//! In place of any answer `E` may come, with which the receiver ends. The version is raised when an older side would
//! misunderstand a newer one; fields may be added without it.

use osier_object::{Checksum, ObjectName, ObjectType};
use serde::{Deserialize, Serialize};

/// The version of both sides.
pub(crate) const VERSION: u32 = 1;

/// Length of an object's name: its type and its checksum.
pub(crate) const NAME: usize = 33;

/// The sender's first words.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Hello {
    pub(crate) osier_push: u32,
    #[serde(default)]
    pub(crate) force: bool,
    #[serde(default)]
    pub(crate) dry_run: bool,
    /// Delete what no ref needs, when all is done.
    #[serde(default)]
    pub(crate) delete_stale: bool,
}

/// The receiver's first words.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Welcome {
    pub(crate) osier_push: u32,
    /// The mode of its repository.
    pub(crate) mode: String,
}

/// A ref of the receiver.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RefLine {
    pub(crate) name: String,
    pub(crate) commit: String,
}

/// A ref that is to move.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Move {
    pub(crate) name: String,
    /// Where the sender saw it.
    pub(crate) old: Option<String>,
    /// Where it is to be; none deletes it.
    pub(crate) new: Option<String>,
}

/// What the receiver did.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Done {
    #[serde(default)]
    pub(crate) objects_deleted: u64,
    #[serde(default)]
    pub(crate) deltas_deleted: u64,
    #[serde(default)]
    pub(crate) summary_written: bool,
}

pub(crate) fn encode_name(name: &ObjectName) -> [u8; NAME] {
    let mut bytes = [0; NAME];
    bytes[0] = type_byte(name.ty);
    bytes[1..].copy_from_slice(name.checksum.as_bytes());
    bytes
}

pub(crate) fn decode_name(bytes: &[u8]) -> Option<ObjectName> {
    let (ty, checksum) = bytes.split_first()?;
    Some(ObjectName {
        ty: SENT.into_iter().find(|t| type_byte(*t) == *ty)?,
        checksum: Checksum::from_bytes(checksum).ok()?,
    })
}

/// The types that are sent.
const SENT: [ObjectType; 5] = [
    ObjectType::File,
    ObjectType::Dirtree,
    ObjectType::Dirmeta,
    ObjectType::Commit,
    ObjectType::Commitmeta,
];

fn type_byte(ty: ObjectType) -> u8 {
    match ty {
        ObjectType::File => 1,
        ObjectType::Dirtree => 2,
        ObjectType::Dirmeta => 3,
        ObjectType::Commit => 4,
        ObjectType::Commitmeta => 6,
        _ => 0,
    }
}
