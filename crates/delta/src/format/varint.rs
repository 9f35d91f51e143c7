//! Numbers of variable length: seven bits a byte, least significant first, the high bit says that more follow.

/// Most bytes a number of 64 bits takes; longer ones are refused.
pub(super) const MAX_LEN: usize = 10;

/// Appends `n`, as short as possible.
pub(super) fn push(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// Reads a number at `at` and moves behind it; overlong forms count. `None` when the bytes end first, or it does not
/// fit 64 bits.
pub(super) fn read(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut n = 0u64;
    for (i, byte) in bytes.get(*at..)?.iter().take(MAX_LEN).enumerate() {
        let bits = u64::from(byte & 0x7f);
        // The tenth byte has room for one bit.
        if i == MAX_LEN - 1 && bits > 1 {
            return None;
        }
        n |= bits << (7 * i);
        if byte & 0x80 == 0 {
            *at += i + 1;
            return Some(n);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(bytes: &[u8]) -> Option<(u64, usize)> {
        let mut at = 0;
        read(bytes, &mut at).map(|n| (n, at))
    }

    #[test]
    fn known_forms() {
        assert_eq!(read_all(&[0]), Some((0, 1)));
        assert_eq!(read_all(&[0x84, 0x49, 0xff]), Some((9348, 2)));
        assert_eq!(read_all(&[0x80, 0x80, 0x00]), Some((0, 3)));
        assert_eq!(read_all(&[]), None);
        assert_eq!(read_all(&[0x80]), None);
        assert_eq!(read_all(&[0x80; 11]), None);
        let mut max = [0xff; 10];
        max[9] = 1;
        assert_eq!(read_all(&max), Some((u64::MAX, 10)));
        max[9] = 2;
        assert_eq!(read_all(&max), None);
    }

    #[test]
    fn what_is_written_is_read() {
        for n in [0, 1, 127, 128, 16383, 16384, u64::MAX / 2, u64::MAX] {
            let mut out = Vec::new();
            push(&mut out, n);
            assert_eq!(read_all(&out), Some((n, out.len())));
        }
    }
}
