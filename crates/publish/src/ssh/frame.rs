//! The frames in which both sides talk.
//!
//! A frame is a kind (one byte), the length of what follows (32 bits, big-endian), and that. Frames of control hold JSON, so
//! that later versions can add fields; objects and their names are bytes as they are. Nothing longer than [`LONGEST`] is
//! accepted, and nothing is allocated for a length before that much has come.

use crate::error::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{Read, Write};

/// No frame holds more.
pub(crate) const LONGEST: usize = 1024 * 1024;

/// What a frame is about.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// First frame of both sides: JSON, [`super::protocol::Hello`] or [`super::protocol::Welcome`].
    Hello = b'H',
    /// Refs of the receiver: JSON, a list of [`super::protocol::RefLine`]. Several may come.
    Refs = b'R',
    /// Names of objects, [`super::protocol::NAME`] bytes each: does the receiver have them?
    Have = b'?',
    /// The answer: a byte for each name, 1 for those that it has.
    Has = b'=',
    /// The name of the object that the following data is of.
    Object = b'O',
    /// A piece of the object; an empty one ends it.
    Data = b'D',
    /// Moves of refs: JSON, a list of [`super::protocol::Move`]. Several may come.
    Moves = b'M',
    /// No more comes: publish. Empty.
    Commit = b'C',
    /// What was done: JSON, [`super::protocol::Done`].
    Done = b'!',
    /// Why nothing was done: text.
    Failed = b'E',
}

impl Kind {
    fn of(byte: u8) -> Option<Kind> {
        [
            Kind::Hello,
            Kind::Refs,
            Kind::Have,
            Kind::Has,
            Kind::Object,
            Kind::Data,
            Kind::Moves,
            Kind::Commit,
            Kind::Done,
            Kind::Failed,
        ]
        .into_iter()
        .find(|kind| *kind as u8 == byte)
    }
}

pub(crate) fn write(out: &mut dyn Write, kind: Kind, payload: &[u8]) -> std::io::Result<()> {
    debug_assert!(payload.len() <= LONGEST);
    let mut head = [kind as u8, 0, 0, 0, 0];
    head[1..].copy_from_slice(&(payload.len() as u32).to_be_bytes());
    out.write_all(&head)?;
    out.write_all(payload)
}

pub(crate) fn write_json<T: Serialize>(
    out: &mut dyn Write,
    kind: Kind,
    value: &T,
) -> std::io::Result<()> {
    let text = serde_json::to_vec(value)?;
    if text.len() > LONGEST {
        return Err(std::io::Error::other("more than a frame may hold"));
    }
    write(out, kind, &text)
}

/// Writes a list in as many frames as it needs.
pub(crate) fn write_list<T: Serialize>(
    out: &mut dyn Write,
    kind: Kind,
    list: &[T],
) -> std::io::Result<()> {
    // A name has at most a few thousand bytes.
    for some in list.chunks(100) {
        write_json(out, kind, &some)?;
    }
    Ok(())
}

/// Reads a frame; none when the other side ended before one began.
pub(crate) fn read(from: &mut dyn Read, buffer: &mut Vec<u8>) -> Result<Option<Kind>> {
    let broken = |source| Error::Io {
        action: "reading from the other side".into(),
        source,
    };
    let mut head = [0; 5];
    let mut filled = 0;
    while filled < head.len() {
        match from.read(&mut head[filled..]) {
            Ok(0) if filled == 0 => return Ok(None),
            Ok(0) => return Err(broken(std::io::ErrorKind::UnexpectedEof.into())),
            Ok(n) => filled += n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(broken(e)),
        }
    }
    let bad = |cause: String| Error::Protocol {
        action: "reading from the other side",
        cause,
    };
    let kind = Kind::of(head[0]).ok_or_else(|| {
        bad(format!(
            "'{}' begins no frame; does something print there?",
            head.escape_ascii()
        ))
    })?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
    if length > LONGEST {
        return Err(bad(format!("a frame of {length} bytes")));
    }
    buffer.clear();
    from.take(length as u64)
        .read_to_end(buffer)
        .map_err(broken)?;
    if buffer.len() != length {
        return Err(broken(std::io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(Some(kind))
}

pub(crate) fn parse<T: DeserializeOwned>(payload: &[u8]) -> Result<T> {
    serde_json::from_slice(payload).map_err(|e| Error::Protocol {
        action: "reading from the other side",
        cause: e.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_and_nonsense_does_not() {
        let mut bytes = Vec::new();
        write(&mut bytes, Kind::Data, b"hello").unwrap();
        write(&mut bytes, Kind::Commit, b"").unwrap();
        let mut from = &bytes[..];
        let mut buffer = Vec::new();
        assert_eq!(read(&mut from, &mut buffer).unwrap(), Some(Kind::Data));
        assert_eq!(buffer, b"hello");
        assert_eq!(read(&mut from, &mut buffer).unwrap(), Some(Kind::Commit));
        assert_eq!(read(&mut from, &mut buffer).unwrap(), None);
        for bad in [
            &b"D\0\0\0"[..],
            b"D\0\0\0\x05hell",
            b"D\xff\xff\xff\xff",
            b"Welcome to this machine",
        ] {
            assert!(read(&mut &bad[..], &mut buffer).is_err(), "{bad:?}");
            // Nothing was made room for but what came.
            assert!(buffer.capacity() < 4096);
        }
    }
}
