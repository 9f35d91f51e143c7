//! Compressed archives: what the first bytes say is undone, layer by layer.

mod compress;
mod members;

use crate::error::{Error, Result};
use crate::input::Input;
use liblzma::stream::{CONCATENATED, Stream};
use members::Members;
use std::io::{self, Read};

/// Deepest nesting of compressions that is undone.
const MAX_LAYERS: usize = 8;

/// Memory that one decoder of LZMA data may ask for: dictionaries of its strongest presets are 64 MiB.
const LZMA_MEMORY: u64 = 1024 * 1024 * 1024;

/// How bytes are compressed.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Compression {
    Gzip,
    Bzip2,
    Xz,
    Lzma,
    Lzip,
    Zstd,
    Lz4,
    Compress,
}

impl Compression {
    fn of(head: &[u8]) -> Option<Compression> {
        match head {
            [0x1f, 0x8b, 8, ..] => Some(Compression::Gzip),
            [0x1f, 0x9d, ..] => Some(Compression::Compress),
            [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..]
                if rest.starts_with(b"\x31\x41\x59\x26\x53\x59")
                    || rest.starts_with(b"\x17\x72\x45\x38\x50\x90") =>
            {
                Some(Compression::Bzip2)
            }
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Compression::Xz),
            [b'L', b'Z', b'I', b'P', 0 | 1, ..] => Some(Compression::Lzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
                Some(Compression::Zstd)
            }
            [0x04, 0x22, 0x4d, 0x18, ..] | [0x02, 0x21, 0x4c, 0x18, ..] => Some(Compression::Lz4),
            _ if is_lzma(head) => Some(Compression::Lzma),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Compression::Gzip => "gzip",
            Compression::Bzip2 => "bzip2",
            Compression::Xz => "xz",
            Compression::Lzma => "lzma",
            Compression::Lzip => "lzip",
            Compression::Zstd => "zstd",
            Compression::Lz4 => "lz4",
            Compression::Compress => "compress",
        }
    }

    fn decoder(self, input: Input) -> io::Result<Box<dyn Read + Send>> {
        use liblzma::bufread::XzDecoder;
        let lzma = |stream: Result<Stream, liblzma::stream::Error>| stream.map_err(io::Error::from);
        Ok(match self {
            Compression::Gzip => Box::new(Members::gzip(input)),
            Compression::Bzip2 => Box::new(Members::bzip2(input)),
            Compression::Lz4 => Box::new(Members::lz4(input)),
            Compression::Xz => Box::new(XzDecoder::new_stream(
                input,
                lzma(Stream::new_stream_decoder(LZMA_MEMORY, CONCATENATED))?,
            )),
            Compression::Lzma => Box::new(XzDecoder::new_stream(
                input,
                lzma(Stream::new_lzma_decoder(LZMA_MEMORY))?,
            )),
            Compression::Lzip => Box::new(XzDecoder::new_stream(
                input,
                lzma(Stream::new_lzip_decoder(LZMA_MEMORY, CONCATENATED))?,
            )),
            Compression::Zstd => Box::new(zstd::Decoder::with_buffer(input)?),
            Compression::Compress => Box::new(compress::Decoder::new(input)?),
        })
    }
}

/// Undoes all compression, and says whether there was some.
pub(crate) fn open(reader: Box<dyn Read + Send>) -> Result<(Input, bool)> {
    let mut input = Input::new(reader);
    for layer in 0..MAX_LAYERS {
        let Some(compression) = Compression::of(input.peek(16)?) else {
            return Ok((input, layer > 0));
        };
        let name = compression.name();
        let decoder = compression.decoder(input).map_err(|e| explain(name, e))?;
        input = Input::new(Box::new(Explained { name, decoder }));
    }
    Err(Error::damaged(format!(
        "compressed more than {MAX_LAYERS} times"
    )))
}

/// The old LZMA format has no magic number: properties, dictionary size, length.
fn is_lzma(head: &[u8]) -> bool {
    let [props, d0, d1, d2, d3, size @ ..] = head else {
        return false;
    };
    let Some(size) = size.first_chunk::<8>() else {
        return false;
    };
    let dict = u32::from_le_bytes([*d0, *d1, *d2, *d3]);
    let size = u64::from_le_bytes(*size);
    // The properties every encoder uses, a dictionary of 2^n or 2^n + 2^(n-1) bytes, a length that may be.
    let usual = dict.is_power_of_two() || (dict.count_ones() == 2 && (dict & (dict >> 1)) != 0);
    *props == 0x5d && dict >= 4096 && usual && (size == u64::MAX || size < 1 << 40)
}

/// Names the compression in errors of its decoder.
struct Explained {
    name: &'static str,
    decoder: Box<dyn Read + Send>,
}

impl Read for Explained {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.decoder.read(out).map_err(|e| explain(self.name, e))
    }
}

fn explain(name: &str, e: io::Error) -> io::Error {
    if e.raw_os_error().is_some() || e.kind() == io::ErrorKind::Interrupted {
        return e;
    }
    let text = match e.kind() {
        io::ErrorKind::UnexpectedEof => format!("truncated {name} input"),
        _ => format!("{name} decompression failed: {e}"),
    };
    io::Error::new(e.kind(), text)
}
