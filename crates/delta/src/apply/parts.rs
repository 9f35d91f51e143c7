//! The parts of a delta that lies in a folder.

use super::{execute, payload_limit};
use crate::error::{Context, Error, Result};
use crate::files::{self, DeltaFiles};
use crate::format::compression;
use crate::format::part::Part;
use crate::format::superblock::{ByteOrder, PartHeader, Superblock};
use osier_object::{Checksum, hash};
use osier_store::parallel::Cancel;
use osier_store::{ReadObjects, Transaction};

/// What was read.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct AppliedParts {
    /// Parts that were read; those whose objects are all there, or that make none, are not.
    pub parts: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Makes the objects of all parts in a transaction.
///
/// # Errors
/// When a part is not there, is not what the superblock says, or cannot be executed. What was made before stays in the
/// transaction.
pub fn apply_parts(
    tx: &Transaction<'_>,
    files: &DeltaFiles,
    superblock: &Superblock,
    cancel: &Cancel,
) -> Result<AppliedParts> {
    let mut out = AppliedParts::default();
    for (index, header) in superblock.parts.iter().enumerate() {
        cancel.check()?;
        if all_there(tx, header)? {
            continue;
        }
        apply_part(tx, files, superblock, index, header)
            .at(|| format!("Executing delta part {index}"))?;
        out.parts += 1;
        out.bytes += header.size;
    }
    Ok(out)
}

fn all_there(tx: &Transaction<'_>, header: &PartHeader) -> Result<bool> {
    for name in &header.objects {
        if !tx.has_object(name)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn apply_part(
    tx: &Transaction<'_>,
    files: &DeltaFiles,
    superblock: &Superblock,
    index: usize,
    header: &PartHeader,
) -> Result<()> {
    if header.version != 0 {
        return Err(Error::refused(format!(
            "Delta part has too new version {}",
            header.version
        )));
    }
    let scratch = tx.repo().path().join("tmp");
    let limit = payload_limit(header);
    let payload = match superblock.inline_part(index)? {
        Some(bytes) => {
            check_size(superblock, header, bytes.len() as u64)?;
            check_part(header, hash(bytes))?;
            compression::unpack(bytes, limit, &scratch)?
        }
        None => {
            let mut file = files.part(index)?;
            let size = file.metadata().at(|| "reading a delta part".into())?.len();
            check_size(superblock, header, size)?;
            // Hashed first: what is not the publisher's is not even unpacked.
            check_part(header, files::hash_file(&mut file)?)?;
            compression::unpack(std::io::BufReader::new(file), limit, &scratch)?
        }
    };
    let part = Part::decode(payload)?;
    execute(tx, &part, &header.objects, &superblock.name.to, &scratch)
}

fn check_size(superblock: &Superblock, header: &PartHeader, actual: u64) -> Result<()> {
    // Where the order of the numbers is a guess, so are they.
    let known = matches!(superblock.order, ByteOrder::Stated(_));
    if !known || actual == header.size {
        return Ok(());
    }
    Err(Error::malformed(format!(
        "delta part has {actual} bytes, its superblock says {}",
        header.size
    )))
}

fn check_part(header: &PartHeader, actual: Checksum) -> Result<()> {
    if actual == header.checksum {
        return Ok(());
    }
    Err(Error::PartChecksum {
        expected: header.checksum,
        actual,
    })
}
