//! commit: a root directory with its history and message.

use osier_gv::frame::{self, Member, TupleWriter};
use osier_gv::{Dict, Type, check_normal_form};

use crate::header::be64;
use crate::{Checksum, CommitId, DirmetaId, DirtreeId, Error, hash};

const WHAT: &str = "commit";

/// Well-known keys of [`Commit::metadata`].
pub mod key {
    /// `s`: version for people
    pub const VERSION: &str = "version";
    /// `as`, sorted by bytes: refs that the commit was made for
    pub const REF_BINDING: &str = "ostree.ref-binding";
    /// `s`: collection that the commit was made for
    pub const COLLECTION_BINDING: &str = "ostree.collection-binding";
    /// `aay`: sizes of all objects of the commit, see [`crate::sizes`]
    pub const SIZES: &str = "ostree.sizes";
    /// `b`: the tree can be booted
    pub const BOOTABLE: &str = "ostree.bootable";
    /// `s`: kernel release
    pub const LINUX: &str = "ostree.linux";
    /// `ay`: fs-verity digest of the tree's composefs image
    pub const COMPOSEFS_DIGEST: &str = "ostree.composefs.digest.v0";
    /// `s`: architecture
    pub const ARCHITECTURE: &str = "ostree.architecture";
    /// `s`: why the branch gets no more updates
    pub const ENDOFLIFE: &str = "ostree.endoflife";
    /// `s`: ref that replaces the branch
    pub const ENDOFLIFE_REBASE: &str = "ostree.endoflife-rebase";
    /// `s`: what the commit was made from
    pub const SOURCE_TITLE: &str = "ostree.source-title";
    /// `s`: collection to pull from once deployed
    pub const DEPLOY_COLLECTION_ID: &str = "ostree.deploy-collection-id";
    /// `aay` in detached metadata: OpenPGP signatures
    pub const GPGSIGS: &str = "ostree.gpgsigs";
}

/// A commit, serialised as `(a{sv}aya(say)sstayay)`: metadata, parent (empty or 32 bytes), related
/// objects, subject, body, big-endian timestamp, root dirtree, root dirmeta.
///
/// A commit's id is the hash of its bytes as stored; [`Commit::encode`] gives the same bytes back.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    /// Metadata in stored order, duplicates included; numbers as their writers stored them
    pub metadata: Dict,
    /// The commit before this one
    pub parent: Option<CommitId>,
    /// Related objects, `a(say)` as stored. No program writes any.
    pub related: Vec<u8>,
    /// First line of the message
    pub subject: String,
    /// Rest of the message
    pub body: String,
    /// UTC seconds since 1970
    pub timestamp: u64,
    /// Content of the root directory
    pub root_dirtree: DirtreeId,
    /// Owner, mode and xattrs of the root directory
    pub root_dirmeta: DirmetaId,
}

impl Commit {
    /// A commit of a tree without parent, message or metadata.
    pub fn new(root_dirtree: DirtreeId, root_dirmeta: DirmetaId, timestamp: u64) -> Self {
        Commit {
            metadata: Dict::new(),
            parent: None,
            related: Vec::new(),
            subject: String::new(),
            body: String::new(),
            timestamp,
            root_dirtree,
            root_dirmeta,
        }
    }

    /// The object's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = TupleWriter::new();
        out.variable(8, &self.metadata.encode())
            .variable(1, self.parent.as_ref().map_or(&[][..], |id| &id.0.0))
            .variable(1, &self.related)
            .variable(1, &c_str(&self.subject))
            .variable(1, &c_str(&self.body))
            .fixed(8, &self.timestamp.to_be_bytes())
            .variable(1, self.root_dirtree.as_bytes())
            .variable(1, self.root_dirmeta.as_bytes());
        out.finish()
    }

    /// The id of the encoded object.
    pub fn id(&self) -> CommitId {
        CommitId(hash(&self.encode()))
    }

    /// Reads and validates an object.
    ///
    /// # Errors
    /// [`Error::Format`] for bytes not in normal form; [`Error::Content`] for an empty metadata
    /// key or a checksum of the wrong length.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let format = |source| Error::Format { what: WHAT, source };
        let b = Member::BYTES;
        let [
            metadata,
            parent,
            related,
            subject,
            body,
            timestamp,
            tree,
            meta,
        ] = frame::tuple(bytes, [Member::VARIANT, b, b, b, b, Member::U64, b, b])
            .map_err(format)?;
        let metadata = Dict::decode(metadata).map_err(format)?;
        if metadata.keys().any(str::is_empty) {
            return Err(Error::content("Empty metadata key"));
        }
        let parent = match parent {
            [] => None,
            parent => Some(checksum(parent, "parent")?.into()),
        };
        if !related.is_empty() {
            let ty = Type::parse("a(say)").map_err(format)?;
            check_normal_form(&ty, related).map_err(format)?;
        }
        Ok(Commit {
            metadata,
            parent,
            related: related.to_vec(),
            subject: frame::str(subject).map_err(format)?.to_owned(),
            body: frame::str(body).map_err(format)?.to_owned(),
            timestamp: be64(timestamp),
            root_dirtree: checksum(tree, "tree content checksum")?.into(),
            root_dirmeta: checksum(meta, "tree metadata checksum")?.into(),
        })
    }

    /// The checksum that `ostree show` calls ContentChecksum: it depends on the tree alone, not
    /// on message, time or parent.
    pub fn content_checksum(&self) -> Checksum {
        let mut both = [0; 64];
        both[..32].copy_from_slice(self.root_dirtree.as_bytes());
        both[32..].copy_from_slice(self.root_dirmeta.as_bytes());
        hash(&both)
    }
}

fn checksum(bytes: &[u8], what: &str) -> Result<Checksum, Error> {
    Checksum::from_bytes(bytes)
        .map_err(|error| Error::content(format!("Invalid commit {what}: {error}")))
}

/// The text and its NUL; it ends at its first NUL, as in C.
fn c_str(text: &str) -> Vec<u8> {
    let mut out = text.as_bytes().to_vec();
    if let Some(end) = out.iter().position(|&byte| byte == 0) {
        out.truncate(end);
    }
    out.push(0);
    out
}
