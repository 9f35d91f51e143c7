//! Option values, read as GLib's option parser reads them.

use std::num::NonZero;

use clap::error::ContextKind;

/// Why a value is not a number, in the words of the C tool.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NumberError {
    #[error("not a number")]
    NotANumber,
    #[error("out of range")]
    OutOfRange,
}

/// An `int` option: white space, sign, then decimal, `0x` or leading-0 octal.
pub fn int(text: &str) -> Result<i32, NumberError> {
    int64(text).and_then(|n| i32::try_from(n).map_err(|_| NumberError::OutOfRange))
}

/// As [`int`], 64 bits wide.
pub fn int64(text: &str) -> Result<i64, NumberError> {
    let text = text.trim_start_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r']);
    let (negative, digits) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let (radix, digits) = match digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"))
    {
        Some(hex) => (16, hex),
        None if digits.len() > 1 && digits.starts_with('0') => (8, &digits[1..]),
        None => (10, digits),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err(NumberError::NotANumber);
    }
    let value = i128::from_str_radix(digits, radix).map_err(|_| NumberError::OutOfRange)?;
    let value = if negative { -value } else { value };
    i64::try_from(value).map_err(|_| NumberError::OutOfRange)
}

/// An option that counts something of which there must be one at least.
pub fn positive(text: &str) -> Result<NonZero<u64>, NumberError> {
    let number = u64::try_from(int64(text)?).ok();
    number.and_then(NonZero::new).ok_or(NumberError::OutOfRange)
}

/// A boolean option, as `--fsync`.
pub fn boolean(text: &str) -> Result<bool, BooleanError> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" => Ok(true),
        "0" | "false" | "no" | "none" => Ok(false),
        _ => Err(BooleanError(text.to_owned())),
    }
}

/// Why a value is not a boolean.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("Invalid boolean argument '{0}'")]
pub struct BooleanError(String);

/// The text for a value that clap refused.
#[must_use]
pub fn clap_text(error: &clap::Error) -> String {
    let context = |kind| error.get(kind).map(ToString::to_string).unwrap_or_default();
    let arg = context(ContextKind::InvalidArg);
    let option = arg.split([' ', '=']).next().unwrap_or_default();
    let value = context(ContextKind::InvalidValue);
    let source = std::error::Error::source(error);
    match source.and_then(|s| s.downcast_ref::<NumberError>()) {
        Some(NumberError::NotANumber) => {
            format!("Cannot parse integer value “{value}” for {option}")
        }
        Some(NumberError::OutOfRange) => {
            format!("Integer value “{value}” for {option} out of range")
        }
        None => match source {
            Some(source) => source.to_string(),
            None => error
                .to_string()
                .trim_start_matches("error: ")
                .trim_end()
                .to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_strtol_reads_them() {
        assert_eq!(int("10"), Ok(10));
        assert_eq!(int("-1"), Ok(-1));
        assert_eq!(int("0x10"), Ok(16));
        assert_eq!(int("010"), Ok(8));
        assert_eq!(int("0"), Ok(0));
        assert_eq!(int(" 5"), Ok(5));
        for bad in ["", "5 ", "abc", "0x", "--1", "1.5", "08"] {
            assert_eq!(int(bad), Err(NumberError::NotANumber), "{bad:?}");
        }
        assert_eq!(positive("3").map(NonZero::get), Ok(3));
        assert_eq!(positive("0"), Err(NumberError::OutOfRange));
        assert_eq!(positive("-1"), Err(NumberError::OutOfRange));
        assert_eq!(int("99999999999"), Err(NumberError::OutOfRange));
        assert_eq!(int64("99999999999"), Ok(99_999_999_999));
        assert_eq!(
            int64("99999999999999999999999999999999999999999999"),
            Err(NumberError::OutOfRange)
        );
    }
}
