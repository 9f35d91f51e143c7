//! GVariants, bytes, times and names.

use osier_gv::{Dict, Value};
use osier_object::Xattrs;
use osier_object::commit::key;
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use crate::render::{date, variant};

/// A GVariant: its type string, its value as JSON, and its text as `show -B` prints it.
///
/// Integers are as stored. OSTree's own are big-endian, those of users mostly the machine's.
#[derive(Debug, Serialize)]
pub struct Variant {
    r#type: String,
    value: Json,
    text: String,
}

impl From<&Value> for Variant {
    fn from(value: &Value) -> Self {
        Self {
            r#type: value.type_string(),
            value: plain(value),
            text: variant::native(value),
        }
    }
}

/// Metadata by key. Of a doubled key the first value, which is the one that counts.
///
/// `ostree.sizes` is left out: it is binary and has an entry for each object.
#[must_use]
pub fn metadata(dict: &Dict) -> Json {
    let mut members = Map::new();
    for (name, value) in dict.iter().filter(|(name, _)| *name != key::SIZES) {
        members
            .entry(name)
            .or_insert_with(|| json!(Variant::from(value)));
    }
    Json::Object(members)
}

/// A value in JSON's own types, where it has some.
fn plain(value: &Value) -> Json {
    match value {
        Value::Bool(b) => json!(b),
        Value::Byte(n) => json!(n),
        Value::I16(n) => json!(n),
        Value::U16(n) => json!(n),
        Value::I32(n) | Value::Handle(n) => json!(n),
        Value::U32(n) => json!(n),
        Value::I64(n) => json!(n),
        Value::U64(n) => json!(n),
        Value::F64(n) if n.is_finite() => json!(n),
        // JSON has no such numbers.
        Value::F64(n) => json!(n.to_string().to_lowercase()),
        Value::Str(text) | Value::ObjectPath(text) | Value::Signature(text) => json!(text),
        Value::Bytes(bytes) => json!(variant::hex(bytes)),
        Value::Array(ty, items) if ty.as_str().starts_with('{') => entries(items),
        Value::Array(_, items) | Value::Tuple(items) => items.iter().map(plain).collect(),
        Value::DictEntry(pair) => json!([plain(&pair.0), plain(&pair.1)]),
        Value::Variant(inner) => json!({ "type": inner.type_string(), "value": plain(inner) }),
        Value::Maybe(_, inner) => inner.as_deref().map_or(Json::Null, plain),
    }
}

/// A dictionary: an object where its keys are strings, else a list of pairs.
fn entries(items: &[Value]) -> Json {
    let mut members = Map::new();
    for item in items {
        let Value::DictEntry(pair) = item else {
            continue;
        };
        let Some(name) = pair.0.as_str() else {
            return items.iter().map(plain).collect();
        };
        members.entry(name).or_insert_with(|| plain(&pair.1));
    }
    Json::Object(members)
}

/// A point in time, to be put beside other fields.
#[derive(Clone, Copy, Debug)]
pub struct Time(pub u64);

impl Time {
    /// UTC seconds since 1970; earlier ones are stored as the two's complement.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0 as i64
    }

    /// ISO 8601, unless the year has more than four digits.
    #[must_use]
    pub fn date(self) -> Option<String> {
        date::iso_utc(self.0)
    }
}

/// Text that is UTF-8 as a rule. The bytes themselves are given where it is not.
#[derive(Debug, Eq, PartialEq)]
pub struct Text<'a>(pub &'a [u8]);

impl Text<'_> {
    /// The text, with U+FFFD in place of what is not UTF-8.
    #[must_use]
    pub fn lossy(&self) -> String {
        String::from_utf8_lossy(self.0).into_owned()
    }

    /// The bytes, where the text does not say them.
    #[must_use]
    pub fn hex(&self) -> Option<String> {
        std::str::from_utf8(self.0)
            .is_err()
            .then(|| variant::hex(self.0))
    }
}

/// An extended attribute.
#[derive(Debug, Serialize)]
pub struct Xattr {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name_hex: Option<String>,
    value: String,
}

/// All extended attributes, in their canonical order.
#[must_use]
pub fn xattrs(xattrs: &Xattrs) -> Vec<Xattr> {
    xattrs
        .iter()
        .map(|(name, value)| Xattr {
            name: Text(name).lossy(),
            name_hex: Text(name).hex(),
            value: variant::hex(value),
        })
        .collect()
}

/// Permission bits with set-id and sticky bits, in octal: `0755`.
#[must_use]
pub fn mode(mode: u32) -> String {
    format!("{:04o}", mode & 0o7777)
}

#[cfg(test)]
mod tests {
    use osier_gv::text;

    use super::*;

    #[test]
    fn variants_in_the_types_of_json() {
        for (text, ty, value) in [
            ("true", "b", json!(true)),
            ("uint64 18446744073709551615", "t", json!(u64::MAX)),
            ("int64 -5", "x", json!(-5)),
            ("1.5", "d", json!(1.5)),
            ("@d nan", "d", json!("nan")),
            ("@d -inf", "d", json!("-inf")),
            ("'a\\nb'", "s", json!("a\nb")),
            ("[byte 0x00, 0xff]", "ay", json!("00ff")),
            ("['a', 'b']", "as", json!(["a", "b"])),
            ("(1, 'a')", "(is)", json!([1, "a"])),
            ("@mi nothing", "mi", json!(null)),
            (
                "{'a': <1>, 'b': <'x'>}",
                "a{sv}",
                json!({"a": {"type": "i", "value": 1}, "b": {"type": "s", "value": "x"}}),
            ),
            ("{1: 'a'}", "a{is}", json!([[1, "a"]])),
        ] {
            let parsed = text::parse(text, None).unwrap();
            let found = json!(Variant::from(&parsed));
            assert_eq!(found["type"], ty, "{text}");
            assert_eq!(found["value"], value, "{text}");
            assert_eq!(
                text::parse(found["text"].as_str().unwrap(), None)
                    .map(|v| v.type_string())
                    .unwrap(),
                ty
            );
        }
    }

    #[test]
    fn metadata_has_the_first_of_doubled_keys_and_no_sizes() {
        let mut dict = Dict::new();
        dict.push("version", Value::str("1"));
        dict.push("version", Value::str("2"));
        dict.push(key::SIZES, Value::bytes_list([vec![0; 4]]));
        let found = metadata(&dict);
        assert_eq!(found["version"]["value"], "1");
        assert_eq!(found.as_object().unwrap().len(), 1);
    }

    #[test]
    fn names_that_are_no_utf8_are_given_in_bytes_too() {
        let found = json!(xattrs(&Xattrs::from_pairs(vec![
            (b"user.\xff".to_vec(), b"\x00".to_vec()),
            (b"user.a".to_vec(), b"b".to_vec()),
        ])));
        assert_eq!(found[0], json!({"name": "user.a", "value": "62"}));
        assert_eq!(
            found[1],
            json!({"name": "user.\u{fffd}", "name_hex": "757365722eff", "value": "00"})
        );
    }
}
