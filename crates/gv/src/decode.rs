//! Bytes to values, accepting normal form only.

use crate::frame::{self, Member};
use crate::ty::Kind;
use crate::{Error, MAX_DEPTH, Type, Value};

impl Value {
    /// Reads a little-endian value of type `ty`.
    ///
    /// Memory use is bounded by a constant times the input's length and recursion by
    /// [`MAX_DEPTH`].
    ///
    /// # Errors
    /// [`Error::NotNormal`] unless `bytes` is exactly what [`Value::encode`] would write;
    /// [`Error::TooDeep`] when variants nest too deep.
    pub fn decode(ty: &Type, bytes: &[u8]) -> Result<Value, Error> {
        decode_at(ty, bytes, 0)
    }
}

/// Checks that `bytes` is the normal form of a value of type `ty`, without building it.
///
/// # Errors
/// As [`Value::decode`].
pub fn check_normal_form(ty: &Type, bytes: &[u8]) -> Result<(), Error> {
    check_at(ty, bytes, 0)
}

/// The type of a variant's child, checked against the nesting limit.
fn child_type(text: &str, depth: usize) -> Result<Type, Error> {
    let ty = Type::parse(text)?;
    if depth + 1 + ty.depth() > MAX_DEPTH {
        return Err(Error::TooDeep);
    }
    Ok(ty)
}

fn member(ty: &Type) -> Member {
    Member {
        align: ty.alignment(),
        fixed: ty.fixed_size(),
    }
}

fn number<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Error> {
    bytes
        .try_into()
        .map_err(|_| Error::NotNormal("number has the wrong size"))
}

fn boolean(bytes: &[u8]) -> Result<bool, Error> {
    match bytes {
        [0] => Ok(false),
        [1] => Ok(true),
        _ => Err(Error::NotNormal("boolean is neither 0 nor 1")),
    }
}

fn object_path(bytes: &[u8]) -> Result<&str, Error> {
    let text = frame::str(bytes)?;
    if is_object_path(text) {
        Ok(text)
    } else {
        Err(Error::NotNormal("invalid object path"))
    }
}

fn signature(bytes: &[u8]) -> Result<&str, Error> {
    let text = frame::str(bytes)?;
    if is_signature(text) {
        Ok(text)
    } else {
        Err(Error::NotNormal("invalid signature"))
    }
}

/// Whether the text is a D-Bus object path: `/`, or `/`-led elements of `[A-Za-z0-9_]`.
pub(crate) fn is_object_path(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('/') else {
        return false;
    };
    rest.is_empty()
        || rest.split('/').all(|element| {
            !element.is_empty()
                && element
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'_')
        })
}

/// Whether the text is a sequence of complete D-Bus types, which know no maybes.
pub(crate) fn is_signature(text: &str) -> bool {
    // As the members of a tuple they are parsed in one go.
    !text.contains('m') && Type::parse_bounded(&format!("({text})"), MAX_DEPTH + 1).is_ok()
}

/// `mT`: the child's bytes, if there is one.
fn maybe<'a>(element: &Type, bytes: &'a [u8]) -> Result<Option<&'a [u8]>, Error> {
    match (element.fixed_size(), bytes.split_last()) {
        (_, None) => Ok(None),
        (Some(_), _) => Ok(Some(bytes)),
        (None, Some((0, child))) => Ok(Some(child)),
        (None, Some(_)) => Err(Error::NotNormal("maybe does not end in zero")),
    }
}

pub(crate) fn check_at(ty: &Type, bytes: &[u8], depth: usize) -> Result<(), Error> {
    if let Some(size) = ty.fixed_size()
        && size != bytes.len()
    {
        return Err(Error::NotNormal("value has the wrong size"));
    }
    let check_one = |ty: &Type, bytes: &[u8]| check_at(ty, bytes, depth + 1);
    match ty.kind() {
        Kind::Bool => boolean(bytes).map(drop),
        Kind::Byte
        | Kind::I16
        | Kind::U16
        | Kind::I32
        | Kind::U32
        | Kind::I64
        | Kind::U64
        | Kind::Handle
        | Kind::F64 => Ok(()),
        Kind::Str => frame::str(bytes).map(drop),
        Kind::ObjectPath => object_path(bytes).map(drop),
        Kind::Signature => signature(bytes).map(drop),
        Kind::Variant => {
            let (child, text) = frame::variant(bytes)?;
            check_one(&child_type(text, depth)?, child)
        }
        Kind::Maybe(element) => match maybe(element, bytes)? {
            Some(child) => check_one(element, child),
            None => Ok(()),
        },
        Kind::Array(element) => match element.fixed_size() {
            Some(1) if element.kind() == &Kind::Byte => Ok(()),
            Some(size) => {
                frame::fixed_array(bytes, size)?.try_for_each(|item| check_one(element, item))
            }
            None => frame::array(bytes, element.alignment())?
                .try_for_each(|item| check_one(element, item)),
        },
        Kind::Tuple(types) => {
            let mut next = types.iter();
            frame::split(bytes, types.iter().map(member), |slice| {
                next.next().map_or(Ok(()), |ty| check_one(ty, slice))
            })
        }
        Kind::DictEntry(key, value) => {
            let [k, v] = frame::tuple(bytes, [member(key), member(value)])?;
            check_one(key, k)?;
            check_one(value, v)
        }
    }
}

pub(crate) fn decode_at(ty: &Type, bytes: &[u8], depth: usize) -> Result<Value, Error> {
    let decode_one = |ty: &Type, bytes: &[u8]| decode_at(ty, bytes, depth + 1);
    Ok(match ty.kind() {
        Kind::Bool => Value::Bool(boolean(bytes)?),
        Kind::Byte => Value::Byte(number::<1>(bytes)?[0]),
        Kind::I16 => Value::I16(i16::from_le_bytes(number(bytes)?)),
        Kind::U16 => Value::U16(u16::from_le_bytes(number(bytes)?)),
        Kind::I32 => Value::I32(i32::from_le_bytes(number(bytes)?)),
        Kind::U32 => Value::U32(u32::from_le_bytes(number(bytes)?)),
        Kind::I64 => Value::I64(i64::from_le_bytes(number(bytes)?)),
        Kind::U64 => Value::U64(u64::from_le_bytes(number(bytes)?)),
        Kind::Handle => Value::Handle(i32::from_le_bytes(number(bytes)?)),
        Kind::F64 => Value::F64(f64::from_bits(u64::from_le_bytes(number(bytes)?))),
        Kind::Str => Value::Str(frame::str(bytes)?.to_owned()),
        Kind::ObjectPath => Value::ObjectPath(object_path(bytes)?.to_owned()),
        Kind::Signature => Value::Signature(signature(bytes)?.to_owned()),
        Kind::Variant => {
            let (child, text) = frame::variant(bytes)?;
            Value::variant(decode_one(&child_type(text, depth)?, child)?)
        }
        Kind::Maybe(element) => Value::Maybe(
            element.clone(),
            match maybe(element, bytes)? {
                Some(child) => Some(Box::new(decode_one(element, child)?)),
                None => None,
            },
        ),
        Kind::Array(element) if element.kind() == &Kind::Byte => Value::Bytes(bytes.to_vec()),
        Kind::Array(element) => {
            let items = match element.fixed_size() {
                Some(size) => frame::fixed_array(bytes, size)?
                    .map(|item| decode_one(element, item))
                    .collect::<Result<_, _>>()?,
                None => frame::array(bytes, element.alignment())?
                    .map(|item| decode_one(element, item))
                    .collect::<Result<_, _>>()?,
            };
            Value::Array(element.clone(), items)
        }
        Kind::Tuple(types) => {
            let mut next = types.iter();
            let mut members = Vec::with_capacity(types.len());
            frame::split(bytes, types.iter().map(member), |slice| {
                if let Some(ty) = next.next() {
                    members.push(decode_one(ty, slice)?);
                }
                Ok(())
            })?;
            Value::Tuple(members)
        }
        Kind::DictEntry(key, value) => {
            let [k, v] = frame::tuple(bytes, [member(key), member(value)])?;
            Value::entry(decode_one(key, k)?, decode_one(value, v)?)
        }
    })
}
