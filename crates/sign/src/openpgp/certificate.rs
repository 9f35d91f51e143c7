//! A certificate: a primary key with the user IDs and subkeys it vouches for, as the packets it came in.

use pgp::packet::{PacketHeader, PublicKey, PublicSubkey, Signature};
use pgp::types::Tag;

use super::packets::{self, Packet, tag};

/// A key with what is said of it. Everything is kept as it came, understood or not.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    pub key: PublicKey,
    body: Vec<u8>,
    /// The bodies of the signatures on the key itself.
    direct: Vec<Vec<u8>>,
    pub components: Vec<Component>,
}

/// A user ID, user attribute or subkey with the signatures behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Component {
    pub tag: u8,
    pub body: Vec<u8>,
    signatures: Vec<Vec<u8>>,
}

impl Component {
    /// The signatures that can be read.
    pub fn signatures(&self) -> Vec<Signature> {
        parse_signatures(&self.signatures)
    }

    /// The subkey, if this is one that can be read.
    pub fn subkey(&self) -> Option<PublicSubkey> {
        if self.tag != tag::PUBLIC_SUBKEY {
            return None;
        }
        let header = header(Tag::PublicSubkey, &self.body)?;
        PublicSubkey::try_from_reader(header, self.body.as_slice()).ok()
    }
}

impl Certificate {
    /// All certificates in a row of packets. What stands before the first key, or behind one that cannot be read, is passed over.
    pub fn parse_all(packets: &[Packet<'_>]) -> Vec<Certificate> {
        let mut found: Vec<Certificate> = Vec::new();
        // Whether what follows belongs to the last of `found`.
        let mut open = false;
        for packet in packets {
            match packet.tag {
                tag::PUBLIC_KEY => {
                    let certificate = Certificate::begin(packet);
                    open = certificate.is_some();
                    found.extend(certificate);
                }
                // GnuPG's own notes in its keyrings.
                tag::TRUST => {}
                tag::SIGNATURE | tag::USER_ID | tag::USER_ATTRIBUTE | tag::PUBLIC_SUBKEY
                    if open =>
                {
                    if let Some(certificate) = found.last_mut() {
                        certificate.push(packet);
                    }
                }
                _ => open = false,
            }
        }
        found
    }

    fn begin(packet: &Packet<'_>) -> Option<Certificate> {
        let header = header(Tag::PublicKey, packet.body)?;
        Some(Certificate {
            key: PublicKey::try_from_reader(header, packet.body).ok()?,
            body: packet.body.to_vec(),
            direct: Vec::new(),
            components: Vec::new(),
        })
    }

    fn push(&mut self, packet: &Packet<'_>) {
        let body = packet.body.to_vec();
        if packet.tag != tag::SIGNATURE {
            self.components.push(Component {
                tag: packet.tag,
                body,
                signatures: Vec::new(),
            });
        } else if let Some(component) = self.components.last_mut() {
            component.signatures.push(body);
        } else {
            self.direct.push(body);
        }
    }

    /// The signatures on the key itself that can be read.
    pub fn direct_signatures(&self) -> Vec<Signature> {
        parse_signatures(&self.direct)
    }

    /// Adds what the other has more.
    pub fn merge(&mut self, other: Certificate) {
        merge_signatures(&mut self.direct, other.direct);
        for component in other.components {
            let known = self
                .components
                .iter_mut()
                .find(|known| known.tag == component.tag && known.body == component.body);
            match known {
                Some(known) => merge_signatures(&mut known.signatures, component.signatures),
                None => self.components.push(component),
            }
        }
        // User IDs first, then subkeys, as the format has it.
        self.components
            .sort_by_key(|component| component.tag == tag::PUBLIC_SUBKEY);
    }

    /// Appends the packets.
    pub fn write(&self, out: &mut Vec<u8>) {
        packets::write(out, tag::PUBLIC_KEY, &self.body);
        for signature in &self.direct {
            packets::write(out, tag::SIGNATURE, signature);
        }
        for component in &self.components {
            packets::write(out, component.tag, &component.body);
            for signature in &component.signatures {
                packets::write(out, tag::SIGNATURE, signature);
            }
        }
    }
}

fn merge_signatures(into: &mut Vec<Vec<u8>>, from: Vec<Vec<u8>>) {
    for signature in from {
        if !into.contains(&signature) {
            into.push(signature);
        }
    }
}

fn parse_signatures(bodies: &[Vec<u8>]) -> Vec<Signature> {
    bodies
        .iter()
        .filter_map(|body| parse_signature(body))
        .collect()
}

/// A signature packet's body, read.
pub(super) fn parse_signature(body: &[u8]) -> Option<Signature> {
    Signature::try_from_reader(header(Tag::Signature, body)?, body).ok()
}

fn header(tag: Tag, body: &[u8]) -> Option<PacketHeader> {
    Some(PacketHeader::new_fixed(
        tag,
        u32::try_from(body.len()).ok()?,
    ))
}
