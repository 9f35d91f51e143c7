//! Rewriting the paths of an archive: a regular expression and what to put in place of each match, as GLib's `GRegex`
//! has them.

use crate::error::{Error, Result};
use fancy_regex::{Captures, Regex};

/// What to search for in paths and what to put there instead.
#[derive(Clone, Debug)]
pub struct PathnameFilter {
    pattern: Regex,
    replacement: Vec<Piece>,
}

/// A part of a replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Group(usize),
    Named(String),
    Case(Case),
}

/// How the letters that follow are to be written.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Case {
    /// As they are.
    Keep,
    Upper,
    Lower,
    /// The next one only.
    UpperOne,
    LowerOne,
}

impl PathnameFilter {
    /// Reads `REGEX,REPLACEMENT`; the first comma divides them.
    ///
    /// # Errors
    /// When there is no comma, or one of them is malformed.
    pub fn parse(text: &str) -> Result<PathnameFilter> {
        const OPTION: &str = "--tar-pathname-filter";
        let Some((regex, replacement)) = text.split_once(',') else {
            return Err(Error::other(format!("Missing ',' in {OPTION}")));
        };
        let pattern = Regex::new(&super::pattern::translate(regex)).map_err(|e| {
            Error::other(format!(
                "{OPTION}: Error while compiling regular expression ‘{regex}’: {e}"
            ))
        })?;
        let replacement = parse_replacement(replacement).map_err(|(at, cause)| {
            Error::other(format!(
                "{OPTION}: Error while parsing replacement text “{replacement}” at char {at}: {cause}"
            ))
        })?;
        Ok(PathnameFilter {
            pattern,
            replacement,
        })
    }

    /// The path with every match replaced.
    ///
    /// # Errors
    /// When matching takes too many steps.
    pub fn apply(&self, path: &str) -> Result<String> {
        let mut out = String::with_capacity(path.len());
        let (mut copied, mut from) = (0, 0);
        let mut last = None;
        // An empty match may follow another match at once, as in Perl; the usual iterators pass over it.
        while from <= path.len() {
            let found = self.pattern.captures_from_pos(path, from);
            let found = found.map_err(|e| {
                Error::other(format!("--tar-pathname-filter: matching {path}: {e}"))
            })?;
            let Some((captures, whole)) = found.and_then(|c| c.get(0).map(|m| (c, m))) else {
                break;
            };
            let (start, end) = (whole.start(), whole.end());
            from = match end > from {
                true => end,
                false => end + path[end..].chars().next().map_or(1, char::len_utf8),
            };
            if start < copied || last.replace((start, end)) == Some((start, end)) {
                continue;
            }
            out.push_str(&path[copied..start]);
            self.expand(&captures, &mut out);
            copied = end;
        }
        out.push_str(&path[copied..]);
        Ok(out)
    }

    fn expand(&self, captures: &Captures<'_, str>, out: &mut String) {
        let mut case = Case::Keep;
        for piece in &self.replacement {
            let text = match piece {
                Piece::Case(new) => {
                    case = *new;
                    continue;
                }
                Piece::Text(text) => text.as_str(),
                Piece::Group(n) => captures.get(*n).map_or("", |m| m.as_str()),
                Piece::Named(name) => captures.name(name).map_or("", |m| m.as_str()),
            };
            case = push(text, case, out);
        }
    }
}

/// Writes `text` and gives the case for what follows.
fn push(text: &str, case: Case, out: &mut String) -> Case {
    let mut chars = text.chars();
    match case {
        Case::Keep => out.push_str(text),
        Case::Upper => out.extend(chars.flat_map(char::to_uppercase)),
        Case::Lower => out.extend(chars.flat_map(char::to_lowercase)),
        Case::UpperOne | Case::LowerOne => {
            let Some(first) = chars.next() else {
                return case;
            };
            match case {
                Case::UpperOne => out.extend(first.to_uppercase()),
                _ => out.extend(first.to_lowercase()),
            }
            out.push_str(chars.as_str());
            return Case::Keep;
        }
    }
    case
}

/// Reads a replacement text. An error says at which character, and why.
fn parse_replacement(text: &str) -> Result<Vec<Piece>, (usize, &'static str)> {
    let chars: Vec<char> = text.chars().collect();
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut at = 0;
    while at < chars.len() {
        if chars[at] != '\\' {
            plain.push(chars[at]);
            at += 1;
            continue;
        }
        at += 1;
        let Some(c) = chars.get(at) else {
            return Err((at, "stray final “\\”"));
        };
        at += 1;
        let piece = match c {
            't' => Piece::Text("\t".into()),
            'n' => Piece::Text("\n".into()),
            'v' => Piece::Text("\u{b}".into()),
            'r' => Piece::Text("\r".into()),
            'f' => Piece::Text("\u{c}".into()),
            'a' => Piece::Text("\u{7}".into()),
            'b' => Piece::Text("\u{8}".into()),
            '\\' => Piece::Text("\\".into()),
            'l' => Piece::Case(Case::LowerOne),
            'u' => Piece::Case(Case::UpperOne),
            'L' => Piece::Case(Case::Lower),
            'U' => Piece::Case(Case::Upper),
            'E' => Piece::Case(Case::Keep),
            'x' => Piece::Text(hexadecimal(&chars, &mut at)?.to_string()),
            'g' => reference(&chars, &mut at)?,
            // An octal number, unless there is only the zero.
            '0' if chars.get(at).is_some_and(|c| c.is_digit(8)) => {
                Piece::Text(number(&chars, &mut at, 8, 2, 0).1.to_string())
            }
            '0'..='9' => {
                let first = c.to_digit(10).unwrap_or_default();
                Piece::Group(match c {
                    '0' => 0,
                    _ => number(&chars, &mut at, 10, 1, first).0 as usize,
                })
            }
            _ => return Err((at, "unknown escape sequence")),
        };
        if !plain.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
        }
        pieces.push(piece);
    }
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    Ok(pieces)
}

/// At most `max` more digits behind `value`; the number, and the character of that number.
fn number(chars: &[char], at: &mut usize, base: u32, max: usize, value: u32) -> (u32, char) {
    let mut value = value;
    for _ in 0..max {
        let Some(digit) = chars.get(*at).and_then(|c| c.to_digit(base)) else {
            break;
        };
        value = value * base + digit;
        *at += 1;
    }
    (value, char::from_u32(value).unwrap_or_default())
}

fn hexadecimal(chars: &[char], at: &mut usize) -> Result<char, (usize, &'static str)> {
    let braced = chars.get(*at) == Some(&'{');
    let start = *at;
    if !braced {
        let c = number(chars, at, 16, 2, 0).1;
        return match *at - start {
            2 => Ok(c),
            _ => Err((*at, "hexadecimal digit expected")),
        };
    }
    *at += 1;
    let value = number(chars, at, 16, 6, 0).0;
    match (chars.get(*at), char::from_u32(value)) {
        (Some('}'), Some(c)) if *at > start + 1 => {
            *at += 1;
            Ok(c)
        }
        _ => Err((*at, "hexadecimal digit or “}” expected")),
    }
}

/// `<NUMBER>` or `<NAME>`.
fn reference(chars: &[char], at: &mut usize) -> Result<Piece, (usize, &'static str)> {
    if chars.get(*at) != Some(&'<') {
        return Err((*at, "missing “<” in symbolic reference"));
    }
    let start = *at + 1;
    let Some(len) = chars[start..].iter().position(|c| *c == '>') else {
        return Err((chars.len(), "unfinished symbolic reference"));
    };
    let name: String = chars[start..start + len].iter().collect();
    *at = start + len + 1;
    if name.is_empty() {
        return Err((start, "zero-length symbolic reference"));
    }
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        return match name.parse() {
            Ok(n) => Ok(Piece::Group(n)),
            Err(_) => Err((start, "digit expected")),
        };
    }
    match name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        true => Ok(Piece::Named(name)),
        false => Err((start, "illegal symbolic reference")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn renamed(filter: &str, path: &str) -> String {
        PathnameFilter::parse(filter).unwrap().apply(path).unwrap()
    }

    #[test]
    fn matches_are_replaced() {
        for (filter, path, expected) in [
            ("^etc,usr/etc", "etc/passwd", "usr/etc/passwd"),
            ("^etc,usr/etc", "usr/etc", "usr/etc"),
            ("[df],Z", "d/f", "Z/Z"),
            ("^d/f,d/a,b", "d/f", "d/a,b"),
            ("^d/(.),d/\\1\\1", "d/f", "d/ff"),
            ("^d/(.),\\0\\g<0>\\g<1>", "d/f", "d/fd/ff"),
            ("^d/(?P<n>.),d/\\g<n>z", "d/f", "d/fz"),
            ("^d/(?<n>.),d/\\g<other>z", "d/f", "d/z"),
            ("^(.)(.)?,\\2\\1", "f", "f"),
            ("^d/(.*),d/\\U\\1\\E\\1", "d/ab", "d/ABab"),
            ("^d/(.*),d/\\u\\1\\lX", "d/ab", "d/Abx"),
            ("f,\\t\\x41\\x{17c}\\\\\\060", "f", "\tAż\\0"),
            ("^d/(?=f),e/", "d/f", "e/f"),
            ("(?i)^D,e", "d", "e"),
            ("(.)\\1,x", "abba", "axa"),
            ("x*,-", "abc", "-a-b-c-"),
        ] {
            assert_eq!(renamed(filter, path), expected, "{filter} of {path}");
        }
    }

    #[test]
    fn malformed_filters_are_refused() {
        for (filter, part) in [
            ("abc", "Missing ',' in --tar-pathname-filter"),
            (
                "^d/(.,x",
                "Error while compiling regular expression ‘^d/(.’",
            ),
            ("d,\\q", "unknown escape sequence"),
            ("d,a\\", "at char 2: stray final"),
            ("d,\\g1", "missing “<”"),
            ("d,\\g<1", "unfinished symbolic reference"),
            ("d,\\g<>", "zero-length"),
            ("d,\\x4", "hexadecimal digit expected"),
        ] {
            let error = PathnameFilter::parse(filter).unwrap_err().to_string();
            assert!(error.contains(part), "{filter}: {error}");
        }
    }

    #[test]
    fn a_pattern_that_explodes_is_an_error_not_a_hang() {
        let filter = PathnameFilter::parse("(a|b|ab)*(?=c)\\b(?<=x),y").unwrap();
        let _ = filter.apply(&"ab".repeat(50_000));
    }
}
