//! Values that own what they hold.

use crate::ty::Kind;
use crate::{Error, Type};

/// One GVariant value.
///
/// An array or maybe carries its element type, since it may hold no element. The elements must
/// have that type; [`Value::array`] checks it. `ay` is always [`Value::Bytes`].
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `b`
    Bool(bool),
    /// `y`
    Byte(u8),
    /// `n`
    I16(i16),
    /// `q`
    U16(u16),
    /// `i`
    I32(i32),
    /// `u`
    U32(u32),
    /// `x`
    I64(i64),
    /// `t`
    U64(u64),
    /// `h`, an index
    Handle(i32),
    /// `d`
    F64(f64),
    /// `s`; what follows a NUL is not serialised
    Str(String),
    /// `o`
    ObjectPath(String),
    /// `g`
    Signature(String),
    /// `ay`
    Bytes(Vec<u8>),
    /// `aT` for every T but `y`: element type, elements
    Array(Type, Vec<Value>),
    /// `(…)`
    Tuple(Vec<Value>),
    /// `{KV}`
    DictEntry(Box<(Value, Value)>),
    /// `v`
    Variant(Box<Value>),
    /// `mT`: element type, element
    Maybe(Type, Option<Box<Value>>),
}

impl Value {
    /// A string.
    pub fn str(text: impl Into<String>) -> Value {
        Value::Str(text.into())
    }

    /// An array of strings, `as`.
    pub fn strv<S: Into<String>>(texts: impl IntoIterator<Item = S>) -> Value {
        let items = texts.into_iter().map(Value::str).collect();
        Value::Array(static_type("s"), items)
    }

    /// An array of byte strings, `aay`.
    pub fn bytes_list(items: impl IntoIterator<Item = Vec<u8>>) -> Value {
        let items = items.into_iter().map(Value::Bytes).collect();
        Value::Array(static_type("ay"), items)
    }

    /// A value boxed as `v`.
    pub fn variant(inner: Value) -> Value {
        Value::Variant(Box::new(inner))
    }

    /// A dictionary entry.
    pub fn entry(key: Value, value: Value) -> Value {
        Value::DictEntry(Box::new((key, value)))
    }

    /// An array whose elements are checked; bytes become [`Value::Bytes`].
    ///
    /// # Errors
    /// [`Error::WrongType`] when an element has another type.
    pub fn array(element: Type, items: Vec<Value>) -> Result<Value, Error> {
        let mut bytes = Vec::new();
        for item in &items {
            if !item.has_type(&element) {
                return Err(Error::WrongType {
                    expected: element.as_str().to_owned(),
                    found: item.type_string(),
                });
            }
            if let Value::Byte(byte) = item {
                bytes.push(*byte);
            }
        }
        Ok(if element.kind() == &Kind::Byte {
            Value::Bytes(bytes)
        } else {
            Value::Array(element, items)
        })
    }

    /// The type of this value.
    pub fn ty(&self) -> Type {
        static_type(&self.type_string())
    }

    /// The type string of this value.
    pub fn type_string(&self) -> String {
        let mut out = String::new();
        self.write_type(&mut out);
        out
    }

    fn write_type(&self, out: &mut String) {
        match self {
            Value::Bool(_) => out.push('b'),
            Value::Byte(_) => out.push('y'),
            Value::I16(_) => out.push('n'),
            Value::U16(_) => out.push('q'),
            Value::I32(_) => out.push('i'),
            Value::U32(_) => out.push('u'),
            Value::I64(_) => out.push('x'),
            Value::U64(_) => out.push('t'),
            Value::Handle(_) => out.push('h'),
            Value::F64(_) => out.push('d'),
            Value::Str(_) => out.push('s'),
            Value::ObjectPath(_) => out.push('o'),
            Value::Signature(_) => out.push('g'),
            Value::Bytes(_) => out.push_str("ay"),
            Value::Variant(_) => out.push('v'),
            Value::Array(element, _) => {
                out.push('a');
                out.push_str(element.as_str());
            }
            Value::Maybe(element, _) => {
                out.push('m');
                out.push_str(element.as_str());
            }
            Value::Tuple(members) => {
                out.push('(');
                for member in members {
                    member.write_type(out);
                }
                out.push(')');
            }
            Value::DictEntry(entry) => {
                out.push('{');
                entry.0.write_type(out);
                entry.1.write_type(out);
                out.push('}');
            }
        }
    }

    /// Whether the value has exactly that type. Array elements are not looked at.
    pub fn has_type(&self, ty: &Type) -> bool {
        match (self, ty.kind()) {
            (Value::Bool(_), Kind::Bool)
            | (Value::Byte(_), Kind::Byte)
            | (Value::I16(_), Kind::I16)
            | (Value::U16(_), Kind::U16)
            | (Value::I32(_), Kind::I32)
            | (Value::U32(_), Kind::U32)
            | (Value::I64(_), Kind::I64)
            | (Value::U64(_), Kind::U64)
            | (Value::Handle(_), Kind::Handle)
            | (Value::F64(_), Kind::F64)
            | (Value::Str(_), Kind::Str)
            | (Value::ObjectPath(_), Kind::ObjectPath)
            | (Value::Signature(_), Kind::Signature)
            | (Value::Variant(_), Kind::Variant) => true,
            (Value::Bytes(_), Kind::Array(element)) => element.kind() == &Kind::Byte,
            (Value::Array(mine, _), Kind::Array(element))
            | (Value::Maybe(mine, _), Kind::Maybe(element)) => mine == element,
            (Value::Tuple(members), Kind::Tuple(types)) => {
                members.len() == types.len()
                    && members.iter().zip(types).all(|(m, t)| m.has_type(t))
            }
            (Value::DictEntry(entry), Kind::DictEntry(key, value)) => {
                entry.0.has_type(key) && entry.1.has_type(value)
            }
            _ => false,
        }
    }

    /// Alignment of the value's type in bytes.
    pub(crate) fn alignment(&self) -> usize {
        match self {
            Value::I16(_) | Value::U16(_) => 2,
            Value::I32(_) | Value::U32(_) | Value::Handle(_) => 4,
            Value::I64(_) | Value::U64(_) | Value::F64(_) | Value::Variant(_) => 8,
            Value::Bool(_)
            | Value::Byte(_)
            | Value::Str(_)
            | Value::ObjectPath(_)
            | Value::Signature(_)
            | Value::Bytes(_) => 1,
            Value::Array(element, _) | Value::Maybe(element, _) => element.alignment(),
            Value::Tuple(members) => members.iter().map(Value::alignment).max().unwrap_or(1),
            Value::DictEntry(entry) => entry.0.alignment().max(entry.1.alignment()),
        }
    }

    /// Whether the value's type has a fixed size.
    pub(crate) fn is_fixed(&self) -> bool {
        match self {
            Value::Str(_)
            | Value::ObjectPath(_)
            | Value::Signature(_)
            | Value::Bytes(_)
            | Value::Variant(_)
            | Value::Array(..)
            | Value::Maybe(..) => false,
            Value::Tuple(members) => members.iter().all(Value::is_fixed),
            Value::DictEntry(entry) => entry.0.is_fixed() && entry.1.is_fixed(),
            _ => true,
        }
    }

    /// The same value with the bytes of every number reversed, through all containers.
    ///
    /// This is what `ostree show --raw` prints, and how big-endian fields of commits are read.
    #[must_use]
    pub fn byteswapped(&self) -> Value {
        let each = |items: &[Value]| items.iter().map(Value::byteswapped).collect();
        match self {
            Value::I16(n) => Value::I16(n.swap_bytes()),
            Value::U16(n) => Value::U16(n.swap_bytes()),
            Value::I32(n) => Value::I32(n.swap_bytes()),
            Value::U32(n) => Value::U32(n.swap_bytes()),
            Value::I64(n) => Value::I64(n.swap_bytes()),
            Value::U64(n) => Value::U64(n.swap_bytes()),
            Value::Handle(n) => Value::Handle(n.swap_bytes()),
            Value::F64(n) => Value::F64(f64::from_bits(n.to_bits().swap_bytes())),
            Value::Array(element, items) => Value::Array(element.clone(), each(items)),
            Value::Tuple(members) => Value::Tuple(each(members)),
            Value::DictEntry(entry) => Value::entry(entry.0.byteswapped(), entry.1.byteswapped()),
            Value::Variant(inner) => Value::variant(inner.byteswapped()),
            Value::Maybe(element, item) => Value::Maybe(
                element.clone(),
                item.as_ref().map(|item| Box::new(item.byteswapped())),
            ),
            other => other.clone(),
        }
    }

    /// The text of a string, object path or signature.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(text) | Value::ObjectPath(text) | Value::Signature(text) => Some(text),
            _ => None,
        }
    }

    /// The bytes of an `ay`.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The elements of an array other than `ay`.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Value::Array(_, items) => Some(items),
            _ => None,
        }
    }

    /// The members of a tuple.
    pub fn as_tuple(&self) -> Option<&[Value]> {
        match self {
            Value::Tuple(members) => Some(members),
            _ => None,
        }
    }

    /// The value inside a `v`.
    pub fn as_variant(&self) -> Option<&Value> {
        match self {
            Value::Variant(inner) => Some(inner),
            _ => None,
        }
    }
}

/// A type string that is valid by construction.
pub(crate) fn static_type(text: &str) -> Type {
    // Values made by hand may nest past MAX_DEPTH; nothing else can fail here.
    Type::parse_bounded(text, usize::MAX).expect("a value has a valid type")
}
