//! Values to bytes: little-endian normal form.

use crate::Value;
use crate::frame::{pad, push_offsets};

impl Value {
    /// Serialises the value: little-endian, normal form.
    ///
    /// ```
    /// use osier_gv::Value;
    /// assert_eq!(Value::str("hi").encode(), b"hi\0");
    /// ```
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    /// Appends the serialised value. `out` must end at a multiple of the value's alignment.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Value::Bool(b) => out.push(u8::from(*b)),
            Value::Byte(b) => out.push(*b),
            Value::I16(n) => out.extend_from_slice(&n.to_le_bytes()),
            Value::U16(n) => out.extend_from_slice(&n.to_le_bytes()),
            Value::I32(n) | Value::Handle(n) => out.extend_from_slice(&n.to_le_bytes()),
            Value::U32(n) => out.extend_from_slice(&n.to_le_bytes()),
            Value::I64(n) => out.extend_from_slice(&n.to_le_bytes()),
            Value::U64(n) => out.extend_from_slice(&n.to_le_bytes()),
            Value::F64(n) => out.extend_from_slice(&n.to_bits().to_le_bytes()),
            Value::Str(text) | Value::ObjectPath(text) | Value::Signature(text) => {
                push_str(out, text);
            }
            Value::Bytes(bytes) => out.extend_from_slice(bytes),
            Value::Array(_, items) => write_array(out, items),
            Value::Tuple(members) => write_tuple(out, &members.iter().collect::<Vec<_>>()),
            Value::DictEntry(entry) => write_tuple(out, &[&entry.0, &entry.1]),
            Value::Variant(inner) => {
                inner.write(out);
                out.push(0);
                out.extend_from_slice(inner.type_string().as_bytes());
            }
            Value::Maybe(_, None) => {}
            Value::Maybe(_, Some(item)) => {
                item.write(out);
                if !item.is_fixed() {
                    out.push(0);
                }
            }
        }
    }
}

/// Appends a string and its NUL. A string ends at its first NUL, as it would in C: anything else
/// would not be normal form.
pub(crate) fn push_str(out: &mut Vec<u8>, text: &str) {
    let end = text.find('\0').unwrap_or(text.len());
    out.extend_from_slice(&text.as_bytes()[..end]);
    out.push(0);
}

fn write_array(out: &mut Vec<u8>, items: &[Value]) {
    let start = out.len();
    let Some(first) = items.first() else {
        return;
    };
    if first.is_fixed() {
        // A fixed size is a multiple of the alignment, so nothing lies between the elements.
        for item in items {
            item.write(out);
        }
        return;
    }
    let mut ends = Vec::with_capacity(items.len());
    for item in items {
        pad(out, item.alignment());
        item.write(out);
        ends.push(out.len() - start);
    }
    push_offsets(out, start, ends.iter().copied());
}

fn write_tuple(out: &mut Vec<u8>, members: &[&Value]) {
    let start = out.len();
    let mut ends = Vec::new();
    let mut align = 1;
    let mut all_fixed = true;
    for (index, member) in members.iter().enumerate() {
        align = align.max(member.alignment());
        pad(out, member.alignment());
        member.write(out);
        if !member.is_fixed() {
            all_fixed = false;
            if index + 1 < members.len() {
                ends.push(out.len() - start);
            }
        }
    }
    if all_fixed {
        pad(out, align);
        if members.is_empty() {
            out.push(0);
        }
    } else {
        push_offsets(out, start, ends.iter().rev().copied());
    }
}
