//! `a{sv}` that keeps its order.

use std::borrow::Cow;
use std::sync::OnceLock;

use crate::frame::{self, Member, pad, push_offsets};
use crate::{Error, MAX_DEPTH, Type, Value, decode, glib_order};

/// An ordered dictionary from strings to values, `a{sv}`.
///
/// The order is part of the serialised form, so it is kept as found or as built. Decoding keeps
/// duplicate keys; look-ups find the first one, as GLib's do.
///
/// Decoding checks every value but builds none: the bytes are kept until a value is asked for, so
/// a dictionary of untrusted bytes takes about as much memory as they do.
#[derive(Clone, Debug, Default)]
pub struct Dict(Vec<(String, Slot)>);

#[derive(Clone, Debug)]
enum Slot {
    Built(Value),
    /// In normal form, as `decode::check_at` found.
    Stored {
        ty: Type,
        bytes: Vec<u8>,
        value: OnceLock<Value>,
    },
}

impl Slot {
    fn value(&self) -> &Value {
        match self {
            Slot::Built(value) => value,
            Slot::Stored { ty, bytes, value } => value.get_or_init(|| stored_value(ty, bytes)),
        }
    }

    fn into_value(self) -> Value {
        match self {
            Slot::Built(value) => value,
            Slot::Stored { ty, bytes, value } => value
                .into_inner()
                .unwrap_or_else(|| stored_value(&ty, &bytes)),
        }
    }

    fn type_string(&self) -> Cow<'_, str> {
        match self {
            Slot::Built(value) => value.type_string().into(),
            Slot::Stored { ty, .. } => ty.as_str().into(),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Slot::Built(value) => value.write(out),
            Slot::Stored { bytes, .. } => out.extend_from_slice(bytes),
        }
    }
}

fn stored_value(ty: &Type, bytes: &[u8]) -> Value {
    // The bytes were checked, and `decode_at` accepts whatever `check_at` does.
    decode::decode_at(ty, bytes, SLOT_DEPTH).unwrap_or(Value::Tuple(Vec::new()))
}

/// Levels of containers around a value: array, entry, variant.
const SLOT_DEPTH: usize = 3;

impl Dict {
    /// An empty dictionary.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Number of entries, duplicates included.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Entries in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.0
            .iter()
            .map(|(key, slot)| (key.as_str(), slot.value()))
    }

    /// Keys in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }

    /// The first value of that key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let (_, slot) = self.0.iter().find(|(k, _)| *k == key)?;
        Some(slot.value())
    }

    /// Whether the key is there.
    pub fn contains_key(&self, key: &str) -> bool {
        self.keys().any(|k| k == key)
    }

    /// The value of that key if it is a string.
    pub fn get_str(&self, key: &str) -> Option<&str> {
        match self.get(key)? {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The value of that key if it is an `ay`.
    pub fn get_bytes(&self, key: &str) -> Option<&[u8]> {
        self.get(key)?.as_bytes()
    }

    /// The value of that key if it is a boolean.
    pub fn get_bool(&self, key: &str) -> Option<bool> {
        match self.get(key)? {
            Value::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// The value of that key if it is a `u`, as stored (OSTree stores some big-endian).
    pub fn get_u32(&self, key: &str) -> Option<u32> {
        match self.get(key)? {
            Value::U32(n) => Some(*n),
            _ => None,
        }
    }

    /// The value of that key if it is a `t`, as stored (OSTree stores some big-endian).
    pub fn get_u64(&self, key: &str) -> Option<u64> {
        match self.get(key)? {
            Value::U64(n) => Some(*n),
            _ => None,
        }
    }

    /// The strings of that key if it is an `as`.
    pub fn get_strv(&self, key: &str) -> Option<Vec<&str>> {
        match self.get(key)? {
            Value::Array(ty, items) if ty.as_str() == "s" => {
                items.iter().map(Value::as_str).collect()
            }
            _ => None,
        }
    }

    /// The dictionary of that key if it is an `a{sv}`.
    pub fn get_dict(&self, key: &str) -> Option<Dict> {
        Dict::from_value(self.get(key)?).ok()
    }

    /// The byte strings of that key if it is an `aay`.
    pub fn get_bytes_list(&self, key: &str) -> Option<Vec<&[u8]>> {
        match self.get(key)? {
            Value::Array(ty, items) if ty.as_str() == "ay" => {
                items.iter().map(Value::as_bytes).collect()
            }
            _ => None,
        }
    }

    /// Appends an entry, even if the key is there already.
    pub fn push(&mut self, key: impl Into<String>, value: Value) {
        self.0.push((key.into(), Slot::Built(value)));
    }

    /// Replaces the first value of the key in place, or appends the entry.
    pub fn insert(&mut self, key: impl Into<String>, value: Value) {
        let key = key.into();
        match self.0.iter_mut().find(|(k, _)| *k == key) {
            Some(entry) => entry.1 = Slot::Built(value),
            None => self.push(key, value),
        }
    }

    /// Removes all entries of the key and returns the first one's value.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let at = self.0.iter().position(|(k, _)| k == key)?;
        let (_, slot) = self.0.remove(at);
        self.0.retain(|(k, _)| k != key);
        Some(slot.into_value())
    }

    /// The order GLib's `GVariantDict` would emit after the entries were inserted in this order.
    ///
    /// Of entries with the same key the last value survives, at the place the first one had in
    /// the table.
    #[must_use]
    pub fn in_glib_order(&self) -> Dict {
        let last: std::collections::HashMap<&str, &Slot> = self
            .0
            .iter()
            .map(|(key, slot)| (key.as_str(), slot))
            .collect();
        let order = glib_order::order(self.keys()).into_iter();
        Dict(
            order
                .map(|index| &self.0[index].0)
                .map(|key| (key.clone(), last[key.as_str()].clone()))
                .collect(),
        )
    }

    /// The dictionary as a value of type `a{sv}`.
    pub fn to_value(&self) -> Value {
        let items = self
            .iter()
            .map(|(key, value)| Value::entry(Value::str(key), Value::variant(value.clone())))
            .collect();
        Value::Array(crate::value::static_type("{sv}"), items)
    }

    /// Takes a value of type `a{sv}` apart.
    ///
    /// # Errors
    /// [`Error::WrongType`] for a value of another type.
    pub fn from_value(value: &Value) -> Result<Dict, Error> {
        let wrong = || Error::WrongType {
            expected: "a{sv}".into(),
            found: value.type_string(),
        };
        let Value::Array(element, items) = value else {
            return Err(wrong());
        };
        if element.as_str() != "{sv}" {
            return Err(wrong());
        }
        items
            .iter()
            .map(|item| match item {
                Value::DictEntry(entry) => match &**entry {
                    (Value::Str(key), Value::Variant(value)) => {
                        Ok((key.clone(), (**value).clone()))
                    }
                    _ => Err(wrong()),
                },
                _ => Err(wrong()),
            })
            .collect()
    }

    /// Serialises the dictionary as `a{sv}`.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut Vec<u8>) {
        let mut ends = Vec::with_capacity(self.len());
        for (key, slot) in &self.0 {
            pad(out, 8);
            let start = out.len();
            crate::encode::push_str(out, key);
            let key_end = out.len() - start;
            pad(out, 8);
            slot.write(out);
            out.push(0);
            out.extend_from_slice(slot.type_string().as_bytes());
            push_offsets(out, start, std::iter::once(key_end));
            ends.push(out.len());
        }
        push_offsets(out, 0, ends.iter().copied());
    }

    /// Reads `a{sv}` in normal form; keeps order and duplicates.
    ///
    /// # Errors
    /// As [`Value::decode`].
    pub fn decode(bytes: &[u8]) -> Result<Dict, Error> {
        let entries = frame::array(bytes, 8)?;
        // An entry takes at least eight bytes; more elements than that are claims.
        let mut out = Vec::with_capacity(entries.len().min(bytes.len() / 8));
        for entry in entries {
            let [key, value] = frame::tuple(entry, [Member::BYTES, Member::VARIANT])?;
            let key = frame::str(key)?.to_owned();
            let (child, ty) = frame::variant(value)?;
            let ty = Type::parse(ty)?;
            if ty.depth() + SLOT_DEPTH > MAX_DEPTH {
                return Err(Error::TooDeep);
            }
            decode::check_at(&ty, child, SLOT_DEPTH)?;
            let slot = Slot::Stored {
                ty,
                bytes: child.to_vec(),
                value: OnceLock::new(),
            };
            out.push((key, slot));
        }
        Ok(Dict(out))
    }
}

/// Same keys and values in the same order.
impl PartialEq for Dict {
    fn eq(&self, other: &Self) -> bool {
        self.encode() == other.encode()
    }
}

impl FromIterator<(String, Value)> for Dict {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(entries: I) -> Self {
        let slots = entries.into_iter().map(|(key, v)| (key, Slot::Built(v)));
        Dict(slots.collect())
    }
}

impl IntoIterator for Dict {
    type Item = (String, Value);
    type IntoIter = IntoIter;
    fn into_iter(self) -> IntoIter {
        IntoIter(self.0.into_iter())
    }
}

/// Entries of a [`Dict`] in order.
#[derive(Debug)]
pub struct IntoIter(std::vec::IntoIter<(String, Slot)>);

impl Iterator for IntoIter {
    type Item = (String, Value);

    fn next(&mut self) -> Option<(String, Value)> {
        let (key, slot) = self.0.next()?;
        Some((key, slot.into_value()))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for IntoIter {}
