//! summary: the refs of a repository in one file.

use osier_gv::frame::{self, ArrayWriter, Member, TupleWriter};
use osier_gv::{Dict, Type, Value};

use crate::{Checksum, CommitId, Error};

const WHAT: &str = "summary";

/// Well-known keys of [`Summary::metadata`] and [`SummaryRef::metadata`].
pub mod key {
    /// Per ref, `t` big-endian UTC seconds: the commit's timestamp
    pub const COMMIT_TIMESTAMP: &str = "ostree.commit.timestamp";
    /// Per ref, `s`: the commit's version
    pub const COMMIT_VERSION: &str = "ostree.commit.version";
    /// `t` big-endian UTC seconds
    pub const LAST_MODIFIED: &str = "ostree.summary.last-modified";
    /// `t` big-endian UTC seconds
    pub const EXPIRES: &str = "ostree.summary.expires";
    /// `s`: the repository's mode
    pub const MODE: &str = "ostree.summary.mode";
    /// `b`
    pub const TOMBSTONE_COMMITS: &str = "ostree.summary.tombstone-commits";
    /// `b`
    pub const INDEXED_DELTAS: &str = "ostree.summary.indexed-deltas";
    /// `s`: the repository's own collection
    pub const COLLECTION_ID: &str = "ostree.summary.collection-id";
    /// `a{sa(s(taya{sv}))}`: refs of other collections
    pub const COLLECTION_MAP: &str = "ostree.summary.collection-map";
    /// `a{sv}`: delta names to `ay` digests of their superblocks
    pub const STATIC_DELTAS: &str = "ostree.static-deltas";
}

/// One ref of a summary, `(s(taya{sv}))`.
#[derive(Clone, Debug, PartialEq)]
pub struct SummaryRef {
    /// Ref name
    pub name: String,
    /// Size of the commit object in bytes (little-endian)
    pub commit_size: u64,
    /// The commit
    pub commit: CommitId,
    /// Metadata of the ref
    pub metadata: Dict,
}

/// A summary, `(a(s(taya{sv}))a{sv})`: refs sorted by bytes, metadata.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// Refs; clients look them up by binary search
    pub refs: Vec<SummaryRef>,
    /// Metadata in stored order
    pub metadata: Dict,
}

impl Summary {
    /// The file's bytes. Refs are sorted by name.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = TupleWriter::new();
        out.variable(8, &encode_refs(&self.refs))
            .variable(8, &self.metadata.encode());
        out.finish()
    }

    /// Reads a summary. Order and names of the refs are not checked.
    ///
    /// # Errors
    /// [`Error::Format`] for bytes not in normal form, [`Error::ChecksumLength`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let [refs, metadata] =
            frame::tuple(bytes, [Member::VARIANT; 2]).map_err(Error::format(WHAT))?;
        Ok(Summary {
            refs: decode_refs(refs)?,
            metadata: Dict::decode(metadata).map_err(Error::format(WHAT))?,
        })
    }

    /// The ref of that name.
    pub fn find(&self, name: &str) -> Option<&SummaryRef> {
        self.refs.iter().find(|r| r.name == name)
    }

    /// The refs of other collections, in stored order; none if the key is absent.
    ///
    /// # Errors
    /// [`Error::Content`] for a value of another type; otherwise as [`Summary::decode`].
    pub fn collection_map(&self) -> Result<Vec<(String, Vec<SummaryRef>)>, Error> {
        let Some(value) = self.metadata.get(key::COLLECTION_MAP) else {
            return Ok(Vec::new());
        };
        let ty = Type::parse("a{sa(s(taya{sv}))}").map_err(Error::format(WHAT))?;
        if !value.has_type(&ty) {
            return Err(Error::content(
                "collection map of the summary has the wrong type",
            ));
        }
        let bytes = value.encode();
        let mut out = Vec::new();
        for entry in frame::array(&bytes, 8).map_err(Error::format(WHAT))? {
            let [name, refs] = frame::tuple(entry, [Member::BYTES, Member::VARIANT])
                .map_err(Error::format(WHAT))?;
            let name = frame::str(name).map_err(Error::format(WHAT))?;
            out.push((name.to_owned(), decode_refs(refs)?));
        }
        Ok(out)
    }
}

/// The value of [`key::COLLECTION_MAP`], sorted by collection and ref.
///
/// # Errors
/// None for collections and refs that a `Summary` can hold; the result type is that of decoding.
pub fn encode_collection_map(map: &[(String, Vec<SummaryRef>)]) -> Result<Value, Error> {
    let mut sorted: Vec<_> = map.iter().collect();
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    let mut out = ArrayWriter::new(8);
    for (collection, refs) in sorted {
        let mut name = collection.as_bytes().to_vec();
        name.push(0);
        let mut entry = TupleWriter::new();
        entry.variable(1, &name).variable(8, &encode_refs(refs));
        out.push(&entry.finish());
    }
    let ty = Type::parse("a{sa(s(taya{sv}))}").map_err(Error::format(WHAT))?;
    Value::decode(&ty, &out.finish()).map_err(Error::format(WHAT))
}

/// `a(s(taya{sv}))`
fn encode_refs(refs: &[SummaryRef]) -> Vec<u8> {
    let mut sorted: Vec<_> = refs.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    let mut out = ArrayWriter::new(8);
    for r in sorted {
        let mut target = TupleWriter::new();
        target
            .fixed(8, &r.commit_size.to_le_bytes())
            .variable(1, r.commit.as_bytes())
            .variable(8, &r.metadata.encode());
        let mut name = r.name.as_bytes().to_vec();
        name.push(0);
        let mut entry = TupleWriter::new();
        entry.variable(1, &name).variable(8, &target.finish());
        out.push(&entry.finish());
    }
    out.finish()
}

fn decode_refs(bytes: &[u8]) -> Result<Vec<SummaryRef>, Error> {
    let format = |source| Error::Format { what: WHAT, source };
    frame::array(bytes, 8)
        .map_err(format)?
        .map(|entry| {
            let [name, target] =
                frame::tuple(entry, [Member::BYTES, Member::VARIANT]).map_err(format)?;
            let [size, commit, metadata] =
                frame::tuple(target, [Member::U64, Member::BYTES, Member::VARIANT])
                    .map_err(format)?;
            let size = size.try_into().map(u64::from_le_bytes).unwrap_or_default();
            Ok(SummaryRef {
                name: frame::str(name).map_err(format)?.to_owned(),
                commit_size: size,
                commit: Checksum::from_bytes(commit)?.into(),
                metadata: Dict::decode(metadata).map_err(format)?,
            })
        })
        .collect()
}
