//! Splitting and writing containers as slices.

use osier_gv::frame::{ArrayWriter, Member, TupleWriter, array, fixed_array, str, tuple, variant};
use osier_gv::{Type, Value};
use proptest::prelude::*;

#[test]
fn array_knows_its_length() {
    let bytes = Value::strv(["a", "", "bcd"]).encode();
    let mut items = array(&bytes, 1).unwrap();
    assert_eq!(items.len(), 3);
    assert_eq!(items.next(), Some(&b"a\0"[..]));
    assert_eq!(items.len(), 2);
    assert_eq!(
        items.map(|item| str(item).unwrap()).collect::<Vec<_>>(),
        ["", "bcd"]
    );
    assert_eq!(array(b"", 8).unwrap().len(), 0);
}

#[test]
fn fixed_elements() {
    let numbers: Vec<_> = fixed_array(&[1, 0, 2, 0], 2).unwrap().collect();
    assert_eq!(numbers, [[1, 0], [2, 0]]);
    assert!(fixed_array(&[1], 2).is_err());
    assert!(fixed_array(&[1], 0).is_err());
}

#[test]
fn variant_splits_at_its_last_nul() {
    assert_eq!(variant(b"x\0\0s").unwrap(), (&b"x\0"[..], "s"));
    assert!(variant(b"s").is_err());
}

#[test]
fn fixed_tuple_has_its_end_padding() {
    let mut writer = TupleWriter::new();
    writer.fixed(8, &7u64.to_le_bytes()).fixed(1, &[9]);
    let bytes = writer.finish();
    assert_eq!(bytes.len(), 16);
    let [number, byte] = tuple(&bytes, [Member::U64, Member::BYTE]).unwrap();
    assert_eq!((number[0], byte), (7, &[9][..]));
    assert_eq!(TupleWriter::new().finish(), [0]);
    assert!(tuple::<0>(&[0], []).is_ok());
    assert!(tuple::<0>(&[], []).is_err());
}

proptest! {
    /// The writers agree with values, whatever the sizes.
    #[test]
    fn writers_agree_with_values(
        items in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 0..20),
        number: u64,
    ) {
        let mut writer = ArrayWriter::new(1);
        for item in &items {
            writer.push(item);
        }
        let bytes = writer.finish();
        prop_assert_eq!(&bytes, &Value::bytes_list(items.clone()).encode());

        let mut writer = TupleWriter::new();
        writer
            .variable(1, &bytes)
            .fixed(8, &number.to_le_bytes())
            .variable(1, b"end\0")
            .fixed(1, &[1]);
        let whole = writer.finish();
        let value = Value::Tuple(vec![
            Value::bytes_list(items.clone()),
            Value::U64(number),
            Value::str("end"),
            Value::Byte(1),
        ]);
        prop_assert_eq!(&whole, &value.encode());
        let [list, ..] = tuple(
            &whole,
            [Member::BYTES, Member::U64, Member::BYTES, Member::BYTE],
        )
        .unwrap();
        let read: Vec<_> = array(list, 1).unwrap().map(<[u8]>::to_vec).collect();
        prop_assert_eq!(read, items);
    }

    /// `array` accepts exactly the normal form.
    #[test]
    fn array_is_strict(bytes in proptest::collection::vec(0u8..6, 0..12)) {
        let ty = Type::parse("aay").unwrap();
        let ours = array(&bytes, 1).map(|items| items.count());
        let value = Value::decode(&ty, &bytes);
        prop_assert_eq!(ours.is_ok(), value.is_ok());
        if let (Ok(count), Ok(Value::Array(_, items))) = (ours, value) {
            prop_assert_eq!(count, items.len());
        }
    }
}
