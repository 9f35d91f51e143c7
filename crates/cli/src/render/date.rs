//! Points in time, out and in.

use anyhow::{Result, bail};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `2023-11-14 22:13:20 +0000`: UTC whatever the local zone, as `log` and `show` print it.
#[must_use]
pub fn utc(seconds: u64) -> String {
    match timestamp(seconds) {
        Some(time) => time
            .to_zoned(TimeZone::UTC)
            .strftime("%Y-%m-%d %H:%M:%S +0000")
            .to_string(),
        // Beyond the calendar (year 9999): the number is all there is to say.
        None => format!("@{seconds}"),
    }
}

/// `2023-11-14T22:13:20Z`, as JSON documents have it; none beyond the calendar.
#[must_use]
pub fn iso_utc(seconds: u64) -> Option<String> {
    Some(timestamp(seconds)?.to_string())
}

/// `2023-11-14T22:13:20+00`: local time with the shortest offset, as summaries print it.
#[must_use]
pub fn local_iso(seconds: u64) -> Option<String> {
    let zoned = timestamp(seconds)?.to_zoned(TimeZone::system());
    let offset = zoned.offset().seconds();
    let (sign, offset) = if offset < 0 {
        ('-', -offset)
    } else {
        ('+', offset)
    };
    let (h, m, s) = (offset / 3600, offset / 60 % 60, offset % 60);
    let tail = match (m, s) {
        (0, 0) => String::new(),
        (m, 0) => format!(":{m:02}"),
        (m, s) => format!(":{m:02}:{s:02}"),
    };
    Some(format!(
        "{}{sign}{h:02}{tail}",
        zoned.strftime("%Y-%m-%dT%H:%M:%S")
    ))
}

/// `Tue Nov 14 22:13:20 2023`: local time, as `%c` of the C locale, in which signatures and keys have their dates.
#[must_use]
pub fn local(seconds: u64) -> String {
    match timestamp(seconds) {
        Some(time) => {
            let local = time.to_zoned(TimeZone::system());
            // GLib fills the place of the first digit with a space as wide as a digit.
            let filler = if local.day() < 10 { "\u{2007}" } else { "" };
            let day = local.day();
            format!(
                "{} {filler}{day} {}",
                local.strftime("%a %b"),
                local.strftime("%H:%M:%S %Y")
            )
        }
        None => format!("@{seconds}"),
    }
}

fn timestamp(seconds: u64) -> Option<Timestamp> {
    // Commit timestamps before 1970 are stored as the two's complement.
    Timestamp::from_second(seconds as i64).ok()
}

/// Reads a date in the syntax of GNU `date -d`, relative to now and the local zone.
///
/// # Errors
/// `Could not parse 'TEXT'`.
pub fn parse(text: &str) -> Result<u64> {
    // GNU date takes nothing for midnight, the crate for now.
    let known = if text.trim().is_empty() {
        "00:00"
    } else {
        text
    };
    match parse_datetime::parse_datetime(known) {
        Ok(time) => Ok(time.unix_epoch_second() as u64),
        Err(_) => bail!("Could not parse '{text}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utc_is_printed_to_the_second() {
        assert_eq!(utc(1_700_000_000), "2023-11-14 22:13:20 +0000");
        assert_eq!(iso_utc(0).as_deref(), Some("1970-01-01T00:00:00Z"));
        assert_eq!(
            iso_utc(-5_i64 as u64).as_deref(),
            Some("1969-12-31T23:59:55Z")
        );
        assert_eq!(iso_utc(u64::MAX / 4), None);
        assert_eq!(utc(0), "1970-01-01 00:00:00 +0000");
        assert_eq!(utc(-5_i64 as u64), "1969-12-31 23:59:55 +0000");
        assert_eq!(utc(u64::MAX / 4), format!("@{}", u64::MAX / 4));
    }

    /// Dates that do not depend on the local zone or the clock; results taken from the C tool.
    #[test]
    fn gnu_dates() {
        for (text, seconds) in [
            ("@1700000000", 1_700_000_000),
            ("@5.7", 5),
            ("@-5", -5),
            ("@ 5", 5),
            ("2020-01-01T10:11:12Z", 1_577_873_472),
            ("Mon, 15 Nov 2021 10:00:00 +0200", 1_636_963_200),
            ("2020-01-01 10:00 EST", 1_577_890_800),
            ("2013-10-30 14:30:00 +0100 + 1 day", 1_383_226_200),
            ("TZ=\"America/New_York\" 2020-01-01 00:00", 1_577_854_800),
            ("1900-01-01 00:00 UTC", -2_208_988_800),
            ("@99999999999", 99_999_999_999),
        ] {
            assert_eq!(parse(text).ok().map(|s| s as i64), Some(seconds), "{text}");
        }
        // Midnight of some zone: a whole number of quarters of an hour.
        assert_eq!(parse(" ").unwrap() % 900, 0);
        for bad in ["foo", "2020-13-01", "2024-02-30", "@5 foo", "epoch"] {
            assert_eq!(
                parse(bad).unwrap_err().to_string(),
                format!("Could not parse '{bad}'")
            );
        }
    }
}
