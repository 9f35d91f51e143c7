//! What time it is: the library is told, it never asks.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

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

/// The time new commits and deltas get: `SOURCE_DATE_EPOCH`, else [`now`].
///
/// # Errors
/// When the variable holds no number, or one that is too large.
pub fn commit_time() -> Result<u64> {
    match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => match leading_integer(&text) {
            Some(Some(seconds)) => Ok(seconds as u64),
            Some(None) => bail!("Parsing SOURCE_DATE_EPOCH: Numerical result out of range"),
            None => bail!("Failed to convert SOURCE_DATE_EPOCH"),
        },
        Err(_) => now(),
    }
}

/// The integer a text starts with, after white space; what follows is ignored.
/// `None` if there is none, `Some(None)` if it does not fit.
fn leading_integer(text: &str) -> Option<Option<i64>> {
    let text = text.trim_start();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let sign = text.len() - digits.len();
    let end = digits
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(digits.len());
    if end == 0 {
        None
    } else {
        Some(text[..sign + end].parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::leading_integer;

    #[test]
    fn source_date_epoch() {
        assert_eq!(leading_integer("5"), Some(Some(5)));
        assert_eq!(leading_integer(" 7x"), Some(Some(7)));
        assert_eq!(leading_integer("-5"), Some(Some(-5)));
        assert_eq!(leading_integer("+5"), Some(Some(5)));
        assert_eq!(leading_integer("12345678901234567890"), Some(None));
        assert_eq!(leading_integer("x"), None);
        assert_eq!(leading_integer("-"), None);
        assert_eq!(leading_integer(""), None);
    }
}
