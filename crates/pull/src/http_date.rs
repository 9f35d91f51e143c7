//! Dates of HTTP headers, and of the C tool's messages.

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// A UTC time taken apart.
struct Civil {
    weekday: &'static str,
    year: i64,
    month: &'static str,
    day: i64,
    seconds: i64,
}

fn civil(secs: i64) -> Civil {
    let (days, seconds) = (secs.div_euclid(86400), secs.rem_euclid(86400));
    // Years that begin in March have their leap day last, which makes every step below a division.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = (shifted_month + 2) % 12;
    let name = |list: &[&'static str], at: i64| list[usize::try_from(at).unwrap_or(0) % list.len()];
    Civil {
        weekday: name(&DAYS, days.rem_euclid(7)),
        year: year_of_era + era * 400 + i64::from(month < 2),
        month: name(&MONTHS, month),
        day: day_of_year - (153 * shifted_month + 2) / 5 + 1,
        seconds,
    }
}

/// Days since 1970 of a date of the Gregorian calendar.
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The same day and time of the year, years later; of a leap day, the day before.
pub(crate) fn add_years(secs: i64, years: i64) -> i64 {
    let Civil {
        year,
        month,
        day,
        seconds,
        ..
    } = civil(secs);
    let month = MONTHS
        .iter()
        .position(|m| *m == month)
        .map_or(1, |at| at as i64 + 1);
    let year = year + years;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let day = if month == 2 && day == 29 && !leap {
        28
    } else {
        day
    };
    days_from_civil(year, month, day) * 86400 + seconds
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(crate) fn format_http(secs: i64) -> String {
    let Civil {
        weekday,
        year,
        month,
        day,
        seconds: s,
    } = civil(secs);
    format!(
        "{weekday}, {day:02} {month} {year:04} {:02}:{:02}:{:02} GMT",
        s / 3600,
        s / 60 % 60,
        s % 60
    )
}

/// `Sun Nov  6 08:49:37 1994`, in UTC.
pub(crate) fn format_ctime(secs: u64) -> String {
    // A commit's timestamp is anybody's claim; beyond this the calendar arithmetic would overflow.
    const LAST: i64 = 253_402_300_799;
    let secs = i64::try_from(secs).unwrap_or(LAST).min(LAST);
    let Civil {
        weekday,
        year,
        month,
        day,
        seconds: s,
    } = civil(secs);
    format!(
        "{weekday} {month} {day:2} {:02}:{:02}:{:02} {year}",
        s / 3600,
        s / 60 % 60,
        s % 60
    )
}

/// Seconds since the epoch of a date in any of the three forms of RFC 9110; none if it is in none of them.
pub(crate) fn parse_http(text: &str) -> Option<i64> {
    let words: Vec<&str> = text
        .split([' ', ',', '-'])
        .filter(|w| !w.is_empty())
        .collect();
    let (day, month, year, time) = match words[..] {
        [_, day, month, year, time, "GMT" | "UTC"] => (day, month, year, time),
        [_, month, day, time, year] => (day, month, year, time),
        _ => return None,
    };
    let number = |text: &str| {
        text.bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| text.parse::<i64>().ok())?
    };
    let day = number(day).filter(|d| (1..=31).contains(d))?;
    let month = MONTHS.iter().position(|m| *m == month)?;
    let year = match (number(year)?, year.len()) {
        (two, 2) if two < 70 => two + 2000,
        (two, 2) => two + 1900,
        (four, 4) => four,
        _ => return None,
    };
    let mut parts = time.split(':').map(number);
    let (h, m, s) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || h > 23 || m > 59 || s > 60 {
        return None;
    }
    let days = days_from_civil(year, i64::try_from(month).ok()? + 1, day);
    Some(days * 86400 + h * 3600 + m * 60 + s)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_of_the_standard() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(parse_http(text), Some(784_111_777), "{text}");
        }
        for text in [
            "",
            "yesterday",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 99 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(parse_http(text), None, "{text}");
        }
    }

    #[test]
    fn years_later() {
        let later = |text| format_http(add_years(parse_http(text).unwrap(), 25));
        assert_eq!(
            later("Wed, 25 Nov 2026 22:51:11 GMT"),
            "Sat, 25 Nov 2051 22:51:11 GMT"
        );
        assert_eq!(
            later("Tue, 29 Feb 2028 00:00:01 GMT"),
            "Fri, 28 Feb 2053 00:00:01 GMT"
        );
    }

    #[test]
    fn there_and_back() {
        for secs in [0, 784_111_777, 1_709_164_800, 951_782_399, 4_102_444_799] {
            assert_eq!(parse_http(&format_http(secs)), Some(secs));
        }
        assert_eq!(format_ctime(1_699_999_700), "Tue Nov 14 22:08:20 2023");
        assert!(format_ctime(u64::MAX).ends_with(" 9999"));
    }
}
