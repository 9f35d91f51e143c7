//! Web Key Directory: the addresses at which an owner of a mail address may publish keys.

use sha1::{Digest, Sha1};

/// The advanced and the direct address of a key, or none without a mail address.
pub(super) fn urls(email: &str) -> Option<(String, String)> {
    let (local, domain) = email
        .rsplit_once('@')
        .filter(|(l, d)| !l.is_empty() && !d.is_empty())?;
    let domain = domain.to_ascii_lowercase();
    let hash = zbase32(&Sha1::digest(local.to_ascii_lowercase()));
    let query = escape(local);
    Some((
        format!("https://openpgpkey.{domain}/.well-known/openpgpkey/{domain}/hu/{hash}?l={query}"),
        format!("https://{domain}/.well-known/openpgpkey/hu/{hash}?l={query}"),
    ))
}

/// The alphabet that leaves out letters easily confused; 20 bytes make 32 letters.
fn zbase32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ybndrfg8ejkmcpqxot1uwisza345h769";
    let mut text = String::new();
    let (mut bits, mut count) = (0_u32, 0);
    for byte in bytes {
        bits = bits << 8 | u32::from(*byte);
        count += 8;
        while count >= 5 {
            count -= 5;
            text.push(char::from(ALPHABET[(bits >> count & 31) as usize]));
        }
    }
    text
}

/// Percent-encodes all but what RFC 3986 calls unreserved.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                escaped.push(char::from(byte));
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_the_c_tool_prints() {
        let (advanced, direct) = urls("ed@Example.COM").unwrap();
        assert_eq!(
            advanced,
            "https://openpgpkey.example.com/.well-known/openpgpkey/example.com/hu/wftci96mpnm1rd4pdu3en3gz81htur7e?l=ed"
        );
        assert_eq!(
            direct,
            "https://example.com/.well-known/openpgpkey/hu/wftci96mpnm1rd4pdu3en3gz81htur7e?l=ed"
        );
        assert_eq!(urls("Bob"), None);
    }
}
