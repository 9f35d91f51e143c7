//! OpenPGP data as a row of packets, kept as bytes: what is not understood can still be passed on unchanged.

use pgp::packet::PacketHeader;
use pgp::types::PacketLength;

use super::Error;

/// The kinds of packets that keyrings and signatures consist of.
pub(super) mod tag {
    pub const SIGNATURE: u8 = 2;
    pub const PUBLIC_KEY: u8 = 6;
    pub const TRUST: u8 = 12;
    pub const USER_ID: u8 = 13;
    pub const PUBLIC_SUBKEY: u8 = 14;
    pub const USER_ATTRIBUTE: u8 = 17;
}

/// One packet: its kind, and its body.
#[derive(Clone, Debug)]
pub(super) struct Packet<'a> {
    pub tag: u8,
    pub body: &'a [u8],
}

/// All packets of `bytes`.
///
/// Packets of unknown length, which only encrypted and compressed data may have, are refused: nothing here is unpacked.
pub(super) fn split(bytes: &[u8]) -> Result<Vec<Packet<'_>>, Error> {
    let mut packets = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let header = PacketHeader::try_from_reader(&mut rest)
            .map_err(|cause| Error::Malformed(cause.to_string()))?;
        let PacketLength::Fixed(length) = header.packet_length() else {
            return Err(Error::Malformed("a packet without length".into()));
        };
        let (body, behind) = usize::try_from(length)
            .ok()
            .and_then(|length| rest.split_at_checked(length))
            .ok_or_else(|| Error::Malformed("a packet is cut off".into()))?;
        packets.push(Packet {
            tag: header.tag().into(),
            body,
        });
        rest = behind;
    }
    Ok(packets)
}

/// Appends a packet in the old format, which all versions of GnuPG read in keyrings.
pub(super) fn write(out: &mut Vec<u8>, tag: u8, body: &[u8]) {
    match (tag, u16::try_from(body.len())) {
        (..=15, Ok(length)) if length < 256 => out.extend([0x80 | tag << 2, length as u8]),
        (..=15, Ok(length)) => {
            out.push(0x80 | tag << 2 | 1);
            out.extend(length.to_be_bytes());
        }
        (..=15, Err(_)) => {
            out.push(0x80 | tag << 2 | 2);
            out.extend((body.len() as u32).to_be_bytes());
        }
        _ => {
            out.extend([0xc0 | tag, 0xff]);
            out.extend((body.len() as u32).to_be_bytes());
        }
    }
    out.extend(body);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_split_again(
            packets in proptest::collection::vec((1_u8..60, proptest::collection::vec(any::<u8>(), 0..70_000)), 0..4),
        ) {
            let mut bytes = Vec::new();
            for (tag, body) in &packets {
                write(&mut bytes, *tag, body);
            }
            let found: Vec<(u8, Vec<u8>)> =
                split(&bytes).unwrap().into_iter().map(|p| (p.tag, p.body.to_vec())).collect();
            prop_assert_eq!(found, packets);
        }

        #[test]
        fn any_bytes_are_split_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = split(&bytes);
        }
    }

    #[test]
    fn a_claimed_length_is_not_believed() {
        assert!(split(&[0xc6, 0xff, 0xff, 0xff, 0xff, 0xff, 1]).is_err());
        assert!(split(&[0xa3, 1, 2, 3]).is_err());
    }
}
