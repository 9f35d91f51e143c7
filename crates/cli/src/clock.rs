//! What time it is: the library is told, it never asks.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

/// Seconds since 1970, UTC.
///
/// # Errors
/// When the clock is set before 1970.
pub fn now() -> Result<u64> {
    Ok(SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .context("reading the clock")?
        .as_secs())
}

/// The time new commits get: `SOURCE_DATE_EPOCH`, else [`now`].
///
/// # Errors
/// When the variable holds no number.
pub fn commit_time() -> Result<u64> {
    match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => leading_integer(&text).context("Failed to convert SOURCE_DATE_EPOCH"),
        Err(_) => now(),
    }
}

/// The integer a text starts with, after white space; what follows is ignored.
fn leading_integer(text: &str) -> Option<u64> {
    let text = text.trim_start();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let end = digits
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(digits.len());
    let number: u64 = digits[..end].parse().ok()?;
    Some(if text.starts_with('-') {
        number.wrapping_neg()
    } else {
        number
    })
}

#[cfg(test)]
mod tests {
    use super::leading_integer;

    #[test]
    fn source_date_epoch() {
        assert_eq!(leading_integer("5"), Some(5));
        assert_eq!(leading_integer(" 7x"), Some(7));
        assert_eq!(leading_integer("-5"), Some(5_u64.wrapping_neg()));
        assert_eq!(leading_integer("x"), None);
        assert_eq!(leading_integer(""), None);
    }
}
