//! Number tokens, read as C's `strtoull` (base 0) and `strtod` read them.

use super::error;
use crate::ty::Kind;
use crate::{Error, Value};

/// Whether the token alone makes a double.
pub(super) fn is_float(token: &str) -> bool {
    token.contains('.')
        || token.contains("inf")
        || token.contains("nan")
        // `e` is a digit after `0x`; a sign or `0X` hides that from GLib.
        || (token.contains('e') && !token.starts_with("0x"))
}

/// The token, which starts at `start` of the text, as a value of that kind; `None` if the kind is
/// no number. Even then the token must be an integer: GLib reads it before it looks at the type.
pub(super) fn value(token: &str, start: usize, kind: &Kind) -> Result<Option<Value>, Error> {
    if kind == &Kind::F64 {
        return Ok(Some(Value::F64(float(token, start)?)));
    }
    let n = integer(token, start)?;
    let converted = match kind {
        Kind::Byte => n.try_into().ok().map(Value::Byte),
        Kind::I16 => n.try_into().ok().map(Value::I16),
        Kind::U16 => n.try_into().ok().map(Value::U16),
        Kind::I32 => n.try_into().ok().map(Value::I32),
        Kind::Handle => n.try_into().ok().map(Value::Handle),
        Kind::U32 => n.try_into().ok().map(Value::U32),
        Kind::I64 => n.try_into().ok().map(Value::I64),
        Kind::U64 => n.try_into().ok().map(Value::U64),
        _ => return Ok(None),
    };
    if converted.is_some() {
        return Ok(converted);
    }
    let letter = match kind {
        Kind::Byte => 'y',
        Kind::I16 => 'n',
        Kind::U16 => 'q',
        Kind::I32 => 'i',
        Kind::Handle => 'h',
        Kind::U32 => 'u',
        Kind::I64 => 'x',
        _ => 't',
    };
    let message = format!("number out of range for type '{letter}'");
    Err(error(start, start + token.len(), message))
}

/// Demands that `used` bytes are the whole token.
fn whole(token: &str, start: usize, used: usize) -> Result<(), Error> {
    if used == token.len() {
        return Ok(());
    }
    let at = start + used;
    Err(error(at, at + 1, "invalid character in number"))
}

fn integer(token: &str, start: usize) -> Result<i128, Error> {
    let (negative, digits) = match token.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, token),
    };
    let (magnitude, used) = strtoull(digits);
    let magnitude = magnitude
        .ok_or_else(|| error(start, start + token.len(), "integer too big for any type"))?;
    whole(token, start, used + usize::from(negative))?;
    let magnitude = i128::from(magnitude);
    Ok(if negative { -magnitude } else { magnitude })
}

/// Value (`None` past 64 bits) and how many bytes it took. A sign is allowed, `-` wraps around.
fn strtoull(text: &str) -> (Option<u64>, usize) {
    let bytes = text.as_bytes();
    let sign = usize::from(matches!(bytes.first(), Some(b'-' | b'+')));
    let digit = |at: usize, radix: u32| bytes.get(at).and_then(|&b| (b as char).to_digit(radix));
    let prefix = bytes.get(sign..sign + 2).unwrap_or_default();
    let (radix, first) = match prefix {
        [b'0', b'x' | b'X'] if digit(sign + 2, 16).is_some() => (16, sign + 2),
        [b'0', b'b' | b'B'] if digit(sign + 2, 2).is_some() => (2, sign + 2),
        _ if bytes.get(sign) == Some(&b'0') => (8, sign),
        _ => (10, sign),
    };
    let mut at = first;
    let mut value = Some(0u64);
    while let Some(digit) = digit(at, radix) {
        value = value
            .and_then(|value| value.checked_mul(radix.into()))
            .and_then(|value| value.checked_add(digit.into()));
        at += 1;
    }
    if at == first {
        return (Some(0), 0);
    }
    if bytes[0] == b'-' {
        value = value.map(u64::wrapping_neg);
    }
    (value, at)
}

fn float(token: &str, start: usize) -> Result<f64, Error> {
    let (value, exact, used) = strtod(token);
    if used == 0 {
        return Err(error(start, start + 1, "invalid character in number"));
    }
    // What C flags as a range error; a result of zero is let through.
    let overflow = value.is_infinite() && !exact;
    if overflow || (value.is_subnormal() && !exact) {
        let end = start + token.len();
        return Err(error(start, end, "number too big for any type"));
    }
    whole(token, start, used)?;
    Ok(value)
}

/// Value, whether it is exact (as far as that matters for range errors), bytes used.
fn strtod(text: &str) -> (f64, bool, usize) {
    let bytes = text.as_bytes();
    let sign = usize::from(matches!(bytes.first(), Some(b'-' | b'+')));
    let negate = |value: f64| {
        if bytes.first() == Some(&b'-') {
            -value
        } else {
            value
        }
    };
    let rest = text[sign..].to_ascii_lowercase();
    for (word, value) in [
        ("infinity", f64::INFINITY),
        ("inf", f64::INFINITY),
        // Without the sign bit, which f64::NAN need not promise.
        ("nan", f64::from_bits(0x7ff8_0000_0000_0000)),
    ] {
        if rest.starts_with(word) {
            return (negate(value), true, sign + word.len());
        }
    }
    if let Some(hex) = rest.strip_prefix("0x")
        && let Some((value, exact, used)) = hex_float(hex.as_bytes())
    {
        return (negate(value), exact, sign + 2 + used);
    }
    let rest = rest.as_bytes();
    let digits = |from: usize| {
        rest[from..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count()
    };
    let whole = digits(0);
    let mut used = whole;
    let mut count = whole;
    if rest.get(used) == Some(&b'.') {
        let fraction = digits(used + 1);
        count += fraction;
        used += 1 + fraction;
    }
    if count == 0 {
        return (0.0, true, 0);
    }
    if rest.get(used) == Some(&b'e') {
        let sign = usize::from(matches!(rest.get(used + 1), Some(b'-' | b'+')));
        let exponent = digits(used + 1 + sign);
        if exponent > 0 {
            used += 1 + sign + exponent;
        }
    }
    let used = sign + used;
    // Rust reads every such text, correctly rounded.
    (text[..used].parse().unwrap_or(0.0), false, used)
}

/// `h.hhh[p±d]` after `0x`: value rounded to nearest even, whether it is exact, bytes used.
fn hex_float(text: &[u8]) -> Option<(f64, bool, usize)> {
    let mut mantissa = 0u64;
    let mut exponent = 0i64;
    let mut sticky = false;
    let mut at = 0;
    let mut count = 0;
    let mut fraction = false;
    loop {
        match text.get(at) {
            Some(b'.') if !fraction => fraction = true,
            Some(&byte) => match (byte as char).to_digit(16) {
                None => break,
                Some(digit) => {
                    count += 1;
                    if mantissa >> 60 == 0 {
                        mantissa = mantissa << 4 | u64::from(digit);
                        exponent -= if fraction { 4 } else { 0 };
                    } else {
                        sticky |= digit != 0;
                        exponent += if fraction { 0 } else { 4 };
                    }
                }
            },
            None => break,
        }
        at += 1;
    }
    if count == 0 {
        return None;
    }
    if text.get(at) == Some(&b'p') {
        let negative = text.get(at + 1) == Some(&b'-');
        let sign = usize::from(matches!(text.get(at + 1), Some(b'-' | b'+')));
        let digits: Vec<u8> = text[at + 1 + sign..]
            .iter()
            .copied()
            .take_while(u8::is_ascii_digit)
            .collect();
        if !digits.is_empty() {
            let power = digits
                .iter()
                .fold(0i64, |n, d| (n * 10 + i64::from(d - b'0')).min(1_000_000));
            exponent += if negative { -power } else { power };
            at += 1 + sign + digits.len();
        }
    }
    let (value, exact) = round(mantissa, exponent, sticky);
    Some((value, exact, at))
}

/// `mantissa`·2^`exponent` as a double; `sticky` tells that more non-zero bits follow.
fn round(mut mantissa: u64, exponent: i64, sticky: bool) -> (f64, bool) {
    if mantissa == 0 {
        return (0.0, true);
    }
    let shift = mantissa.leading_zeros();
    mantissa <<= shift;
    // Value is 1.xxx · 2^top.
    let top = exponent - i64::from(shift) + 63;
    if top > 1023 {
        return (f64::INFINITY, false);
    }
    // Bits to drop: 11 for a normal number, more below its range.
    let drop = if top < -1022 { 11 + (-1022 - top) } else { 11 };
    if drop > 64 {
        return (0.0, false);
    }
    let wide = u128::from(mantissa);
    let kept = (wide >> drop) as u64;
    let lost = wide & ((1u128 << drop) - 1);
    let half = 1u128 << (drop - 1);
    let up = lost > half || (lost == half && (sticky || kept & 1 == 1));
    let kept = kept + u64::from(up);
    // The rounded bits carry into the exponent by themselves.
    let biased = if top < -1022 { 0 } else { (top + 1022) as u64 };
    let value = f64::from_bits((biased << 52) + kept);
    (value, lost == 0 && !sticky && value.is_finite())
}
