//! ASCII armor: one or several blocks, with anything between them.

use std::borrow::Cow;
use std::io::Read;

use pgp::armor::{Dearmor, DearmorOptions};

use super::{Error, MAX_BYTES};

const BEGIN: &[u8] = b"-----BEGIN PGP ";
const END: &[u8] = b"-----END PGP ";

/// The binary form: `bytes` themselves if they start like a packet, else what the armored blocks in them hold.
pub(super) fn binary(bytes: &[u8]) -> Result<Cow<'_, [u8]>, Error> {
    if bytes.len() > MAX_BYTES {
        return Err(Error::TooLarge);
    }
    match bytes.first() {
        None => Ok(Cow::Borrowed(bytes)),
        // Each packet starts with this bit; no text does.
        Some(first) if first & 0x80 != 0 => Ok(Cow::Borrowed(bytes)),
        Some(_) => blocks(bytes).map(Cow::Owned),
    }
}

fn blocks(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let mut binary = Vec::new();
    let mut rest = bytes;
    let mut any = false;
    while let Some(start) = find_line(rest, BEGIN) {
        rest = &rest[start..];
        let end =
            find_line(rest, END).ok_or_else(|| Error::Malformed("armor without end".into()))?;
        let end = end
            + rest[end..]
                .iter()
                .position(|&byte| byte == b'\n')
                .map_or(rest.len() - end, |position| position + 1);
        let options = DearmorOptions::new().set_limit(MAX_BYTES);
        Dearmor::with_options(&rest[..end], options)
            .read_to_end(&mut binary)
            // The library's own words hold the whole input.
            .map_err(|_| Error::Malformed("damaged armor".into()))?;
        any = true;
        rest = &rest[end..];
    }
    match any {
        true => Ok(binary),
        false => Err(Error::NoData),
    }
}

/// Where a line starts with `prefix`.
fn find_line(bytes: &[u8], prefix: &[u8]) -> Option<usize> {
    let mut start = 0;
    loop {
        if bytes[start..].starts_with(prefix) {
            return Some(start);
        }
        start += bytes[start..].iter().position(|&byte| byte == b'\n')? + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKER: &str = "-----BEGIN PGP MESSAGE-----\n\nygNQR1A=\n-----END PGP MESSAGE-----\n";

    #[test]
    fn blocks_follow_each_other_with_text_between() {
        let marker = b"\xca\x03PGP";
        assert_eq!(binary(MARKER.as_bytes()).unwrap(), &marker[..]);
        let two = format!("A note.\n{MARKER}\nanother\n{MARKER}");
        assert_eq!(
            binary(two.as_bytes()).unwrap(),
            &[&marker[..], marker].concat()[..]
        );
        assert_eq!(binary(marker).unwrap(), &marker[..]);
    }

    #[test]
    fn text_and_cut_blocks_are_refused() {
        assert_eq!(binary(b"hello\n"), Err(Error::NoData));
        assert!(binary(&MARKER.as_bytes()[..40]).is_err());
        assert!(binary(b"").unwrap().is_empty());
    }
}
