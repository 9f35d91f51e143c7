//! Packing payloads into part files: one byte that says how, then the data.

use crate::error::{Context, Error, Result};
use crate::spool::{Bytes, Spool};
use liblzma::stream::{Check, Filters, LzmaOptions, MatchFinder, Mode, Stream};
use std::io::{self, Read, Write};
use std::path::Path;

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
pub fn unpack(mut part: impl Read, limit: u64, dir: &Path) -> Result<Bytes> {
    let mut kind = [0u8];
    part.read_exact(&mut kind)
        .map_err(|e| Error::malformed(format!("delta part has no compression type: {e}")))?;
    let mut spool = Spool::new(dir, limit);
    let unpacking = || "unpacking a delta part".to_owned();
    match kind[0] {
        STORED => {
            io::copy(&mut part, &mut spool).at(unpacking)?;
        }
        XZ => unpack_xz(&mut part, &mut spool)?,
        other => {
            return Err(Error::malformed(format!(
                "Invalid compression type '{other}'"
            )));
        }
    }
    spool.finish().at(unpacking)
}

fn unpack_xz(part: &mut dyn Read, spool: &mut Spool) -> Result<()> {
    use liblzma::stream::{Action, Error as Lzma, Status};
    let words = |e: Lzma| match e {
        Lzma::MemLimit => Error::malformed("Exceeded memory limit"),
        Lzma::Format => Error::malformed("File format not recognized"),
        Lzma::Data => Error::malformed("Compressed data is corrupt"),
        other => Error::malformed(other.to_string()),
    };
    let mut stream = Stream::new_stream_decoder(DECODER_MEMORY, 0).map_err(words)?;
    let mut input = vec![0u8; 64 * 1024];
    let mut output = vec![0u8; 256 * 1024];
    let (mut at, mut filled, mut ended) = (0, 0, false);
    loop {
        if at == filled && !ended {
            filled = part.read(&mut input).at(|| "reading a delta part".into())?;
            at = 0;
            ended = filled == 0;
        }
        let (before_in, before_out) = (stream.total_in(), stream.total_out());
        let action = if ended { Action::Finish } else { Action::Run };
        let status = stream
            .process(&input[at..filled], &mut output, action)
            .map_err(words)?;
        at += (stream.total_in() - before_in) as usize;
        let written = (stream.total_out() - before_out) as usize;
        spool
            .write_all(&output[..written])
            .at(|| "unpacking a delta part".into())?;
        match status {
            Status::StreamEnd => break,
            _ if ended && written == 0 => return Err(Error::malformed("Input buffer too small")),
            _ => {}
        }
    }
    // The C tool ignores what follows. Nothing good does.
    let mut one = [0u8];
    if at < filled || part.read(&mut one).at(|| "reading a delta part".into())? > 0 {
        return Err(Error::malformed(
            "delta part has bytes behind its compressed data",
        ));
    }
    Ok(())
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

    #[test]
    fn a_large_dictionary_is_refused() {
        // A stream that wants 128 MiB.
        let mut filters = liblzma::stream::Filters::new();
        let mut options = liblzma::stream::LzmaOptions::new_preset(0).unwrap();
        options.dict_size(1 << 27);
        filters.lzma2(&options);
        let stream = Stream::new_stream_encoder(&filters, Check::Crc64).unwrap();
        let mut encoder = liblzma::write::XzEncoder::new_stream(vec![XZ], stream);
        encoder.write_all(b"payload").unwrap();
        let packed = encoder.finish().unwrap();
        assert_eq!(
            unpack_all(&packed).unwrap_err().to_string(),
            "Exceeded memory limit"
        );
    }
}
