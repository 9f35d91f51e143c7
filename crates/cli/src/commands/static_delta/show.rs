//! `ostree static-delta show`.

use std::io::Write;

use anyhow::Result;
use osier_delta::inspect::{inspect, inspect_part};
use osier_store::Repo;
use osier_store::size_text::si;

use super::{delta_argument, delta_files};
use crate::context::Cx;
use crate::json;
use crate::table::{RepoCommand, Usage};

/// Print what a delta holds
///
/// DELTA is a delta of the repository (TO or FROM-TO), or the path of a superblock, which must contain a slash.
#[derive(clap::Args)]
#[command(after_help = "ostree static-delta show --repo=repo FROM-TO")]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
}

impl Usage for Args {
    const POSITIONALS: &'static str = "DELTA";
}

impl RepoCommand for Args {
    fn run(self, cx: &mut Cx, repo: &Repo) -> Result<()> {
        let argument = delta_argument(&self.args)?;
        let files = delta_files(repo, argument)?;
        let out = &mut cx.out;
        let inspection = inspect(&files)?;
        let superblock = &inspection.superblock;
        let scratch = repo.path().join("tmp");
        if self.json {
            return json::static_delta::print_delta(out, &inspection, |part| {
                inspect_part(&files, superblock, part, &scratch)
            });
        }
        writeln!(out, "Delta: {argument}")?;
        writeln!(
            out,
            "Signed: {}",
            if inspection.signed { "yes" } else { "no" }
        )?;
        match &superblock.name.from {
            Some(from) => writeln!(out, "From: {from}")?,
            None => writeln!(out, "From <scratch>")?,
        }
        writeln!(out, "To: {}", superblock.name.to)?;
        writeln!(out, "Endianness: {}", superblock.order)?;
        writeln!(out, "Timestamp: {}", superblock.timestamp)?;
        writeln!(out, "Number of parents: {}", superblock.prerequisites)?;
        writeln!(
            out,
            "Number of fallback entries: {}",
            superblock.fallbacks.len()
        )?;
        let mut fallback = Total::default();
        for object in &superblock.fallbacks {
            writeln!(out, "  {}", object.name.checksum)?;
            fallback.add(object.stored, object.unpacked);
        }
        writeln!(out, "Total Fallback Size: {}", sizes(fallback.packed))?;
        writeln!(
            out,
            "Total Fallback Uncompressed Size: {}",
            sizes(fallback.unpacked)
        )?;
        writeln!(out, "Number of parts: {}", superblock.parts.len())?;
        let mut parts = Total::default();
        for (i, header) in superblock.parts.iter().enumerate() {
            writeln!(
                out,
                "PartMeta{i}: nobjects={} size={} usize={}",
                header.objects.len(),
                header.size,
                header.unpacked
            )?;
            let p = inspect_part(&files, superblock, i, &scratch)?;
            writeln!(
                out,
                "PartPayload{i}: nmodes={} nxattrs={} blobsize={} opsize={}",
                p.owners, p.xattr_sets, p.blob_size, p.ops_size
            )?;
            writeln!(
                out,
                "PartPayloadOps{i}: openspliceclose={} open={} write={} setread={} unsetread={} close={} bspatch={}",
                p.splices, p.opens, p.writes, p.sets, p.unsets, p.closes, p.patches
            )?;
            parts.add(header.size, header.unpacked);
        }
        writeln!(out, "Total Part Size: {}", sizes(parts.packed))?;
        writeln!(
            out,
            "Total Part Uncompressed Size: {}",
            sizes(parts.unpacked)
        )?;
        parts.add(fallback.packed, fallback.unpacked);
        writeln!(out, "Total Size: {}", sizes(parts.packed))?;
        writeln!(out, "Total Uncompressed Size: {}", sizes(parts.unpacked))?;
        Ok(())
    }
}

/// Sums of what a superblock claims; they may be anything.
#[derive(Clone, Copy, Default)]
struct Total {
    packed: u64,
    unpacked: u64,
}

impl Total {
    fn add(&mut self, packed: u64, unpacked: u64) {
        self.packed = self.packed.wrapping_add(packed);
        self.unpacked = self.unpacked.wrapping_add(unpacked);
    }
}

fn sizes(bytes: u64) -> String {
    format!("{bytes} ({})", si(bytes))
}
