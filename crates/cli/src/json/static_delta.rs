//! `static-delta list --json`, `show --json` and `indexes --json`.

use std::io::{self, Write};

use osier_delta::format::superblock::{Fallback, PartHeader, Superblock};
use osier_delta::inspect::{Inspection, PartSummary};
use osier_object::{Checksum, CommitId};
use osier_store::static_deltas::DeltaName;
use serde::Serialize;

use super::document::Document;
use super::{schema, value};

#[derive(Serialize)]
struct Listed {
    name: String,
    from: Option<String>,
    to: String,
    superblock_checksum: String,
}

#[derive(Serialize)]
struct FallbackFields {
    checksum: String,
    object_type: String,
    stored_bytes: u64,
    unpacked_bytes: u64,
}

#[derive(Serialize)]
struct PartFields {
    checksum: String,
    inline: bool,
    objects: usize,
    bytes: u64,
    unpacked_bytes: u64,
    modes: u64,
    xattr_sets: u64,
    blob_bytes: u64,
    operations_bytes: u64,
    operations: Operations,
}

#[derive(Serialize)]
struct Operations {
    open_splice_and_close: u64,
    open: u64,
    write: u64,
    set_read_source: u64,
    unset_read_source: u64,
    close: u64,
    bspatch: u64,
}

/// Prints the deltas of a repository, each with the SHA-256 of its superblock.
pub fn print_list(
    out: &mut (dyn Write + Send),
    deltas: &[(DeltaName, Checksum)],
) -> io::Result<()> {
    let mut document = Document::begin(out, schema::STATIC_DELTAS)?;
    let element = |(name, digest): &(DeltaName, Checksum)| Listed {
        name: name.to_string(),
        from: name.from.map(|id| id.to_string()),
        to: name.to.to_string(),
        superblock_checksum: digest.to_string(),
    };
    document.list("deltas", deltas.iter().map(element))?;
    document.end()
}

/// Prints the commits that have an index.
pub fn print_indexes(out: &mut (dyn Write + Send), commits: &[CommitId]) -> io::Result<()> {
    let mut document = Document::begin(out, schema::STATIC_DELTA_INDEXES)?;
    document.list("commits", commits.iter().map(ToString::to_string))?;
    document.end()
}

/// Prints what a delta holds; `part` looks into one.
pub fn print_delta(
    out: &mut (dyn Write + Send),
    inspection: &Inspection,
    mut part: impl FnMut(usize) -> osier_delta::Result<PartSummary>,
) -> anyhow::Result<()> {
    let superblock = &inspection.superblock;
    let mut document = Document::begin(out, schema::STATIC_DELTA)?;
    let from = superblock.name.from.map(|id| id.to_string());
    document.field("from", &from)?;
    document.field("to", &superblock.name.to.to_string())?;
    document.field("signed", &inspection.signed)?;
    document.field("endianness", &superblock.order.to_string())?;
    document.field("timestamp", &superblock.timestamp)?;
    document.field("date", &value::Time(superblock.timestamp).date())?;
    document.field("prerequisites", &superblock.prerequisites)?;
    document.list("fallbacks", superblock.fallbacks.iter().map(fallback))?;
    document.begin_list("parts")?;
    for (i, header) in superblock.parts.iter().enumerate() {
        document.element(&one_part(superblock, i, header, &part(i)?)?)?;
    }
    document.end_list()?;
    let sum = |sizes: &mut dyn Iterator<Item = u64>| sizes.fold(0u64, u64::wrapping_add);
    let fallbacks = &superblock.fallbacks;
    document.field(
        "parts_bytes",
        &sum(&mut superblock.parts.iter().map(|p| p.size)),
    )?;
    document.field(
        "parts_unpacked_bytes",
        &sum(&mut superblock.parts.iter().map(|p| p.unpacked)),
    )?;
    document.field(
        "fallbacks_bytes",
        &sum(&mut fallbacks.iter().map(|f| f.stored)),
    )?;
    document.field(
        "fallbacks_unpacked_bytes",
        &sum(&mut fallbacks.iter().map(|f| f.unpacked)),
    )?;
    Ok(document.end()?)
}

fn fallback(object: &Fallback) -> FallbackFields {
    FallbackFields {
        checksum: object.name.checksum.to_string(),
        object_type: object.name.ty.to_string(),
        stored_bytes: object.stored,
        unpacked_bytes: object.unpacked,
    }
}

fn one_part(
    superblock: &Superblock,
    index: usize,
    header: &PartHeader,
    summary: &PartSummary,
) -> osier_delta::Result<PartFields> {
    Ok(PartFields {
        checksum: header.checksum.to_string(),
        inline: superblock.inline_part(index)?.is_some(),
        objects: header.objects.len(),
        bytes: header.size,
        unpacked_bytes: header.unpacked,
        modes: summary.owners,
        xattr_sets: summary.xattr_sets,
        blob_bytes: summary.blob_size,
        operations_bytes: summary.ops_size,
        operations: Operations {
            open_splice_and_close: summary.splices,
            open: summary.opens,
            write: summary.writes,
            set_read_source: summary.sets,
            unset_read_source: summary.unsets,
            close: summary.closes,
            bspatch: summary.patches,
        },
    })
}
