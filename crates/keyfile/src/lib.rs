//! Key files as GLib's `GKeyFile` reads and writes them: repository configuration, remotes,
//! deployment origins, `prepare-root.conf`.
//!
//! A key file is lines of bytes: `[group]` headers, `key=value` pairs, and comments (`#...` or a
//! blank line). Order, comments and unknown keys survive an edit. Names and values need not be
//! UTF-8 to survive, only to be asked for.
//!
//! Locale-free: `key[de]` is just another key.
//!
//! ```
//! use osier_keyfile::{KeyFile, Optional};
//!
//! let mut config = KeyFile::parse(b"[core]\nrepo_version=1\n# keep me\nmode=bare\n")?;
//! assert_eq!(config.string("core", "mode")?, "bare");
//! assert_eq!(config.boolean("core", "fsync").optional()?, None);
//! config.set_boolean("core", "fsync", false)?;
//! assert_eq!(
//!     config.to_bytes(),
//!     b"[core]\nrepo_version=1\n# keep me\nmode=bare\nfsync=false\n"
//! );
//! # Ok::<(), osier_keyfile::Error>(())
//! ```
#![forbid(unsafe_code)]

mod error;
mod escape;
mod number;
mod parse;

pub use error::{Error, Optional};

/// Separator of list values.
const LIST_SEPARATOR: u8 = b';';

#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    /// A comment or blank line, verbatim, without its newline.
    Comment(Vec<u8>),
    /// `key=value`; the value is still escaped.
    Pair { key: Vec<u8>, value: Vec<u8> },
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    name: Vec<u8>,
    lines: Vec<Line>,
}

/// An editable key file.
///
/// A group that appears twice is one group, at its first place. A key that appears twice keeps both
/// lines; the last one is the one read and changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyFile {
    /// Comments before the first group header.
    preamble: Vec<Line>,
    groups: Vec<Group>,
}

impl KeyFile {
    /// An empty key file.
    pub fn new() -> KeyFile {
        KeyFile::default()
    }

    /// Reads `data`, keeping comments.
    ///
    /// # Errors
    /// A line that is no comment, group or pair, a bad group or key name, a pair before the first
    /// group, or an `Encoding` other than UTF-8 in the first group.
    pub fn parse(data: &[u8]) -> Result<KeyFile, Error> {
        parse::parse(data)
    }

    /// The file's bytes: every line as it stood but for carriage returns at its end, and one blank line before each group
    /// but the first.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        write_lines(&mut out, &self.preamble);
        for group in &self.groups {
            if out.len() >= 2 && !out.ends_with(b"\n\n") {
                out.push(b'\n');
            }
            out.push(b'[');
            out.extend_from_slice(&group.name);
            out.extend_from_slice(b"]\n");
            write_lines(&mut out, &group.lines);
        }
        out
    }

    /// Drops comments and blank lines, which is what a program that loads a key file without
    /// `G_KEY_FILE_KEEP_COMMENTS` writes back.
    pub fn strip_comments(&mut self) {
        self.preamble.clear();
        for group in &mut self.groups {
            group.lines.retain(|line| matches!(line, Line::Pair { .. }));
        }
    }

    /// Group names in file order; names that are not UTF-8 are left out.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.groups
            .iter()
            .filter_map(|group| std::str::from_utf8(&group.name).ok())
    }

    /// Whether `group` exists, even without keys.
    pub fn has_group(&self, group: &str) -> bool {
        self.find(group).is_some()
    }

    /// The keys of `group` in file order; a doubled key is listed once, names that are not UTF-8
    /// are left out.
    ///
    /// # Errors
    /// [`Error::GroupNotFound`].
    pub fn keys(&self, group: &str) -> Result<Vec<&str>, Error> {
        let mut keys: Vec<&str> = Vec::new();
        for line in &self.group(group)?.lines {
            if let Line::Pair { key, .. } = line
                && let Ok(key) = std::str::from_utf8(key)
                && !keys.contains(&key)
            {
                keys.push(key);
            }
        }
        Ok(keys)
    }

    /// Whether `group` holds `key`.
    pub fn has_key(&self, group: &str, key: &str) -> bool {
        self.value(group, key).is_ok()
    }

    /// The raw value, still escaped.
    ///
    /// # Errors
    /// [`Error::GroupNotFound`], [`Error::KeyNotFound`].
    pub fn value(&self, group: &str, key: &str) -> Result<&[u8], Error> {
        self.group(group)?
            .lines
            .iter()
            .rev()
            .find_map(|line| match line {
                Line::Pair { key: k, value } if k == key.as_bytes() => Some(value.as_slice()),
                _ => None,
            })
            .ok_or_else(|| Error::KeyNotFound {
                group: group.to_owned(),
                key: key.to_owned(),
            })
    }

    /// The value with `\s \n \t \r \\` replaced.
    ///
    /// # Errors
    /// As [`KeyFile::value`], and [`Error::NotUtf8`] or [`Error::InvalidValue`] for another escape.
    pub fn string(&self, group: &str, key: &str) -> Result<String, Error> {
        let text = self.text(group, key)?;
        escape::unescape(text).ok_or_else(|| Error::InvalidValue {
            key: key.to_owned(),
        })
    }

    /// The value split at `;`, each element unescaped; `\;` is a semicolon. A trailing `;` adds no
    /// element, and an empty value is an empty list.
    ///
    /// # Errors
    /// As [`KeyFile::string`].
    pub fn string_list(&self, group: &str, key: &str) -> Result<Vec<String>, Error> {
        let text = self.text(group, key)?;
        escape::unescape_list(text, LIST_SEPARATOR as char).ok_or_else(|| Error::InvalidValue {
            key: key.to_owned(),
        })
    }

    /// `true` or `1`, `false` or `0`; white space after it is ignored.
    ///
    /// # Errors
    /// As [`KeyFile::value`], and [`Error::InvalidValue`] for anything else.
    pub fn boolean(&self, group: &str, key: &str) -> Result<bool, Error> {
        match trim_end(self.value(group, key)?) {
            b"true" | b"1" => Ok(true),
            b"false" | b"0" => Ok(false),
            _ => Err(Error::InvalidValue {
                key: key.to_owned(),
            }),
        }
    }

    /// A decimal 32-bit number. Text after white space is ignored, as GLib does.
    ///
    /// # Errors
    /// As [`KeyFile::value`], and [`Error::InvalidInteger`] for no number or one out of range.
    pub fn int32(&self, group: &str, key: &str) -> Result<i32, Error> {
        number::int32(self.value(group, key)?).ok_or_else(|| Error::InvalidInteger {
            group: group.to_owned(),
            key: key.to_owned(),
        })
    }

    /// A decimal 64-bit number; one out of range becomes the nearest limit.
    ///
    /// # Errors
    /// As [`KeyFile::value`], and [`Error::Expected`] for anything but a number.
    pub fn int64(&self, group: &str, key: &str) -> Result<i64, Error> {
        let value = self.value(group, key)?;
        number::int64(value).ok_or_else(|| expected(group, key, value, "int64"))
    }

    /// A decimal 64-bit unsigned number; too large becomes the largest, and a minus sign wraps
    /// around (`-1` is the largest), as GLib does.
    ///
    /// # Errors
    /// As [`KeyFile::value`], and [`Error::Expected`] for anything but a number.
    pub fn uint64(&self, group: &str, key: &str) -> Result<u64, Error> {
        let value = self.value(group, key)?;
        number::uint64(value).ok_or_else(|| expected(group, key, value, "uint64"))
    }

    /// Sets a raw value, which the caller has escaped. A new key goes behind the last key of its
    /// group, a new group to the end of the file.
    ///
    /// # Errors
    /// [`Error::GroupName`] or [`Error::KeyName`], and [`Error::LineBreak`] if `value` would not
    /// stay on its line.
    pub fn set_value(&mut self, group: &str, key: &str, value: &[u8]) -> Result<(), Error> {
        if !parse::is_group_name(group.as_bytes()) {
            return Err(Error::GroupName(group.to_owned()));
        }
        if !parse::is_key_name(key.as_bytes()) || parse::has_line_break(key.as_bytes()) {
            return Err(Error::KeyName(key.to_owned()));
        }
        if parse::has_line_break(value) {
            return Err(Error::LineBreak {
                key: key.to_owned(),
            });
        }
        self.entry(group.as_bytes()).set(key.as_bytes(), value);
        Ok(())
    }

    /// Sets a string: leading blanks, control characters and backslashes are escaped.
    ///
    /// # Errors
    /// As [`KeyFile::set_value`].
    pub fn set_string(&mut self, group: &str, key: &str, value: &str) -> Result<(), Error> {
        self.set_value(group, key, escape::escape(value, None).as_bytes())
    }

    /// Sets a list: each element escaped and followed by `;`.
    ///
    /// # Errors
    /// As [`KeyFile::set_value`].
    pub fn set_string_list<S: AsRef<str>>(
        &mut self,
        group: &str,
        key: &str,
        values: &[S],
    ) -> Result<(), Error> {
        let mut text = String::new();
        for value in values {
            let separator = LIST_SEPARATOR as char;
            text.push_str(&escape::escape(value.as_ref(), Some(separator)));
            text.push(separator);
        }
        self.set_value(group, key, text.as_bytes())
    }

    /// Sets `true` or `false`.
    ///
    /// # Errors
    /// As [`KeyFile::set_value`].
    pub fn set_boolean(&mut self, group: &str, key: &str, value: bool) -> Result<(), Error> {
        self.set_value(group, key, if value { b"true" } else { b"false" })
    }

    /// Sets a decimal number.
    ///
    /// # Errors
    /// As [`KeyFile::set_value`].
    pub fn set_int64(&mut self, group: &str, key: &str, value: i64) -> Result<(), Error> {
        self.set_value(group, key, value.to_string().as_bytes())
    }

    /// Sets a decimal number.
    ///
    /// # Errors
    /// As [`KeyFile::set_value`].
    pub fn set_uint64(&mut self, group: &str, key: &str, value: u64) -> Result<(), Error> {
        self.set_value(group, key, value.to_string().as_bytes())
    }

    /// Removes every line of `key`; its comments stay.
    ///
    /// # Errors
    /// [`Error::GroupNotFound`], [`Error::KeyNotFound`].
    pub fn remove_key(&mut self, group: &str, key: &str) -> Result<(), Error> {
        self.value(group, key)?;
        let group = self.entry(group.as_bytes());
        group
            .lines
            .retain(|line| !matches!(line, Line::Pair { key: k, .. } if k == key.as_bytes()));
        Ok(())
    }

    /// Removes `group` with all that stands below its header.
    ///
    /// # Errors
    /// [`Error::GroupNotFound`].
    pub fn remove_group(&mut self, group: &str) -> Result<(), Error> {
        self.group(group)?;
        self.groups.retain(|g| g.name != group.as_bytes());
        Ok(())
    }

    fn find(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|g| g.name == name.as_bytes())
    }

    fn group(&self, name: &str) -> Result<&Group, Error> {
        self.find(name)
            .ok_or_else(|| Error::GroupNotFound(name.to_owned()))
    }

    fn text(&self, group: &str, key: &str) -> Result<&str, Error> {
        let value = self.value(group, key)?;
        std::str::from_utf8(value).map_err(|_| Error::NotUtf8 {
            key: key.to_owned(),
            value: String::from_utf8_lossy(value).into_owned(),
        })
    }

    /// The group named `name`, created at the end if missing.
    fn entry(&mut self, name: &[u8]) -> &mut Group {
        let at = match self.groups.iter().position(|g| g.name == name) {
            Some(at) => at,
            None => {
                self.groups.push(Group {
                    name: name.to_owned(),
                    lines: Vec::new(),
                });
                self.groups.len() - 1
            }
        };
        &mut self.groups[at]
    }
}

impl Group {
    fn set(&mut self, key: &[u8], value: &[u8]) {
        let old = self.lines.iter_mut().rev().find_map(|line| match line {
            Line::Pair { key: k, value } if k == key => Some(value),
            _ => None,
        });
        match old {
            Some(old) => *old = value.to_owned(),
            None => {
                // Behind the last key: comments and blank lines after it belong to what follows.
                let last = self
                    .lines
                    .iter()
                    .rposition(|line| matches!(line, Line::Pair { .. }));
                let pair = Line::Pair {
                    key: key.to_owned(),
                    value: value.to_owned(),
                };
                self.lines.insert(last.map_or(0, |last| last + 1), pair);
            }
        }
    }
}

fn write_lines(out: &mut Vec<u8>, lines: &[Line]) {
    for line in lines {
        match line {
            Line::Comment(text) => out.extend_from_slice(text),
            Line::Pair { key, value } => {
                out.extend_from_slice(key);
                out.push(b'=');
                out.extend_from_slice(value);
            }
        }
        // A reader takes a carriage return before the line feed for part of it, so that it would be lost in the next round.
        while out.last() == Some(&b'\r') {
            out.pop();
        }
        out.push(b'\n');
    }
}

fn trim_end(value: &[u8]) -> &[u8] {
    let end = value
        .iter()
        .rposition(|&byte| !parse::is_space(byte))
        .map_or(0, |last| last + 1);
    &value[..end]
}

fn expected(group: &str, key: &str, value: &[u8], ty: &'static str) -> Error {
    Error::Expected {
        group: group.to_owned(),
        key: key.to_owned(),
        value: String::from_utf8_lossy(value).into_owned(),
        ty,
    }
}
