//! The envelope of a signed superblock: `(taya{sv})`, a magic number, the plain superblock, signatures.

use super::BYTES;
use crate::error::{Error, Result};
use osier_gv::frame::{self, Member};
use osier_gv::{Dict, Value};

/// `OSTSGNDT`, big-endian.
pub const MAGIC: [u8; 8] = *b"OSTSGNDT";

/// Keys of signatures start so.
pub const SIGNATURE_PREFIX: &str = "ostree.sign.";

/// The plain superblock inside bytes of either kind, and the signatures when there are some.
///
/// # Errors
/// When the bytes start as an envelope and are none.
pub fn open(bytes: &[u8]) -> Result<(&[u8], Option<Dict>)> {
    if !bytes.starts_with(&MAGIC) {
        return Ok((bytes, None));
    }
    let bad = |e: osier_gv::Error| Error::malformed(format!("Not normal form: signed delta: {e}"));
    let [_, plain, signatures] =
        frame::tuple(bytes, [Member::U64, BYTES, Member::VARIANT]).map_err(bad)?;
    let signatures = Dict::decode(signatures).map_err(bad)?;
    Ok((plain, Some(signatures)))
}

/// As [`open`], of bytes that are not needed otherwise: a superblock may be large, and is not copied.
///
/// # Errors
/// As [`open`].
pub fn unwrap(mut bytes: Vec<u8>) -> Result<(Vec<u8>, Option<Dict>)> {
    let (plain, signatures) = open(&bytes)?;
    let (start, size) = (
        plain.as_ptr() as usize - bytes.as_ptr() as usize,
        plain.len(),
    );
    bytes.truncate(start + size);
    bytes.drain(..start);
    Ok((bytes, signatures))
}

/// A superblock in an envelope with those signatures.
pub fn seal(superblock: Vec<u8>, signatures: &Dict) -> Vec<u8> {
    let magic = u64::from_le_bytes(MAGIC);
    Value::Tuple(vec![
        Value::U64(magic),
        Value::Bytes(superblock),
        signatures.to_value(),
    ])
    .encode()
}

/// Whether there is a signature among them, of whatever kind.
pub fn has_signatures(signatures: &Dict) -> bool {
    signatures.keys().any(|k| k.starts_with(SIGNATURE_PREFIX))
}
