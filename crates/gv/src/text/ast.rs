//! Text to a tree of nodes that know where they came from.

use std::ops::Range;

use super::error;
use crate::{Error, MAX_DEPTH, Type};

/// A piece of text format: what it is and the bytes it takes.
#[derive(Debug)]
pub(super) struct Node<'a> {
    pub start: usize,
    pub end: usize,
    pub kind: Kind<'a>,
}

#[derive(Debug)]
pub(super) enum Kind<'a> {
    Bool(bool),
    /// The whole token, sign included.
    Number(&'a str),
    /// Without quotes, escapes resolved.
    Text(String),
    /// `b'…'` with its NUL, escapes resolved.
    Bytes(Vec<u8>),
    Array(Vec<Node<'a>>),
    Tuple(Vec<Node<'a>>),
    Dict(Vec<(Node<'a>, Node<'a>)>),
    Entry(Box<(Node<'a>, Node<'a>)>),
    Variant(Box<Node<'a>>),
    Maybe(Option<Box<Node<'a>>>),
    Typed(Type, Box<Node<'a>>),
}

pub(super) struct Parser<'a> {
    text: &'a str,
    /// First byte not consumed.
    at: usize,
}

/// Keywords that declare the type of the value after them.
const TYPE_KEYWORDS: [(&str, &str); 13] = [
    ("boolean", "b"),
    ("byte", "y"),
    ("int16", "n"),
    ("uint16", "q"),
    ("int32", "i"),
    ("handle", "h"),
    ("uint32", "u"),
    ("int64", "x"),
    ("uint64", "t"),
    ("double", "d"),
    ("string", "s"),
    ("objectpath", "o"),
    ("signature", "g"),
];

impl<'a> Parser<'a> {
    pub fn new(text: &'a str) -> Self {
        Parser { text, at: 0 }
    }

    /// The value at the front of the text.
    pub fn value(&mut self) -> Result<Node<'a>, Error> {
        self.node(MAX_DEPTH)
    }

    /// Demands that nothing but white space is left.
    pub fn end(&mut self) -> Result<(), Error> {
        let next = self.peek();
        if next.is_empty() {
            Ok(())
        } else {
            self.expected("end of input")
        }
    }

    fn expected<T>(&self, what: &str) -> Result<T, Error> {
        Err(error(self.at, self.at, format!("expected {what}")))
    }

    /// Skips white space and returns the next token, empty at the end of the text.
    fn peek(&mut self) -> &'a str {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at).is_some_and(|&b| is_space(b)) {
            self.at += 1;
        }
        let rest = &self.text[self.at..];
        &rest[..token_length(rest)]
    }

    /// Consumes the next token, whose place it returns.
    fn take(&mut self) -> Range<usize> {
        let length = self.peek().len();
        self.at += length;
        self.at - length..self.at
    }

    /// Consumes the next token if it is this one.
    fn accept(&mut self, token: &str) -> bool {
        let found = self.peek() == token;
        if found {
            self.at += token.len();
        }
        found
    }

    fn require(&mut self, token: &str, purpose: &str) -> Result<(), Error> {
        if self.accept(token) {
            Ok(())
        } else {
            self.expected(&format!("'{token}'{purpose}"))
        }
    }

    fn finish(&self, start: usize, kind: Kind<'a>) -> Node<'a> {
        Node {
            start,
            end: self.at,
            kind,
        }
    }

    fn node(&mut self, depth: usize) -> Result<Node<'a>, Error> {
        let token = self.peek();
        let start = self.at;
        let Some(depth) = depth.checked_sub(1) else {
            return Err(error(start, start, "variant nested too deeply"));
        };
        let first = token.bytes().next().unwrap_or(0);
        let kind = match first {
            b'[' => self.array(depth)?,
            b'(' => self.tuple(depth)?,
            b'<' => self.variant(depth)?,
            b'{' => self.dict(depth)?,
            b'@' => {
                self.take();
                let ty = declared_type(token, start)?;
                Kind::Typed(ty, Box::new(self.node(depth)?))
            }
            b'\'' | b'"' => {
                self.take();
                Kind::Text(unescape(token, start)?)
            }
            b'b' if matches!(token.as_bytes().get(1), Some(b'\'' | b'"')) => {
                self.take();
                Kind::Bytes(unescape_bytes(token, start)?)
            }
            b'0'..=b'9' | b'-' | b'+' | b'.' => {
                self.take();
                Kind::Number(token)
            }
            b'n' | b'j' => self.keyword(token, depth)?,
            // Other letters before anything but a letter start no keyword.
            b'a'..=b'z' if token.as_bytes().get(1).is_some_and(u8::is_ascii_alphabetic) => {
                self.keyword(token, depth)?
            }
            _ => return self.expected("value"),
        };
        Ok(self.finish(start, kind))
    }

    fn keyword(&mut self, token: &'a str, depth: usize) -> Result<Kind<'a>, Error> {
        let Range { start, end } = self.take();
        Ok(match token {
            "true" => Kind::Bool(true),
            "false" => Kind::Bool(false),
            "inf" | "nan" => Kind::Number(token),
            "nothing" => Kind::Maybe(None),
            "just" => Kind::Maybe(Some(Box::new(self.node(depth)?))),
            _ => match TYPE_KEYWORDS.iter().find(|(name, _)| *name == token) {
                Some((_, ty)) => Kind::Typed(Type::parse(ty)?, Box::new(self.node(depth)?)),
                None => return Err(error(start, end, "unknown keyword")),
            },
        })
    }

    fn array(&mut self, depth: usize) -> Result<Kind<'a>, Error> {
        self.take();
        let mut items = Vec::new();
        if self.accept("]") {
            return Ok(Kind::Array(items));
        }
        loop {
            items.push(self.node(depth)?);
            if self.accept("]") {
                return Ok(Kind::Array(items));
            }
            if !self.accept(",") {
                return self.expected("',' or ']' to follow array element");
            }
        }
    }

    fn tuple(&mut self, depth: usize) -> Result<Kind<'a>, Error> {
        self.take();
        let mut members = Vec::new();
        if self.accept(")") {
            return Ok(Kind::Tuple(members));
        }
        members.push(self.node(depth)?);
        // A tuple of one has its comma, so that it is no mere bracket.
        self.require(",", " after first tuple element")?;
        if self.accept(")") {
            return Ok(Kind::Tuple(members));
        }
        loop {
            members.push(self.node(depth)?);
            if self.accept(")") {
                return Ok(Kind::Tuple(members));
            }
            if !self.accept(",") {
                return self.expected("',' or ')' to follow tuple element");
            }
        }
    }

    fn variant(&mut self, depth: usize) -> Result<Kind<'a>, Error> {
        self.take();
        let inner = self.node(depth)?;
        self.require(">", " to follow variant value")?;
        Ok(Kind::Variant(Box::new(inner)))
    }

    /// `{k: v, …}`, or a lone entry `{k, v}`.
    fn dict(&mut self, depth: usize) -> Result<Kind<'a>, Error> {
        self.take();
        let mut entries = Vec::new();
        if self.accept("}") {
            return Ok(Kind::Dict(entries));
        }
        let key = self.node(depth)?;
        if self.accept(",") {
            let value = self.node(depth)?;
            self.require("}", " at end of dictionary entry")?;
            return Ok(Kind::Entry(Box::new((key, value))));
        }
        if !self.accept(":") {
            return self.expected("':' or ',' to follow dictionary entry key");
        }
        let value = self.node(depth)?;
        entries.push((key, value));
        loop {
            if self.accept("}") {
                return Ok(Kind::Dict(entries));
            }
            if !self.accept(",") {
                return self.expected("',' or '}' to follow dictionary entry");
            }
            let key = self.node(depth)?;
            self.require(":", " to follow dictionary entry key")?;
            let value = self.node(depth)?;
            entries.push((key, value));
        }
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0c | b'\r')
}

/// Length in bytes of the token that the text starts with.
fn token_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let span = |from: usize, inside: fn(u8) -> bool| {
        let rest = &bytes[from..];
        from + rest.iter().position(|&b| !inside(b)).unwrap_or(rest.len())
    };
    match bytes {
        [] => 0,
        [b'0'..=b'9' | b'-' | b'+' | b'.', ..] => span(1, |b| {
            b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.')
        }),
        [b'b', b'\'' | b'"', ..] => 1 + quoted_length(&bytes[1..]),
        [b'\'' | b'"', ..] => quoted_length(bytes),
        [b'a'..=b'z', ..] => span(1, |b| b.is_ascii_alphanumeric()),
        [b'@', ..] => declaration_length(bytes),
        // Whole characters, so that slicing stays on their borders.
        _ => text.chars().next().map_or(0, char::len_utf8),
    }
}

/// Length of a quoted string with both quotes, or of everything if the last one is missing.
fn quoted_length(bytes: &[u8]) -> usize {
    let quote = bytes[0];
    let mut at = 1;
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

/// Length of `@TYPE`: up to what follows a value, or a bracket that was not opened here.
fn declaration_length(bytes: &[u8]) -> usize {
    let mut open = 0usize;
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            b',' | b':' | b'>' | b']' => return at,
            b if is_space(b) => return at,
            b'(' | b'{' => open += 1,
            b')' | b'}' => match open.checked_sub(1) {
                Some(left) => open = left,
                None => return at,
            },
            _ => {}
        }
    }
    bytes.len()
}

fn declared_type(token: &str, start: usize) -> Result<Type, Error> {
    let text = &token[1..];
    let fail = |message| Err(error(start, start + token.len(), message));
    match Type::parse(text) {
        Ok(ty) => Ok(ty),
        Err(Error::TooDeep) => fail("type declaration recurses too deeply"),
        // `*`, `?` and `r` stand for many types.
        Err(_) if Type::parse(&text.replace('?', "s").replace(['*', 'r'], "v")).is_ok() => {
            fail("type declarations must be definite")
        }
        Err(_) => fail("invalid type declaration"),
    }
}

/// The inside of a quoted token, or the error that it is not closed.
fn quoted(token: &str, start: usize, prefix: usize) -> Result<&str, Error> {
    let inside = &token[prefix + 1..];
    let quote = &token[prefix..=prefix];
    let unterminated = || error(start, start + token.len(), "unterminated string constant");
    let inside = inside.strip_suffix(quote).ok_or_else(unterminated)?;
    // The last quote may itself be escaped: count the backslashes before it.
    let slashes = inside.len() - inside.trim_end_matches('\\').len();
    if slashes % 2 == 1 {
        return Err(unterminated());
    }
    Ok(inside)
}

/// What a one-letter escape stands for.
fn simple_escape(letter: char) -> Option<char> {
    Some(match letter {
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        _ => return None,
    })
}

fn unescape(token: &str, start: usize) -> Result<String, Error> {
    let inside = quoted(token, start, 0)?;
    let mut out = String::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(letter) = rest.chars().next() {
        rest = &rest[letter.len_utf8()..];
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        let Some(escape) = rest.chars().next() else {
            break;
        };
        rest = &rest[escape.len_utf8()..];
        match escape {
            'u' | 'U' => {
                let width = if escape == 'u' { 4 } else { 8 };
                let digits = rest
                    .bytes()
                    .take(width)
                    .take_while(u8::is_ascii_hexdigit)
                    .count();
                let parsed = u32::from_str_radix(&rest[..digits], 16).ok();
                match parsed.and_then(char::from_u32) {
                    Some(c) if digits == width && c != '\0' => out.push(c),
                    _ => {
                        let at = start + 1 + inside.len() - rest.len();
                        let message = format!("invalid {width}-character unicode escape");
                        return Err(error(at, at + digits, message));
                    }
                }
                rest = &rest[digits..];
            }
            // An escaped line end continues the string.
            '\n' => {}
            _ => out.push(simple_escape(escape).unwrap_or(escape)),
        }
    }
    Ok(out)
}

/// The bytes of `b'…'` up to the first NUL, and a NUL.
fn unescape_bytes(token: &str, start: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = quoted(token, start, 1)?.bytes().peekable();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match bytes.next() {
            None => break,
            Some(digit @ b'0'..=b'7') => {
                let mut value = digit - b'0';
                for _ in 0..2 {
                    let Some(digit) = bytes.next_if(|b| matches!(b, b'0'..=b'7')) else {
                        break;
                    };
                    value = value.wrapping_mul(8) | (digit - b'0');
                }
                out.push(value);
            }
            Some(b'\n') => {}
            Some(letter) => {
                let plain = simple_escape(letter as char).map_or(letter, |c| c as u8);
                out.push(plain);
            }
        }
    }
    // A bytestring is a C string.
    if let Some(end) = out.iter().position(|&byte| byte == 0) {
        out.truncate(end);
    }
    out.push(0);
    Ok(out)
}
