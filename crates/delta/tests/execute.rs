//! What operations may do, and that nothing else is done.

use osier_delta::apply::execute;
use osier_delta::format::compression;
use osier_delta::format::ops::Op;
use osier_delta::format::part::{Dictionaries, Part};
use osier_object::{
    Checksum, CommitId, ContentId, Dirmeta, FileHeader, ObjectName, ObjectType, hash,
};
use osier_store::{CreateOptions, ReadObjects, Repo, RepoMode, Transaction, TransactionOptions};
use std::io::{Read, Write};

struct Setting {
    dir: tempfile::TempDir,
    repo: Repo,
    source: ContentId,
}

const SOURCE: &[u8] = b"0123456789";

fn header() -> FileHeader {
    FileHeader::regular(0, 0, 0o644)
}

fn id(header: &FileHeader, content: &[u8]) -> ContentId {
    let mut stream = header.hash_framing();
    stream.extend_from_slice(content);
    ContentId(hash(&stream))
}

fn file(content: &[u8]) -> ObjectName {
    id(&header(), content).object_name()
}

fn setting(mode: RepoMode) -> Setting {
    let dir = tempfile::tempdir().unwrap();
    let options = CreateOptions {
        mode,
        collection_id: None,
    };
    let repo = Repo::create(&dir.path().join("repo"), &options).unwrap();
    let tx = repo.begin(&TransactionOptions::default()).unwrap();
    let source = tx.write_content_bytes(None, &header(), SOURCE).unwrap();
    tx.commit().unwrap();
    Setting { dir, repo, source }
}

/// The blob of all tests: the source's checksum, some text, a target.
fn blob(setting: &Setting) -> Vec<u8> {
    let mut out = setting.source.as_bytes().to_vec();
    out.extend_from_slice(b"literal/target");
    out
}

/// Number 0 is a regular file, 1 a symbolic link, 2 a directory.
fn part(blob: &[u8], ops: &[Op]) -> osier_delta::Result<Part> {
    let mut dictionaries = Dictionaries::default();
    dictionaries.numbers(&header());
    dictionaries.numbers(&FileHeader::symlink(0, 0, ""));
    let mut directory = header();
    directory.mode = 0o040_755;
    dictionaries.numbers(&directory);
    let mut bytes = Vec::new();
    for op in ops {
        op.encode(&mut bytes);
    }
    let blob = compression::unpack(&[&[0], blob].concat()[..], 1 << 20, &std::env::temp_dir())?;
    let packed = compression::pack(
        Vec::new(),
        compression::Packing::Thorough,
        |w: &mut dyn Write| dictionaries.write_payload(&blob, &bytes, w),
    )
    .unwrap();
    Part::decode(compression::unpack(
        &packed[..],
        1 << 20,
        &std::env::temp_dir(),
    )?)
}

fn run(
    tx: &Transaction<'_>,
    setting: &Setting,
    ops: &[Op],
    objects: &[ObjectName],
) -> osier_delta::Result<()> {
    let target = CommitId(hash(b"target"));
    execute(
        tx,
        &part(&blob(setting), ops)?,
        objects,
        &target,
        setting.dir.path(),
    )
}

const OPEN: Op = Op::Open {
    mode: 0,
    xattrs: 0,
    size: 7,
};
const LITERAL: Op = Op::Write {
    size: 7,
    offset: 32,
};
const SET: Op = Op::SetReadSource { offset: 0 };
const SPLICE: Op = Op::SpliceFile {
    mode: 0,
    xattrs: 0,
    size: 7,
    offset: 32,
};
const PATCH: Op = Op::BsPatch {
    offset: 32,
    size: 14,
};

fn splice(mode: u64, size: u64, offset: u64) -> Op {
    Op::SpliceFile {
        mode,
        xattrs: 0,
        size,
        offset,
    }
}

#[test]
fn objects_are_made_in_every_mode() {
    for mode in [
        RepoMode::Archive,
        RepoMode::Bare,
        RepoMode::BareUser,
        RepoMode::BareUserOnly,
    ] {
        if mode == RepoMode::Bare && !rustix::process::geteuid().is_root() {
            continue;
        }
        let setting = setting(mode);
        let tx = setting.repo.begin(&TransactionOptions::default()).unwrap();
        let link = FileHeader::symlink(0, 0, "target");
        let objects = [
            file(b"literal"),
            file(b"234literal89"),
            file(b""),
            id(&link, b"").object_name(),
            // There already: its operations are read, nothing is written.
            file(SOURCE),
        ];
        let ops = [
            SPLICE,
            Op::Open {
                mode: 0,
                xattrs: 0,
                size: 12,
            },
            SET,
            Op::Write { size: 3, offset: 2 },
            Op::UnsetReadSource,
            LITERAL,
            SET,
            Op::Write { size: 2, offset: 8 },
            Op::Close,
            splice(0, 0, 0),
            splice(1, 6, 40),
            SET,
            Op::Open {
                mode: 0,
                xattrs: 0,
                size: 10,
            },
            Op::Write {
                size: 10,
                offset: 0,
            },
            Op::Close,
        ];
        run(&tx, &setting, &ops, &objects).unwrap();
        tx.commit().unwrap();
        let mut content = Vec::new();
        setting
            .repo
            .open_content(&ContentId(objects[1].checksum))
            .unwrap()
            .into_reader()
            .read_to_end(&mut content)
            .unwrap();
        assert_eq!(content, b"234literal89");
        let link = setting
            .repo
            .open_content(&ContentId(objects[3].checksum))
            .unwrap();
        assert_eq!(link.header.symlink_target.as_deref(), Some("target"));
    }
}

#[test]
fn what_is_not_allowed_is_an_error() {
    let literal = file(b"literal");
    let one = [literal];
    let dirmeta = ObjectName::new(
        hash(&Dirmeta::new(0, 0, 0o755).encode()),
        ObjectType::Dirmeta,
    );
    let commit = ObjectName::new(hash(b"literal"), ObjectType::Commit);
    let max = u64::MAX;
    let cases: &[(&[Op], &[ObjectName], &str)] = &[
        (&[], &one, "makes 0 objects of 1"),
        (&[SPLICE], &[literal, literal], "makes 1 objects of 2"),
        (&[SPLICE, SPLICE], &one, "more objects than"),
        (&[OPEN, LITERAL, Op::Close, OPEN], &one, "more objects than"),
        (&[splice(0, 7, 40)], &one, "Invalid offset/length 40/7"),
        (
            &[splice(0, max, 1)],
            &one,
            "Invalid offset/length 1/18446744073709551615",
        ),
        (
            &[splice(0, 7, 33)],
            &one,
            "Corrupted file object; checksum expected=",
        ),
        (&[splice(3, 7, 32)], &one, "Invalid mode index 3 of 3"),
        (&[splice(2, 7, 32)], &one, "Invalid mode 16877"),
        (
            &[Op::SpliceFile {
                mode: 0,
                xattrs: 1,
                size: 7,
                offset: 32,
            }],
            &one,
            "Invalid xattr index 1 of 1",
        ),
        (&[LITERAL], &one, "write: no object is open"),
        (&[Op::Close], &one, "close: no object is open"),
        (&[SET, PATCH], &one, "bspatch: no object is open"),
        (&[OPEN, PATCH], &one, "no read source"),
        (
            &[SET, OPEN, Op::Write { size: 7, offset: 0 }, Op::Close],
            &one,
            "Corrupted file object",
        ),
        (&[SET, OPEN, PATCH, Op::Close], &one, "bsdiff patch failed"),
        (&[SET, OPEN, PATCH, PATCH], &one, "has content already"),
        (&[OPEN, LITERAL, SET, PATCH], &one, "has content already"),
        (
            &[SET, OPEN, PATCH, LITERAL],
            &one,
            "Invalid offset/length 32/7 in a source of 10",
        ),
        (&[OPEN, LITERAL, LITERAL], &one, "more than its 7 bytes"),
        (
            &[
                OPEN,
                Op::Write {
                    size: 6,
                    offset: 32,
                },
                Op::Close,
            ],
            &one,
            "has 6 bytes of 7",
        ),
        (&[OPEN, LITERAL], &one, "ends inside an object"),
        (&[OPEN, OPEN], &one, "another object is open"),
        (&[OPEN, SPLICE], &one, "another object is open"),
        (
            &[Op::Open {
                mode: 1,
                xattrs: 0,
                size: 7,
            }],
            &one,
            "is no regular file",
        ),
        (
            &[
                Op::Open {
                    mode: 0,
                    xattrs: 0,
                    size: max,
                },
                LITERAL,
                Op::Close,
            ],
            &one,
            "has 7 bytes of",
        ),
        (
            &[
                SET,
                OPEN,
                Op::Write {
                    size: max,
                    offset: 2,
                },
            ],
            &one,
            "Invalid offset/length 2/",
        ),
        (
            &[Op::SetReadSource { offset: 33 }],
            &one,
            "Invalid offset/length 33/32",
        ),
        (
            &[Op::SetReadSource { offset: 1 }],
            &one,
            "Couldn't find file object",
        ),
        (&[splice(1, 33, 0)], &one, "no UTF-8"),
        (&[OPEN], &[dirmeta], "is no regular file"),
        (
            &[Op::SpliceMetadata {
                size: 7,
                offset: 32,
            }],
            &[dirmeta],
            "Corrupted dirmeta object",
        ),
        (
            &[Op::SpliceMetadata {
                size: 7,
                offset: 32,
            }],
            &[commit],
            "is not the commit",
        ),
        (
            &[Op::SpliceMetadata {
                size: 7,
                offset: 40,
            }],
            &[dirmeta],
            "Invalid offset/length",
        ),
    ];
    for (ops, objects, words) in cases {
        // What a failed transaction staged is there for the next.
        let setting = setting(RepoMode::BareUser);
        let tx = setting.repo.begin(&TransactionOptions::default()).unwrap();
        let error = run(&tx, &setting, ops, objects).unwrap_err().to_string();
        assert!(error.contains(words), "{ops:?}: {error}");
    }
}

#[test]
fn an_unknown_code_is_named_with_its_place() {
    let setting = setting(RepoMode::BareUser);
    let tx = setting.repo.begin(&TransactionOptions::default()).unwrap();
    // (a(uuu)aa(ayay)ayay) of nothing but operations.
    let payload = |ops: &[u8]| {
        let bytes = [&[0], ops, &[0, 0, 0]].concat();
        Part::decode(compression::unpack(&bytes[..], 1 << 10, &std::env::temp_dir()).unwrap())
            .unwrap()
    };
    let error = |ops: &[u8]| {
        let target = CommitId(Checksum([0; 32]));
        let error = execute(&tx, &payload(ops), &[], &target, setting.dir.path());
        error.unwrap_err().to_string()
    };
    assert_eq!(error(b"RRz"), "Unknown opcode 122 at offset 2");
    assert_eq!(error(b"w\x80"), "Unexpected EOF reading varint");
}

#[test]
fn changed_payloads_make_nothing_but_what_they_name() {
    let setting = setting(RepoMode::BareUser);
    let objects = [file(b"literal"), file(b"345literal")];
    let ops = [
        SPLICE,
        Op::Open {
            mode: 0,
            xattrs: 0,
            size: 10,
        },
        SET,
        Op::Write { size: 3, offset: 3 },
        Op::UnsetReadSource,
        LITERAL,
        Op::Close,
    ];
    let mut encoded = Vec::new();
    for op in &ops {
        op.encode(&mut encoded);
    }
    let mut dictionaries = Dictionaries::default();
    dictionaries.numbers(&header());
    let blob = compression::unpack(
        &[&[0], &blob(&setting)[..]].concat()[..],
        1 << 10,
        setting.dir.path(),
    )
    .unwrap();
    let mut payload = vec![0];
    dictionaries
        .write_payload(&blob, &encoded, &mut payload)
        .unwrap();
    let tx = setting.repo.begin(&TransactionOptions::default()).unwrap();
    let target = CommitId(hash(b"target"));
    for at in 0..payload.len() {
        for change in [0x01, 0x20, 0x80, 0xff] {
            let mut changed = payload.clone();
            changed[at] ^= change;
            let unpacked = compression::unpack(&changed[..], 1 << 10, setting.dir.path());
            if let Ok(part) = unpacked.and_then(Part::decode) {
                let _ = execute(&tx, &part, &objects, &target, setting.dir.path());
            }
        }
    }
    tx.commit().unwrap();
    // Whatever was made is one of the two; both still can be made.
    let tx = setting.repo.begin(&TransactionOptions::default()).unwrap();
    run(&tx, &setting, &ops, &objects).unwrap();
    tx.commit().unwrap();
    for object in objects {
        let content = setting
            .repo
            .open_content(&ContentId(object.checksum))
            .unwrap();
        let header = content.header.clone();
        let mut bytes = Vec::new();
        content.into_reader().read_to_end(&mut bytes).unwrap();
        assert_eq!(id(&header, &bytes).0, object.checksum);
    }
}
