//! Repositories that machines of the local network announce by multicast DNS.
//!
//! Whoever is in the network can say anything here, so little is made of it: malformed announcements are passed over, their
//! number and the time for listening are bounded, and what is found at an address is checked as that of any other remote.

use super::announcement::{Announcement, SERVICE};
use super::{Candidate, CollectionRef, Finder, elsewhere};
use crate::remote::Remotes;
use crate::{Cancel, Error};
use mdns_sd::{ResolvedService, ScopedIp, ServiceDaemon, ServiceEvent};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// More announcements than this are not listened to.
const MOST: usize = 256;

/// How often a wait looks whether it was cancelled.
const TICK: Duration = Duration::from_millis(100);

/// How to listen.
#[derive(Clone, Debug)]
pub struct Browse {
    /// For how long. Answers come within a fraction of a second; the question is repeated after one.
    pub time: Duration,
    /// The UDP port of multicast DNS. Another one than 5353 is of use for tests only.
    pub port: u16,
}

impl Default for Browse {
    fn default() -> Browse {
        Browse {
            time: Duration::from_millis(2500),
            port: mdns_sd::MDNS_PORT,
        }
    }
}

/// A repository that was announced.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Announced {
    /// The name of the announcement.
    pub instance: String,
    /// The repository's base URL.
    pub url: String,
    /// What was said about it.
    pub announcement: Announcement,
}

/// Multicast DNS does not work on this machine.
#[derive(Debug, thiserror::Error)]
#[error("{action} the local network: {cause}")]
pub struct LanError {
    pub(super) action: &'static str,
    pub(super) cause: mdns_sd::Error,
}

/// Listens to what the local network announces, and gives it sorted by name. Blocks for [`Browse::time`].
///
/// # Errors
/// No socket for multicast DNS is to be had.
pub fn browse(options: &Browse, cancel: &Cancel) -> Result<Vec<Announced>, LanError> {
    let fail = |cause| LanError {
        action: "looking around in",
        cause,
    };
    let daemon = ServiceDaemon::new_with_port(options.port).map_err(fail)?;
    let events = daemon.browse(&format!("{SERVICE}.local.")).map_err(fail)?;
    let end = Instant::now() + options.time;
    let mut found = BTreeMap::new();
    while !cancel.is_cancelled() {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        match events.recv_timeout(left.min(TICK)) {
            Ok(ServiceEvent::ServiceResolved(service)) => take(&mut found, &service),
            Ok(ServiceEvent::ServiceRemoved(_, name)) => {
                found.remove(&name);
            }
            Ok(_) => {}
            Err(_) if events.is_disconnected() => break,
            Err(_) => {}
        }
    }
    // The thread that listens ends by itself.
    let _ = daemon.shutdown();
    Ok(found.into_values().collect())
}

/// Announced repositories that may have a wanted ref of a collection for which a remote is configured here: that remote's
/// keys verify what they have.
pub(super) fn candidates(
    remotes: &Remotes,
    wanted: &[CollectionRef],
    options: &Browse,
    cancel: &Cancel,
) -> Result<Vec<Candidate>, Error> {
    let announced = browse(options, cancel)?;
    let mut all = Vec::new();
    for found in announced {
        let collections = wanted
            .iter()
            .filter(|want| {
                found
                    .announcement
                    .refs
                    .may_contain(&want.collection, &want.name)
            })
            .map(|want| want.collection.as_str());
        all.extend(elsewhere(Finder::Lan, remotes, collections, &found.url)?);
    }
    Ok(all)
}

fn take(found: &mut BTreeMap<String, Announced>, service: &ResolvedService) {
    let name = service.get_fullname();
    if found.len() >= MOST && !found.contains_key(name) {
        tracing::debug!("more than {MOST} repositories are announced, passing over {name:?}");
        return;
    }
    match read(service) {
        Ok(announced) => {
            found.insert(name.to_owned(), announced);
        }
        Err(cause) => tracing::debug!("passing over {name:?}: {cause}"),
    }
}

/// What a service announces.
fn read(service: &ResolvedService) -> Result<Announced, String> {
    let announcement = Announcement::from_txt(|key| service.get_property_val(key).flatten())
        .map_err(|e| e.to_string())?;
    let address = best_address(service.get_addresses().iter().map(ScopedIp::to_ip_addr))
        .ok_or("it has no address to connect to")?;
    let host = match address {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    Ok(Announced {
        instance: service.get_fullname().to_owned(),
        url: format!(
            "http://{host}:{}/{}",
            service.get_port(),
            announcement.index
        ),
        announcement,
    })
}

/// The address to use: any of version 4 before those of version 6, the lowest of each. Link-local ones of version 6 mean nothing
/// without an interface, which a URL cannot name.
fn best_address(addresses: impl Iterator<Item = IpAddr>) -> Option<IpAddr> {
    addresses
        .filter(|ip| match ip {
            IpAddr::V4(ip) => !ip.is_unspecified() && !ip.is_multicast() && !ip.is_broadcast(),
            IpAddr::V6(ip) => {
                !ip.is_unspecified() && !ip.is_multicast() && !ip.is_unicast_link_local()
            }
        })
        .min()
}

#[cfg(test)]
mod tests {
    use super::super::bloom::BloomFilter;
    use super::*;
    use mdns_sd::{ServiceInfo, TxtProperty};

    fn service(txt: &[(&str, Vec<u8>)], addresses: &str, port: u16) -> ResolvedService {
        let kind = format!("{SERVICE}.local.");
        let txt: Vec<TxtProperty> = txt.iter().cloned().map(TxtProperty::from).collect();
        ServiceInfo::new(&kind, "name", "host.local.", addresses, port, txt)
            .unwrap()
            .as_resolved_service()
    }

    fn announcement(index: u16) -> Announcement {
        let mut refs = BloomFilter::for_refs(1);
        refs.insert("org.example.Os", "os/main");
        Announcement {
            refs,
            summary_time: 99,
            index,
        }
    }

    #[test]
    fn addresses_become_urls() {
        let txt = announcement(7).to_txt();
        for (addresses, url) in [
            ("192.0.2.9,192.0.2.1", Some("http://192.0.2.1:8000/7")),
            ("2001:db8::1,192.0.2.1", Some("http://192.0.2.1:8000/7")),
            ("fe80::1,2001:db8::1", Some("http://[2001:db8::1]:8000/7")),
            ("fe80::1", None),
            ("0.0.0.0,255.255.255.255,224.0.0.1,ff02::1,::", None),
        ] {
            let read = read(&service(&txt, addresses, 8000)).ok();
            assert_eq!(
                read.as_ref().map(|found| &found.url[..]),
                url,
                "{addresses}"
            );
        }
    }

    #[test]
    fn a_flood_of_announcements_is_bounded() {
        let mut found = BTreeMap::new();
        let txt = announcement(0).to_txt();
        for i in 0..MOST + 50 {
            let mut service = service(&txt, "192.0.2.1", 80);
            service.fullname = format!("n{i}.{SERVICE}.local.");
            take(&mut found, &service);
        }
        assert_eq!(found.len(), MOST);
    }

    #[test]
    fn what_is_malformed_is_passed_over() {
        let mut found = BTreeMap::new();
        let mut txt = announcement(0).to_txt().to_vec();
        txt[1].1 = b"\xff".to_vec();
        take(&mut found, &service(&txt, "192.0.2.1", 80));
        take(&mut found, &service(&[], "192.0.2.1", 80));
        assert!(found.is_empty());
    }
}
