//! Byte counts for people, in the words of the reference tool: SI units, one decimal, a no-break space.

/// `1 byte`, `6 bytes`, `100.0 kB`, `1.2 GB`.
pub fn si(bytes: u64) -> String {
    if bytes < 1000 {
        return match bytes {
            1 => "1 byte".to_owned(),
            n => format!("{n} bytes"),
        };
    }
    let mut value = bytes as f64 / 1000.0;
    for unit in ["kB", "MB", "GB", "TB", "PB"] {
        if value < 1000.0 {
            return format!("{value:.1}\u{a0}{unit}");
        }
        value /= 1000.0;
    }
    format!("{value:.1}\u{a0}EB")
}

#[cfg(test)]
mod tests {
    #[test]
    fn units() {
        assert_eq!(super::si(0), "0 bytes");
        assert_eq!(super::si(1), "1 byte");
        assert_eq!(super::si(999), "999 bytes");
        assert_eq!(super::si(100_000), "100.0\u{a0}kB");
        assert_eq!(super::si(1_250_000_000), "1.2\u{a0}GB");
    }
}
