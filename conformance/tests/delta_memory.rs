//! How much memory applying a delta takes, whatever the delta claims. Alone in its file, as it asks how much the largest of
//! this process's children took: all else is done inside it.

use nix::sys::resource::{UsageWho, getrusage};
use osier_conformance::{Scratch, ours_is_c, text};
use osier_delta::format::ops::Op;
use osier_delta::format::superblock::{ENDIANNESS, Endianness, NewSuperblock, PartHeader};
use osier_gv::{Dict, Value};
use osier_object::{CommitId, ContentId, FileHeader, ObjectName, ObjectType, hash};
use osier_store::commit::{self, CommitOptions, Source};
use osier_store::static_deltas::DeltaName;
use osier_store::{CreateOptions, ReadObjects, Repo, RepoMode};
use osier_testkit::tool::Tool;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const MIB: u64 = 1 << 20;

/// Bytes of the files. What is made, patched and copied is far more than may be held.
const LARGE: u64 = 128 * MIB;

/// What the program may take at its most.
const MOST: u64 = 64 * MIB;

/// The site has both versions of the tree, which is the new one now.
struct Versions {
    site: Repo,
    tree: PathBuf,
    name: DeltaName,
    old: ContentId,
    new: ContentId,
    root: ObjectName,
}

fn large(path: &Path, mark: &[u8]) {
    let file = File::create(path).unwrap();
    file.set_len(LARGE).unwrap();
    file.write_all_at(mark, LARGE / 2).unwrap();
}

fn commit_tree(repo: &Repo, tree: &Path) -> CommitId {
    let tx = repo.begin(&Default::default()).unwrap();
    let sources = [Source::Dir(tree.to_owned())];
    let root = commit::build_tree(&tx, &sources, &Default::default()).unwrap();
    let id = commit::write(&tx, root, &CommitOptions::default()).unwrap();
    tx.commit().unwrap();
    id
}

fn repo(scratch: &Scratch, name: &str) -> Repo {
    let options = CreateOptions {
        mode: RepoMode::BareUserOnly,
        collection_id: None,
    };
    Repo::create(&scratch.path(name), &options).unwrap()
}

fn versions(scratch: &Scratch) -> Versions {
    let site = repo(scratch, "site");
    let tree = scratch.path("tree");
    fs::create_dir(&tree).unwrap();
    large(&tree.join("large"), b"old");
    let from = commit_tree(&site, &tree);
    large(&tree.join("large"), b"new");
    let to = commit_tree(&site, &tree);
    let root = |id: &CommitId| site.load_commit(id).unwrap().root_dirtree;
    let file = |id: &CommitId| site.load_dirtree(&root(id)).unwrap().files[0].1;
    Versions {
        name: DeltaName {
            from: Some(from),
            to,
        },
        old: file(&from),
        new: file(&to),
        root: ObjectName::new(root(&to).0, ObjectType::Dirtree),
        site,
        tree,
    }
}

/// A piece of a blob.
#[derive(Clone)]
enum Piece {
    Bytes(Vec<u8>),
    Zeros(u64),
}

/// A payload member by member.
#[derive(Clone)]
struct Payload {
    /// Owners and modes, and sets of attributes, that nothing names.
    owners: u64,
    sets: u64,
    blob: Vec<Piece>,
    ops: Vec<u8>,
    /// Operations that do nothing.
    idle: u64,
}

fn fill(out: &mut dyn Write, byte: u8, count: u64) -> std::io::Result<()> {
    std::io::copy(&mut std::io::repeat(byte).take(count), out).map(drop)
}

impl Payload {
    fn write(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let header = FileHeader::regular(0, 0, 0o644);
        for n in [header.uid, header.gid, header.mode] {
            out.write_all(&n.to_be_bytes())?;
        }
        fill(out, 0, self.owners * 12)?;
        let owners = 12 + self.owners * 12;
        // Sets of nothing are nothing but their offsets, as wide as all of them need.
        let sets = match 1 + self.sets {
            n @ 0..=0xff => n,
            n => 4 * n,
        };
        fill(out, 0, sets)?;
        let mut size = 0;
        for piece in &self.blob {
            match piece {
                Piece::Bytes(bytes) => {
                    out.write_all(bytes)?;
                    size += bytes.len() as u64;
                }
                Piece::Zeros(n) => {
                    fill(out, 0, *n)?;
                    size += n;
                }
            }
        }
        out.write_all(&self.ops)?;
        fill(out, b'R', self.idle)?;
        let ends = [owners + sets + size, owners + sets, owners];
        let body = ends[0] + self.ops.len() as u64 + self.idle;
        let width = match body {
            0..=0xf0 => 1,
            0xf1..=0xfff0 => 2,
            _ => 4,
        };
        for end in ends {
            out.write_all(&end.to_le_bytes()[..width])?;
        }
        Ok(())
    }
}

fn delta(versions: &Versions, dir: &Path, payload: &Payload) {
    // With a small dictionary: theirs is not what is measured. Nor may this process grow, as a child starts with its size.
    let mut packed = liblzma::write::XzEncoder::new(vec![b'x'], 0);
    payload.write(&mut packed).unwrap();
    let file = packed.finish().unwrap();
    assert!(
        (file.len() as u64) < MIB,
        "the delta claims more than it is"
    );
    let part = PartHeader {
        version: 0,
        checksum: hash(&file),
        size: file.len() as u64,
        unpacked: LARGE + 1000,
        objects: vec![versions.root, versions.new.object_name()],
    };
    let mut metadata = Dict::new();
    metadata.push(ENDIANNESS, Value::Byte(b'l'));
    let to = versions.name.to;
    let commit = versions
        .site
        .read_metadata(ObjectType::Commit, &to.0)
        .unwrap();
    let superblock = NewSuperblock {
        metadata: &metadata,
        timestamp: 0,
        name: versions.name,
        commit: &commit,
        endianness: Endianness::Little,
        parts: &[part],
        fallbacks: &[],
    };
    fs::create_dir_all(dir).unwrap();
    fs::write(dir.join("0"), file).unwrap();
    fs::write(dir.join("superblock"), superblock.encode()).unwrap();
}

#[test]
fn memory_stays_small_whatever_a_delta_claims() {
    if ours_is_c() {
        return;
    }
    let scratch = Scratch::new();
    let versions = versions(&scratch);
    let root = versions.root.checksum;
    let tree = versions
        .site
        .read_metadata(ObjectType::Dirtree, &root)
        .unwrap();
    // The blob begins with the listing, the source's checksum, and what differs.
    let at = tree.len() as u64;
    let mark = LARGE / 2;
    let rest = LARGE - mark - 3;
    let start = [&tree[..], versions.old.as_bytes(), b"new"].concat();
    let splice = Op::SpliceMetadata {
        size: at,
        offset: 0,
    };
    let open = Op::Open {
        mode: 0,
        xattrs: 0,
        size: LARGE,
    };
    let source = Op::SetReadSource { offset: at };
    let different = Op::Write {
        size: 3,
        offset: at + 32,
    };
    let payload = |ops: &[Op], more: &[Piece]| {
        let mut bytes = Vec::new();
        for op in ops {
            op.encode(&mut bytes);
        }
        Payload {
            owners: 0,
            sets: 0,
            blob: [&[Piece::Bytes(start.clone())], more].concat(),
            ops: bytes,
            idle: 0,
        }
    };
    let copied = [
        splice,
        open,
        source,
        Op::Write {
            size: mark,
            offset: 0,
        },
        Op::UnsetReadSource,
        different,
        source,
        Op::Write {
            size: rest,
            offset: mark + 3,
        },
        Op::Close,
    ];
    let copies = payload(&copied, &[]);
    let literal = [
        splice,
        open,
        Op::Write {
            size: mark,
            offset: at + 35,
        },
        different,
        Op::Write {
            size: rest,
            offset: at + 35,
        },
        Op::Close,
    ];
    let patch = |numbers: [u64; 3]| Piece::Bytes(numbers.map(u64::to_le_bytes).concat());
    let patched = [
        splice,
        source,
        open,
        Op::BsPatch {
            offset: at + 35,
            size: 24 + mark + 3 + 24 + rest,
        },
        Op::Close,
    ];
    let steps = [
        patch([mark, 3, 3]),
        Piece::Zeros(mark),
        Piece::Bytes(b"new".to_vec()),
        patch([rest, 0, 0]),
        Piece::Zeros(rest),
    ];
    let cases = [
        ("copies", copies.clone()),
        ("literals", payload(&literal, &[Piece::Zeros(mark)])),
        ("a patch", payload(&patched, &steps)),
        (
            "four million owners",
            Payload {
                owners: 4 << 20,
                ..copies.clone()
            },
        ),
        (
            "ten million sets of attributes",
            Payload {
                sets: 10 << 20,
                ..copies.clone()
            },
        ),
        (
            "eight million operations",
            Payload {
                idle: 8 << 20,
                ..copies.clone()
            },
        ),
    ];
    large(&versions.tree.join("large"), b"old");
    for (name, payload) in cases {
        let dir = scratch.path(name);
        delta(&versions, &dir, &payload);
        let client = repo(&scratch, "client");
        assert_eq!(
            Some(commit_tree(&client, &versions.tree)),
            versions.name.from
        );
        let ours = Tool::ours().repo(client.path());
        ours.ok(["static-delta", "apply-offline", text(&dir)]);
        let taken = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss() as u64 * 1024;
        assert!(taken < MOST, "{name}: {} MiB", taken / MIB);
        assert!(
            client.has_object(&versions.new.object_name()).unwrap(),
            "{name}"
        );
        fs::remove_dir_all(client.path()).unwrap();
    }
}
