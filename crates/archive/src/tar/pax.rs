//! Extended headers: records `LENGTH KEY=VALUE\n` in front of an entry.

use super::number::decimal;
use super::sparse::Map;
use crate::error::{Error, Result};
use crate::input::Input;
use crate::{MAX_NAME, MAX_XATTRS};
use std::io::BufRead;

/// Longest key: a namespace and a name of 255 bytes, each byte written as three.
const MAX_KEY: usize = 1024;

/// What extended headers say about the next entry.
#[derive(Default)]
pub(super) struct Attributes {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<i64>,
    pub(super) uid: Option<i64>,
    pub(super) gid: Option<i64>,
    pub(super) acl: Option<Vec<u8>>,
    pub(super) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) sparse: Map,
    xattr_bytes: u64,
}

/// Whom an extended header speaks of.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(super) enum Scope {
    /// The next entry.
    Entry,
    /// All that follow. No program writes what could matter here, but for comments.
    Global,
}

impl Attributes {
    /// Reads the records in `left` bytes of input. A malformed one ends them, as every reader has it.
    pub(super) fn read(&mut self, input: &mut Input, mut left: u64, scope: Scope) -> Result<()> {
        while left > 0 {
            let Some((used, key, value)) = record_start(input, left)? else {
                break;
            };
            left -= used;
            if scope == Scope::Global && is_known(&key) {
                return Err(Error::damaged(format!(
                    "Unsupported pax global extended header attribute '{}'",
                    String::from_utf8_lossy(&key)
                )));
            }
            // A value is followed by a newline.
            let limit = limit(&key);
            if limit == 0 {
                skip(input, value)?;
            } else if value > limit {
                return Err(Error::damaged(format!(
                    "pax attribute {} of {value} bytes is too long",
                    String::from_utf8_lossy(&key)
                )));
            } else {
                let mut bytes = vec![0; value as usize];
                if input.read_full(&mut bytes)? < bytes.len() {
                    return Err(truncated("pax attribute data"));
                }
                self.set(&key, bytes)?;
            }
            left -= value;
            if left == 0 || input.peek(1)?.first() != Some(&b'\n') {
                break;
            }
            input.consume(1);
            left -= 1;
        }
        skip(input, left)
    }

    fn set(&mut self, key: &[u8], value: Vec<u8>) -> Result<()> {
        let text =
            |value: Vec<u8>| Some(super::header::text(&value).to_vec()).filter(|v| !v.is_empty());
        match key {
            b"path" => self.path = text(value).or(self.path.take()),
            b"linkpath" => self.link = text(value).or(self.link.take()),
            b"size" => self.size = Some(decimal(&value)),
            b"uid" => self.uid = Some(decimal(&value)),
            b"gid" => self.gid = Some(decimal(&value)),
            b"SCHILY.acl.access" => self.acl = Some(value),
            b"RHT.security.selinux" => self.xattr(b"security.selinux".to_vec(), value)?,
            _ => {
                if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
                    self.xattr(name.to_vec(), value)?;
                } else if let Some(name) = key.strip_prefix(b"LIBARCHIVE.xattr.") {
                    self.xattr(percent_decoded(name), base64_decoded(&value))?;
                } else {
                    self.sparse.set(key, &value)?;
                }
            }
        }
        Ok(())
    }

    fn xattr(&mut self, name: Vec<u8>, value: Vec<u8>) -> Result<()> {
        self.xattr_bytes += (name.len() + value.len() + 64) as u64;
        if self.xattr_bytes > MAX_XATTRS {
            return Err(Error::damaged(format!(
                "extended attributes of more than {MAX_XATTRS} bytes"
            )));
        }
        // A name ends where C ends it.
        let name = super::header::text(&name).to_vec();
        if !name.is_empty() {
            self.xattrs.push((name, value));
        }
        Ok(())
    }
}

/// The longest value that a key may have; 0 when nobody wants it.
fn limit(key: &[u8]) -> u64 {
    if key.starts_with(b"SCHILY.xattr.") || key.starts_with(b"LIBARCHIVE.xattr.") {
        return MAX_XATTRS;
    }
    match key {
        b"size" | b"uid" | b"gid" => 64,
        b"GNU.sparse.map" => 8 * MAX_NAME,
        b"path" | b"linkpath" | b"SCHILY.acl.access" | b"RHT.security.selinux" => MAX_NAME,
        b"SCHILY.realsize" => 64,
        b"SUN.holesdata" => MAX_NAME,
        _ if key.starts_with(b"GNU.sparse.") => MAX_NAME,
        _ => 0,
    }
}

/// Keys that mean something in front of an entry and cannot be had for all entries.
fn is_known(key: &[u8]) -> bool {
    limit(key) > 0
        || matches!(
            key,
            b"hdrcharset"
                | b"mtime"
                | b"atime"
                | b"ctime"
                | b"uname"
                | b"gname"
                | b"LIBARCHIVE.creationtime"
        )
        || key.starts_with(b"SCHILY.")
}

/// The beginning of a record: how many bytes it took, the key, and how many the value has. `None` when it is
/// malformed.
fn record_start(input: &mut Input, left: u64) -> Result<Option<(u64, Vec<u8>, u64)>> {
    let want = left.min((MAX_KEY + 24) as u64) as usize;
    let head = input.peek(want)?;
    let cut = head.len() < want;
    let Some(space) = head.iter().take(20).position(|b| *b == b' ') else {
        return match cut {
            true => Err(truncated("pax attribute name")),
            false => Ok(None),
        };
    };
    let digits = &head[..space];
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Ok(None);
    }
    let length = decimal(digits) as u64;
    let Some(equals) = head[space + 1..].iter().position(|b| *b == b'=') else {
        return match cut {
            true => Err(truncated("pax attribute name")),
            false => Ok(None),
        };
    };
    let used = (space + 1 + equals + 1) as u64;
    // At least the newline must be left.
    if length <= used || length > left || equals == 0 {
        return Ok(None);
    }
    let key = head[space + 1..space + 1 + equals].to_vec();
    input.consume(used as usize);
    Ok(Some((used, key, length - used - 1)))
}

fn skip(input: &mut Input, n: u64) -> Result<()> {
    match input.skip(n)? < n {
        true => Err(truncated("pax attribute data")),
        false => Ok(()),
    }
}

fn truncated(what: &'static str) -> Error {
    Error::Truncated {
        format: "tar",
        what,
    }
}

fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        let hex = |b: Option<&u8>| b.and_then(|b| (*b as char).to_digit(16));
        match (first, hex(tail.first()), hex(tail.get(1))) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                rest = &tail[2..];
            }
            _ => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    out
}

/// Base64 as libarchive reads it: padding is optional, what is no digit is passed over, an equals sign ends it.
fn base64_decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let (mut bits, mut have) = (0u32, 0u32);
    for byte in text {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' | b'_' => break,
            _ => continue,
        };
        bits = (bits << 6) | u32::from(digit);
        have += 6;
        if have >= 8 {
            have -= 8;
            out.push((bits >> have) as u8);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_of_attributes() {
        assert_eq!(percent_decoded(b"user.b%20c%zz%4"), b"user.b c%zz%4");
        assert_eq!(base64_decoded(b"aGVsbG8="), b"hello");
        assert_eq!(base64_decoded(b"aGVsbG8"), b"hello");
        assert_eq!(base64_decoded(b"a*GV!s"), b"hel");
    }

    fn read(bytes: &[u8], scope: Scope) -> Result<Attributes> {
        let mut input = Input::new(Box::new(std::io::Cursor::new(bytes.to_vec())));
        let mut attributes = Attributes::default();
        attributes.read(&mut input, bytes.len() as u64, scope)?;
        assert!(input.peek(1).unwrap().is_empty(), "all of it is taken");
        Ok(attributes)
    }

    #[test]
    fn malformed_records_end_the_header() {
        for bytes in [
            &b"garbage no len"[..],
            b"99 path=x\n",
            b"9 pathxxx\n",
            b"0 path=x\n",
            b"5 path=x\n",
            b"-9 path=x\n",
            b"99999999999999999999999 path=x\n",
            b"\0\0\0\0",
            b"3 =",
        ] {
            let attributes = read(bytes, Scope::Entry).unwrap();
            assert_eq!(attributes.path, None, "{bytes:?}");
        }
        let attributes = read(b"8 uid=7\njunk", Scope::Entry).unwrap();
        assert_eq!(attributes.uid, Some(7));
    }

    #[test]
    fn unknown_keys_of_any_length_are_passed_over() {
        let value = "x".repeat(3_000_000);
        let record = format!("3000017 FOO.bar={value}\n");
        let bytes = format!("{record}8 uid=7\n");
        assert_eq!(read(bytes.as_bytes(), Scope::Entry).unwrap().uid, Some(7));
    }

    #[test]
    fn global_headers_may_only_comment() {
        assert!(read(b"13 comment=x\n", Scope::Global).is_ok());
        let error = read(b"8 uid=7\n", Scope::Global).err().unwrap();
        assert!(error.to_string().contains("attribute 'uid'"), "{error}");
    }
}
