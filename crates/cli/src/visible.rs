//! Control characters, written out as text.

use std::io::{self, Write};

/// Begins each of the control characters U+0080 to U+009F in UTF-8, which some terminals obey.
const C1_LEAD: u8 = 0xc2;

/// Replaces control characters but line ends and tabs in a stream of bytes that comes in pieces.
#[derive(Debug, Default)]
pub struct Visible {
    /// [`C1_LEAD`] was the last byte and is not written yet.
    held: bool,
}

impl Visible {
    /// Writes one piece.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&mut self, mut bytes: &[u8], out: &mut impl Write) -> io::Result<()> {
        while let Some(&first) = bytes.first() {
            if std::mem::take(&mut self.held) {
                if (0x80..0xa0).contains(&first) {
                    write_out(first, out)?;
                    bytes = &bytes[1..];
                    continue;
                }
                out.write_all(&[C1_LEAD])?;
            }
            let plain = bytes.iter().position(|b| *b == C1_LEAD || is_control(*b));
            let (text, rest) = bytes.split_at(plain.unwrap_or(bytes.len()));
            out.write_all(text)?;
            bytes = rest;
            if let Some((&next, rest)) = bytes.split_first() {
                self.held = next == C1_LEAD;
                if !self.held {
                    write_out(next, out)?;
                }
                bytes = rest;
            }
        }
        Ok(())
    }

    /// Writes what was held back for its next piece.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn end(&mut self, out: &mut impl Write) -> io::Result<()> {
        match std::mem::take(&mut self.held) {
            true => out.write_all(&[C1_LEAD]),
            false => Ok(()),
        }
    }
}

/// The same for a text.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && c != '\n' && c != '\t' {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && byte != b'\n' && byte != b'\t'
}

fn write_out(byte: u8, out: &mut impl Write) -> io::Result<()> {
    write!(out, "{}", char::from(byte).escape_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVIL: &str = "a\x1b[31mred\r\x07\u{9b}2J\u{7f}\u{a0}é\tb\nÂ\u{8f}ÂÂ";
    const SHOWN: &str = "a\\u{1b}[31mred\\r\\u{7}\\u{9b}2J\\u{7f}\u{a0}é\tb\nÂ\\u{8f}ÂÂ";

    #[test]
    fn whatever_the_pieces() {
        for size in 1..EVIL.len() + 1 {
            let (mut visible, mut out) = (Visible::default(), Vec::new());
            for piece in EVIL.as_bytes().chunks(size) {
                visible.write(piece, &mut out).unwrap();
            }
            visible.end(&mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), SHOWN, "pieces of {size}");
        }
        assert_eq!(visible(EVIL), SHOWN);
    }

    #[test]
    fn bytes_that_are_no_text_stay() {
        let (mut visible, mut out) = (Visible::default(), Vec::new());
        visible.write(&[0xff, 0x80, 0xc2, 0xc2], &mut out).unwrap();
        visible.end(&mut out).unwrap();
        assert_eq!(out, [0xff, 0x80, 0xc2, 0xc2]);
    }
}
