//! Bytes that GVariant gives a meaning but that are not the normal form.

use osier_gv::{Error, MAX_DEPTH, Type, Value, check_normal_form};

fn refused(ty: &str, bytes: &[u8]) {
    let ty = Type::parse(ty).unwrap();
    assert!(Value::decode(&ty, bytes).is_err(), "{ty} {bytes:02x?}");
    assert!(check_normal_form(&ty, bytes).is_err(), "{ty} {bytes:02x?}");
}

fn accepted(ty: &str, bytes: &[u8]) -> Value {
    let ty = Type::parse(ty).unwrap();
    let value = Value::decode(&ty, bytes).unwrap();
    assert_eq!(value.encode(), bytes, "{ty}");
    value
}

#[test]
fn basic_types() {
    accepted("b", &[1]);
    refused("b", &[2]);
    refused("b", &[]);
    refused("b", &[0, 0]);
    accepted("u", &[1, 0, 0, 0]);
    refused("u", &[1, 0, 0]);
    accepted("s", b"\0");
    refused("s", b"");
    refused("s", b"abc");
    refused("s", b"a\0b\0");
    refused("s", b"\xff\0");
    refused("o", b"x\0");
    refused("g", b"a\0");
}

#[test]
fn tuples() {
    accepted("()", &[0]);
    refused("()", &[1]);
    refused("()", &[]);
    // padding after the last member of a fixed-size tuple
    accepted("(iy)", &[1, 0, 0, 0, 2, 0, 0, 0]);
    refused("(iy)", &[1, 0, 0, 0, 2, 0, 0, 9]);
    refused("(iy)", &[1, 0, 0, 0, 2]);
    // padding between members
    accepted("(yi)", &[1, 0, 0, 0, 2, 0, 0, 0]);
    refused("(yi)", &[1, 7, 0, 0, 2, 0, 0, 0]);
    // the last variable-size member has no offset, the others are in reverse
    accepted("(say)", b"x\0\x01\x02\x02");
    accepted("(sss)", b"a\0bc\0d\0\x05\x02");
    refused("(sss)", b"a\0bc\0d\0\x02\x05");
    refused("(say)", b"x\0\x01\x02\x09");
    refused("(say)", b"");
    // a fixed-size last member must end where the offsets start
    accepted("(sy)", b"x\0\x07\x02");
    refused("(sy)", b"x\0\x07\x00\x02");
    // offsets of two bytes where one would do
    let mut wide = b"x\0".to_vec();
    wide.extend(vec![1; 252]);
    wide.extend([2, 0]);
    assert_eq!(wide.len(), 256);
    refused("(say)", &wide);
}

#[test]
fn arrays() {
    accepted("as", b"");
    accepted("as", b"a\0bc\0\x02\x05");
    // an empty element takes no bytes but its offset
    accepted("aay", &[0]);
    refused("as", b"a\0bc\0\x05\x02");
    refused("as", b"a\0bc\0\x02\x09");
    refused("as", b"a\0\x03");
    // an offset that ends before the element's padding starts
    refused("aas", &[0xff]);
    // elements of fixed size
    accepted("aq", &[1, 0, 2, 0]);
    refused("aq", &[1, 0, 2]);
    accepted("ab", &[0, 1]);
    refused("ab", &[0, 2]);
    accepted("a(y)", &[1, 2]);
    accepted("a()", &[0, 0]);
    refused("a()", &[0, 1]);
    // padding between elements
    accepted("aav", b"");
    let two = accepted("av", b"\x01\0y\0\0\0\0\0\x02\0y\x03\x0b");
    assert_eq!(two.as_array().unwrap().len(), 2);
    refused("av", b"\x01\0y\0\0\0\0\x01\x02\0y\x03\x0b");
    // offsets of two bytes where one would do: 1 + 126 elements
    let mut wide = vec![1; 2];
    for _ in 0..127 {
        wide.extend([2, 0]);
    }
    assert_eq!(wide.len(), 256);
    refused("aay", &wide);
}

#[test]
fn maybes() {
    accepted("mi", &[]);
    accepted("mi", &[1, 0, 0, 0]);
    refused("mi", &[1, 0, 0]);
    accepted("ms", b"");
    accepted("ms", b"x\0\0");
    refused("ms", b"x\0");
    refused("ms", b"x\0\x01");
    // just nothing
    accepted("mms", b"\0");
}

#[test]
fn variants() {
    accepted("v", b"\x05\0y");
    accepted("v", b"x\0\0s");
    refused("v", b"");
    refused("v", b"\x05");
    refused("v", b"\x05\0");
    refused("v", b"\x05\0z");
    refused("v", b"\x05\0*");
    refused("v", b"\x05\0yy");
    refused("v", b"\x05\x06\0y");
    refused("v", b"\x05\0\xff");
}

#[test]
fn nesting_is_bounded() {
    assert!(Type::parse(&format!("{}y", "a".repeat(MAX_DEPTH))).is_ok());
    assert_eq!(
        Type::parse(&format!("{}y", "a".repeat(MAX_DEPTH + 1))),
        Err(Error::TooDeep)
    );
    // The depth of a long type must not cost stack either.
    assert_eq!(Type::parse(&"(".repeat(1_000_000)), Err(Error::TooDeep));
    let nest = |depth: usize| {
        let mut value = Value::Byte(1);
        for _ in 0..depth {
            value = Value::variant(value);
        }
        value
    };
    let ty = Type::parse("v").unwrap();
    let fits = nest(MAX_DEPTH).encode();
    assert!(Value::decode(&ty, &fits).is_ok());
    let deeper = nest(MAX_DEPTH + 1).encode();
    assert_eq!(Value::decode(&ty, &deeper), Err(Error::TooDeep));
    assert_eq!(check_normal_form(&ty, &deeper), Err(Error::TooDeep));
}

#[test]
fn what_a_string_cannot_hold_is_cut() {
    assert_eq!(Value::str("a\0b").encode(), b"a\0");
}
