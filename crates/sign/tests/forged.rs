//! Certificates that say more of themselves than they can prove.

use osier_sign::openpgp::{Keyring, Verdict, verify};
use pgp::packet::{Packet, PacketParser, SignatureType, SubpacketData};
use pgp::ser::Serialize;
use std::path::PathBuf;

const NOW: u64 = 1_795_700_000;

fn golden(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    std::fs::read(path).unwrap()
}

fn packets(name: &str) -> Vec<Packet> {
    let keys = Keyring::from_bytes(&golden("keys.gpg")).unwrap();
    let bytes = keys.select(name).to_bytes();
    PacketParser::new(bytes.as_slice())
        .map(Result::unwrap)
        .collect()
}

fn keyring(packets: &[Packet]) -> Keyring {
    let mut bytes = Vec::new();
    for packet in packets {
        packet.to_writer(&mut bytes).unwrap();
    }
    Keyring::from_bytes(&bytes).unwrap()
}

fn verdict(keys: &Keyring, signature: &str) -> Verdict {
    verify(keys, &golden("data"), &[&golden(signature)], NOW).unwrap()[0].verdict
}

/// Whoever puts a stranger's key below their own as a subkey would pass for the author of what the stranger signs.
#[test]
fn a_subkey_must_say_itself_to_whom_it_belongs() {
    let mut parts = packets("ed@example.com");
    assert_eq!(verdict(&keyring(&parts), "eddie.sig"), Verdict::Good);
    let mut removed = 0;
    for packet in &mut parts {
        let Packet::Signature(signature) = packet else {
            continue;
        };
        if signature.typ() != Some(SignatureType::SubkeyBinding) {
            continue;
        }
        let config = signature.config().unwrap();
        let back = config
            .unhashed_subpackets()
            .position(|part| matches!(part.data, SubpacketData::EmbeddedSignature(_)));
        signature.unhashed_subpacket_remove(back.unwrap()).unwrap();
        removed += 1;
    }
    assert_eq!(removed, 1);
    assert_eq!(verdict(&keyring(&parts), "eddie.sig"), Verdict::Refused);
}

/// What another key says of a key and its user IDs binds neither.
#[test]
fn a_key_that_does_not_vouch_for_itself_is_none() {
    let mut parts = packets("bob@example.com");
    assert_eq!(verdict(&keyring(&parts), "rsa.sig"), Verdict::Good);
    let own = parts.pop().unwrap();
    assert!(matches!(&own, Packet::Signature(_)));
    assert_eq!(verdict(&keyring(&parts), "rsa.sig"), Verdict::Refused);
    let other = packets("old@x.org").pop().unwrap();
    parts.push(other);
    assert_eq!(verdict(&keyring(&parts), "rsa.sig"), Verdict::Refused);
    parts.push(own);
    assert_eq!(verdict(&keyring(&parts), "rsa.sig"), Verdict::Good);
}

/// A subkey, its binding or a revocation moved below another primary key means nothing there.
#[test]
fn parts_cannot_be_moved_between_keys() {
    let mut thief = packets("bob@example.com");
    let stolen = packets("ed@example.com");
    let start = stolen
        .iter()
        .position(|packet| matches!(packet, Packet::PublicSubkey(_)))
        .unwrap();
    thief.extend_from_slice(&stolen[start..]);
    assert_eq!(verdict(&keyring(&thief), "eddie.sig"), Verdict::Refused);

    let revocation = packets("rev@x.org").into_iter().find(|packet| {
        matches!(packet, Packet::Signature(s) if s.typ() == Some(SignatureType::KeyRevocation))
    });
    let mut victim = packets("bob@example.com");
    victim.insert(1, revocation.unwrap());
    assert_eq!(verdict(&keyring(&victim), "rsa.sig"), Verdict::Good);
}

/// Without its revocation the key would be good: it is that which counts.
#[test]
fn a_revocation_is_what_revokes() {
    let mut parts = packets("rev@x.org");
    assert_eq!(verdict(&keyring(&parts), "rev.sig"), Verdict::RevokedKey);
    parts.retain(|packet| {
        !matches!(packet, Packet::Signature(s) if s.typ() == Some(SignatureType::KeyRevocation))
    });
    assert_eq!(verdict(&keyring(&parts), "rev.sig"), Verdict::Good);
}
