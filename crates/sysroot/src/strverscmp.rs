//! The C library's `strverscmp` order: digits inside text compare as numbers.
//!
//! Boot entries are sorted with it by their `version` field.

use std::cmp::Ordering;

/// Compares as `strverscmp(3)`: runs of digits by value, but a run that starts with `0` is a
/// fraction: `000 < 00 < 01 < 010 < 09 < 0 < 1 < 9 < 10`.
pub fn strverscmp(a: &[u8], b: &[u8]) -> Ordering {
    let byte = |text: &[u8], at: usize| text.get(at).copied().unwrap_or(0);
    let limit = a.len().max(b.len());
    let Some(at) = (0..limit).find(|&at| byte(a, at) != byte(b, at)) else {
        return Ordering::Equal;
    };
    let plain = byte(a, at).cmp(&byte(b, at));

    // The digits both have in common before the difference.
    let start = a[..at]
        .iter()
        .rposition(|c| !c.is_ascii_digit())
        .map_or(0, |last| last + 1);
    let common = &a[start..at];
    let (digit_a, digit_b) = (byte(a, at).is_ascii_digit(), byte(b, at).is_ascii_digit());
    if common.is_empty() {
        // A number begins here in both, neither with a leading zero: compare values.
        if !(digit_a && digit_b) || byte(a, at) == b'0' || byte(b, at) == b'0' {
            return plain;
        }
        return by_length(a, b, at).then(plain);
    }
    if common[0] != b'0' {
        // Inside a number: the one with more digits is larger.
        return match (digit_a, digit_b) {
            (false, false) => plain,
            _ => by_length(a, b, at).then(plain),
        };
    }
    if common.iter().all(|&c| c == b'0') {
        // After leading zeros: more of them, or any digit at all, makes the number smaller than
        // one that ends here.
        return match (digit_a, digit_b) {
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            _ => plain,
        };
    }
    plain
}

/// Compares how many digits follow in each.
fn by_length(a: &[u8], b: &[u8], at: usize) -> Ordering {
    let digits = |text: &[u8]| {
        text[at.min(text.len())..]
            .iter()
            .take_while(|c| c.is_ascii_digit())
            .count()
    };
    digits(a).cmp(&digits(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_of_the_manual_page() {
        let sorted = ["000", "00", "01", "010", "09", "0", "1", "9", "10"];
        for (i, a) in sorted.iter().enumerate() {
            for (j, b) in sorted.iter().enumerate() {
                assert_eq!(strverscmp(a.as_bytes(), b.as_bytes()), i.cmp(&j), "{a} {b}");
            }
        }
    }

    #[test]
    fn numbers_inside_text() {
        assert_eq!(strverscmp(b"x9y", b"x10y"), Ordering::Less);
        assert_eq!(strverscmp(b"x9y", b"x9z"), Ordering::Less);
        assert_eq!(strverscmp(b"1.10", b"1.9"), Ordering::Greater);
        assert_eq!(strverscmp(b"", b"a"), Ordering::Less);
        assert_eq!(strverscmp(b"2", b"2"), Ordering::Equal);
    }
}
