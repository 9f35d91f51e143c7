//! Random types and values of them.

use osier_gv::{Kind, Type, Value};
use proptest::prelude::*;

const BASIC: &str = "bynqiuxthdsog";

fn basic() -> impl Strategy<Value = String> {
    (0..BASIC.len()).prop_map(|at| BASIC[at..=at].to_owned())
}

/// A complete type string, some levels deep.
pub fn type_string() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![6 => basic(), 1 => Just("v".to_owned())];
    leaf.prop_recursive(4, 12, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|ty| format!("a{ty}")),
            inner.clone().prop_map(|ty| format!("m{ty}")),
            proptest::collection::vec(inner.clone(), 0..4)
                .prop_map(|types| format!("({})", types.concat())),
            (basic(), inner).prop_map(|(key, value)| format!("{{{key}{value}}}")),
        ]
    })
}

/// A value of that type.
pub fn value_of(ty: Type) -> BoxedStrategy<Value> {
    match ty.kind().clone() {
        Kind::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Kind::Byte => any::<u8>().prop_map(Value::Byte).boxed(),
        Kind::I16 => any::<i16>().prop_map(Value::I16).boxed(),
        Kind::U16 => any::<u16>().prop_map(Value::U16).boxed(),
        Kind::I32 => any::<i32>().prop_map(Value::I32).boxed(),
        Kind::U32 => any::<u32>().prop_map(Value::U32).boxed(),
        Kind::I64 => any::<i64>().prop_map(Value::I64).boxed(),
        Kind::U64 => any::<u64>().prop_map(Value::U64).boxed(),
        Kind::Handle => any::<i32>().prop_map(Value::Handle).boxed(),
        Kind::F64 => any::<f64>().prop_map(Value::F64).boxed(),
        Kind::Str => "[^\0]{0,8}".prop_map(Value::Str).boxed(),
        Kind::ObjectPath => "(/[a-z0-9_]{1,4}){1,3}|/"
            .prop_map(Value::ObjectPath)
            .boxed(),
        Kind::Signature => "[bisv]{0,3}(a\\{sv\\})?".prop_map(Value::Signature).boxed(),
        // One more level of types each time would never end.
        Kind::Variant => (basic(), any::<bool>())
            .prop_flat_map(|(ty, list)| {
                let ty = if list { format!("a{ty}") } else { ty };
                value_of(Type::parse(&ty).unwrap())
            })
            .prop_map(Value::variant)
            .boxed(),
        Kind::Array(element) => proptest::collection::vec(value_of(element.clone()), 0..5)
            .prop_map(move |items| Value::array(element.clone(), items).unwrap())
            .boxed(),
        Kind::Maybe(element) => proptest::option::of(value_of(element.clone()))
            .prop_map(move |item| Value::Maybe(element.clone(), item.map(Box::new)))
            .boxed(),
        Kind::Tuple(members) => members
            .into_iter()
            .map(value_of)
            .collect::<Vec<_>>()
            .prop_map(Value::Tuple)
            .boxed(),
        Kind::DictEntry(key, value) => (value_of(key), value_of(value))
            .prop_map(|(key, value)| Value::entry(key, value))
            .boxed(),
    }
}

/// A type with a value of it.
pub fn typed_value() -> impl Strategy<Value = (Type, Value)> {
    type_string().prop_flat_map(|ty| {
        let ty = Type::parse(&ty).unwrap();
        (Just(ty.clone()), value_of(ty))
    })
}

/// Small damage to bytes: change, insert, remove, truncate.
pub fn damaged(bytes: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let edit = (any::<proptest::sample::Index>(), any::<u8>(), 0..4u8);
    proptest::collection::vec(edit, 1..4).prop_map(move |edits| {
        let mut bytes = bytes.clone();
        for (at, byte, what) in edits {
            let at = at.index(bytes.len() + 1);
            match what {
                0 if at < bytes.len() => bytes[at] = byte,
                1 if at < bytes.len() => drop(bytes.remove(at)),
                2 => bytes.insert(at, byte),
                _ => bytes.truncate(at),
            }
        }
        bytes
    })
}
