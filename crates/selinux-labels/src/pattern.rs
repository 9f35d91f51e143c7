//! PCRE patterns: literal ones told from others, and the others turned into what the `regex` crate understands.

use regex::bytes::{Regex, RegexBuilder};
use std::sync::OnceLock;

/// A pattern, compiled when a path first needs it.
#[derive(Debug)]
pub(crate) struct Pattern {
    pub(crate) text: Box<str>,
    /// What every match begins with; the whole path when `literal`.
    pub(crate) prefix: Box<str>,
    /// Stands for one path only.
    pub(crate) literal: bool,
    regex: OnceLock<Result<Regex, String>>,
}

/// Characters that make a pattern more than a path.
const SPECIAL: &str = ".^$?*+|[](){}";
/// Those after a backslash that leave a pattern a path; libselinux 3.11 compiles patterns with others.
const PLAIN_ESCAPES: &str = ".^$?*+|[](){}-_,";

impl Pattern {
    pub(crate) fn new(text: &str) -> Self {
        let (prefix, literal) = literal_prefix(text);
        Self {
            text: text.into(),
            prefix: prefix.into(),
            literal,
            regex: OnceLock::new(),
        }
    }

    /// Whether the path matches; it must be known to begin with the prefix.
    pub(crate) fn matches(&self, path: &str) -> Result<bool, &str> {
        if self.literal {
            return Ok(path.len() == self.prefix.len());
        }
        match self.regex.get_or_init(|| compile(&self.text)) {
            Ok(regex) => Ok(regex.is_match(path.as_bytes())),
            Err(cause) => Err(cause),
        }
    }
}

/// The characters that every match begins with, and whether there is nothing more.
fn literal_prefix(text: &str) -> (String, bool) {
    let mut prefix = String::new();
    let mut literal = true;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(next) if !next.is_ascii_alphanumeric() => {
                    literal &= PLAIN_ESCAPES.contains(next);
                    prefix.push(next);
                }
                _ => return (cut_alternatives(text, prefix), false),
            },
            // What is repeated, perhaps never, is not there for sure.
            '?' | '*' | '{' => {
                prefix.pop();
                return (cut_alternatives(text, prefix), false);
            }
            _ if SPECIAL.contains(c) => return (cut_alternatives(text, prefix), false),
            _ => prefix.push(c),
        }
    }
    (prefix, literal)
}

/// With alternatives outside parentheses, `^` and `$` belong to the first and the last: a match may begin with anything.
fn cut_alternatives(text: &str, prefix: String) -> String {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0usize);
    while let Some(&b) = bytes.get(at) {
        at += 1;
        match b {
            b'\\' => at += 1,
            b'|' if depth == 0 => return String::new(),
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b'[' => match class(bytes, at, &mut String::new()) {
                Ok(end) => at = end,
                // It will not compile: better not tried where it would not match.
                Err(_) => return prefix,
            },
            _ => {}
        }
    }
    prefix
}

fn compile(text: &str) -> Result<Regex, String> {
    let pattern = format!("\\A{}{END}", translate(text)?);
    RegexBuilder::new(&pattern)
        .unicode(false)
        .dot_matches_new_line(true)
        .build()
        .map_err(|e| match e {
            regex::Error::CompiledTooBig(limit) => format!("needs more than {limit} bytes"),
            // Several lines with a drawing; the last one says what is wrong.
            e => e.to_string().lines().last().unwrap_or_default().to_owned(),
        })
}

/// PCRE's `$`: the end, or a newline at the end.
const END: &str = r"(?:\n?\z)";

fn translate(text: &str) -> Result<String, String> {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len() + 16);
    let mut at = 0;
    while let Some(&b) = bytes.get(at) {
        at += 1;
        match b {
            b'\\' => {
                let Some(&next) = bytes.get(at) else {
                    return Err("ends in a backslash".into());
                };
                at += 1;
                push_escaped(&mut out, next);
            }
            b'[' => at = class(bytes, at, &mut out)?,
            b'^' => out.push_str("\\A"),
            b'$' => out.push_str(END),
            b']' | b'}' => push_literal(&mut out, b),
            b'{' => match quantifier(&text[at..]) {
                Some(length) => {
                    let inner = &text[at..at + length];
                    out.push('{');
                    if inner.starts_with(',') {
                        out.push('0');
                    }
                    out.push_str(inner);
                    at += length;
                    refuse_possessive(bytes.get(at))?;
                }
                None => push_literal(&mut out, b),
            },
            b'?' | b'*' | b'+' => {
                out.push(b.into());
                // After an opening parenthesis the question mark is no quantifier, and a plus can only be wrong.
                refuse_possessive(bytes.get(at))?;
            }
            b' '..=b'~' => out.push(b.into()),
            _ => push_literal(&mut out, b),
        }
    }
    Ok(out)
}

fn refuse_possessive(next: Option<&u8>) -> Result<(), String> {
    match next {
        Some(b'+') => Err("possessive quantifiers are not supported".into()),
        _ => Ok(()),
    }
}

/// What follows `{` up to and with `}`, when it is `{n}`, `{n,}`, `{n,m}` or `{,m}`.
fn quantifier(rest: &str) -> Option<usize> {
    let inner = &rest[..rest.find('}')?];
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let valid = match inner.split_once(',') {
        Some((from, to)) => number(from) && number(to) && inner.len() > 1,
        None => number(inner) && !inner.is_empty(),
    };
    valid.then_some(inner.len() + 1)
}

/// Copies a class whose bracket was read, and gives the place behind it.
fn class(bytes: &[u8], mut at: usize, out: &mut String) -> Result<usize, String> {
    out.push('[');
    if bytes.get(at) == Some(&b'^') {
        out.push('^');
        at += 1;
    }
    let start = at;
    loop {
        let Some(&b) = bytes.get(at) else {
            return Err("missing terminating ] for character class".into());
        };
        at += 1;
        match b {
            b']' if at - 1 > start => {
                out.push(']');
                return Ok(at);
            }
            b'[' if bytes.get(at) == Some(&b':') => {
                let name = &bytes[at + 1..];
                let end = name
                    .iter()
                    .position(|b| !b.is_ascii_lowercase() && *b != b'^');
                match end {
                    Some(end) if name[end..].starts_with(b":]") => {
                        out.push_str("[:");
                        out.extend(name[..end].iter().map(|b| char::from(*b)));
                        out.push_str(":]");
                        at += end + 3;
                    }
                    _ => push_literal(out, b),
                }
            }
            b'\\' => {
                let Some(&next) = bytes.get(at) else {
                    return Err("ends in a backslash".into());
                };
                at += 1;
                push_escaped(out, next);
            }
            // A range, or itself at either end.
            b'-' => out.push('-'),
            _ => push_literal(out, b),
        }
    }
}

fn push_escaped(out: &mut String, b: u8) {
    if b.is_ascii_alphanumeric() {
        out.push('\\');
        out.push(b.into());
    } else {
        push_literal(out, b);
    }
}

fn push_literal(out: &mut String, b: u8) {
    if b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_') {
        out.push(b.into());
    } else {
        out.push_str(&format!("\\x{b:02x}"));
    }
}
