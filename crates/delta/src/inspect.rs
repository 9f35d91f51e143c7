//! Looking into a delta without applying it.

use crate::apply::payload_limit;
use crate::error::{Context, Result};
use crate::files::DeltaFiles;
use crate::format::ops::Op;
use crate::format::part::Part;
use crate::format::superblock::Superblock;
use crate::format::{compression, signed};
use std::path::Path;

/// A delta's superblock and what is to be known of its envelope.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// The superblock.
    pub superblock: Superblock,
    /// Whether it carries signatures. They are not checked.
    pub signed: bool,
}

/// Reads a superblock, signed or not.
///
/// # Errors
/// As [`Superblock::decode`].
pub fn inspect(files: &DeltaFiles) -> Result<Inspection> {
    let (plain, signatures) = signed::unwrap(files.superblock()?)?;
    Ok(Inspection {
        superblock: Superblock::decode(plain)?,
        signed: signatures.as_ref().is_some_and(signed::has_signatures),
    })
}

/// Sizes of a part, and how often it does what.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PartSummary {
    /// Different owners and modes
    pub owners: u64,
    /// Different sets of attributes
    pub xattr_sets: u64,
    /// Bytes of the blob
    pub blob_size: u64,
    /// Bytes of the operations
    pub ops_size: u64,
    /// Whole objects from the blob
    pub splices: u64,
    /// Objects begun
    pub opens: u64,
    /// Copies, from the blob or a source
    pub writes: u64,
    /// Sources set
    pub sets: u64,
    /// Sources unset
    pub unsets: u64,
    /// Objects ended
    pub closes: u64,
    /// Patches
    pub patches: u64,
}

/// Unpacks a part and counts. `scratch` is a folder for large data.
///
/// # Errors
/// When the part is not there or cannot be decoded.
pub fn inspect_part(
    files: &DeltaFiles,
    superblock: &Superblock,
    index: usize,
    scratch: &Path,
) -> Result<PartSummary> {
    let header = &superblock.parts[index];
    let limit = payload_limit(header);
    let at = || format!("delta part {index}");
    let payload = match superblock.inline_part(index)? {
        Some(bytes) => compression::unpack(bytes, limit, scratch).at(at)?,
        None => {
            let file = std::io::BufReader::new(files.part(index)?);
            compression::unpack(file, limit, scratch).at(at)?
        }
    };
    let part = Part::decode(payload).at(at)?;
    let mut out = PartSummary {
        owners: part.owners(),
        xattr_sets: part.xattr_sets(),
        blob_size: part.blob_size(),
        ops_size: part.ops_size(),
        ..Default::default()
    };
    let mut objects = header.objects.iter();
    let mut ops = part.ops();
    while let Some(op) = ops.next(objects.as_slice().first().map(|o| o.ty)).at(at)? {
        let count = match op {
            Op::SpliceMetadata { .. } | Op::SpliceFile { .. } => {
                objects.next();
                &mut out.splices
            }
            Op::Open { .. } => &mut out.opens,
            Op::Write { .. } => &mut out.writes,
            Op::SetReadSource { .. } => &mut out.sets,
            Op::UnsetReadSource => &mut out.unsets,
            Op::Close => {
                objects.next();
                &mut out.closes
            }
            Op::BsPatch { .. } => &mut out.patches,
        };
        *count += 1;
    }
    Ok(out)
}
