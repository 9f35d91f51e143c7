//! `a{sv}` that keeps its order.

use crate::frame::{self, Member, pad, push_offsets};
use crate::{Error, MAX_DEPTH, Type, Value, glib_order};

/// An ordered dictionary from strings to values, `a{sv}`.
///
/// The order is part of the serialised form, so it is kept as found or as built. Decoding keeps
/// duplicate keys; look-ups find the first one, as GLib's do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dict(Vec<(String, Value)>);

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
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Keys in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }

    /// The first value of that key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.iter().find(|(k, _)| *k == key).map(|(_, v)| v)
    }

    /// Whether the key is there.
    pub fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
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
        self.0.push((key.into(), value));
    }

    /// Replaces the first value of the key in place, or appends the entry.
    pub fn insert(&mut self, key: impl Into<String>, value: Value) {
        let key = key.into();
        match self.0.iter_mut().find(|(k, _)| *k == key) {
            Some(entry) => entry.1 = value,
            None => self.0.push((key, value)),
        }
    }

    /// Removes all entries of the key and returns the first one's value.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let at = self.0.iter().position(|(k, _)| k == key)?;
        let value = self.0.remove(at).1;
        self.0.retain(|(k, _)| k != key);
        Some(value)
    }

    /// The order GLib's `GVariantDict` would emit after the entries were inserted in this order.
    ///
    /// Of entries with the same key the last value survives, at the place the first one had in
    /// the table.
    #[must_use]
    pub fn in_glib_order(&self) -> Dict {
        let order = glib_order::order(self.keys());
        let values: std::collections::HashMap<&str, &Value> = self.iter().collect();
        order
            .into_iter()
            .map(|index| &self.0[index].0)
            .map(|key| (key.clone(), values[key.as_str()].clone()))
            .collect()
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
        for (key, value) in &self.0 {
            pad(out, 8);
            let start = out.len();
            crate::encode::push_str(out, key);
            let key_end = out.len() - start;
            pad(out, 8);
            value.write(out);
            out.push(0);
            out.extend_from_slice(value.type_string().as_bytes());
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
        frame::array(bytes, 8)?
            .map(|entry| {
                let [key, value] = frame::tuple(entry, [Member::BYTES, Member::VARIANT])?;
                let key = frame::str(key)?.to_owned();
                let (child, ty) = frame::variant(value)?;
                let ty = Type::parse(ty)?;
                // An array, an entry and a variant lie around the value.
                if ty.depth() + 3 > MAX_DEPTH {
                    return Err(Error::TooDeep);
                }
                Ok((key, crate::decode::decode_at(&ty, child, 3)?))
            })
            .collect()
    }
}

impl FromIterator<(String, Value)> for Dict {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(entries: I) -> Self {
        Dict(entries.into_iter().collect())
    }
}

impl IntoIterator for Dict {
    type Item = (String, Value);
    type IntoIter = std::vec::IntoIter<(String, Value)>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
