//! Nodes to values of a known type.

use super::ast::{Kind, Node};
use super::{error, number};
use crate::decode::{is_object_path, is_signature};
use crate::ty::Kind as T;
use crate::{Error, Type, Value};

pub(super) fn build(node: &Node<'_>, ty: &Type) -> Result<Value, Error> {
    // A declaration only guides inference; once a type is known, that one rules.
    if let Kind::Typed(_, inner) = &node.kind {
        return build(inner, ty);
    }
    if let T::Maybe(element) = ty.kind() {
        let inner = match &node.kind {
            Kind::Maybe(None) => None,
            Kind::Maybe(Some(inner)) => Some(Box::new(build(inner, element)?)),
            // `just` may be left out.
            _ => Some(Box::new(build(node, element)?)),
        };
        return Ok(Value::Maybe(element.clone(), inner));
    }
    match (&node.kind, ty.kind()) {
        (Kind::Bool(b), T::Bool) => Ok(Value::Bool(*b)),
        (Kind::Number(token), kind) => match number::value(token, node.start, kind)? {
            Some(value) => Ok(value),
            None => mismatch(node, ty),
        },
        (Kind::Text(text), T::Str) => Ok(Value::Str(text.clone())),
        (Kind::Text(text), T::ObjectPath) if is_object_path(text) => {
            Ok(Value::ObjectPath(text.clone()))
        }
        (Kind::Text(_), T::ObjectPath) => {
            Err(error(node.start, node.end, "not a valid object path"))
        }
        (Kind::Text(text), T::Signature) if is_signature(text) => {
            Ok(Value::Signature(text.clone()))
        }
        (Kind::Text(_), T::Signature) => Err(error(node.start, node.end, "not a valid signature")),
        (Kind::Bytes(bytes), T::Array(element)) if element.kind() == &T::Byte => {
            Ok(Value::Bytes(bytes.clone()))
        }
        (Kind::Array(items), T::Array(element)) => {
            let items = items
                .iter()
                .map(|item| build(item, element))
                .collect::<Result<_, _>>()?;
            Value::array(element.clone(), items)
        }
        (Kind::Tuple(members), T::Tuple(types)) => {
            // An error inside comes before one in the number of members.
            let mut built = Vec::with_capacity(members.len());
            for (member, ty) in members.iter().zip(types) {
                built.push(build(member, ty)?);
            }
            if members.len() == types.len() {
                Ok(Value::Tuple(built))
            } else {
                mismatch(node, ty)
            }
        }
        (Kind::Entry(entry), T::DictEntry(key, value)) => {
            Ok(Value::entry(build(&entry.0, key)?, build(&entry.1, value)?))
        }
        (Kind::Dict(entries), T::Array(element)) => {
            let T::DictEntry(key_type, value_type) = element.kind() else {
                return mismatch(node, ty);
            };
            let items = entries
                .iter()
                .map(|(key, value)| {
                    Ok(Value::entry(
                        build(key, key_type)?,
                        build(value, value_type)?,
                    ))
                })
                .collect::<Result<_, Error>>()?;
            Ok(Value::Array(element.clone(), items))
        }
        (Kind::Variant(inner), T::Variant) => {
            Ok(Value::variant(build(inner, &super::infer::infer(inner)?)?))
        }
        _ => mismatch(node, ty),
    }
}

fn mismatch(node: &Node<'_>, ty: &Type) -> Result<Value, Error> {
    let message = format!("can not parse as value of type '{ty}'");
    Err(error(node.start, node.end, message))
}
