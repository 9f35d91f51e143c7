//! Values to text.

use std::fmt::Write as _;

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use crate::Value;

/// Prints a value in text format, as GLib's `g_variant_print` does.
///
/// With `annotate` the text tells its type, so that parsing gives the same value back: `uint32 7`,
/// `@as []`. Only the first element of an array is annotated.
///
/// ```
/// use osier_gv::{Value, text};
/// assert_eq!(text::print(&Value::U32(7), true), "uint32 7");
/// assert_eq!(text::print(&Value::U32(7), false), "7");
/// assert_eq!(text::print(&Value::strv(Vec::<String>::new()), true), "@as []");
/// ```
pub fn print(value: &Value, annotate: bool) -> String {
    let mut out = String::new();
    write(&mut out, value, annotate);
    out
}

fn write(out: &mut String, value: &Value, annotate: bool) {
    let keyword = match value {
        Value::Byte(_) => "byte ",
        Value::I16(_) => "int16 ",
        Value::U16(_) => "uint16 ",
        Value::U32(_) => "uint32 ",
        Value::I64(_) => "int64 ",
        Value::U64(_) => "uint64 ",
        Value::Handle(_) => "handle ",
        Value::ObjectPath(_) => "objectpath ",
        Value::Signature(_) => "signature ",
        // The others are what their text is read as.
        _ => "",
    };
    if annotate {
        out.push_str(keyword);
    }
    match value {
        Value::Bool(b) => number(out, b),
        Value::Byte(n) => number(out, format_args!("0x{n:02x}")),
        Value::I16(n) => number(out, n),
        Value::U16(n) => number(out, n),
        Value::I32(n) | Value::Handle(n) => number(out, n),
        Value::U32(n) => number(out, n),
        Value::I64(n) => number(out, n),
        Value::U64(n) => number(out, n),
        Value::F64(n) => float(out, *n),
        Value::Str(text) => string(out, text),
        // Their texts hold nothing to escape.
        Value::ObjectPath(text) | Value::Signature(text) => {
            out.push('\'');
            out.push_str(text);
            out.push('\'');
        }
        Value::Bytes(bytes) => byte_array(out, bytes, annotate),
        Value::Array(element, items) => array(out, element.as_str(), items, annotate),
        Value::Tuple(members) => {
            out.push('(');
            list(out, members, |_| annotate);
            if members.len() == 1 {
                out.push(',');
            }
            out.push(')');
        }
        Value::DictEntry(entry) => {
            out.push('{');
            write(out, &entry.0, annotate);
            out.push_str(", ");
            write(out, &entry.1, annotate);
            out.push('}');
        }
        Value::Variant(inner) => {
            out.push('<');
            write(out, inner, true);
            out.push('>');
        }
        Value::Maybe(element, inner) => {
            if annotate {
                let _ = write!(out, "@m{element} ");
            }
            maybe(out, inner.as_deref());
        }
    }
}

fn number(out: &mut String, number: impl std::fmt::Display) {
    // Writing to a String does not fail.
    let _ = write!(out, "{number}");
}

fn list<'a>(
    out: &mut String,
    items: impl IntoIterator<Item = &'a Value>,
    annotate: impl Fn(usize) -> bool,
) {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write(out, item, annotate(index));
    }
}

fn array(out: &mut String, element: &str, items: &[Value], annotate: bool) {
    let is_dict = element.starts_with('{');
    if items.is_empty() {
        if annotate {
            let _ = write!(out, "@a{element} ");
        }
        out.push_str(if is_dict { "{}" } else { "[]" });
        return;
    }
    if !is_dict {
        out.push('[');
        list(out, items, |index| annotate && index == 0);
        out.push(']');
        return;
    }
    out.push('{');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        if let Value::DictEntry(entry) = item {
            write(out, &entry.0, annotate && index == 0);
            out.push_str(": ");
            write(out, &entry.1, annotate && index == 0);
        }
    }
    out.push('}');
}

/// What is inside a maybe. `just` is written only where the value ends in nothing.
fn maybe(out: &mut String, inner: Option<&Value>) {
    let mut depth = 0;
    let mut innermost = inner;
    while let Some(Value::Maybe(_, next)) = innermost {
        depth += 1;
        innermost = next.as_deref();
    }
    match innermost {
        Some(value) => write(out, value, false),
        None => {
            for _ in 0..depth {
                out.push_str("just ");
            }
            out.push_str("nothing");
        }
    }
}

/// A C string if it is one (NUL at the end and nowhere else), else an array of bytes.
fn byte_array(out: &mut String, bytes: &[u8], annotate: bool) {
    if let Some((0, text)) = bytes.split_last()
        && !text.contains(&0)
    {
        return byte_string(out, text);
    }
    if bytes.is_empty() {
        out.push_str(if annotate { "@ay []" } else { "[]" });
        return;
    }
    out.push('[');
    for (index, byte) in bytes.iter().enumerate() {
        match (index, annotate) {
            (0, true) => out.push_str("byte "),
            (0, false) => {}
            _ => out.push_str(", "),
        }
        number(out, format_args!("0x{byte:02x}"));
    }
    out.push(']');
}

fn byte_string(out: &mut String, text: &[u8]) {
    let quote = if text.contains(&b'\'') { '"' } else { '\'' };
    out.push('b');
    out.push(quote);
    for &byte in text {
        match byte {
            // Double quotes are escaped within either kind of quotes.
            b'"' | b'\\' => {
                out.push('\\');
                out.push(byte as char);
            }
            0x08 => out.push_str("\\b"),
            0x0c => out.push_str("\\f"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x0b => out.push_str("\\v"),
            b' '..=b'~' => out.push(byte as char),
            _ => number(out, format_args!("\\{byte:03o}")),
        }
    }
    out.push(quote);
}

fn string(out: &mut String, text: &str) {
    let quote = if text.contains('\'') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if is_printable(c) => out.push(c),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0b' => out.push_str("\\v"),
            c if u32::from(c) < 0x10000 => number(out, format_args!("\\u{:04x}", u32::from(c))),
            c => number(out, format_args!("\\U{:08x}", u32::from(c))),
        }
    }
    out.push(quote);
}

/// Everything but control, format and unassigned characters.
fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_control();
    }
    !matches!(
        c.general_category(),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::Unassigned
            | GeneralCategory::Surrogate
    )
}

/// C's `%.17g`, with `.0` where it would look like an integer.
fn float(out: &mut String, n: f64) {
    if n.is_sign_negative() {
        out.push('-');
    }
    if n.is_nan() {
        return out.push_str("nan");
    }
    if n.is_infinite() {
        return out.push_str("inf");
    }
    let scientific = format!("{:.16e}", n.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..17).contains(&exponent) {
        let fixed = format!("{:.*}", (16 - exponent) as usize, n.abs());
        let trimmed = trim_zeros(&fixed);
        out.push_str(trimmed);
        if !trimmed.contains('.') {
            out.push_str(".0");
        }
    } else {
        out.push_str(trim_zeros(mantissa));
        let sign = if exponent < 0 { '-' } else { '+' };
        number(out, format_args!("e{sign}{:02}", exponent.abs()));
    }
}

/// Drops zeros after the point, and the point if nothing follows it.
fn trim_zeros(text: &str) -> &str {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
    }
}
