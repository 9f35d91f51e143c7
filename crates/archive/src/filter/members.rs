//! Compressed data that may consist of several members, one after the other, with anything behind the last.

use crate::input::Input;
use std::io::{self, Read};

/// One member's decoder.
enum Decoder {
    Gzip(Box<flate2::bufread::GzDecoder<Input>>),
    Bzip2(bzip2::bufread::BzDecoder<Input>),
    Lz4(Box<lz4_flex::frame::FrameDecoder<Input>>),
}

impl Decoder {
    fn into_inner(self) -> Input {
        match self {
            Decoder::Gzip(d) => d.into_inner(),
            Decoder::Bzip2(d) => d.into_inner(),
            Decoder::Lz4(d) => d.into_inner(),
        }
    }
}

/// All members as one stream.
pub(super) struct Members {
    decoder: Option<Decoder>,
    open: fn(Input) -> Decoder,
    /// How each further member begins.
    is_member: fn(&[u8]) -> bool,
}

impl Members {
    pub(super) fn gzip(input: Input) -> Members {
        Members::new(
            input,
            |input| Decoder::Gzip(Box::new(flate2::bufread::GzDecoder::new(input))),
            |head| head.starts_with(&[0x1f, 0x8b, 8]),
        )
    }

    pub(super) fn bzip2(input: Input) -> Members {
        Members::new(
            input,
            |input| Decoder::Bzip2(bzip2::bufread::BzDecoder::new(input)),
            |head| head.starts_with(b"BZh"),
        )
    }

    pub(super) fn lz4(input: Input) -> Members {
        Members::new(
            input,
            |input| Decoder::Lz4(Box::new(lz4_flex::frame::FrameDecoder::new(input))),
            |head| {
                head.starts_with(&[0x04, 0x22, 0x4d, 0x18])
                    || head.starts_with(&[2, 0x21, 0x4c, 0x18])
            },
        )
    }

    fn new(input: Input, open: fn(Input) -> Decoder, is_member: fn(&[u8]) -> bool) -> Members {
        Members {
            decoder: Some(open(input)),
            open,
            is_member,
        }
    }
}

impl Read for Members {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            let Some(decoder) = &mut self.decoder else {
                return Ok(0);
            };
            let n = match decoder {
                Decoder::Gzip(d) => d.read(out)?,
                Decoder::Bzip2(d) => d.read(out)?,
                Decoder::Lz4(d) => d.read(out)?,
            };
            if n > 0 {
                return Ok(n);
            }
            let mut input = match self.decoder.take() {
                Some(decoder) => decoder.into_inner(),
                None => return Ok(0),
            };
            if (self.is_member)(input.peek(4)?) {
                self.decoder = Some((self.open)(input));
            }
        }
    }
}
