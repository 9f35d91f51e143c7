//! Packing parts while the next ones are filled: a few threads, a few parts in flight.

use super::build::Filled;
use super::output::{NewFile, Output};
use crate::error::{Context, Error, Result};
use crate::format::compression;
use crate::format::superblock::PartHeader;
use osier_object::Checksum;
use sha2::{Digest, Sha256};
use std::io::{self, BufWriter, Write};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Condvar, Mutex, PoisonError};

/// A packed part.
#[derive(Debug)]
pub(super) struct Packed<'o> {
    pub(super) header: PartHeader,
    pub(super) place: Place<'o>,
}

/// Where a packed part is.
#[derive(Debug)]
pub(super) enum Place<'o> {
    /// In a file without its name.
    File(NewFile<'o>),
    /// In memory, to go into the superblock.
    Inline(Vec<u8>),
}

/// Takes filled parts, in order.
pub(super) struct Packer {
    queue: SyncSender<(usize, Filled)>,
    sent: usize,
}

impl Packer {
    /// Hands a part over; waits while too many are in flight.
    pub(super) fn pack(&mut self, part: Filled) -> Result<()> {
        // Without a receiver there is an error to report, which `run` does.
        self.queue
            .send((self.sent, part))
            .map_err(|_| Error::refused("packing delta parts failed"))?;
        self.sent += 1;
        Ok(())
    }
}

/// Runs `fill` while parts it hands over are packed, by so many threads and in about so much memory. Gives the parts in order, whatever thread was first.
pub(super) fn run<'o>(
    output: &'o Output,
    inline: bool,
    threads: usize,
    memory: u64,
    fill: impl FnOnce(&mut Packer) -> Result<()>,
) -> Result<Vec<Packed<'o>>> {
    let room = Room::new(memory);
    let (queue, parts) = sync_channel::<(usize, Filled)>(1);
    let parts = Mutex::new(parts);
    let done: Mutex<Vec<(usize, Result<Packed<'o>>)>> = Mutex::default();
    let filled = std::thread::scope(|scope| {
        // Its end closes the queue, which ends the threads; their end, by a panic even, lets `send` fail.
        let parts = parts;
        let workers = std::sync::Arc::new(parts);
        for _ in 0..threads {
            let workers = workers.clone();
            let (done, room) = (&done, &room);
            scope.spawn(move || {
                loop {
                    let next = workers.lock().map(|parts| parts.recv());
                    let Ok(Ok((index, part))) = next else {
                        return;
                    };
                    let needed = part.packing.memory(part.size);
                    room.take(needed);
                    let packed = pack_one(output, inline, part);
                    room.give(needed);
                    let failed = packed.is_err();
                    if let Ok(mut done) = done.lock() {
                        done.push((index, packed));
                    }
                    if failed {
                        return;
                    }
                }
            });
        }
        drop(workers);
        let mut packer = Packer { queue, sent: 0 };
        let filled = fill(&mut packer);
        filled.map(|()| packer.sent)
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(index, _)| *index);
    let packed: Vec<Packed<'o>> = done
        .into_iter()
        .map(|(_, packed)| packed)
        .collect::<Result<_>>()?;
    match filled? {
        sent if sent == packed.len() => Ok(packed),
        _ => Err(Error::refused("packing delta parts failed")),
    }
}

/// Memory that packing threads share.
struct Room {
    limit: u64,
    used: Mutex<u64>,
    changed: Condvar,
}

impl Room {
    fn new(limit: u64) -> Room {
        Room {
            limit,
            used: Mutex::new(0),
            changed: Condvar::new(),
        }
    }

    /// Waits until there is so much, or nobody has any.
    fn take(&self, bytes: u64) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        while *used > 0 && *used + bytes > self.limit {
            used = self
                .changed
                .wait(used)
                .unwrap_or_else(PoisonError::into_inner);
        }
        *used += bytes;
    }

    fn give(&self, bytes: u64) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) -= bytes;
        self.changed.notify_all();
    }
}

fn pack_one(output: &Output, inline: bool, part: Filled) -> Result<Packed<'_>> {
    let (place, checksum, size) = if inline {
        let hashed = write(&part, Hashed::new(Vec::new()))?;
        let (bytes, checksum, size) = hashed.finish();
        (Place::Inline(bytes), checksum, size)
    } else {
        let new = output.create()?;
        let hashed = write(&part, Hashed::new(BufWriter::new(&new.file)))?;
        let (mut out, checksum, size) = hashed.finish();
        out.flush().at(|| "writing a delta part".into())?;
        drop(out);
        (Place::File(new), checksum, size)
    };
    Ok(Packed {
        header: PartHeader {
            version: 0,
            checksum,
            size,
            unpacked: part.unpacked,
            objects: part.objects,
        },
        place,
    })
}

fn write<W: Write>(part: &Filled, out: Hashed<W>) -> Result<Hashed<W>> {
    compression::pack(out, part.packing, |out| {
        part.dictionaries.write_payload(&part.blob, &part.ops, out)
    })
    .at(|| "writing a delta part".into())
}

/// Hashes and counts what goes through.
struct Hashed<W> {
    inner: W,
    hasher: Sha256,
    size: u64,
}

impl<W> Hashed<W> {
    fn new(inner: W) -> Self {
        Hashed {
            inner,
            hasher: Sha256::new(),
            size: 0,
        }
    }

    fn finish(self) -> (W, Checksum, u64) {
        (
            self.inner,
            Checksum(self.hasher.finalize().into()),
            self.size,
        )
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(buf)?;
        self.hasher.update(&buf[..n]);
        self.size += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
