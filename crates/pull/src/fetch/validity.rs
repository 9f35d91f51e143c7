//! The time in which a certificate is valid, as far as DER must be read for that.

use crate::http_date::days_from_civil;

/// First and last second in which an X.509 certificate is valid; none if it cannot be read.
///
/// ```text
/// Certificate: SEQUENCE { tbs: SEQUENCE { [0] version?, INTEGER serial, SEQUENCE algorithm, SEQUENCE issuer,
///                                         SEQUENCE { notBefore, notAfter }, … }, … }
/// ```
pub(super) fn validity(der: &[u8]) -> Option<(i64, i64)> {
    let (_, certificate, _) = element(der)?;
    let (_, mut rest, _) = element(certificate)?;
    if rest.first() == Some(&0xa0) {
        rest = element(rest)?.2;
    }
    for _ in 0..3 {
        rest = element(rest)?.2;
    }
    let (_, times, _) = element(rest)?;
    let (kind, from, rest) = element(times)?;
    let from = time(kind, from)?;
    let (kind, to, _) = element(rest)?;
    Some((from, time(kind, to)?))
}

/// Tag, content, and what follows.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut length = usize::from(first);
    if first >= 0x80 {
        let (digits, after) = rest
            .split_at_checked(usize::from(first & 0x7f))
            .filter(|(d, _)| d.len() <= 4)?;
        length = digits.iter().fold(0, |n, d| n << 8 | usize::from(*d));
        rest = after;
    }
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// `YYMMDDhhmmssZ` (tag 0x17) or `YYYYMMDDhhmmssZ` (tag 0x18).
fn time(tag: u8, text: &[u8]) -> Option<i64> {
    let digits = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (year, rest) = match tag {
        0x17 => {
            let (year, rest) = digits.split_at_checked(2)?;
            let year: i64 = year.parse().ok()?;
            (if year < 50 { year + 2000 } else { year + 1900 }, rest)
        }
        0x18 => {
            let (year, rest) = digits.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    let at = |n: usize| rest.get(2 * n..2 * n + 2)?.parse::<i64>().ok();
    let (month, day, h, m, s) = (at(0)?, at(1)?, at(2)?, at(3)?, at(4)?);
    if rest.len() != 10 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    Some(days_from_civil(year, month, day) * 86400 + h * 3600 + m * 60 + s)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_certificate() {
        let mut params = rcgen::CertificateParams::new(vec!["x".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(1994, 11, 6);
        params.not_after = rcgen::date_time_ymd(2100, 1, 1);
        let cert = params
            .self_signed(&rcgen::KeyPair::generate().unwrap())
            .unwrap();
        let der = cert.der();
        assert_eq!(validity(der), Some((784_080_000, 4_102_444_800)));
        for cut in 0..200.min(der.len()) {
            // Whatever is missing, it is no panic.
            let _ = validity(&der[..cut]);
        }
        assert_eq!(validity(b""), None);
        assert_eq!(validity(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
    }
}
