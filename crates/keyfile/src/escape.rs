//! Escapes in values.

/// Undoes [`escape`]; `None` for an unknown escape or a backslash at the end.
pub(crate) fn unescape(text: &str) -> Option<String> {
    let mut parts = unescape_parts(text, None)?;
    parts.pop()
}

/// Splits at unescaped separators and unescapes each element.
pub(crate) fn unescape_list(text: &str, separator: char) -> Option<Vec<String>> {
    let mut parts = unescape_parts(text, Some(separator))?;
    if parts.last().is_some_and(String::is_empty) {
        parts.pop();
    }
    Some(parts)
}

fn unescape_parts(text: &str, separator: Option<char>) -> Option<Vec<String>> {
    let mut parts = vec![];
    let mut part = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\\' {
            match chars.next()? {
                's' => part.push(' '),
                'n' => part.push('\n'),
                't' => part.push('\t'),
                'r' => part.push('\r'),
                '\\' => part.push('\\'),
                other if Some(other) == separator => part.push(other),
                _ => return None,
            }
        } else if Some(c) == separator {
            parts.push(std::mem::take(&mut part));
        } else {
            part.push(c);
        }
    }
    parts.push(part);
    Some(parts)
}

/// Escapes what would not survive a line: leading blanks (the reader skips them), line breaks,
/// backslashes, and the separator inside a list.
pub(crate) fn escape(text: &str, separator: Option<char>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut leading = true;
    for c in text.chars() {
        match c {
            ' ' if leading => out.push_str("\\s"),
            '\t' if leading => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\\' => out.push_str("\\\\"),
            c if Some(c) == separator => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
        // As GLib has it: line breaks do not end the leading blanks, a list separator starts anew.
        leading = (leading && matches!(c, ' ' | '\t' | '\n' | '\r')) || Some(c) == separator;
    }
    out
}
