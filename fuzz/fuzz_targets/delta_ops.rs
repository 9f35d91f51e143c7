//! The operations of a part, run in a repository that has the files they copy from. Beside it a plain reading of the
//! format says what must come out: exactly that is stored, or nothing of it and there is an error.
//!
//! The first byte says how many objects the part announces and in what kind of repository it is run, then comes a byte
//! for the type of each; then the length of the operations and they. What is left is the end of the blob.
#![no_main]

use libfuzzer_sys::fuzz_target;
use osier_delta::apply::execute;
use osier_delta::format::compression;
use osier_delta::format::ops::{Op, OpReader};
use osier_delta::format::part::{Dictionaries, Part};
use osier_object::{CommitId, ContentId, Dirmeta, FileHeader, ObjectName, ObjectType, hash};
use osier_store::{CreateOptions, ReadObjects, Repo, RepoMode, TransactionOptions};
use std::cell::RefCell;
use std::collections::HashMap;
use std::io::Read;

const SOURCES: [&[u8]; 3] = [
    b"0123456789abcdefghijklmnopqrstuvwxyz",
    b"",
    b"made by an operation",
];
const LITERAL: &[u8] = b"made by an operation";

fn regular() -> FileHeader {
    FileHeader::regular(0, 0, 0o644)
}

fn id(header: &FileHeader, content: &[u8]) -> ContentId {
    ContentId(hash(&[&header.hash_framing()[..], content].concat()))
}

/// A repository, and the files that are known to be in it or in what was staged for it.
struct Place {
    _dir: tempfile::TempDir,
    repo: Repo,
    files: HashMap<ContentId, Vec<u8>>,
    runs: u32,
}

fn place(mode: RepoMode) -> Place {
    let dir = tempfile::tempdir().unwrap();
    let options = CreateOptions {
        mode,
        collection_id: None,
    };
    let repo = Repo::create(&dir.path().join("repo"), &options).unwrap();
    let unsynced = TransactionOptions {
        fsync: Some(false),
        ..Default::default()
    };
    let tx = repo.begin(&unsynced).unwrap();
    let mut files = HashMap::new();
    // The last one is not there: operations can make it.
    for source in &SOURCES[..2] {
        let id = tx.write_content_bytes(None, &regular(), source).unwrap();
        files.insert(id, source.to_vec());
    }
    tx.commit().unwrap();
    Place {
        _dir: dir,
        repo,
        files,
        runs: 0,
    }
}

thread_local! {
    static PLACES: RefCell<[Option<Place>; 2]> = const { RefCell::new([None, None]) };
}

/// What the operations make; the content of each object, with its header where it is a file.
type Made = Vec<(Option<FileHeader>, Vec<u8>)>;

fn bytes(of: &[u8], offset: u64, size: u64) -> Option<&[u8]> {
    let from = usize::try_from(offset).ok()?;
    of.get(from..)?.get(..usize::try_from(size).ok()?)
}

fn patched(old: &[u8], mut patch: &[u8], size: u64) -> Option<Vec<u8>> {
    let number = |patch: &mut &[u8]| -> Option<i128> {
        let (raw, rest) = patch.split_first_chunk::<8>()?;
        *patch = rest;
        let n = u64::from_le_bytes(*raw);
        let magnitude = i128::from(n & (u64::MAX >> 1));
        Some(if n >> 63 == 1 { -magnitude } else { magnitude })
    };
    let (mut new, mut at) = (Vec::new(), 0i128);
    while (new.len() as u64) < size {
        let (add, extra) = (number(&mut patch)?, number(&mut patch)?);
        let seek = number(&mut patch)?;
        if add < 0 || extra < 0 || add + extra > i128::from(size) - new.len() as i128 {
            return None;
        }
        let (diff, rest) = patch.split_at_checked(usize::try_from(add).ok()?)?;
        for byte in diff {
            let there = usize::try_from(at).ok().and_then(|at| old.get(at));
            new.push(byte.wrapping_add(there.copied().unwrap_or(0)));
            at += 1;
        }
        if add > 0 {
            i64::try_from(at).ok()?;
        }
        let (literal, rest) = rest.split_at_checked(usize::try_from(extra).ok()?)?;
        new.extend_from_slice(literal);
        patch = rest;
        at += seek;
        if (new.len() as u64) < size {
            i64::try_from(at).ok()?;
        }
    }
    Some(new)
}

/// `None` for what is an error; whatever was made before is in `files`, as a later object may copy from it.
fn model(
    ops: &[u8],
    types: &[ObjectType],
    blob: &[u8],
    headers: &[FileHeader],
    files: &mut HashMap<ContentId, Vec<u8>>,
) -> (Made, bool) {
    let mut made = Made::new();
    let whole = run_model(ops, types, blob, headers, files, &mut made).is_some();
    (made, whole)
}

fn run_model(
    ops: &[u8],
    types: &[ObjectType],
    blob: &[u8],
    headers: &[FileHeader],
    files: &mut HashMap<ContentId, Vec<u8>>,
    made: &mut Made,
) -> Option<()> {
    let mut source: Option<Vec<u8>> = None;
    let mut open: Option<(FileHeader, u64, Vec<u8>)> = None;
    let mut patched_already = false;
    let header = |mode: u64, xattrs: u64| -> Option<FileHeader> {
        let header = headers.get(usize::try_from(mode).ok()?)?;
        let kind = header.mode & 0o170_000;
        (xattrs == 0 && (kind == 0o100_000 || kind == 0o120_000)).then(|| header.clone())
    };
    let mut reader = OpReader::new(ops);
    loop {
        let next = types.get(made.len()).copied();
        let Some(op) = reader.next(next).ok()? else {
            break;
        };
        match op {
            Op::SpliceMetadata { size, offset } => {
                next.filter(|_| open.is_none())?;
                let bytes = bytes(blob, offset, size)?;
                // Of a commit, the part may hold none but the delta's.
                (next == Some(ObjectType::Dirmeta) && Dirmeta::decode(bytes).is_ok())
                    .then_some(())?;
                made.push((None, bytes.to_vec()));
            }
            Op::SpliceFile {
                mode,
                xattrs,
                size,
                offset,
            } => {
                let mut header = header(mode, xattrs)?;
                next.filter(|_| open.is_none())?;
                let bytes = bytes(blob, offset, size)?;
                if header.is_symlink() {
                    let target = String::from_utf8(bytes.to_vec()).ok()?;
                    (!target.contains('\0')).then_some(())?;
                    header.symlink_target = Some(target);
                    made.push((Some(header), Vec::new()));
                } else {
                    files.insert(id(&header, bytes), bytes.to_vec());
                    made.push((Some(header), bytes.to_vec()));
                }
            }
            Op::Open { mode, xattrs, size } => {
                let header = header(mode, xattrs)?;
                next.filter(|ty| open.is_none() && *ty == ObjectType::File)?;
                (!header.is_symlink()).then_some(())?;
                open = Some((header, size, Vec::new()));
                patched_already = false;
            }
            Op::Write { size, offset } => {
                let (_, announced, content) = open.as_mut()?;
                let from = source.as_deref().unwrap_or(blob);
                let bytes = bytes(from, offset, size)?;
                content.extend_from_slice(bytes);
                (content.len() as u64 <= *announced).then_some(())?;
            }
            Op::SetReadSource { offset } => {
                let raw = bytes(blob, offset, 32)?;
                let id = files.iter().find(|(id, _)| id.as_bytes() == raw)?;
                source = Some(id.1.clone());
            }
            Op::UnsetReadSource => source = None,
            Op::BsPatch { offset, size } => {
                let (_, announced, content) = open.as_mut()?;
                (content.is_empty() && !patched_already).then_some(())?;
                *content = patched(source.as_deref()?, bytes(blob, offset, size)?, *announced)?;
                patched_already = true;
            }
            Op::Close => {
                let (header, announced, content) = open.take()?;
                (content.len() as u64 == announced).then_some(())?;
                source = None;
                files.insert(id(&header, &content), content.clone());
                made.push((Some(header), content));
            }
        }
    }
    (open.is_none() && made.len() == types.len()).then_some(())
}

fuzz_target!(|data: &[u8]| {
    let Some((&first, rest)) = data.split_first() else {
        return;
    };
    let Some((types, rest)) = rest.split_at_checked(usize::from(first >> 2 & 7)) else {
        return;
    };
    let Some((&length, rest)) = rest.split_first() else {
        return;
    };
    let (ops, tail) = rest.split_at(usize::from(length).min(rest.len()));
    let types: Vec<_> = types
        .iter()
        .map(|ty| match ty % 8 {
            0 => ObjectType::Dirmeta,
            1 => ObjectType::Commit,
            _ => ObjectType::File,
        })
        .collect();
    let mut directory = regular();
    directory.mode = 0o040_755;
    let headers = [
        regular(),
        FileHeader::symlink(0, 0, ""),
        FileHeader::regular(1, 2, 0o755),
        directory,
    ];
    let mut blob = Vec::new();
    for source in SOURCES {
        blob.extend_from_slice(id(&regular(), source).as_bytes());
    }
    blob.extend_from_slice(LITERAL);
    blob.extend_from_slice(&Dirmeta::new(0, 0, 0o755).encode());
    blob.extend_from_slice(tail);
    let index = usize::from(first & 1);
    let mode = [RepoMode::Archive, RepoMode::BareUserOnly][index];
    PLACES.with_borrow_mut(|places| {
        let slot = &mut places[index];
        if slot.as_ref().is_none_or(|place| place.runs > 200) {
            *slot = Some(place(mode));
        }
        let place = slot.as_mut().unwrap();
        place.runs += 1;
        run(place, ops, &types, &blob, &headers);
    });
});

fn run(place: &mut Place, ops: &[u8], types: &[ObjectType], blob: &[u8], headers: &[FileHeader]) {
    let (made, whole) = model(ops, types, blob, headers, &mut place.files);
    // A link without a target is nothing that a file system has.
    let odd = made.iter().any(|(header, _)| {
        header
            .as_ref()
            .is_some_and(|h| h.is_symlink() && h.symlink_target.as_deref() == Some(""))
    });
    if odd {
        place.runs = u32::MAX;
        return;
    }
    let mut objects: Vec<_> = made
        .iter()
        .map(|(header, content)| match header {
            Some(header) => id(header, content).object_name(),
            None => ObjectName::new(hash(content), ObjectType::Dirmeta),
        })
        .collect();
    for ty in &types[objects.len()..] {
        objects.push(ObjectName::new(hash(b"never made"), *ty));
    }
    let scratch = place.repo.path().join("tmp");
    let mut dictionaries = Dictionaries::default();
    for header in headers {
        dictionaries.numbers(header);
    }
    let blob = compression::unpack(&[&[0], blob].concat()[..], 1 << 20, &scratch).unwrap();
    let mut payload = vec![0];
    dictionaries
        .write_payload(&blob, ops, &mut payload)
        .unwrap();
    let payload = compression::unpack(&payload[..], 1 << 20, &scratch).unwrap();
    let part = Part::decode(payload).unwrap();
    let unsynced = TransactionOptions {
        fsync: Some(false),
        ..Default::default()
    };
    let tx = place.repo.begin(&unsynced).unwrap();
    let done = execute(&tx, &part, &objects, &CommitId(hash(b"target")), &scratch);
    match done {
        Ok(()) => assert!(whole, "made what is not allowed"),
        Err(error) => assert!(!whole, "{error}"),
    }
    // What was made before an error may be there or not.
    place
        .files
        .retain(|id, _| tx.has_object(&id.object_name()).unwrap());
    for ((header, content), name) in made.iter().zip(&objects) {
        if !whole {
            break;
        }
        let Some(header) = header else {
            assert!(tx.has_object(name).unwrap());
            continue;
        };
        let stored = tx.open_content(&ContentId(name.checksum)).unwrap();
        assert_eq!(stored.header.symlink_target, header.symlink_target);
        let mut there = Vec::new();
        stored.into_reader().read_to_end(&mut there).unwrap();
        assert_eq!(there, *content);
    }
}
