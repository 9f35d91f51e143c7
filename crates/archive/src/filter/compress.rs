//! Files of `compress` (`.Z`): LZW with codes that grow from 9 bits.

use crate::input::Input;
use std::io::{self, Read};

const CLEAR: u32 = 256;

/// Unpacks such a file.
pub(super) struct Decoder {
    input: Input,
    max_bits: u32,
    /// Whether the code 256 empties the table.
    block_mode: bool,
    bits: u32,
    buffer: u64,
    have: u32,
    /// Codes of the current width that were read; they come in groups of eight.
    group: u32,
    prefix: Vec<u16>,
    suffix: Vec<u8>,
    previous: Option<u32>,
    first: u8,
    /// Unpacked bytes, last first.
    stack: Vec<u8>,
}

impl Decoder {
    pub(super) fn new(mut input: Input) -> io::Result<Decoder> {
        let mut header = [0; 3];
        if input.read_full(&mut header)? < 3 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let max_bits = u32::from(header[2] & 0x1f);
        if !(9..=16).contains(&max_bits) {
            return Err(invalid("codes of an impossible width"));
        }
        let block_mode = header[2] & 0x80 != 0;
        let size = 1 << max_bits;
        let mut decoder = Decoder {
            input,
            max_bits,
            block_mode,
            bits: 9,
            buffer: 0,
            have: 0,
            group: 0,
            prefix: Vec::with_capacity(size),
            suffix: Vec::with_capacity(size),
            previous: None,
            first: 0,
            stack: Vec::new(),
        };
        decoder.reset();
        Ok(decoder)
    }

    fn reset(&mut self) {
        self.prefix.clear();
        self.suffix.clear();
        self.prefix.resize(256, 0);
        self.suffix.extend(0..=255);
        if self.block_mode {
            self.prefix.push(0);
            self.suffix.push(0);
        }
        self.bits = 9;
        self.previous = None;
    }

    fn code(&mut self) -> io::Result<Option<u32>> {
        while self.have < self.bits {
            let mut byte = [0];
            if self.input.read_full(&mut byte)? == 0 {
                return Ok(None);
            }
            self.buffer |= u64::from(byte[0]) << self.have;
            self.have += 8;
        }
        let code = (self.buffer & ((1 << self.bits) - 1)) as u32;
        self.buffer >>= self.bits;
        self.have -= self.bits;
        self.group = (self.group + 1) % 8;
        Ok(Some(code))
    }

    /// Passes over what is left of a group of eight codes: the width changes only between groups.
    fn align(&mut self) -> io::Result<()> {
        while self.group != 0 {
            if self.code()?.is_none() {
                self.group = 0;
            }
        }
        Ok(())
    }

    /// Unpacks one code onto the stack; `false` at the end.
    fn step(&mut self) -> io::Result<bool> {
        let table = self.prefix.len() as u32;
        if table >= 1 << self.bits && self.bits < self.max_bits {
            self.align()?;
            self.bits += 1;
        }
        let Some(code) = self.code()? else {
            return Ok(false);
        };
        if self.block_mode && code == CLEAR {
            self.align()?;
            self.reset();
            return Ok(true);
        }
        let mut at = code;
        if code == table && self.previous.is_some() {
            self.stack.push(self.first);
            at = self.previous.unwrap_or_default();
        } else if code >= table || (self.previous.is_none() && code > 255) {
            return Err(invalid("a code that was not defined"));
        }
        while at > 255 {
            self.stack.push(self.suffix[at as usize]);
            at = u32::from(self.prefix[at as usize]);
        }
        self.first = at as u8;
        self.stack.push(self.first);
        if let Some(previous) = self.previous
            && self.prefix.len() < 1 << self.max_bits
        {
            self.prefix.push(previous as u16);
            self.suffix.push(self.first);
        }
        self.previous = Some(code);
        Ok(true)
    }
}

impl Read for Decoder {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut n = 0;
        while n < out.len() {
            match self.stack.pop() {
                Some(byte) => {
                    out[n] = byte;
                    n += 1;
                }
                None if self.step()? => {}
                None => break,
            }
        }
        Ok(n)
    }
}

fn invalid(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}
