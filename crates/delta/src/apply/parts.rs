//! The parts of a delta that lies in a folder.

use super::{execute, payload_limit};
use crate::error::{Context, Error, Result};
use crate::files::{self, DeltaFiles};
use crate::format::compression::Decoders;
use crate::format::part::Part;
use crate::format::superblock::{ByteOrder, PartHeader, Superblock};
use osier_object::{Checksum, hash};
use osier_store::parallel::Cancel;
use osier_store::{ReadObjects, Transaction};
use std::sync::Mutex;

/// What was read.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct AppliedParts {
    /// Parts that were read; those whose objects are all there, or that make none, are not.
    pub parts: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Parts worked on at the same time. More would wait for memory to unpack in.
const AT_ONCE: usize = 2;

/// Makes the objects of all parts in a transaction.
///
/// # Errors
/// When there is no room for what the parts make, a part is not there, is not what the superblock says, or cannot be
/// executed. What was made before stays in the transaction.
pub fn apply_parts(
    tx: &Transaction<'_>,
    files: &DeltaFiles,
    superblock: &Superblock,
    cancel: &Cancel,
) -> Result<AppliedParts> {
    let mut out = AppliedParts::default();
    let mut wanted = Vec::new();
    let mut room = 0u64;
    for (index, header) in superblock.parts.iter().enumerate() {
        cancel.check()?;
        if all_there(tx, header)? {
            continue;
        }
        wanted.push(index);
        room = room.saturating_add(header.unpacked);
        out.parts += 1;
        out.bytes = out.bytes.saturating_add(header.size);
    }
    // Sizes in an order that is a guess prove nothing.
    if matches!(superblock.order, ByteOrder::Stated(_)) {
        tx.check_space(room)?;
    }
    let decoders = Decoders::default();
    let run = |index: usize| -> Result<()> {
        cancel.check()?;
        apply_part(tx, files, superblock, index, &decoders)
            .at(|| format!("Executing delta part {index}"))
    };
    // Taken from the back, the first part first.
    wanted.reverse();
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    let threads = threads.min(AT_ONCE).min(wanted.len());
    let work = Mutex::new(Work {
        wanted,
        ..Work::default()
    });
    if threads < 2 {
        worker(&work, &run);
    } else {
        std::thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(|| worker(&work, &run));
            }
            worker(&work, &run);
        });
    }
    let mut work = work.into_inner().expect("no panic while locked");
    if let Some((_, error)) = work.failed {
        return Err(error);
    }
    // Whatever another part was to make is there now.
    work.late.sort_unstable();
    for index in work.late {
        run(index)?;
    }
    Ok(out)
}

/// What the threads share.
#[derive(Default)]
struct Work {
    /// Parts nobody has taken, the next one last.
    wanted: Vec<usize>,
    /// Parts that copy from what was not there yet.
    late: Vec<usize>,
    /// The first part that failed, and why.
    failed: Option<(usize, Error)>,
}

fn worker(work: &Mutex<Work>, run: &(dyn Fn(usize) -> Result<()> + Sync)) {
    loop {
        let next = {
            let mut work = work.lock().expect("no panic while locked");
            match work.failed {
                None => work.wanted.pop(),
                Some(_) => None,
            }
        };
        let Some(index) = next else {
            return;
        };
        let Err(error) = run(index) else {
            continue;
        };
        let mut work = work.lock().expect("no panic while locked");
        if lacks_an_object(&error) {
            work.late.push(index);
        } else if work.failed.as_ref().is_none_or(|(first, _)| index < *first) {
            work.failed = Some((index, error));
        }
    }
}

fn lacks_an_object(error: &Error) -> bool {
    match error {
        Error::Store(osier_store::Error::MissingObject(_)) => true,
        Error::Context { source, .. } => lacks_an_object(source),
        _ => false,
    }
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
    decoders: &Decoders,
) -> Result<()> {
    let header = &superblock.parts[index];
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
            decoders.unpack(bytes, limit, &scratch)?
        }
        None => {
            let mut file = files.part(index)?;
            let size = file.metadata().at(|| "reading a delta part".into())?.len();
            check_size(superblock, header, size)?;
            // Hashed first: what is not the publisher's is not even unpacked.
            check_part(header, files::hash_file(&mut file)?)?;
            decoders.unpack(std::io::BufReader::new(file), limit, &scratch)?
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
