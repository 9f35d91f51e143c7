//! What holds for every value and all bytes.

use osier_gv::{Dict, Type, Value, check_normal_form, text};
use proptest::prelude::*;

use crate::strategies::{damaged, type_string, typed_value};

/// Decoding and checking agree, and what decodes encodes to the same bytes.
fn decodes_to_itself_or_not_at_all(ty: &Type, bytes: &[u8]) {
    let decoded = Value::decode(ty, bytes);
    assert_eq!(decoded.is_ok(), check_normal_form(ty, bytes).is_ok());
    if let Ok(value) = decoded {
        assert_eq!(value.encode(), bytes, "{ty}");
        assert!(value.has_type(ty));
    }
}

proptest! {
    #[test]
    fn values_come_back((ty, value) in typed_value()) {
        prop_assert_eq!(value.type_string(), ty.as_str());
        let bytes = value.encode();
        let read = Value::decode(&ty, &bytes).unwrap();
        check_normal_form(&ty, &bytes).unwrap();
        prop_assert_eq!(read.encode(), bytes);
        // NaN is unequal to itself, so compare what is printed.
        prop_assert_eq!(format!("{read:?}"), format!("{value:?}"));
    }

    #[test]
    fn swapping_twice_changes_nothing((_, value) in typed_value()) {
        prop_assert_eq!(value.byteswapped().byteswapped().encode(), value.encode());
    }

    #[test]
    fn printed_values_parse((ty, value) in typed_value()) {
        // GLib cannot read subnormal doubles, and lets NaN lose its payload.
        let printed = text::print(&value, true);
        match text::parse(&printed, Some(&ty)) {
            Ok(read) => prop_assert_eq!(text::print(&read, true), printed),
            Err(error) => prop_assert!(
                error.to_string().contains("number too big"),
                "{}: {}", printed, error
            ),
        }
    }

    #[test]
    fn any_bytes_of_any_type(
        ty in type_string(),
        bytes in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        decodes_to_itself_or_not_at_all(&Type::parse(&ty).unwrap(), &bytes);
    }

    #[test]
    fn zeros_of_any_type(ty in type_string(), length in 0usize..64) {
        decodes_to_itself_or_not_at_all(&Type::parse(&ty).unwrap(), &vec![0; length]);
    }

    #[test]
    fn damaged_bytes((ty, bytes) in typed_value().prop_flat_map(|(ty, value)| {
        (Just(ty), damaged(value.encode()))
    })) {
        decodes_to_itself_or_not_at_all(&ty, &bytes);
    }

    #[test]
    fn any_text(text in "[-@a-z0-9(){}<>\\[\\],:.'\"\\\\ ]{0,24}") {
        if let Ok(value) = text::parse(&text, None) {
            let ty = value.ty();
            prop_assert!(Value::decode(&ty, &value.encode()).is_ok());
        }
    }

    #[test]
    fn any_unicode_text(text in ".{0,24}") {
        let _ = text::parse(&text, None);
        let _ = text::parse(&format!("'{text}'"), None);
    }

    #[test]
    fn any_type_string(text in "[bynqiuxthdsogvam(){}*?]{0,12}") {
        if let Ok(ty) = Type::parse(&text) {
            prop_assert_eq!(ty.as_str(), text);
            prop_assert!(ty.alignment().is_power_of_two());
            if let Some(size) = ty.fixed_size() {
                prop_assert_eq!(size % ty.alignment(), 0);
                prop_assert!(Value::decode(&ty, &vec![0; size]).is_ok());
            }
        }
    }

    #[test]
    fn any_dict(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let ty = Type::parse("a{sv}").unwrap();
        let dict = Dict::decode(&bytes);
        prop_assert_eq!(dict.is_ok(), check_normal_form(&ty, &bytes).is_ok());
        if let Ok(dict) = dict {
            prop_assert_eq!(dict.encode(), bytes);
        }
    }
}
