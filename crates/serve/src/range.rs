//! The `Range` header: one range of bytes, or none that this server honours.

/// What of a file to send.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(crate) enum Part {
    /// All of it: no range was asked for, or one that may be ignored.
    Whole,
    /// From the first of these up to the second, exclusive.
    Bytes(u64, u64),
    /// The range lies behind the end.
    Unsatisfiable,
}

/// Reads a `Range` header for a file of `size` bytes. Several ranges, other units and what cannot be read count as no range,
/// as the standard allows.
pub(crate) fn parse(header: &str, size: u64) -> Part {
    let Some((unit, range)) = header.split_once('=') else {
        return Part::Whole;
    };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Part::Whole;
    }
    let Some((first, last)) = range.trim().split_once('-') else {
        return Part::Whole;
    };
    match (number(first), number(last)) {
        (Number::Some(first), Number::None) => bytes(first, size, size),
        (Number::Some(first), Number::Some(last)) if first <= last => {
            bytes(first, last.saturating_add(1).min(size), size)
        }
        // The last so many.
        (Number::None, Number::Some(0)) => Part::Unsatisfiable,
        (Number::None, Number::Some(n)) => bytes(size.saturating_sub(n), size, size),
        _ => Part::Whole,
    }
}

fn bytes(from: u64, to: u64, size: u64) -> Part {
    match from < size {
        true => Part::Bytes(from, to),
        false => Part::Unsatisfiable,
    }
}

enum Number {
    None,
    Some(u64),
    Bad,
}

/// Digits; more than fit stand for a number beyond any file.
fn number(text: &str) -> Number {
    let text = text.trim();
    if text.is_empty() {
        return Number::None;
    }
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return Number::Bad;
    }
    Number::Some(text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        for (header, size, expected) in [
            ("bytes=0-", 10, Part::Bytes(0, 10)),
            ("bytes=3-", 10, Part::Bytes(3, 10)),
            ("Bytes = 3 - 5", 10, Part::Bytes(3, 6)),
            ("bytes=3-3", 10, Part::Bytes(3, 4)),
            ("bytes=3-99999999999999999999999", 10, Part::Bytes(3, 10)),
            ("bytes=-4", 10, Part::Bytes(6, 10)),
            ("bytes=-40", 10, Part::Bytes(0, 10)),
            ("bytes=-0", 10, Part::Unsatisfiable),
            ("bytes=10-", 10, Part::Unsatisfiable),
            ("bytes=99999999999999999999999-", 10, Part::Unsatisfiable),
            ("bytes=0-", 0, Part::Unsatisfiable),
            ("bytes=-1", 0, Part::Unsatisfiable),
            ("bytes=5-3", 10, Part::Whole),
            ("bytes=0-1,3-4", 10, Part::Whole),
            ("bytes=-", 10, Part::Whole),
            ("bytes=a-b", 10, Part::Whole),
            ("bytes=+1-2", 10, Part::Whole),
            ("lines=1-2", 10, Part::Whole),
            ("nonsense", 10, Part::Whole),
        ] {
            assert_eq!(parse(header, size), expected, "{header} of {size}");
        }
    }
}
