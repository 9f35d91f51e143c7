//! Numbers in tar headers.

/// Reads octal digits after spaces, or with the top bit set a big-endian binary number. Never fails: what is no digit
/// ends the number, what is too large becomes the largest.
pub(super) fn number(field: &[u8]) -> i64 {
    match field.first() {
        Some(first) if first & 0x80 != 0 => binary(field),
        _ => octal(field),
    }
}

fn octal(field: &[u8]) -> i64 {
    let digits = field.iter().skip_while(|b| matches!(b, b' ' | b'\t'));
    let mut value = 0i64;
    for digit in digits {
        let (b'0'..=b'7') = digit else { break };
        value = match value.checked_mul(8) {
            Some(v) => v | i64::from(digit - b'0'),
            None => return i64::MAX,
        };
    }
    value
}

fn binary(field: &[u8]) -> i64 {
    let negative = field[0] & 0x40 != 0;
    // The top bit only says that the number is binary.
    let first = if negative {
        field[0] | 0x80
    } else {
        field[0] & 0x7f
    };
    let mut value = if negative { -1i128 } else { 0 };
    for byte in std::iter::once(&first).chain(&field[1..]) {
        value = (value << 8) | i128::from(*byte);
        // Fields have at most twelve bytes; 96 bits fit.
    }
    value.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

/// Reads the decimal number of a pax record or sparse map: digits up to something else, saturating.
pub(super) fn decimal(text: &[u8]) -> i64 {
    let (negative, digits) = match text.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut value = 0i64;
    for digit in digits {
        let (b'0'..=b'9') = digit else { break };
        value = value
            .saturating_mul(10)
            .saturating_add(i64::from(digit - b'0'));
    }
    if negative { -value } else { value }
}

/// An owner or group: below zero is nobody's, so root's; more than 32 bits lose the upper ones.
pub(super) fn id(value: i64) -> u32 {
    value.max(0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_as_they_are_found_in_the_field() {
        for (field, value) in [
            (&b"0000644\0"[..], 0o644),
            (b"  123 \0\0", 0o123),
            (b"12345678", 0o1234567),
            (b"", 0),
            (b"\0\0\0\0\0\0\0\0", 0),
            (b"9zz", 0),
            (b"\x80\0\0\0\0\x2d\xc6\xc0", 3_000_000),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff", -1),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe", -2),
            (b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", i64::MAX),
            (b"\x80\xff\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", i64::MAX),
            (b"777777777777", 0o777777777777),
        ] {
            assert_eq!(number(field), value, "{field:?}");
        }
    }

    #[test]
    fn decimals() {
        for (text, value) in [
            (&b"12zz"[..], 12),
            (b"-2", -2),
            (b"", 0),
            (b"99999999999999999999", i64::MAX),
        ] {
            assert_eq!(decimal(text), value, "{text:?}");
        }
        assert_eq!((id(-5), id(4_294_967_297)), (0, 1));
    }
}
