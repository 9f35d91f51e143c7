//! Bodies that a server compressed on the way.

use super::Chunk;
use flate2::write::MultiGzDecoder;
use reqwest::header::{CONTENT_ENCODING, HeaderMap};
use std::io::{self, Write};

/// Compressed bytes are unpacked in pieces of this size, so that no more than a thousand times as much is in memory
/// before somebody counts it.
const PIECE: usize = 4 << 10;

/// Unpacks a body, if its server says that it is packed. Some do without being asked, such as those that keep files as
/// `.gz` alone.
pub(super) struct Unpacker(Option<MultiGzDecoder<Vec<u8>>>);

impl Unpacker {
    pub fn of(headers: &HeaderMap) -> Unpacker {
        let packed = headers.get(CONTENT_ENCODING).is_some_and(|coding| {
            let coding = coding.as_bytes();
            coding.eq_ignore_ascii_case(b"gzip") || coding.eq_ignore_ascii_case(b"x-gzip")
        });
        Unpacker(packed.then(|| MultiGzDecoder::new(Vec::new())))
    }

    /// How a chunk is cut up before it is unpacked: not at all, where it is not packed.
    pub fn pieces(&self, chunk: &Chunk) -> impl Iterator<Item = Chunk> + use<> {
        let mut rest = chunk.clone();
        let size = self.0.as_ref().map_or(rest.len(), |_| PIECE).max(1);
        std::iter::from_fn(move || {
            let next = rest.split_to(size.min(rest.len()));
            (!next.is_empty()).then_some(next)
        })
    }

    /// What a piece unpacks to, maybe nothing yet.
    pub fn unpack(&mut self, piece: Chunk) -> io::Result<Chunk> {
        let Some(decoder) = &mut self.0 else {
            return Ok(piece);
        };
        decoder.write_all(&piece)?;
        decoder.flush()?;
        Ok(std::mem::take(decoder.get_mut()).into())
    }

    /// Whether the packed body was whole.
    pub fn end(&mut self) -> io::Result<()> {
        self.0.as_mut().map_or(Ok(()), MultiGzDecoder::try_finish)
    }
}
