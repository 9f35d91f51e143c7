//! What a pull did.

use crate::DeltaPlan;
use crate::verify::Verified;
use osier_object::CommitId;
use osier_store::size_text;
use std::time::Duration;

/// What a pull that succeeded did.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Outcome {
    /// Metadata objects fetched (or, from a local repository, imported).
    pub metadata: u64,
    /// Content objects fetched (or imported).
    pub content: u64,
    /// Delta parts fetched.
    pub parts: u64,
    /// What static deltas would bring, of a dry run.
    pub plan: Option<DeltaPlan>,
    /// The source was a local repository.
    pub local: bool,
    /// Metadata objects taken from a local cache repository.
    pub metadata_from_cache: u64,
    /// Content objects taken from a local cache repository.
    pub content_from_cache: u64,
    /// Bytes received for objects.
    pub bytes: u64,
    /// How long fetching objects took.
    pub elapsed: Duration,
    /// Bytes of new content, unpacked.
    pub content_bytes_written: u64,
    /// What was pulled: each ref, as the server names it, with its commit.
    pub refs: Vec<(String, CommitId)>,
    /// The commits whose signatures were demanded, with what was found out about them.
    pub verified: Vec<(CommitId, Verified)>,
}

impl Outcome {
    /// The line that the C tool ends with.
    #[must_use]
    pub fn status_line(&self) -> String {
        if let Some(plan) = &self.plan {
            return format!(
                "Delta update: {}/{} parts, {}/{}, {} total uncompressed",
                plan.parts_here,
                plan.parts,
                size_text::si(plan.bytes_here),
                size_text::si(plan.bytes),
                size_text::si(plan.unpacked)
            );
        }
        let verb = if self.local { "imported" } else { "fetched" };
        let mut line = format!(
            "{} metadata, {} content objects {verb}",
            self.metadata, self.content
        );
        if self.parts > 0 {
            let loose = self.metadata + self.content;
            line = format!("{} delta parts, {loose} loose fetched", self.parts);
        }
        if self.metadata_from_cache + self.content_from_cache > 0 {
            line.push_str(&format!(
                " ({} meta, {} content local)",
                self.metadata_from_cache, self.content_from_cache
            ));
        }
        if self.bytes > 0 {
            let (number, unit) = if self.bytes < 1024 {
                (self.bytes, "B")
            } else {
                (self.bytes / 1024, "KiB")
            };
            line.push_str(&format!(
                "; {number} {unit} transferred in {} seconds",
                self.elapsed.as_secs()
            ));
        }
        line.push_str(&format!(
            "; {} content written",
            size_text::si(self.content_bytes_written)
        ));
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pinned against `ostree pull` 2026.4.
    #[test]
    fn lines() {
        let mut outcome = Outcome {
            metadata: 7,
            content: 4,
            bytes: 300_900,
            content_bytes_written: 300_000,
            ..Default::default()
        };
        assert_eq!(
            outcome.status_line(),
            "7 metadata, 4 content objects fetched; 293 KiB transferred in 0 seconds; 300.0\u{a0}kB content written"
        );
        outcome = Outcome {
            bytes: 10,
            ..Default::default()
        };
        assert_eq!(
            outcome.status_line(),
            "0 metadata, 0 content objects fetched; 10 B transferred in 0 seconds; 0 bytes content written"
        );
        outcome = Outcome {
            local: true,
            metadata: 1,
            metadata_from_cache: 2,
            ..Default::default()
        };
        assert_eq!(
            outcome.status_line(),
            "1 metadata, 0 content objects imported (2 meta, 0 content local); 0 bytes content written"
        );
    }
}
