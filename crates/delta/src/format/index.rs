//! `delta-indexes/AB/REST.index`: an `a{sv}` whose one key leads to the digests of the superblocks of all deltas to a
//! commit. The store writes these files; this reads those of others.

use crate::error::{Error, Result};
use osier_gv::Dict;
use osier_object::Checksum;
use osier_object::summary::key::STATIC_DELTAS;
use osier_store::static_deltas::DeltaName;

/// Reads an index file, or a summary's metadata, which has the same entry. Without the entry there are no deltas.
///
/// # Errors
/// When it is not in normal form, or a name or digest is none.
pub fn decode(bytes: &[u8]) -> Result<Vec<(DeltaName, Checksum)>> {
    let bad = |e: &dyn std::fmt::Display| Error::malformed(format!("delta index: {e}"));
    let dict = Dict::decode(bytes).map_err(|e| bad(&e))?;
    if !dict.contains_key(STATIC_DELTAS) {
        return Ok(Vec::new());
    }
    let deltas = dict
        .get_dict(STATIC_DELTAS)
        .ok_or_else(|| bad(&"its list of deltas has the wrong type"))?;
    deltas
        .iter()
        .map(|(name, digest)| {
            let name: DeltaName = name.parse().map_err(|e| bad(&e))?;
            let digest = digest
                .as_bytes()
                .and_then(|b| Checksum::from_bytes(b).ok())
                .ok_or_else(|| bad(&format!("the digest of {name} is none")))?;
            Ok((name, digest))
        })
        .collect()
}
