//! GVariants as text.

use std::fmt::Write as _;

use anyhow::{Context, Result};
use osier_gv::{Type, Value, text};
use osier_object::{ObjectType, Xattrs};

/// A value as `show` and `summary` print it: type-annotated, and with every
/// integer's bytes swapped, since OSTree stores its own integers big-endian.
#[must_use]
pub fn swapped(value: &Value) -> String {
    text::print(&value.byteswapped(), true)
}

/// A value as it is stored.
#[must_use]
pub fn native(value: &Value) -> String {
    text::print(value, true)
}

/// A value without type annotations.
#[must_use]
pub fn plain(value: &Value) -> String {
    text::print(value, false)
}

/// The value of a metadata object's bytes.
///
/// # Errors
/// When the bytes are not a normal value of the object's type.
pub fn of_object(ty: ObjectType, bytes: &[u8]) -> Result<Value> {
    let text = match ty {
        ObjectType::Dirtree => "(a(say)a(sayay))",
        ObjectType::Dirmeta => "(uuua(ayay))",
        ObjectType::Commit => "(a{sv}aya(say)sstayay)",
        _ => "a{sv}",
    };
    Value::decode(&Type::parse(text)?, bytes).with_context(|| format!("decoding {}", ty.name()))
}

/// `{ [(b'user.foo', [byte 0x62])] }`, as `ls -X` prints extended attributes.
#[must_use]
pub fn xattrs(xattrs: &Xattrs) -> String {
    let pairs = xattrs
        .iter()
        .map(|(name, value)| {
            let mut name = name.to_vec();
            name.push(0);
            Value::Tuple(vec![Value::Bytes(name), Value::Bytes(value.to_vec())])
        })
        .collect();
    match Type::parse("(ayay)").and_then(|ty| Value::array(ty, pairs)) {
        Ok(value) => format!("{{ {} }}", native(&value)),
        Err(_) => "{ @a(ayay) [] }".to_owned(),
    }
}

/// Lowercase hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
