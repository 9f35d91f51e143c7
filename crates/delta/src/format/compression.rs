//! Packing payloads into part files: one byte that says how, then the data.

use crate::error::{Context, Error, Result};
use crate::spool::{Bytes, Spool};
use liblzma::stream::{Check, Filters, LzmaOptions, MatchFinder, Mode, Stream};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError, mpsc};

/// The payload as it is.
const STORED: u8 = 0;
/// One stream of the .xz format.
const XZ: u8 = b'x';
/// What a decoder may take; the C tool's limit, and three times what its own parts need.
pub const DECODER_MEMORY: u64 = 100 * 1024 * 1024;
/// What packing starts from, the C tool's choice.
const PRESET: u32 = 8;

/// Unpacks a part file. `limit` bounds the payload; what is large goes to a file in `dir`.
///
/// # Errors
/// For another kind of packing, damaged data, data behind its end, a decoder that would take too much memory, or a
/// payload beyond the limit.
pub fn unpack(part: impl Read, limit: u64, dir: &Path) -> Result<Bytes> {
    unpack_with(part, limit, dir, &Decoders::default(), 0)
}

fn unpack_with(
    mut part: impl Read,
    limit: u64,
    dir: &Path,
    decoders: &Decoders,
    flags: u32,
) -> Result<Bytes> {
    let mut kind = [0u8];
    part.read_exact(&mut kind)
        .map_err(|e| Error::malformed(format!("delta part has no compression type: {e}")))?;
    let mut spool = Spool::new(dir, limit);
    let unpacking = || "unpacking a delta part".to_owned();
    match kind[0] {
        STORED => {
            io::copy(&mut part, &mut spool).at(unpacking)?;
        }
        XZ => unpack_xz(Unpacker::new(&mut part, decoders, flags)?, &mut spool)?,
        other => {
            return Err(Error::malformed(format!(
                "Invalid compression type '{other}'"
            )));
        }
    }
    spool.finish().at(unpacking)
}

/// Unpacks parts on several threads: together their decoders take no more memory than one may.
#[derive(Debug)]
pub struct Decoders {
    left: Mutex<u64>,
    freed: Condvar,
}

/// What a decoder gets when it does not ask for more: enough for the dictionary of `xz -8`, and two have room.
const USUAL_MEMORY: u64 = DECODER_MEMORY / 2;

impl Default for Decoders {
    fn default() -> Self {
        Decoders {
            left: Mutex::new(DECODER_MEMORY),
            freed: Condvar::new(),
        }
    }
}

impl Decoders {
    /// As [`unpack`], of a part whose SHA-256 is the one it should have: a weaker sum inside it, which takes a tenth of
    /// the time, is not looked at.
    ///
    /// # Errors
    /// As [`unpack`].
    pub fn unpack(&self, part: impl Read, limit: u64, dir: &Path) -> Result<Bytes> {
        unpack_with(part, limit, dir, self, liblzma::stream::IGNORE_CHECK)
    }

    /// Waits until there is so much memory.
    fn take(&self, bytes: u64) -> Room<'_> {
        // Nothing is left half done by a thread that panicked.
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let enough = |left: &mut u64| *left < bytes;
        let waited = self.freed.wait_while(left, enough);
        *waited.unwrap_or_else(PoisonError::into_inner) -= bytes;
        Room { of: self, bytes }
    }
}

/// Memory that a decoder may take.
struct Room<'a> {
    of: &'a Decoders,
    bytes: u64,
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        *self.of.left.lock().unwrap_or_else(PoisonError::into_inner) += self.bytes;
        self.of.freed.notify_all();
    }
}

/// Unpacked bytes that are handed on at a time.
const PIECE: usize = 256 * 1024;

/// Pieces that may wait to be written.
const WAITING: usize = 2;

fn unpack_xz(mut unpacker: Unpacker<'_>, spool: &mut Spool) -> Result<()> {
    let unpacking = || "unpacking a delta part".to_owned();
    let mut piece = vec![0u8; PIECE];
    let mut filled = unpacker.fill(&mut piece)?;
    if filled < PIECE {
        spool.write_all(&piece[..filled]).at(unpacking)?;
        return unpacker.end();
    }
    // Unpacking takes the longest of all that is done with a part: another thread writes.
    let (full, to_write) = mpsc::sync_channel::<Vec<u8>>(WAITING);
    let (written, empty) = mpsc::channel::<Vec<u8>>();
    std::thread::scope(|scope| {
        let writer = scope.spawn(move || {
            for piece in to_write {
                spool.write_all(&piece)?;
                // Nobody needs it any more when all is unpacked.
                let _ = written.send(piece);
            }
            Ok::<(), io::Error>(())
        });
        let mut unpack = || -> Result<()> {
            while filled > 0 {
                let next = empty.try_recv().unwrap_or_else(|_| vec![0u8; PIECE]);
                let mut whole = std::mem::replace(&mut piece, next);
                whole.truncate(filled);
                if full.send(whole).is_err() {
                    // The writer says why.
                    return Ok(());
                }
                piece.resize(PIECE, 0);
                filled = unpacker.fill(&mut piece)?;
            }
            unpacker.end()
        };
        let unpacked = unpack();
        drop(full);
        match writer.join() {
            Ok(written) => written.at(unpacking)?,
            Err(panic) => std::panic::resume_unwind(panic),
        }
        unpacked
    })
}

/// A stream being unpacked.
struct Unpacker<'a> {
    part: &'a mut dyn Read,
    decoders: &'a Decoders,
    room: Option<Room<'a>>,
    stream: Stream,
    input: Vec<u8>,
    /// Of the input, what was used and what there is.
    at: usize,
    filled: usize,
    /// No more input comes; all output has come.
    last: bool,
    done: bool,
}

impl<'a> Unpacker<'a> {
    fn new(part: &'a mut dyn Read, decoders: &'a Decoders, flags: u32) -> Result<Self> {
        Ok(Unpacker {
            part,
            decoders,
            room: Some(decoders.take(USUAL_MEMORY)),
            stream: Stream::new_stream_decoder(USUAL_MEMORY, flags).map_err(words)?,
            input: vec![0u8; 64 * 1024],
            at: 0,
            filled: 0,
            last: false,
            done: false,
        })
    }

    /// Fills a piece; less than all of it at the end only.
    fn fill(&mut self, piece: &mut [u8]) -> Result<usize> {
        use liblzma::stream::{Action, Status};
        let mut made = 0;
        while made < piece.len() && !self.done {
            if self.at == self.filled && !self.last {
                self.filled = read_some(self.part, &mut self.input)?;
                self.at = 0;
                self.last = self.filled == 0;
            }
            let (in_before, out_before) = (self.stream.total_in(), self.stream.total_out());
            let action = if self.last {
                Action::Finish
            } else {
                Action::Run
            };
            let status = self.stream.process(
                &self.input[self.at..self.filled],
                &mut piece[made..],
                action,
            );
            self.at += (self.stream.total_in() - in_before) as usize;
            let now = (self.stream.total_out() - out_before) as usize;
            made += now;
            let status = match status {
                Err(liblzma::stream::Error::MemLimit) if self.ask_for_more()? => continue,
                status => status.map_err(words)?,
            };
            match status {
                Status::StreamEnd => self.done = true,
                _ if self.last && now == 0 => {
                    return Err(Error::malformed("Input buffer too small"));
                }
                _ => {}
            }
        }
        Ok(made)
    }

    /// Waits until all memory that a decoder may have is free; false when it has all.
    fn ask_for_more(&mut self) -> Result<bool> {
        if self
            .room
            .as_ref()
            .is_some_and(|room| room.bytes == DECODER_MEMORY)
        {
            return Ok(false);
        }
        self.room = None;
        self.room = Some(self.decoders.take(DECODER_MEMORY));
        match self.stream.set_memlimit(DECODER_MEMORY) {
            Ok(()) => Ok(true),
            // It is not enough.
            Err(liblzma::stream::Error::MemLimit) => Ok(false),
            Err(error) => Err(words(error)),
        }
    }

    /// The C tool ignores what follows. Nothing good does.
    fn end(&mut self) -> Result<()> {
        let mut one = [0u8];
        if self.at < self.filled || read_some(self.part, &mut one)? > 0 {
            return Err(Error::malformed(
                "delta part has bytes behind its compressed data",
            ));
        }
        Ok(())
    }
}

fn read_some(part: &mut dyn Read, buf: &mut [u8]) -> Result<usize> {
    loop {
        match part.read(buf) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            other => return other.at(|| "reading a delta part".into()),
        }
    }
}

fn words(error: liblzma::stream::Error) -> Error {
    use liblzma::stream::Error as Lzma;
    match error {
        Lzma::MemLimit => Error::malformed("Exceeded memory limit"),
        Lzma::Format => Error::malformed("File format not recognized"),
        Lzma::Data => Error::malformed("Compressed data is corrupt"),
        other => Error::malformed(other.to_string()),
    }
}

/// How hard a part is packed. Any decoder reads what comes out; only time, memory and size differ.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Packing {
    /// As `xz -8` does, like the C tool.
    Thorough,
    /// With a dictionary of so many bytes, otherwise the same.
    Within(u32),
    /// For patches, mostly zeros: what is alike is near, and searching far and deep finds little more.
    Patches,
    /// For what is packed already.
    Packed,
    /// The smallest that the method gives, with a dictionary of so many bytes.
    Smallest(u32),
}

/// The dictionary of `xz -8`.
pub const DICTIONARY: u32 = 32 << 20;

impl Packing {
    fn options(self) -> std::result::Result<LzmaOptions, liblzma::stream::Error> {
        let mut options = LzmaOptions::new_preset(PRESET)?;
        match self {
            Packing::Thorough => {}
            Packing::Within(bytes) => {
                options.dict_size(bytes);
            }
            Packing::Patches => {
                options
                    .dict_size(8 << 20)
                    .match_finder(MatchFinder::HashChain4)
                    .nice_len(128)
                    .depth(16);
            }
            Packing::Packed => {
                options
                    .dict_size(1 << 20)
                    .mode(Mode::Fast)
                    .match_finder(MatchFinder::HashChain4)
                    .nice_len(64)
                    .depth(4);
            }
            Packing::Smallest(bytes) => {
                options.dict_size(bytes).nice_len(273).depth(512);
            }
        }
        Ok(options)
    }

    /// About how much memory packing so many bytes takes.
    pub fn memory(self, bytes: u64) -> u64 {
        let (dictionary, factor) = match self {
            Packing::Thorough => (DICTIONARY, 12),
            Packing::Within(dictionary) | Packing::Smallest(dictionary) => (dictionary, 12),
            Packing::Patches => (8 << 20, 8),
            Packing::Packed => (1 << 20, 8),
        };
        (1 << 20) + u64::from(dictionary).min(bytes) * factor
    }
}

/// Writes a part file holding the payload that `write` writes.
///
/// # Errors
/// When writing fails.
pub fn pack<W: Write>(
    mut out: W,
    packing: Packing,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<W> {
    out.write_all(&[XZ])?;
    let mut filters = Filters::new();
    filters.lzma2(&packing.options()?);
    let stream = Stream::new_stream_encoder(&filters, Check::Crc64)?;
    let mut encoder = liblzma::write::XzEncoder::new_stream(out, stream);
    write(&mut encoder)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpack_all(part: &[u8]) -> Result<Vec<u8>> {
        let bytes = unpack(part, 1 << 20, &std::env::temp_dir())?;
        let len = bytes.len();
        Ok(bytes.read_range(0, len).unwrap())
    }

    #[test]
    fn both_kinds_and_nothing_else() {
        let packed = pack(Vec::new(), Packing::Thorough, |w| w.write_all(b"payload")).unwrap();
        assert_eq!(unpack_all(&packed).unwrap(), b"payload");
        assert_eq!(unpack_all(b"\0payload").unwrap(), b"payload");
        let error = |part: &[u8]| unpack_all(part).unwrap_err().to_string();
        assert_eq!(error(b"gzip"), "Invalid compression type '103'");
        assert_eq!(error(b"xnothing of the kind"), "File format not recognized");
        assert_eq!(error(&packed[..packed.len() - 1]), "Input buffer too small");
        let mut longer = packed.clone();
        longer.push(0);
        assert!(error(&longer).contains("behind"));
        assert!(unpack_all(b"").is_err());
    }

    #[test]
    fn pieces_are_put_together_in_order() {
        for size in [
            PIECE - 1,
            PIECE,
            PIECE + 1,
            2 * PIECE,
            5 * PIECE,
            21 * PIECE + 7,
        ] {
            let payload: Vec<u8> = (0..size).map(|at| (at / 1000 + at % 7) as u8).collect();
            let mut packed =
                pack(Vec::new(), Packing::Thorough, |w| w.write_all(&payload)).unwrap();
            let bytes = |part: &[u8]| unpack(part, size as u64, &std::env::temp_dir());
            let whole = bytes(&packed).unwrap();
            assert_eq!(whole.read_range(0, size as u64).unwrap(), payload);
            let too_little = unpack(&packed[..], size as u64 - 1, &std::env::temp_dir());
            assert!(
                too_little
                    .unwrap_err()
                    .to_string()
                    .contains("bytes it may have")
            );
            assert!(bytes(&packed[..packed.len() - 1]).is_err());
            let end = packed.len() - 30;
            packed[end] ^= 1;
            assert!(bytes(&packed).is_err());
        }
    }

    #[test]
    fn a_payload_ends_at_its_limit() {
        let packed = pack(Vec::new(), Packing::Thorough, |w| {
            w.write_all(&vec![0; 2 << 20])
        })
        .unwrap();
        assert!(packed.len() < 4096);
        assert!(
            unpack_all(&packed)
                .unwrap_err()
                .to_string()
                .contains("1048576")
        );
    }

    fn with_dictionary(size: u32) -> Vec<u8> {
        let mut filters = liblzma::stream::Filters::new();
        let mut options = liblzma::stream::LzmaOptions::new_preset(0).unwrap();
        options.dict_size(size);
        filters.lzma2(&options);
        let stream = Stream::new_stream_encoder(&filters, Check::Crc64).unwrap();
        let mut encoder = liblzma::write::XzEncoder::new_stream(vec![XZ], stream);
        encoder.write_all(b"payload").unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_large_dictionary_is_refused() {
        assert_eq!(
            unpack_all(&with_dictionary(1 << 27))
                .unwrap_err()
                .to_string(),
            "Exceeded memory limit"
        );
    }

    #[test]
    fn decoders_share_their_memory() {
        let decoders = Decoders::default();
        // The larger ones have room only one after another, and want more than they get at first.
        let parts = [1 << 26, 1 << 25, 1 << 26, 1 << 16, 1 << 26].map(with_dictionary);
        std::thread::scope(|scope| {
            for part in &parts {
                scope.spawn(|| {
                    for _ in 0..5 {
                        let bytes = decoders
                            .unpack(&part[..], 7, &std::env::temp_dir())
                            .unwrap();
                        assert_eq!(bytes.read_range(0, 7).unwrap(), b"payload");
                        let refused = with_dictionary(1 << 27);
                        assert!(
                            decoders
                                .unpack(&refused[..], 7, &std::env::temp_dir())
                                .is_err()
                        );
                    }
                });
            }
        });
        assert_eq!(*decoders.left.lock().unwrap(), DECODER_MEMORY);
    }
}
