//! Lines to groups and pairs.

use crate::{Error, KeyFile, Line};

/// ASCII white space without vertical tab.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0c)
}

/// Bytes that end a line or, for C programs, the string.
pub(crate) fn has_line_break(bytes: &[u8]) -> bool {
    bytes.iter().any(|byte| matches!(byte, b'\n' | 0))
}

pub(crate) fn is_group_name(name: &[u8]) -> bool {
    !name.is_empty()
        && !name
            .iter()
            .any(|&byte| matches!(byte, b'[' | b']') || byte.is_ascii_control())
}

/// A name without `=` and brackets, blanks only inside, then perhaps `[locale]`.
pub(crate) fn is_key_name(name: &[u8]) -> bool {
    let end = name
        .iter()
        .position(|byte| matches!(byte, b'=' | b'[' | b']'))
        .unwrap_or(name.len());
    let (base, locale) = name.split_at(end);
    if base.is_empty() || base.starts_with(b" ") || base.ends_with(b" ") {
        return false;
    }
    let Some((first, rest)) = locale.split_first() else {
        return true;
    };
    let Some((last, inner)) = rest.split_last() else {
        return false;
    };
    *first == b'['
        && *last == b']'
        && std::str::from_utf8(inner).is_ok_and(|inner| {
            inner
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@'))
        })
}

pub(crate) fn parse(data: &[u8]) -> Result<KeyFile, Error> {
    let mut file = KeyFile::new();
    let mut current: Option<Vec<u8>> = None;
    let mut rest = data;
    while !rest.is_empty() {
        let line = match rest.iter().position(|&byte| byte == b'\n') {
            Some(end) => {
                let line = &rest[..end];
                rest = &rest[end + 1..];
                line.strip_suffix(b"\r").unwrap_or(line)
            }
            None => std::mem::take(&mut rest),
        };
        // GLib works on C strings: a NUL hides the rest of its line.
        let whole = line;
        let line = line.split(|&byte| byte == 0).next().unwrap_or_default();
        let text = line.trim_ascii_start_glib();
        if text.is_empty() || text.starts_with(b"#") {
            let lines = match &current {
                Some(name) => &mut file.entry(name).lines,
                None => &mut file.preamble,
            };
            lines.push(Line::Comment(line.to_owned()));
        } else if let Some(name) = group_header(text) {
            if !is_group_name(name) {
                return Err(Error::GroupName(lossy(name)));
            }
            file.entry(name);
            current = Some(name.to_owned());
        } else if let Some((key, value)) = pair(text) {
            let Some(name) = &current else {
                return Err(Error::NoStartGroup);
            };
            if !is_key_name(key) {
                return Err(Error::KeyName(lossy(key)));
            }
            if key == b"Encoding"
                && file.groups.first().is_some_and(|first| first.name == *name)
                && !value.eq_ignore_ascii_case(b"UTF-8")
            {
                return Err(Error::Encoding(lossy(value)));
            }
            file.entry(name).lines.push(Line::Pair {
                key: key.to_owned(),
                value: value.to_owned(),
            });
        } else {
            return Err(Error::Line(lossy(whole).replace('\0', "\u{fffd}")));
        }
    }
    Ok(file)
}

/// The name in `[name]`, blanks allowed after it.
fn group_header(text: &[u8]) -> Option<&[u8]> {
    let inner = text.strip_prefix(b"[")?;
    let end = inner.iter().position(|&byte| byte == b']')?;
    inner[end + 1..]
        .iter()
        .all(|byte| matches!(byte, b' ' | b'\t'))
        .then_some(&inner[..end])
}

/// Key and value, without the blanks around `=`.
fn pair(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|&byte| byte == b'=')?;
    if at == 0 {
        return None;
    }
    let key = &text[..at];
    let end = key.iter().rposition(|&byte| !is_space(byte))? + 1;
    Some((&key[..end], text[at + 1..].trim_ascii_start_glib()))
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

trait TrimStart {
    fn trim_ascii_start_glib(&self) -> &Self;
}

impl TrimStart for [u8] {
    fn trim_ascii_start_glib(&self) -> &[u8] {
        let start = self
            .iter()
            .position(|&byte| !is_space(byte))
            .unwrap_or(self.len());
        &self[start..]
    }
}
