//! Numbers as C's `strtol` family and GLib's checks after it accept them.

use crate::parse::is_space;

/// Sign, saturated magnitude, and what follows the digits; `None` without a digit.
fn scan(text: &[u8]) -> Option<(bool, u128, &[u8])> {
    let start = text
        .iter()
        .position(|&byte| !is_space(byte) && byte != 0x0b)?;
    let text = &text[start..];
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    let end = digits
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(digits.len());
    if end == 0 {
        return None;
    }
    let magnitude = digits[..end].iter().fold(0u128, |sum, byte| {
        sum.saturating_mul(10)
            .saturating_add(u128::from(byte - b'0'))
    });
    Some((negative, magnitude, &digits[end..]))
}

pub(crate) fn int32(text: &[u8]) -> Option<i32> {
    let (negative, magnitude, rest) = scan(text)?;
    if rest.first().is_some_and(|&byte| !is_space(byte)) {
        return None;
    }
    let magnitude = i64::try_from(magnitude).ok()?;
    i32::try_from(if negative { -magnitude } else { magnitude }).ok()
}

pub(crate) fn int64(text: &[u8]) -> Option<i64> {
    let (negative, magnitude, rest) = scan(text)?;
    if !rest.is_empty() {
        return None;
    }
    Some(match (negative, i64::try_from(magnitude)) {
        (false, Ok(value)) => value,
        (true, Ok(value)) => -value,
        (false, Err(_)) => i64::MAX,
        (true, Err(_)) => i64::MIN,
    })
}

pub(crate) fn uint64(text: &[u8]) -> Option<u64> {
    let (negative, magnitude, rest) = scan(text)?;
    if !rest.is_empty() {
        return None;
    }
    Some(match u64::try_from(magnitude) {
        Ok(value) if negative => value.wrapping_neg(),
        Ok(value) => value,
        Err(_) => u64::MAX,
    })
}
